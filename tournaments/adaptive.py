"""Which pairs to play next: to find the best agent, or to place newcomers.

Both goals work on the posterior of Davidson's model (`tournaments.ratings.davidson`),
normal around the fit with its joint covariance.

`best`: top-two Thompson sampling. Draw strengths from the posterior; the best of the
draw meets the best of a further draw that names another agent (Russo 2020, "Simple
Bayesian algorithms for best-arm identification", adapted to duels).

`place` and `rank`: the pair whose game is expected to tell most,

    ½ ln(1 + I · Var(θ_i − θ_j)),   I the Fisher information of one game                (1)

averaged over the posterior of the gap; after each choice the covariance is updated
as if the game had been played, so that a batch spreads out. `rank` looks at all pairs,
`place` at those of a newcomer.

Before either, every agent is given its minimum of games.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from tournaments.ratings.davidson import DavidsonFit, fit
from tournaments.ratings.tally import Tally

__all__ = ["Goal", "next_pairs"]

Array = NDArray[np.float64]
Goal = Literal["best", "place", "rank"]

_TRIES = 200


def next_pairs(
    tally: Tally | None,
    *,
    goal: Goal,
    batch: int,
    rng: np.random.Generator,
    agents: Sequence[str] | None = None,
    newcomers: Sequence[str] | None = None,
    min_games: int = 4,
    prior: float = 1.0,
) -> list[tuple[str, str]]:
    """Return the pairs to play next; play each in both seat orders where seats matter.

    Args:
        tally: results so far; None before the first game.
        goal: `best` (who is best?), `rank` (the whole order) or `place` (where do the
            newcomers stand among the others?).
        batch: how many pairs.
        rng: the only source of chance.
        agents: all who may play; the tally's agents by default. Those without games may
            be missing from the tally; others in the tally count as evidence only.
        newcomers: for `place`; by default the agents with the fewest games.
        min_games: every agent has this many games before the goal is pursued.
        prior: weight of the model's prior (see `davidson`).

    Raises:
        ParameterError: fewer than two agents, or a setting out of range.
        UnknownNameError: a newcomer that is not among `agents`.
    """
    names = _check(tally, agents, newcomers, goal=goal, batch=batch, min_games=min_games)
    strength, covariance, nu, games = _belief(tally, names, prior)
    chosen: list[tuple[int, int]] = []
    _give_minimum(chosen, games, batch=batch, min_games=min_games, rng=rng)
    if goal == "best":
        root = _root(covariance)
        while len(chosen) < batch:
            chosen.append(_top_two(strength, root, rng))
    else:
        focus = np.ones(len(names), dtype=np.bool_)
        if goal == "place":
            focus[:] = False
            fewest = [names[k] for k in np.flatnonzero(games <= games.min()).tolist()]
            focus[[names.index(name) for name in (newcomers or fewest)]] = True
        while len(chosen) < batch:
            pair = _most_informative(strength, covariance, nu, focus, rng)
            covariance = _after(covariance, pair, nu, strength)
            chosen.append(pair)
    return [(names[i], names[j]) for i, j in chosen]


def _check(
    tally: Tally | None,
    agents: Sequence[str] | None,
    newcomers: Sequence[str] | None,
    *,
    goal: str,
    batch: int,
    min_games: int,
) -> list[str]:
    """Return the agents' names, or refuse the arguments of `next_pairs`."""
    if goal not in ("best", "place", "rank"):
        raise ParameterError("goal", goal, "best, place or rank")
    if batch < 1:
        raise ParameterError("batch", batch, "1 or more")
    if min_games < 0:
        raise ParameterError("min_games", min_games, "0 or more")
    if agents is None:
        agents = [] if tally is None else list(tally.agents)
    names = list(agents)
    if len(names) < 2:
        raise ParameterError("agents", names, "at least two agents")
    if len(set(names)) < len(names):
        raise ParameterError("agents", names, "agents of different names")
    for name in newcomers or ():
        if name not in names:
            raise UnknownNameError("agent", name, names)
    return names


def _belief(
    tally: Tally | None, names: Sequence[str], prior: float
) -> tuple[Array, Array, float, Array]:
    """Return posterior mean (K,) and covariance (K, K), ν, and games by agent (K,)."""
    playing = len(names)
    known = set(names)
    # Those who no longer play are part of the fit, and left out of what is returned.
    names = [*names, *(a for a in (tally.agents if tally else ()) if a not in known)]
    size = len(names)
    # Alone, the prior leaves a variance of 4 / prior.
    alone = 4.0 / max(prior, 1e-3)
    strength, games = np.zeros(size), np.zeros(size)
    covariance = np.eye(size) * alone
    if tally is None:
        return strength, covariance, 0.0, games
    found: DavidsonFit = fit(tally, prior=prior)
    index = {name: k for k, name in enumerate(names)}
    place = np.array([index[name] for name in tally.agents])
    strength[place] = found.strength
    if found.covariance is not None:
        covariance[np.ix_(place, place)] = found.covariance
    games[place] = tally.comparisons()
    nu = float(np.mean([np.exp(d) for d in found.draw.values()])) if found.draw else 0.0
    return strength[:playing], covariance[:playing, :playing], nu, games[:playing]


def _give_minimum(
    chosen: list[tuple[int, int]],
    games: Array,
    *,
    batch: int,
    min_games: int,
    rng: np.random.Generator,
) -> None:
    """Append pairs (to `chosen`) until each agent has its minimum, counting `games` up."""
    while len(chosen) < batch and float(games.min()) < min_games:
        noise = rng.random(len(games))
        # Those with the fewest games meet each other; chance decides among equals.
        order = np.lexsort((noise, games))
        i = int(order[0])
        j = int(order[1])
        chosen.append((i, j) if rng.random() < 0.5 else (j, i))
        games[[i, j]] += 1


def _top_two(strength: Array, root: Array, rng: np.random.Generator) -> tuple[int, int]:
    """Return the best of one draw and the best of another that disagrees."""
    draws = strength + rng.standard_normal((_TRIES, len(strength))) @ root.T
    best = draws.argmax(axis=1)
    first = int(best[0])
    others = np.flatnonzero(best != first)
    if len(others):
        second = int(best[others[0]])
    else:
        # No draw disagrees: the agent most often second in them.
        draws[:, first] = -np.inf
        second = int(np.bincount(draws.argmax(axis=1), minlength=len(strength)).argmax())
    return (first, second) if rng.random() < 0.5 else (second, first)


def _root(covariance: Array) -> Array:
    """Return R with R Rᵀ = covariance, also where it is singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _expected_fisher(gap: Array, spread: Array, nu: float) -> Array:
    """Return the Fisher information of one game, its gap normal with variance `spread`.

    By MacKay's approximation for the logistic function: flattened by κ = 1/√(1 + π s/8).
    """
    flat = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * np.maximum(spread, 0.0))
    return np.asarray(flat * _fisher(flat * gap, nu))


def _fisher(gap: Array, nu: float) -> Array:
    """Return the Fisher information of one game about the gap of its two agents."""
    root = np.exp(-0.5 * np.abs(gap))
    z = 1.0 + root * root + nu * root
    lead = (1.0 - root * root) / z
    return np.asarray(0.25 * (1.0 - nu * root / z - lead * lead))


def _most_informative(
    strength: Array,
    covariance: Array,
    nu: float,
    focus: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Return the pair with the largest gain (1) that has an agent of `focus` in it."""
    gap = strength[:, None] - strength[None, :]
    variance = np.diag(covariance)
    spread = variance[:, None] + variance[None, :] - 2.0 * covariance
    gain = np.log1p(_expected_fisher(gap, spread, nu) * spread)
    gain[~(focus[:, None] | focus[None, :])] = -np.inf
    np.fill_diagonal(gain, -np.inf)
    best = np.argwhere(gain >= gain.max() - 1e-12)
    i, j = best[int(rng.integers(len(best)))].tolist()
    return int(i), int(j)


def _after(covariance: Array, pair: tuple[int, int], nu: float, strength: Array) -> Array:
    """Return the covariance after one more game of `pair` (a rank-one update)."""
    i, j = pair
    column = covariance[:, i] - covariance[:, j]
    spread = float(column[i] - column[j])
    gap = strength[i] - strength[j]
    weight = float(_expected_fisher(gap, np.array(spread), nu))
    return np.asarray(covariance - np.outer(column, column) * (weight / (1.0 + weight * spread)))
