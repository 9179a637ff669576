"""CFR+ on compiled trees against OpenSpiel's, iteration by iteration and end to end.

Both sides do the same alternating update of both players with linear averaging, which is
checked before anything is timed.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyspiel
from harness import Claim, alternate, parse, report
from open_spiel.python.algorithms import cfr as openspiel_cfr

import arena
from arena.game import Game
from games.tree import Tree, compile_state
from solvers.certificates import Evaluator
from solvers.evaluate import behaviour_of
from solvers.tree.cfr import CfrMethod, cfr_plus

GOOFSPIEL = {"imp_info": True, "points_order": "descending"}
ITERATION: list[tuple[str, dict[str, Any], float]] = [
    ("leduc_poker", {}, 400),
    ("goofspiel", {"num_cards": 5, **GOOFSPIEL}, 350),
    ("liars_dice", {"dice_sides": 5}, 200),
    ("liars_dice", {"dice_sides": 6}, 150),
]
QUICK: list[tuple[str, dict[str, Any], float]] = [
    ("leduc_poker", {}, 400),
    ("goofspiel", {"num_cards": 4, **GOOFSPIEL}, 350),
]


def label(name: str, params: dict[str, Any]) -> str:
    """A short name of a game, such as `liars_dice-6`."""
    size = params.get("num_cards") or params.get("dice_sides")
    return f"{name}-{size}" if size else name


def turns(name: str, params: dict[str, Any]) -> Any:
    """Load a game; simultaneous moves become turns, as OpenSpiel's solvers need."""
    return pyspiel.load_game_as_turn_based(name, params)


def wrapped(name: str, params: dict[str, Any]) -> Game:
    """The same turn-based game on arena's side."""
    from games.adapters.openspiel import wrap

    return wrap(turns(name, params), id=f"openspiel/{name}", params=params, rebuildable=False)


def check_equal(name: str, tree: Tree, game: Game, ours: CfrMethod, peer: Any) -> None:
    """Run both sides a little and stop the benchmark if they do different work.

    After one iteration policies must be equal. Where regrets cancel to zero, rounding then
    decides who is played (as between any two orders of summation), so that later the two
    sides are compared by how exploitable they are.
    """
    peer.evaluate_and_update_policy()
    ours.advance(1)
    apart = np.abs(ours.behaviour() - behaviour_of(tree, game, peer.average_policy())).max()
    if apart > 1e-10:
        raise SystemExit(f"{name}: average policies differ by {apart:g}")
    for _ in range(19):
        peer.evaluate_and_update_policy()
    ours.advance(19)
    evaluator = Evaluator(tree)
    mine = evaluator.nash_conv(ours.behaviour())
    theirs = evaluator.nash_conv(behaviour_of(tree, game, peer.average_policy()))
    if not 0.8 < mine / theirs < 1.25:
        raise SystemExit(f"{name}: NashConv after 20 iterations is {mine:g} against {theirs:g}")


def one_iteration(
    name: str, params: dict[str, Any], bar: float, *, python: bool
) -> tuple[list[object], Claim]:
    """Time one iteration on both sides."""
    raw, game = turns(name, params), wrapped(name, params)
    began = time.process_time()
    tree = compile_state(game, game.root())
    built = time.process_time() - began
    began = time.process_time()
    peer = pyspiel.CFRPlusSolver(raw)
    peer_built = time.process_time() - began
    ours = CfrMethod(tree, cfr_plus().defaults, None)
    check_equal(name, tree, game, ours, peer)
    count = max(50, 2_000_000 // len(tree.terminals))
    measured = alternate(lambda: ours.advance(count), peer.evaluate_and_update_policy)
    ratios = [r * count for r in measured.ratios]
    ours_us = float(np.median(measured.ours)) / count * 1e6
    slow: object = "-"
    if python:
        theirs = openspiel_cfr.CFRPlusSolver(raw)
        began = time.process_time()
        theirs.evaluate_and_update_policy()
        slow = (time.process_time() - began) / (ours_us * 1e-6)
    row: list[object] = [
        label(name, params),
        tree.n_nodes,
        ours_us,
        float(np.median(measured.peer)) * 1e6,
        f"{min(ratios):.0f}-{max(ratios):.0f}",
        slow,
        ours_us * 1e3 / len(tree.terminals),
        built,
        peer_built,
    ]
    value = float(np.median(ratios))
    return row, Claim(f"cfr-plus-iteration-{label(name, params)}", value, bar)


def end_to_end(name: str, params: dict[str, Any], gap: float, bar: float) -> Claim:
    """Median CPU seconds from a game to a certified solution, tree building included."""
    times = []
    for _ in range(5):
        game = arena.make(name, **params)
        began = time.process_time()
        solution = arena.solve(game, "cfr+", until=gap, cache=False)
        times.append(time.process_time() - began)
        if solution.certificate["exploitability"].value > gap:
            raise SystemExit(f"{name}: {gap:g} was not reached")
    note = f"CPU seconds to {gap:g}, best {min(times):.3g}, worst {max(times):.3g}"
    slug = label(name, params)
    return Claim(
        f"end-to-end-{slug}", float(np.median(times)), bar, higher_is_better=False, note=note
    )


def to_a_millionth(name: str, params: dict[str, Any]) -> Claim:
    """Median CPU seconds to exploitability 1e-6 once the tree is there."""
    game = arena.make(name, **params)
    times = []
    for _ in range(6):
        began = time.process_time()
        arena.solve(game, "pdcfr+", until=1e-6)
        times.append(time.process_time() - began)
    return Claim(
        f"seconds-to-1e-6-{label(name, params)}",
        float(np.median(times[1:])),
        0.1,
        higher_is_better=False,
    )


def main() -> None:
    """Run all claims."""
    options = parse(__doc__)
    began = time.process_time()
    arena.solve("kuhn_poker", "cfr+", iterations=10, cache=False)
    print(f"first solve, loading or compiling kernels: {time.process_time() - began:.2f} s")
    rows, claims = [], []
    for name, params, bar in QUICK if options.quick else ITERATION:
        row, claim = one_iteration(name, params, bar, python=not options.quick)
        rows.append(row)
        claims.append(claim)
    small: list[tuple[str, dict[str, Any]]] = [
        ("kuhn_poker", {}),
        ("liars_dice", {"dice_sides": 4}),
        ("goofspiel", {"num_cards": 4, **GOOFSPIEL}),
    ]
    claims += [to_a_millionth(*game) for game in small]
    claims.append(end_to_end("leduc_poker", {}, 1e-3, 0.15))
    if not options.quick:
        claims.append(end_to_end("liars_dice", {"dice_sides": 6}, 1e-5, 6.0))
    header = ["game", "nodes", "µs", "C++ µs", "ratio", "Python ratio", "ns/terminal"]
    header += ["build s", "C++ build s"]
    report(claims, table=rows, header=header, path=options.json)


if __name__ == "__main__":
    main()
