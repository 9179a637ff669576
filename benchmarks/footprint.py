"""What arena costs before anything is played: CPU seconds of its import, memory of workers.

1. `import arena` in a fresh interpreter, less what the bare interpreter takes.
2. The memory of two worker processes that play kuhn_poker (proportional set size, so that
   shared pages count once), less that of two bare processes that have loaded the game.

    python benchmarks/footprint.py [--quick] [--json FILE]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from harness import Claim, alternate, parse, report  # noqa: E402 - the path comes first

ROOT = Path(__file__).resolve().parents[1]
BARE = "import pyspiel; game = pyspiel.load_game('kuhn_poker'); print(flush=True); input()"


def run_code(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pss(pid: int) -> int:
    """Return the proportional set size of a process, bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def bare_memory() -> int:
    """Return the memory of two bare processes that have loaded the game."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in started:
        process.stdout.readline()  # type: ignore[union-attr] # it was opened as a pipe
    found = sum(pss(process.pid) for process in started)
    for process in started:
        process.communicate(b"\n")
    return found


def worker_memory(repetitions: int) -> int:
    """Return the greatest memory of the two workers of a tournament."""
    import arena

    me = threading.main_thread().native_id
    seen = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            try:
                text = Path(f"/proc/self/task/{me}/children").read_text(encoding="utf-8")
                seen.append(sum(pss(int(pid)) for pid in text.split()))
            except (OSError, ValueError):
                continue  # a worker came or went

    watcher = threading.Thread(target=watch)
    watcher.start()
    arena.tournament(
        games=["kuhn_poker"],
        agents={"a": "uniform", "b": "first_legal"},
        repetitions=repetitions,
        seed=1,
        workers=2,
    )
    over.set()
    watcher.join()
    return max(seen)


def main() -> None:
    options = parse(__doc__)
    rounds = 3 if options.quick else 9
    measured = alternate(
        lambda: run_code("import arena"), lambda: run_code(""), rounds=rounds, clock=children_cpu
    )
    seconds = median(o - p for o, p in zip(measured.ours, measured.peer, strict=True))
    memory: float | None = None
    note = "no /proc here"
    if Path("/proc/self/smaps_rollup").exists():
        workers = worker_memory(100_000 if options.quick else 300_000)
        bare = bare_memory()
        memory = (workers - bare) / 2**20
        note = f"{workers / 2**20:.0f} MiB, of which the game needs {bare / 2**20:.0f}"
    report(
        [
            Claim("import-arena-cpu-seconds", seconds, 0.3, higher_is_better=False),
            Claim("two-workers-mib", memory, 100.0, higher_is_better=False, note=note),
        ],
        path=options.json,
    )


if __name__ == "__main__":
    main()
