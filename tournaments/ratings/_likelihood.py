"""Davidson's likelihood with seat effects: value, gradient, Hessian and cluster scores.

With e = θ_first − θ_second + a_s − a_t (strengths of the two units, effects of their
seats s and t) and ν = exp(δ), a comparison ends

    P(first) = exp(e/2) / Z,   P(draw) = ν / Z,   P(second) = exp(−e/2) / Z,
    Z = exp(e/2) + ν + exp(−e/2)                                                   (1)

which is Davidson (1970), eq. 2.1, with the order effect of Davidson and Beaver (1977);
without draws it is Bradley and Terry (1952) on the logistic scale. The strength of a
team is the mean of its members'. The prior adds, for each θ, each a and each δ − log 2,
`prior` matches half won and half lost against zero:

    −prior · log(2 cosh(x/2))                                                      (2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tournaments.ratings._kernels import slopes
from tournaments.ratings.tally import Contest, Tally

__all__ = ["Model", "build", "cluster_scores", "evaluate", "prior_information", "slope"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Model:
    """Where the parameters stand in one vector x of length P.

    Attributes:
        tally: the data.
        size: P. Agents come first (K of them), then seat effects, then draw parameters.
        seat: by game, the place of each position's effect; empty where it is not fitted.
        draw: by game, the place of δ; −1 in games without a draw.
        lineups: unit strengths from agents', shape (U, K), None if units are agents.
        prior: weight of the prior, in matches.
    """

    tally: Tally
    size: int
    seat: Sequence[Sequence[int]]
    draw: Sequence[int]
    lineups: sparse.csr_matrix | None
    prior: float

    @property
    def center(self) -> Array:
        """Where the prior has its mode, shape (P,)."""
        center = np.zeros(self.size)
        center[[k for k in self.draw if k >= 0]] = np.log(2.0)
        return center


def build(data: Tally, *, prior: float, advantage: bool) -> Model:
    """Lay out the parameters of `data`."""
    agents, units = len(data.agents), len(data.units)
    place = agents
    seat: list[list[int]] = [[] for _ in data.games]
    draw = [-1 for _ in data.games]
    for g in sorted({c.game for c in data.contests}):
        if advantage:
            seat[g] = list(range(place, place + data.positions[g]))
            place += data.positions[g]
    for g in sorted({c.game for c in data.contests if c.draws.any()}):
        draw[g] = place
        place += 1
    lineups = None
    if units > agents:
        rows = [u for u, line in enumerate(data.units) for _ in line]
        columns = [agent for line in data.units for agent in line]
        share = [1.0 / len(line) for line in data.units for _ in line]
        lineups = sparse.csr_matrix((share, (rows, columns)), shape=(units, agents))
    return Model(data, place, seat, draw, lineups, prior)


def evaluate(model: Model, x: Array) -> tuple[float, Array, Array]:
    """Return log posterior, gradient (P,) and negative Hessian (P, P) at x, shape (P,)."""
    return _derivatives(model, x, curved=True)


def slope(model: Model, x: Array) -> tuple[float, Array]:
    """Return log posterior and gradient (P,) at x, shape (P,)."""
    return _derivatives(model, x, curved=False)[:2]


def _derivatives(model: Model, x: Array, *, curved: bool) -> tuple[float, Array, Array]:
    """Return value, gradient and, if `curved`, the negative Hessian; otherwise zeros."""
    agents, units = len(model.tally.agents), len(model.tally.units)
    strength = _strength(model, x)
    # Units first, then everything that is no agent, as in x.
    size = units + model.size - agents
    gradient, value = np.zeros(size), 0.0
    edges = np.zeros((units, units) if curved else (1, 1))
    information = np.zeros((size, size) if curved else (1, 1))
    for contest in model.tally.contests:
        curves, crosses, sums = np.zeros(units), np.zeros(units), np.zeros(7)
        effects = _effects(model, contest, units - agents)
        shift, nu = _shift(model, contest, x)
        slopes(
            *(contest.first, contest.second, contest.wins, contest.draws, contest.losses),
            *(strength, shift, nu, contest.weight, gradient, curves, crosses, edges, sums),
            curved,
        )
        value += sums[0]
        for k, sign in effects:
            gradient[k] += sign * sums[1]
            if curved:
                information[:units, k] += sign * curves
                for j, other in effects:
                    information[k, j] += sign * other * sums[4]
        if (d := model.draw[contest.game]) >= 0:
            value += sums[2] * x[d]
            d += units - agents
            gradient[d] += sums[2] - sums[3]
            if curved:
                information[:units, d] += crosses
                information[d, d] += sums[5]
                for k, sign in effects:
                    information[k, d] += sign * sums[6]
                    information[d, k] += sign * sums[6]
    if curved:
        edges += edges.T.copy()
        information[:units, :units] -= edges
        information[np.arange(units), np.arange(units)] += edges.sum(axis=0)
        information[units:, :units] = information[:units, units:].T
    gradient, information = _to_agents(model, gradient, information, curved=curved)
    return _add_prior(model, x, value, gradient, information)


def prior_information(model: Model, x: Array) -> Array:
    """Return the diagonal that the prior adds to the negative Hessian, shape (P,)."""
    y = 0.5 * (x - model.center)
    return np.asarray(model.prior * 0.25 / np.cosh(np.minimum(np.abs(y), 300.0)) ** 2)


def cluster_scores(model: Model, x: Array) -> sparse.csr_matrix:
    """Return the score of each cluster of dependent comparisons at x, sparse (C, P)."""
    agents, units = len(model.tally.agents), len(model.tally.units)
    strength = _strength(model, x)
    size = units + model.size - agents
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    values: list[Array] = []
    for contest in model.tally.contests:
        if (links := contest.links) is None:
            continue
        p = _probabilities(model, contest, strength, x)
        times = links.count * contest.weight
        score = times * 0.5 * (links.outcome - p.lead[links.row])
        parts: list[tuple[NDArray[np.int64] | int, Array]]
        parts = [(contest.first[links.row], score), (contest.second[links.row], -score)]
        parts += [(k, sign * score) for k, sign in _effects(model, contest, units - agents)]
        if (d := model.draw[contest.game]) >= 0:
            parts.append((d + units - agents, times * ((links.outcome == 0) - p.draw[links.row])))
        for column, part in parts:
            rows.append(links.cluster)
            columns.append(np.broadcast_to(column, part.shape))
            values.append(part)
    cells = (np.concatenate(rows), np.concatenate(columns))
    scores = sparse.csr_matrix(
        (np.concatenate(values), cells), shape=(len(model.tally.copies), size)
    )
    if model.lineups is None:
        return scores
    return sparse.hstack([scores[:, :units] @ model.lineups, scores[:, units:]], format="csr")


@dataclass(frozen=True, eq=False)
class _Chances:
    """By row of a contest: P(first) − P(second) and P(draw), shape (E,) each."""

    lead: Array
    draw: Array


def _strength(model: Model, x: Array) -> Array:
    theta = x[: len(model.tally.agents)]
    return theta if model.lineups is None else np.asarray(model.lineups @ theta)


def _shift(model: Model, contest: Contest, x: Array) -> tuple[float, float]:
    """Return a_s − a_t and ν of (1)."""
    shift = sum(sign * float(x[k]) for k, sign in _effects(model, contest, 0))
    d = model.draw[contest.game]
    return shift, float(np.exp(min(x[d], 700.0))) if d >= 0 else 0.0


def _probabilities(model: Model, contest: Contest, strength: Array, x: Array) -> _Chances:
    shift, nu = _shift(model, contest, x)
    gap = strength[contest.first] - strength[contest.second] + shift
    size = np.abs(gap)
    root = np.exp(-0.5 * size)  # everything over exp(|e|/2), so that nothing overflows
    square = root * root
    z = 1.0 + square + nu * root
    lead = np.copysign((1.0 - square) / z, gap)
    return _Chances(lead, nu * root / z)


def _effects(model: Model, contest: Contest, shift: int) -> list[tuple[int, float]]:
    """Return the seat effects that enter e with their signs, `shift` places further on."""
    places = model.seat[contest.game]
    if not places:
        return []
    s, t = contest.positions
    return [(places[s] + shift, 1.0), (places[t] + shift, -1.0)]


def _to_agents(
    model: Model, gradient: Array, information: Array, *, curved: bool
) -> tuple[Array, Array]:
    """Turn derivatives by unit into derivatives by agent (a line-up is a mean)."""
    if model.lineups is None:
        return gradient, information
    rest = sparse.identity(model.size - len(model.tally.agents))
    change = sparse.block_diag([model.lineups, rest], format="csr")
    gradient = np.asarray(change.T @ gradient)
    if not curved:
        return gradient, information
    return gradient, np.asarray(change.T @ (change.T @ information).T)


def _add_prior(
    model: Model, x: Array, value: float, gradient: Array, information: Array
) -> tuple[float, Array, Array]:
    if model.prior > 0.0:
        y = 0.5 * (x - model.center)
        value -= model.prior * float(np.logaddexp(y, -y).sum())
        gradient -= model.prior * 0.5 * np.tanh(y)
        if information.shape == (model.size, model.size):
            information[np.diag_indices(model.size)] += prior_information(model, x)
    return value, gradient, information
