"""`bandits/<name>`: the restless bandits that can be made by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arena.errors import ParameterError, UnknownNameError
from arena.game import Game
from arena.registry import Info
from games._built import Built
from games.bandits import epidemic, families, instances, recovering
from games.bandits.form import RestlessBandit
from games.bandits.game import as_game

__all__ = ["CATALOG", "FAMILY", "Row"]

_CORMAB = "Xu, Wilder, Khalil and Tambe 2025, ICLR"


@dataclass(frozen=True)
class Row(Built[RestlessBandit]):
    """One bandit: how to build it, and where it comes from."""

    citation: str


CATALOG: dict[str, Row] = {
    "budget": Row(instances.budget, _CORMAB),
    "capacity": Row(instances.capacity, _CORMAB),
    "epidemic": Row(epidemic.epidemic, "Ganesh, Massoulié and Towsley 2005, INFOCOM"),
    "interventions": Row(instances.interventions, _CORMAB),
    "own": Row(families.own, "your own"),
    "path": Row(instances.path, _CORMAB),
    "recovering": Row(recovering.recovering, "Simchi-Levi, Zheng and Zhu 2021, ICML"),
    "restless": Row(families.restless, "Whittle 1988"),
    "schedule": Row(instances.schedule, _CORMAB),
}
"""Name to bandit."""


@lru_cache(maxsize=32)
def _form(name: str, params: tuple[tuple[str, Any], ...]) -> RestlessBandit:
    return CATALOG[name].build(**dict(params))


def _find(name: str) -> Row:
    row = CATALOG.get(name)
    if row is None:
        raise UnknownNameError("bandit", name, CATALOG, hint="`arena list games` shows all")
    return row


class BanditFamily:
    """The family; all of them also take `exposure`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return list(CATALOG)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        tags = {"seats": "1", "payoff": "general_sum", "turns": "sequential"}
        return Info(f"bandits/{name}", _find(name).summary, tags, "arena")

    def make(self, name: str, *, exposure: str = "auto", **own: Any) -> Game:
        """Make one of them.

        Args:
            name: below the prefix.
            exposure: how actions are shown, see `games.bandits.game.as_game`.
            own: see the bandit's builder.

        Raises:
            UnknownNameError: of a bandit or parameter, with the nearest names.
            ParameterError: a value of the wrong type or range.
        """
        row, id = _find(name), f"bandits/{name}"
        known = row.parameters
        for key, value in own.items():
            if key not in known:
                names = [*known, "exposure"]
                raise UnknownNameError(
                    f"parameter of {id}", key, names, hint=f"there are {', '.join(names)}"
                )
            wanted = list if known[key] is None else type(known[key])
            if type(value) is not wanted and not (wanted is float and type(value) is int):
                raise ParameterError(
                    key, value, f"{wanted.__name__} (default {known[key]!r})", where=id
                )
        cached = name != "own"  # a file may change, and lists cannot be keys
        form = _form(name, tuple(sorted(own.items()))) if cached else row.build(**own)
        given = {} if exposure == "auto" else {"exposure": exposure}
        return as_game(
            form,
            id=id,
            params={**own, **given},
            exposure=exposure,
            summary=row.summary,
            citation=row.citation,
        )


FAMILY = BanditFamily()
