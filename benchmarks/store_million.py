"""A million results stored, and read back for the leaderboard; wall and CPU seconds.

100 agents, every pair in both seat orders, about 101 matches of each seating: 1e6 results of
kuhn_poker, played by two workers into a result file, and then loaded as a `ResultSet`, the
input of every rating. The peer figure is a plain table with a row a match in SQLite.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path

import harness

from tournaments.api import load_results, run
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec

STORE_BAR, SHOW_BAR = 30.0, 1.0


def _rows(db: Path, results: int) -> tuple[float, float]:
    """Store and read as many rows in the plainest way; return the seconds of both."""
    start = time.perf_counter()
    plain = sqlite3.connect(db)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute("CREATE TABLE result (id INTEGER PRIMARY KEY, a INT, b INT, x REAL, y REAL)")
    for first in range(0, results, 100):
        with plain:
            plain.executemany(
                "INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?, ?)",
                [(i, i % 100, i % 99, 1.0, -1.0) for i in range(first, first + 100)],
            )
    stored = time.perf_counter() - start
    start = time.perf_counter()
    plain.execute("SELECT a, b, x, y, COUNT(*) FROM result GROUP BY 1, 2, 3, 4").fetchall()
    shown = time.perf_counter() - start
    plain.close()
    return stored, shown


def main() -> None:
    """Measure and report."""
    options = harness.parse(__doc__)
    wanted, agents = (100_000, 32) if options.quick else (1_000_000, 100)
    repetitions = -(-wanted // (agents * (agents - 1)))
    spec = Spec(
        name="million",
        games=(GameSpec("kuhn_poker"),),
        agents=tuple(AgentSpec(f"agent {i:02}", "uniform") for i in range(agents)),
        seed=1,
        schedule=ScheduleSpec("round_robin", repetitions=repetitions),
        executor=ExecutorSpec("processes", 2),
        record="none",
    )
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "million.db"
        start = time.perf_counter()
        total = run(spec, db=db).total
        stored = time.perf_counter() - start
        shown = []
        for _ in range(5):
            start = time.perf_counter()
            results = load_results(db)
            shown.append(time.perf_counter() - start)
        assert len(results) == total >= wanted
        size = db.stat().st_size / 1e6
        plain_stored, plain_shown = _rows(Path(folder) / "plain.db", total)
        plain_size = (Path(folder) / "plain.db").stat().st_size / 1e6
    show = sorted(shown)[2]
    scale = 1_000_000 / total
    harness.report(
        [
            harness.Claim("store-a-million-s", stored * scale, STORE_BAR, False),
            harness.Claim("show-a-million-s", show * scale, SHOW_BAR, False),
        ],
        table=[
            ["arena (played and stored)", total, stored, show, size],
            ["plain rows (stored only)", total, plain_stored, plain_shown, plain_size],
        ],
        header=["", "results", "store s", "show s", "MB"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
