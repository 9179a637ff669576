"""Kills at random moments: acknowledged results lost, results doubled, tables that differ.

A tournament is run and resumed until it is complete, while the runner or one of its workers
is killed (SIGKILL) again and again. For 1, 2 and 4 workers; the table must be byte for byte
that of an undisturbed run.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness
import psutil

from tournaments.api import export, run, status
from tournaments.spec import ExecutorSpec

BAR = 20
SPEC = """
[tournament]
name = "durability"
seed = 1
repetitions = {repetitions}
[[games]]
id = "connect_four"
[[agents]]
name = "a"
ref = "uniform"
[[agents]]
name = "b"
ref = "uniform"
[[agents]]
name = "c"
ref = "first_legal"
[executor]
workers = {workers}
"""
RUNNER = """
import sys
sys.path[:] = {path!r}
from tournaments.api import run
run({spec!r}, db={db!r}, resume=True, progress=lambda p: print(p.done, flush=True))
print("complete", flush=True)
"""


def _table(db: Path) -> bytes:
    out = db.with_suffix(".csv")
    export(db, out)
    return out.read_bytes()


def _disturbed(spec: Path, db: Path, rng: random.Random, kills: int) -> tuple[int, int]:
    """Play under fire; return the kills and how many acknowledged results were missing."""
    done = acknowledged = lost = 0
    while True:
        code = RUNNER.format(path=sys.path, spec=str(spec), db=str(db))
        runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        while done < kills and runner.poll() is None:
            time.sleep(rng.uniform(0.05, 0.6))
            if runner.poll() is not None:
                break
            workers = psutil.Process(runner.pid).children()
            done += 1
            if workers and rng.random() < 0.5:
                rng.choice(workers).kill()
            else:
                runner.kill()
                break
        said, _ = runner.communicate()
        figures = [int(word) for word in said.split() if word.isdigit()]
        acknowledged = max([acknowledged, *figures])
        if db.exists():
            lost += max(acknowledged - status(db).done, 0)
        if "complete" in said:
            return done, lost


def main() -> None:
    """Kill, resume, compare."""
    options = harness.parse(__doc__)
    rng = random.Random(1)
    rows, kills, wrong = [], 0, 0
    for workers in (1, 2, 4):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            spec = folder / "cup.toml"
            repetitions = 10_000 if options.quick else 40_000
            spec.write_text(SPEC.format(repetitions=repetitions, workers=workers))
            run(spec, db=folder / "calm.db", executor=ExecutorSpec("in_process"))
            done, lost = _disturbed(spec, folder / "shot.db", rng, 4 if options.quick else 10)
            shot, calm = _table(folder / "shot.db"), _table(folder / "calm.db")
            keys = [row.split(b",", 1)[0] for row in shot.splitlines()[1:]]
            doubled = len(keys) - len(set(keys))
            kills += done
            wrong += lost + doubled + (shot != calm)
            rows.append([workers, len(keys), done, lost, doubled, shot == calm])
    harness.report(
        [
            harness.Claim("durability-kills", float(kills), BAR if not options.quick else 6),
            harness.Claim("durability-lost-doubled-or-different", float(wrong), 0.0, False),
        ],
        table=rows,
        header=["workers", "matches", "kills", "lost", "doubled", "table identical"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
