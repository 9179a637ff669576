"""From the blocks of a result file to a `ResultSet`: a row a match, in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournaments.match import Outcome
from tournaments.records import ResultSet

__all__ = ["FOLD_ABOVE", "read_out"]

FOLD_ABOVE = 3_000_000
"""Above so many matches equal ones of a line are folded, which loses who shared luck."""


def read_out(
    games: Sequence[Mapping[str, Any]],
    agents: Sequence[Mapping[str, Any]],
    outcomes: Mapping[int, Outcome],
    blocks: Sequence[Sequence[Any]],
    *,
    ordered: bool = False,
) -> ResultSet:
    """Return the results of a file; matches that share their luck share a block.

    Above `FOLD_ABOVE` matches equal ones of a line are folded into one row, unless they are
    wanted in order; blocks are then lost, and matches count as independent.

    Args:
        games: rows of the table `game`.
        agents: rows of the table `agent`.
        outcomes: rows of the table `outcome`, by id.
        blocks: rows (game, seating, seed, stage, position, first, outcomes) of the table
            `block`, by stage, position and first.
        ordered: by stage, repetition and position, rather than line by line.
    """
    seatings: dict[tuple[int, str], int] = {}
    luck: dict[tuple[int, int], int] = {}
    facts = np.zeros((len(blocks), 5), dtype=np.int64)
    codes = []
    for number, (game, seating, seed, stage, position, first, text) in enumerate(blocks):
        line = seatings.setdefault((game, seating), len(seatings))
        group = luck.setdefault((seed, stage), len(luck))
        facts[number] = line, group, stage, position, first
        codes.append(np.array(json.loads(text), dtype=np.int64))
    sizes = np.array([len(own) for own in codes], dtype=np.int64)
    code = np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64)
    lines, groups, stages, positions, firsts = np.repeat(facts, sizes, axis=0).T
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    repetitions = firsts + np.arange(len(code)) - starts
    counts = np.ones(len(code), dtype=np.int64)
    luck_of = groups * (int(repetitions.max(initial=0)) + 1) + repetitions
    shared: NDArray[np.int64] | None = luck_of
    if ordered:
        sequence = np.lexsort((positions, repetitions, stages))
        lines, code, shared = lines[sequence], code[sequence], luck_of[sequence]
    elif len(code) > FOLD_ABOVE:
        # Folded rows come in an order that does not depend on how outcomes are numbered.
        rank = _ranks(outcomes)
        folded, counts = np.unique(lines * len(rank) + rank[code], return_counts=True)
        lines, code = folded // len(rank), np.argsort(rank)[folded % len(rank)]
        shared = None
    width = max((row["seats"] for row in games), default=0)
    payoffs = np.full((len(outcomes), width), np.nan)
    offender = np.full(len(outcomes), -1, dtype=np.int8)
    for number, outcome in outcomes.items():
        payoffs[number, : len(outcome.payoffs)] = outcome.payoffs
        offender[number] = outcome.offender
    seats, game_of = _seat_tables(games, agents, list(seatings), width)
    return ResultSet(
        agents=[row["label"] for row in agents],
        games=[row["label"] for row in games],
        game=game_of[lines],
        seating=seats[lines],
        payoffs=payoffs[code],
        offender=offender[code],
        count=counts.astype(np.int64),
        ordered=ordered,
        teams=[tuple(json.loads(row["teams"])) for row in games],
        cooperative=[row["payoff"] == "cooperative" for row in games],
        block=shared,
    )


def _seat_tables(
    games: Sequence[Mapping[str, Any]],
    agents: Sequence[Mapping[str, Any]],
    seatings: Sequence[tuple[int, str]],
    width: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return agent index by (line, seat), −1 beyond a game's seats, and game index by line."""
    game_index = {row["id"]: i for i, row in enumerate(games)}
    agent_index = {row["id"]: i for i, row in enumerate(agents)}
    seats = np.full((len(seatings), width), -1, dtype=np.int32)
    game_of = np.zeros(len(seatings), dtype=np.int32)
    for line, (game, seating) in enumerate(seatings):
        own = [agent_index[agent] for agent in json.loads(seating)]
        seats[line, : len(own)] = own
        game_of[line] = game_index[game]
    return seats, game_of


def _ranks(outcomes: Mapping[int, Outcome]) -> Any:
    """Return the place of each outcome in an order of their contents, shape (outcomes,)."""
    order = sorted(
        outcomes,
        key=lambda n: (
            outcomes[n].payoffs,
            outcomes[n].offender,
            outcomes[n].fault,
            outcomes[n].truncated,
        ),
    )
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank
