"""Textbook games of any number of seats."""

from __future__ import annotations

from collections.abc import Sequence

from arena.errors import ParameterError
from games.normal_form import NormalForm
from games.textbook.check import at_least, from_rule, increasing

__all__ = [
    "braess",
    "congestion",
    "coordination",
    "diners_dilemma",
    "el_farol",
    "guess_two_thirds",
    "jordan",
    "lowest_unique_number",
    "majority",
    "minimum_effort",
    "minority",
    "public_goods",
    "threshold_public_good",
    "volunteers_dilemma",
]

_MOST_SEATS = 16


def public_goods(*, seats: int = 4, endowment: int = 4, multiplier: float = 1.6) -> NormalForm:
    """What all give is multiplied and shared by all; whoever gives nothing shares too."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("endowment", endowment, 1, 100)
    at_least("multiplier", multiplier, 0.0)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        share = multiplier * sum(joint) / seats
        return [endowment - given + share for given in joint]

    names = [[f"give {k}" for k in range(endowment + 1)]] * seats
    return from_rule((endowment + 1,) * seats, rule, names=names, title="public goods")


def threshold_public_good(
    *, seats: int = 4, threshold: int = 2, benefit: float = 3.0, cost: float = 1.0
) -> NormalForm:
    """The good is provided to all if enough seats pay for it; payments are lost otherwise."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("threshold", threshold, 1, seats)
    increasing(free=0.0, cost=cost, benefit=benefit)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        shared = benefit if sum(joint) >= threshold else 0.0
        return [shared - cost * paid for paid in joint]

    return from_rule(
        (2,) * seats, rule, names=[("keep", "pay")] * seats, title="threshold public good"
    )


def minimum_effort(
    *,
    seats: int = 3,
    efforts: int = 7,
    weakest: float = 0.2,
    own: float = 0.1,
    base: float = 0.6,
) -> NormalForm:
    """All are paid by the least effort and pay for their own."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("efforts", efforts, 2, 1000)
    increasing(free=0.0, own=own, weakest=weakest)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        return [weakest * (min(joint) + 1) - own * (mine + 1) + base for mine in joint]

    names = [[f"effort {k + 1}" for k in range(efforts)]] * seats
    return from_rule((efforts,) * seats, rule, names=names, title="minimum effort")


def volunteers_dilemma(*, seats: int = 3, benefit: float = 1.0, cost: float = 0.25) -> NormalForm:
    """One volunteer is enough for all, and each hopes for another."""
    at_least("seats", seats, 2, _MOST_SEATS)
    increasing(free=0.0, cost=cost, benefit=benefit)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        shared = benefit if any(joint) else 0.0
        return [shared - cost * mine for mine in joint]

    return from_rule(
        (2,) * seats, rule, names=[("wait", "volunteer")] * seats, title="volunteer's dilemma"
    )


def el_farol(*, seats: int = 5, capacity: int = 3) -> NormalForm:
    """The bar is fun unless it is crowded; staying at home pays nothing."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("capacity", capacity, 1, seats - 1)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        fun = 1.0 if sum(joint) <= capacity else -1.0
        return [fun * going for going in joint]

    return from_rule((2,) * seats, rule, names=[("stay", "go")] * seats, title="El Farol bar")


def minority(*, seats: int = 3) -> NormalForm:
    """An odd number of seats choose a side; those on the smaller one win."""
    at_least("seats", seats, 3, _MOST_SEATS)
    if seats % 2 == 0:
        raise ParameterError("seats", seats, "an odd number, so that there is a minority")

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        winner = 1 if sum(joint) * 2 < seats else 0
        return [float(side == winner) for side in joint]

    return from_rule((2,) * seats, rule, names=[("left", "right")] * seats, title="minority game")


def majority() -> NormalForm:
    """Three seats each name a partner; two who name each other win a half from the third."""

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        named = [(seat + 1 + a) % 3 for seat, a in enumerate(joint)]
        for seat in range(3):
            partner = named[seat]
            if named[partner] == seat:
                return [0.5 if s in (seat, partner) else -1.0 for s in range(3)]
        return [0.0, 0.0, 0.0]

    names = [("name next", "name previous")] * 3
    return from_rule((2, 2, 2), rule, names=names, title="three-player majority")


def jordan() -> NormalForm:
    """Three seats: 0 wants to match 1, 1 wants to match 2, 2 wants to differ from 0."""

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        a, b, c = joint
        return [1.0 if a == b else -1.0, 1.0 if b == c else -1.0, 1.0 if c != a else -1.0]

    names = [("heads", "tails")] * 3
    return from_rule((2, 2, 2), rule, names=names, title="Jordan's three-player pennies")


def diners_dilemma(
    *,
    seats: int = 4,
    cheap_joy: float = 10.0,
    cheap_price: float = 8.0,
    dear_joy: float = 14.0,
    dear_price: float = 20.0,
) -> NormalForm:
    """The bill is split, so each orders what nobody would order alone."""
    at_least("seats", seats, 2, _MOST_SEATS)
    increasing(cheap_price=cheap_price, dear_price=dear_price)
    increasing(cheap_joy=cheap_joy, dear_joy=dear_joy)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        dear = sum(joint)
        bill = (dear * dear_price + (seats - dear) * cheap_price) / seats
        return [(dear_joy if mine else cheap_joy) - bill for mine in joint]

    return from_rule((2,) * seats, rule, names=[("cheap", "dear")] * seats, title="diner's dilemma")


def lowest_unique_number(*, seats: int = 3, numbers: int = 4) -> NormalForm:
    """The lowest number that only one seat chose wins."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("numbers", numbers, 2, 1000)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        unique = [number for number in joint if joint.count(number) == 1]
        return [float(bool(unique) and number == min(unique)) for number in joint]

    names = [[str(k + 1) for k in range(numbers)]] * seats
    return from_rule((numbers,) * seats, rule, names=names, title="lowest unique number")


def coordination(*, seats: int = 2, actions: int = 2) -> NormalForm:
    """All are paid one if all choose the same."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("actions", actions, 2, 1000)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        return [float(len(set(joint)) == 1)] * seats

    return from_rule((actions,) * seats, rule, title="pure coordination")


def congestion(*, seats: int = 3, resources: int = 2) -> NormalForm:
    """Each picks a resource and pays the number of seats that use it."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("resources", resources, 2, 100)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        return [-float(joint.count(mine)) for mine in joint]

    names = [[f"resource {k}" for k in range(resources)]] * seats
    return from_rule((resources,) * seats, rule, names=names, title="congestion game")


def braess(*, seats: int = 4) -> NormalForm:
    """A road that makes everybody slower: two routes and the shortcut between them.

    The two narrow roads take as long as they have users, the two wide ones always
    `seats` + 1/2. The shortcut takes no time and uses both narrow roads.
    """
    at_least("seats", seats, 2, 12)
    wide = seats + 0.5

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        first = sum(route != 1 for route in joint)  # users of the narrow road at the start
        last = sum(route != 0 for route in joint)  # users of the narrow road at the end
        time = (first + wide, wide + last, float(first + last))
        return [-time[route] for route in joint]

    names = [("start narrow", "end narrow", "shortcut")] * seats
    return from_rule((3,) * seats, rule, names=names, title="Braess's paradox")


def guess_two_thirds(*, seats: int = 2, highest: int = 100, fraction: float = 2 / 3) -> NormalForm:
    """The guess nearest to two thirds of the mean guess wins; ties share the prize."""
    at_least("seats", seats, 2, _MOST_SEATS)
    at_least("highest", highest, 1, 1000)
    at_least("fraction", fraction, 0.0, 1.0)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        target = fraction * sum(joint) / seats
        off = [round(abs(guess - target), 9) for guess in joint]
        best = min(off)
        return [(each == best) / off.count(best) for each in off]

    names = [[str(k) for k in range(highest + 1)]] * seats
    return from_rule((highest + 1,) * seats, rule, names=names, title="guess two thirds")
