"""Every OpenSpiel game as an arena game (`openspiel/<name>`).

A `pyspiel.State` is kept as it is; chance is drawn from arena's own stream, so an
episode follows from its seed. Observations query the C++ state when they are read.

Games that draw chance inside OpenSpiel (`SAMPLED_STOCHASTIC`) are loaded anew for every
episode with a seed of their own, and cloned by replaying: the same promise, at a price.
In a mean-field game a lone episode has no population to follow, so the population
stands still, spread evenly over the states that the game asks about.

Source: Lanctot et al. 2019, "OpenSpiel: A Framework for Reinforcement Learning in Games".
"""

from __future__ import annotations

from typing import Any

from arena.errors import ArenaError, FormError
from arena.game import Game
from arena.registry import Info
from arena.rng import Stream
from arena.types import Discrete, Payoff
from games.adapters.openspiel_facts import KNOWN_ISSUES, SEAT_NAMES, TEAMS, UNPLAYABLE
from games.adapters.openspiel_kind import Kind
from games.adapters.openspiel_load import facts, load, names, pyspiel, version
from games.adapters.openspiel_state import OpenSpielObservation, OpenSpielState

__all__ = ["FAMILY", "OpenSpielFamily", "OpenSpielObservation", "OpenSpielState", "wrap"]

_PAYOFF: dict[Any, Payoff] = {
    pyspiel.GameType.Utility.ZERO_SUM: "zero_sum",
    pyspiel.GameType.Utility.CONSTANT_SUM: "constant_sum",
    pyspiel.GameType.Utility.GENERAL_SUM: "general_sum",
    pyspiel.GameType.Utility.IDENTICAL: "cooperative",
}


def wrap(
    raw: Any, *, id: str = "", params: dict[str, Any] | None = None, rebuildable: bool = False
) -> Game:
    """Return an arena game around a loaded `pyspiel.Game`.

    Args:
        raw: the game; it need not be one that OpenSpiel has registered.
        id: what it is called; by default `openspiel/` and its short name.
        params: what it was made with.
        rebuildable: whether `arena.make(id, **params)` makes it again.
    """
    kind = Kind(raw)
    about = raw.get_type()
    n = raw.num_players()
    short = about.short_name
    id = id or f"openspiel/{short}"
    if kind.n_actions == 0:
        from games.adapters.openspiel_structs import struct_game

        return struct_game(raw, id=id, params=params or {}, rebuildable=rebuildable)

    def state(seed: int | None) -> OpenSpielState:
        if seed is None:
            if kind.sampled:
                raise FormError(id, "root", ["state"], reason="draws chance inside OpenSpiel")
            return OpenSpielState(kind, raw.new_initial_state(), None, None)
        return OpenSpielState(kind, kind.start(seed), Stream(seed), seed)

    def action_name(seat: int, action: int) -> str:
        name: str = raw.action_to_string(seat, action)
        return name

    summary = about.long_name
    if kind.sampled and kind.again is None:
        summary += " (its chance is drawn inside OpenSpiel and does not follow the seed)"
    if short in KNOWN_ISSUES:
        summary += " (OpenSpiel warns that its implementation has known issues)"
    return Game(
        id=id,
        seats=n,
        actions=(Discrete(kind.n_actions),) * n,
        payoff=_PAYOFF[about.utility],
        turns="simultaneous" if kind.joint else "sequential",
        forms={"state": state},
        params=params or {},
        perfect_information=kind.perfect,
        chance=about.chance_mode != pyspiel.GameType.ChanceMode.DETERMINISTIC,
        payoff_bounds=(float(raw.min_utility()), float(raw.max_utility())),
        max_length=int(raw.max_game_length()),
        teams=TEAMS.get(short, ()),
        seat_names=SEAT_NAMES.get(short, ()),
        version=f"open_spiel {version()}",
        summary=summary,
        citation="Lanctot et al. 2019, OpenSpiel, arXiv:1908.09453",
        action_name=action_name,
        rebuildable=rebuildable,
    )


class OpenSpielFamily:
    """The games that OpenSpiel has registered."""

    def names(self) -> list[str]:
        """Return the short names of all of them."""
        return names()

    def info(self, name: str) -> Info:
        """Describe one of them from its game type."""
        about = facts(name)
        low, high = about.min_num_players, about.max_num_players
        tags = {
            "seats": str(low) if low == high else f"{low}-{high}",
            "payoff": _PAYOFF[about.utility],
            "turns": str(about.dynamics).rsplit(".", 1)[-1].lower(),
            "information": "perfect"
            if about.information == pyspiel.GameType.Information.PERFECT_INFORMATION
            else "imperfect",
        }
        return Info(f"openspiel/{name}", about.long_name, tags, "open_spiel")

    def make(self, name: str, **params: Any) -> Game:
        """Load a game, its parameters checked against OpenSpiel's specification."""
        if name in UNPLAYABLE:
            raise ArenaError(f"openspiel/{name} cannot be played: {UNPLAYABLE[name]}")
        raw, kept = load(name, params)
        return wrap(raw, id=f"openspiel/{name}", params=kept, rebuildable=True)


FAMILY = OpenSpielFamily()
