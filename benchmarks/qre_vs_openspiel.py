"""One iteration of magnetic mirror descent against OpenSpiel's `mmd_dilated`.

Both start uniform with the same step; policies after three iterations must be equal.
"""

from __future__ import annotations

import warnings

import numpy as np
import pyspiel
from harness import Claim, alternate, parse, report
from open_spiel.python.algorithms import mmd_dilated

import arena
from games.tree import tree_of
from solvers.evaluate import behaviour_of
from solvers.tree.mmd import MmdMethod


def main() -> None:
    """Run all claims."""
    options = parse(__doc__)
    warnings.simplefilter("ignore")
    rows: list[list[object]] = []
    claims = []
    for name in ["kuhn_poker"] if options.quick else ["kuhn_poker", "leduc_poker"]:
        game = arena.make(name)
        tree = tree_of(game, cache=False)
        peer = mmd_dilated.MMDDilatedEnt(pyspiel.load_game(name), 0.1)
        ours = MmdMethod(tree, temperature=0.1)
        for _ in range(3):
            peer.update_sequences()
        ours.advance(3)
        apart = np.abs(ours.behaviour() - behaviour_of(tree, game, peer.get_policies())).max()
        if apart > 1e-10:
            raise SystemExit(f"{name}: policies differ by {apart:g}")
        count = max(50, 2_000_000 // len(tree.terminals))
        measured = alternate(lambda m=ours, k=count: m.advance(k), peer.update_sequences)
        ratios = [r * count for r in measured.ratios]
        us = float(np.median(measured.ours)) / count * 1e6
        peer_us = float(np.median(measured.peer)) * 1e6
        rows.append([name, tree.n_nodes, us, peer_us, f"{min(ratios):.0f}-{max(ratios):.0f}"])
        claims.append(Claim(f"qre-iteration-{name}", float(np.median(ratios)), 2000))
    solution = arena.solve("leduc_poker", "mmd", temperature=0.1, iterations=40, cache=False)
    gap = solution.certificate["qre_gap"].value
    claims.append(
        Claim("qre-gap-leduc-40-iterations", gap, 1e-12, higher_is_better=False, note="α = 0.1")
    )
    header = ["game", "nodes", "µs", "OpenSpiel µs", "ratio"]
    report(claims, table=rows, header=header, path=options.json)


if __name__ == "__main__":
    main()
