"""Coverage of the 95% intervals over simulated tournaments whose truth is known.

Twenty agents, 2000 matches, with and without draws and first-seat advantage; besides, the
simultaneous coverage of rank intervals, and matches of four seats, where the comparisons
of one match depend on each other.
"""

from __future__ import annotations

import numpy as np
from harness import Claim, parse, report

from tournaments.ratings.davidson import ELO, davidson
from tournaments.records import ResultSet

AGENTS, MATCHES = 20, 2000


def results_of(seating: np.ndarray, payoffs: np.ndarray) -> ResultSet:
    """Wrap arrays of one game."""
    rows, seats = seating.shape
    return ResultSet(
        [f"a{k}" for k in range(AGENTS)],
        ["g"],
        np.zeros(rows, np.int32),
        seating.astype(np.int32),
        payoffs,
        np.full(rows, -1, np.int8),
        np.ones(rows, np.int64),
        False,
        [tuple(range(seats))],
        [False],
    )


def duels(rng: np.random.Generator, nu: float, advantage: float) -> tuple[np.ndarray, ResultSet]:
    """Return truth and results of two-seat matches."""
    strength = rng.normal(size=AGENTS)
    first = rng.integers(AGENTS, size=MATCHES)
    second = (first + rng.integers(1, AGENTS, size=MATCHES)) % AGENTS
    win = np.exp((strength[first] - strength[second] + advantage) / 2)
    u = rng.random(MATCHES) * (win + nu + 1 / win)
    paid = np.where(u < win, 1.0, np.where(u < win + nu, 0.0, -1.0))
    return strength, results_of(np.stack([first, second], 1), np.stack([paid, -paid], 1))


def fours(rng: np.random.Generator) -> tuple[np.ndarray, ResultSet]:
    """Return truth and results of matches of four by Plackett and Luce's model."""
    strength = rng.normal(size=AGENTS)
    seating = np.argsort(rng.random((MATCHES // 4, AGENTS)), axis=1)[:, :4]
    return strength, results_of(seating, strength[seating] + rng.gumbel(size=seating.shape))


def coverage(make: object, runs: int) -> tuple[float, float]:
    """Return the coverage of intervals, and how often all rank intervals held."""
    hits, ranks = [], []
    for run in range(runs):
        strength, results = make(np.random.default_rng(run))  # type: ignore[operator]
        truth = ELO * (strength - strength.mean())
        board = davidson(results)
        place = {f"a{k}": rank for rank, k in enumerate(np.argsort(-truth), start=1)}
        value = dict(zip(results.agents, truth, strict=True))
        hits.append(np.mean([row.low <= value[row.agent] <= row.high for row in board.rows]))
        ranks.append(all(r.rank_low <= place[r.agent] <= r.rank_high for r in board.rows))
    return float(np.mean(hits)), float(np.mean(ranks))


def main() -> None:
    """Run the benchmark."""
    options = parse(__doc__)
    runs = 40 if options.quick else 400
    cases = {
        "no draws, no advantage": lambda rng: duels(rng, 0.0, 0.0),
        "draws": lambda rng: duels(rng, 0.6, 0.0),
        "advantage of 40 Elo": lambda rng: duels(rng, 0.0, 0.23),
        "draws and advantage": lambda rng: duels(rng, 0.6, 0.23),
        "matches of four seats": fours,
    }
    table = [(name, *coverage(make, runs)) for name, make in cases.items()]
    furthest = max(abs(row[1] - 0.95) for row in table)
    report(
        [
            Claim("rank-intervals-hold-together", min(row[2] for row in table), 0.95),
            Claim(
                "rating-coverage",
                furthest,
                0.02,
                False,
                note=f"largest distance from 0.95 over {len(table)} kinds, {runs} tournaments each",
            ),
        ],
        table=table,
        header=("tournaments", "coverage of 95% intervals", "all rank intervals hold"),
        path=options.json,
    )


if __name__ == "__main__":
    main()
