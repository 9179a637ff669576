"""Strategies that probe, classify or adapt to the other, for repeated 2×2 games."""

from __future__ import annotations

from agents.scripted.match import COOPERATE as C
from agents.scripted.match import DEFECT as D
from agents.scripted.match import Match, Rule

__all__ = [
    "adaptive",
    "adaptive_pavlov_2006",
    "adaptive_pavlov_2011",
    "champion",
    "eatherley",
    "handshake",
    "n_pavlov",
    "naive_prober",
    "prober",
    "remorseful_prober",
    "tester",
]


def n_pavlov(match: Match, n: float) -> Rule:
    """Cooperates with probability k/n; k rises after equal actions and falls after others."""
    k = n
    while True:
        mine, theirs = yield match.coin(k / n)
        k = min(k + 1, n) if mine == theirs else max(k - 1, 0)


def tester(match: Match) -> Rule:
    """Defects, then apologises and plays tit for tat if punished, else alternates."""
    mine, theirs = yield D
    played = 1
    while theirs == C:
        mine, theirs = yield C if played <= 2 else 1 - mine
        played += 1
    _, theirs = yield C
    while True:
        _, theirs = yield theirs


def handshake(match: Match) -> Rule:
    """Cooperates and defects to recognise its own kind; cooperates only with that."""
    _, first = yield C
    _, second = yield D
    friend = (first, second) == (C, D)
    while True:
        yield C if friend else D


def adaptive(match: Match) -> Rule:
    """Tries six cooperations and five defections, then plays what has earned more."""
    earned = [0.0, 0.0]
    for move in (C,) * 6 + (D,) * 5:
        mine, theirs = yield move
        earned[mine] += match.own[mine][theirs]
    while True:
        mine, theirs = yield C if earned[C] > earned[D] else D
        earned[mine] += match.own[mine][theirs]


def prober(match: Match) -> Rule:
    """Plays D, C, C; defects for ever if the other bore it, else plays tit for tat."""
    yield D
    _, second = yield C
    _, third = yield C
    bore = second == third == C
    theirs = third
    while True:
        _, theirs = yield D if bore else theirs


def naive_prober(match: Match, p: float) -> Rule:
    """Tit for tat that defects with a small probability instead of cooperating."""
    _, theirs = yield C
    while True:
        _, theirs = yield D if theirs == D else match.coin(1 - p)


def remorseful_prober(match: Match, p: float) -> Rule:
    """Naive prober that does not retaliate for the answer to its own probe."""
    probing = False
    _, theirs = yield C
    while True:
        if theirs == D:
            move = C if probing else D
            probing = False
        else:
            move = match.coin(1 - p)
            probing = move == D
        _, theirs = yield move


_OPENING = 6  # rounds after which adaptive Pavlov looks back


def adaptive_pavlov_2006(match: Match) -> Rule:
    """Tit for tat for six rounds, then an answer to what the other looks like.

    Every six rounds the other is classified as cooperative, all-defect, suspicious tit for
    tat, defecting Pavlov or random; a class is kept unless another pattern appears.
    """
    patterns: dict[tuple[int, ...], str] = {
        (C,) * 6: "cooperative",
        (D,) * 6: "random",  # all-defect is answered as random play is
        (D, C, D, C, D, C): "suspicious",
        (D, D, C, D, D, C): "pavlov",
    }
    seen: list[int] = []
    kind, theirs, played = "", C, 0
    while True:
        if played < _OPENING:
            move = theirs
        else:
            phase = played % _OPENING
            if phase == 0:
                kind = patterns.get(tuple(seen[-6:]), kind or "random")
            if kind == "random":
                move = D
            elif kind == "suspicious":
                move = C if phase in (0, 1) else theirs
            elif kind == "pavlov":
                move = D if phase == 0 else C
            else:
                move = theirs
        _, theirs = yield move
        seen.append(theirs)
        played += 1


def adaptive_pavlov_2011(match: Match) -> Rule:
    """As in 2006, with classes by the number of defections in six rounds."""
    seen: list[int] = []
    kind, theirs, played = "", C, 0
    while True:
        if played < _OPENING:
            move = theirs
        else:
            if played % _OPENING == 0:
                defections = sum(seen[-6:])
                if defections == 0:
                    kind = "cooperative"
                elif defections >= 4:
                    kind = "random"
                elif defections == 3:
                    kind = "suspicious"
                kind = kind or "random"
            if kind == "random":
                move = D
            elif kind == "suspicious":
                move = D if seen[-2:] == [D, D] else C
            else:
                move = theirs
        _, theirs = yield move
        seen.append(theirs)
        played += 1


def champion(match: Match) -> Rule:
    """Cooperates ten rounds, plays tit for tat till round 25, then forgives most defections."""
    played = defections = theirs = 0
    while True:
        if played < 10:
            move = C
        elif played < 25:
            move = theirs
        elif theirs == D:
            move = D if defections / played >= max(0.4, match.rng.random()) else C
        else:
            move = C
        _, theirs = yield move
        played += 1
        defections += theirs


def eatherley(match: Match) -> Rule:
    """Answers a defection with the other's share of defections so far."""
    played, defections, move = 0, 0, C
    while True:
        _, theirs = yield move
        played += 1
        defections += theirs
        move = C if theirs == C else match.coin(1 - defections / played)
