"""Two worker processes against one, wall time, for games of more than a millisecond.

The games are Go on 19 by 19 between uniform players, a few milliseconds each. Needs two idle
cores: where fewer are free the ratio tells of the machine, not of the runner, so the speed-up
that two bare processes reach on the same work is printed beside it.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time

import harness

from tournaments.api import run
from tournaments.match import Player
from tournaments.plan import Segment, make_plan
from tournaments.schedule import make_lines
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec

BAR = 1.8


def _spec(repetitions: int, workers: int) -> Spec:
    return Spec(
        name="two-workers",
        games=(GameSpec("openspiel/go", {"board_size": 19}),),
        agents=(AgentSpec("a", "uniform"), AgentSpec("b", "uniform")),
        seed=1,
        schedule=ScheduleSpec("round_robin", repetitions=repetitions),
        executor=ExecutorSpec("processes", workers),
    )


def _wall(repetitions: int, workers: int) -> float:
    """Return the wall seconds of a tournament, less those of one of two matches."""
    times = []
    for count in (1, repetitions):
        start = time.perf_counter()
        run(_spec(count, workers))
        times.append(time.perf_counter() - start)
    return times[1] - times[0]


def _half(repetitions: int) -> None:
    spec = _spec(repetitions, 1)
    plan = make_plan(spec, seed=1)
    line = make_lines(spec, plan)[0]
    Player(plan).play(Segment(line.key, 0, line.seating, line.seed, 0, repetitions))


def _bare(repetitions: int) -> float:
    """Return the speed-up of two processes that share nothing over one after the other."""
    context = multiprocessing.get_context("fork")
    walls = []
    for together in (False, True):
        start = time.perf_counter()
        running = []
        for _ in range(2):
            process = context.Process(target=_half, args=(repetitions,))
            process.start()
            running.append(process)
            if not together:
                process.join()
        for process in running:
            process.join()
        walls.append(time.perf_counter() - start)
    return walls[0] / walls[1]


def main() -> None:
    """Measure and report."""
    options = harness.parse(__doc__)
    repetitions = 60 if options.quick else 600
    one, two = run(_spec(20, 1)).results, run(_spec(20, 2)).results
    assert one.payoffs.tolist() == two.payoffs.tolist()
    assert one.count.tolist() == two.count.tolist()
    rows = []
    for _ in range(5):
        single, double = _wall(repetitions, 1), _wall(repetitions, 2)
        rows.append([single, double, single / double, _bare(repetitions)])
    each = statistics.median(row[0] for row in rows) / (2 * repetitions) * 1e3
    harness.report(
        [
            harness.Claim(
                "two-workers-over-one",
                statistics.median(row[2] for row in rows),
                BAR,
                note=f"{each:.3g} ms a match; two bare processes reach "
                f"{statistics.median(row[3] for row in rows):.3g}",
            )
        ],
        table=rows,
        header=["one worker s", "two workers s", "speed-up", "two bare processes"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
