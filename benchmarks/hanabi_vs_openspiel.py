"""Hanabi steps per CPU second against OpenSpiel from Python, random legal play.

Two players, the full deck. Ours: the batch form, stepped from Python: `sample` draws legal
actions, `step` checks and plays them, `renew` begins anew the episodes that ended.
OpenSpiel's: `legal_actions`, `apply_action` and the sampling of deals, as its examples do
it. With observations on, each side also builds the canonical encoding of the seat to move
at every step. Before timing, games with the same deck and the same actions are compared
move by move. Whole games inside one kernel, as rollouts play them, are shown beside it.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from harness import Claim, alternate, parse, report

import arena
from arena.rng import derive_many, stream_states
from games.hanabi import layout as at
from games.hanabi._batch_kernels import deal_all, play_at_random
from games.hanabi.state import opening

BAR_OFF, BAR_ON = 50.0, 20.0
WIDTH = 1024  # episodes at once


def ours(game: Any, steps: int, *, tensors: bool, seed: int) -> int:
    """Make `steps` moves in each of `WIDTH` episodes, begun anew as they end; return moves."""
    batch = game.form("batch", seeds=derive_many(seed, np.arange(WIDTH)))
    streams = stream_states(derive_many(seed + 1, np.arange(WIDTH)))
    for step in range(steps):
        if tensors:
            seen = batch.observe_mover()
            seen.tensor  # noqa: B018 - it is built on first use
        batch.step(batch.sample(streams))
        batch.renew(seed + 2 + step)
    return steps * WIDTH


def whole_games(game: Any, games: int, seed: int) -> int:
    """Play games inside the kernel and return the number of moves."""
    variant = game.form("hanabi")
    rows = np.empty((WIDTH, variant.width), dtype=np.int16)
    moves = 0
    for chunk in range(games // WIDTH):
        deal_all(
            rows,
            variant.numbers,
            opening(variant),
            stream_states(derive_many(seed + chunk, np.arange(WIDTH))),
        )
        own = stream_states(derive_many(-seed - chunk, np.arange(WIDTH * game.seats)))
        moves += int(play_at_random(rows, variant.numbers, own.reshape(WIDTH, game.seats)))
    return moves


def theirs(game: Any, games: int, *, tensors: bool, rng: random.Random) -> int:
    """Play random games with OpenSpiel and return the number of moves."""
    moves = 0
    for _ in range(games):
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                outcomes, weights = zip(*state.chance_outcomes(), strict=True)
                state.apply_action(rng.choices(outcomes, weights)[0])
                continue
            if tensors:
                state.observation_tensor(state.current_player())
            state.apply_action(rng.choice(state.legal_actions()))
            moves += 1
    return moves


def differences(game: Any, peer: Any, games: int) -> str:
    """Play the same games on both sides; return the first difference, "" if there is none."""
    variant = game.form("hanabi")
    batch = game.form("batch", seeds=np.arange(games))
    states = []
    for row in batch.rows:
        state = peer.new_initial_state()
        for card in row[at.DECK : at.DECK + int(row[at.DEALT])].tolist():
            state.apply_action(variant.outcome(card))
        states.append(state)
    rng = random.Random(0)
    while (acting := batch.actors()).any():
        actions = np.zeros(acting.shape, dtype=np.int64)
        for seat in range(game.seats):
            seen = batch.observe(seat)
            for k in np.flatnonzero(acting[:, seat]):
                legal = np.flatnonzero(seen.legal[k]).tolist()
                if legal != states[k].legal_actions():
                    return f"legal actions in game {k}"
                if (seen.tensor[k] != states[k].observation_tensor(seat)).any():
                    return f"observation in game {k}"
                actions[k, seat] = rng.choice(legal)
        batch.step(actions)
        for k, seat in np.argwhere(acting):
            states[k].apply_action(int(actions[k, seat]))
            if states[k].is_chance_node():
                row = batch.rows[k]
                states[k].apply_action(variant.outcome(int(row[at.DECK + row[at.DEALT] - 1])))
            if list(states[k].returns()) != batch.returns()[k].tolist():
                return f"returns in game {k}"
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(__doc__, argv)
    names = (
        "hanabi-steps-vs-openspiel",
        "hanabi-encoded-steps-vs-openspiel",
        "hanabi-whole-games-vs-openspiel",
    )
    try:
        import pyspiel
    except ImportError:
        note = "open_spiel is not installed: pip install open_spiel"
        bars = zip(names, (BAR_OFF, BAR_ON, BAR_OFF), strict=True)
        report([Claim(name, None, bar, note=note) for name, bar in bars], path=options.json)
        return 0
    game, peer = arena.make("hanabi"), pyspiel.load_game("hanabi")
    started = time.process_time()
    ours(game, 2, tensors=True, seed=0)
    whole_games(game, WIDTH, 0)
    print(f"first call, compiling or loading: {time.process_time() - started:.2f} s CPU")
    if wrong := differences(game, peer, 50 if options.quick else 300):
        print(f"the two sides differ: {wrong}")
        return 1
    print("legal actions, observations and returns agree")
    scale = 1 if options.quick else 6
    claims, table = [], []
    for name, bar, tensors in ((names[0], BAR_OFF, False), (names[1], BAR_ON, True)):
        theirs_rng = random.Random(1)
        counts: tuple[list[int], list[int]] = ([], [])

        def one(tensors: bool = tensors, counts: Any = counts) -> None:
            steps = 500 * scale if tensors else 1500 * scale
            counts[0].append(ours(game, steps, tensors=tensors, seed=len(counts[0])))

        def two(tensors: bool = tensors, rng: Any = theirs_rng, counts: Any = counts) -> None:
            counts[1].append(theirs(peer, 60 * scale, tensors=tensors, rng=rng))

        measured = alternate(one, two)
        speeds = [
            [moves / seconds for moves, seconds in zip(done[1:], spent, strict=True)]
            for done, spent in zip(counts, (measured.ours, measured.peer), strict=True)
        ]
        ratios = sorted(a / b for a, b in zip(*speeds, strict=True))
        label = "canonical encoding" if tensors else "no observations"
        table += [
            (f"arena, {label}", f"{np.median(speeds[0]):,.0f}"),
            (f"OpenSpiel, {label}", f"{np.median(speeds[1]):,.0f}"),
        ]
        note = f"rounds from {ratios[0]:.3g} to {ratios[-1]:.3g}"
        claims.append(Claim(name, float(np.median(ratios)), bar, note=note))
    done: list[int] = []
    kernel = alternate(
        lambda: done.append(whole_games(game, 40_000 * scale, len(done))),
        lambda: theirs(peer, 60 * scale, tensors=False, rng=random.Random(2)),
    )
    each = theirs(peer, 60 * scale, tensors=False, rng=random.Random(2))
    rates = [n / seconds for n, seconds in zip(done[1:], kernel.ours, strict=True)]
    ratios = sorted(r * t / each for r, t in zip(rates, kernel.peer, strict=True))
    table.append(("arena, whole games in a kernel", f"{np.median(rates):,.0f}"))
    note = f"rounds from {ratios[0]:.3g} to {ratios[-1]:.3g}"
    claims.append(Claim(names[2], float(np.median(ratios)), BAR_OFF, note=note))
    report(claims, table=table, header=("side", "steps per CPU second"), path=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
