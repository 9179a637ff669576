"""Whatever an agent does wrong is named rightly, costs little time and leaves nothing behind.

Eight sins (raise, exit, loop, sleep, a gigabyte, an illegal move, a flood of output, a fork
bomb) are committed again and again in the first move of Kuhn poker, each in every sandbox
tier that works here. Counted: whether the fault has the right kind and carries the agent's
log; the seconds from the sin until everything is cleared away (for the clocks: beyond the
clock); processes that are left. There is no peer to compare with: the libraries measured
stop, hang or lose the tournament on these.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import Claim, parse, report

import arena
from agents.process import TIERS, Isolated, obstacle
from agents.process.supervise import below, processes
from arena.agent import Limits
from arena.errors import AgentFaultError

MOVE = 0.5
MARK = "the log of a sinner"

CODE = f"""
import os, sys, time

class Base:
    def begin(self, game, seat, seed):
        print({MARK!r})
    def close(self):
        pass

class Raise(Base):
    def act(self, observation):
        raise ValueError("no idea")

class Exit(Base):
    def act(self, observation):
        os._exit(3)

class Loop(Base):
    def act(self, observation):
        while True:
            pass

class Sleep(Base):
    def act(self, observation):
        time.sleep(3600)

class Gigabyte(Base):
    def act(self, observation):
        hoard = [b"x" * (1 << 24) for _ in range(64)]
        time.sleep(3600)

class Illegal(Base):
    def act(self, observation):
        return 99

class Spam(Base):
    def act(self, observation):
        while True:
            print("spam " * 200)

class ForkBomb(Base):
    def act(self, observation):
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.01)
"""

SINS = {
    "Raise": "exception",
    "Exit": "exit",
    "Loop": "move time",
    "Sleep": "move time",
    "Gigabyte": "memory",
    "Illegal": "illegal",
    "Spam": "output",
    "ForkBomb": "processes",
}


def marked(mark: str) -> int:
    """Return how many processes of the system carry a mark in their environment, or descend."""
    found = {process.pid for process in below(os.getpid(), processes())}
    for pid in processes():
        try:
            if pid != os.getpid() and mark.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.add(pid)
        except OSError:
            continue
    return len(found)


def main() -> None:
    """Measure and report."""
    options = parse(__doc__)
    repeats = 2 if options.quick else 10
    mark = f"{os.getpid()}-{time.time_ns()}"
    os.environ["TERM"] = mark  # a variable that reaches the agent in every tier
    game = arena.make("kuhn_poker")
    table = []
    right = total = leaked = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sins.py"
        file.write_text(CODE, encoding="utf-8")
        for tier in TIERS:
            problem = obstacle(tier)
            if problem is not None:
                table.append([tier, "-", "-", "-", "-", problem])
                continue
            for sin, kind in SINS.items():
                # The gigabyte is watched at intervals outside `rlimits`, so give it time.
                move = 10.0 if sin in ("Gigabyte", "ForkBomb") else MOVE
                limits = Limits(move=move, memory=700 << 20, output=100_000)
                agent = Isolated(f"{file}:{sin}", limits=limits, tier=tier)
                kinds, seconds = [], []
                for seed in range(repeats):
                    state = game.state(seed)
                    agent.begin(game, 0, seed)
                    start = time.perf_counter()
                    try:
                        agent.act(state.observe(0))
                        kinds.append("none")
                    except AgentFaultError as fault:
                        logged = MARK in fault.log or (sin == "Spam" and "spam" in fault.log)
                        kinds.append(fault.kind if logged else f"{fault.kind} (no log)")
                    spent = time.perf_counter() - start
                    seconds.append(spent - MOVE if kind == "move time" else spent)
                    leaked += marked(mark)
                agent.close()
                total += repeats
                good = kinds.count(kind)
                right += good
                said = ", ".join(sorted(set(kinds)))
                worst, middle = max(seconds), statistics.median(seconds)
                table.append([tier, sin, said, f"{good}/{repeats}", middle, worst])
    print(f"{total} sins, {right} named rightly, {leaked} processes left", file=sys.stderr)
    report(
        [
            Claim("faults-leaked-processes", float(leaked), 0.0, False),
            Claim("faults-named-rightly", right / total, 1.0, note=f"{right} of {total}"),
        ],
        table=table,
        header=["tier", "sin", "kind", "right", "median s lost", "worst s lost"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
