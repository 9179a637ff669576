"""Games of connect four a CPU second, uniformly random play, against kaggle-environments.

Arena's runner (in process, results stored) against `kaggle_environments.evaluate` of
`connectx` (six rows, seven columns, four in a row: the same game) with its own `random`
agents. Both must end in wins for either side and, rarely, draws: win shares are compared
before the times are.

kaggle-environments brings over a hundred packages with versions of their own, so it stays
in an environment of its own: KAGGLE_PYTHON names that environment's interpreter. The two
sides alternate, arena in this process, the peer in a child that lives through all rounds.

    python -m venv kaggle && kaggle/bin/pip install kaggle-environments
    KAGGLE_PYTHON=kaggle/bin/python python benchmarks/play_vs_kaggle.py [--quick]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from harness import Claim, Measured, parse, report  # noqa: E402 - the path comes first

import arena  # noqa: E402

BAR = 500.0

CHILD = """
import json, sys, time
from kaggle_environments import evaluate
for line in sys.stdin:
    games = int(line)
    start = time.process_time()
    rewards = evaluate("connectx", ["random", "random"], num_episodes=games)
    spent = time.process_time() - start
    print(json.dumps([spent, [r[0] for r in rewards]]), file=sys.__stderr__, flush=True)
"""


def play_arena(games: int, seed: int) -> tuple[float, list[float]]:
    """Return CPU seconds and the payoffs of the first seat."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        outcome = arena.tournament(
            games=["connect_four"],
            agents={"a": "uniform", "b": "uniform"},
            repetitions=games // 2,
            seed=seed,
            db=Path(folder) / "results.db",
        )
        spent = time.process_time() - start
        return spent, outcome.results.payoffs[:, 0].tolist()


def main() -> None:
    options = parse(__doc__)
    python = os.environ.get("KAGGLE_PYTHON")
    if not python:
        note = "kaggle-environments is not installed; the docstring says how to get it"
        report([Claim("play-vs-kaggle", None, BAR, note=note)], path=options.json)
        return
    import json

    ours_games, peer_games, rounds = (4000, 10, 2) if options.quick else (20_000, 40, 5)
    child = subprocess.Popen(
        [python, "-c", CHILD],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )

    def play_peer(games: int) -> tuple[float, list[float]]:
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(f"{games}\n")
        child.stdin.flush()
        # Its import writes warnings to stderr first; the answer is the first JSON line.
        for line in child.stderr:
            if line.startswith("[") and line.rstrip().endswith("]]"):
                spent, rewards = json.loads(line)
                return spent, rewards
        raise SystemExit("the peer died")

    play_arena(1000, 1)
    play_peer(2)
    ours, peer = [], []
    firsts: tuple[list[float], list[float]] = ([], [])
    for index in range(rounds):
        spent, payoffs = play_arena(ours_games, index)
        ours.append(spent / ours_games)
        firsts[0].extend(payoffs)
        spent, payoffs = play_peer(peer_games)
        peer.append(spent / peer_games)
        firsts[1].extend(payoffs)
    child.stdin.close()  # type: ignore[union-attr] # it was opened as a pipe
    child.wait()
    shares = [sum(p > 0 for p in side) / len(side) for side in firsts]
    # Five standard errors of the smaller sample.
    if abs(shares[0] - shares[1]) > 5 * (0.25 / len(firsts[1])) ** 0.5:
        raise SystemExit(f"the first seat wins {shares[0]:.2f} here, {shares[1]:.2f} there")
    measured = Measured(ours, peer)
    report(
        [Claim("play-vs-kaggle", measured.ratio, BAR, note="games a CPU second, ratio")],
        header=("side", "games/CPU s (median)", "first seat wins"),
        table=[("arena", 1 / median(ours), shares[0]), ("kaggle", 1 / median(peer), shares[1])],
        path=options.json,
    )


if __name__ == "__main__":
    main()
