"""Games until the best of thirty agents is named with 80% probability.

Top-two Thompson sampling against uniformly random pairs, both judged by the leader of the
default rating; true strengths are normal with a spread of 174 Elo.
"""

from __future__ import annotations

import numpy as np
from harness import Claim, parse, report

from tournaments.adaptive import next_pairs
from tournaments.ratings.davidson import fit
from tournaments.ratings.tally import Tally, tally
from tournaments.records import ResultSet

AGENTS, BATCH = 30, 30
NAMES = [f"a{k}" for k in range(AGENTS)]


def season(seed: int, matches: int, *, adaptive: bool) -> list[bool]:
    """Return after each batch whether the leader is the true best."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(size=AGENTS)
    # Folded as they come: wins, draws, losses by ordered pair.
    counts = np.zeros((AGENTS, AGENTS, 3), np.int64)
    data: Tally | None = None
    right = []
    for _ in range(matches // BATCH):
        if adaptive:
            pairs = np.array(
                [
                    (int(a[1:]), int(b[1:]))
                    for a, b in next_pairs(data, goal="best", batch=BATCH, rng=rng, agents=NAMES)
                ]
            )
        else:
            first = rng.integers(AGENTS, size=BATCH)
            pairs = np.stack([first, (first + rng.integers(1, AGENTS, size=BATCH)) % AGENTS], 1)
        win = np.exp((strength[pairs[:, 0]] - strength[pairs[:, 1]] + 0.2) / 2)
        u = rng.random(BATCH) * (win + 0.5 + 1 / win)
        outcome = np.where(u < win, 0, np.where(u < win + 0.5, 1, 2))
        np.add.at(counts, (pairs[:, 0], pairs[:, 1], outcome), 1)
        data = tally(folded(counts))
        right.append(int(fit(data, intervals=False).strength.argmax()) == int(strength.argmax()))
    return right


def folded(counts: np.ndarray) -> ResultSet:
    """Return the counts as results."""
    first, second, outcome = np.nonzero(counts)
    paid = 1.0 - outcome
    return ResultSet(
        NAMES,
        ["g"],
        np.zeros(len(first), np.int32),
        np.stack([first, second], 1).astype(np.int32),
        np.stack([paid, -paid], 1),
        np.full(len(first), -1, np.int8),
        counts[first, second, outcome],
        False,
        [(0, 1)],
        [False],
    )


def needed(right: np.ndarray) -> float:
    """Return the games after which the share stays at 80% or more (smoothed over five batches)."""
    share = np.convolve(right.mean(axis=0), np.ones(5) / 5, mode="valid")
    below = np.flatnonzero(share < 0.8)
    last = int(below[-1]) + 1 if len(below) else 0
    return float("inf") if last == len(share) else BATCH * (last + 3.0)


def main() -> None:
    """Run the benchmark."""
    options = parse(__doc__)
    runs, short, long = (30, 1500, 3600) if options.quick else (200, 3000, 7500)
    ours = np.array([season(s, short, adaptive=True) for s in range(runs)])
    peer = np.array([season(s, long, adaptive=False) for s in range(runs)])
    mine, theirs = needed(ours), needed(peer)
    note = f"games of uniform pairing over ours, {runs} tournaments"
    if not np.isfinite(theirs):
        theirs = float(long)
        note += "; uniform pairing did not get there, so the figure is a lower bound"
    at = [300, 600, 900, 1500]
    table = [
        (name, *[float(right[:, n // BATCH - 1].mean()) for n in at], games)
        for name, right, games in (("top-two", ours, mine), ("uniform", peer, theirs))
    ]
    report(
        [Claim("adaptive-vs-uniform", theirs / mine, 2.0, note=note)],
        table=table,
        header=("pairing", *[f"right after {n}" for n in at], "games for 80%"),
        path=options.json,
    )


if __name__ == "__main__":
    main()
