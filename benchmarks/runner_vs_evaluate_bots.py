"""The runner, storage on, against OpenSpiel's `evaluate_bots` with Python bots.

Both play the same number of games between two uniform Python players, in this process.
Ours derives every seed from the match, books every result and writes a result file; the
peer calls `pyspiel.evaluate_bots` in a loop with `UniformRandomBot` and keeps nothing.
CPU time.
"""

from __future__ import annotations

import math

import harness
import numpy as np
import pyspiel
from open_spiel.python.bots.uniform_random import UniformRandomBot

from tournaments.api import run
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec

BARS = {"connect_four": 2.5, "tic_tac_toe": 2.0, "kuhn_poker": 1.2}
MATCHES = {"connect_four": 5_000, "tic_tac_toe": 15_000, "kuhn_poker": 40_000}


def _ours(name: str, matches: int) -> float:
    """Play a tournament and return what the first seat was paid on average."""
    spec = Spec(
        name="bots",
        games=(GameSpec(name),),
        agents=(AgentSpec("a", "uniform"), AgentSpec("b", "uniform")),
        seed=1,
        schedule=ScheduleSpec("round_robin", repetitions=matches // 2),
        executor=ExecutorSpec("in_process"),
    )
    results = run(spec).results
    return float(np.average(results.payoffs[:, 0], weights=results.count))


def _peer(name: str, matches: int) -> float:
    """Play the same with OpenSpiel's evaluator."""
    game = pyspiel.load_game(name)
    bots = [UniformRandomBot(seat, np.random.RandomState(seat)) for seat in (0, 1)]
    paid = [
        pyspiel.evaluate_bots(game.new_initial_state(), bots, seed)[0] for seed in range(matches)
    ]
    return float(np.mean(paid))


def main() -> None:
    """Measure and report."""
    options = harness.parse(__doc__)
    claims, table = [], []
    for name, bar in BARS.items():
        matches = MATCHES[name] // (2 if options.quick else 1)
        # Equal games: the mean payoffs differ by chance alone (five standard errors).
        gap = abs(_ours(name, matches) - _peer(name, matches))
        assert gap < 5 * 2.0 * math.sqrt(2 / (matches / 2)), (name, gap)
        measured = harness.alternate(
            lambda name=name, matches=matches: _ours(name, matches),
            lambda name=name, matches=matches: _peer(name, matches),
            rounds=5 if options.quick else 9,
        )
        ours, peer = min(measured.ours) / matches * 1e6, min(measured.peer) / matches * 1e6
        ratios = measured.ratios
        table.append([name, matches, ours, peer, measured.ratio, min(ratios), max(ratios)])
        claims.append(harness.Claim(f"runner-vs-evaluate-bots-{name}", measured.ratio, bar))
    harness.report(
        claims,
        table=table,
        header=["game", "matches", "ours µs", "OpenSpiel µs", "ratio", "least", "most"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
