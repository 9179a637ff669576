"""SEQUOIA against its paper's baselines on the coupled bandits, with what bounds them all.

On each problem and seed (an instance of its own, and a learner's seed):

1. the paper's baselines: no action, random, the best of 100 random for the next step, greedy
   and exact myopic, iterative DQN, and DQN on sampled actions;
2. SEQUOIA after pre-training, and after its episodes;
3. beside them the Lagrangian policy, which knows the transitions, and the bound on what any
   policy earns.

All play the same episodes. `herd` is a bandit whose arms hold each other up: there the
Lagrangian policy has to take them for independent, and there is no bound. On small instances
SEQUOIA is compared with exact backward induction.

Settings were chosen on instances 100 and up; those reported are 0, 1, ….

Source: Xu, Wilder, Khalil and Tambe 2025, "Reinforcement learning with combinatorial actions
for coupled restless bandits", ICLR, section 6 and figure 3.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import arena
from arena.files import write_atomic
from arena.game import Game
from arena.rng import derive, derive_many
from games.bandits.influence import InfluencedBandit
from solvers.bandits.lagrangian import relax
from solvers.bandits.policy import ValuePolicy
from solvers.sequoia.baselines import BASELINES, Baseline
from solvers.sequoia.learner import DEFAULTS, Sequoia
from solvers.training.networks import torch_threads
from tournaments.reproduce import Check, Report, Reproduction

__all__ = ["CLAIM", "Problem", "measure", "run"]

Reals = NDArray[np.float64]

SEED = 20_250_303
EPISODES = 50
"""Evaluation episodes of each policy, the same for all."""

PAPER = "24.8% on average over the four problems"


@dataclass(frozen=True)
class Problem:
    """One problem: its game, and the bars for SEQUOIA over the best baseline and of the bound."""

    name: str
    game: str
    better: float
    share: float | None

    def make(self, instance: int) -> Game:
        """Return the game of an instance."""
        return arena.make(self.game, instance=instance)


FOUR = (
    Problem("schedule", "bandits/schedule", 0.5, 0.93),
    Problem("path", "bandits/path", 0.5, 0.93),
    Problem("capacity", "bandits/capacity", 0.4, 0.93),
    Problem("interventions", "bandits/interventions", 0.0, 0.93),
)
HERD = Problem("herd", "bandits/herd", 0.0, None)
LARGE = (
    Problem("schedule, J = 40", "bandits/schedule(arms=40,budget=10)", 0.5, 0.93),
    Problem(
        "interventions, J = 40", "bandits/interventions(arms=40,budget=10,actions=20)", 0.0, 0.93
    ),
)
SMALL = Problem("budget, J = 4", "bandits/budget(arms=4,budget=1,horizon=10)", 0.0, 0.9)

SEEDS, LARGE_SEEDS = 5, 2
ROUNDS, QUICK_ROUNDS = 20, 6
DQN: Mapping[str, Mapping[str, Any]] = {
    "iterative DQN": {"choose": "iterative", "inputs": "plain", "skip": False},
    "sampled DQN": {"choose": "sampled", "inputs": "plain", "skip": False},
}
QUICK: Mapping[str, Any] = {"warm": 1500, "pretrain": 4, "working": 200, "select_every": 2}

BEFORE, OURS = "SEQUOIA, pre-trained", "SEQUOIA"


def measure(problem: Problem, instance: int, *, quick: bool) -> dict[str, Any]:
    """Return the mean reward per step of every policy on one instance, as JSON values."""
    game = problem.make(instance)
    form = game.form("bandit")
    seeds = derive_many(derive(SEED, "play", instance), np.arange(10 if quick else EPISODES))
    paid: dict[str, Reals] = {
        name: episodes(game, Baseline(name, form, seed=instance), seeds) for name in BASELINES
    }
    bound, values = planned(game)
    paid["Lagrangian"] = episodes(game, ValuePolicy(game.key, values), seeds)
    seconds = {}
    for name, own in {OURS: {}, **DQN}.items():
        settings = {**DEFAULTS, **(QUICK if quick else {}), **own}
        start = time.process_time()
        learner = Sequoia(game, derive(SEED, "learner", instance), settings)
        while learner.rounds < (QUICK_ROUNDS if quick else ROUNDS):
            learner.step()
            if name == OURS and learner.rounds == settings["pretrain"]:
                before = learner.policy()
        seconds[name] = time.process_time() - start
        if name == OURS:
            paid[BEFORE] = episodes(game, before, seeds)
        paid[name] = episodes(game, learner.policy(), seeds)
    exact = None
    if problem is SMALL:
        exact = arena.solve(game, "bandit_exact", episodes=2).certificate["value"].value
    return {
        "problem": problem.name,
        "game": game.key,
        "instance": instance,
        "means": {name: float(rows[:, -1].mean()) / form.horizon for name, rows in paid.items()},
        "curves": {name: np.round(rows.mean(axis=0), 3).tolist() for name, rows in paid.items()},
        "bound": None if bound is None else bound / form.horizon,
        "exact": None if exact is None else exact / form.horizon,
        "seconds": seconds,
    }


def episodes(game: Game, policy: Any, seeds: NDArray[np.uint64]) -> Reals:
    """Return the returns so far of episodes, shape (K, H)."""
    form = game.form("bandit")
    alone = averaged(form) if isinstance(policy, ValuePolicy) else form
    batch: Any = game.form("batch", seeds=seeds)
    rows = []
    while batch.actors().any():
        batch.step_arms(policy.choose(alone, batch.levels, batch.step_number), check=False)
        rows.append(batch.returns()[:, 0])
    return np.stack(rows, axis=1)


def averaged(form: Any) -> Any:
    """Return the bandit, or independent arms of the same sizes where arms are influenced."""
    if isinstance(form, InfluencedBandit):
        return form.averaged(np.full((form.arms, form.counted), 1.0 / form.counted))
    return form


def planned(game: Game) -> tuple[float | None, Reals]:
    """Return the Lagrangian bound and values; of influenced arms, those of independent ones.

    There, arms move as they did on average under the plan before, beginning with all counts
    of neighbours alike; the best of four plans is returned, and it is no bound.
    """
    form = game.form("bandit")
    if not isinstance(form, InfluencedBandit):
        found = relax(form, rounds=30)
        return found.bound, found.values
    seeds = derive_many(derive(SEED, "plan"), np.arange(100))
    weights = np.full((form.arms, form.counted), 1.0 / form.counted)
    plans: list[tuple[float, Reals]] = []
    for _ in range(4):
        alone = form.averaged(weights)
        values = relax(alone, rounds=10).values
        policy, batch = ValuePolicy(game.key, values), game.form("batch", seeds=seeds)
        seen = np.zeros_like(weights)
        while batch.actors().any():
            seen += (form.counts(batch.levels)[..., None] == np.arange(form.counted)).sum(axis=0)
            actions = policy.choose(alone, batch.levels, batch.step_number)
            batch.step_arms(actions, check=False)
        plans.append((float(batch.returns().mean()), values))
        weights = 0.5 * weights + 0.5 * seen / seen.sum(axis=1, keepdims=True)
    return None, max(plans, key=lambda plan: plan[0])[1]


# -- the report --------------------------------------------------------------------------------


def run(*, quick: bool, out: Path) -> Report:
    """Learn and measure everything; writes `sequoia.json`, `.md` and pictures into `out`.

    Units (a problem and an instance) that a stopped run had finished are read again from
    `out/units`.
    """
    seeds = 2 if quick else SEEDS
    problems = (FOUR[3], HERD, SMALL) if quick else (FOUR[0], HERD, *FOUR[1:], SMALL)
    todo = [(problem, k) for k in range(seeds) for problem in problems]
    if not quick:
        todo += [(problem, k) for k in range(LARGE_SEEDS) for problem in LARGE]
        problems = (*problems, *LARGE)
    units: dict[str, list[dict[str, Any]]] = {problem.name: [] for problem in problems}
    with torch_threads(1):
        for problem, k in todo:
            units[problem.name].append(_unit(problem, k, quick=quick, out=out))
    return report(problems, units, quick=quick, out=out)


def _unit(problem: Problem, instance: int, *, quick: bool, out: Path) -> dict[str, Any]:
    """Return what was measured before with the same settings, or measure it."""
    label = "".join(c if c.isalnum() else "-" for c in problem.name)
    path = out / "units" / f"{'quick-' * quick}{label}-{instance}.json"
    version = {"rounds": ROUNDS, "defaults": DEFAULTS, "seed": SEED}
    if path.exists():
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored.pop("version", None) == json.loads(json.dumps(version)):
            return stored
    found = measure(problem, instance, quick=quick)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomic(path) as file:
        file.write((json.dumps({**found, "version": version}) + "\n").encode("utf-8"))
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the half-width of its 95% interval (Student)."""
    from scipy.stats import t

    rows = np.asarray(values, dtype=np.float64)
    if len(rows) < 2:
        return float(rows.mean()), float("nan")
    spread = float(rows.std(ddof=1)) / len(rows) ** 0.5
    return float(rows.mean()), float(t.ppf(0.975, len(rows) - 1)) * spread


def gains(units: Sequence[Mapping[str, Any]], over: Sequence[str]) -> list[float]:
    """Return SEQUOIA's gain over the best of some policies, on each instance."""
    return [u["means"][OURS] / max(u["means"][name] for name in over) - 1.0 for u in units]


RIVALS = (*BASELINES, *DQN)


def report(
    problems: Sequence[Problem],
    units: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    quick: bool,
    out: Path,
) -> Report:
    """Return table, checks and files of what was measured."""
    names = (*RIVALS, BEFORE, OURS, "Lagrangian")
    rows: list[list[Any]] = []
    for problem in problems:
        own = units[problem.name]
        means = [f"{np.mean([u['means'][name] for u in own]):.2f}" for name in names]
        gain, half = interval(gains(own, RIVALS))
        bounds = [u["bound"] for u in own if u["bound"] is not None]
        bound = f"{np.mean(bounds):.2f}" if bounds else "–"
        share, _ = interval([u["means"][OURS] / u["bound"] for u in own]) if bounds else (0.0, 0.0)
        rows.append(
            [
                f"{problem.name} ({len(own)})", *means, bound,
                f"{100 * gain:+.1f}% ± {100 * half:.1f}",
                f"{100 * share:.1f}%" if bounds else "–",
                f"{np.mean([u['seconds'][OURS] for u in own]):.0f}",
            ]
        )  # fmt: skip
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
    header = ["problem (instances)", *names, "bound", "over the best baseline", "of the bound",
              "CPU s to learn"]  # fmt: skip
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


def _checks(problem: Problem, own: Sequence[Mapping[str, Any]]) -> list[Check]:
    gain, half = interval(gains(own, RIVALS))
    over = f"{100 * gain:+.1f}% ± {100 * half:.1f} over {len(own)} instances"
    checks = []
    if problem in FOUR or problem in LARGE:
        text = f"{problem.name}: at least {100 * problem.better:+.0f}% over the best baseline"
        checks.append(Check(text, gain >= problem.better, over))
    if problem is HERD:
        checks.append(Check(f"{problem.name}: above every baseline", gain > half, over))
        lead, width = interval(gains(own, ("Lagrangian",)))
        text = f"{problem.name}: above the Lagrangian policy of independent arms"
        checks.append(Check(text, lead > width, f"{100 * lead:+.1f}% ± {100 * width:.1f}"))
    if problem.share is not None:
        rivals = "exact" if problem is SMALL else "bound"
        shares = [u["means"][OURS] / (u[rivals] or np.nan) for u in own]
        mean, width = interval(shares)
        name = "what is possible (backward induction)" if problem is SMALL else "the bound"
        text = f"{problem.name}: at least {100 * problem.share:.0f}% of {name}"
        checks.append(Check(text, mean >= problem.share, f"{100 * mean:.1f}% ± {100 * width:.1f}"))
    if problem is not SMALL:
        more, width = interval(gains(own, (BEFORE,)))
        text = f"{problem.name}: episodes do not make the pre-trained network worse"
        checks.append(Check(text, more >= 0.0, f"{100 * more:+.1f}% ± {100 * width:.1f}"))
        most = max(u["seconds"][OURS] for u in own)
        if problem not in LARGE:
            text = f"{problem.name}: learned in at most 100 s of CPU"
            checks.append(Check(text, most <= 100.0, f"at most {most:.0f} s"))
    return checks


def _overall(groups: Sequence[Sequence[Mapping[str, Any]]]) -> list[Check]:
    mean = float(np.mean([np.mean(gains(own, RIVALS)) for own in groups]))
    return [
        Check(
            f"on average at least 20% over the best baseline (the paper: {PAPER})",
            mean >= 0.2,
            f"{100 * mean:+.1f}%",
        )
    ]


def pictures(
    problems: Sequence[Problem], units: Mapping[str, Sequence[Mapping[str, Any]]], out: Path
) -> list[Path]:
    """Draw scores side by side, and returns over the steps; return the files."""
    from matplotlib.figure import Figure

    shown = ("random", "sampling", "greedy", "myopic", *DQN, BEFORE, OURS, "Lagrangian")
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    axes = figure.add_subplot()
    width = 0.9 / len(shown)
    for k, name in enumerate(shown):
        heights, errors = [], []
        for problem in problems:
            own = units[problem.name]
            tops = [u["bound"] or max(u["means"].values()) for u in own]
            mean, half = interval(
                [u["means"][name] / top for u, top in zip(own, tops, strict=True)]
            )
            heights.append(mean)
            errors.append(0.0 if np.isnan(half) else half)
        at = np.arange(len(problems)) + (k - len(shown) / 2 + 0.5) * width
        axes.bar(at, heights, width, yerr=errors, label=name, color=f"C{k}", error_kw={"lw": 0.8})
    axes.axhline(1.0, color="black", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(problems)), [p.name for p in problems])
    axes.set(ylabel="reward per step, share of the bound (herd: of the best)")
    axes.legend(ncols=5, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    files = [out / "scores.png"]
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(files[0], dpi=130)
    figure = Figure(figsize=(11, 3.2 * ((len(problems) + 2) // 3)), layout="constrained")
    for k, problem in enumerate(problems):
        axes = figure.add_subplot((len(problems) + 2) // 3, 3, k + 1)
        own = units[problem.name]
        for name in ("myopic", "iterative DQN", OURS, "Lagrangian"):
            curve = np.mean([u["curves"][name] for u in own], axis=0)
            axes.plot(np.arange(1, len(curve) + 1), curve, label=name)
        axes.set(title=problem.name, xlabel="step", ylabel="return so far")
        if not k:
            axes.legend(fontsize=8)
    files.append(out / "returns.png")
    figure.savefig(files[1], dpi=130)
    return files


CLAIM = Reproduction("sequoia", "SEQUOIA on coupled restless bandits (Xu et al. 2025)", run)
