"""One CFR+ iteration on compiled trees against LiteEFG's, a C++ library of its own.

Both sides update one seat after the other and keep a linear average. Before anything is
timed, the NashConv of their policies must agree to 1e-9 after the first update, and that of
their averages within a quarter after 20 iterations: where regrets cancel to zero, as they do
in Goofspiel, rounding decides who is played, so that iterates part.

LiteEFG compiles C++ and brings JAX, so it stays in an environment of its own:
LITEEFG_PYTHON names that environment's interpreter. The two sides alternate, arena in this
process, the peer in a child that lives through all rounds; both count CPU time.

    python -m venv lite && lite/bin/pip install LiteEFG open_spiel
    LITEEFG_PYTHON=lite/bin/python python benchmarks/cfr_vs_liteefg.py [--quick]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402 - the path comes first
from harness import Claim, parse, report  # noqa: E402

import arena  # noqa: E402
from games.tree import compile_state  # noqa: E402
from solvers.certificates import Evaluator  # noqa: E402
from solvers.tree.cfr import CfrMethod, cfr_plus  # noqa: E402

BAR = 50.0

GAMES: list[tuple[str, dict[str, Any]]] = [
    ("leduc_poker", {}),
    ("goofspiel", {"num_cards": 5, "imp_info": True, "points_order": "descending"}),
    ("liars_dice", {"dice_sides": 5}),
    ("liars_dice", {"dice_sides": 6}),
]

CHILD = """
import json, sys, time
import LiteEFG, pyspiel
from LiteEFG.baselines.CFRplus import graph
LiteEFG.set_threads(1)
for line in sys.stdin:
    name, params, iterations, judge = json.loads(line)
    if name:
        plus = graph()
        env = LiteEFG.OpenSpielEnv(pyspiel.load_game(name, params), traverse_type="Enumerate")
        env.set_graph(plus)
    start = time.process_time()
    for _ in range(iterations):
        plus.update_graph(env)
        env.update_strategy(plus.current_strategy(), update_best=False)
    spent = time.process_time() - start
    strategy = plus.current_strategy()
    kinds = ("default", "linear-avg-iterate") if judge else ()
    gaps = [sum(env.exploitability(strategy, kind)) for kind in kinds]
    print(json.dumps([spent, *gaps]), file=sys.stderr, flush=True)
"""


class Peer:
    """A child process that runs LiteEFG; its caches go to a folder of their own."""

    def __init__(self, python: str, home: str) -> None:
        self._child = subprocess.Popen(
            [python, "-c", CHILD],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HOME": home, "OMP_NUM_THREADS": "1"},
        )

    def run(
        self, iterations: int, *, name: str = "", params: Any = None, judge: bool = False
    ) -> list[float]:
        """Return CPU seconds and, if judged, NashConv of the last and of the average policy."""
        child = self._child
        if child.stdin is None or child.stderr is None:
            raise SystemExit("the peer has no pipes")
        child.stdin.write(json.dumps([name, params, iterations, judge]) + "\n")
        child.stdin.flush()
        for line in child.stderr:  # an import may warn first
            if line.startswith("["):
                found: list[float] = json.loads(line)
                return found
        raise SystemExit("the peer died")

    def close(self) -> None:
        """Let the child end."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait()


def one_game(peer: Peer, name: str, params: dict[str, Any]) -> tuple[list[object], Claim]:
    """Check that both sides do the same work, then time it."""
    game = arena.make(name, **params)
    tree = compile_state(game, game.root())
    ours, evaluator = CfrMethod(tree, cfr_plus().defaults, None), Evaluator(tree)
    peer.run(0, name=name, params=params)
    ours.advance(1)
    pairs = [
        (evaluator.nash_conv(tree.checked(ours.arrays()["policy"])), peer.run(1, judge=True)[1])
    ]
    ours.advance(19)
    pairs.append((evaluator.nash_conv(ours.behaviour()), peer.run(19, judge=True)[2]))
    if abs(pairs[0][0] - pairs[0][1]) > 1e-9 or not 0.75 < pairs[1][0] / pairs[1][1] < 1.33:
        raise SystemExit(f"{name}: NashConv after 1 and 20 iterations, ours and theirs: {pairs}")
    count = max(50, 2_000_000 // len(tree.terminals))
    peer_count = max(5, count // 4)
    ours_times, peer_times = [], []
    for _ in range(6):
        began = time.process_time()
        ours.advance(count)
        ours_times.append((time.process_time() - began) / count)
        peer_times.append(peer.run(peer_count)[0] / peer_count)
    ratios = [p / o for o, p in zip(ours_times[1:], peer_times[1:], strict=True)]
    size = params.get("num_cards") or params.get("dice_sides")
    label = f"{name}-{size}" if size else name
    value = float(np.median(ratios))
    row: list[object] = [
        label,
        tree.n_nodes,
        float(np.median(ours_times)) * 1e6,
        float(np.median(peer_times)) * 1e6,
        f"{min(ratios):.0f}-{max(ratios):.0f}",
    ]
    return row, Claim(f"cfr-plus-vs-liteefg-{label}", value, BAR)


def main() -> None:
    """Run all claims."""
    options = parse(__doc__)
    python = os.environ.get("LITEEFG_PYTHON")
    if not python:
        note = "LiteEFG is not installed; the docstring says how to get it"
        report([Claim("cfr-plus-vs-liteefg", None, BAR, note=note)], path=options.json)
        return
    rows, claims = [], []
    with tempfile.TemporaryDirectory() as home:
        peer = Peer(python, home)
        for name, params in GAMES[:1] if options.quick else GAMES:
            row, claim = one_game(peer, name, params)
            rows.append(row)
            claims.append(claim)
        peer.close()
    header = ["game", "nodes", "µs", "LiteEFG µs", "ratio"]
    report(claims, table=rows, header=header, path=options.json)


if __name__ == "__main__":
    main()
