"""What a forfeit pays."""

from __future__ import annotations

from math import isfinite

from arena.errors import SpecError
from arena.game import Game
from tournaments.spec import ForfeitSpec

__all__ = ["forfeit_payoffs"]


def forfeit_payoffs(
    game: Game, rule: ForfeitSpec, *, where: str = "[forfeit]"
) -> tuple[tuple[float, ...], ...]:
    """Return what every seat is paid when one forfeits: n rows (offenders) of n payoffs.

    By default the offender and its team are paid the game's least payoff; the others, in
    zero- and constant-sum games, what is then left to them, in cooperative games the same
    least payoff, in general-sum games the game's greatest.

    Raises:
        SpecError: a number is needed and the game's bounds do not give it.
    """
    low, high = game.payoff_bounds
    bad = low if rule.offender is None else rule.offender
    if not isfinite(bad):
        raise SpecError(
            f"{where} offender is missing; the least payoff of {game.key} is not known, "
            "so a number is needed"
        )
    rows = []
    for seat in range(game.seats):
        mine = [s for s in range(game.seats) if game.teams[s] == game.teams[seat]]
        good = _others(game, rule, bad, len(mine), high)
        if not isfinite(good) and len(mine) < game.seats:
            raise SpecError(
                f"{where} others is missing; it does not follow from what is known about "
                f"{game.key}, so a number is needed"
            )
        rows.append(tuple(bad if s in mine else good for s in range(game.seats)))
    return tuple(rows)


def _others(game: Game, rule: ForfeitSpec, bad: float, mine: int, high: float) -> float:
    rest = game.seats - mine
    if rule.others is not None:
        return rule.others
    if game.payoff == "cooperative" or not rest:
        return bad
    if game.payoff == "zero_sum":
        return -bad * mine / rest
    if game.payoff == "constant_sum":
        # The constant is known for two sides only: what one gets at best and worst.
        total = sum(game.payoff_bounds) if game.seats == 2 else float("nan")
        return (total - bad * mine) / rest
    return high
