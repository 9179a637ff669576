"""QMIX training on skirmish/3m: environment steps per CPU second, playing and updates included.

Against two peers on the same engine, in turns, with the same network (GRU of 64, mixer of 32,
hypernetworks of 64), 32 episodes a batch, one update an episode, double Q; all play is random
(ε = 1), so that episodes are alike.

- PyMARL itself, where `PYMARL_PATH` names a copy of it (`_pymarl.py`): its runner, replay,
  controller and learner, one-step targets. It takes RMSprop, we Adam.
- a loop in its manner (`_pymarl_loop.py`), with TD(λ) and Adam; before timing its losses and
  gradients are compared with ours on the same episodes.

Each side makes its float32 products as it does in use: ours by oneDNN where that is exact,
theirs by what torch takes by default. Another claim is how fast `arena train skirmish/3m
--solver qmix` is with its own settings, and with a GRU instead.

    git clone https://github.com/oxwhirl/pymarl
    PYMARL_PATH=pymarl python benchmarks/qmix_training.py [--quick]
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
from _pymarl_loop import SHARED, Loop, check_equal  # noqa: E402
from harness import Claim, Measured, parse, report  # noqa: E402

import arena  # noqa: E402
from solvers.qmix.learner import DEFAULTS, ValueLearner  # noqa: E402
from solvers.training.networks import torch_threads  # noqa: E402

EXPLORE = {"epsilon_start": 1.0, "epsilon_finish": 1.0, "epsilon_anneal_time": 1}


def fresh(seed: int, **settings: Any) -> ValueLearner:
    """Return a learner on 3m."""
    return ValueLearner(arena.make("skirmish/3m"), seed, {**DEFAULTS, **settings}, mixer="qmix")


def rate(learner: ValueLearner, rounds: int) -> float:
    """Return environment steps per CPU second."""
    learner.step()
    steps, start = learner.steps, time.process_time()
    for _ in range(rounds):
        learner.step()
    return (learner.steps - steps) / (time.process_time() - start)


def in_turns(
    ours: ValueLearner, peer: Callable[[int], int], *, rounds: int, episodes: int
) -> Measured:
    """Return CPU seconds a step of both."""
    for _ in range(2):
        ours.step()
        peer(episodes)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        start, before = time.process_time(), ours.steps
        ours.step()
        times[0].append((time.process_time() - start) / (ours.steps - before))
        start = time.process_time()
        steps = peer(episodes)
        times[1].append((time.process_time() - start) / steps)
    return Measured(*times)


def main() -> None:
    options = parse(__doc__)
    rounds, episodes = (5, 32) if options.quick else (9, 64)
    size = {"episodes": episodes, "updates": episodes}
    table: list[tuple[str, float]] = []
    claims: list[Claim] = []
    peers: list[tuple[str, str, Callable[[int], int] | None, float]] = []
    source = find()
    with torch_threads(1):
        real = None if source is None else PyMarl(source, "skirmish/3m", 1, EXPLORE).round
        peers.append(("qmix-vs-pymarl", "PyMARL", real, 0.0))
        check_equal(3)
        loop = Loop(1).round
        peers.append(("qmix-vs-pymarl-loop", "a loop in PyMARL's manner", loop, SHARED["trace"]))
        for name, peer_name, peer, trace in peers:
            if peer is None:
                claims.append(Claim(name, None, 5.0, note="set PYMARL_PATH to a copy of PyMARL"))
                continue
            ours = fresh(1, **{**SHARED, **size, "trace": trace})
            measured = in_turns(ours, peer, rounds=rounds, episodes=episodes)
            table.append((f"{peer_name}, an update an episode", 1 / median(measured.peer)))
            table.append(("the same hyperparameters here", 1 / median(measured.ours)))
            spread = f"rounds {min(measured.ratios):.2f} to {max(measured.ratios):.2f}"
            claims.append(Claim(name, measured.ratio, 5.0, note=spread))
        own: dict[str, dict[str, Any]] = {
            "own settings (an update every 4 episodes), perceptron of 64": {},
            "own settings, GRU of 64": {"network": "gru"},
        }
        table += [(name, rate(fresh(2, **more), 2 * rounds)) for name, more in own.items()]
    for name, (_, found) in zip(
        ("qmix-training-rate", "qmix-training-rate-gru"), table[-2:], strict=True
    ):
        claims.append(Claim(name, found, 3000, note="steps per CPU second"))
    report(
        claims,
        header=("training of QMIX on skirmish/3m", "environment steps per CPU second"),
        table=table,
        path=options.json,
    )


if __name__ == "__main__":
    main()
