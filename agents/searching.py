"""Update-equivalent search around any blueprint: `mds` and `mmds`.

`mds` makes a mirror step from the blueprint, for games in which all are paid alike; `mmds` a
magnetic mirror step, for two-player zero-sum games. The action values come from play-outs
in sampled worlds (`solvers.search.sampled`), or exactly, from the game's tree
(`solvers.search.on_tree`).

The blueprint is asked out of the blue, in positions that it did not play up to: a policy, or
an agent whose answer depends on the observation alone.

Source: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, sections 4 (MDS) and 5 (MMDS).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from agents.load import load
from arena.agent import Agent
from arena.errors import AgentError, NotApplicableError, ParameterError, UnknownNameError
from arena.game import Game, Observation
from arena.policy import Policy, TabularPolicy
from arena.rng import Stream, derive
from arena.solver import Solution
from arena.types import Floats
from solvers.search.sampled import Probabilities, SampledSearch, Settings, Tally

__all__ = ["Searching", "mds", "mmds"]

_VALUES = ("sampled", "exact")
_PLAYS = ("draw", "best")
_MAGNETS = ("uniform", "blueprint")
_WORLDS = ("particles", "resample")


def mds(**params: Any) -> Searching:
    """Return mirror descent search; parameters as of `Searching`, without `temperature`."""
    for name in ("temperature", "magnet", "kind"):
        if name in params:
            raise UnknownNameError("parameter of agent mds", name, (), hint="mmds has it")
    return Searching("mds", **{"epsilon": 0.05, "even": False, **params})


def mmds(**params: Any) -> Searching:
    """Return magnetic mirror descent search; parameters as of `Searching`."""
    return Searching("mmds", **{"temperature": 0.02, **params})


class Searching:
    """Searches at each of its decisions.

    Args:
        kind: `mds` or `mmds`.
        blueprint: a name or file of an agent, or a live agent, policy or solution.
        step: η times the range of the game's payoffs; 5 by default, 25 for `mds`.
        temperature: α over the range of the payoffs.
        magnet: `uniform` or `blueprint`.
        epsilon: share of uniform play mixed into the blueprint before the step.
        rollouts: play-outs for one decision, at most.
        milliseconds: wall-clock time for one decision; what is played then depends on the
            clock.
        values: `sampled` by play-outs, or `exact` from the tree.
        even: give every action the same play-outs instead of giving up what is clearly worse.
        doubt: standard errors taken off the advantage over the blueprint's choice.
        worlds: `particles` that follow the episode, or what the game's `resample` draws.
        particles: worlds wanted for one decision.
        tries: simulations for the belief, at most.
        play: `draw` from the searched policy, or its `best` action.
        seed: of the search itself, which is one fixed policy for each seed.
        params: of the blueprint, if it is given by name.

    Raises:
        ParameterError: out of range.
        UnknownNameError: no such choice, or no such blueprint.
    """

    version = "1"

    def __init__(
        self,
        kind: str = "mmds",
        *,
        blueprint: Any = "uniform",
        step: float | None = None,
        temperature: float = 0.0,
        magnet: str = "uniform",
        epsilon: float = 0.0,
        rollouts: int = 200,
        milliseconds: float | None = None,
        values: str = "sampled",
        even: bool = True,
        doubt: float = 0.0,
        worlds: str = "particles",
        particles: int = 50,
        tries: int = 2000,
        play: str = "draw",
        seed: int = 0,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = kind
        if step is None:
            step = 25.0 if kind == "mds" else 5.0
        numbers = {"step": step, "temperature": temperature, "doubt": doubt, "epsilon": epsilon}
        for name, number in numbers.items():
            if not isinstance(number, int | float) or not 0.0 <= number < math.inf:
                raise ParameterError(name, number, "a number ≥ 0", where=kind)
        if epsilon > 1.0:
            raise ParameterError("epsilon", epsilon, "a number from 0 to 1", where=kind)
        if milliseconds is not None and not milliseconds > 0.0:
            raise ParameterError("milliseconds", milliseconds, "a number > 0", where=kind)
        for name, whole in {"rollouts": rollouts, "particles": particles, "tries": tries}.items():
            if isinstance(whole, bool) or not isinstance(whole, int) or whole < 1:
                raise ParameterError(name, whole, "an integer ≥ 1", where=kind)
        for name, choice, known in (
            ("values", values, _VALUES), ("play", play, _PLAYS), ("magnet", magnet, _MAGNETS),
            ("worlds", worlds, _WORLDS),
        ):  # fmt: skip
            if choice not in known:
                raise UnknownNameError(f"{name} of {kind}", str(choice), known)
        self._values, self._play = values, play
        self._given, self._params = blueprint, dict(params or {})
        self._base = Settings(
            step=float(step),
            temperature=float(temperature),
            magnet=magnet,
            epsilon=float(epsilon),
            rollouts=rollouts,
            seconds=math.inf if milliseconds is None else milliseconds / 1000.0,
            even=even,
            doubt=float(doubt),
            worlds=worlds,
            particles=particles,
            tries=tries,
            seed=seed,
        )
        self._game: Game | None = None
        self._searches: dict[int, SampledSearch] = {}
        self._table: TabularPolicy | None = None

    @property
    def stochastic(self) -> bool:
        """Whether the same observations may meet different actions."""
        return self._play == "draw"

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start an episode.

        Raises:
            AgentError: the game is not of the kind this search is for, shows no infoset
                keys, or the blueprint cannot be asked.
        """
        if self._game is None or game.key != self._game.key:
            self._check(game)
            self._game, self._searches, self._table = game, {}, None
        self._stream, self._seat = Stream(seed), seat
        if self._values == "exact":
            if self._table is None:
                self._table = self._exact(game)
            return
        if seat not in self._searches:
            self._searches[seat] = SampledSearch(
                game, seat, self._blueprint(game), self._scaled(game)
            )
        self._searches[seat].begin()

    def _check(self, game: Game) -> None:
        if not game.discrete:
            raise AgentError(f"{self.name} needs discrete actions; {game.key} has {game.actions}")
        if self.name == "mds" and game.payoff != "cooperative":
            raise AgentError(f"mds is for cooperative games, {game.key} is {game.payoff}; try mmds")
        if self.name == "mmds" and (game.payoff != "zero_sum" or game.seats != 2):
            raise AgentError(
                f"mmds is for zero-sum games of two seats, {game.key} is {game.payoff} with"
                f" {game.seats}" + ("; try mds" if game.payoff == "cooperative" else "")
            )

    def _scaled(self, game: Game) -> Settings:
        low, high = game.payoff_bounds
        scale = high - low if math.isfinite(high - low) and high > low else 1.0
        base = self._base
        return replace(base, step=base.step / scale, temperature=base.temperature * scale)

    def _blueprint(self, game: Game) -> list[Probabilities]:
        return [_asked(self._open(), game, seat) for seat in range(game.seats)]

    def _open(self) -> Any:
        if isinstance(self._given, str):
            return load(self._given, **self._params)
        given = self._given
        return given.policy if isinstance(given, Solution) else given

    def _exact(self, game: Game) -> TabularPolicy:
        from games.tree import tree_of
        from solvers.evaluate import behaviour_of
        from solvers.search.on_tree import search_everywhere

        try:
            tree = tree_of(game)
        except NotApplicableError as error:
            raise AgentError(f"{self.name} with values='exact': {error}") from error
        behaviour = behaviour_of(tree, game, self._open())
        epsilon = self._base.epsilon
        behaviour = (1.0 - epsilon) * behaviour + epsilon * tree.uniform()
        setup = self._scaled(game)
        found = search_everywhere(
            tree,
            behaviour,
            step=setup.step,
            temperature=setup.temperature,
            magnet=behaviour if setup.magnet == "blueprint" else None,
        )
        return tree.to_table(found.behaviour)

    def act(self, observation: Observation) -> int:
        """Return the action."""
        found = self.policy(observation)
        best = self._play == "best"
        action = int(np.argmax(found)) if best else self._stream.index(found.tolist())
        self.follow(observation, action)
        return action

    def follow(self, observation: Observation, action: int) -> None:
        """Take note of what the seat did at a decision, if it was not what `act` said."""
        if self._table is None:
            self._searches[self._seat].follow(observation, action)

    def policy(self, observation: Observation) -> Floats:
        """Return the searched policy at this decision of the episode, shape (A,)."""
        if self._table is not None:
            return self._table.probabilities(observation)
        return self._searches[self._seat].answer(observation)

    @property
    def tally(self) -> Tally:
        """What the searches of all seats did, added up."""
        total = Tally()
        for search in self._searches.values():
            for name, value in vars(search.tally).items():
                setattr(total, name, getattr(total, name) + value)
        return total

    def close(self) -> None:
        """Nothing to release."""


def _asked(blueprint: Any, game: Game, seat: int) -> Probabilities:
    """Return how to ask a blueprint for its probabilities at any observation of a seat."""
    if isinstance(blueprint, Policy):
        return blueprint.probabilities
    agent: Agent = blueprint if hasattr(blueprint, "begin") else _as_agent(blueprint)
    agent.begin(game, seat, derive(0, "blueprint", seat))
    policy = getattr(agent, "policy", None)
    if callable(policy):
        probabilities: Probabilities = policy
        return probabilities
    if getattr(agent, "stochastic", True):
        raise AgentError(
            f"{type(blueprint).__name__} cannot be a blueprint: it has no method `policy` that"
            " gives its probabilities, and does not promise to be deterministic"
        )

    def sure(observation: Observation) -> Floats:
        space: Any = game.actions[seat]
        out = np.zeros(space.n)
        out[int(agent.act(observation))] = 1.0
        return out

    return sure


def _as_agent(blueprint: Any) -> Agent:
    from agents.load import as_agent

    return as_agent(blueprint)
