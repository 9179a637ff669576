"""What the data cannot support, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, shortest_path

from tournaments.ratings.selection import compare
from tournaments.ratings.tally import Tally
from tournaments.records import ResultSet

if TYPE_CHECKING:
    from tournaments.ratings.davidson import DavidsonFit

__all__ = ["diagnose"]

_FEW = 10
_WIDE = 100.0
_CYCLE = 3.5
"""Standard errors by which a head-to-head score must differ from even to count."""


def diagnose(
    results: ResultSet,
    data: Tally,
    fitted: DavidsonFit,
    error: NDArray[np.float64] | None,
    *,
    prior: float,
) -> tuple[list[str], NDArray[np.int64]]:
    """Look at a Davidson fit.

    Args:
        results: what was played.
        data: its tally.
        fitted: the fit.
        error: standard errors in Elo, shape (K,), if there are any.
        prior: weight of the prior.

    Returns:
        Warnings, and the group of each agent, shape (K,): a path of games joins those of
        one group, and the data cannot order agents of different ones.
    """
    warnings = []
    won, drawn = _agent_pairs(data)
    beats = won + drawn
    group = np.asarray(connected_components(beats, directed=False)[1], dtype=np.int64)
    if not fitted.converged:
        warnings.append(f"the fit did not converge in {fitted.iterations} steps")
    warnings += _disconnected(data, group)
    warnings += _one_sided(data, beats)
    warnings += _few(data, error)
    warnings += _cycles(data, won)
    warnings += _seats(data, fitted, prior)
    warnings += _general_sum(results, data)
    return warnings, group


def _agent_pairs(data: Tally) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return wins and draws of agent over agent, sparse (K, K); a line-up is all its members."""
    size = len(data.units)
    shape = (size, size)
    first = np.concatenate([c.first for c in data.contests])
    second = np.concatenate([c.second for c in data.contests])
    won = _table(
        shape,
        (np.concatenate([c.wins for c in data.contests]), first, second),
        (np.concatenate([c.losses for c in data.contests]), second, first),
    )
    draws = np.concatenate([c.draws for c in data.contests])
    drawn = _table(shape, (draws, first, second), (draws, second, first))
    agents = len(data.agents)
    if size > agents:
        rows = [u for u, line in enumerate(data.units) for _ in set(line)]
        columns = [agent for line in data.units for agent in set(line)]
        member = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, agents))
        won, drawn, shape = member.T @ won @ member, member.T @ drawn @ member, (agents, agents)
        # Partners share a line-up: they are joined, but neither beat the other.
        together = member[agents:].T @ member[agents:]
        drawn = drawn + 1e-9 * together
        won, drawn = _table(shape, _cells(won)), _table(shape, _cells(drawn))
    return won, drawn


Cells = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


def _cells(table: sparse.csr_matrix) -> Cells:
    cells = table.tocoo()
    return cells.data, cells.row, cells.col


def _table(shape: tuple[int, int], *parts: Cells) -> sparse.csr_matrix:
    """Return the sum of the parts without empty cells and without the diagonal."""
    kept = [(n[k], (i[k], j[k])) for n, i, j in parts for k in [(n > 0.0) & (i != j)]]
    return sum(
        (sparse.csr_matrix(part, shape=shape) for part in kept), start=sparse.csr_matrix(shape)
    )


def _disconnected(data: Tally, group: NDArray[np.int64]) -> list[str]:
    warnings = []
    for other in range(1, int(group.max(initial=0)) + 1):
        a = data.agents[int(np.flatnonzero(group == 0)[0])]
        b = data.agents[int(np.flatnonzero(group == other)[0])]
        if other > 3:
            warnings.append(f"… and {int(group.max()) - 3} further groups of agents are apart")
            break
        warnings.append(
            f"the data cannot order {a} and {b}: no path of games connects them, "
            "only the prior puts them on one scale"
        )
    return warnings


def _one_sided(data: Tally, beats: sparse.csr_matrix) -> list[str]:
    """Name agents whose rating has no finite maximum without the prior (Ford 1957)."""
    count, strong = connected_components(beats, directed=True, connection="strong")
    if count == 1 or len(data.agents) == 1:
        return []
    _, weak = connected_components(beats, directed=False)
    warnings = []
    for group in range(int(weak.max()) + 1):
        inside = weak == group
        parts, sizes = np.unique(strong[inside], return_counts=True)
        if len(parts) == 1:
            continue
        main = parts[int(np.argmax(sizes))]
        lone = [data.agents[k] for k in np.flatnonzero(inside & (strong != main)).tolist()]
        shown = ", ".join(lone[:5]) + (f" and {len(lone) - 5} more" if len(lone) > 5 else "")
        verb = "s" if len(lone) == 1 else ""
        warnings.append(
            f"one-sided results: only the prior keeps {shown} finite "
            f"(won or lost everything against the others, or against those that did); "
            f"more games against closer opponents would settle where {shown} stand{verb}"
        )
    return warnings


def _few(data: Tally, error: NDArray[np.float64] | None) -> list[str]:
    warnings = []
    seen = data.comparisons()
    few = np.flatnonzero(seen < _FEW)
    if len(few):
        names = ", ".join(f"{data.agents[k]} ({seen[k]:.0f})" for k in few[:5])
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        warnings.append(f"too few games, below {_FEW}: {names}{more}")
    if error is not None and len(error) > 1 and float(error.max()) > _WIDE:
        k = int(np.argmax(error))
        warnings.append(
            f"too few games: widest interval ±{1.96 * error[k]:.0f} Elo, {data.agents[k]}"
        )
    return warnings


def _cycles(data: Tally, won: sparse.csr_matrix) -> list[str]:
    """Name a cycle in which each agent clearly beats the next."""
    size = len(data.agents)
    wins, row, column = _cells(won)
    # The sign test on decisive games, which fewer wins than this cannot pass.
    enough = wins > _CYCLE**2
    wins, row, column = wins[enough], row[enough], column[enough]
    if len(row) == 0:
        return []
    losses = np.asarray(won[column, row]).ravel()
    clear = wins - losses > _CYCLE * np.sqrt(wins + losses)
    edges = (np.ones(int(clear.sum())), (row[clear], column[clear]))
    graph = sparse.csr_matrix(edges, shape=(size, size))
    count, strong = connected_components(graph, directed=True, connection="strong")
    if count == size:
        return []
    inside = np.flatnonzero(strong == np.argmax(np.bincount(strong)))
    part = graph[inside][:, inside]
    distance, before = shortest_path(part, unweighted=True, return_predecessors=True)
    back = distance + np.where(part.toarray().T > 0, 1.0, np.inf)
    start, end = np.unravel_index(int(np.argmin(back)), back.shape)
    path = [int(end)]
    while path[-1] != start:
        path.append(int(before[start, path[-1]]))
    names = [data.agents[inside[k]] for k in reversed(path)]
    return [
        f"intransitive cycle: {' beats '.join([*names, names[0]])}; "
        "one number an agent cannot show this (see the cross-play matrix and method "
        "'nash_averaging')"
    ]


def _seats(data: Tally, fitted: DavidsonFit, prior: float) -> list[str]:
    """Say where seat and skill cannot be told apart."""
    warnings: list[str] = []
    if prior == 0.0:
        return warnings
    for g, name in enumerate(data.games):
        error = fitted.advantage_error.get(name)
        if error is None:
            continue
        # Alone, the prior leaves each of p effects a variance of 4 / prior.
        alone = np.sqrt(4.0 / prior * (1.0 - 1.0 / len(error)))
        n = sum(float((c.wins + c.draws + c.losses).sum()) for c in data.contests if c.game == g)
        if float(error.max()) > 0.5 * alone and n >= _FEW:
            warnings.append(
                f"{name}: the seats were not balanced, so the advantage of a seat and the "
                "skill of those who sat there cannot be told apart"
            )
    return warnings


def _general_sum(results: ResultSet, data: Tally) -> list[str]:
    if data.duels is not None and data.duels.constant_sum:
        return []
    names = []
    for g, name in enumerate(results.games):
        rows = slice(None) if len(results.games) == 1 else results.game == g
        paid = results.payoffs[rows, : len(results.teams[g])]
        if len(paid) == 0:
            continue
        total = sum(paid.T[1:], start=paid[:, 0])
        if bool((compare(total, np.full_like(total, total[0])) != 0).any()):
            names.append(name)
    if not names:
        return []
    return [
        f"{', '.join(names)}: payoffs are general-sum, and wins compare the payoffs within a "
        "match; method 'payoff' ranks by what was earned"
    ]
