"""The conformance kit for solvers.

1. `obstacle` and `solve` agree about which games can be solved.
2. A solution says what it is: game, settings, gaps, trace and status hold together.
3. The same seed gives the same solution, and its policy plays.
4. Wrong settings are refused, and an interrupt through `progress` ends early, not badly.
"""

from __future__ import annotations

import json
import math
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from arena.errors import ArenaError, NotApplicableError
from arena.game import Game
from arena.rng import derive
from arena.solver import Gap, Solution, Solver, TracePoint
from arena.testing._common import Check, Drawer, same
from arena.types import Discrete

__all__ = ["check_solver"]

_STATUSES = (
    "converged",
    "iteration limit",
    "time limit",
    "interrupted",
    "stalled above the wanted gap",
)


def check_solver(
    solver: Solver, game: Game, *, seed: int = 0, episodes: int = 3, **settings: Any
) -> None:
    """Check that `solver` keeps the contract of `arena.solver` on `game`.

    Args:
        solver: the solver.
        game: a game that it can handle, or one that it cannot: both are checked.
        seed: given to `solve`.
        episodes: how many to play with the policy.
        settings: given to `solve`; choose them so that it is done soon.

    Raises:
        ConformanceError: at the first breach.
    """
    check = Check(f"solver {type(solver).__name__} on {game.key}")
    obstacle = check.run("obstacle() to work", lambda: solver.obstacle(game))
    check(obstacle is None or (isinstance(obstacle, str) and obstacle), "None or words", obstacle)
    if obstacle is not None:
        _refuses(check, solver, game, obstacle)
        return
    points: list[TracePoint] = []
    solution = check.run(
        "solve() to work", lambda: solver.solve(game, seed=seed, progress=points.append, **settings)
    )
    _solution(check, solution, game, settings)
    for point in points:
        check(isinstance(point, TracePoint), "progress to be given a TracePoint", point)
    again = check.run("solve() to work again", lambda: solver.solve(game, seed=seed, **settings))
    for name, gap in solution.certificate.items():
        other = again.certificate.get(name)
        check(
            other is not None and same(gap.value, other.value),
            f"the same seed to give the same {name}",
            (gap, other),
        )
    _policy(check, solution, again, game, seed=seed, episodes=episodes)
    _wrong_setting(check, solver, game, seed, settings)
    if points:
        _interrupted(check, solver, game, seed, settings)


def _refuses(check: Check, solver: Solver, game: Game, obstacle: str) -> None:
    try:
        solver.solve(game)
    except NotApplicableError:
        return
    except Exception as error:
        check.fail(f"NotApplicableError, as the obstacle is {obstacle!r}", repr(error))
    check.fail(f"NotApplicableError, as the obstacle is {obstacle!r}", "a solution")


def _solution(check: Check, solution: Any, game: Game, settings: dict[str, Any]) -> None:
    check(isinstance(solution, Solution), "a Solution", solution)
    check(solution.game is game, "solution.game to be the game that was solved", solution.game)
    check(
        isinstance(solution.solver, str) and solution.solver,
        "solution.solver to be the registry name",
        solution.solver,
    )
    written = check.run("settings that are JSON", lambda: json.dumps(dict(solution.settings)))
    kept = json.loads(written)
    for name, value in settings.items():
        check(
            name in kept and kept[name] == value,
            f"solution.settings to hold {name} = {value!r}",
            kept,
        )
    check(solution.status in _STATUSES, f"status to be one of {_STATUSES}", solution.status)
    check(solution.certificate, "a certificate with at least one gap", solution.certificate)
    for name, gap in solution.certificate.items():
        check(isinstance(gap, Gap), f"{name} to be a Gap", gap)
        check(math.isfinite(gap.value), f"{name} to be finite", gap)
        check(gap.kind in ("exact", "upper", "lower"), f"{name} to be exact, upper or lower", gap)
        # A gap measures what could still be gained: by definition not negative.
        # A seat's value, which certificates state beside the gaps, may be anything.
        low = gap.kind == "lower" or name.startswith("value")
        check(low or gap.value >= -1e-7, f"{name} to be at least 0", gap)
        if gap.interval is not None:
            low, high = gap.interval
            check(low <= gap.value <= high, f"the interval of {name} to hold its value", gap)
    trace = list(solution.trace)
    for before, after in pairwise(trace):
        check(before.iteration < after.iteration, "a trace of rising iterations", (before, after))
        check(before.seconds <= after.seconds, "a trace of rising seconds", (before, after))
    for point in trace:
        check(not math.isnan(point.gap), "gaps in the trace that are numbers", point)


def _policy(
    check: Check, solution: Solution, again: Solution, game: Game, *, seed: int, episodes: int
) -> None:
    """The policy is the same again, and gives legal distributions where it can be asked."""
    for policy in (solution.policy, again.policy):
        check(policy is not None, "a policy", policy)
    one, other = solution.policy, again.policy
    if isinstance(one, np.ndarray):
        check(same(one, other), "the same seed to give the same policy", "two that differ")
    ask = getattr(one, "probabilities", None)
    if ask is None or "state" not in game.forms:
        return
    for number in range(episodes):
        drawer = Drawer(game, derive(seed, "policy", number))
        state = game.state(derive(seed, "policy chance", number))
        for _ in range(1000):
            actors = state.actors()
            if not actors:
                break
            joint = {}
            for seat in actors:
                if not isinstance(game.actions[seat], Discrete):
                    return
                observation = state.observe(seat)
                row = np.asarray(check.run("probabilities()", partial(ask, observation)))
                legal = observation.legal
                check(
                    legal is not None
                    and row.shape == legal.shape
                    and bool((row >= -1e-12).all())
                    and abs(float(row.sum()) - 1.0) < 1e-6
                    and not np.any(row[~legal]),
                    f"a distribution over the legal actions at {observation.key!r}",
                    row,
                )
                check(
                    same(row, np.asarray(other.probabilities(observation))),
                    f"the same seed to give the same policy at {observation.key!r}",
                    (row, other.probabilities(observation)),
                )
                joint[seat] = drawer.stream.index(row.tolist())
            state.step(joint)


def _wrong_setting(
    check: Check, solver: Solver, game: Game, seed: int, settings: dict[str, Any]
) -> None:
    try:
        solver.solve(game, seed=seed, **{**settings, "no_such_setting": 1})
    except ArenaError:
        return
    except Exception as error:
        check.fail("an unknown setting to raise an ArenaError", repr(error))
    check.fail("an unknown setting to be refused", "it was accepted")


def _interrupted(
    check: Check, solver: Solver, game: Game, seed: int, settings: dict[str, Any]
) -> None:
    def stop(point: TracePoint) -> None:
        raise KeyboardInterrupt

    try:
        solution = solver.solve(game, seed=seed, progress=stop, **settings)
    except KeyboardInterrupt:
        check.fail("an interrupt through progress to end with a Solution", "KeyboardInterrupt")
        return
    check(
        solution.status in ("interrupted", "converged"),
        "status `interrupted` after an interrupt",
        solution.status,
    )
