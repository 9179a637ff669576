"""`markov/<name>`: the Markov games that can be made by name, and files of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arena.errors import ParameterError, UnknownNameError
from arena.game import Game
from arena.registry import GAMES, Info
from games._built import Built
from games.markov import generators, grids, textbook
from games.markov.explore import markov_of
from games.markov.files import SUFFIX, read_form, version_of
from games.markov.form import MarkovGame
from games.markov.game import as_game

__all__ = ["CATALOG", "FAMILY", "Row"]


def explored(game: str = "openspiel/markov_soccer", limit: int = 100_000) -> MarkovGame:
    """Any small enough game of the registry, state by state, with episodes of this form."""
    found: Game = GAMES.factory(game)()
    return markov_of(found, limit=limit)


@dataclass(frozen=True)
class Row(Built[MarkovGame]):
    """One game: how to build it, and what a list shows."""

    seats: str
    payoff: str
    citation: str


_GENERAL, _ZERO = "general_sum", "zero_sum"

CATALOG: dict[str, Row] = {
    "big_match": Row(textbook.big_match, "2", _ZERO, "Gillette 1957; Blackwell, Ferguson 1968"),
    "coin_game": Row(grids.coin_game, "2", _GENERAL, "Lerer and Peysakhovich 2017"),
    "combination_lock": Row(generators.combination_lock, "2", _ZERO, "Kakade 2003, section 2.4"),
    "congestion": Row(generators.congestion, "2-8", _GENERAL, "Leonardos et al. 2022, section 5"),
    "garnet": Row(generators.garnet, "1-8", _GENERAL, "Archibald, McKinnon and Thomas 1995"),
    "hide_or_run": Row(textbook.hide_or_run, "2", _ZERO, "Kumar and Shiau 1981"),
    "inspection": Row(textbook.inspection, "2", _ZERO, "Dresher 1962, RAND RM-2972"),
    "low_rank": Row(generators.low_rank_game, "1-8", _GENERAL, "Jin et al. 2020, COLT"),
    "no_stationary_pure": Row(
        textbook.no_stationary_pure, "2", _GENERAL, "Zinkevich, Greenwald and Littman 2006"
    ),
    "of": Row(explored, "1-8", _GENERAL, "the game it is made from"),
    "pursuit": Row(grids.pursuit, "2-4", _GENERAL, "Isaacs 1965; Benda et al. 1986"),
    "repeated": Row(textbook.repeated, "2-16", _GENERAL, "Shapley 1964"),
    "routing": Row(generators.routing, "1-6", _GENERAL, "Rosenthal 1973"),
    "soccer": Row(grids.soccer, "2", _ZERO, "Littman 1994, section 5"),
    "turn_based": Row(generators.turn_based, "1-8", _GENERAL, "Shapley 1953"),
    "two_step": Row(textbook.two_step, "2", "cooperative", "Rashid et al. 2018, section 5.1"),
    "windy_walk": Row(grids.windy_walk, "2", _ZERO, "Morimoto and Doya 2005"),
}
"""Name to game."""


@lru_cache(maxsize=16)
def _form(name: str, params: tuple[tuple[str, Any], ...]) -> MarkovGame:
    return CATALOG[name].build(**dict(params))


def _find(name: str) -> Row:
    row = CATALOG.get(name)
    if row is None:
        raise UnknownNameError("Markov game", name, CATALOG, hint="`arena list games` shows all")
    return row


def _filed(path: str, ends: Mapping[str, Any], own: Mapping[str, Any]) -> Game:
    """Make the game of a file, with another end if wanted."""
    id = f"markov/{path}"
    for key in own:
        raise UnknownNameError(f"parameter of {id}", key, ends, hint=f"there are {', '.join(ends)}")
    given = {key: value for key, value in ends.items() if value is not None}
    form = read_form(path).with_end(**given)
    return as_game(form, id=id, params=given, version=version_of(path))


class MarkovFamily:
    """The family; all games also take `horizon` and `discount`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return list(CATALOG)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name.endswith(SUFFIX):
            game = self.make(name)
            seats = {"seats": str(game.seats), "payoff": game.payoff, "turns": game.turns}
            return Info(game.id, game.summary, seats, "file")
        row = _find(name)
        tags = {"seats": row.seats, "payoff": row.payoff, "turns": "simultaneous"}
        return Info(f"markov/{name}", row.summary, tags, "arena")

    def make(
        self, name: str, *, horizon: int | None = None, discount: float | None = None, **own: Any
    ) -> Game:
        """Make one of them.

        Args:
            name: below the prefix, or the path of a file.
            horizon: steps; by default the game's own.
            discount: by default the game's own, or 1 where `horizon` is given.
            own: see the game's builder.

        Raises:
            UnknownNameError: of a game or parameter, with the nearest names.
            ParameterError: a value of the wrong type or range.
            FormatError: a file that holds no Markov game.
        """
        if name.endswith(SUFFIX):
            return _filed(name, {"horizon": horizon, "discount": discount}, own)
        row, id = _find(name), f"markov/{name}"
        known = row.parameters
        for key, value in own.items():
            if key not in known:
                names = [*known, "horizon", "discount"]
                raise UnknownNameError(
                    f"parameter of {id}", key, names, hint=f"there are {', '.join(names)}"
                )
            wanted = type(known[key])
            if type(value) is not wanted and not (wanted is float and type(value) is int):
                raise ParameterError(
                    key, value, f"{wanted.__name__} (default {known[key]!r})", where=id
                )
        ends = {"horizon": horizon, "discount": discount}
        given: dict[str, Any] = {key: value for key, value in ends.items() if value is not None}
        if "discount" in known and "discount" in given and horizon is None:
            own["discount"] = given.pop("discount")
        if name == "of" and given:
            found: Game = GAMES.factory(own.get("game", known["game"]))()
            form = markov_of(
                found, limit=own.get("limit", known["limit"]), horizon=horizon, discount=discount
            )
        else:
            form = _form(name, tuple(sorted(own.items()))).with_end(**given)
        return as_game(
            form,
            id=id,
            params={**own, **given},
            summary=row.summary,
            citation=row.citation,
        )


FAMILY = MarkovFamily()
