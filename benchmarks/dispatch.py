"""What sending matches to a worker process and storing their results costs, CPU µs a game.

One worker plays kuhn_poker, the shortest of games. The cost is the CPU time of the parent
(schedule, tasks, results, storage) plus that of the worker, less the CPU time that the
same matches take the same player in one process without any dispatch or storage.
Process start and imports are measured apart, by a tournament of two matches.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import harness

from tournaments.api import load_results, run
from tournaments.match import Player
from tournaments.plan import Segment, make_plan
from tournaments.schedule import make_lines
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec

BAR = 5.0


def _spec(repetitions: int) -> Spec:
    agents = tuple(AgentSpec(f"a{i}", "uniform") for i in range(6))
    return Spec(
        name="dispatch",
        games=(GameSpec("kuhn_poker"),),
        agents=agents,
        seed=1,
        schedule=ScheduleSpec("round_robin", repetitions=repetitions),
        executor=ExecutorSpec("processes", 1),
    )


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _dispatched(repetitions: int) -> float:
    start = _cpu()
    run(_spec(repetitions))
    return _cpu() - start


def _alone(repetitions: int) -> float:
    spec = _spec(repetitions)
    plan = make_plan(spec, seed=1)
    lines = make_lines(spec, plan)
    player = Player(plan)
    start = time.process_time()
    for line in lines:
        player.play(Segment(line.key, 0, line.seating, line.seed, 0, line.count))
    return time.process_time() - start


def _check() -> None:
    spec = _spec(50)
    with tempfile.TemporaryDirectory() as folder:
        tables = []
        for kind in ("in_process", "processes"):
            db = Path(folder) / f"{kind}.db"
            run(replace(spec, executor=ExecutorSpec(kind, 1)), db=db)
            tables.append(load_results(db, ordered=True).payoffs.tolist())
    assert tables[0] == tables[1]


def main() -> None:
    """Measure and report."""
    options = harness.parse(__doc__)
    _check()
    repetitions = 4_000 if options.quick else 12_000
    matches = 30 * repetitions
    costs, rows = [], []
    for _ in range(5):
        start_up = _dispatched(1)
        sent, alone = _dispatched(repetitions), _alone(repetitions)
        costs.append((sent - start_up - alone) / matches * 1e6)
        rows.append([start_up, sent, alone, costs[-1]])
    harness.report(
        [harness.Claim("dispatch-us-a-game", statistics.median(costs), BAR, False)],
        table=rows,
        header=["start-up CPU s", f"{matches} games CPU s", "undispatched CPU s", "µs a game"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
