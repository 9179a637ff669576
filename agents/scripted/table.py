"""The strategies for repeated 2×2 games by name: rule, kernel number, parameters, source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.scripted import adaptive, classic, first_tournament, memory_one
from agents.scripted.match import Match, Rule
from arena.errors import ParameterError, UnknownNameError

__all__ = ["STRATEGIES", "Param", "Strategy"]


@dataclass(frozen=True)
class Param:
    """A parameter: its default and its range; whole numbers if the default is an int."""

    default: float
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Strategy:
    """One strategy.

    Attributes:
        rule: (match, *vector) to a running rule.
        code: its number in the kernel.
        citation: where it comes from.
        params: its parameters.
        vector: (match, *parameters) to the numbers that rule and kernel are given; by
            default the parameters themselves.
        stochastic: whether it ever tosses a coin.
    """

    rule: Callable[..., Rule]
    code: int
    citation: str
    params: Mapping[str, Param] = field(default_factory=dict)
    vector: Callable[..., tuple[float, ...]] | None = None
    stochastic: bool = False

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return ((self.vector or self.rule).__doc__ or "").split("\n")[0].strip()

    def numbers(self, match: Match, params: Mapping[str, float]) -> tuple[float, ...]:
        """Return what rule and kernel are given in a match."""
        values = [float(params[name]) for name in self.params]
        return tuple(values) if self.vector is None else self.vector(match, *values)

    def checked(self, where: str, given: Mapping[str, Any]) -> dict[str, float]:
        """Return all parameters, the defaults filled in.

        Raises:
            UnknownNameError: a parameter that the strategy does not have.
            ParameterError: a value of the wrong type or range.
        """
        out: dict[str, float] = {name: param.default for name, param in self.params.items()}
        for name, value in given.items():
            param = self.params.get(name)
            if param is None:
                known = ", ".join(self.params) or "none"
                raise UnknownNameError(
                    f"parameter of {where}", name, self.params, hint=f"there are: {known}"
                )
            whole = isinstance(param.default, int)
            kind = isinstance(value, int) if whole else isinstance(value, int | float)
            if isinstance(value, bool) or not kind or not param.low <= value <= param.high:
                what = "an integer" if whole else "a number"
                raise ParameterError(
                    name, value, f"{what} from {param.low:g} to {param.high:g}", where=where
                )
            out[name] = value
        return out


_1980 = "Axelrod 1980, J. Conflict Resolution 24, 3-25"
_1980_2 = "Axelrod 1980, J. Conflict Resolution 24, 379-403"
_1984 = "Axelrod 1984, The Evolution of Cooperation"
_BEAUFILS = "Beaufils, Delahaye and Mathieu 1996, Artificial Life V"
_STEWART = "Stewart and Plotkin 2012, PNAS 109, 10134-10135"
_TZAFESTAS = "Tzafestas 2000, Toward adaptive cooperative behavior, SAB 2000"
_LI = "Li, Hingston and Kendall 2011, IEEE Trans. Comput. Intell. AI Games 3"
_MATHIEU = "Mathieu and Delahaye 2017, J. Artificial Societies and Social Simulation 20(4)"
_MANY = 1_000_000.0


def _plain(rule: Callable[..., Rule], code: int, citation: str, **params: Param) -> Strategy:
    return Strategy(rule, code, citation, params)


def _tossing(rule: Callable[..., Rule], code: int, citation: str, **params: Param) -> Strategy:
    return Strategy(rule, code, citation, params, stochastic=True)


def _memory_one(
    vector: Callable[..., tuple[float, ...]], citation: str, **params: Param
) -> Strategy:
    return Strategy(memory_one.memory_one, 18, citation, params, vector, stochastic=True)


STRATEGIES: dict[str, Strategy] = {
    "always_cooperate": _plain(classic.always_cooperate, 0, _1984),
    "always_defect": _plain(classic.always_defect, 1, _1984),
    "random": _tossing(classic.random, 2, _1980, p=Param(0.5)),
    "alternator": _plain(classic.alternator, 3, _1984),
    "tit_for_tat": _plain(classic.tit_for_tat, 4, f"Rapoport, in {_1980}"),
    "suspicious_tit_for_tat": _plain(
        classic.suspicious_tit_for_tat, 5, "Boyd and Lorberbaum 1987, Nature 327"
    ),
    "anti_tit_for_tat": _plain(classic.anti_tit_for_tat, 6, "Hilbe, Nowak and Traulsen 2013"),
    "bully": _plain(classic.bully, 7, "Nachbar 1992, J. Econ. Behavior & Organization 19"),
    "tit_for_two_tats": _plain(classic.tit_for_two_tats, 8, _1984),
    "two_tits_for_tat": _plain(classic.two_tits_for_tat, 9, _1984),
    "hard_tit_for_tat": _plain(classic.hard_tit_for_tat, 10, _STEWART),
    "hard_tit_for_two_tats": _plain(classic.hard_tit_for_two_tats, 11, _STEWART),
    "slow_tit_for_tat": _plain(classic.slow_tit_for_tat, 12, _MATHIEU),
    "grim_trigger": _plain(
        classic.grim_trigger, 13, f"Friedman 1971, Review of Economic Studies 38; {_1980}"
    ),
    "soft_majority": _plain(classic.soft_majority, 14, _1984),
    "hard_majority": _plain(classic.hard_majority, 15, _1984),
    "forgiver": _plain(classic.forgiver, 16, "Knight et al. 2016, J. Open Research Software 4"),
    "appeaser": _plain(classic.appeaser, 17, "Knight et al. 2016, J. Open Research Software 4"),
    "spiteful_tit_for_tat": _plain(classic.spiteful_tit_for_tat, 40, _MATHIEU),
    "contrite_tit_for_tat": _plain(
        classic.contrite_tit_for_tat,
        41,
        "Sugden 1986; Wu and Axelrod 1995, J. Conflict Resolution 39",
    ),
    "adaptive_tit_for_tat": _plain(classic.adaptive_tit_for_tat, 42, _TZAFESTAS, rate=Param(0.5)),
    "omega_tit_for_tat": _plain(
        classic.omega_tit_for_tat,
        43,
        "Slany and Kienreich 2007, in Kendall, Yao and Chong, The Iterated Prisoners' Dilemma",
        deadlock=Param(3, 1, _MANY),
        randomness=Param(8, 1, _MANY),
    ),
    "gradual": _plain(classic.gradual, 44, _BEAUFILS),
    "soft_grim": _plain(classic.soft_grim, 45, _MATHIEU),
    # memory-one
    "memory_one": Strategy(
        memory_one.memory_one,
        18,
        "Nowak and Sigmund 1993, Nature 364",
        {
            "p_cc": Param(1.0),
            "p_cd": Param(0.0),
            "p_dc": Param(0.0),
            "p_dd": Param(1.0),
            "first": Param(1.0),
        },
        stochastic=True,
    ),
    "win_stay_lose_shift": Strategy(
        memory_one.memory_one,
        18,
        "Nowak and Sigmund 1993, Nature 364",
        vector=memory_one.win_stay_lose_shift,
    ),
    "stochastic_win_stay_lose_shift": _memory_one(
        memory_one.stochastic_win_stay_lose_shift,
        "Amaral, Wardil, Perc and da Silva 2016, Physical Review E 94",
        error=Param(0.05),
    ),
    "generous_tit_for_tat": _memory_one(
        memory_one.generous_tit_for_tat,
        "Nowak and Sigmund 1992, Nature 355",
        generosity=Param(-1.0, -1.0, 1.0),
    ),
    "firm_but_fair": _memory_one(memory_one.firm_but_fair, "Frean 1994, Proc. R. Soc. B 257"),
    "joss": _memory_one(memory_one.joss, _1980, p=Param(0.9)),
    "soft_joss": _memory_one(
        memory_one.soft_joss, "Knight et al. 2016, J. Open Research Software 4", p=Param(0.9)
    ),
    "reactive": _memory_one(
        memory_one.reactive,
        "Nowak and Sigmund 1990, Acta Applicandae Mathematicae 20",
        p_c=Param(1.0),
        p_d=Param(0.25),
        first=Param(1.0),
    ),
    "zero_determinant": _memory_one(
        memory_one.zero_determinant,
        "Press and Dyson 2012, PNAS 109; Stewart and Plotkin 2013, PNAS 110",
        phi=Param(0.2, 0.0, _MANY),
        slope=Param(0.1, -1.0, 1.0),
        baseline=Param(1.0, -_MANY, _MANY),
    ),
    "zd_extort_2": _memory_one(
        memory_one.zero_determinant_extortion,
        f"Press and Dyson 2012, PNAS 109; {_STEWART}",
        phi=Param(1 / 9, 0.0, _MANY),
        slope=Param(0.5, -1.0, 1.0),
    ),
    "zd_generous_2": _memory_one(
        memory_one.zero_determinant_generous,
        f"{_STEWART} (ZDGTFT-2)",
        phi=Param(0.25, 0.0, _MANY),
        slope=Param(0.5, -1.0, 1.0),
    ),
    "zd_set_2": _memory_one(
        memory_one.zero_determinant,
        f"Press and Dyson 2012, PNAS 109; {_STEWART}",
        phi=Param(0.25, 0.0, _MANY),
        slope=Param(0.0, -1.0, 1.0),
        baseline=Param(2.0, -_MANY, _MANY),
    ),
    # the first tournament
    "davis": _plain(first_tournament.davis, 19, _1980, rounds=Param(10, 0, _MANY)),
    "nydegger": _plain(first_tournament.nydegger, 20, _1980),
    "grofman": _tossing(first_tournament.grofman, 21, _1980),
    "feld": _tossing(
        first_tournament.feld,
        22,
        _1980,
        start=Param(1.0),
        end=Param(0.5),
        rounds=Param(200, 1, _MANY),
    ),
    "tullock": _tossing(first_tournament.tullock, 23, _1980),
    "anonymous": _tossing(first_tournament.anonymous, 24, _1980),
    "shubik": _plain(first_tournament.shubik, 54, _1980),
    "stein_rapoport": _plain(first_tournament.stein_rapoport, 60, _1980),
    "downing": _plain(first_tournament.downing, 61, _1980),
    "graaskamp": _tossing(first_tournament.graaskamp, 62, _1980),
    "tideman_chieruzzi": _plain(first_tournament.tideman_chieruzzi, 63, _1980),
    # probing, classifying, adapting
    "naive_prober": _tossing(adaptive.naive_prober, 25, _LI, p=Param(0.1)),
    "champion": _tossing(adaptive.champion, 26, _1980_2),
    "eatherley": _tossing(adaptive.eatherley, 27, _1980_2),
    "n_pavlov": _tossing(
        adaptive.n_pavlov,
        46,
        "Kraines and Kraines 1989, Theory and Decision 26",
        n=Param(4, 1, _MANY),
    ),
    "tester": _plain(adaptive.tester, 47, f"Gladstein, in {_1980_2}"),
    "handshake": _plain(adaptive.handshake, 48, "Robson 1990, J. Theoretical Biology 144"),
    "adaptive": _plain(adaptive.adaptive, 49, _LI),
    "prober": _plain(adaptive.prober, 50, _LI),
    "remorseful_prober": _tossing(adaptive.remorseful_prober, 51, _LI, p=Param(0.1)),
    "adaptive_pavlov_2006": _plain(
        adaptive.adaptive_pavlov_2006,
        52,
        "Li 2007, in Kendall, Yao and Chong, The Iterated Prisoners' Dilemma",
    ),
    "adaptive_pavlov_2011": _plain(adaptive.adaptive_pavlov_2011, 53, _LI),
}
"""Name to strategy."""
