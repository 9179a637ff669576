"""The maps: which units meet where, and for how long.

Armies and episode limits are those of SMAC (Samvelyan et al. 2019, "The StarCraft
Multi-Agent Challenge", AAMAS, table 1 and its map registry) and, where armies are drawn,
of SMACv2 (Ellis et al. 2023, NeurIPS Datasets and Benchmarks, section 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from arena.errors import ParameterError, UnknownNameError

__all__ = ["GENERATED", "MAPS", "MOST_UNITS", "SMAX_MAPS", "Map", "find", "names"]

MOST_UNITS = 64
"""The most units of a team."""

Army = tuple[tuple[str, int], ...]
Group = tuple[str, int, float, float]


@dataclass(frozen=True)
class Map:
    """A map.

    Attributes:
        allies: unit types of team 0 and how many of each.
        enemies: those of team 1.
        limit: decisions after which the episode is cut off.
        kinds: unit types in the order of their bits in observations.
        bits: bits of the unit type in observations, 0 or `len(kinds)`.
        centres: where the two teams start.
        groups: places of types that start elsewhere: (team, type) to a point.
        open: squares (x0, y0, x1, y1) that can be walked on, () if all can.
        shut: squares that cannot.
        weights: probability of each kind where armies are drawn, () where they are not.
        alone: the kind that never makes up a team alone, "" if there is none.
    """

    allies: Army
    enemies: Army
    limit: int
    kinds: tuple[str, ...]
    bits: int = 0
    centres: tuple[tuple[float, float], tuple[float, float]] = ((9.0, 16.0), (23.0, 16.0))
    groups: Mapping[tuple[int, str], tuple[float, float]] = field(default_factory=dict)
    open: tuple[tuple[int, int, int, int], ...] = ()
    shut: tuple[tuple[int, int, int, int], ...] = ()
    weights: tuple[float, ...] = ()
    alone: str = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Units of each team."""
        return sum(n for _, n in self.allies), sum(n for _, n in self.enemies)


def _marines(allies: int, enemies: int, limit: int) -> Map:
    return Map((("marine", allies),), (("marine", enemies),), limit, ("marine",))


def _protoss(stalkers: int, zealots: int, more_zealots: int, limit: int) -> Map:
    allies = (("stalker", stalkers), ("zealot", zealots))
    enemies = (("stalker", stalkers), ("zealot", more_zealots))
    return Map(allies, enemies, limit, ("stalker", "zealot"), 2)


def _mixed(allies: tuple[int, int, int], enemies: tuple[int, int, int], limit: int) -> Map:
    kinds = ("marauder", "marine", "medivac")
    return Map(
        tuple(zip(kinds, allies, strict=True)),
        tuple(zip(kinds, enemies, strict=True)),
        limit,
        kinds,
        3,
    )


def _stalkers(zealots: int, limit: int) -> Map:
    return Map((("stalker", 3),), (("zealot", zealots),), limit, ("stalker", "zealot"))


_ZERGLINGS = (("baneling", 4), ("zergling", 20))

MAPS: dict[str, Map] = {
    "3m": _marines(3, 3, 60),
    "8m": _marines(8, 8, 120),
    "25m": _marines(25, 25, 150),
    "5m_vs_6m": _marines(5, 6, 70),
    "8m_vs_9m": _marines(8, 9, 120),
    "10m_vs_11m": _marines(10, 11, 150),
    "27m_vs_30m": _marines(27, 30, 180),
    "MMM": _mixed((2, 7, 1), (2, 7, 1), 150),
    "MMM2": _mixed((2, 7, 1), (3, 8, 1), 180),
    "2s3z": _protoss(2, 3, 3, 120),
    "3s5z": _protoss(3, 5, 5, 150),
    "3s5z_vs_3s6z": _protoss(3, 5, 6, 170),
    "3s_vs_3z": _stalkers(3, 150),
    "3s_vs_4z": _stalkers(4, 200),
    "3s_vs_5z": _stalkers(5, 250),
    "1c3s5z": Map(
        (("colossus", 1), ("stalker", 3), ("zealot", 5)),
        (("colossus", 1), ("stalker", 3), ("zealot", 5)),
        180,
        ("colossus", "stalker", "zealot"),
        3,
    ),
    "2m_vs_1z": Map((("marine", 2),), (("zealot", 1),), 150, ("marine", "zealot")),
    "6h_vs_8z": Map((("hydralisk", 6),), (("zealot", 8),), 150, ("hydralisk", "zealot")),
    "2s_vs_1sc": Map(
        (("stalker", 2),),
        (("spine_crawler", 1),),
        300,
        ("stalker", "spine_crawler"),
        centres=((14.0, 10.0), (14.0, 20.0)),
    ),
    "corridor": Map(
        (("zealot", 6),),
        (("zergling", 24),),
        400,
        ("zealot", "zergling"),
        centres=((19.0, 19.0), (27.5, 27.5)),
        open=((1, 1, 13, 13), (10, 11, 18, 15), (15, 12, 31, 31)),
    ),
    "so_many_baneling": Map((("zealot", 7),), (("baneling", 32),), 100, ("zealot", "baneling")),
    "bane_vs_bane": Map(
        _ZERGLINGS,
        _ZERGLINGS,
        200,
        ("baneling", "zergling"),
        2,
        centres=((16.0, 10.0), (16.0, 22.0)),
        groups={(0, "baneling"): (16.0, 6.0), (1, "baneling"): (16.0, 26.0)},
    ),
    "2c_vs_64zg": Map(
        (("colossus", 2),),
        (("zergling", 64),),
        400,
        ("colossus", "zergling"),
        centres=((16.0, 17.5), (16.0, 8.0)),
        shut=((4, 12, 28, 15), (4, 20, 28, 23)),
    ),
}
"""SMAC's maps: name to map."""

SMAX_MAPS: dict[str, tuple[Army, Army]] = {
    name: (MAPS[name].allies, MAPS[name].enemies)
    for name in (
        "3m",
        "8m",
        "25m",
        "5m_vs_6m",
        "8m_vs_9m",
        "10m_vs_11m",
        "27m_vs_30m",
        "2s3z",
        "3s5z",
        "3s5z_vs_3s6z",
        "3s_vs_3z",
        "3s_vs_4z",
        "3s_vs_5z",
        "6h_vs_8z",
        "2m_vs_1z",
    )
}
"""Maps whose units SMAX has too: name to the two armies."""

GENERATED: dict[str, tuple[tuple[str, ...], tuple[float, ...], str]] = {
    "terran": (("marine", "marauder", "medivac"), (0.45, 0.45, 0.1), "medivac"),
    "protoss": (("stalker", "zealot", "colossus"), (0.45, 0.45, 0.1), ""),
    "zerg": (("zergling", "hydralisk", "baneling"), (0.45, 0.45, 0.1), "baneling"),
}
"""SMACv2's races: unit types, how likely each is, and which never makes up a team alone."""

_LISTED = (
    *(f"{race}_{n}_vs_{m}" for race in GENERATED for n, m in ((5, 5), (10, 10), (10, 11))),
    *(f"{race}_{n}_vs_{m}" for race in GENERATED for n, m in ((20, 20), (20, 23))),
)
_SMACV2 = ("smacv2_5_units", "smacv2_10_units", "smacv2_20_units")
_GENERATED_NAME = re.compile(r"(terran|protoss|zerg)_(\d+)_vs_(\d+)")
_SMACV2_NAME = re.compile(r"smacv2_(\d+)_units")


def names() -> list[str]:
    """Return the names of the maps; `terran_N_vs_M` and the like exist for other N and M too."""
    return [*MAPS, *_LISTED, *_SMACV2]


def find(name: str, family: str = "skirmish") -> Map:
    """Return the map of a name; messages speak of the `family` that was asked for.

    Raises:
        UnknownNameError: there is none.
        ParameterError: more units than a map has room for.
    """
    if name in MAPS:
        return MAPS[name]
    if found := _GENERATED_NAME.fullmatch(name):
        kinds, weights, alone = GENERATED[found[1]]
        sizes = _checked(f"{family}/{name}", int(found[2]), int(found[3]))
        armies = tuple(((kinds[0], size),) for size in sizes)
        return Map(armies[0], armies[1], 200, kinds, 3, weights=weights, alone=alone)
    if found := _SMACV2_NAME.fullmatch(name):
        size, _ = _checked(f"{family}/{name}", int(found[1]), int(found[1]))
        kinds = ("marine", "marauder", "stalker", "zealot", "zergling", "hydralisk")
        army = (("marine", size),)
        return Map(army, army, 200, kinds, 6, weights=(1 / 6,) * 6)
    hint = f"`arena list games --grep {family}/` shows all"
    raise UnknownNameError(f"map of {family}", name, names(), hint=hint)


def _checked(where: str, allies: int, enemies: int) -> tuple[int, int]:
    for what, size in (("allies", allies), ("enemies", enemies)):
        if not 1 <= size <= MOST_UNITS:
            raise ParameterError(what, size, f"1 to {MOST_UNITS} units in a team", where=where)
    return allies, enemies
