"""Value factorisation: known values of small games, and win rates and curves of battles.

1. The two-step game (Rashid et al. 2018, section 5.1), every action explored alike: QMIX
   finds 8 and the values 0, 1, 1, 8 of the second stage; sums and independent learners
   cannot, and play for 7.
2. Matrix games, explored alike: a monotone mixer finds the best joint action where little is
   lost by missing it and does not where much is (Son et al. 2019; Hu et al. 2021); weighted
   QMIX does in all (Rashid et al. 2020).
3. Battles against their built-in opponents: win rates after a fixed number of environment
   steps, of policies that play greedily, and learning curves.

Runs of battles are kept one by one under `cells` and not played again; what they have learned
is under `policies`, to be played.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.files import write_atomic
from arena.game import Game
from arena.registry import AGENTS, GAMES
from arena.rng import derive, derive_many, generator, seat_seeds
from solvers.training.checkpoint import game_header, write_checkpoint
from solvers.training.networks import torch_threads
from solvers.training.runs import learner_solver
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce._qmix_games import (
    joint,
    matrices,
    matrix_checks,
    numbers,
    two_step,
    two_step_checks,
)
from tournaments.reproduce.plot import line_chart

__all__ = ["CLAIM", "Setup"]

_LEARNERS = ("iql", "vdn", "qmix", "mappo")
_MAPPO = {
    "critic": "central",
    "hidden": [64, 64],
    "episodes": 64,
    "epochs": 8,
    "minibatch": 1024,
    "learning_rate": 1e-3,
    "entropy": 0.05,
    "scale": 0.2,
}
_MAPPO_AT: Mapping[str, Mapping[str, Any]] = {"2s3z": {"episodes": 32, "entropy": 0.01}}
_LONG = {"trace": 0.9, "learning_rate": 2e-3, "epsilon_steps": 100_000}
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "3m": {},
    "2s3z": _LONG,
    "5m_vs_6m": {**_LONG, "discount": 0.97},
}
"""Settings on each map besides the common ones. All were chosen with other seeds than those of
the table."""
_FIRST_SEED = 1
_SCRIPTED = ("focus_fire", "closest")


@dataclass(frozen=True)
class Setup:
    """How large the experiment is.

    Attributes:
        rounds: of 32 episodes in the small games.
        small_seeds: runs of each there.
        maps: battles and environment steps.
        seeds: runs of each there.
        points: evaluations of a run.
        episodes: of an evaluation but the last.
        last: of the last one.
    """

    rounds: int = 100
    small_seeds: int = 5
    maps: Mapping[str, int] = field(default_factory=dict)
    seeds: int = 3
    points: int = 10
    episodes: int = 100
    last: int = 500


_FULL = Setup(maps={"3m": 500_000, "2s3z": 1_000_000, "5m_vs_6m": 1_000_000})
_QUICK = Setup(
    rounds=120, small_seeds=1, maps={"3m": 4_000}, seeds=1, points=2, episodes=20, last=50
)


def run(*, quick: bool, out: Path) -> Report:
    """Play all three parts."""
    setup = _QUICK if quick else _FULL
    out.mkdir(parents=True, exist_ok=True)
    with torch_threads(1):
        steps = two_step(setup.rounds, setup.small_seeds)
        payoffs = matrices(setup.rounds, setup.small_seeds)
        battles = _battles(setup, out / "cells")
    scripted = {
        name: {who: _scripted(name, who, setup.last) for who in _SCRIPTED} for name in battles
    }
    checks = [*two_step_checks(steps), *matrix_checks(payoffs)]
    checks += _battle_checks(battles, setup, quick=quick)
    rows: list[list[Any]] = [
        ["two-step game", name, f"{numbers(found['returns'])}", joint(found["values"])]
        for name, found in steps.items()
    ]
    rows += [
        [title, name, numbers(returns), ""]
        for title, found in payoffs.items()
        for name, returns in found.items()
    ]
    rows += [
        [f"skirmish/{map_name}", name, *_win_row(runs)]
        for map_name, found in battles.items()
        for name, runs in found.items()
    ]
    rows += [
        [f"skirmish/{map_name}", name, f"{100 * wins:.1f}%", "scripted"]
        for map_name, found in scripted.items()
        for name, wins in found.items()
    ]
    figures = {
        "format": "arena/reproduce/1",
        "claim": CLAIM.name,
        "steps": dict(setup.maps),
        "seeds": setup.seeds,
        "two_step": steps,
        "matrices": payoffs,
        "battles": battles,
        "scripted": scripted,
    }
    header = ("game", "learner", "greedy return or wins", "values of 2B, or steps and CPU time")
    paths = [out / "qmix.json", out / "qmix.md", *(out / f"{name}.svg" for name in battles)]
    report = Report(CLAIM.title, header, rows, checks, figures, tuple(paths))
    noted = [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in checks]
    texts = [json.dumps({**figures, "checks": noted}, indent=1) + "\n", report.text]
    texts += [_chart(name, found) for name, found in battles.items()]
    for path, text in zip(paths, texts, strict=True):
        with write_atomic(path) as file:
            file.write(text.encode())
    return report


# -- battles ---------------------------------------------------------------------


def _battles(setup: Setup, cells: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return the runs of every map and learner; those that are kept are not played again.

    All of one seed come before those of the next, so that what is stopped leaves whole tables.
    """
    found: dict[str, dict[str, list[dict[str, Any]]]]
    found = {map_name: {name: [] for name in _LEARNERS} for map_name in setup.maps}
    for seed in range(_FIRST_SEED, _FIRST_SEED + setup.seeds):
        for map_name, steps in setup.maps.items():
            for name in _LEARNERS:
                found[map_name][name].append(_cell(map_name, name, seed, steps, setup, cells))
    return found


def _cell(  # noqa: PLR0917 - what the cell is, in the order of its name
    map_name: str, name: str, seed: int, steps: int, setup: Setup, cells: Path
) -> dict[str, Any]:
    solver = learner_solver("ppo" if name == "mappo" else name)
    given = {**_MAPPO, **_MAPPO_AT.get(map_name, {})} if name == "mappo" else _VALUES[map_name]
    own = {**given, "anneal": steps}
    settings = solver.settings(own)
    asked = {"map": map_name, "learner": name, "seed": seed, "steps": steps, "settings": settings}
    asked |= {"points": setup.points, "episodes": setup.episodes, "last": setup.last}
    path = cells / f"{map_name}-{name}-{seed}-{steps}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept["asked"] == asked:
            return kept
    game: Game = GAMES.factory(f"skirmish/{map_name}")()
    learner: Any = solver.learner(game, seed, settings)
    curve: list[list[float]] = []
    spent = 0.0
    for point in range(setup.points + 1):
        start = time.process_time()
        while learner.steps < steps * point / setup.points:
            learner.step()
        spent += time.process_time() - start
        episodes = setup.last if point == setup.points else setup.episodes
        seen = learner.evaluate(episodes, derive(seed, "reproduce", "qmix"))
        curve.append([learner.steps, seen.extra["win_rate"], seen.mean])
    done = {"asked": asked, "curve": curve, "cpu_seconds": round(spent, 1)}
    cells.mkdir(parents=True, exist_ok=True)
    policy = learner.policy()
    header = {"game": game_header(game), "solver": solver.name, "settings": settings, "seed": seed}
    header |= {"steps": learner.steps, "policy": policy.header()}
    write_checkpoint(
        cells.parent / "policies" / f"{path.stem}.safetensors", header, policy.arrays()
    )
    with write_atomic(path) as file:
        file.write((json.dumps(done) + "\n").encode())
    return done


def _scripted(map_name: str, player: str, battles: int) -> float:
    """Return the share of battles that a scripted player wins in all seats of the team."""
    game: Game = GAMES.factory(f"skirmish/{map_name}")()
    seeds = derive_many(derive(_FIRST_SEED, "reproduce", "qmix"), np.arange(battles))
    batch = game.form("batch", seeds=seeds)
    players: list[Any] = [AGENTS.factory(f"skirmish/{player}")() for _ in range(game.seats)]
    for seat, agent in enumerate(players):
        agent.begin_batch(game, seat, seat_seeds(seeds, game.seats)[:, seat])
    while batch.actors().any():
        moves = [agent.act_batch(batch.observe(seat)) for seat, agent in enumerate(players)]
        batch.step(np.stack(moves, axis=1))
    return float((batch.winners() == 0).mean())


def _battle_checks(
    found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]], setup: Setup, *, quick: bool
) -> list[Check]:
    text = "skirmish/3m: QMIX wins 95% against the built-in opponent"
    if quick:
        return [Check(text, None, "needs more steps than --quick takes")]
    mean, low, high = _interval(_last_wins(found["3m"]["qmix"]))
    detail = (
        f"{100 * mean:.1f}% [{100 * low:.1f}, {100 * high:.1f}] after"
        f" {setup.maps['3m']:,} steps, {setup.seeds} seeds"
    )
    checks = [Check(text, mean >= 0.95, detail)]
    for map_name in found:
        ours, alone = (float(_last_wins(found[map_name][m]).mean()) for m in ("qmix", "iql"))
        checks.append(
            Check(
                f"skirmish/{map_name}: QMIX wins at least as often as IQL",
                ours >= alone,
                f"{100 * ours:.1f}% against {100 * alone:.1f}%",
            )
        )
    return checks


def _last_wins(runs: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    return np.array([run["curve"][-1][1] for run in runs])


def _interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return mean and 95% interval by bootstrap over seeds."""
    rng = generator(0, "bootstrap")
    means = rng.choice(values, size=(10_000, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def _win_row(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    mean, low, high = _interval(_last_wins(runs))
    steps, seconds = runs[0]["asked"]["steps"], np.mean([r["cpu_seconds"] for r in runs])
    return [
        f"{100 * mean:.1f}% [{100 * low:.1f}, {100 * high:.1f}]",
        f"{steps:,} steps, {seconds:.0f} s",
    ]


def _chart(map_name: str, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = {}
    for name, runs in found.items():
        curves = np.array([run["curve"] for run in runs])
        steps, wins = curves[:, :, 0].mean(axis=0), curves[:, :, 1].mean(axis=0)
        lines[name.upper()] = [(float(x), float(y)) for x, y in zip(steps, wins, strict=True)]
    return line_chart(
        lines,
        title=f"skirmish/{map_name}: mean of {len(runs)} seed{'s' * (len(runs) > 1)}",
        x_label="environment steps",
        y_label="greedy win rate",
    )


CLAIM = Reproduction(
    "qmix", "Value factorisation: two-step game, matrix games, battles (Rashid et al. 2018)", run
)
