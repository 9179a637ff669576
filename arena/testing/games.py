"""The conformance kit for games.

1. The description holds together, and `arena.make(game.key)` makes the game again.
2. Episodes are played at random; at close-ups everything that can be asked is asked.
3. The same seed and actions give the same episode, and `drive` gives it too.
4. With chance exposed, outcomes are probabilities and the sampled histories replay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from arena.episode import drive, replay
from arena.errors import ArenaError, FormError, IllegalActionError
from arena.game import Game, Observation, State
from arena.rng import Stream, derive
from arena.testing._common import Check, Drawer, fingerprint, same
from arena.testing._states import CloseUp
from arena.types import CHANCE, Action, Discrete

__all__ = ["check_game"]

_PAYOFFS = ("zero_sum", "constant_sum", "cooperative", "general_sum")
_TURNS = ("sequential", "simultaneous")


def check_game(
    game: Game, *, episodes: int = 5, seed: int = 0, close_ups: int = 12, max_steps: int = 100_000
) -> None:
    """Check that `game` keeps the contract of `arena.game`.

    Args:
        game: the game.
        episodes: how many episodes to play.
        seed: everything random follows from it.
        close_ups: at how many steps of an episode to look closely.
        max_steps: an episode of more steps counts as one that never ends.

    Raises:
        ConformanceError: at the first breach.
    """
    check = Check(game.id)  # the key has no sense before the parameters are JSON
    _facts(check, game)
    check.subject = game.key
    if game.rebuildable:
        _rebuilt(check, game, seed)
    close = CloseUp(check, game)
    totals: list[float] = []
    for number in range(episodes):
        episode_seed = derive(seed, "episode", number)
        trace = _episode(check, game, close, episode_seed, close_ups=close_ups, max_steps=max_steps)
        totals.append(float(np.sum(trace.returns)))
        _same_again(check, game, episode_seed, trace)
        _driven(check, game, episode_seed)
        _from_root(check, game, trace)
    if game.payoff == "constant_sum":
        spread = max(totals) - min(totals) if totals else 0.0
        check(spread <= _slack(*totals), "one sum of returns in every episode", totals)
    _root(check, game, close, seed, close_ups=close_ups, max_steps=max_steps)


# -- the description ----------------------------------------------------------------------


def _facts(check: Check, game: Game) -> None:
    n = game.seats
    check(isinstance(n, int) and n >= 1, "at least one seat", n)
    check(len(game.actions) == n, f"{n} action spaces, one a seat", len(game.actions))
    check(game.payoff in _PAYOFFS, f"payoff to be one of {_PAYOFFS}", game.payoff)
    check(game.turns in _TURNS, f"turns to be one of {_TURNS}", game.turns)
    check("state" in game.forms, "a form `state`", sorted(game.forms))
    check(len(game.teams) == n, f"a team for each of {n} seats", game.teams)
    check(
        len(game.seat_names) == n and len(set(game.seat_names)) == n,
        f"{n} different seat names",
        game.seat_names,
    )
    low, high = game.payoff_bounds
    check(low <= high, "payoff_bounds (least, greatest)", game.payoff_bounds)
    check(
        game.max_length is None or (isinstance(game.max_length, int) and game.max_length >= 0),
        "max_length to be None or a number of decisions",
        game.max_length,
    )
    for space in game.actions:
        if isinstance(space, Discrete):
            check(space.n >= 1, "at least one action", space)
    written = check.run("parameters that are JSON", lambda: json.loads(json.dumps(game.params)))
    check(written == game.params, "parameters that survive JSON", game.params)


def _rebuilt(check: Check, game: Game, seed: int) -> None:
    from arena.api import make

    again = check.run(
        f"arena.make({game.key!r}) to make this rebuildable game", lambda: make(game.key)
    )
    for name in ("key", "seats", "actions", "payoff", "turns", "version", "teams", "payoff_bounds"):
        check(
            (name == "actions" and not game.discrete)
            or same(getattr(again, name), getattr(game, name)),
            f"the rebuilt game's {name} to be {getattr(game, name)!r}",
            getattr(again, name),
        )
    one, other = game.state(seed), again.state(seed)
    for step in range(20):
        check.place = f"rebuilt game, step {step}"
        check(
            same(fingerprint(game, one), fingerprint(again, other)),
            "the rebuilt game to show the same state",
            _difference(fingerprint(game, one), fingerprint(again, other)),
        )
        if not one.actors():
            break
        other.step(Drawer(game, derive(seed, step)).step(one))
    check.place = ""


# -- one episode --------------------------------------------------------------------------


class _Trace:
    """What an episode was, to compare others with."""

    def __init__(self) -> None:
        self.joints: list[dict[int, Action]] = []
        self.returns: Any = None
        self.history: list[int] | None = None
        self.marks: dict[int, dict[str, Any]] = {}


def _episode(
    check: Check, game: Game, close: CloseUp, seed: int, *, close_ups: int, max_steps: int
) -> _Trace:
    drawer = Drawer(game, derive(seed, "actions"))
    pick = Stream(derive(seed, "close-ups"))
    state: State = check.run("an episode to start", lambda: game.state(seed))
    trace = _Trace()
    paid = np.array(state.returns(), dtype=np.float64)
    step, budget = 0, close_ups
    while True:
        check.place = f"seed {seed}, step {step}"
        actors = close.actors(state)
        # The first steps, then ever rarer ones: long games end too.
        if budget and (step < close_ups // 2 or not actors or pick.below(1 + step // 2) == 0):
            budget -= 1
            trace.marks[step] = fingerprint(game, state)
            close.look(state, derive(seed, "look", step))
            check(
                same(trace.marks[step], fingerprint(game, state)),
                "looking to leave the state unchanged",
                _difference(trace.marks[step], fingerprint(game, state)),
            )
        if not actors:
            break
        joint = check.run("legal actions to be accepted", lambda: drawer.step(state))
        trace.joints.append(joint)
        paid += close.vector("rewards()", state.rewards())
        returns = close.vector("returns()", state.returns())
        check(
            np.abs(paid - returns).max() <= _slack(*paid, *returns),
            "returns() to be the sum of rewards()",
            f"returns {returns.tolist()}, rewards add up to {paid.tolist()}",
        )
        step += 1
        check(step <= max_steps, f"an episode to end within {max_steps} steps", "no end")
    trace.returns = close.vector("returns()", state.returns())
    own_history = getattr(state, "history", None)
    trace.history = None if own_history is None else list(own_history())
    _ending(check, game, trace, truncated=bool(getattr(state, "truncated", False)))
    check.place = ""
    return trace


def _slack(*values: float) -> float:
    return 1e-6 * max(1.0, *(abs(float(v)) for v in values)) if values else 1e-6


def _ending(check: Check, game: Game, trace: _Trace, *, truncated: bool) -> None:
    returns = trace.returns
    low, high = game.payoff_bounds
    slack = _slack(*returns)
    if game.payoff == "zero_sum" and not truncated:
        check(abs(returns.sum()) <= slack, "returns of a zero-sum game to add to 0", returns)
    if game.payoff == "cooperative":
        check(np.ptp(returns) <= slack, "equal returns in a cooperative game", returns)
    check(
        returns.min() >= low - slack and returns.max() <= high + slack,
        f"returns within payoff_bounds {game.payoff_bounds}",
        returns,
    )
    if game.max_length is not None:
        check(
            len(trace.joints) <= game.max_length,
            f"at most max_length = {game.max_length} decisions",
            len(trace.joints),
        )


# -- the same episode by other ways -------------------------------------------------------


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    for key in one:
        if key not in other or not same(one[key], other[key]):
            return f"{key}: first {one[key]!r}, then {other.get(key)!r}"[:600]
    return f"also {sorted(set(other) - set(one))}"


def _same_again(check: Check, game: Game, seed: int, trace: _Trace) -> None:
    """The same seed and actions give the same states; without chance, any seed does."""
    for other_seed in (seed,) if game.chance else (seed, derive(seed, "other")):
        what = "the same seed" if other_seed == seed else "chance=False, so any seed,"
        state = game.state(other_seed)
        for step in range(len(trace.joints) + 1):
            check.place = f"seed {other_seed}, step {step}, second time"
            if step in trace.marks:
                seen = fingerprint(game, state)
                check(
                    same(trace.marks[step], seen),
                    f"{what} to give the same state",
                    _difference(trace.marks[step], seen),
                )
            if step < len(trace.joints):
                joint = trace.joints[step]
                check.run(f"{what} to allow the same actions", partial(state.step, joint))
    actions = [joint[seat] for joint in trace.joints for seat in sorted(joint)]
    again = check.run("the episode to replay", lambda: replay(game, seed, actions))
    check(
        same(np.array(again.returns()), trace.returns),
        f"the replayed episode to return {trace.returns.tolist()}",
        again.returns(),
    )
    check.place = ""


def _driven(check: Check, game: Game, seed: int) -> None:
    """A state's own `drive` does what the generic loop does."""
    if getattr(game.state(seed), "drive", None) is None or not game.discrete:
        return
    check.place = f"seed {seed}, drive"
    ends: list[dict[str, Any]] = []
    for watched in (True, False):
        state = game.state(seed)
        streams = [Stream(derive(seed, "seat", s)) for s in range(game.seats)]
        asked: list[tuple[int, tuple[int, ...], str | None]] = []

        def choose(
            observation: Observation, streams: list[Stream] = streams, asked: list[Any] = asked
        ) -> Action:
            actions = observation.actions
            if actions is None:
                raise IllegalActionError("no actions are listed")
            if len(asked) < 50:
                asked.append((observation.seat, tuple(actions), observation.key))
            return streams[observation.seat].choice(actions)

        watch = (lambda joint: None) if watched else None
        check.run(
            "drive to play to the end",
            partial(drive, state, [choose] * game.seats, watch=watch),
        )
        ends.append({"observations": asked, **fingerprint(game, state)})
    check(
        same(*ends), "drive() to do what the loop over step() does", _difference(ends[0], ends[1])
    )
    for wrong in (game.actions[0].n if isinstance(game.actions[0], Discrete) else -1, None):
        state = game.state(seed)
        if not state.actors():
            break
        try:
            drive(state, [lambda _, wrong=wrong: wrong] * game.seats)  # type: ignore[misc]
        except IllegalActionError:
            continue
        except Exception as error:
            check.fail(f"drive to refuse {wrong!r} with IllegalActionError", repr(error))
        check.fail(f"drive to refuse the action {wrong!r}", "it was accepted")
    check.place = ""


def _from_root(check: Check, game: Game, trace: _Trace) -> None:
    """The history, chance included, replays from the root."""
    if trace.history is None or not game.discrete:
        return
    state = _open_root(game)
    if state is None:
        return
    left = list(trace.history)
    check.place = "replay of a history from the root"
    while actors := state.actors():
        check(len(left) >= len(actors), "the history to reach the end", f"{left} left for {actors}")
        joint = dict(zip(actors, left, strict=False))
        left = left[len(actors) :]
        check.run("the history to be legal", partial(state.step, joint))
    check(not left, "the history to stop at the end", f"{left} left over")
    returns = np.array(state.returns())
    check(
        np.abs(returns - trace.returns).max() <= _slack(*returns),
        f"the replayed history to return {trace.returns.tolist()}",
        returns,
    )
    check.place = ""


# -- chance exposed -----------------------------------------------------------------------


def _open_root(game: Game) -> State | None:
    try:
        return game.root()
    except FormError:
        return None


def _root(
    check: Check, game: Game, close: CloseUp, seed: int, *, close_ups: int, max_steps: int
) -> None:
    check.place = "root"
    try:
        state = game.root()
    except FormError:
        return
    except ArenaError as error:
        check.fail("root() to work or to raise FormError", repr(error))
        return
    drawer = Drawer(game, derive(seed, "root"))
    budget, step = close_ups, 0
    while actors := close.actors(state, root=True):
        check.place = f"root, step {step}"
        if budget:
            budget -= 1
            if actors == (CHANCE,):
                check(game.chance, "no chance node, as chance=False", state.render())
                close.chance(state)
            else:
                close.look(state, derive(seed, "look", step))
        drawer.step(state)
        step += 1
        check(step <= max_steps, f"an episode to end within {max_steps} steps", "no end")
    check.place = ""
