"""The conformance kit for agents.

1. In every seat, against random play, the agent answers with legal actions.
2. The same seed and observations give the same actions: for a fresh agent, and for one
   that has played other games before.
3. What it offers beyond (`policy`, batched play, `stochastic`, `end`) is true.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from arena.agent import Agent
from arena.episode import drive
from arena.game import Game, State
from arena.registry import load_target
from arena.rng import derive, seat_seed, signal_seed
from arena.testing._common import Check, Drawer, observed, same
from arena.types import Action, Discrete

__all__ = ["check_agent"]


def check_agent(
    factory: Callable[[], Agent],
    game: Game,
    *,
    episodes: int = 3,
    seed: int = 0,
    max_steps: int = 1000,
) -> None:
    """Check that the agents of `factory` keep the contract of `arena.agent` in `game`.

    Args:
        factory: makes an agent, without arguments.
        game: what to play; it should be one that the agent can play.
        episodes: how many to play in each seat.
        seed: everything random follows from it.
        max_steps: episodes are watched for so many steps.

    Raises:
        ConformanceError: at the first breach.
    """
    made = Check("agent").run("the factory to make an agent", factory)
    name = getattr(factory, "__name__", type(made).__name__)
    check = Check(f"agent {name} in {game.key}")
    for method in ("begin", "act", "close"):
        check(callable(getattr(made, method, None)), f"a method {method}", f"none in {made!r}")
    for seat in range(game.seats):
        for number in range(episodes):
            own, luck = derive(seed, "own", seat, number), derive(seed, "luck", seat, number)
            play = partial(_play, check=check, game=game, seat=seat, luck=luck, limit=max_steps)
            one = play(factory(), seed=own)
            check.place = f"seat {seat}, seed {own}"
            again = play(factory(), seed=own)
            check(same(one, again), "the same actions from the same seed", (one, again))
            # `made` has played all earlier episodes: nothing of them may be left.
            veteran = play(made, seed=own, close=False)
            check(same(one, veteran), "begin() to start afresh: the same actions", (one, veteran))
            if getattr(made, "stochastic", True) is False:
                other = play(factory(), seed=own + 1)
                check(
                    same(one, other), "stochastic=False: the same actions, any seed", (one, other)
                )
    check.place = ""
    _batch(check, factory, game, seed)
    check.run("close() to work", made.close)
    check.run("close() to work twice", made.close)


def _play(
    agent: Agent,
    *,
    check: Check,
    game: Game,
    seat: int,
    seed: int,
    luck: int,
    limit: int,
    close: bool = True,
) -> list[Action]:
    """Play one episode in `seat`, the others at random, and return the agent's actions."""
    check.place = f"seat {seat}, seed {seed}"
    drawer = Drawer(game, luck)
    state = game.state(luck)
    tell = getattr(agent, "signal", None)
    if tell is not None:
        check.run("signal() to take a number", lambda: tell(signal_seed(luck)))
    check.run("begin() to accept the game", lambda: agent.begin(game, seat, seed))
    actions: list[Action] = []
    for step in range(limit):
        actors = state.actors()
        if not actors:
            break
        check.place = f"seat {seat}, seed {seed}, step {step}"
        joint = {other: drawer.action(state, other) for other in actors if other != seat}
        if seat in actors:
            joint[seat] = _answer(check, agent, game, state, seat)
            actions.append(joint[seat])
        check.run("a legal action", partial(state.step, joint))
    if not state.actors():
        end = getattr(agent, "end", None)
        if end is not None:
            check.run("end() to accept the returns", lambda: end(np.array(state.returns())))
    if close:
        check.run("close() to work", agent.close)
    return actions


def _answer(check: Check, agent: Agent, game: Game, state: State, seat: int) -> Action:
    observation = state.observe(seat)
    before = observed(observation)
    policy = getattr(agent, "policy", None)
    row = None
    if policy is not None and isinstance(game.actions[seat], Discrete):
        row = check.run("policy() to work", lambda: policy(observation))
        _distribution(check, row, before)
    action: Action = check.run("act() to work", lambda: agent.act(observation))
    check(
        same(before, observed(state.observe(seat))),
        "act() to leave the observation unchanged",
        "a changed one",
    )
    if isinstance(game.actions[seat], Discrete):
        check(
            isinstance(action, int | np.integer) and not isinstance(action, bool),
            "an action number",
            action,
        )
        check(action in before["actions"], f"one of the legal actions {before['actions']}", action)
        if row is not None:
            check(
                row[int(action)] > 0.0,
                f"an action that policy() gives some probability, not {action}",
                row,
            )
    return action


def _distribution(check: Check, row: Any, seen: dict[str, Any]) -> None:
    shape = seen["legal"].shape
    check(
        isinstance(row, np.ndarray) and row.shape == shape,
        f"policy() to be an array of shape {shape}",
        row,
    )
    check(
        bool((row >= 0).all()) and abs(float(row.sum()) - 1.0) < 1e-6,
        "policy() to be probabilities that add to 1",
        row,
    )
    check(not row[~seen["legal"]].any(), "policy() to be 0 where illegal", row)


def _batch(check: Check, factory: Callable[[], Agent], game: Game, seed: int) -> None:
    """Played in batches (`play_batch`, or `begin_batch` and `act_batch`) nothing changes."""
    agents = [factory() for _ in range(game.seats)]
    seeds = [derive(seed, "batch", number) for number in range(8)]
    check.place = "in batches"
    play_batch = load_target("games.batch:play_batch")
    together = check.run("batched play to work", lambda: play_batch(game, agents, seeds))
    for episode, own in enumerate(seeds if together is not None else []):
        state = game.state(own)
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, seat_seed(own, seat))
        drive(state, [agent.act for agent in agents])
        alone = state.returns()
        check(
            same(together[episode], alone), f"the payoffs {alone} of play alone", together[episode]
        )
    for agent in agents:
        agent.close()
    check.place = ""
