"""Textbook games of two seats with two actions each."""

from __future__ import annotations

import numpy as np

from arena.errors import UnknownNameError
from games.normal_form import NormalForm
from games.textbook.check import at_least, increasing, symmetric

__all__ = [
    "ORDINAL",
    "asymmetric_matching_pennies",
    "battle_of_the_sexes",
    "bismarck_sea",
    "boxed_pigs",
    "chicken",
    "deadlock",
    "entry_deterrence",
    "hawk_dove",
    "hi_lo",
    "inspection",
    "matching_pennies",
    "ordinal_2x2",
    "penalty_kick",
    "prisoners_dilemma",
    "stag_hunt",
    "trust",
    "welfare",
]

_CD = ("cooperate", "defect")


def prisoners_dilemma(
    *, temptation: float = 5.0, reward: float = 3.0, punishment: float = 1.0, sucker: float = 0.0
) -> NormalForm:
    """Defection dominates, and both are worse off for it."""
    increasing(sucker=sucker, punishment=punishment, reward=reward, temptation=temptation)
    return symmetric([[reward, sucker], [temptation, punishment]], _CD, "prisoner's dilemma")


def stag_hunt(
    *, stag: float = 4.0, hare: float = 3.0, both_hare: float = 2.0, alone: float = 1.0
) -> NormalForm:
    """Hunting the stag together is best for both, the hare is safe."""
    increasing(alone=alone, both_hare=both_hare, stag=stag)
    increasing(alone=alone, hare=hare, stag=stag)
    return symmetric([[stag, alone], [hare, both_hare]], ("stag", "hare"), "stag hunt")


def chicken(*, win: float = 1.0, lose: float = -1.0, crash: float = -10.0) -> NormalForm:
    """Whoever swerves loses face; if nobody does, both crash."""
    increasing(crash=crash, lose=lose, tie=0.0, win=win)
    return symmetric([[0.0, lose], [win, crash]], ("swerve", "straight"), "chicken")


def hawk_dove(*, value: float = 4.0, cost: float = 6.0) -> NormalForm:
    """Hawks fight over a resource, doves share or yield it."""
    at_least("value", value, 0.0)
    at_least("cost", cost, 0.0)
    return symmetric(
        [[(value - cost) / 2, value], [0.0, value / 2]], ("hawk", "dove"), "hawk-dove game"
    )


def deadlock() -> NormalForm:
    """Both defect, and both prefer that to joint cooperation."""
    return symmetric([[2.0, 1.0], [4.0, 3.0]], _CD, "deadlock")


def hi_lo(*, high: float = 2.0, low: float = 1.0) -> NormalForm:
    """Two ways to agree, one better for both."""
    increasing(apart=0.0, low=low, high=high)
    return symmetric([[high, 0.0], [0.0, low]], ("high", "low"), "hi-lo game")


def battle_of_the_sexes(*, preferred: float = 2.0, other: float = 1.0) -> NormalForm:
    """Both want to meet, each at another place."""
    increasing(apart=0.0, other=other, preferred=preferred)
    row = np.diag([preferred, other])
    names = ("opera", "football")
    return NormalForm(
        np.stack([row, np.diag([other, preferred])]), [names, names], "battle of the sexes"
    )


def matching_pennies() -> NormalForm:
    """Seat 0 wins if the pennies match, seat 1 if they differ."""
    row = np.array([[1.0, -1.0], [-1.0, 1.0]])
    names = ("heads", "tails")
    return NormalForm(np.stack([row, -row]), [names, names], "matching pennies")


def asymmetric_matching_pennies(*, high: float = 320.0) -> NormalForm:
    """Matching pennies in which one of seat 0's wins pays more."""
    increasing(loss=40.0, high=high)
    row = np.array([[high, 40.0], [40.0, 80.0]])
    column = np.array([[40.0, 80.0], [80.0, 40.0]])
    names = [("top", "bottom"), ("left", "right")]
    return NormalForm(np.stack([row, column]), names, "asymmetric matching pennies")


def inspection(
    *, wage: float = 4.0, effort: float = 2.0, inspecting: float = 1.0, output: float = 6.0
) -> NormalForm:
    """A worker may shirk, a principal may pay to find out."""
    increasing(free=0.0, inspecting=inspecting, effort=effort, wage=wage)
    at_least("output", output, wage)
    worker = np.array([[0.0, wage], [wage - effort, wage - effort]])
    principal = np.array([[-inspecting, -wage], [output - wage - inspecting, output - wage]])
    names = [("shirk", "work"), ("inspect", "trust")]
    return NormalForm(np.stack([worker, principal]), names, "inspection game")


def bismarck_sea() -> NormalForm:
    """Which route the convoy takes, and where the bombers look; days of bombing are paid."""
    row = np.array([[2.0, 2.0], [1.0, 3.0]])
    names = ("north", "south")
    return NormalForm(np.stack([row, -row]), [names, names], "battle of the Bismarck Sea")


def boxed_pigs() -> NormalForm:
    """The lever is far from the trough: the big pig works, the small one eats."""
    big = np.array([[5.0, 4.0], [9.0, 0.0]])
    small = np.array([[1.0, 4.0], [-1.0, 0.0]])
    names = ("press", "wait")
    return NormalForm(np.stack([big, small]), [names, names], "boxed pigs")


def welfare() -> NormalForm:
    """The government would help those who look for work, the pauper would rather not."""
    government = np.array([[3.0, -1.0], [-1.0, 0.0]])
    pauper = np.array([[2.0, 3.0], [1.0, 0.0]])
    names = [("aid", "no aid"), ("work", "loaf")]
    return NormalForm(np.stack([government, pauper]), names, "welfare game")


def penalty_kick() -> NormalForm:
    """A kicker against a goalkeeper; the measured chance of a goal, in per cent."""
    goal = np.array([[58.30, 94.97], [92.91, 69.92]])
    names = ("left", "right")
    return NormalForm(np.stack([goal, 100.0 - goal]), [names, names], "penalty kick")


def entry_deterrence() -> NormalForm:
    """An entrant faces an incumbent that may threaten to fight (one market of the chain store)."""
    entrant = np.array([[0.0, 2.0], [1.0, 1.0]])
    incumbent = np.array([[0.0, 2.0], [5.0, 5.0]])
    names = [("enter", "stay out"), ("fight", "share")]
    return NormalForm(np.stack([entrant, incumbent]), names, "entry deterrence")


def trust() -> NormalForm:
    """Seat 0 may trust seat 1, which may honour or abuse it."""
    truster = np.array([[10.0, -5.0], [0.0, 0.0]])
    trustee = np.array([[10.0, 15.0], [0.0, 0.0]])
    names = [("trust", "refuse"), ("honour", "abuse")]
    return NormalForm(np.stack([truster, trustee]), names, "trust game")


ORDINAL: dict[str, tuple[int, int, int, int]] = {
    "prisoners_dilemma": (3, 1, 4, 2),
    "chicken": (3, 2, 4, 1),
    "battle": (2, 3, 4, 1),
    "hero": (1, 3, 4, 2),
    "compromise": (1, 2, 4, 3),
    "deadlock": (2, 1, 4, 3),
    "no_conflict": (4, 2, 3, 1),
    "stag_hunt": (4, 1, 3, 2),
    "assurance": (4, 1, 2, 3),
    "coordination": (4, 2, 1, 3),
    "peace": (4, 3, 1, 2),
    "harmony": (4, 3, 2, 1),
}
"""The twelve strict symmetric orders of (CC, CD, DC, DD) for oneself, 4 the best.

In each half every order follows from the one before by a swap of neighbouring payoffs, in
turn 1↔2 and 2↔3 (the last and the first are neighbours too); the halves differ by 3↔4.
"""


def ordinal_2x2(*, row: str = "prisoners_dilemma", column: str = "prisoners_dilemma") -> NormalForm:
    """One of the 144 strict ordinal 2×2 games, by the symmetric order that each seat has."""
    for seat, name in (("row", row), ("column", column)):
        if name not in ORDINAL:
            raise UnknownNameError(
                f"{seat} order", name, ORDINAL, hint=f"there are {', '.join(ORDINAL)}"
            )
    own = np.array(ORDINAL[row], dtype=np.float64).reshape(2, 2)
    other = np.array(ORDINAL[column], dtype=np.float64).reshape(2, 2).T
    names = [("0", "1"), ("0", "1")]
    return NormalForm(np.stack([own, other]), names, f"{row} against {column}")
