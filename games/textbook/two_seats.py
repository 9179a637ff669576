"""Textbook games of two seats with more than two actions."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from games.normal_form import NormalForm
from games.textbook.check import at_least, from_rule, increasing, symmetric

__all__ = [
    "centipede",
    "climbing",
    "colonel_blotto",
    "hawk_dove_bourgeois",
    "hide_and_seek",
    "kuhn_poker",
    "morra",
    "nonmonotonic",
    "oneill",
    "penalty",
    "rock_paper_scissors",
    "rock_paper_scissors_lizard_spock",
    "shapley",
    "travellers_dilemma",
    "undercut",
    "weighted_rock_paper_scissors",
]

_RPS = ("rock", "paper", "scissors")


def rock_paper_scissors(*, win: float = 1.0, loss: float = 1.0) -> NormalForm:
    """Paper beats rock beats scissors beat paper; zero-sum when a loss costs what a win pays."""
    at_least("win", win, 1e-9)
    at_least("loss", loss, 1e-9)
    table = [[0.0, -loss, win], [win, 0.0, -loss], [-loss, win, 0.0]]
    return symmetric(table, _RPS, "rock paper scissors")


def weighted_rock_paper_scissors(
    *, rock: float = 1.0, paper: float = 2.0, scissors: float = 3.0
) -> NormalForm:
    """Rock paper scissors in which each winning action pays an amount of its own."""
    for name, value in (("rock", rock), ("paper", paper), ("scissors", scissors)):
        at_least(name, value, 1e-9)
    table = [[0.0, -paper, rock], [paper, 0.0, -scissors], [-rock, scissors, 0.0]]
    return symmetric(table, _RPS, "weighted rock paper scissors")


def rock_paper_scissors_lizard_spock() -> NormalForm:
    """Five actions, each beats two others."""
    names = ("rock", "spock", "paper", "lizard", "scissors")
    # In this order action a beats the ones one and three places before it.
    return from_rule(
        (5, 5),
        lambda joint: {0: (0, 0), 1: (1, -1), 3: (1, -1), 2: (-1, 1), 4: (-1, 1)}[
            (joint[0] - joint[1]) % 5
        ],
        names=[names, names],
        title="rock paper scissors lizard spock",
    )


def shapley() -> NormalForm:
    """A 3×3 game in which fictitious play cycles for ever."""
    row = np.eye(3)
    column = np.roll(np.eye(3), 1, axis=1)
    names = [("top", "middle", "bottom"), ("left", "centre", "right")]
    return NormalForm(np.stack([row, column]), names, "Shapley's game")


def oneill() -> NormalForm:
    """Four cards; seat 0 wins on two jokers or on two different number cards."""
    row = np.full((4, 4), -5.0)
    row[3, 3] = 5.0
    row[:3, :3] = 5.0 - 10.0 * np.eye(3)
    names = ("ace", "two", "three", "joker")
    return NormalForm(np.stack([row, -row]), [names, names], "O'Neill's card game")


def morra(*, fingers: int = 2) -> NormalForm:
    """Show fingers and guess the other's; a lone right guess wins the fingers shown by both."""
    at_least("fingers", fingers, 1, 10)
    moves = list(product(range(1, fingers + 1), repeat=2))

    def rule(joint: tuple[int, ...]) -> tuple[float, float]:
        (show, guess), (other, counter) = moves[joint[0]], moves[joint[1]]
        won = (show + other) * ((guess == other) - (counter == show))
        return won, -won

    names = [f"show {show} guess {guess}" for show, guess in moves]
    return from_rule((len(moves),) * 2, rule, names=[names, names], title="Morra")


def hide_and_seek(*, places: int = 4) -> NormalForm:
    """Seat 0 hides in one of several places, seat 1 looks in one."""
    at_least("places", places, 2, 1000)
    found = np.eye(places)
    names = [f"place {k}" for k in range(places)]
    return NormalForm(np.stack([-found, found]), [names, names], "hide and seek")


def travellers_dilemma(*, low: int = 2, high: int = 100, bonus: int = 2) -> NormalForm:
    """Both are paid the lower claim; whoever made it gains the bonus, the other loses it."""
    increasing(low=low, high=high)
    at_least("bonus", bonus, 0)
    at_least("high", high, low + 1, low + 1000)
    claims = np.arange(low, high + 1, dtype=np.float64)
    own, other = claims[:, None], claims[None, :]
    row = np.minimum(own, other) + bonus * np.sign(other - own)
    names = [f"claim {c:g}" for c in claims]
    return NormalForm(np.stack([row, row.T]), [names, names], "traveller's dilemma")


def centipede(
    *, nodes: int = 6, large: float = 4.0, small: float = 1.0, growth: float = 2.0
) -> NormalForm:
    """Seats take turns to take the larger pile or to let both grow; reduced normal form.

    Seat 0 moves at nodes 0, 2, …; an action is the node at which to take, the last to pass
    throughout. If all pass, the piles grow once more and go to the seats whose turn it is.
    """
    at_least("nodes", nodes, 2, 400)
    increasing(small=small, large=large)
    increasing(one=1.0, growth=growth)
    turns = [list(range(seat, nodes, 2)) for seat in (0, 1)]

    def rule(joint: tuple[int, ...]) -> tuple[float, float]:
        plans = [turns[s][a] if a < len(turns[s]) else nodes for s, a in enumerate(joint)]
        end = min(plans)
        taker = end % 2
        piles = (large * growth**end, small * growth**end)
        return piles if taker == 0 else (piles[1], piles[0])

    names = [[*(f"take at {k}" for k in turn), "pass"] for turn in turns]
    return from_rule([len(n) for n in names], rule, names=names, title="centipede")


def colonel_blotto(*, soldiers: int = 5, enemies: int = 5, fields: int = 3) -> NormalForm:
    """Soldiers are spread over battlefields; a field goes to the larger force."""
    at_least("soldiers", soldiers, 1, 40)
    at_least("enemies", enemies, 1, 40)
    at_least("fields", fields, 2, 8)
    plans = [_compositions(total, fields) for total in (soldiers, enemies)]

    def rule(joint: tuple[int, ...]) -> tuple[float, float]:
        mine, theirs = plans[0][joint[0]], plans[1][joint[1]]
        won = sum((a > b) - (a < b) for a, b in zip(mine, theirs, strict=True))
        return won, -won

    names = [["-".join(map(str, plan)) for plan in seat] for seat in plans]
    return from_rule([len(p) for p in plans], rule, names=names, title="Colonel Blotto")


def _compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    """Return all ways to write `total` as an ordered sum of `parts` integers from 0 up."""
    if parts == 1:
        return [(total,)]
    return [(k, *rest) for k in range(total + 1) for rest in _compositions(total - k, parts - 1)]


def kuhn_poker() -> NormalForm:
    """Three-card poker as a matrix: a plan for every card one may hold.

    Seat 0's plan for a card: b (bet), c (check, then call) or f (check, then fold). Seat
    1's: p or b after a check (pass, bet), then f or c after a bet (fold, call).
    """
    first = ["".join(plan) for plan in product("fcb", repeat=3)]
    second = [" ".join(plan) for plan in product(("pf", "pc", "bf", "bc"), repeat=3)]

    def rule(joint: tuple[int, ...]) -> tuple[float, float]:
        mine, theirs = first[joint[0]], second[joint[1]].split()
        won = sum(
            _kuhn_deal(mine[a], theirs[b], 1 if a > b else -1) for a, b in permutations(range(3), 2)
        )
        return won / 6, -won / 6

    return from_rule((27, 64), rule, names=[first, second], title="Kuhn poker")


def _kuhn_deal(mine: str, theirs: str, better: int) -> int:
    """Return what seat 0 wins with these plans; `better` is 1 if it holds the higher card."""
    after_check, after_bet = theirs[0], theirs[1]
    if mine == "b":
        return 1 if after_bet == "f" else 2 * better
    if after_check == "p":
        return better
    return 2 * better if mine == "c" else -1


def climbing() -> NormalForm:
    """A cooperative game whose best joint action is dangerous to look for alone."""
    paid = [[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]]
    return NormalForm([paid, paid], [("a0", "a1", "a2"), ("b0", "b1", "b2")], "climbing game")


def penalty(*, miss: float = -100.0) -> NormalForm:
    """A cooperative game with two best joint actions and a penalty for mixing them up."""
    at_least("-miss", -miss, 0.0)
    paid = [[10.0, 0.0, miss], [0.0, 2.0, 0.0], [miss, 0.0, 10.0]]
    return NormalForm([paid, paid], [("a0", "a1", "a2"), ("b0", "b1", "b2")], "penalty game")


def nonmonotonic(*, best: float = 8.0, miss: float = -12.0) -> NormalForm:
    """A cooperative game whose best action is good only if both choose it, bad if one does."""
    at_least("best", best, 1e-9)
    at_least("-miss", -miss, 0.0)
    paid = [[best, miss, miss], [miss, 0.0, 0.0], [miss, 0.0, 0.0]]
    return NormalForm([paid, paid], [("a0", "a1", "a2"), ("b0", "b1", "b2")], "nonmonotonic game")


def hawk_dove_bourgeois(*, value: float = 4.0, cost: float = 6.0) -> NormalForm:
    """Hawk-dove with a third way: a hawk when at home, a dove when visiting."""
    at_least("value", value, 0.0)
    increasing(value=value, cost=cost)
    fight, share = (value - cost) / 2, value / 2
    table = [
        [fight, value, (fight + value) / 2],
        [0.0, share, share / 2],
        [fight / 2, (value + share) / 2, share],
    ]
    return symmetric(table, ("hawk", "dove", "bourgeois"), "hawk, dove and bourgeois")


def undercut(*, numbers: int = 5) -> NormalForm:
    """Each is paid the number named, but naming one less than the other takes both."""
    at_least("numbers", numbers, 2, 1000)

    def pay(own: int, other: int) -> float:
        if own == other - 1:
            return own + other
        return 0 if own == other + 1 else own

    named = range(1, numbers + 1)
    table = [[pay(own, other) for other in named] for own in named]
    return symmetric(table, [str(n) for n in named], "undercut")
