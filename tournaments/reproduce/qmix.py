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
from arena.registry import GAMES
from arena.rng import derive, generator
from solvers.qmix.field import make_field
from solvers.qmix.learner import DEFAULTS, ValueLearner
from solvers.training.checkpoint import game_header, write_checkpoint
from solvers.training.networks import torch_threads
from solvers.training.runs import learner_solver
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce.plot import line_chart

__all__ = ["CLAIM", "Setup"]

_MIXERS = ("iql", "vdn", "qmix", "wqmix")
_LEARNERS = ("iql", "vdn", "qmix", "mappo")
_SMALL = {
    "network": "mlp",
    "last_action": False,
    "epsilon_end": 1.0,
    "trace": 0.0,
    "buffer": 5000,
}
_MATRICES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("matrix/nonmonotonic", {"best": 12.0, "miss": -0.1}),
    ("matrix/nonmonotonic", {}),
    ("matrix/climbing", {}),
    ("matrix/penalty", {}),
)
_ADDITIVE = np.array([[-1.5, 2.5], [2.5, 6.5]])
"""The sums a_i + b_j nearest to 0, 1, 1, 8 in the mean square."""
_MAPPO = {
    "critic": "central",
    "hidden": [64, 64],
    "episodes": 32,
    "epochs": 8,
    "minibatch": 1024,
    "learning_rate": 1e-3,
    "entropy": 0.01,
    "scale": 0.2,
}
_MAPPO_AT: Mapping[str, Mapping[str, Any]] = {
    "3m": {"episodes": 64, "entropy": 0.05},
    "2s3z": {"bootstrap": False},
    "5m_vs_6m": {"episodes": 128, "minibatch": 2048, "entropy": 0.03},
}
_LONG = {"trace": 0.9, "learning_rate": 2e-3, "epsilon_steps": 100_000}
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "3m": {},
    "2s3z": _LONG,
    "5m_vs_6m": {**_LONG, "discount": 0.97},
}
"""Settings on each map besides the common ones. All were chosen with other seeds than those of
the table."""
_FIRST_SEED = 1


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
        two_step = _two_step(setup)
        matrices = _matrices(setup)
        battles = _battles(setup, out / "cells")
    checks = [*_two_step_checks(two_step), *_matrix_checks(matrices)]
    checks += _battle_checks(battles, setup, quick=quick)
    rows: list[list[Any]] = [
        ["two-step game", name, f"{_numbers(found['returns'])}", _joint(found["values"])]
        for name, found in two_step.items()
    ]
    rows += [
        [title, name, _numbers(returns), ""]
        for title, found in matrices.items()
        for name, returns in found.items()
    ]
    rows += [
        [f"skirmish/{map_name}", name, *_win_row(runs)]
        for map_name, found in battles.items()
        for name, runs in found.items()
    ]
    figures = {
        "format": "arena/reproduce/1",
        "claim": CLAIM.name,
        "steps": dict(setup.maps),
        "seeds": setup.seeds,
        "two_step": two_step,
        "matrices": matrices,
        "battles": battles,
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


# -- small games -----------------------------------------------------------------


def _learn(game: Game, mixer: str, seed: int, rounds: int) -> ValueLearner:
    own = {"weighting": "central", "weight": 0.02} if mixer == "wqmix" else {}
    learner = ValueLearner(game, seed, {**DEFAULTS, **_SMALL, **own}, mixer=mixer)
    for _ in range(rounds):
        learner.step()
    return learner


def _two_step(setup: Setup) -> dict[str, dict[str, list[Any]]]:
    """Return greedy returns, and values of state 2B where there are any, for every seed."""
    game: Game = GAMES.factory("markov/two_step")()
    stage = make_field(game, 1)
    stage.step(np.array([[1, 0]]))  # into 2B
    found: dict[str, dict[str, list[Any]]] = {}
    for mixer in _MIXERS:
        returns, values = [], []
        for seed in range(setup.small_seeds):
            learner = _learn(game, mixer, seed, setup.rounds)
            returns.append(learner.evaluate(1, seed).mean)
            if mixer != "iql":
                values.append(learner.joint_values(stage.obs[0], stage.state[0]).tolist())
        found[mixer] = {"returns": returns, "values": values}
    return found


def _two_step_checks(found: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    truth = np.array([[0.0, 1.0], [1.0, 8.0]])

    far = float(np.abs(np.array(found["qmix"]["values"]) - truth).max())
    off = float(np.abs(np.array(found["vdn"]["values"]) - _ADDITIVE).max())
    plain = [*found["vdn"]["returns"], *found["iql"]["returns"]]

    return [
        Check(
            "two-step game: QMIX plays for 8 with every seed",
            all(value == 8.0 for value in found["qmix"]["returns"]),
            _numbers(found["qmix"]["returns"]),
        ),
        Check("its values of 2B are 0, 1, 1, 8 within 0.1", far <= 0.1, f"at most {far:.3f} off"),
        Check(
            "VDN and IQL play for 7 with every seed",
            all(value == 7.0 for value in plain),
            _numbers(plain),
        ),
        Check(
            "VDN's values of 2B are the nearest sums, −1.5, 2.5, 2.5, 6.5, within 0.5",
            off <= 0.5,
            f"at most {off:.3f} off",
        ),
    ]


def _matrices(setup: Setup) -> dict[str, dict[str, list[float]]]:
    """Return greedy payoffs of each matrix game for every learner and seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, params in _MATRICES:
        game: Game = GAMES.factory(name)(**params)
        found[game.key] = {
            mixer: [
                _learn(game, mixer, seed, setup.rounds).evaluate(1, seed).mean
                for seed in range(setup.small_seeds)
            ]
            for mixer in _MIXERS
        }
    return found


def _matrix_checks(found: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Check]:
    best: dict[str, float] = {}
    for (name, params), key in zip(_MATRICES, found, strict=True):
        game: Game = GAMES.factory(name)(**params)
        best[key] = float(game.form("normal_form").payoffs[0].max())
    easy, *hard = found
    return [
        Check(
            f"QMIX finds the best joint action of {easy}",
            all(value == best[easy] for value in found[easy]["qmix"]),
            _numbers(found[easy]["qmix"]),
        ),
        Check(
            "where more is lost, all explored alike, QMIX and VDN do not always find it",
            any(value < best[key] for key in hard for value in found[key]["qmix"])
            and any(value < best[key] for key in hard for value in found[key]["vdn"]),
            "; ".join(f"{key}: {_numbers(found[key]['qmix'])}" for key in hard),
        ),
        Check(
            "weighted QMIX finds them all",
            all(value == best[key] for key in found for value in found[key]["wqmix"]),
            "; ".join(_numbers(found[key]["wqmix"]) for key in found),
        ),
    ]


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


def _numbers(values: Sequence[float]) -> str:
    """Return values as text, once if they are all the same."""
    shown = [f"{value:g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else ", ".join(shown)


def _joint(values: Sequence[Sequence[Sequence[float]]]) -> str:
    """Return the mean over seeds of joint values."""
    if not values:
        return "none of the team"
    return ", ".join(f"{value:.2f}" for value in np.mean(values, axis=0).ravel())


CLAIM = Reproduction(
    "qmix", "Value factorisation: two-step game, matrix games, battles (Rashid et al. 2018)", run
)
