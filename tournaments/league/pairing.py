"""Which matches a league plays next: a pure function of its results.

1. Choose pairings: those that tell most about the newcomers while there are any, then
   those where the whole table is least certain. On the Elo scale by the Davidson
   posterior (`tournaments.adaptive`), on the payoff scale by the errors of the payoff
   matrix.
2. A pairing plays every game, in all seat orders on the same chance seeds. Games of more
   sides than two take further members, those with the fewest matches first.
3. Pairings chosen several times play so many seeds. The more matches those in question
   have, the more seeds a pairing plays, so that the number of batches grows with the
   logarithm of the number of matches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from tournaments.adaptive import next_pairs
from tournaments.crossplay import PayoffMatrix, payoff_matrix
from tournaments.league.settings import Placement
from tournaments.plan import Board
from tournaments.ratings.cross_play import cell_errors
from tournaments.ratings.selection import only
from tournaments.ratings.tally import Tally
from tournaments.records import ResultSet
from tournaments.schedule import sides_of

__all__ = ["Group", "choose_groups", "payoff_pairs", "seatings"]

_GROWTH = 0.1
"""A batch adds about this share to the matches that newcomers have, once they have many."""


@dataclass(frozen=True)
class Group:
    """Members that meet in one game.

    Attributes:
        game: index of the board.
        members: index of each, one a side.
        count: chance seeds, each played in all seat orders.
    """

    game: int
    members: tuple[int, ...]
    count: int


def choose_groups(
    boards: Sequence[Board],
    names: Sequence[str],
    *,
    results: ResultSet | None,
    tally: Tally | None,
    games: Mapping[str, int],
    newcomers: Sequence[str],
    placement: Placement,
    by_payoff: bool,
    rng: np.random.Generator,
) -> list[Group]:
    """Return the next batch.

    Args:
        boards: the league's games.
        names: labels of those who can play.
        results: all results, also of members that have left; None before the first match.
        tally: the same, folded; None on the payoff scale or before the first match.
        games: matches by label.
        newcomers: those of `names` that are not placed.
        placement: settings.
        by_payoff: whether mean payoff ranks.
        rng: the only source of chance.
    """
    size = placement.batch
    if by_payoff:
        pairs = payoff_pairs(results, names, newcomers=newcomers, batch=size, rng=rng)
    else:
        pairs = next_pairs(
            tally,
            goal="place" if newcomers else "rank",
            batch=size,
            rng=rng,
            agents=names,
            newcomers=newcomers or None,
            min_games=placement.min_matches,
        )
    focus = newcomers or names
    each = sum(len(_orders(_sides(board))) for board in boards) * size
    fewest = min(games.get(name, 0) for name in focus)
    factor = max(1, int(_GROWTH * fewest * len(focus) / each))
    index = {name: k for k, name in enumerate(names)}
    times = Counter(tuple(sorted((index[a], index[b]))) for a, b in pairs)
    seen = np.array([float(games.get(name, 0)) for name in names])
    groups = []
    for pair, count in sorted(times.items()):
        for game, board in enumerate(boards):
            members = _filled(pair, _sides(board), seen, rng)
            seen[list(members)] += count * factor
            groups.append(Group(game, members, count * factor))
    return groups


def seatings(board: Board, members: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the seat orders that a group plays: all of up to 3 sides, rotations of more."""
    places = sides_of(board) if not _shared(board) else [[s] for s in range(board.seats)]
    found: dict[tuple[int, ...], None] = {}
    for order in _orders(len(places)):
        seating = [0] * board.seats
        for side, k in enumerate(order):
            for seat in places[side]:
                seating[seat] = members[k]
        found[tuple(seating)] = None
    return list(found)


def payoff_pairs(
    results: ResultSet | None,
    names: Sequence[str],
    *,
    newcomers: Sequence[str],
    batch: int,
    rng: np.random.Generator,
) -> list[tuple[str, str]]:
    """Return the pairs whose next match shrinks the error of a mean payoff most.

    Every pair that has not met comes first: the mean is over all of them.

    Args:
        results: so far; None before the first match.
        names: those who can play.
        newcomers: pairs have one of these in them; all pairs count if there are none.
        batch: how many pairs.
        rng: decides among equals.
    """
    size = len(names)
    square, matches = _cells(results, names)
    allowed = ~np.eye(size, dtype=np.bool_)
    if newcomers:
        fresh = np.array([name in set(newcomers) for name in names])
        allowed &= fresh[:, None] | fresh[None, :]
    chosen = []
    for _ in range(batch):
        # One more match takes spread/n − spread/(n+1) off the variance of the cell's mean.
        gain = np.where(matches > 0, square / np.maximum(matches * (matches + 1), 1.0), np.inf)
        gain[~allowed] = -np.inf
        fewest = np.where(gain == gain.max(), matches, np.inf)
        best = np.argwhere((gain == gain.max()) & (fewest == fewest.min()))
        i, j = best[int(rng.integers(len(best)))].tolist()
        matches[i, j] += 1
        matches[j, i] += 1
        chosen.append((names[i], names[j]))
    return chosen


def _cells(
    results: ResultSet | None, names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variance of one match of each pair and how many there were, (K, K) each."""
    size = len(names)
    square, matches = np.zeros((size, size)), np.zeros((size, size))
    if results is None:
        return square, matches
    for g in np.unique(results.game).tolist():
        matrix: PayoffMatrix = payoff_matrix(only(results, g))
        mine = [k for k, name in enumerate(matrix.agents) if name in names]
        if not mine:
            continue
        place = [names.index(matrix.agents[k]) for k in mine]
        n = matrix.matches[np.ix_(mine, mine)].astype(np.float64)
        error = cell_errors(matrix)[np.ix_(mine, mine)]
        own = np.where(n > 0, np.nan_to_num(error) ** 2 * n, 0.0)
        here = np.ix_(place, place)
        # Several games: the least certain one decides.
        square[here] = np.maximum(square[here], np.maximum(own, own.T))
        matches[here] += n
    return square, matches


def _shared(board: Board) -> bool:
    return board.payoff == "cooperative"


def _sides(board: Board) -> int:
    return board.seats if _shared(board) else len(sides_of(board))


def _orders(sides: int) -> list[tuple[int, ...]]:
    if sides <= 3:
        return list(permutations(range(sides)))
    return [tuple((s + k) % sides for s in range(sides)) for k in range(sides)]


def _filled(
    pair: tuple[int, ...], sides: int, seen: NDArray[np.float64], rng: np.random.Generator
) -> tuple[int, ...]:
    """Return `pair` and as many others as a game has further sides, fewest matches first.

    Where there are not enough, copies of the two fill the rest (cooperative games only;
    others are refused before).
    """
    members = list(pair)
    if sides > 2:
        order = np.lexsort((rng.random(len(seen)), seen))
        members += [int(k) for k in order if k not in pair][: sides - 2]
    while len(members) < sides:
        members.append(pair[len(members) % 2])
    return tuple(members)
