"""Sequential tests: is A stronger than B by elo1 rather than elo0, in as few games as it takes?

1. Games are scored in pairs on the same chance seed with seats swapped (five outcomes, 0
   to 2 points) where there are pairs, and singly (three outcomes) elsewhere. Luck that
   both games of a pair share then cancels, which saves games.
2. The generalised likelihood ratio compares the best distribution of outcomes with
   strength elo1 and the best with elo0:

       LLR = N Σ p̂_i ln(p1_i / p0_i)                                              (1)

   where each is the maximum-likelihood distribution under a constraint on the mean
   score, p_i = p̂_i / (1 + λ (a_i − s)), λ the root of Σ p̂_i (a_i − s)/(1 + λ(a_i − s)) = 0.
3. `logistic` Elo constrains the mean to s = 1/(1 + 10^(−elo/400)); `normalized` Elo the
   mean over the standard deviation of a game, (μ − ½)/σ = elo · ln(10)/800, linearised
   around the current distribution until it stands still.
4. Stop when (1) leaves (ln β/(1−α), ln (1−β)/α) (Wald 1945).

The ratio with the best-fitting spread is too sure of itself in short tests, as a normal
quantile is where Student's is due: error rates reach 5.4% at a nominal 5% in tests of 80
pairs. So (1) is multiplied by N/(N + 4), N outcomes, which is nothing in long tests and
keeps short ones below the nominal rates (`benchmarks/sprt_errors.py`).

Outcomes that have not been seen count 0.001 times, so that results of 0% and 100% have a
finite ratio and the test ends on them as on any other.

Sources: Wald 1945; Van den Bergh, "Comments on normalized Elo" (2020), and his notes on
the generalised test for multinomial outcomes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from tournaments.ratings.selection import check_results, compare
from tournaments.records import ResultSet

__all__ = ["Decision", "Sprt", "SprtResult", "game_counts", "log_likelihood_ratio"]

Array = NDArray[np.float64]
Decision = Literal["H0", "H1", "continue"]

_UNSEEN = 1e-3
_DAMPING = 4.0
_NORMALIZED = 800.0 / math.log(10.0)


@dataclass(frozen=True)
class SprtResult:
    """Where a test stands.

    Attributes:
        decision: `H1` (at least elo1), `H0` (at most elo0) or `continue`.
        llr: log-likelihood ratio.
        lower: accept H0 at or below it.
        upper: accept H1 at or above it.
        games: games counted.
        elo: estimated difference, on the test's scale.
        low: lower end of its 95% interval (not corrected for stopping early).
        high: upper end.
    """

    decision: Decision
    llr: float
    lower: float
    upper: float
    games: int
    elo: float
    low: float
    high: float


@dataclass(frozen=True)
class Sprt:
    """A sequential test of H1: elo ≥ elo1 against H0: elo ≤ elo0.

    Attributes:
        elo0: strength under H0.
        elo1: strength under H1, above elo0.
        alpha: probability of accepting H1 at elo0.
        beta: probability of accepting H0 at elo1.
        model: scale of elo0 and elo1, `logistic` or `normalized`.
    """

    elo0: float = 0.0
    elo1: float = 5.0
    alpha: float = 0.05
    beta: float = 0.05
    model: Literal["logistic", "normalized"] = "logistic"

    def __post_init__(self) -> None:
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if not 0.0 < value < 0.5:
                raise ParameterError(name, value, "a number between 0 and 0.5")
        if not (math.isfinite(self.elo0) and math.isfinite(self.elo1) and self.elo0 < self.elo1):
            raise ParameterError("elo1", self.elo1, f"a number above elo0 = {self.elo0:g}")
        if self.model not in ("logistic", "normalized"):
            raise ParameterError("model", self.model, "logistic or normalized")

    @property
    def lower(self) -> float:
        """Accept H0 at or below this ratio."""
        return math.log(self.beta / (1.0 - self.alpha))

    @property
    def upper(self) -> float:
        """Accept H1 at or above this ratio."""
        return math.log((1.0 - self.beta) / self.alpha)

    def test(self, counts: ArrayLike) -> SprtResult:
        """Judge the results so far.

        Args:
            counts: losses, draws, wins (3 numbers), or pairs by points 0, ½, 1, 1½, 2
                (5 numbers), from the view of the agent under test.
        """
        table = _check_counts(counts)
        if table.ndim != 1:
            raise ParameterError("counts", table.shape, "3 or 5 numbers")
        llr = float(log_likelihood_ratio(table, elo0=self.elo0, elo1=self.elo1, model=self.model))
        decision: Decision = "continue"
        if llr >= self.upper:
            decision = "H1"
        elif llr <= self.lower:
            decision = "H0"
        games = int(table.sum()) * (2 if len(table) == 5 else 1)
        return SprtResult(
            decision, llr, self.lower, self.upper, games, *_estimate(table, self.model)
        )


def log_likelihood_ratio(
    counts: ArrayLike, *, elo0: float, elo1: float, model: str = "logistic"
) -> Array:
    """Return (1), damped for few outcomes, for each table of counts, shape (…,).

    Args:
        counts: outcomes by points, shape (…, 3) or (…, 5).
        elo0: strength under H0.
        elo1: strength under H1.
        model: `logistic` or `normalized`.
    """
    table = _check_counts(counts)
    kinds = table.shape[-1]
    points = np.linspace(0.0, 1.0, kinds)
    seen = np.maximum(table, _UNSEEN)
    total = seen.sum(axis=-1, keepdims=True)
    p = seen / total
    if model == "logistic":
        # Both over p̂: ln(p1/p0) = ln(1 + λ0 v0) − ln(1 + λ1 v1).
        grow = [_tilt(p, points - _score(elo)) for elo in (elo0, elo1)]
    else:
        grow = [_tilt_normalized(p, points, elo) for elo in (elo0, elo1)]
    ratio = (p * (np.log(grow[0]) - np.log(grow[1]))).sum(axis=-1)
    number = table.sum(axis=-1)
    return np.asarray(number / (number + _DAMPING) * number * ratio)


def game_counts(
    results: ResultSet, agent: str, opponent: str, *, game: str | None = None
) -> NDArray[np.int64]:
    """Count the matches of two agents for `Sprt.test`.

    Five outcomes where matches come in pairs that share their luck (a block of two
    matches with seats swapped); a pair that is not finished is left out until it is.
    Three outcomes otherwise.

    Args:
        results: matches of two seats.
        agent: the agent under test.
        opponent: the other.
        game: count only this game.

    Raises:
        UnknownNameError: no such agent or game.
        NotApplicableError: a game that does not have two seats.
    """
    check_results(results)
    names = list(results.agents)
    for name in (agent, opponent):
        if name not in names:
            raise UnknownNameError("agent", name, names)
    if game is not None and game not in results.games:
        raise UnknownNameError("game", game, results.games)
    a, b = names.index(agent), names.index(opponent)
    first, second = results.seating[:, 0], results.seating[:, 1:]
    here = results.count > 0
    if game is not None:
        here = here & (results.game == list(results.games).index(game))
    for g in np.unique(results.game[here]).tolist():
        if len(results.teams[g]) != 2 or results.cooperative[g]:
            raise NotApplicableError(f"{results.games[g]}: the test needs two seats that compete")
    other = second[:, 0]
    rows = np.flatnonzero(
        here & (((first == a) & (other == b)) | ((first == b) & (other == a))) & (first != other)
    )
    sign = compare(results.payoffs[rows, 0], results.payoffs[rows, 1]).astype(np.int64)
    points = 1 + np.where(first[rows] == a, sign, -sign)  # half points
    times = results.count[rows]
    if results.block is None:
        return np.bincount(points, times, 3).astype(np.int64)
    _, pair = np.unique(results.block[rows], return_inverse=True)
    size = int(pair.max(initial=-1)) + 1
    matches = np.bincount(pair, times, size)
    leading = np.bincount(pair, times * (first[rows] == a), size)
    whole = (matches == 2) & (leading == 1)
    total = np.bincount(pair, times * points, size)[whole]
    return np.bincount(np.rint(total).astype(np.int64), minlength=5).astype(np.int64)


def _check_counts(counts: ArrayLike) -> Array:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim == 0 or table.shape[-1] not in (3, 5):
        raise ParameterError("counts", table.shape, "3 or 5 outcomes along the last axis")
    if not bool(np.isfinite(table).all()) or bool((table < 0).any()):
        raise ParameterError("counts", counts, "numbers of games, 0 or more")
    return table


def _score(elo: float) -> float:
    return float(1.0 / (1.0 + 10.0 ** (-min(max(elo, -4000.0), 4000.0) / 400.0)))


def _tilt(p: Array, v: Array) -> Array:
    """Return 1 + λ v, with λ the root of Σ p v/(1 + λ v) = 0; shapes (…, m).

    The root lies between the poles −1/max v and −1/min v, where the sum falls from +∞ to
    −∞: Newton's method, with bisection where a step would leave the bracket.
    """
    v = np.broadcast_to(v, p.shape)
    low = -1.0 / v.max(axis=-1, keepdims=True)
    high = -1.0 / v.min(axis=-1, keepdims=True)
    root = np.zeros_like(low)
    for _ in range(100):
        share = v / (1.0 + root * v)
        value = (p * share).sum(axis=-1, keepdims=True)
        low, high = np.where(value > 0.0, root, low), np.where(value > 0.0, high, root)
        step = value / (p * share * share).sum(axis=-1, keepdims=True)
        new = root + step
        new = np.where((new > low) & (new < high), new, 0.5 * (low + high))
        done = np.abs(new - root) <= 1e-13 * (1.0 + np.abs(root))
        root = new
        if bool(done.all()):
            break
    return np.asarray(1.0 + root * v)


def _tilt_normalized(p: Array, points: Array, elo: float) -> Array:
    """Return p̂ over the best distribution with (μ − ½)/σ fixed, shape (…, m).

    With q the current distribution, (μ − ½) − tσ changes to first order like the mean of
    v = a − ½ − tσ(1 + ((a − μ)/σ)²)/2, so the next q is p̂ tilted by that v.
    """
    # σ is that of the mean of two games where outcomes are pairs.
    t = elo / _NORMALIZED * (math.sqrt(2.0) if len(points) == 5 else 1.0)
    q = np.full(p.shape, 1.0 / p.shape[-1])
    grow = np.ones(p.shape)
    for _ in range(50):
        mean = (q * points).sum(axis=-1, keepdims=True)
        spread = np.sqrt((q * (points - mean) ** 2).sum(axis=-1, keepdims=True))
        v = points - 0.5 - 0.5 * t * spread * (1.0 + ((points - mean) / spread) ** 2)
        grow = _tilt(p, v)
        new = p / grow
        moved = float(np.abs(new - q).max(initial=0.0))
        q = new
        if moved < 1e-10:
            break
    return grow


def _estimate(table: Array, model: str) -> tuple[float, float, float]:
    """Return Elo with its 95% interval."""
    seen = np.maximum(table, _UNSEEN)
    total = float(seen.sum())
    points = np.linspace(0.0, 1.0, len(seen))
    mean = float(seen @ points) / total
    spread = math.sqrt(float(seen @ (points - mean) ** 2) / total)
    error = 1.96 * spread / math.sqrt(total)
    if model == "logistic":
        low, middle, high = (
            -400.0 * math.log10(1.0 / min(max(s, 1e-9), 1.0 - 1e-9) - 1.0)
            for s in (mean - error, mean, mean + error)
        )
        return middle, low, high
    game = spread * (math.sqrt(2.0) if len(seen) == 5 else 1.0)
    low, middle, high = (_NORMALIZED * (s - 0.5) / game for s in (mean - error, mean, mean + error))
    return middle, low, high
