"""QARL against its baselines: robustness of controllers trained against adversaries.

Source: Reddi, Tölle, Peters, Chalvatzaki and D'Eramo 2024, "Robust adversarial reinforcement
learning via bounded rationality curricula" (ICLR). Every method has the same networks, the
same seeds, and as many environment steps and updates of its controller. What an adversary
learns from comes on top, as in the code that the authors published. How strong
an adversary RARL learns against is chosen for it; the tests are the same for all.

1. A controller is trained for each task, method and seed (`_qarl_cells`); what is done is kept
   under `cells/`, so a run that was stopped goes on where it was.
2. Each is tested on masses × frictions × gusts, noise, and a fresh adversary.
3. Figures over seeds, with bootstrap intervals, and the statements of the source.
4. Controllers against adversaries as two populations.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from agents.control import ControlAgent
from arena.files import write_atomic
from arena.registry import GAMES
from solvers.qarl.robustness import Figure, Summary, summary
from tournaments.populations import play_populations
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce._qarl_cells import (
    DOUBLE,
    SAME,
    Plan,
    Task,
    cell,
    controller,
    stacked,
    tasks,
)
from tournaments.reproduce.heat import heat_maps

__all__ = ["CLAIM"]

_FIRST = ("sac", "rarl", "qarl")
_METHODS = (SAME, DOUBLE, "domain_randomisation", "mas", "force")
_ABLATIONS = ("fixed", "linear", "point")
_RIVALS = ("sac", "rarl")
_BEYOND = {
    SAME: "RARL's against as strong an adversary",
    DOUBLE: "SAC's with twice the steps and updates",
}
_LONG = ("hopper",)
"""Tasks without other methods than those that the claim compares."""

_FEW = 5
"""Seeds of other methods, and of each in the league."""

_HEADER = (
    "task", "method", "seeds", "undisturbed", "grid mean", "grid IQM", "worst decile", "noise",
    "attacked",
)  # fmt: skip

Found = dict[str, list[dict[str, Any]]]


def run(*, quick: bool, out: Path) -> Report:
    """Train, test, compare."""
    chosen = tasks(quick=quick)
    found: dict[str, Found] = {task.name: {} for task in chosen}
    for task in chosen:
        GAMES.factory(task.game)()  # what is not installed is told now, not hours later
    # The comparison before other methods, these before ablations, each seed by seed: what is
    # stopped early has compared whole seeds.
    groups = (_FIRST,) if quick else (_FIRST, _METHODS, _ABLATIONS)
    plans = [
        Plan(task, method, seed)
        for group in groups
        for task in chosen
        if group is _FIRST or task.name not in _LONG
        for seed in (task.seeds if group is _FIRST else task.seeds[:_FEW])
        for method in group
        if method != SAME or "rarl" in task.own  # otherwise it is RARL
    ]
    for number, plan in enumerate(plans):
        if sys.stderr.isatty():
            print(f"{number} of {len(plans)} done; now {plan.name}", file=sys.stderr)
        done = cell(plan, out / "cells")
        found[plan.task.name].setdefault(plan.method, []).append(done)
    return report(chosen, found, out=out, quick=quick)


def report(chosen: Sequence[Task], found: Mapping[str, Found], *, out: Path, quick: bool) -> Report:
    """Compare what was found, and write table, figures and pictures."""
    rows: list[list[Any]] = []
    figures: dict[str, Any] = {"format": "arena/reproduce/1", "claim": CLAIM.name, "tasks": {}}
    pictures: dict[str, str] = {}
    checks: list[Check] = []
    ahead = 0
    for task in chosen:
        sums = {m: summary(stacked(cells, "grid")) for m, cells in found[task.name].items()}
        for method, cells in found[task.name].items():
            rows.append(_row(task, method, cells, sums[method]))
        figures["tasks"][task.name] = {
            m: {**asdict(sums[m]), **_means(cells)} for m, cells in found[task.name].items()
        }
        means = {m: stacked(c, "grid").mean(axis=0) for m, c in found[task.name].items()}
        pictures |= _pictures(task, means)
        check, won = _claim(task, sums)
        checks += [check, _attack_check(task, found[task.name])]
        checks += [_beyond(task, sums, m, text) for m, text in _BEYOND.items() if m in sums]
        ahead += won
    checks.append(
        Check(
            "QARL is ahead of SAC and RARL, intervals apart, on at least two of three tasks",
            None if len(chosen) < 3 else ahead >= 2,
            f"{ahead} of {len(chosen)}",
        )
    )
    if quick:
        small = "too little training to tell; without --quick it is checked"
        checks = [Check(c.text, None, f"{c.detail}; {small}") for c in checks]
    league = _league(chosen[0], found[chosen[0].name], out)
    figures["league"] = league
    files = _write(out, figures, pictures, checks)
    made = Report(CLAIM.title, _HEADER, rows, checks, figures, files)
    path = out / f"{CLAIM.name}.md"
    with write_atomic(path) as file:
        file.write(made.text.encode())
    return Report(CLAIM.title, _HEADER, rows, checks, figures, (*files, path))


def _pictures(task: Task, means: Mapping[str, Any]) -> dict[str, str]:
    """Draw masses against frictions without gusts, and against gusts, mean over frictions."""
    tables = {
        "friction": {m: table[:, :, 0] for m, table in means.items()},
        "gusts": {m: table.mean(axis=1) for m, table in means.items()},
    }
    return {
        f"qarl-{task.name}-{name}": heat_maps(
            shown,
            rows=task.axes["mass"],
            columns=task.axes[name],
            row_label="mass",
            column_label=name,
            title=f"Return, {task.name.replace('_', ' ')}: mean over seeds",
        )
        for name, shown in tables.items()
    }


def _row(task: Task, method: str, cells: list[dict[str, Any]], seen: Summary) -> list[Any]:
    return [
        task.name,
        method,
        len(cells),
        float(stacked(cells, "nominal").mean()),
        seen.mean.value,
        _span(seen.iqm),
        _span(seen.worst),
        float(np.mean([stacked(cells, f"{n}_noise").mean() for n in ("action", "observation")])),
        float(stacked(cells, "attacked").mean()),
    ]


def _means(cells: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("nominal", "action_noise", "observation_noise", "attacked", "failed")
    means: dict[str, Any] = {n: stacked(cells, n).mean(axis=0).tolist() for n in names}
    return {**means, "seconds": float(stacked(cells, "seconds").sum()), "seeds": len(cells)}


def _claim(task: Task, sums: Mapping[str, Summary]) -> tuple[Check, bool]:
    ours = sums["qarl"].iqm
    won = all(ours.above(sums[rival].iqm) for rival in _RIVALS)
    text = f"{task.name}: QARL's interquartile mean over the grid is above SAC's and RARL's"
    detail = "; ".join(f"{m} {_span(sums[m].iqm)}" for m in ("qarl", *_RIVALS))
    return Check(text + ", intervals apart", won, detail), won


def _beyond(task: Task, sums: Mapping[str, Summary], other: str, text: str) -> Check:
    ours, theirs = sums["qarl"].iqm, sums[other].iqm
    return Check(
        f"{task.name}: so it is above {text}, intervals apart",
        ours.above(theirs),
        f"qarl {_span(ours)}; {other} {_span(theirs)}",
    )


def _span(figure: Figure) -> str:
    return f"{figure.value:.1f} [{figure.low:.1f}, {figure.high:.1f}]"


def _attack_check(task: Task, found: Found) -> Check:
    left = {m: summary(stacked(found[m], "attacked")[:, None]).mean for m in ("qarl", *_RIVALS)}
    return Check(
        f"{task.name}: against a fresh adversary QARL keeps more than SAC and RARL,"
        " intervals apart",
        all(left["qarl"].above(left[rival]) for rival in _RIVALS),
        "; ".join(f"{m} {_span(f)}" for m, f in left.items()),
    )


def _league(task: Task, found: Found, out: Path) -> dict[str, Any]:
    """Play controllers of the first task, of the methods compared first, against adversaries."""
    game = GAMES.factory(task.game)()
    rows, columns = {}, {}
    for method in _FIRST:
        for one in found[method][:_FEW]:
            plan = Plan(task, method, one["made_from"]["seed"])
            policy = controller(plan, out / "cells")
            rows[f"{method}-{plan.seed}"] = ControlAgent(policy)
            if policy.layers(1) is not None:
                columns[f"against-{method}-{plan.seed}"] = ControlAgent(policy)
    table = play_populations(game, rows, columns, episodes=10)
    table.save(out / "league.json")
    return table.to_dict()


def _write(
    out: Path, figures: Mapping[str, Any], pictures: Mapping[str, str], checks: Sequence[Check]
) -> tuple[Path, ...]:
    out.mkdir(parents=True, exist_ok=True)
    noted = [asdict(check) for check in checks]
    text = json.dumps({**figures, "checks": noted}, indent=1) + "\n"
    contents = {out / f"{CLAIM.name}.json": text}
    contents |= {out / f"{name}.svg": body for name, body in pictures.items()}
    for path, body in contents.items():
        with write_atomic(path) as file:
            file.write(body.encode("utf-8"))
    return (*contents, out / "league.json")


CLAIM = Reproduction("qarl", "QARL: controllers robust by adversaries of growing rationality", run)
