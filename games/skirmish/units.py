"""Unit types and their statistics.

`SMAX` holds those of JaxMARL's SMAX (Rutherford et al. 2024, "JaxMARL: Multi-Agent RL
Environments and Algorithms in JAX", NeurIPS), where shields are part of the health and
ranges go from centre to centre. `SMAC` holds those of StarCraft II, Legacy of the Void
(Liquipedia, "Unit Statistics"), which the real SMAC maps play with: seconds are those of
game speed "faster", ranges go from edge to edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games.skirmish import layout as at

__all__ = ["SMAC", "SMAX", "UnitType", "row"]

LIGHT, ARMOURED, BIOLOGICAL, MECHANICAL, MASSIVE, STRUCTURE = (1 << bit for bit in range(6))
GROUND, AIR = 1, 2
BEAM, SUICIDE = 1, 2
MELEE = 0.1


@dataclass(frozen=True, kw_only=True)
class UnitType:
    """A kind of unit.

    Attributes:
        name: in lower case.
        letter: one letter for drawings.
        race: `terran`, `protoss` or `zerg`.
        health: hit points.
        speed: distance in a second.
        reach: range of the weapon.
        sight: how far it sees, from centre to centre.
        radius: half its size.
        period: seconds between two shots.
        damage: of one hit.
        hits: hits of one shot.
        bonus: damage added to a hit on units with an attribute in `against`.
        against: bits of attributes.
        attributes: bits of its own.
        armour: taken off every hit on its health.
        shield: hit points in front of the health.
        energy: the most it can hold.
        heal: health that it restores in a second; it has no weapon then.
        targets: bits, `GROUND` and `AIR`.
        flies: nothing on the ground is in its way.
        climbs: walls do not stop it.
        splash: 0, `BEAM` or `SUICIDE`.
        regeneration: health it gains in a second.
    """

    name: str
    letter: str
    race: str
    health: float
    speed: float
    reach: float
    sight: float
    radius: float
    period: float
    damage: float = 0.0
    hits: int = 1
    bonus: float = 0.0
    against: int = 0
    attributes: int = 0
    armour: float = 0.0
    shield: float = 0.0
    energy: float = 0.0
    heal: float = 0.0
    targets: int = GROUND
    flies: bool = False
    climbs: bool = False
    splash: int = 0
    regeneration: float = 0.0


def row(unit: UnitType, shoot: float) -> NDArray[np.float32]:
    """Return the statistics as kernels read them, shape (STAT_ROWS,).

    Args:
        unit: the type.
        shoot: farthest distance at which a target may be named.
    """
    out = np.zeros(at.STAT_ROWS, dtype=np.float32)
    out[at.SPEED], out[at.DAMAGE], out[at.RANGE] = unit.speed, unit.damage, unit.reach
    out[at.SIGHT], out[at.SHOOT], out[at.RADIUS] = unit.sight, shoot, unit.radius
    out[at.FULL_HEALTH], out[at.FULL_SHIELD] = unit.health, unit.shield
    out[at.FULL_ENERGY], out[at.PERIOD], out[at.HITS] = unit.energy, unit.period, unit.hits
    out[at.ARMOUR], out[at.BONUS], out[at.BONUS_AGAINST] = unit.armour, unit.bonus, unit.against
    out[at.ATTRIBUTES], out[at.FLIES], out[at.CLIMBS] = unit.attributes, unit.flies, unit.climbs
    out[at.REACH], out[at.HEAL], out[at.SPLASH] = unit.targets, unit.heal, unit.splash
    out[at.REGENERATION] = unit.regeneration
    return out


def _smax(
    name: str, letter: str, race: str, numbers: tuple[float, float, float, float, float, int, float]
) -> UnitType:
    speed, damage, reach, sight, radius, health, period = numbers
    return UnitType(
        name=name,
        letter=letter,
        race=race,
        health=health,
        speed=speed,
        reach=reach,
        sight=sight,
        radius=radius,
        period=period,
        damage=damage,
    )


SMAX: dict[str, UnitType] = {
    unit.name: unit
    for unit in (
        _smax("marine", "m", "terran", (3.15, 9.0, 5.0, 9.0, 0.375, 45, 0.61)),
        _smax("marauder", "M", "terran", (2.25, 10.0, 6.0, 10.0, 0.5625, 125, 1.07)),
        _smax("stalker", "s", "protoss", (4.13, 13.0, 6.0, 10.0, 0.625, 160, 1.87)),
        _smax("zealot", "Z", "protoss", (3.15, 8.0, 2.0, 9.0, 0.5, 150, 0.86)),
        _smax("zergling", "z", "zerg", (4.13, 5.0, 2.0, 8.0, 0.375, 35, 0.5)),
        _smax("hydralisk", "h", "zerg", (3.15, 12.0, 5.0, 9.0, 0.625, 80, 0.59)),
    )
}
"""The types of SMAX, in its order."""

SMAC: dict[str, UnitType] = {
    unit.name: unit
    for unit in (
        UnitType(
            name="marine",
            letter="m",
            race="terran",
            health=45,
            speed=3.15,
            reach=5,
            sight=9,
            radius=0.375,
            period=0.61,
            damage=6,
            attributes=LIGHT | BIOLOGICAL,
            targets=GROUND | AIR,
        ),
        UnitType(
            name="marauder",
            letter="M",
            race="terran",
            health=125,
            speed=3.15,
            reach=6,
            sight=10,
            radius=0.5625,
            period=1.07,
            damage=10,
            bonus=10,
            against=ARMOURED,
            attributes=ARMOURED | BIOLOGICAL,
            armour=1,
        ),
        UnitType(
            name="medivac",
            letter="v",
            race="terran",
            health=150,
            speed=3.5,
            reach=4,
            sight=11,
            radius=0.75,
            period=1.0,
            attributes=ARMOURED | MECHANICAL,
            armour=1,
            energy=200,
            heal=12.6,
            flies=True,
        ),
        UnitType(
            name="stalker",
            letter="s",
            race="protoss",
            health=80,
            speed=4.13,
            reach=6,
            sight=10,
            radius=0.625,
            period=1.34,
            damage=13,
            bonus=5,
            against=ARMOURED,
            attributes=ARMOURED | MECHANICAL,
            armour=1,
            shield=80,
            targets=GROUND | AIR,
        ),
        UnitType(
            name="zealot",
            letter="Z",
            race="protoss",
            health=100,
            speed=3.15,
            reach=MELEE,
            sight=9,
            radius=0.5,
            period=0.86,
            damage=8,
            hits=2,
            attributes=LIGHT | BIOLOGICAL,
            armour=1,
            shield=50,
        ),
        UnitType(
            name="colossus",
            letter="C",
            race="protoss",
            health=200,
            speed=3.15,
            reach=7,
            sight=10,
            radius=1.0,
            period=1.07,
            damage=10,
            hits=2,
            bonus=5,
            against=LIGHT,
            attributes=ARMOURED | MECHANICAL | MASSIVE,
            armour=1,
            shield=150,
            climbs=True,
            splash=BEAM,
        ),
        UnitType(
            name="zergling",
            letter="z",
            race="zerg",
            health=35,
            speed=4.13,
            reach=MELEE,
            sight=8,
            radius=0.375,
            period=0.497,
            damage=5,
            attributes=LIGHT | BIOLOGICAL,
            regeneration=0.38,
        ),
        UnitType(
            name="baneling",
            letter="b",
            race="zerg",
            health=30,
            speed=3.5,
            reach=0.25,
            sight=8,
            radius=0.375,
            period=0.59,
            damage=16,
            bonus=19,
            against=LIGHT,
            attributes=BIOLOGICAL,
            splash=SUICIDE,
            regeneration=0.38,
        ),
        UnitType(
            name="hydralisk",
            letter="h",
            race="zerg",
            health=90,
            speed=3.15,
            reach=5,
            sight=9,
            radius=0.625,
            period=0.59,
            damage=12,
            attributes=LIGHT | BIOLOGICAL,
            targets=GROUND | AIR,
            regeneration=0.38,
        ),
        UnitType(
            name="spine_crawler",
            letter="S",
            race="zerg",
            health=300,
            speed=0,
            reach=7,
            sight=11,
            radius=0.875,
            period=1.32,
            damage=25,
            bonus=5,
            against=ARMOURED,
            attributes=ARMOURED | BIOLOGICAL | STRUCTURE,
            armour=2,
            regeneration=0.38,
        ),
    )
}
"""The types of the SMAC maps."""
