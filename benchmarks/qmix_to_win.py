"""CPU seconds until QMIX wins four of five battles on skirmish/3m, against PyMARL.

Ours with its own settings, PyMARL with its own (QMIX of its default configuration, ε falling
over 50,000 steps), on the same engine against the same opponent. Every 10,000 steps or so the
greedy policy plays 200 battles (PyMARL's 100), which are not counted. PyMARL is given up after
so many times our CPU time as `CAP` says, and the claim is then that it takes more than that.

    git clone https://github.com/oxwhirl/pymarl
    PYMARL_PATH=pymarl python benchmarks/qmix_to_win.py [--quick]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from _pymarl import PyMarl, find  # noqa: E402 - the path comes first
from harness import Claim, parse, report  # noqa: E402

import arena  # noqa: E402
from solvers.qmix.learner import DEFAULTS, ValueLearner  # noqa: E402
from solvers.training.networks import torch_threads  # noqa: E402

WINS, EVERY, BAR = 0.8, 10_000, 5.0
FALLING = {"epsilon_start": 1.0, "epsilon_finish": 0.05, "epsilon_anneal_time": 50_000}
CAP = {False: 20.0, True: 6.0}


def until(
    side: Any, train: Callable[[], object], wins: Callable[[], float], cap: float
) -> tuple[float, int, float]:
    """Train until enough is won or the time is up; return seconds, steps, and the last wins."""
    spent, won, seen = 0.0, 0.0, 0
    while won < WINS and spent < cap:
        start = time.process_time()
        while side.steps - seen < EVERY and spent + time.process_time() - start < cap:
            train()
        spent += time.process_time() - start
        seen, won = side.steps, wins()
    return spent, side.steps, won


def main() -> None:
    options = parse(__doc__)
    seeds = (1,) if options.quick else (1, 2, 3)
    table: list[tuple[str, int, float, int, float]] = []
    source = find()
    claims = [Claim("qmix-to-80", None, BAR, note="set PYMARL_PATH to a copy of PyMARL")]
    with torch_threads(1):
        for seed in seeds:
            ours: Any = ValueLearner(arena.make("skirmish/3m"), seed, DEFAULTS, mixer="qmix")

            def wins(learner: Any = ours) -> float:
                return float(learner.evaluate(200, 99).extra["win_rate"])

            table.append(("ours", seed, *until(ours, ours.step, wins, 600.0)))
        spent = median(row[2] for row in table)
        if source is not None:
            theirs = PyMarl(source, "skirmish/3m", 1, FALLING)
            cap = CAP[options.quick] * spent
            found = until(theirs, lambda: theirs.round(32), lambda: theirs.win_rate(100), cap)
            table.append(("PyMARL", 1, *found))
            how = "times ours" if found[2] >= WINS else "times ours, and not there yet"
            claims = [Claim("qmix-to-80", found[0] / spent, BAR, note=how)]
    report(
        claims,
        header=("QMIX on skirmish/3m", "seed", "CPU seconds", "environment steps", "wins"),
        table=table,
        path=options.json,
    )


if __name__ == "__main__":
    main()
