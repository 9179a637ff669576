"""What it costs to ask an agent in another process for a move, deadline included.

Both sides ask a child for the same moves with the same observations of connect four (legal
actions and infoset key), over pipes, one JSON line each way, and both take the child's moves
from its answers:

    arena          `Isolated` (Python agent, arena's own server in the child) with a move
                   clock, a game clock, the log emptied, and the answer's legality checked
    plain          `subprocess.Popen`, `json.dumps`, `write`, `readline`, `json.loads` with a
                   child of ten lines: no deadline, no log, no checks

Counted: CPU time of both processes together (user and system), and wall time. The bar is on
CPU time of both together; the plain link stands beside it for reference.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness import Claim, parse, report

import arena
from agents.process import Isolated, active_tier
from agents.process.supervise import below, processes
from arena.agent import Limits
from arena.game import Snapshot

BAR = 60.0

AGENT = """
class Least:
    def begin(self, game, seat, seed):
        pass

    def act(self, observation):
        return observation.actions[len(observation.key) % len(observation.actions)]

    def close(self):
        pass
"""

PLAIN = """
import json, sys
for line in sys.stdin:
    told = json.loads(line)
    actions = told["actions"]
    print(json.dumps({"action": actions[len(told["key"]) % len(actions)]}), flush=True)
"""


def child_clock(pid: int) -> Callable[[], float]:
    """Return a function that reads the CPU seconds of a process (clock_getcpuclockid(3))."""
    return lambda: time.clock_gettime((~pid << 3) | 2)


def observations(count: int) -> list[Snapshot]:
    """Return observations from random games of connect four."""
    game = arena.make("connect_four")
    found: list[Snapshot] = []
    seed = 0
    while len(found) < count:
        seed += 1
        state = game.state(seed)
        player = arena.agent("uniform")
        player.begin(game, 0, seed)
        while actors := state.actors():
            seen = state.observe(actors[0])
            found.append(Snapshot(seat=seen.seat, actions=list(seen.actions or ()), key=seen.key))
            state.step({actors[0]: player.act(seen)})
    return found[:count]


def main() -> None:
    """Measure and report."""
    options = parse(__doc__)
    if not sys.platform.startswith("linux"):
        report([Claim("process-round-trip-us", None, BAR, False, "needs Linux's process clocks")])
        return
    rounds, count = (3, 2000) if options.quick else (9, 20_000)
    seen = observations(count)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "least.py"
        file.write_text(AGENT, encoding="utf-8")
        limits = Limits(move=10.0, game=1e6)
        agent = Isolated(f"{file}:Least", limits=limits, tier="auto")
        agent.begin(arena.make("connect_four"), 0, 1)
        plain = subprocess.Popen(
            [sys.executable, "-c", PLAIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

        def ours() -> list[int]:
            return [int(agent.act(observation)) for observation in seen]

        def peer() -> list[int]:
            to, back = plain.stdin, plain.stdout
            if to is None or back is None:
                raise RuntimeError("no pipes")
            answers = []
            for observation in seen:
                told = {"seat": observation.seat, "actions": observation.actions}
                told["key"] = observation.key
                to.write(json.dumps(told).encode() + b"\n")
                to.flush()
                answers.append(json.loads(back.readline())["action"])
            return answers

        if ours() != peer():
            raise SystemExit("the two sides answer differently")
        pids = [p.pid for p in below(agent.pid or 0, processes())]
        clocks = {"arena": [child_clock(p) for p in pids], "plain": [child_clock(plain.pid)]}
        figures: dict[str, list[tuple[float, float, float]]] = {"arena": [], "plain": []}
        for _ in range(rounds):
            for name, work in (("arena", ours), ("plain", peer)):
                cpu, wall = time.process_time(), time.perf_counter()
                child = sum(clock() for clock in clocks[name])
                work()
                per = 1e6 / count
                figures[name].append(
                    (
                        (time.process_time() - cpu) * per,
                        (sum(clock() for clock in clocks[name]) - child) * per,
                        (time.perf_counter() - wall) * per,
                    )
                )
        agent.close()
        plain.stdin and plain.stdin.close()
        plain.wait()
    table = []
    totals = {}
    for name, rows in figures.items():
        parent, child, wall = (statistics.median(column) for column in zip(*rows, strict=True))
        both = [p + c for p, c, _ in rows]
        totals[name] = statistics.median(both)
        spread = f"{min(both):.1f} to {max(both):.1f}"
        table.append([name, parent, child, totals[name], spread, wall])
    report(
        [
            Claim(
                "process-round-trip-us",
                totals["arena"],
                BAR,
                higher_is_better=False,
                note=f"CPU µs of both processes, {count} requests a round, {rounds} rounds,"
                f" tier {active_tier()}; the plain link without deadline: {totals['plain']:.1f} µs",
            )
        ],
        table=table,
        header=["link", "parent CPU µs", "child CPU µs", "both", "spread", "wall µs"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
