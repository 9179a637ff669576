"""One match, shown: what `arena play` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.agent import Agent, Limits
from arena.errors import ParameterError
from arena.game import Game, State
from arena.rng import fresh_seed
from arena.types import Action
from tournaments.match import Fault, Player
from tournaments.plan import Segment, check_copies, make_game, make_plan
from tournaments.spec import AgentSpec, ExecutorSpec, ForfeitSpec, GameSpec, Spec

__all__ = ["Match", "play"]


@dataclass(frozen=True)
class Match:
    """A match and how it went.

    Attributes:
        game: the game.
        agents: name of the agent in each seat.
        seed: `game.state(seed)` and `steps` give the episode again.
        payoffs: what each seat was paid.
        steps: joint actions in order, `{seat: action}`.
        fault: why it was forfeited, or None.
        truncated: whether it was cut off rather than ended by the rules.
    """

    game: Game
    agents: tuple[str, ...]
    seed: int
    payoffs: tuple[float, ...]
    steps: tuple[Mapping[int, Any], ...]
    fault: Fault | None
    truncated: bool

    def transcript(self) -> str:
        """Return the moves and the result as text, one step a line."""
        lines = [f"{self.game.key}, seed {self.seed}: {', '.join(self.agents)}"]
        state = self.game.state(self.seed)
        # Some names depend on the position; only then is the match played again.
        named = getattr(state, "action_name", self.game.describe_action)
        for number, step in enumerate(self.steps, start=1):
            moves = (
                f"{self.game.seat_names[seat]} ({self.agents[seat]}) {named(seat, action)}"
                for seat, action in step.items()
            )
            lines.append(f"{number}. {', '.join(moves)}")
            if named != self.game.describe_action:
                state.step(step)
        if self.fault is not None:
            seat = self.fault.seat
            lines.append(
                f"{self.game.seat_names[seat]} ({self.agents[seat]}) forfeits: "
                f"{self.fault.kind}: {self.fault.detail}"
            )
        paid = (f"{name} {pay:g}" for name, pay in zip(self.agents, self.payoffs, strict=True))
        lines.append(("cut off: " if self.truncated else "result: ") + ", ".join(paid))
        return "\n".join(lines)

    def write_replay(self, path: str | Path) -> Path:
        """Write a page that shows every state, drawn where the game can draw it.

        Args:
            path: one HTML file, complete in itself; its folder is made.

        Returns:
            The path.
        """
        from tournaments.report.match import write_match

        return write_match(self, path)


def play(
    game: Game | str,
    agents: Sequence[Agent | str | AgentSpec],
    *,
    params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    limits: Limits | None = None,
    forfeit: ForfeitSpec | None = None,
    max_steps: int | None = None,
    on_step: Callable[[State, Mapping[int, Action]], None] | None = None,
) -> Match:
    """Play one match here and now.

    Args:
        game: a game or its name.
        agents: one a seat: references, agent objects, or specs with parameters.
        params: parameters of a game that is given by name.
        seed: of chance and, by seat, of the agents; None draws a fresh one.
        limits: clocks and sizes of agents that have none of their own.
        forfeit: what a forfeit pays, where the game's bounds do not say.
        max_steps: the match is cut off after so many steps.
        on_step: called after every step with the state and the joint action.

    Raises:
        SpecError: the game or an agent cannot be made, or an agent cannot play the game.
    """
    seats = [_seat(agents, index) for index in range(len(agents))]
    named = GameSpec(game, params or {}) if isinstance(game, str) else GameSpec(game.id, live=game)
    made = make_game(named)
    if len(seats) != made.seats:
        raise ParameterError("agents", [s.name for s in seats], f"{made.seats}, one a seat")
    distinct = [spec for index, spec in enumerate(seats) if spec not in seats[:index]]
    chosen = fresh_seed() if seed is None else seed
    plan = make_plan(
        Spec(
            name="play",
            games=(GameSpec(made.id, live=made),),
            agents=tuple(distinct),
            limits=limits,
            forfeit=forfeit or ForfeitSpec(),
            max_steps=max_steps,
            record="all",
            executor=ExecutorSpec("in_process"),
            source="arena.play",
        ),
        seed=chosen,
    )
    seating = tuple(distinct.index(spec) for spec in seats)
    check_copies("arena.play", plan, [seating])
    player = Player(plan)
    try:
        block = player.play_one(Segment(0, 0, seating, 0, 0, 1), chosen, on_step=on_step)
    finally:
        player.close()
    outcome = block.outcomes[0]
    return Match(
        game=made,
        agents=tuple(spec.name for spec in seats),
        seed=chosen,
        payoffs=outcome.payoffs,
        steps=block.episodes[0].steps,
        fault=block.faults[0] if outcome.offender >= 0 else None,
        truncated=outcome.truncated,
    )


def _seat(agents: Sequence[Agent | str | AgentSpec], index: int) -> AgentSpec:
    agent = agents[index]
    if isinstance(agent, AgentSpec):
        return agent
    if isinstance(agent, str):
        return AgentSpec(name=agent, ref=agent)
    first = next(i for i, other in enumerate(agents) if other is agent)
    return AgentSpec(name=f"{getattr(agent, 'name', type(agent).__name__)} {first}", live=agent)
