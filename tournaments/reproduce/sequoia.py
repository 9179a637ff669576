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
from collections.abc import Callable, Mapping, Sequence
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
    """Return the reward of baselines, SEQUOIA and the Lagrangian policy, as JSON values."""
    game = problem.make(instance)
    form = game.form("bandit")
    seeds = _seeds(instance, quick=quick)
    paid: dict[str, Reals] = {
        name: episodes(game, Baseline(name, form, seed=instance), seeds) for name in BASELINES
    }
    bound, values = planned(game)
    paid["Lagrangian"] = episodes(game, ValuePolicy(game.key, values), seeds)
    before, after, seconds = learned(game, instance, {}, quick=quick)
    paid |= {BEFORE: episodes(game, before, seeds), OURS: episodes(game, after, seeds)}
    exact = None
    if problem is SMALL:
        exact = arena.solve(game, "bandit_exact", episodes=2).certificate["value"].value
    return {
        "problem": problem.name,
        "game": game.key,
        "instance": instance,
        **_summed(paid, form.horizon),
        "bound": None if bound is None else bound / form.horizon,
        "exact": None if exact is None else exact / form.horizon,
        "seconds": {OURS: seconds},
    }


def measure_rivals(problem: Problem, instance: int, *, quick: bool) -> dict[str, Any]:
    """Return the reward of the other learners on one instance, as JSON values."""
    game = problem.make(instance)
    seeds = _seeds(instance, quick=quick)
    paid, seconds = {}, {}
    for name, own in DQN.items():
        _, policy, seconds[name] = learned(game, instance, own, quick=quick)
        paid[name] = episodes(game, policy, seeds)
    return {**_summed(paid, game.form("bandit").horizon), "seconds": seconds}


def learned(
    game: Game, instance: int, own: Mapping[str, Any], *, quick: bool
) -> tuple[Any, Any, float]:
    """Return the policies after pre-training and in the end, and the CPU seconds it took."""
    settings = {**DEFAULTS, **(QUICK if quick else {}), **own}
    start = time.process_time()
    learner = Sequoia(game, derive(SEED, "learner", instance), settings)
    while learner.rounds < settings["pretrain"]:
        learner.step()
    before = learner.policy()
    while learner.rounds < (QUICK_ROUNDS if quick else ROUNDS):
        learner.step()
    return before, learner.policy(), time.process_time() - start


def _seeds(instance: int, *, quick: bool) -> NDArray[np.uint64]:
    return derive_many(derive(SEED, "play", instance), np.arange(10 if quick else EPISODES))


def _summed(paid: Mapping[str, Reals], horizon: int) -> dict[str, Any]:
    return {
        "means": {name: float(rows[:, -1].mean()) / horizon for name, rows in paid.items()},
        "curves": {name: np.round(rows.mean(axis=0), 3).tolist() for name, rows in paid.items()},
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
    `out/units`; the table of those that are done is written after each of them.
    """
    seeds = 2 if quick else SEEDS
    problems = (FOUR[3], HERD, SMALL) if quick else (*FOUR, SMALL, HERD)
    todo = [(measure, problem, k) for k in range(seeds) for problem in problems]
    todo += [(measure_rivals, problem, k) for k in range(seeds) for problem in problems]
    if not quick:
        problems = (*problems, *LARGE)
        for work in (measure, measure_rivals):
            todo += [(work, problem, k) for k in range(LARGE_SEEDS) for problem in LARGE]
    units: dict[str, dict[int, dict[str, Any]]] = {problem.name: {} for problem in problems}
    with torch_threads(1):
        for work, problem, k in todo:
            found = _unit(work, problem, k, quick=quick, out=out)
            kept = units[problem.name].setdefault(k, found)
            for name in ("means", "curves", "seconds"):
                kept[name] |= found[name]
            done = [p for p in problems if units[p.name]]
            lists = {name: list(own.values()) for name, own in units.items()}
            report(done, lists, quick=quick, out=out)
    return report(problems, lists, quick=quick, out=out, draw=True)


def _unit(
    work: Callable[..., dict[str, Any]], problem: Problem, instance: int, *, quick: bool, out: Path
) -> dict[str, Any]:
    """Return what was measured before with the same settings, or measure it."""
    label = "".join(c if c.isalnum() else "-" for c in problem.name)
    kind = "rivals-" if work is measure_rivals else ""
    path = out / "units" / f"{'quick-' * quick}{kind}{label}-{instance}.json"
    version = {"rounds": ROUNDS, "defaults": DEFAULTS, "seed": SEED, "game": problem.game}
    if path.exists():
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored.pop("version", None) == json.loads(json.dumps(version)):
            return stored
    found = work(problem, instance, quick=quick)
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
    """Return SEQUOIA's gain over the best of some policies, on each instance that has them."""
    return [
        u["means"][OURS] / max(u["means"][name] for name in over) - 1.0
        for u in units
        if all(name in u["means"] for name in over)
    ]


def mean_of(units: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return a policy's mean over the instances that have it, with how many if not all."""
    rows = [u["means"][name] for u in units if name in u["means"]]
    if not rows:
        return "–"
    part = "" if len(rows) == len(units) else f" ({len(rows)})"
    return f"{np.mean(rows):.2f}{part}"


def report(
    problems: Sequence[Problem],
    units: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    quick: bool,
    out: Path,
    draw: bool = False,
) -> Report:
    """Return table, checks and files of what was measured; `draw`: pictures too."""
    names = (*BASELINES, *DQN, BEFORE, OURS, "Lagrangian")
    rows: list[list[Any]] = []
    for problem in problems:
        own = units[problem.name]
        means = [mean_of(own, name) for name in names]
        gain, half = interval(gains(own, BASELINES))
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
    header = ["problem (instances)", *names, "bound", "over the best baseline that does not learn",
              "of the bound",
              "CPU s to learn"]  # fmt: skip
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


def _surely(pair: tuple[float, float]) -> bool | None:
    """Return whether an interval lies above zero; None where there is none."""
    return None if np.isnan(pair[1]) else pair[0] > pair[1]


def _percent(pair: tuple[float, float]) -> str:
    return f"{100 * pair[0]:+.1f}% ± {100 * pair[1]:.1f}"


def _checks(problem: Problem, own: Sequence[Mapping[str, Any]]) -> list[Check]:
    gain = interval(gains(own, BASELINES))
    over = f"{_percent(gain)}, {len(own)} instances"
    checks = []
    if problem is HERD:
        above = f"{problem.name}: above every baseline that does not learn"
        checks.append(Check(above, _surely(gain), over))
        lead = interval(gains(own, ("Lagrangian",)))
        text = f"{problem.name}: above the Lagrangian policy of independent arms"
        checks.append(Check(text, _surely(lead), _percent(lead)))
    elif problem is not SMALL:
        bar = f"{100 * problem.better:+.0f}%"
        text = f"{problem.name}: at least {bar} over baselines that do not learn"
        checks.append(Check(text, gain[0] >= problem.better, over))
    rows = gains(own, tuple(DQN))
    if rows and problem is not SMALL:
        learnt = interval(rows)
        text = f"{problem.name}: above iterative and sampled DQN"
        checks.append(Check(text, learnt[0] > 0.0, f"{_percent(learnt)}, {len(rows)} instances"))
    if problem.share is not None:
        exact = problem is SMALL
        mean = interval([u["means"][OURS] / u["exact" if exact else "bound"] for u in own])
        name = "the optimum (backward induction)" if exact else "the bound"
        text = f"{problem.name}: at least {100 * problem.share:.0f}% of {name}"
        checks.append(Check(text, mean[0] >= problem.share, _percent(mean)))
    if problem is not SMALL:
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
    for over, name in ((BASELINES, "that do not learn"), ((*BASELINES, *DQN), "of all kinds")):
        means = [np.mean(rows) for own in groups if (rows := gains(own, over))]
        text = f"at least 20% over the best baselines {name}, on average over the problems"
        if means:
            mean = float(np.mean(means))
            checks.append(Check(f"{text} (the paper: {PAPER})", mean >= 0.2, f"{100 * mean:+.1f}%"))
    return checks


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
            shares = [
                u["means"][name] / top
                for u, top in zip(own, tops, strict=True)
                if name in u["means"]
            ]
            mean, half = interval(shares) if shares else (0.0, 0.0)
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
        for number, name in enumerate(("myopic", "iterative DQN", OURS, "Lagrangian")):
            rows = [u["curves"][name] for u in own if name in u["curves"]]
            if not rows:
                continue
            curve = np.mean(rows, axis=0)
            axes.plot(np.arange(1, len(curve) + 1), curve, label=name, color=f"C{number}")
        axes.set(title=problem.name, xlabel="step", ylabel="return so far")
        if not k:
            axes.legend(fontsize=8)
    files.append(out / "returns.png")
    figure.savefig(files[1], dpi=130)
    return files


CLAIM = Reproduction("sequoia", "SEQUOIA on coupled restless bandits (Xu et al. 2025)", run)
