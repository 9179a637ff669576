"""Three claims about Markov games: hardness of independent learning, QRE curricula, MEX.

- Independent learners look fine to deviations that see step and state, and fail against
  those that remember the history: Foster, Golowich and Kakade 2023.
- The Nash gap of quantal response equilibria falls with the temperature and stays within
  its bound: Savas et al. 2019; and a walker in an adversarial wind grows careful as the
  wind grows rational (robust control): Morimoto and Doya 2005.
- An optimistic model choice finds what a greedy one never looks for: Liu et al. 2023.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from arena.files import write_atomic
from games.markov.catalog import FAMILY
from games.markov.form import MarkovGame
from solvers.dispatch import solve
from solvers.markov.certificates import certify
from solvers.markov.mex import Mex
from solvers.markov.soft import PathPoint, path_of
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce.plot import line_chart

__all__ = ["HARDNESS", "LOCK", "QRE"]


def _write(
    claim: Reproduction,
    out: Path,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    checks: Sequence[Check],
    figures: Mapping[str, Any],
    charts: Mapping[str, str],
) -> Report:
    """Write table, figures and charts, and return the report."""
    paths = [out / f"{claim.name}.json", out / f"{claim.name}.md"]
    paths += [out / f"{name}.svg" for name in charts]
    full = {"format": "arena/reproduce/1", "claim": claim.name, **figures}
    report = Report(claim.title, header, rows, checks, full, tuple(paths))
    out.mkdir(parents=True, exist_ok=True)
    noted = [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in checks]
    texts = [json.dumps({**full, "checks": noted}, indent=1) + "\n", report.text]
    for path, text in zip(paths, [*texts, *charts.values()], strict=True):
        with write_atomic(path) as file:
            file.write(text.encode("utf-8"))
    return report


def hardness(*, quick: bool, out: Path) -> Report:
    """Run independent Hedge on Shapley's game, twice a game, and certify what it played."""
    game = FAMILY.make("repeated", stage="shapley", rounds=2)
    form: MarkovGame = game.form("markov")
    lengths = (100, 400, 1600) if quick else (100, 400, 1600, 6400)
    seeds = range(3 if quick else 10)
    gaps = np.zeros((len(lengths), len(seeds), 2))
    for row, length in enumerate(lengths):
        for column, seed in enumerate(seeds):
            played = solve(game, "independent_hedge", seed=seed, iterations=length).policy
            for k, kind in enumerate(("markov", "history")):
                found = certify(form, played, deviations=kind)  # type: ignore[arg-type]  # literals
                gaps[row, column, k] = found["cce_gap"].value
    mean, spread = gaps.mean(axis=1), gaps.std(axis=1, ddof=1)
    checks = [
        Check(
            "regret against Markov deviations falls (at least threefold)",
            bool(mean[-1, 0] < mean[0, 0] / 3),
            f"{mean[0, 0]:.3f} to {mean[-1, 0]:.3f} an episode",
        ),
        Check(
            "regret against deviations that remember does not fall",
            bool(mean[-1, 1] > mean[0, 1] and mean[-1, 1] > 0.25),
            f"{mean[0, 1]:.3f} to {mean[-1, 1]:.3f} an episode",
        ),
    ]
    rows = [
        [length, *(f"{mean[k, d]:.3f} ± {spread[k, d]:.3f}" for d in (0, 1))]
        for k, length in enumerate(lengths)
    ]
    sparse = solve(game, "sparse_cce", components=4 if quick else 8, pool=10, learning=300).state[
        "frontier"
    ]
    frontier = line_chart(
        {"least gap found": [(k + 1.0, float(gap)) for k, gap in enumerate(sparse)]},
        title="Sparse CCE: product policies against gap",
        x_label="components",
        y_label="CCE gap, deviations that remember",
    )
    chart = line_chart(
        {
            name: [(float(t), float(g)) for t, g in zip(lengths, mean[:, d], strict=True)]
            for d, name in enumerate(("Markov deviations", "history deviations"))
        },
        title="Independent Hedge, Shapley's game played twice",
        x_label="iterations T",
        y_label="regret / T, both seats",
        log_x=True,
    )
    figures = {
        "iterations": list(lengths),
        "seeds": len(seeds),
        "mean": mean.tolist(),
        "sparse_cce": sparse.tolist(),
    }
    header = ("iterations", "Markov regret", "history regret")
    return _write(
        HARDNESS,
        out,
        header,
        rows,
        checks=checks,
        figures=figures,
        charts={"regret": chart, "sparse": frontier},
    )


def curriculum(*, quick: bool, out: Path) -> Report:
    """Anneal quantal response equilibria of a random game and of the windy walk."""
    states = 10 if quick else 20
    game = FAMILY.make(
        "garnet", states=states, actions=5, branching=5, payoff="zero_sum", discount=0.9
    )
    low = 0.003
    annealed = solve(game, "soft_shapley", temperature_0=low, temperature_1=low)
    exact = solve(game, "shapley", until=1e-9).certificate["value_0"].value
    path = path_of(np.asarray(annealed.state["path"]))
    walk = FAMILY.make("windy_walk", strength=0.3)
    wind = path_of(
        np.asarray(
            solve(
                walk,
                "soft_shapley",
                temperature_0=0.01,
                schedule_0="fixed",
                start_1=10.0,
                temperature_1=0.01,
                divergence=True,
                precision=1e-6,
            ).state["path"]
        )
    )
    last = path[-1]
    checks = [
        Check(
            "the Nash gap is at most (τ ln A + τ ln B)/(1 − γ) all along",
            all(p.nash_gap <= p.bound for p in (*path, *wind)),
            f"{last.nash_gap:.4f} against {last.bound:.4f} at τ = {low:g}",
        ),
        Check(
            "the Nash gap falls with the temperature",
            all(a.nash_gap > b.nash_gap for a, b in pairwise(path)),
            f"{path[0].nash_gap:.3f} to {last.nash_gap:.4f}",
        ),
        Check(
            "policies grow less random, and the value approaches the game's",
            last.entropies[0] < path[0].entropies[0] and abs(last.value - exact) < last.nash_gap,
            f"value {last.value:.4f}, exact {exact:.4f}",
        ),
        Check(
            "the more rational the wind, the less the walker can hope for",
            wind[-1].value < wind[0].value,
            f"{wind[0].value:.3f} to {wind[-1].value:.3f}",
        ),
    ]
    charts = {
        "gap": line_chart(
            {
                "Nash gap": [(p.temperatures[0], p.nash_gap) for p in path],
                "bound": [(p.temperatures[0], p.bound) for p in path],
            },
            title=f"Quantal response, {states} states, 5×5 actions, γ = 0.9",
            x_label="temperature τ",
            y_label="Nash gap",
            log_x=True,
            log_y=True,
        ),
        "path": line_chart(
            {
                "value": [(p.temperatures[0], p.value) for p in path],
                "entropy, seat 0": [(p.temperatures[0], p.entropies[0]) for p in path],
                "entropy, seat 1": [(p.temperatures[0], p.entropies[1]) for p in path],
            },
            title="Value and policy entropy along the curriculum",
            x_label="temperature τ",
            y_label="payoff; nats",
            log_x=True,
        ),
        "wind": line_chart(
            {
                "walker's value": [(p.temperatures[1], p.value) for p in wind],
                "Nash gap": [(p.temperatures[1], p.nash_gap) for p in wind],
            },
            title="A walk along a cliff: the wind grows rational",
            x_label="temperature of the wind",
            y_label="payoff",
            log_x=True,
        ),
    }
    rows = [
        [game_name, *(f"{t:.4g}" for t in p.temperatures), f"{p.value:.4f}",
         f"{p.nash_gap:.4f}", f"{p.bound:.4f}", p.inner_iterations]
        for game_name, points in (("random", path), ("windy walk", wind)) for p in points
    ]  # fmt: skip
    figures = {"random": _rows(path), "windy_walk": _rows(wind), "value": exact}
    header = ("game", "τ of seat 0", "τ of seat 1", "value", "Nash gap", "bound", "inner steps")
    return _write(QRE, out, header, rows, checks=checks, figures=figures, charts=charts)


def _rows(path: Sequence[PathPoint]) -> list[list[float]]:
    return [point.row() for point in path]


def lock(*, quick: bool, out: Path) -> Report:
    """Learn a combination lock with 82 models, greedily and by MEX."""
    length, code = (2, 7) if quick else (4, 57)
    episodes = 100 if quick else 400
    made = FAMILY.make("combination_lock", length=length, code=code, blind=True)
    form: MarkovGame = made.form("markov")
    models: list[MarkovGame] = [
        FAMILY.make("combination_lock", length=length, opens=False, blind=True).form("markov")
    ]
    models += [
        FAMILY.make("combination_lock", length=length, code=k, blind=True).form("markov")
        for k in range(3**length)
    ]
    regrets = {}
    for name, greedy in (("MEX", False), ("most likely model", True)):
        learner = Mex(form, made.key, models, greedy=greedy)
        learner.advance(episodes)
        regrets[name] = np.cumsum(learner.regrets)
    found, missed = (float(series[-1]) for series in regrets.values())
    checks = [
        Check(
            "the greedy learner never opens the lock: regret 1/2 an episode",
            abs(missed - episodes / 2) < 1e-9,
            f"{missed:.1f} after {episodes} episodes",
        ),
        Check(
            "MEX tries each combination at most once",
            found <= 3**length / 2,
            f"regret {found:.1f}, at most {3**length / 2:g}",
        ),
    ]
    marks = np.unique(np.linspace(0, episodes - 1, 40).astype(int))
    chart = line_chart(
        {name: [(float(k + 1), float(r[k])) for k in marks] for name, r in regrets.items()},
        title=f"Combination lock, {len(models)} models",
        x_label="episodes",
        y_label="regret",
    )
    rows = [[name, episodes, float(series[-1])] for name, series in regrets.items()]
    figures = {name: series.tolist() for name, series in regrets.items()}
    header = ("learner", "episodes", "regret")
    return _write(LOCK, out, header, rows, checks=checks, figures=figures, charts={"regret": chart})


HARDNESS = Reproduction(
    "hardness-of-independent-learning",
    "Independent learners against deviations that remember (Foster et al. 2023)",
    hardness,
)
QRE = Reproduction(
    "qre-curriculum", "Quantal response curricula in zero-sum Markov games", curriculum
)
LOCK = Reproduction("mex-lock", "Maximise to explore on a combination lock (Liu et al. 2023)", lock)
