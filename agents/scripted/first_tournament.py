"""The entries of Axelrod's first tournament that are not found elsewhere in this package.

Tit for tat, Joss (memory-one), Friedman (grim trigger) and random complete the fifteen.

Source: Axelrod 1980, "Effective choice in the prisoner's dilemma", J. Conflict Resolution
24, 3-25, appendix A. Where the descriptions leave room, they are read as the Axelrod
library reads them (Knight et al., version 4), so that the two can be compared move by move.
"""

from __future__ import annotations

import math
from collections import deque

from agents.scripted.match import COOPERATE as C
from agents.scripted.match import DEFECT as D
from agents.scripted.match import Match, Rule

__all__ = [
    "CHI_SQUARED_05",
    "NYDEGGER_DEFECTS",
    "anonymous",
    "davis",
    "downing",
    "feld",
    "graaskamp",
    "grofman",
    "nydegger",
    "shubik",
    "stein_rapoport",
    "tideman_chieruzzi",
    "tullock",
]

CHI_SQUARED_05 = 3.841458820694124
"""The 95% point of the chi-squared distribution with one degree of freedom."""

NYDEGGER_DEFECTS = frozenset(
    (1, 6, 7, 17, 22, 23, 26, 29, 30, 31, 33, 38, 39, 45, 49, 54, 55, 58, 61)
)
"""The values of A = 16·a₁ + 4·a₂ + a₃ at which Nydegger defects."""


def davis(match: Match, rounds: float) -> Rule:
    """Cooperates for ten rounds, then until the other has defected once."""
    betrayed, played = False, 0
    while True:
        _, theirs = yield D if betrayed and played >= rounds else C
        betrayed = betrayed or theirs == D
        played += 1


def nydegger(match: Match) -> Rule:
    """Tit for tat for three rounds, then looks at the last three joint actions.

    A round counts 2 if the other defected and 1 if it did itself.
    """
    own: deque[int] = deque(maxlen=3)
    other: deque[int] = deque(maxlen=3)
    for played in range(3):
        answer = other[-1] if played else C
        mine, theirs = yield D if list(other) == [D, C] else answer
        own.append(mine)
        other.append(theirs)
    while True:
        a = sum(
            weight * (2 * theirs + mine)
            for weight, mine, theirs in zip((1, 4, 16), own, other, strict=True)
        )
        mine, theirs = yield D if a in NYDEGGER_DEFECTS else C
        own.append(mine)
        other.append(theirs)


def grofman(match: Match) -> Rule:
    """Cooperates after equal actions, and else two times in seven."""
    mine, theirs = yield C
    while True:
        mine, theirs = yield C if mine == theirs else match.coin(2 / 7)


def shubik(match: Match) -> Rule:
    """Retaliates once, the next time twice, and so on."""
    length = 0
    mine, theirs = yield C
    while True:
        if theirs == D and mine == C:
            length += 1
            for _ in range(length):
                mine, theirs = yield D
        else:
            mine, theirs = yield C


def stein_rapoport(match: Match) -> Rule:
    """Tit for tat after four cooperations, and defects on whoever seems to play at random.

    Every fifteen rounds a chi-squared test decides whether the other's cooperations and
    defections could be tosses of a coin. It defects in the last two rounds.
    """
    played = defections = theirs = 0
    random = False
    while True:
        if played >= 14 and (played + 1) % 15 == 0:
            random = _like_a_coin(played - defections, defections)
        if match.last(played, 2):
            move = D
        elif played < 4:
            move = C
        else:
            move = D if random else theirs
        _, theirs = yield move
        played += 1
        defections += theirs


def _like_a_coin(cooperations: int, defections: int) -> bool:
    """Return whether a chi-squared test at 5% accepts equal chances."""
    total = cooperations + defections
    return (cooperations - defections) ** 2 / total <= CHI_SQUARED_05


def tideman_chieruzzi(match: Match) -> Rule:
    """Shubik's growing retaliation, with a fresh start for those who fell behind.

    A fresh start (two cooperations, and all is forgotten) is given if the other is at least
    10 points behind and has just cooperated, 20 rounds after the last one, with at least
    10 rounds to go, if its defections are 3 standard deviations from those of a coin. It
    defects in the last two rounds.
    """
    played = retaliating = length = remembered = 0
    fresh_at, pardon, lead = 0, False, 0.0
    mine, theirs = yield D if match.last(0, 2) else C
    while True:
        played += 1
        remembered += theirs
        lead += match.own[mine][theirs] - match.other[mine][theirs]
        this = played + 1
        enough_left = match.horizon is None or match.horizon - this >= 10
        rested = fresh_at == 0 or this - fresh_at >= 20
        if pardon:
            pardon, move = False, C
        elif (
            rested
            and lead >= 10
            and enough_left
            and theirs == C
            and abs(remembered - played / 2) >= 3 * math.sqrt(played) / 2
        ):
            fresh_at, pardon, move = this, True, C
            retaliating = length = remembered = 0
        elif retaliating:
            retaliating -= 1
            move = D
        elif theirs == D:
            length += 1
            retaliating = length - 1
            move = D
        else:
            move = C
        mine, theirs = yield D if match.last(played, 2) else move


def graaskamp(match: Match) -> Rule:
    """Tit for tat with a probe at round 51, then decides what it is up against.

    Against what seems random it defects, against tit for tat or itself it plays tit for
    tat, and against anybody else it defects once every 5 to 14 rounds.
    """
    random, copies, probe = False, True, -1
    mine, theirs = yield C
    played, defections, before = 1, theirs, mine
    equal = mine == theirs
    while True:
        if played < 56:
            move = D if theirs == D or played == 50 else C
        else:
            random = random or _like_a_coin(played - defections, defections)
            if random:
                move = D
            elif copies or equal:
                move = theirs
            else:
                if probe < 0:
                    probe = 5 + match.rng.below(10) + played
                move = C
                if played == probe:
                    probe = 5 + match.rng.below(10) + played
                    move = D
        mine, theirs = yield move
        copies = copies and theirs == before
        equal = equal and theirs == mine
        before = mine
        played += 1
        defections += theirs


def downing(match: Match) -> Rule:
    """Estimates how the other reacts to both actions, and plays what pays more against that.

    It opens with two defections; the other's first action counts as an answer to a
    cooperation before the match.
    """
    (r, s), (t, p) = match.own
    mine, theirs = yield D
    after_c, after_d = int(theirs == C), 0
    own = [int(mine == C), int(mine == D)]
    before = mine
    mine, theirs = yield D
    while True:
        own[mine] += 1
        if theirs == C:
            after_c += before == C
            after_d += before == D
        alpha = after_c / (own[C] + 1)
        beta = after_d / max(own[D], 2)
        cooperating = alpha * r + (1 - alpha) * s
        defecting = beta * t + (1 - beta) * p
        if cooperating > defecting:
            move = C
        elif cooperating < defecting:
            move = D
        else:
            move = 1 - mine
        before = mine
        mine, theirs = yield move


def feld(match: Match, start: float, end: float, rounds: float) -> Rule:
    """Tit for tat that answers cooperation less and less often."""
    slope, played = (end - start) / rounds, 1
    _, theirs = yield C
    while True:
        _, theirs = yield D if theirs == D else match.coin(max(start + slope * played, end))
        played += 1


def tullock(match: Match) -> Rule:
    """Cooperates eleven times, then a tenth less often than the other did in ten rounds."""
    seen: deque[int] = deque(maxlen=10)
    for _ in range(11):
        _, theirs = yield C
        seen.append(theirs)
    while True:
        _, theirs = yield match.coin(max(0, seen.count(C) / 10 - 0.10))
        seen.append(theirs)


def anonymous(match: Match) -> Rule:
    """Cooperates with a probability drawn anew in every round between 30% and 70%."""
    while True:
        p = (3 + 4 * match.rng.random()) / 10
        yield match.coin(p)
