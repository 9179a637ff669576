"""The textbook matrix games: `matrix/<name>`, and `repeated/<name>` for their repetitions.

Each row of `TEXTBOOK` is a builder from `games.textbook` with what a list shows of it.
Parameters are the builder's keyword arguments; names, types and ranges are checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arena.errors import ParameterError, UnknownNameError
from arena.game import Game
from arena.registry import Info
from games._built import Built
from games.normal_form import NormalForm, as_game
from games.repeated.form import repeat
from games.textbook import generators, many_seats, markets, two_by_two, two_seats

__all__ = ["FAMILY", "REPEATED", "TEXTBOOK", "MatrixFamily", "RepeatedFamily", "Textbook"]


@dataclass(frozen=True)
class Textbook(Built[NormalForm]):
    """One game of the catalogue.

    Attributes:
        seats: number of seats, `2` or `2-16`.
        payoff: the kind with the default parameters.
        citation: where the game comes from.
    """

    seats: str
    payoff: str
    citation: str


def _row(build: Callable[..., NormalForm], seats: str, payoff: str, citation: str) -> Textbook:
    return Textbook(build, seats, payoff, citation)


_ZERO, _SUM, _TEAM, _GENERAL = "zero_sum", "constant_sum", "cooperative", "general_sum"
_RASMUSEN = "Rasmusen 2007, Games and Information, 4th ed., ch. 1-3"
_SMITH = "Maynard Smith 1982, Evolution and the Theory of Games"
_RANDOM = "Nudelman et al. 2004, Run the GAMUT, AAMAS"

TEXTBOOK: dict[str, Textbook] = {
    # two seats, two actions
    "prisoners_dilemma": _row(
        two_by_two.prisoners_dilemma,
        "2",
        _GENERAL,
        "Flood 1958, Management Science 5; Tucker 1950; payoffs of Axelrod 1980",
    ),
    "stag_hunt": _row(
        two_by_two.stag_hunt, "2", _GENERAL, "Rousseau 1755; Skyrms 2004, The Stag Hunt"
    ),
    "chicken": _row(
        two_by_two.chicken, "2", _GENERAL, "Rapoport and Chammah 1966, American Behav. Scientist 10"
    ),
    "hawk_dove": _row(
        two_by_two.hawk_dove, "2", _GENERAL, "Maynard Smith and Price 1973, Nature 246"
    ),
    "deadlock": _row(
        two_by_two.deadlock, "2", _GENERAL, "Oye 1986, Cooperation under Anarchy, ch. 1"
    ),
    "hi_lo": _row(two_by_two.hi_lo, "2", _TEAM, "Bacharach 2006, Beyond Individual Choice, ch. 1"),
    "battle_of_the_sexes": _row(
        two_by_two.battle_of_the_sexes,
        "2",
        _GENERAL,
        "Luce and Raiffa 1957, Games and Decisions, §5.3",
    ),
    "matching_pennies": _row(
        two_by_two.matching_pennies,
        "2",
        _ZERO,
        "von Neumann and Morgenstern 1944, Theory of Games and Economic Behavior, §14.7",
    ),
    "asymmetric_matching_pennies": _row(
        two_by_two.asymmetric_matching_pennies,
        "2",
        _GENERAL,
        "Goeree and Holt 2001, American Economic Review 91",
    ),
    "inspection": _row(
        two_by_two.inspection, "2", _GENERAL, "Fudenberg and Tirole 1991, Game Theory, example 1.7"
    ),
    "bismarck_sea": _row(
        two_by_two.bismarck_sea,
        "2",
        _ZERO,
        "Haywood 1954, J. Operations Research Society of America 2; " + _RASMUSEN,
    ),
    "boxed_pigs": _row(
        two_by_two.boxed_pigs,
        "2",
        _GENERAL,
        "Baldwin and Meese 1979, Animal Behaviour 27; " + _RASMUSEN,
    ),
    "welfare": _row(two_by_two.welfare, "2", _GENERAL, _RASMUSEN),
    "penalty_kick": _row(
        two_by_two.penalty_kick,
        "2",
        _SUM,
        "Palacios-Huerta 2003, Review of Economic Studies 70",
    ),
    "entry_deterrence": _row(
        two_by_two.entry_deterrence, "2", _GENERAL, "Selten 1978, Theory and Decision 9"
    ),
    "trust": _row(
        two_by_two.trust,
        "2",
        _GENERAL,
        "Kreps 1990, Corporate culture and economic theory, in Alt and Shepsle",
    ),
    "ordinal_2x2": _row(
        two_by_two.ordinal_2x2,
        "2",
        _GENERAL,
        "Robinson and Goforth 2005, The Topology of the 2×2 Games; names of Bruns 2015, Games 6",
    ),
    # two seats, more actions
    "rock_paper_scissors": _row(
        two_seats.rock_paper_scissors, "2", _ZERO, "traditional; Weibull 1995, §1.1"
    ),
    "weighted_rock_paper_scissors": _row(
        two_seats.weighted_rock_paper_scissors,
        "2",
        _ZERO,
        "Hofbauer and Sigmund 1998, Evolutionary Games and Population Dynamics, §7.7",
    ),
    "rock_paper_scissors_lizard_spock": _row(
        two_seats.rock_paper_scissors_lizard_spock, "2", _ZERO, "Kass and Bryla 1998"
    ),
    "shapley": _row(
        two_seats.shapley, "2", _GENERAL, "Shapley 1964, Some topics in two-person games, §5"
    ),
    "oneill": _row(two_seats.oneill, "2", _ZERO, "O'Neill 1987, PNAS 84"),
    "morra": _row(two_seats.morra, "2", _ZERO, "traditional; Dresher 1961, Games of Strategy"),
    "hide_and_seek": _row(
        two_seats.hide_and_seek,
        "2",
        _ZERO,
        "von Neumann 1953, in Contributions to the Theory of Games II",
    ),
    "travellers_dilemma": _row(
        two_seats.travellers_dilemma, "2", _GENERAL, "Basu 1994, American Economic Review 84"
    ),
    "centipede": _row(
        two_seats.centipede,
        "2",
        _GENERAL,
        "Rosenthal 1981, J. Economic Theory 25; payoffs of McKelvey and Palfrey 1992",
    ),
    "colonel_blotto": _row(
        two_seats.colonel_blotto, "2", _ZERO, "Borel 1921; Gross and Wagner 1950, RAND RM-408"
    ),
    "kuhn_poker": _row(
        two_seats.kuhn_poker, "2", _ZERO, "Kuhn 1950, in Contributions to the Theory of Games I"
    ),
    "climbing": _row(two_seats.climbing, "2", _TEAM, "Claus and Boutilier 1998, AAAI"),
    "penalty": _row(two_seats.penalty, "2", _TEAM, "Claus and Boutilier 1998, AAAI"),
    "nonmonotonic": _row(
        two_seats.nonmonotonic, "2", _TEAM, "Son et al. 2019, QTRAN, ICML, table 1"
    ),
    "hawk_dove_bourgeois": _row(two_seats.hawk_dove_bourgeois, "2", _GENERAL, _SMITH),
    "undercut": _row(two_seats.undercut, "2", _GENERAL, "Hofstadter 1985, Metamagical Themas"),
    # bargaining and markets
    "nash_demand": _row(markets.nash_demand, "2", _GENERAL, "Nash 1953, Econometrica 21"),
    "ultimatum": _row(
        markets.ultimatum, "2", _GENERAL, "Güth, Schmittberger and Schwarze 1982, JEBO 3"
    ),
    "cournot": _row(markets.cournot, "2-8", _GENERAL, "Cournot 1838, Recherches, ch. 7"),
    "bertrand": _row(markets.bertrand, "2-8", _GENERAL, "Bertrand 1883, Journal des Savants"),
    "hotelling": _row(markets.hotelling, "2", _SUM, "Hotelling 1929, Economic Journal 39"),
    "war_of_attrition": _row(
        markets.war_of_attrition, "2", _GENERAL, "Maynard Smith 1974, J. Theoretical Biology 47"
    ),
    "first_price_auction": _row(
        markets.first_price_auction, "2", _GENERAL, "Vickrey 1961, Journal of Finance 16"
    ),
    "second_price_auction": _row(
        markets.second_price_auction, "2", _GENERAL, "Vickrey 1961, Journal of Finance 16"
    ),
    "all_pay_auction": _row(
        markets.all_pay_auction,
        "2",
        _GENERAL,
        "Baye, Kovenock and de Vries 1996, Economic Theory 8",
    ),
    # any number of seats
    "public_goods": _row(
        many_seats.public_goods, "2-16", _GENERAL, "Isaac and Walker 1988, QJE 103"
    ),
    "threshold_public_good": _row(
        many_seats.threshold_public_good,
        "2-16",
        _GENERAL,
        "Palfrey and Rosenthal 1984, J. Public Economics 24",
    ),
    "minimum_effort": _row(
        many_seats.minimum_effort,
        "2-16",
        _GENERAL,
        "Van Huyck, Battalio and Beil 1990, American Economic Review 80",
    ),
    "volunteers_dilemma": _row(
        many_seats.volunteers_dilemma, "2-16", _GENERAL, "Diekmann 1985, J. Conflict Resolution 29"
    ),
    "el_farol": _row(
        many_seats.el_farol, "2-16", _GENERAL, "Arthur 1994, American Economic Review 84"
    ),
    "minority": _row(
        many_seats.minority, "3-15", _GENERAL, "Challet and Zhang 1997, Physica A 246"
    ),
    "majority": _row(
        many_seats.majority,
        "3",
        _ZERO,
        "von Neumann and Morgenstern 1944, Theory of Games and Economic Behavior, §21",
    ),
    "jordan": _row(many_seats.jordan, "3", _GENERAL, "Jordan 1993, Games and Economic Behavior 5"),
    "diners_dilemma": _row(
        many_seats.diners_dilemma,
        "2-16",
        _GENERAL,
        "Glance and Huberman 1994, Scientific American 270",
    ),
    "lowest_unique_number": _row(
        many_seats.lowest_unique_number,
        "2-16",
        _GENERAL,
        "Östling, Wang, Chou and Camerer 2011, AEJ: Microeconomics 3",
    ),
    "coordination": _row(
        many_seats.coordination, "2-16", _TEAM, "Schelling 1960, The Strategy of Conflict, ch. 3"
    ),
    "congestion": _row(
        many_seats.congestion, "2-16", _GENERAL, "Rosenthal 1973, Int. J. Game Theory 2"
    ),
    "braess": _row(many_seats.braess, "2-12", _GENERAL, "Braess 1968, Unternehmensforschung 12"),
    "guess_two_thirds": _row(
        many_seats.guess_two_thirds,
        "2-16",
        _SUM,
        "Moulin 1986, Game Theory for the Social Sciences; Nagel 1995, AER 85",
    ),
    # random ones
    "random": _row(generators.random_general, "2-12", _GENERAL, _RANDOM),
    "random_zero_sum": _row(generators.random_zero_sum, "2", _ZERO, _RANDOM),
    "random_cooperative": _row(generators.random_cooperative, "2-12", _TEAM, _RANDOM),
    "random_symmetric": _row(generators.random_symmetric, "2-12", _GENERAL, _RANDOM),
}
"""Name to game."""


def _checked(where: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameters against their defaults' names and types.

    Raises:
        UnknownNameError: a parameter that the game does not have.
        ParameterError: a value of the wrong type.
    """
    out = {}
    for name, value in given.items():
        if name not in known:
            raise UnknownNameError(
                f"parameter of {where}",
                name,
                known,
                hint=f"there are {', '.join(known)}" if known else "there are none",
            )
        wanted = type(known[name])
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if not fits:
            raise ParameterError(
                name, value, f"{wanted.__name__} (default {known[name]!r})", where=where
            )
        out[name] = wanted(value)
    return out


@lru_cache(maxsize=64)
def _normal_form(name: str, params: tuple[tuple[str, Any], ...]) -> NormalForm:
    return TEXTBOOK[name].build(**dict(params))


def _find(name: str) -> Textbook:
    found = TEXTBOOK.get(name)
    if found is None:
        raise UnknownNameError("matrix game", name, TEXTBOOK, hint="`arena list games` shows all")
    return found


class MatrixFamily:
    """`matrix/<name>`: one play of a textbook game."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return list(TEXTBOOK)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        entry = _find(name)
        tags = {"seats": entry.seats, "payoff": entry.payoff, "turns": "simultaneous"}
        return Info(f"matrix/{name}", entry.summary, tags, "arena")

    def make(self, name: str, **params: Any) -> Game:
        """Make one of them.

        Raises:
            UnknownNameError: of a game or parameter, with the nearest names.
            ParameterError: a value of the wrong type or range.
        """
        from games.repeated.batch import OneShotBatch

        entry, id = _find(name), f"matrix/{name}"
        checked = _checked(id, entry.parameters, params)
        form = _normal_form(name, tuple(sorted(checked.items())))
        game = as_game(form, id=id, params=checked, summary=entry.summary, citation=entry.citation)
        forms = {**game.forms, "batch": lambda seeds: OneShotBatch(form, seeds)}
        return dataclasses.replace(game, forms=forms)


_REPEATING: dict[str, tuple[type, ...]] = {
    "rounds": (int,),
    "continuation": (float, int),
    "noise": (float, int),
    "payoff": (str,),
    "memory": (int,),
}


class RepeatedFamily:
    """`repeated/<name>`: a textbook game played again and again; see `games.repeated`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return list(TEXTBOOK)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        entry = _find(name)
        tags = {"seats": entry.seats, "payoff": entry.payoff, "turns": "simultaneous"}
        return Info(f"repeated/{name}", f"Repeated: {entry.summary}", tags, "arena")

    def make(self, name: str, **params: Any) -> Game:
        """Make one of them; parameters are those of `games.repeated.repeat` and of the game.

        Raises:
            UnknownNameError: of a game or parameter, with the nearest names.
            ParameterError: a value of the wrong type or range.
        """
        entry, id = _find(name), f"repeated/{name}"
        repeating = {k: v for k, v in params.items() if k in _REPEATING}
        for key, value in repeating.items():
            # None is the default of both lengths.
            if value is None and key in ("rounds", "continuation"):
                continue
            if type(value) not in _REPEATING[key]:
                raise ParameterError(key, value, _REPEATING[key][0].__name__, where=id)
        own = {k: v for k, v in params.items() if k not in _REPEATING}
        if unknown := [k for k in own if k not in entry.parameters]:
            known = [*_REPEATING, *entry.parameters]
            raise UnknownNameError(
                f"parameter of {id}", unknown[0], known, hint=f"there are {', '.join(known)}"
            )
        stage = FAMILY.make(name, **own)
        kept = {k: v for k, v in repeating.items() if v is not None}
        return repeat(stage, **kept, id=id, params={**stage.params, **kept})


FAMILY = MatrixFamily()
REPEATED = RepeatedFamily()
