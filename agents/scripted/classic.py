"""Deterministic and simple strategies for repeated 2×2 games: reciprocity in many moods.

A strategy is a generator (see `agents.scripted.match.Rule`): what it yields is its choice,
what it receives is what was executed in that round, its own action first. Under noise the
two may differ; only `contrite_tit_for_tat` compares them. Parameters arrive as floats.
"""

from __future__ import annotations

from collections import deque

from agents.scripted.match import COOPERATE as C
from agents.scripted.match import DEFECT as D
from agents.scripted.match import Match, Rule

__all__ = [
    "adaptive_tit_for_tat",
    "alternator",
    "always_cooperate",
    "always_defect",
    "anti_tit_for_tat",
    "appeaser",
    "bully",
    "contrite_tit_for_tat",
    "forgiver",
    "gradual",
    "grim_trigger",
    "hard_majority",
    "hard_tit_for_tat",
    "hard_tit_for_two_tats",
    "omega_tit_for_tat",
    "random",
    "slow_tit_for_tat",
    "soft_grim",
    "soft_majority",
    "spiteful_tit_for_tat",
    "suspicious_tit_for_tat",
    "tit_for_tat",
    "tit_for_two_tats",
    "two_tits_for_tat",
]


def always_cooperate(match: Match) -> Rule:
    """Cooperates always."""
    while True:
        yield C


def always_defect(match: Match) -> Rule:
    """Defects always."""
    while True:
        yield D


def random(match: Match, p: float) -> Rule:
    """Cooperates with probability p, whatever happens."""
    while True:
        yield match.coin(p)


def alternator(match: Match) -> Rule:
    """Cooperates and defects in turn."""
    move = C
    while True:
        mine, _ = yield move
        move = D if mine == C else C


def tit_for_tat(match: Match) -> Rule:
    """Cooperates, then does what the other did last."""
    _, theirs = yield C
    while True:
        _, theirs = yield theirs


def suspicious_tit_for_tat(match: Match) -> Rule:
    """Defects, then does what the other did last."""
    _, theirs = yield D
    while True:
        _, theirs = yield theirs


def anti_tit_for_tat(match: Match) -> Rule:
    """Cooperates, then does the opposite of what the other did last."""
    _, theirs = yield C
    while True:
        _, theirs = yield 1 - theirs


def bully(match: Match) -> Rule:
    """Defects, then does the opposite of what the other did last."""
    _, theirs = yield D
    while True:
        _, theirs = yield 1 - theirs


def tit_for_two_tats(match: Match) -> Rule:
    """Defects only after two defections in a row."""
    before, (_, theirs) = C, (yield C)
    while True:
        move = D if before == theirs == D else C
        before, (_, theirs) = theirs, (yield move)


def two_tits_for_tat(match: Match) -> Rule:
    """Answers every defection with two."""
    before, (_, theirs) = C, (yield C)
    while True:
        move = D if D in (before, theirs) else C
        before, (_, theirs) = theirs, (yield move)


def hard_tit_for_tat(match: Match) -> Rule:
    """Defects if the other did in any of the last three rounds."""
    seen: deque[int] = deque([C] * 3, maxlen=3)
    while True:
        _, theirs = yield D if D in seen else C
        seen.append(theirs)


def hard_tit_for_two_tats(match: Match) -> Rule:
    """Defects if the other did twice in a row within the last three rounds."""
    seen: deque[int] = deque([C] * 3, maxlen=3)
    while True:
        _, theirs = yield D if seen[1] == D and D in (seen[0], seen[2]) else C
        seen.append(theirs)


def slow_tit_for_tat(match: Match) -> Rule:
    """Changes its action only after the other has played the new one twice in a row."""
    _, before = yield C
    mine, theirs = yield C
    while True:
        move = theirs if before == theirs else mine
        before = theirs
        mine, theirs = yield move


def spiteful_tit_for_tat(match: Match) -> Rule:
    """Tit for tat until the other defects twice in a row, then always defects."""
    before, (_, theirs) = C, (yield C)
    while not before == theirs == D:
        before, (_, theirs) = theirs, (yield theirs)
    while True:
        yield D


def contrite_tit_for_tat(match: Match) -> Rule:
    """Tit for tat that accepts the punishment for a defection it did not mean.

    Once it has defected by mistake while the other cooperated, it answers that
    cooperation, and then does not retaliate for the defection that follows.
    """
    contrite, meant = False, C
    mine, theirs = yield meant
    while True:
        if contrite and mine == C:
            contrite, move = False, C
        else:
            if meant != mine and mine == D and theirs == C:
                contrite = True
            move = theirs
        # What counts as meant is the choice of the round that noise then may change.
        meant = move
        mine, theirs = yield move


def adaptive_tit_for_tat(match: Match, rate: float) -> Rule:
    """Keeps a running image of the other's cooperation, and cooperates while it is good."""
    world, move = rate, C
    while True:
        _, theirs = yield move
        world = world + rate * (1.0 - world) if theirs == C else world - rate * world
        move = C if world >= 0.5 else D


def omega_tit_for_tat(match: Match, deadlock: float, randomness: float) -> Rule:
    """Tit for tat that breaks deadlocks and gives up on those who seem to play at random."""
    stuck = strange = 0
    _, before = yield C
    mine, theirs = yield before
    while True:
        if stuck >= deadlock:
            move = C
            stuck = stuck + 1 if stuck == deadlock else 0
        else:
            strange += (before != theirs) + (mine != theirs) - (before == theirs == C)
            if strange >= randomness:
                move = D
            else:
                move = theirs
                stuck = stuck + 1 if before != theirs else 0
        before = theirs
        mine, theirs = yield move


def gradual(match: Match) -> Rule:
    """Punishes the k-th offence with k defections, then calms down with two cooperations."""
    offences = 0
    _, theirs = yield C
    while True:
        if theirs == C:
            _, theirs = yield C
            continue
        offences += 1
        for _ in range(offences):
            yield D
        yield C
        _, theirs = yield C


def grim_trigger(match: Match) -> Rule:
    """Cooperates until the other defects, then never again."""
    _, theirs = yield C
    while theirs == C:
        _, theirs = yield C
    while True:
        yield D


def soft_grim(match: Match) -> Rule:
    """Answers a defection with four, then makes peace with two cooperations."""
    _, theirs = yield C
    while True:
        if theirs == C:
            _, theirs = yield C
            continue
        for move in (D, D, D, D, C):  # noqa: UP028 - a tuple cannot be sent to
            yield move
        _, theirs = yield C


def soft_majority(match: Match) -> Rule:
    """Cooperates as long as the other has not defected more often than cooperated."""
    balance = 0
    while True:
        _, theirs = yield C if balance >= 0 else D
        balance += 1 if theirs == C else -1


def hard_majority(match: Match) -> Rule:
    """Cooperates only if the other has cooperated more often than defected."""
    balance = 0
    while True:
        _, theirs = yield C if balance > 0 else D
        balance += 1 if theirs == C else -1


def forgiver(match: Match) -> Rule:
    """Defects while the other has defected in more than a tenth of the rounds."""
    rounds = defections = 0
    while True:
        _, theirs = yield D if defections > rounds / 10 else C
        rounds += 1
        defections += theirs


def appeaser(match: Match) -> Rule:
    """Keeps its action while the other cooperates, and changes it when the other defects."""
    mine, theirs = yield C
    while True:
        mine, theirs = yield mine if theirs == C else 1 - mine
