"""Play-outs of Hanabi a CPU second within search, and decisions, by budget.

Two players, the full deck, SmartBot as blueprint. A play-out is a game played to its end from
a decision in the middle of a game, with a hand and a deck drawn from the belief. Ours: the
kernel that search uses. Its peer is the same loop with each seat's own memory, as
`play_games` of the bots runs it; both must give the same scores. Then decisions a second of
mirror descent search at several budgets, its belief included, and the speed on two cores.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from harness import Claim, alternate, parse, report

import arena
from agents.hanabi import BOTS, HanabiBot
from agents.hanabi import _kernels as bots
from agents.hanabi._playout_kernels import play_on
from agents.hanabi._smart_desk_kernels import TABLE
from agents.hanabi._table_kernels import WORK
from agents.hanabi.searching import mds
from games.hanabi import layout as at

BAR, BAR_CORES = 3.0, 1.7


def positions(games: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the variant, positions at all decisions of some games, and what bots remember."""
    game = arena.make("hanabi")
    variant = game.form("hanabi")
    rows, minds = [], []
    work = np.zeros(WORK, dtype=np.int64)
    for seed in range(games):
        state = game.state(seed)
        players = [HanabiBot("smart"), HanabiBot("smart")]
        for seat, player in enumerate(players):
            player.begin(game, seat, 0)
        while state.actors():
            memory = np.zeros((2, at.MAX_CARDS), dtype=np.int64)
            for seat in range(2):
                row = np.zeros(variant.width, dtype=np.int16)
                row[at.LENGTH] = -1
                seen = state.observe(seat).row
                bots.catch_up(10, seen, row, variant.numbers, memory[seat], seat, work)
            rows.append(state.row.copy())
            minds.append(memory)
            seat = state.actors()[0]
            state.step({seat: players[seat].act(state.observe(seat))})
    return variant, np.array(rows), np.array(minds)


def ours(variant: Any, rows: np.ndarray, minds: np.ndarray) -> list[int]:
    """Play on with the kernel of the search."""
    work, table = np.zeros(WORK, dtype=np.int64), np.zeros(TABLE, dtype=np.int64)
    crew, luck = np.full(2, BOTS["smart"].number), np.zeros(2, dtype=np.uint64)
    return [
        int(play_on(crew, row.copy(), variant.numbers, mind.copy(), luck, work, table))
        for row, mind in zip(rows, minds, strict=True)
    ]


def plainly(variant: Any, rows: np.ndarray, minds: np.ndarray) -> list[int]:
    """Play on with every seat's own memory."""
    from agents.hanabi._playout_kernels import play_separately

    work = np.zeros(WORK, dtype=np.int64)
    crew, luck = np.full(2, BOTS["smart"].number), np.zeros(2, dtype=np.uint64)
    return [
        int(play_separately(crew, row.copy(), variant.numbers, mind.copy(), luck, work))
        for row, mind in zip(rows, minds, strict=True)
    ]


def decide(
    seed: int, rollouts: int, moves: int, blueprint: str = "smart"
) -> tuple[int, int, float]:
    """Return decisions, play-outs and CPU seconds of a searching seat in one game."""
    game = arena.make("hanabi")
    agent, other = mds(blueprint=blueprint, rollouts=rollouts), arena.agent(f"hanabi/{blueprint}")
    seats = [agent, other]
    for seat, player in enumerate(seats):
        player.begin(game, seat, seed)
    state = game.state(seed)
    for _ in range(moves):
        if not state.actors():
            break
        seat = state.actors()[0]
        state.step({seat: seats[seat].act(state.observe(seat))})
    done = agent.statistics
    return done.decisions, done.rollouts, done.seconds


def two_cores(games: int, moves: int) -> float | None:
    """Return the speed-up of two processes over one, by wall clock; None on one core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if cores < 2:
        return None
    context = multiprocessing.get_context("spawn")
    walls = []
    for workers in (1, 2):
        with context.Pool(workers) as pool:
            pool.starmap(decide, [(0, 50, 4)] * workers, chunksize=1)
            started = time.perf_counter()
            pool.starmap(decide, [(seed, 300, moves) for seed in range(games)], chunksize=1)
            walls.append(time.perf_counter() - started)
    return walls[0] / walls[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(__doc__, argv)
    started = time.process_time()
    decide(0, 50, 4)
    print(f"first call, compiling or loading: {time.process_time() - started:.2f} s CPU")
    variant, rows, minds = positions(3 if options.quick else 20)
    if ours(variant, rows, minds) != plainly(variant, rows, minds):
        print("the two sides differ")
        return 1
    print(f"scores agree from {len(rows)} positions")
    times = 2 if options.quick else 6
    measured = alternate(
        lambda: [ours(variant, rows, minds) for _ in range(times)],
        lambda: [plainly(variant, rows, minds) for _ in range(times)],
    )
    count = times * len(rows)
    table = [
        ("play-outs, search's kernel", f"{count / np.median(measured.ours):,.0f}"),
        ("play-outs, one memory a seat", f"{count / np.median(measured.peer):,.0f}"),
    ]
    for rollouts in (100, 400) if options.quick else (100, 400, 1200, 5000):
        found = [decide(seed, rollouts, 12 if options.quick else 70) for seed in range(2)]
        decisions, playouts, seconds = map(sum, zip(*found, strict=True))
        table += [
            (f"decisions, up to {rollouts} play-outs", f"{decisions / seconds:,.1f}"),
            (f"play-outs within, up to {rollouts}", f"{playouts / seconds:,.0f}"),
        ]
    decide(0, 50, 4, "ppo")
    _, playouts, seconds = decide(0, 400, 8 if options.quick else 40, "ppo")
    table.append(("play-outs within, of a network, up to 400", f"{playouts / seconds:,.0f}"))
    claims = [Claim("hanabi-playouts-shared-memory", measured.ratio, BAR)]
    speed_up = two_cores(4 if options.quick else 12, 12 if options.quick else 40)
    note = "" if speed_up is not None else "one core"
    claims.append(Claim("hanabi-search-two-processes", speed_up, BAR_CORES, note=note))
    report(claims, table=table, header=("what", "per CPU second"), path=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
