"""The bots by name, and what was published about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BOTS", "LEARNED", "Bot"]


@dataclass(frozen=True)
class Bot:
    """A bot.

    Attributes:
        number: what kernels call it.
        summary: one line.
        citation: where it is described.
        stochastic: whether it ever draws its move.
        published: mean score in self-play by number of players, with the fireworks counted
            when the last life is lost: the figures of the source or, of the rule lists, whose
            paper has them in plots only, those of 8000 games of their authors' program.
        error: standard error of those figures (O'Dwyer's are of 200 000 games).
    """

    number: int
    summary: str
    citation: str
    stochastic: bool
    published: Mapping[int, float]
    error: float = 0.0


_RULES = (
    "Walton-Rivers et al. 2017, Evaluating and modelling Hanabi-playing agents, IEEE CEC;"
    " scores of their program fireworks"
)
_ODWYER = "O'Dwyer, github.com/Quuxplusone/Hanabi, README"

BOTS: dict[str, Bot] = {
    "random_legal": Bot(0, "every legal move equally often", "", True, {}),
    "iggi": Bot(
        1,
        "plays sure cards, tells of playable ones",
        _RULES,
        True,
        {2: 17.167, 3: 16.776, 4: 16.147, 5: 15.065},
        0.021,
    ),
    "piers": Bot(
        2,
        "IGGI that takes risks and tells of dead cards",
        _RULES,
        True,
        {2: 17.304, 3: 17.546, 4: 17.099, 5: 16.305},
        0.021,
    ),
    "van_den_bergh": Bot(
        3,
        "the rule list of Van den Bergh et al. 2016, risks at 0.6",
        _RULES,
        True,
        {2: 13.508, 3: 17.525, 4: 17.173, 5: 16.268},
        0.038,
    ),
    "holmes": Bot(
        12,
        "conventions: hints say what is playable, or warn of a last copy (HolmesBot)",
        _ODWYER,
        False,
        {2: 20.75, 3: 20.86, 4: 20.46, 5: 18.40},
        0.006,
    ),
    "smart": Bot(
        10,
        "conventions: newest card, warnings, finesses (SmartBot)",
        _ODWYER,
        False,
        {2: 23.09, 3: 23.30, 4: 22.44, 5: 20.69},
        0.006,
    ),
    "information": Bot(
        11,
        "hat guessing: every hint tells all other seats something",
        f"Cox et al. 2015, Mathematics Magazine 88; scores of {_ODWYER}",
        False,
        {2: 20.00, 3: 24.26, 4: 24.86, 5: 24.89},
        0.006,
    ),
}
"""Name to bot."""

LEARNED: dict[str, tuple[str, str]] = {
    "ppo": ("ppo-2p.safetensors", "two players, learned by PPO in self-play"),
    "ppo_other_play": (
        "ppo-other-play-2p.safetensors",
        "two players, learned by PPO with colours relabelled for every seat",
    ),
    "ppo_taught": (
        "ppo-taught-2p.safetensors",
        "two players, learned by PPO after imitating hanabi/smart",
    ),
    "ppo_small": (
        "ppo-small-2p.safetensors",
        "two players, two colours, hands of three; learned as ppo_taught",
    ),
}
"""Networks by name: their weights in this package, and what they are (docs/training.md)."""
