"""Cost of one CFR+ iteration per terminal history, from 1e3 to 1e7 nodes.

The games are Goofspiel, Leduc and Liar's dice of growing size, and a battleship of over 1e7
nodes, after which the peak memory of the whole process, building the tree included, is
claimed. The last column is the part of the
memory bandwidth, measured here by copying a large array, that the iteration uses: two
passes over 12 bytes a pair of sequences, plan and gradient reads not counted.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
from harness import Claim, parse, report

import arena
from games.tree import compile_state
from solvers.tree.cfr import CfrMethod, cfr_plus

BATTLESHIP: dict[str, Any] = {
    "board_width": 4,
    "board_height": 2,
    "num_shots": 3,
    "ship_sizes": "[2]",
    "ship_values": "[1]",
}


def bandwidth() -> float:
    """Bytes per second of a large copy, reads and writes both counted."""
    source = np.ones(1 << 24)
    target = np.empty_like(source)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - began)
    return 2 * source.nbytes / best


def main() -> None:
    """Run all claims."""
    options = parse(__doc__)
    sides = range(3, 7) if options.quick else range(3, 9)
    games: list[tuple[str, dict[str, Any]]] = [
        ("goofspiel", {"num_cards": 4, "imp_info": True, "points_order": "descending"}),
        ("leduc_poker", {}),
        *(("liars_dice", {"dice_sides": k}) for k in sides),
    ]
    if not options.quick:
        games.append(("openspiel/battleship", BATTLESHIP))
    limit = bandwidth()
    rows: list[list[object]] = []
    costs = []
    for name, params in games:
        game = arena.make(name, **params)
        tree = compile_state(game, game.root())
        method = CfrMethod(tree, cfr_plus().defaults, None)
        method.advance(1)
        count = max(2, 3_000_000 // len(tree.terminals))
        times = []
        for _ in range(5):
            began = time.process_time()
            method.advance(count)
            times.append((time.process_time() - began) / count)
        seconds = float(np.median(times))
        cost = seconds / len(tree.terminals) * 1e9
        costs.append(cost)
        traffic = 24 * len(tree.terminals) / seconds / limit
        spread = (max(times) - min(times)) / seconds
        size = params.get("num_cards") or params.get("dice_sides") or ""
        rows.append(
            [
                f"{name.rpartition('/')[2]} {size}",
                tree.n_nodes,
                len(tree.terminals),
                seconds * 1e3,
                cost,
                f"{spread:.0%}",
                tree.nbytes / tree.n_nodes,
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                f"{traffic:.0%}",
            ]
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    largest = max(int(str(row[1])) for row in rows)
    claims = [
        Claim(
            "peak-gib-at-1e7-nodes",
            None if largest < 10**7 else peak,
            8,
            higher_is_better=False,
            note=f"largest tree: {largest:,} nodes",
        ),
        Claim("ns-per-terminal-per-iteration", max(costs), 10, higher_is_better=False),
        Claim("flatness-of-cost", max(costs) / min(costs), 2, higher_is_better=False),
    ]
    header = ["game", "nodes", "terminals", "ms", "ns/terminal", "spread", "bytes/node"]
    header += ["peak GiB", "of bandwidth"]
    report(claims, table=rows, header=header, path=options.json)


if __name__ == "__main__":
    main()
