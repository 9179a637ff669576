"""Memory-one strategies: four probabilities of cooperation, by the last joint action.

The named ones differ only in their vector (p_CC, p_CD, p_DC, p_DD, first), one's own
action first; `first` is the probability of cooperating in the first round. Zero-determinant
strategies follow Stewart and Plotkin 2013, PNAS 110: with scale φ, slope s and baseline l
they enforce  s·(own − l) = other − l  on the long-run payoffs          (1)

    p_CC = 1 − φ(1 − s)(R − l)          p_CD = 1 − φ(s(l − S) + (T − l))
    p_DC = φ((l − S) + s(T − l))        p_DD = φ(1 − s)(l − P)          (2)
"""

from __future__ import annotations

from agents.scripted.match import Match, Rule
from arena.errors import AgentError

__all__ = [
    "firm_but_fair",
    "generous_tit_for_tat",
    "joss",
    "memory_one",
    "reactive",
    "soft_joss",
    "stochastic_win_stay_lose_shift",
    "win_stay_lose_shift",
    "zero_determinant",
    "zero_determinant_extortion",
    "zero_determinant_generous",
]

Vector = tuple[float, float, float, float, float]


def memory_one(  # noqa: PLR0917 - called with a vector
    match: Match, p_cc: float, p_cd: float, p_dc: float, p_dd: float, first: float
) -> Rule:
    """Cooperates with a probability that depends on the last joint action."""
    table = ((p_cc, p_cd), (p_dc, p_dd))
    mine, theirs = yield match.coin(first)
    while True:
        mine, theirs = yield match.coin(table[mine][theirs])


def win_stay_lose_shift(match: Match) -> Vector:
    """Repeats an action that paid well and changes one that did not (Pavlov)."""
    return (1.0, 0.0, 0.0, 1.0, 1.0)


def stochastic_win_stay_lose_shift(match: Match, error: float) -> Vector:
    """Win-stay lose-shift that errs with a small probability."""
    return (1.0 - error, error, error, 1.0 - error, 1.0)


def generous_tit_for_tat(match: Match, generosity: float) -> Vector:
    """Tit for tat that forgives a defection with some probability.

    A negative `generosity` stands for the most that does not invite exploitation,
    min(1 − (T − R)/(R − S), (R − P)/(T − P)).
    """
    if generosity < 0.0:
        (r, s), (t, p) = match.own
        if not (r > s and t > p):
            raise AgentError(
                "generous_tit_for_tat finds its generosity only in games with R > S and T > P;"
                " give it the parameter generosity"
            )
        generosity = min(1 - (t - r) / (r - s), (r - p) / (t - p))
    return _checked("generous_tit_for_tat", (1.0, generosity, 1.0, generosity, 1.0))


def firm_but_fair(match: Match) -> Vector:
    """Cooperates unless it was exploited; after mutual defection it does so two times in three."""
    return (1.0, 0.0, 1.0, 2 / 3, 1.0)


def joss(match: Match, p: float) -> Vector:
    """Tit for tat that defects now and then after a cooperation."""
    return (p, 0.0, p, 0.0, 1.0)


def soft_joss(match: Match, p: float) -> Vector:
    """Tit for tat that cooperates now and then after a defection."""
    return (1.0, 1 - p, 1.0, 1 - p, 1.0)


def reactive(match: Match, p_c: float, p_d: float, first: float) -> Vector:
    """Reacts to the other's last action only."""
    return (p_c, p_d, p_c, p_d, first)


def zero_determinant(match: Match, phi: float, slope: float, baseline: float) -> Vector:
    """Enforces a linear relation between both long-run payoffs, equation (1)."""
    (r, s), (t, p) = match.own
    return _checked(
        "zero_determinant",
        (
            1 - phi * (1 - slope) * (r - baseline),
            1 - phi * (slope * (baseline - s) + (t - baseline)),
            phi * ((baseline - s) + slope * (t - baseline)),
            phi * (1 - slope) * (baseline - p),
            1.0,
        ),
    )


def zero_determinant_extortion(match: Match, phi: float, slope: float) -> Vector:
    """Claims a fixed multiple of the other's gain above mutual defection (baseline P)."""
    return zero_determinant(match, phi, slope, match.own[1][1])


def zero_determinant_generous(match: Match, phi: float, slope: float) -> Vector:
    """Takes a fixed multiple of the other's loss below mutual cooperation (baseline R)."""
    return zero_determinant(match, phi, slope, match.own[0][0])


def _checked(name: str, vector: Vector) -> Vector:
    """Return the vector, tiny rounding errors put right.

    Raises:
        AgentError: these are not probabilities.
    """
    slack = 1e-12
    if any(not -slack <= p <= 1 + slack for p in vector):
        shown = ", ".join(f"{p:.4g}" for p in vector[:4])
        raise AgentError(
            f"{name} with these parameters and payoffs would need the probabilities ({shown}),"
            " which are not all in [0, 1]"
        )
    clipped = [min(max(p, 0.0), 1.0) for p in vector]
    return (clipped[0], clipped[1], clipped[2], clipped[3], clipped[4])
