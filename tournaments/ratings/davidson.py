"""The default rating: Bradley–Terry in Davidson's form, with honest uncertainty.

1. Fold the results to pair counts (`tally`).
2. Fit strengths, seat effects and the share of draws together, by Newton's method on
   the concave log posterior (`_likelihood`, eqs. 1–2).
3. Joint covariance: the inverse Hessian H⁻¹ where comparisons are independent. Where
   they are not (pairs of one match with more than two sides, matches that share their
   luck) the sandwich H⁻¹ S H⁻¹, S the sum over clusters of the outer products of their
   scores (Liang and Zeger 1986), with S drawn towards H by the weight of `_SHRINK`
   matches an agent, because the scores of a few one-sided matches say nothing.
4. Intervals from the covariance, ranks from all pairwise differences (`_compare`), and
   warnings for what the data cannot support (`_diagnose`).

Sources: Davidson 1970, Davidson and Beaver 1977 (model); Liang and Zeger 1986
(sandwich). Ratings stand on Elo's scale: 400 points are odds of ten to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, lapack
from scipy.special import ndtri

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from solvers._threads import single_threaded
from tournaments.ratings._diagnose import diagnose
from tournaments.ratings._likelihood import (
    Model,
    build,
    cluster_scores,
    evaluate,
    prior_information,
    slope,
)
from tournaments.ratings._summary import board
from tournaments.ratings.leaderboard import Leaderboard
from tournaments.ratings.selection import only, played_games, select
from tournaments.ratings.tally import Tally, tally
from tournaments.records import ResultSet

__all__ = ["ELO", "DavidsonFit", "davidson", "fit"]

ELO = 400.0 / float(np.log(10.0))
"""Elo points of one unit of log odds."""

Factor: TypeAlias = "tuple[NDArray[np.float64], bool | None]"

_SHRINK = 5.0
_STALE = 0.01
"""Keep a factorised Hessian while each step promises this much less than the one before."""
_MOST = 8000
"""Parameters beyond which a dense Hessian (0.5 GB) is refused."""


@dataclass(frozen=True, eq=False)
class DavidsonFit:
    """A fitted model; everything in log odds.

    Attributes:
        agents: labels, length K.
        strength: centred to mean 0, shape (K,).
        covariance: of `strength`, shape (K, K); None when it was not asked for.
        advantage: effect of each position by game, centred, for games with seat effects.
        advantage_error: their standard errors.
        draw: ln ν by game, for games with draws.
        log_posterior: at the maximum.
        iterations: Newton steps taken.
        converged: whether the last step was negligible.
        robust: whether the covariance is the sandwich.
    """

    agents: tuple[str, ...]
    strength: NDArray[np.float64]
    covariance: NDArray[np.float64] | None
    advantage: Mapping[str, NDArray[np.float64]]
    advantage_error: Mapping[str, NDArray[np.float64]]
    draw: Mapping[str, float]
    log_posterior: float
    iterations: int
    converged: bool
    robust: bool


def davidson(
    results: ResultSet,
    *,
    level: float = 0.95,
    prior: float = 1.0,
    advantage: bool = True,
    covariance: str = "auto",
    intervals: bool = True,
    anchor: str | None = None,
    anchor_rating: float = 0.0,
    per_game: bool = True,
) -> Leaderboard:
    """Rate agents by Davidson's model.

    Args:
        results: matches; cooperative games are left out, with a warning.
        level: level of the intervals, and of all rank statements together.
        prior: weight of the prior in matches an agent, half won and half lost against an
            average agent; keeps one-sided and sparse data finite.
        advantage: fit an effect of each seat, by game.
        covariance: `auto` (robust where comparisons depend on each other), `hessian` or
            `cluster`.
        intervals: without them only the ratings are computed.
        anchor: agent whose rating is fixed; otherwise the mean of all agents is.
        anchor_rating: the rating of the anchor, or the mean.
        per_game: add one leaderboard a game where several games were played.

    Raises:
        ParameterError: a setting out of range, or no matches.
        UnknownNameError: an anchor that did not play.
        NotApplicableError: no match has two sides.
    """
    if not 0.0 < level < 1.0:
        raise ParameterError("level", level, "a number between 0 and 1")
    if anchor is not None and anchor not in results.agents:
        raise UnknownNameError("agent", anchor, results.agents, hint="the anchor must have played")
    data = tally(results)
    rivals = sorted({c.game for c in data.contests})
    played = select(results, rivals)
    fitted = fit(data, prior=prior, advantage=advantage, covariance=covariance, intervals=intervals)
    rating = ELO * fitted.strength + anchor_rating
    joint = None if fitted.covariance is None else ELO * ELO * fitted.covariance
    scale = f"Elo, mean {anchor_rating:g}"
    if anchor is not None:
        rating, joint = _anchor(rating, joint, list(results.agents).index(anchor), anchor_rating)
        scale = f"Elo, {anchor} at {anchor_rating:g}"
    error = None if joint is None else np.sqrt(np.maximum(np.diag(joint), 0.0))
    warnings, group = diagnose(played, data, fitted, error, prior=prior)
    if left_out := sorted(set(played_games(results)) - set(rivals)):
        names = ", ".join(results.games[g] for g in left_out)
        warnings.insert(0, f"{names}: no two sides, left out of this rating (see method 'payoff')")
    by_game = {}
    if per_game and len(rivals) > 1:
        by_game = {
            results.games[g]: davidson(
                part,
                level=level,
                prior=prior,
                advantage=advantage,
                covariance=covariance,
                intervals=intervals,
                anchor=anchor if anchor in part.agents else None,
                anchor_rating=anchor_rating,
            )
            for g in rivals
            for part in [only(results, g)]
        }
    return board(
        played,
        rating,
        method="davidson",
        scale=scale,
        level=level,
        covariance=joint,
        half_width=None if error is None else float(ndtri(0.5 + 0.5 * level)) * error,
        group=group,
        warnings=warnings,
        details=_details(fitted),
        by_game=by_game,
        data=data,
    )


@single_threaded
def fit(
    data: Tally,
    *,
    prior: float = 1.0,
    advantage: bool = True,
    covariance: str = "auto",
    intervals: bool = True,
    tolerance: float = 1e-10,
    iterations: int = 100,
) -> DavidsonFit:
    """Fit the model to pair counts; settings as in `davidson`.

    Args:
        data: from `tally`.
        prior: see `davidson`.
        advantage: see `davidson`.
        covariance: see `davidson`.
        intervals: see `davidson`.
        tolerance: stop when a step promises to add less than this to the log posterior.
        iterations: stop here in any case; `converged` then says so.
    """
    if not (np.isfinite(prior) and prior >= 0.0):
        raise ParameterError("prior", prior, "a number of matches, 0 or more")
    if covariance not in ("auto", "hessian", "cluster"):
        raise ParameterError("covariance", covariance, "auto, hessian or cluster")
    model = build(data, prior=prior, advantage=advantage)
    if model.size > _MOST:
        raise NotApplicableError(
            f"{model.size} parameters are too many for a joint fit; the limit is {_MOST}"
        )
    x = model.center
    value, gradient, information = evaluate(model, x)
    factor, fresh, last = _factor(information), True, np.inf
    converged, count = False, 0
    while not converged and count < iterations:
        step = _solve(factor, gradient)
        gain = 0.5 * float(gradient @ step)
        if not fresh and gain > _STALE * last:
            # The old curvature no longer serves.
            value, gradient, information = evaluate(model, x)
            factor, fresh = _factor(information), True
            continue
        count += 1
        x, value, gradient, length = _advance(model, x, step, value)
        converged = gain < max(tolerance, 1e-15 * abs(value)) and length == 1.0
        fresh, last = False, gain
    if intervals:
        information = evaluate(model, x)[2]
    full, robust = None, data.dependent and covariance != "hessian"
    if intervals:
        full = _inverse(information)
        if robust:
            full = full @ _meat(model, x, information) @ full
    return _finish(
        model,
        x,
        full,
        log_posterior=value,
        iterations=count,
        converged=converged,
        robust=robust and intervals,
    )


def _finish(
    model: Model,
    x: NDArray[np.float64],
    full: NDArray[np.float64] | None,
    *,
    log_posterior: float,
    iterations: int,
    converged: bool,
    robust: bool,
) -> DavidsonFit:
    """Centre strengths (K,) and seat effects, and their part of the covariance (P, P)."""
    data, size = model.tally, len(model.tally.agents)
    joint = None
    if full is not None:
        joint = full[:size, :size]
        mean = joint.mean(axis=0)
        joint = joint - mean[None, :] - mean[:, None] + mean.mean()
    effects, errors = {}, {}
    for g, places in enumerate(model.seat):
        if places:
            center = np.eye(len(places)) - 1.0 / len(places)
            effects[data.games[g]] = center @ x[list(places)]
            if full is not None:
                block = center @ full[np.ix_(places, places)] @ center
                errors[data.games[g]] = np.sqrt(np.maximum(np.diag(block), 0.0))
    return DavidsonFit(
        tuple(data.agents),
        x[:size] - x[:size].mean(),
        joint,
        effects,
        errors,
        {data.games[g]: float(x[k]) for g, k in enumerate(model.draw) if k >= 0},
        log_posterior,
        iterations,
        converged,
        robust,
    )


def _meat(
    model: Model, x: NDArray[np.float64], information: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return S of the sandwich (P, P): cluster scores, drawn towards H where matches are few."""
    scores = cluster_scores(model, x)
    copies = model.tally.copies
    raw = np.asarray((scores.T @ scores.multiply(copies[:, None]).tocsr()).todense())
    clusters = float(copies.sum())
    spare = max(clusters - model.size, 0.5 * clusters)
    # Information counted in even matches, each worth a quarter.
    even = 4.0 * np.maximum(np.diag(information) - prior_information(model, x), 0.0)
    own = np.sqrt(_SHRINK / (_SHRINK + even))
    rest = np.sqrt(1.0 - own * own)
    prior = np.diag(prior_information(model, x))
    blend = (rest[:, None] * (raw * (clusters / spare) + prior)) * rest[None, :]
    return np.asarray(blend + (own[:, None] * information) * own[None, :])


def _advance(
    model: Model, x: NDArray[np.float64], step: NDArray[np.float64], value: float
) -> tuple[NDArray[np.float64], float, NDArray[np.float64], float]:
    """Go along `step`, halved until the value does not fall; return x, value, gradient, length."""
    length = 1.0
    while True:
        trial = x + length * step
        new, gradient = slope(model, trial)
        if new >= value - 1e-12 * abs(value) or length < 1e-6:
            return trial, new, gradient, length
        length *= 0.5


def _factor(information: NDArray[np.float64]) -> Factor:
    try:
        lower, is_lower = cho_factor(information, lower=True, check_finite=False)
    except LinAlgError:
        # Without a prior the common shift is free; the shortest step is as good as any.
        return np.asarray(np.linalg.pinv(information, hermitian=True)), None
    return lower, bool(is_lower)


def _solve(factor: Factor, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    if factor[1] is None:
        return np.asarray(factor[0] @ gradient)
    return np.asarray(cho_solve(factor, gradient, check_finite=False))


def _inverse(information: NDArray[np.float64]) -> NDArray[np.float64]:
    factor, failed = lapack.dpotrf(information, lower=1, clean=0)
    if failed:
        return np.asarray(np.linalg.pinv(information, hermitian=True))
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    lower = np.tril(lower)
    return np.asarray(lower + np.tril(lower, -1).T)


def _anchor(
    rating: NDArray[np.float64],
    joint: NDArray[np.float64] | None,
    k: int,
    value: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Measure everything from agent k."""
    rating = rating - rating[k] + value
    if joint is not None:
        joint = joint - joint[k][None, :] - joint[:, k][:, None] + joint[k, k]
    return rating, joint


def _details(fitted: DavidsonFit) -> dict[str, float]:
    details = {"log_posterior": fitted.log_posterior, "iterations": float(fitted.iterations)}
    for game, effect in fitted.advantage.items():
        error = fitted.advantage_error.get(game)
        for position, value in enumerate(effect.tolist()):
            # Against the mean of the other positions, so that with two seats this is
            # the first-seat advantage in Elo.
            share = len(effect) / (len(effect) - 1)
            details[f"advantage of seat {position} in {game}"] = ELO * value * share
            if error is not None:
                details[f"its standard error, seat {position} in {game}"] = (
                    ELO * float(error[position]) * share
                )
    for game, value in fitted.draw.items():
        nu = float(np.exp(value))
        details[f"draws between equals in {game}"] = nu / (2.0 + nu)
    return details
