"""Building a tree from an OpenSpiel game, and reading it from the cache, per node.

The peer is OpenSpiel's own walk over the same game: `TabularPolicy`, which its Python
solvers build first, and the C++ CFR solver's construction.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
from harness import Claim, alternate, parse, report
from open_spiel.python import policy as openspiel_policy

import arena
from games.tree import compile_state
from games.tree.load import load_tree, save_tree

GAMES: list[tuple[str, dict[str, Any]]] = [
    ("leduc_poker", {}),
    ("liars_dice", {"dice_sides": 5}),
    ("goofspiel", {"num_cards": 4, "imp_info": True}),
    ("liars_dice", {"dice_sides": 6}),
]


def main() -> None:
    """Run all claims."""
    options = parse(__doc__)
    rows: list[list[object]] = []
    compiling, reading = [], []
    for name, params in GAMES[:3] if options.quick else GAMES:
        game = arena.make(name, **params)
        raw = pyspiel.load_game_as_turn_based(name, params)
        tree = compile_state(game, game.root())
        peer = openspiel_policy.TabularPolicy(raw)
        if len(peer.state_lookup) != tree.n_infosets:
            raise SystemExit(f"{name}: {tree.n_infosets} infosets against {len(peer.state_lookup)}")
        measured = alternate(
            lambda g=game: compile_state(g, g.root()),
            lambda r=raw: openspiel_policy.TabularPolicy(r),
        )
        began = time.process_time()
        pyspiel.CFRSolver(raw)
        native = (time.process_time() - began) / tree.n_nodes * 1e6
        times = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tree.npz"
            save_tree(tree, path)
            for _ in range(6):
                began = time.process_time()
                assert load_tree(path).keys == tree.keys
                times.append(time.process_time() - began)
        ours = float(np.median(measured.ours)) / tree.n_nodes * 1e6
        cached = float(np.median(times[1:])) / tree.n_nodes * 1e6
        theirs = float(np.median(measured.peer)) / tree.n_nodes * 1e6
        compiling.append(ours)
        reading.append(cached)
        size = params.get("num_cards") or params.get("dice_sides") or ""
        rows.append([f"{name} {size}", tree.n_nodes, ours, cached, theirs, native])
    claims = [
        Claim("compile-µs-per-node", max(compiling), 8, higher_is_better=False),
        Claim("cache-µs-per-node", max(reading), 1, higher_is_better=False),
    ]
    header = ["game", "nodes", "µs/node", "cached", "TabularPolicy", "C++ CFRSolver"]
    report(claims, table=rows, header=header, path=options.json)


if __name__ == "__main__":
    main()
