"""CPU seconds until QMIX wins four of five battles on 3m, against PyMARL and JaxMARL.

Ours with its own settings, PyMARL with its own (QMIX of its default configuration, ε falling
over 50,000 steps), on the same engine against the same opponent. Every 10,000 steps or so the
greedy policy plays 200 battles (PyMARL's 100), which are not counted. JaxMARL plays the same units
in SMAX, which differs in what is observed and paid; of its settings those are changed that make it
quicker here (see `_jaxmarl_qmix`), its compilation is not counted, its evaluations of 100 battles
every 20,000 steps are. A peer is given up after so many times our CPU time as `CAP` says, and the
claim is then that it takes more than that.

    git clone https://github.com/oxwhirl/pymarl; git clone https://github.com/FLAIROx/JaxMARL
    python -m venv smax && smax/bin/pip install "jax[cpu]" jaxmarl==0.2.0 flashbax hydra-core \
        wandb pyyaml six
    PYMARL_PATH=pymarl JAXMARL_PATH=JaxMARL JAXMARL_PYTHON=smax/bin/python \
        python benchmarks/qmix_to_win.py [--quick]
"""

from __future__ import annotations

import json
import os
import subprocess
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


Row = tuple[str, int, float, int, float]


def ours(seed: int) -> Row:
    """Train ours until it wins."""
    learner: Any = ValueLearner(arena.make("skirmish/3m"), seed, DEFAULTS, mixer="qmix")

    def wins() -> float:
        return float(learner.evaluate(200, 99).extra["win_rate"])

    return ("ours, skirmish/3m", seed, *until(learner, learner.step, wins, 600.0))


def pymarl(source: Path, cap: float) -> Row:
    """Train PyMARL until it wins or the time is up."""
    theirs = PyMarl(source, "skirmish/3m", 1, FALLING)
    found = until(theirs, lambda: theirs.round(32), lambda: theirs.win_rate(100), cap)
    return ("PyMARL, skirmish/3m", 1, *found)


def jaxmarl(python: str, source: str, cap: float) -> Row:
    """Train JaxMARL, in a process on one thread, until it wins or the time is up."""
    one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    child = subprocess.Popen(
        [python, str(Path(__file__).with_name("_jaxmarl_qmix.py")), source, "3m", "2000000"],
        env=os.environ | {"XLA_FLAGS": one, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        text=True,
    )
    spent, steps, won = 0.0, 0, 0.0
    try:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("["):
                spent, steps, won = json.loads(line)
            if won >= WINS or spent >= cap:
                break
        else:
            raise SystemExit("JaxMARL's training ended early; its messages are above")
    finally:
        child.kill()
        child.wait()
    return ("JaxMARL, SMAX 3m", 1, spent, steps, won)


def judged(name: str, spent: float, theirs: Row) -> Claim:
    """Return what the peer's time says, beside ours."""
    how = "times ours" if theirs[4] >= WINS else "times ours, and not there yet"
    return Claim(name, theirs[2] / spent, BAR, note=how)


def main() -> None:
    options = parse(__doc__)
    seeds = (1,) if options.quick else (1, 2, 3)
    source = find()
    python, jax = os.environ.get("JAXMARL_PYTHON"), os.environ.get("JAXMARL_PATH")
    claims: list[Claim] = []
    with torch_threads(1):
        table = [ours(seed) for seed in seeds]
        spent = median(row[2] for row in table)
        cap = CAP[options.quick] * spent
        if source is None:
            claims.append(Claim("qmix-to-80", None, BAR, note="set PYMARL_PATH"))
        else:
            table.append(pymarl(source, cap))
            claims.append(judged("qmix-to-80", spent, table[-1]))
        if python is None or jax is None:
            note = "set JAXMARL_PYTHON and JAXMARL_PATH"
            claims.append(Claim("qmix-to-80-jaxmarl", None, BAR, note=note))
        else:
            table.append(jaxmarl(python, jax, cap))
            claims.append(judged("qmix-to-80-jaxmarl", spent, table[-1]))
    report(
        claims,
        header=("QMIX", "seed", "CPU seconds", "environment steps", "wins"),
        table=table,
        path=options.json,
    )


if __name__ == "__main__":
    main()
