"""Battle decisions per second (wall clock), two threads against one, batch 1024 on 2s3z.

Random legal actions, observations, masks, states and restarts included. Both sides are the
same class with the same seed: before timing, what they hold after the same actions is
compared bit for bit.

    python benchmarks/skirmish_two_cores.py [--quick]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from _skirmish import Ours  # noqa: E402 - the path comes first
from harness import Claim, alternate, machine, parse, report  # noqa: E402

BAR = 1.8


def main() -> None:
    options = parse(__doc__)
    steps, rounds = (20, 3) if options.quick else (100, 7)
    one, two = (Ours("2s3z", 1024, threads=threads, mode="smax") for threads in (1, 2))
    for side in (one, two):
        side.play(50)
    for name in ("obs", "state", "avail", "reward"):
        if (getattr(one.battles, name) != getattr(two.battles, name)).any():
            raise SystemExit(f"{name} differs between one thread and two")
    measured = alternate(
        lambda: two.play(steps), lambda: one.play(steps), rounds=rounds, clock=time.perf_counter
    )
    report(
        [Claim("skirmish-two-cores", measured.ratio, BAR, note=f"wall clock, {machine()}")],
        header=("threads", "decisions/s (median)"),
        table=[
            (1, 1024 * steps / median(measured.peer)),
            (2, 1024 * steps / median(measured.ours)),
        ],
        path=options.json,
    )


if __name__ == "__main__":
    main()
