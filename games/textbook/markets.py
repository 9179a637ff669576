"""Bargaining, auctions and oligopoly, on grids."""

from __future__ import annotations

from collections.abc import Sequence

from games.normal_form import NormalForm
from games.textbook.check import at_least, from_rule, increasing, symmetric

__all__ = [
    "all_pay_auction",
    "bertrand",
    "cournot",
    "first_price_auction",
    "hotelling",
    "nash_demand",
    "second_price_auction",
    "ultimatum",
    "war_of_attrition",
]


def nash_demand(*, pie: int = 10) -> NormalForm:
    """Both are paid their demands if these fit into the pie, else nothing."""
    at_least("pie", pie, 1, 1000)
    demands = range(pie + 1)
    table = [[own if own + other <= pie else 0 for other in demands] for own in demands]
    return symmetric(table, [f"demand {d}" for d in demands], "Nash demand game")


def ultimatum(*, pie: int = 10) -> NormalForm:
    """Seat 0 offers a part of the pie, seat 1 accepts from a least offer on."""
    at_least("pie", pie, 1, 1000)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        offer, least = joint
        return (pie - offer, offer) if offer >= least else (0, 0)

    shares = range(pie + 1)
    names = [[f"offer {k}" for k in shares], [f"accept from {k}" for k in shares]]
    return from_rule((pie + 1, pie + 1), rule, names=names, title="ultimatum game")


def cournot(
    *, seats: int = 2, intercept: float = 13.0, cost: float = 1.0, capacity: int = 12
) -> NormalForm:
    """Firms choose quantities; the price is the intercept less what they bring to market."""
    at_least("seats", seats, 2, 8)
    at_least("capacity", capacity, 1, 1000)
    increasing(cost=cost, intercept=intercept)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        margin = max(intercept - sum(joint), 0.0) - cost
        return [quantity * margin for quantity in joint]

    names = [[f"quantity {q}" for q in range(capacity + 1)]] * seats
    return from_rule((capacity + 1,) * seats, rule, names=names, title="Cournot oligopoly")


def bertrand(*, seats: int = 2, cost: int = 2, highest: int = 10) -> NormalForm:
    """Firms choose prices; the cheapest share a demand of `highest` less the price."""
    at_least("seats", seats, 2, 8)
    at_least("cost", cost, 0)
    at_least("highest", highest, cost + 1, 1000)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        price = min(joint)
        profit = (price - cost) * (highest - price) / joint.count(price)
        return [profit if own == price else 0.0 for own in joint]

    names = [[f"price {p}" for p in range(highest + 1)]] * seats
    return from_rule((highest + 1,) * seats, rule, names=names, title="Bertrand oligopoly")


def hotelling(*, locations: int = 11) -> NormalForm:
    """Two shops on a street; every customer goes to the nearer one."""
    at_least("locations", locations, 2, 500)

    def pay(own: int, other: int) -> float:
        return sum(
            1.0 if abs(c - own) < abs(c - other) else 0.5 * (abs(c - own) == abs(c - other))
            for c in range(locations)
        )

    table = [[pay(own, other) for other in range(locations)] for own in range(locations)]
    return symmetric(table, [f"location {k}" for k in range(locations)], "Hotelling's street")


def war_of_attrition(*, value: float = 4.0, longest: int = 10) -> NormalForm:
    """Who waits longer wins the prize; both pay for the time until the first gives up."""
    at_least("value", value, 0.0)
    at_least("longest", longest, 1, 1000)

    def pay(own: int, other: int) -> float:
        if own == other:
            return value / 2 - own
        return value - other if own > other else -float(own)

    times = range(longest + 1)
    table = [[pay(own, other) for other in times] for own in times]
    return symmetric(table, [f"wait {t}" for t in times], "war of attrition")


def _auction(value: tuple[int, int], highest: int, price: str, title: str) -> NormalForm:
    """Return a sealed-bid auction of one thing among two; a tie is decided by a coin.

    `price` says what is paid: `first` (one's bid), `second` (the other's), `all` (one's
    bid, won or lost).
    """
    for name, each in (("value_0", value[0]), ("value_1", value[1])):
        at_least(name, each, 0)
    at_least("highest", highest, 1, 1000)

    def rule(joint: tuple[int, ...]) -> Sequence[float]:
        out = []
        for seat, worth in enumerate(value):
            own, other = joint[seat], joint[1 - seat]
            chance = 0.5 if own == other else float(own > other)
            if price == "all":
                out.append(chance * worth - own)
            else:
                out.append(chance * (worth - (own if price == "first" else other)))
        return out

    names = [[f"bid {b}" for b in range(highest + 1)]] * 2
    return from_rule((highest + 1,) * 2, rule, names=names, title=title)


def first_price_auction(*, value_0: int = 6, value_1: int = 4, highest: int = 8) -> NormalForm:
    """The higher bid wins and is paid."""
    return _auction((value_0, value_1), highest, "first", "first-price auction")


def second_price_auction(*, value_0: int = 6, value_1: int = 4, highest: int = 8) -> NormalForm:
    """The higher bid wins and the lower one is paid."""
    return _auction((value_0, value_1), highest, "second", "second-price auction")


def all_pay_auction(*, value_0: int = 6, value_1: int = 6, highest: int = 8) -> NormalForm:
    """The higher bid wins, and both bids are paid."""
    return _auction((value_0, value_1), highest, "all", "all-pay auction")
