"""SEQUOIA against its paper's baselines on the coupled bandits, with what bounds them all.

On each problem and seed (an instance of its own, and a learner's seed):

1. the paper's baselines: no action, random, the best of 100 random for the next step, greedy
   and exact myopic, and iterative DQN that learns from 100 played episodes (or ten times that);
2. iterative DQN, and DQN on sampled actions, with SEQUOIA's data, targets and selection;
3. SEQUOIA after pre-training, and after its episodes, and its last network maximised one arm
   at a time, which the authors' code calls iterative DQN;
4. beside them the Lagrangian policy, which knows the transitions, and the bound on what any
   policy earns.

All play the same episodes. `epidemic` is a bandit whose arms infect each other: there the
Lagrangian policy has to take them for independent, and there is no bound; a planner by mean
fields and two heuristics of the field are added. On small instances SEQUOIA is compared with
exact backward induction.

Settings were chosen on instances 100 and up; those reported are 0, 1, ….

Source: Xu, Wilder, Khalil and Tambe 2025, "Reinforcement learning with combinatorial actions
for coupled restless bandits", ICLR, section 6 and figure 3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arena.files import write_atomic
from solvers.sequoia.baselines import BASELINES
from solvers.training.networks import torch_threads
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce._sequoia_units import (
    BEFORE,
    DECODED,
    DQN,
    EPIDEMIC,
    FOUR,
    LARGE,
    LONG,
    NETWORKED,
    OURS,
    PAPERS,
    SMALL,
    Problem,
    measure,
    measure_dqn,
    measure_long,
    measure_papers,
    unit,
)

__all__ = ["CLAIM", "run"]

PAPER = "24.8% on average over the four problems"
SEEDS, RIVAL_SEEDS, SMALL_SEEDS, LARGE_SEEDS = 10, 5, 5, 2
PUBLISHED = (*BASELINES, *PAPERS)
POLICIES = (*PUBLISHED, *LONG, *DQN, DECODED, BEFORE, OURS, *NETWORKED, "Lagrangian", "mean field")
"""The rows of the table."""


# -- the report --------------------------------------------------------------------------------


def run(*, quick: bool, out: Path) -> Report:
    """Learn and measure everything; writes `sequoia.json`, `.md` and pictures into `out`.

    Units (a problem and an instance) that a stopped run had finished are read again from
    `out/units`; the table of those that are done is written after each of them.
    """
    units: dict[str, dict[int, dict[str, Any]]] = {}
    with torch_threads(1):
        for work, problem, k in _todo(quick=quick):
            found = unit(work, problem, k, quick=quick, out=out)
            kept = units.setdefault(problem.name, {}).setdefault(k, found)
            for name in ("means", "curves", "seconds"):
                kept[name] |= found[name]
            done = [p for p in (*FOUR, EPIDEMIC, *SMALL, *LARGE) if p.name in units]
            lists = {name: list(own.values()) for name, own in units.items()}
            report(done, lists, quick=quick, out=out)
    return report(done, lists, quick=quick, out=out, draw=True)


def _todo(*, quick: bool) -> list[tuple[Any, Problem, int]]:
    """Return the units in the order in which they are measured."""
    if quick:
        return [(measure, p, k) for k in range(2) for p in (FOUR[0], FOUR[3], EPIDEMIC)]
    todo: list[tuple[Any, Problem, int]] = []
    for work, problems, count in (
        (measure, (*FOUR, EPIDEMIC), SEEDS),
        (measure, SMALL, SMALL_SEEDS),
        (measure_papers, FOUR, RIVAL_SEEDS),
        (measure_long, FOUR, RIVAL_SEEDS),
        (measure_dqn, (*FOUR, EPIDEMIC), RIVAL_SEEDS),
        (measure, LARGE, LARGE_SEEDS),
    ):
        todo += [(work, problem, k) for k in range(count) for problem in problems]
    return todo


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the half-width of its 95% interval (Student), nan below three."""
    from scipy.stats import t

    rows = np.asarray(values, dtype=np.float64)
    if len(rows) < 3:
        return float(rows.mean()), float("nan")
    spread = float(rows.std(ddof=1)) / len(rows) ** 0.5
    return float(rows.mean()), float(t.ppf(0.975, len(rows) - 1)) * spread


def gains(units: Sequence[Mapping[str, Any]], over: Sequence[str]) -> list[float]:
    """Return SEQUOIA's gain over the best of some policies, on each instance that has them."""
    return [
        u["means"][OURS] / max(u["means"][name] for name in over) - 1.0
        for u in units
        if all(name in u["means"] for name in over)
    ]


def mean_of(units: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return a policy's mean; where only some instances have it, its share of SEQUOIA there."""
    rows = [u["means"] for u in units if name in u["means"]]
    if not rows:
        return "–"
    if len(rows) == len(units):
        return f"{np.mean([row[name] for row in rows]):.2f}"
    share = np.mean([row[name] / row[OURS] for row in rows])
    return f"{100 * share:.1f}% of SEQUOIA ({len(rows)})"


def report(
    problems: Sequence[Problem],
    units: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    quick: bool,
    out: Path,
    draw: bool = False,
) -> Report:
    """Return table, checks and files of what was measured; `draw`: pictures too."""
    header = ["mean reward a step", *(f"{p.name} ({len(units[p.name])})" for p in problems)]
    rows = _rows([(p, units[p.name]) for p in problems])
    checks = [check for problem in problems for check in _checks(problem, units[problem.name])]
    checks += _overall([units[p.name] for p in problems if p in FOUR])
    if quick:
        checks = [Check(c.text, None, f"too short a run: {c.detail}") for c in checks]
    figures = {
        "format": "arena/reproduce/1",
        "claim": CLAIM.name,
        "quick": quick,
        "units": {name: list(own) for name, own in units.items()},
    }
    files = [out / f"{CLAIM.name}.json", out / f"{CLAIM.name}.md"]
    if draw:
        files += pictures(problems, units, out)
    found = Report(CLAIM.title, header, rows, checks, figures, tuple(files))
    noted = [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in checks]
    for path, text in zip(
        files[:2], (json.dumps({**figures, "checks": noted}, indent=1) + "\n", found.text),
        strict=True,
    ):  # fmt: skip
        with write_atomic(path) as file:
            file.write(text.encode("utf-8"))
    return found


def _rows(groups: Sequence[tuple[Problem, Sequence[Mapping[str, Any]]]]) -> list[list[Any]]:
    """Return the table, a policy or a figure a row, a problem a column."""
    rows: list[list[Any]] = []
    for name in POLICIES:
        means = [mean_of(own, name) for _, own in groups]
        if any(mean != "–" for mean in means):
            rows.append([name, *means])
    tops = [[top for u in own if (top := top_of(p, u)) is not None] for p, own in groups]
    rows.append(["bound, or optimum", *(f"{np.mean(t):.2f}" if t else "–" for t in tops)])
    for over, text in ((BASELINES, "that do not learn"), (PUBLISHED, "of the paper")):
        found = [gains(own, over) for _, own in groups]
        cells = [_percent(interval(rows)) if rows else "–" for rows in found]
        rows.append([f"SEQUOIA over the best {text}", *cells])
    shares = [
        [u["means"][OURS] / top for u in own if (top := top_of(p, u)) is not None]
        for p, own in groups
    ]
    cells = [f"{100 * np.mean(share):.1f}%" if share else "–" for share in shares]
    rows.append(["SEQUOIA, share of the bound", *cells])
    seconds = [np.mean([u["seconds"][OURS] for u in own]) for _, own in groups]
    rows.append(["CPU s to learn", *(f"{value:.0f}" for value in seconds)])
    return rows


def top_of(problem: Problem, unit: Mapping[str, Any]) -> float | None:
    """Return what no policy exceeds in a step: the optimum, the bound, or nothing."""
    found: float | None = unit["exact" if problem.exact else "bound"]
    return found


def _surely(pair: tuple[float, float]) -> bool | None:
    """Return whether an interval lies above zero; None where there is none."""
    return None if np.isnan(pair[1]) else pair[0] > pair[1]


def _percent(pair: tuple[float, float]) -> str:
    return f"{100 * pair[0]:+.1f}%" + ("" if np.isnan(pair[1]) else f" ± {100 * pair[1]:.1f}")


def _checks(problem: Problem, own: Sequence[Mapping[str, Any]]) -> list[Check]:
    checks = []
    if problem is EPIDEMIC:
        for rivals, text in (
            (BASELINES, "baselines that do not learn"),
            (("Lagrangian",), "the Lagrangian policy of independent arms"),
            (tuple(NETWORKED), "heuristics that see neighbours"),
            (("mean field",), "mean-field planning, which knows the transitions"),
        ):
            lead = interval(gains(own, rivals))
            checks.append(Check(f"{problem.name}: above {text}", _surely(lead), _percent(lead)))
    elif not problem.exact:
        gain = interval(gains(own, BASELINES))
        text = f"{problem.name}: at least {100 * problem.better:+.0f}% over baselines that do not"
        over = f"{_percent(gain)}, {len(own)} instances"
        checks.append(Check(f"{text} learn", gain[0] >= problem.better, over))
    for learners, text in (
        ((DECODED,), "its own network, maximised one arm at a time"),
        (PAPERS, "iterative DQN as in the paper"),
        (LONG, "the same with ten times the episodes"),
        (DQN, "iterative and sampled DQN with SEQUOIA's data and targets"),
    ):
        if rows := gains(own, tuple(learners)):
            learnt = interval(rows)
            detail = f"{_percent(learnt)}, {len(rows)} instances"
            checks.append(Check(f"{problem.name}: above {text}", _surely(learnt), detail))
    if problem.share is not None:
        mean = interval([u["means"][OURS] / (top_of(problem, u) or 1.0) for u in own])
        name = "the optimum (backward induction)" if problem.exact else "the bound"
        text = f"{problem.name}: at least {100 * problem.share:.0f}% of {name}"
        checks.append(Check(text, mean[0] >= problem.share, _percent(mean).lstrip("+")))
    if not problem.exact:
        more = interval(gains(own, (BEFORE,)))
        text = f"{problem.name}: episodes do not make the pre-trained network worse"
        checks.append(Check(text, more[0] >= 0.0, _percent(more)))
    if problem not in LARGE:
        most = max(u["seconds"][OURS] for u in own)
        text = f"{problem.name}: learned in at most 100 s of CPU"
        checks.append(Check(text, most <= 100.0, f"at most {most:.0f} s"))
    return checks


def _overall(groups: Sequence[Sequence[Mapping[str, Any]]]) -> list[Check]:
    checks = []
    for over, name in (
        (BASELINES, "baselines that do not learn"),
        (PUBLISHED, "of the paper's baselines"),
        ((*PUBLISHED, *LONG), "of them with ten times the episodes"),
        ((*BASELINES, *DQN), "baselines of all kinds, strengthened"),
    ):
        means = [np.mean(rows) for own in groups if (rows := gains(own, over))]
        text = f"at least 20% over the best {name}, on average over the problems"
        if means:
            mean = float(np.mean(means))
            checks.append(Check(f"{text} (the paper: {PAPER})", mean >= 0.2, f"{100 * mean:+.1f}%"))
    return checks


def pictures(
    problems: Sequence[Problem], units: Mapping[str, Sequence[Mapping[str, Any]]], out: Path
) -> list[Path]:
    """Draw scores side by side, and returns over the steps; return the files."""
    from matplotlib.figure import Figure

    groups = [(p, units[p.name]) for p in problems]
    shown = [n for n in POLICIES if any(n in u["means"] for _, own in groups for u in own)]
    figure = Figure(figsize=(max(8.0, 1.9 * len(groups)), 4.8), layout="constrained")
    axes = figure.add_subplot()
    width = 0.9 / len(shown)
    for k, name in enumerate(shown):
        bars = [_share(own, problem, name) for problem, own in groups]
        at = np.arange(len(groups)) + (k - len(shown) / 2 + 0.5) * width
        heights, errors = zip(*bars, strict=True)
        colour = "black" if name == OURS else f"C{k % 10}"
        hatch = "//" if k >= 10 else None
        axes.bar(at, heights, width, yerr=errors, label=name, color=colour, hatch=hatch,
                 error_kw={"lw": 0.8, "ecolor": "0.4"})  # fmt: skip
    axes.axhline(1.0, color="black", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(groups)), [p.name for p, _ in groups], fontsize=8)
    axes.set(ylabel="share of the bound or optimum\n(epidemic: of SEQUOIA)")
    axes.legend(ncols=5, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    files = [out / "scores.png", out / "returns.png"]
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(files[0], dpi=130)
    lines = (len(groups) + 2) // 3
    figure = Figure(figsize=(11, 3.2 * lines), layout="constrained")
    for k, (problem, own) in enumerate(groups):
        axes = figure.add_subplot(lines, 3, k + 1)
        for number, name in enumerate(
            ("myopic", *PAPERS, OURS, "Lagrangian", "LRIE", "mean field")
        ):
            rows = [u["curves"][name] for u in own if name in u["curves"]]
            if rows and len(rows) == len(own):  # means of other instances do not compare
                curve = np.mean(rows, axis=0)
                axes.plot(np.arange(1, len(curve) + 1), curve, label=name, color=f"C{number}")
        axes.set(title=problem.name, xlabel="step", ylabel="return so far")
        axes.legend(fontsize=7)
    figure.savefig(files[1], dpi=130)
    return files


def _share(own: Sequence[Mapping[str, Any]], problem: Problem, name: str) -> tuple[float, float]:
    """Return a policy's share of the bound (without one: of SEQUOIA), and its half-width."""
    shares = [
        u["means"][name] / (top_of(problem, u) or u["means"][OURS])
        for u in own
        if name in u["means"]
    ]
    mean, half = interval(shares) if shares else (0.0, 0.0)
    return mean, 0.0 if np.isnan(half) else half


CLAIM = Reproduction("sequoia", "SEQUOIA on coupled restless bandits (Xu et al. 2025)", run)
