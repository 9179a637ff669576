"""Ask the command line to make, judge and solve every registered game.

Every command must end in time with an answer, or with exit code 2 and one line that says
what is wrong; never with a traceback, a signal or silence. Each runs in a child process that
was forked from one that has imported everything, so that a sweep takes minutes, not hours.

    python -m tests.cli.sweep [NAME …] [--seconds 2] [--limit 60] [--memory 6] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Outcome", "commands", "run", "sweep"]


@dataclass(frozen=True)
class Outcome:
    """How one command ended.

    Attributes:
        command: its words.
        code: exit code, or minus the signal that ended it.
        seconds: wall time.
        output: what it printed.
        errors: what it printed to standard error.
    """

    command: tuple[str, ...]
    code: int
    seconds: float
    output: str
    errors: str

    @property
    def fault(self) -> str | None:
        """What is wrong with it, or None."""
        if "Traceback" in self.errors:
            return "a traceback"
        if self.code == -signal.SIGKILL:
            return "no answer in time"
        if self.code not in (0, 2):
            return f"exit code {self.code}"
        lines = [line for line in self.errors.splitlines() if line.strip()]
        if self.code == 2:
            told = [line for line in lines if line.startswith("error: ")]
            if len(told) != 1 or len(lines) > 2:
                return "not one line of error"
        elif not self.output.strip():
            return "no answer"
        return None


def commands(game: str, seconds: float) -> list[tuple[str, ...]]:
    """Return what is asked about a game."""
    return [
        ("make", game, "--json"),
        ("list", "solvers", "--for", game, "--json"),
        ("solve", game, "--seconds", str(seconds), "--json", "--no-tensorboard"),
    ]


def warm() -> None:
    """Import what the children need, and load the kernels."""
    import arena
    import arena.cli.main

    for solver in ("pdcfr+", "sequence_form_lp"):
        arena.solve("kuhn_poker", solver, iterations=2)
    arena.solve("rock_paper_scissors", "nash_lp")


def run(command: Sequence[str], *, limit: float, memory: int, folder: Path) -> Outcome:
    """Run one command in a forked child.

    Args:
        command: the words after `arena`.
        limit: seconds of wall time after which it is killed.
        memory: bytes of address space that it may use beyond what is there.
        folder: where it works and its output goes.
    """
    out, err = folder / "out", folder / "err"
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        _child(command, out, err, memory=memory, folder=folder)
    code = None
    while code is None and time.perf_counter() - began < limit:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.01)
    if code is None:
        os.killpg(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds = time.perf_counter() - began
    text = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    return Outcome(tuple(command), code, seconds, *text)


def _child(
    command: Sequence[str], out: Path, err: Path, *, memory: int, folder: Path
) -> None:  # pragma: no cover - in the child
    code = 1
    try:
        os.setsid()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for path, number in ((out, 1), (err, 2)):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, number)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.chdir(folder)
        from arena.cli import main

        try:
            main(list(command))
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def sweep(
    games: Sequence[str], *, seconds: float = 2.0, limit: float = 60.0, memory: int = 6 << 30
) -> Iterator[Outcome]:
    """Yield how every command about every game ended."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["ARENA_CACHE"] = str(Path(name) / "cache")
        warm()
        for game in games:
            for command in commands(game, seconds):
                yield run(command, limit=limit, memory=memory, folder=Path(name))


def main() -> None:
    """Sweep, print what is wrong, and exit with the number of faults, at most 1."""
    parser = argparse.ArgumentParser(description="sweep all games")
    parser.add_argument("games", nargs="*")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--memory", type=float, default=6.0, help="GiB")
    parser.add_argument("--json", default="")
    chosen = parser.parse_args()
    import arena

    outcomes, faults = [], 0
    for one in sweep(
        chosen.games or arena.games(),
        seconds=chosen.seconds,
        limit=chosen.limit,
        memory=int(chosen.memory * (1 << 30)),
    ):
        outcomes.append(one)
        told = one.errors.strip().splitlines()[-1:] or [""]
        line = f"{one.seconds:6.1f} s  {one.code:3d}  arena {' '.join(one.command)}  {told[0]}"
        if one.fault:
            faults += 1
            line = f"{line}\n    FAULT: {one.fault}\n{one.errors[-2000:]}"
        print(line, flush=True)
        if chosen.json:
            Path(chosen.json).write_text(json.dumps([asdict(o) for o in outcomes], indent=1))
    print(f"{len(outcomes)} commands, {faults} faults")
    sys.exit(min(1, faults))


if __name__ == "__main__":
    main()
