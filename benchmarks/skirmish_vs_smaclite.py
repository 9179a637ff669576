"""Battle decisions per CPU second against SMAClite (numpy) on 2s3z, mode `smac`.

Random legal actions for the allies, observations, masks and the state vector at every
decision, new episodes as they end; one environment there (it has no batches), 64 here, one
thread each. The two engines are not the same (SMAClite avoids collisions by ORCA), so what
is compared before timing are the sizes of observations, states and action sets.

SMAClite is not on PyPI and wants an environment of its own, named by SMACLITE_PYTHON:

    python -m venv lite && lite/bin/pip install numpy gymnasium scikit-learn pygame Rtree
    lite/bin/pip install --no-deps git+https://github.com/uoe-agents/smaclite
    SMACLITE_PYTHON=lite/bin/python python benchmarks/skirmish_vs_smaclite.py [--quick]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from _skirmish import Ours, Peer  # noqa: E402 - the path comes first
from harness import Claim, Measured, parse, report  # noqa: E402

BAR = 1000.0

CHILD = """
import json, random, sys, time
from smaclite.env import SMACliteEnv
from smaclite.env.maps.map import MapPreset

env = SMACliteEnv(map_info=MapPreset.MAP_2S3Z.map_info)
rng = random.Random(0)
obs, _ = env.reset(seed=0)
limit, length = 120, 0
for line in sys.stdin:
    steps = json.loads(line)["steps"]
    start = time.process_time()
    for _ in range(steps):
        actions = []
        for mask in env.get_avail_actions():
            actions.append(rng.choice([a for a, fine in enumerate(mask) if fine]))
        obs, reward, done, _, _ = env.step(actions)
        state = env.get_state()
        length += 1
        if done or length >= limit:
            obs, _ = env.reset()
            length = 0
    spent = time.process_time() - start
    told = {"spent": spent, "sizes": [len(obs[0]), len(state), env.n_actions]}
    print(json.dumps({"answer": told}), file=sys.stderr, flush=True)
"""


def main() -> None:
    options = parse(__doc__)
    python = os.environ.get("SMACLITE_PYTHON")
    if not python:
        note = "SMAClite is not installed; the docstring says how to get it"
        report([Claim("skirmish-vs-smaclite", None, BAR, note=note)], path=options.json)
        return
    steps, theirs, rounds = (300, 20, 2) if options.quick else (1500, 200, 5)
    peer, ours = Peer(python, CHILD), Ours("2s3z", 64)
    ours.play(2)
    sizes = [ours.battles.obs.shape[2], ours.battles.state.shape[1], ours.battles.avail.shape[2]]
    told = peer.ask(steps=2)
    if told["sizes"] != sizes:
        raise SystemExit(f"sizes {sizes} here, {told['sizes']} there")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        start = time.process_time()
        ours.play(steps)
        times[0].append((time.process_time() - start) / (steps * 64))
        times[1].append(peer.ask(steps=theirs)["spent"] / theirs)
    peer.close()
    measured = Measured(*times)
    report(
        [Claim("skirmish-vs-smaclite", measured.ratio, BAR)],
        header=("side", "decisions/CPU s (median)"),
        table=[("arena", 1 / median(times[0])), ("smaclite", 1 / median(times[1]))],
        path=options.json,
    )


if __name__ == "__main__":
    main()
