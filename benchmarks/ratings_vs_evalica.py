"""Ratings with intervals from a million games, against evalica and arena-rank.

Ours is the whole leaderboard: pair counts, Davidson's model with draws and seat advantage,
joint covariance, intervals, rank intervals, warnings. Evalica's is its Bradley–Terry
alone, without intervals; unless said otherwise the time it takes to index the labels,
most of its call, is left out too. The truth is known, so the ratings' errors are compared first.

arena-rank pins its own versions of numpy and jax; ARENA_RANK_PYTHON may name the
interpreter of an environment that has it. Its fit with intervals is then timed there.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from harness import Claim, alternate, parse, report

from tournaments.ratings.davidson import ELO, davidson
from tournaments.records import ResultSet

RANK_CHILD = """
import sys, time
import numpy as np, pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset
data = np.load(sys.argv[1])
names = np.array([f"a{k}" for k in range(int(data["agents"]))])
frame = pd.DataFrame({
    "model_a": names[data["first"]], "model_b": names[data["second"]],
    "winner": np.array(["model_b", "tie", "model_a"])[data["outcome"] + 1]})
for _ in range(int(sys.argv[2])):
    start = time.process_time()
    dataset = PairDataset.from_pandas(frame)
    prepared = time.process_time()
    model = BradleyTerry(n_competitors=len(dataset.competitors))
    model.fit(dataset)
    model.compute_ratings_and_cis(dataset, significance_level=0.05)
    print(prepared - start, time.process_time() - prepared)
"""


def simulate(seed: int, agents: int, matches: int) -> tuple[np.ndarray, ResultSet]:
    """Return true strengths and results with draws and a first-seat advantage."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(size=agents)
    strength -= strength.mean()
    first = rng.integers(agents, size=matches)
    second = (first + rng.integers(1, agents, size=matches)) % agents
    gap = strength[first] - strength[second] + 0.23
    win, draw = np.exp(gap / 2), 0.6
    u = rng.random(matches) * (win + draw + 1 / win)
    paid = np.where(u < win, 1.0, np.where(u < win + draw, 0.0, -1.0))
    return strength, ResultSet(
        agents=[f"a{k}" for k in range(agents)],
        games=["g"],
        game=np.zeros(matches, np.int32),
        seating=np.stack([first, second], 1).astype(np.int32),
        payoffs=np.stack([paid, -paid], 1),
        offender=np.full(matches, -1, np.int8),
        count=np.ones(matches, np.int64),
        ordered=True,
        teams=[(0, 1)],
        cooperative=[False],
    )


def error(strength: np.ndarray, rating: np.ndarray) -> float:
    """Return the root mean square error in Elo of centred ratings in log odds."""
    gap = rating - rating.mean() - strength
    return float(ELO * np.sqrt(np.mean(gap * gap)))


def against_evalica(
    agents: int, matches: int, *, intervals: bool, rounds: int
) -> tuple[list, list]:
    """Return table rows and (ratio peer/ours, our error over the best peer's)."""
    import evalica

    strength, results = simulate(agents, agents, matches)
    labels = np.array(results.agents)
    xs, ys = labels[results.seating[:, 0]].tolist(), labels[results.seating[:, 1]].tolist()
    sign = results.payoffs[:, 0].astype(int).tolist()
    winners = [{1: evalica.Winner.X, 0: evalica.Winner.Draw, -1: evalica.Winner.Y}[s] for s in sign]
    _, _, index = evalica.indexing(xs, ys)
    board = davidson(results, intervals=intervals)
    ours = np.array([board[name].rating / ELO for name in results.agents])
    theirs = {}
    for name in ("bradley_terry", "newman"):
        scores = getattr(evalica, name)(xs, ys, winners, index=index).scores
        theirs[name] = error(strength, np.log([scores[label] for label in results.agents]))
    mine = error(strength, ours)
    timed = alternate(
        lambda: davidson(results, intervals=intervals),
        lambda: evalica.bradley_terry(xs, ys, winners, index=index),
        rounds=rounds,
    )
    indexing = alternate(lambda: None, lambda: evalica.indexing(xs, ys, index), rounds=rounds).peer
    spare = float(np.median(indexing))
    ratio = float(np.median([(p - spare) / o for o, p in zip(timed.ours, timed.peer, strict=True)]))
    what = f"{matches:.0e} games, {agents} agents"
    whole = float(np.median(timed.peer))
    table = [
        (f"ours, intervals {intervals}", what, float(np.median(timed.ours)), "-", mine),
        (
            "evalica bradley_terry",
            what,
            whole - spare,
            whole,
            theirs["bradley_terry"],
        ),
        ("evalica newman", what, "-", "-", theirs["newman"]),
    ]
    return table, [
        ratio,
        mine / min(theirs.values()),
        max(timed.ratios) / min(timed.ratios),
        timed.ratio,
    ]


def against_arena_rank(matches: int, rounds: int) -> tuple[list, float | None, str]:
    """Return table rows, the ratio or None, and why it was skipped."""
    python = os.environ.get("ARENA_RANK_PYTHON")
    if not python:
        return (
            [],
            None,
            "arena-rank is not installed (pip install arena-rank in an environment of "
            "its own, then set ARENA_RANK_PYTHON to its interpreter)",
        )
    _, results = simulate(100, 100, matches)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "games.npz"
        np.savez(
            path,
            agents=100,
            first=results.seating[:, 0],
            second=results.seating[:, 1],
            outcome=results.payoffs[:, 0].astype(int),
        )
        child = subprocess.run(
            [python, "-c", RANK_CHILD, str(path), str(rounds + 1)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if child.returncode != 0:
        return [], None, f"arena-rank failed: {child.stderr.strip().splitlines()[-1]}"
    peer = np.array([line.split() for line in child.stdout.splitlines()[1:]], dtype=float)
    ours = alternate(lambda: davidson(results), lambda: None, rounds=rounds).ours
    ratio = float(np.median(peer[:, 1]) / np.median(ours))
    row = (
        "arena-rank with intervals",
        f"{matches:.0e} games, 100 agents",
        float(np.median(peer[:, 1])),
        float(np.median(peer.sum(axis=1))),
        "-",
    )
    return [row], ratio, ""


def main() -> None:
    """Run the benchmark."""
    options = parse(__doc__)
    matches, rounds = (100_000, 5) if options.quick else (1_000_000, 7)
    header = ("method", "data", "CPU s", "with its indexing", "error (Elo)")
    try:
        import evalica  # noqa: F401
    except ImportError:
        note = "evalica is not installed (pip install evalica)"
        report(
            [Claim("ratings-with-intervals-vs-evalica", None, 2.0, note=note)], path=options.json
        )
        return
    hundred, small = against_evalica(100, matches, intervals=True, rounds=rounds)
    thousand, large = against_evalica(1000, matches, intervals=False, rounds=rounds)
    other, ratio, why = against_arena_rank(matches, rounds)
    spread = f"peer's CPU time over ours; spread of rounds ×{small[2]:.2f}"
    report(
        [
            Claim("ratings-error-over-best-peer", small[1], 1.02, False),
            Claim("ratings-vs-arena-rank", ratio, 10.0, note=why),
            Claim(
                "ratings-1000-agents-vs-evalica-core",
                1 / large[0],
                2.0,
                False,
                note="our CPU time from raw rows to leaderboard over the peer's, its indexing of "
                "labels left out",
            ),
            Claim(
                "ratings-1000-agents-vs-evalica",
                1 / large[3],
                2.0,
                False,
                note="the same over the peer's whole call",
            ),
            Claim("ratings-with-intervals-vs-evalica", small[0], 2.0, note=spread),
        ],
        table=hundred + thousand + other,
        header=header,
        path=options.json,
    )


if __name__ == "__main__":
    main()
