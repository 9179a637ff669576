"""SC2LE's mini-games inside the stand-in: units with orders, and what they score.

Numbers of unit types and abilities are the engine's; its rules are followed as far as scores,
selections, resources and available abilities go. A game loop is 1/16 s here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

SELF, ENEMY, NEUTRAL = 1, 4, 3  # as in the layer `player_relative`
MOVE, ATTACK, STOP, SMART, GATHER, RETURN = 16, 23, 4, 1, 295, 296
GENERAL = {3794: MOVE, 3674: ATTACK, 3665: STOP, 3666: GATHER, 3667: RETURN}
BEACON, SHARD, MINERALS, GEYSER = 317, 1680, 341, 342
CENTRE, DEPOT, REFINERY, BARRACKS, SCV, MARINE = 18, 19, 20, 21, 45, 48
ZERGLING, BANELING, ROACH = 105, 9, 110
BUILD = {319: (DEPOT, 100, 48), 320: (REFINERY, 75, 48), 321: (BARRACKS, 150, 80)}
TRAIN = {524: (SCV, CENTRE, 50, 32), 560: (MARINE, BARRACKS, 50, 32)}
FOOD = {SCV: 1, MARINE: 1}
NEAR = 1.5


@dataclass(frozen=True)
class Kind:
    """Health, speed and a weapon: damage, loops between shots, range from centre to centre."""

    health: float = 1.0
    speed: float = 0.0
    damage: float = 0.0
    period: int = 16
    reach: float = 0.0
    sight: float = 9.0


KINDS = {
    MARINE: Kind(45, 3.15 / 16, 6, 10, 5.75),
    SCV: Kind(45, 3.94 / 16, 0, 16, 0),
    ZERGLING: Kind(35, 4.13 / 16, 5, 8, 0.9, 6.0),
    BANELING: Kind(30, 3.5 / 16, 20, 8, 1.0, 6.0),
    ROACH: Kind(145, 3.15 / 16, 16, 23, 5.0),
    CENTRE: Kind(1500),
    DEPOT: Kind(400),
    REFINERY: Kind(500),
    BARRACKS: Kind(1000),
}


@dataclass(eq=False)
class Unit:
    type: int
    owner: int
    at: tuple[float, float]
    health: float = 1.0
    orders: list[tuple[int, Any]] = field(default_factory=list)  # ability, point or unit
    selected: bool = False
    cooldown: int = 0
    work: int = 0  # loops left of what is built, trained or mined
    carries: str = ""

    def __post_init__(self) -> None:
        self.kind = KINDS.get(self.type, Kind())

    def far(self, point: Any) -> float:
        return math.hypot(point[0] - self.at[0], point[1] - self.at[1])


class Minigame:
    """A running mini-game."""

    side = 24.0  # of the map
    loops = 1920  # two minutes

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.units: list[Unit] = []
        self.loop = self.score = self.minerals = self.vespene = 0
        self.place()

    def place(self) -> None:
        """Put the first units on the map."""

    def check(self) -> None:
        """Score, and bring what comes next."""

    def died(self, unit: Unit) -> None:
        """Score a death."""

    # -- helpers ------------------------------------------------------------------------

    def add(self, kind: int, owner: int, x: float | None = None, y: float | None = None) -> Unit:
        at = (x, y) if x is not None and y is not None else self.anywhere()
        unit = Unit(kind, owner, at, KINDS.get(kind, Kind()).health)
        self.units.append(unit)
        return unit

    def anywhere(self) -> tuple[float, float]:
        x, y = self.random.uniform(2.0, self.side - 2.0, 2).tolist()
        return x, y

    def of(self, *types: int, owner: int = SELF) -> list[Unit]:
        return [u for u in self.units if u.type in types and u.owner == owner]

    @property
    def over(self) -> bool:
        return self.loop >= self.loops

    @property
    def food(self) -> tuple[int, int]:
        """Used and provided; what is being trained is counted."""
        used = sum(FOOD.get(u.type, 0) for u in self.units)
        used += sum(1 for u in self.units for ability, _ in u.orders if ability in TRAIN)
        cap = 15 * len(self.of(CENTRE)) + 8 * sum(not d.work for d in self.of(DEPOT))
        return used, cap

    # -- orders -------------------------------------------------------------------------

    def abilities(self) -> dict[int, bool]:
        """Return what the selected units can do, and whether that needs a point."""
        chosen = [u for u in self.units if u.selected]
        out: dict[int, bool] = {}
        if any(u.kind.speed for u in chosen):
            out |= {MOVE: True, ATTACK: True, STOP: False, SMART: True}
        if any(u.type == SCV for u in chosen):
            out[GATHER] = True
            out |= {a: True for a, (_, cost, _) in BUILD.items() if self._can_build(a, cost)}
            if any(u.carries for u in chosen):
                out[RETURN] = False
        used, cap = self.food
        for ability, (_, builder, cost, _) in TRAIN.items():
            idle = any(u.type == builder and not u.work for u in chosen)
            if idle and self.minerals >= cost and used < cap:
                out[ability] = False
        return out

    def _can_build(self, ability: int, cost: int) -> bool:
        needs = ability == 321 and not any(not d.work for d in self.of(DEPOT))
        return self.minerals >= cost and not needs

    def command(self, ability: int, point: Any, queue: bool) -> bool:
        """Give an order to the selected units; False if none can take it."""
        ability = GENERAL.get(ability, ability)
        needs = self.abilities().get(ability)
        if needs is None or needs != (point is not None):
            return False
        if ability in TRAIN:
            return self._train(ability)
        taken = False
        for unit in [u for u in self.units if u.selected and u.kind.speed]:
            target = self._target(ability, unit, point)
            if target is None:
                continue
            unit.orders = [*(unit.orders if queue else []), target]
            taken = True
            if ability in BUILD:
                break  # one of them builds
        return taken

    def _target(self, ability: int, unit: Unit, point: Any) -> tuple[int, Any] | None:
        if ability == STOP:
            return STOP, None
        if ability == RETURN:
            return (RETURN, None) if unit.carries else None
        under = min(self.units, key=lambda u: u.far(point) if u is not unit else math.inf)
        hit = under if under.far(point) < NEAR else None
        if ability == SMART:
            ability = MOVE
            if hit is not None and hit.owner == ENEMY:
                ability = ATTACK
            elif hit is not None and hit.type in (MINERALS, REFINERY) and unit.type == SCV:
                ability = GATHER
        if ability == GATHER:
            fits = hit is not None and hit.type in (MINERALS, REFINERY) and unit.type == SCV
            return (GATHER, hit) if fits else None
        if ability in BUILD:
            geyser = hit is not None and hit.type == GEYSER
            if unit.type != SCV or geyser != (ability == 320):
                return None
            return ability, hit if geyser else point
        return ability, hit if ability == ATTACK and hit in self._enemies(unit) else point

    def _train(self, ability: int) -> bool:
        kind, builder, cost, loops = TRAIN[ability]
        used, cap = self.food
        for unit in self.units:
            idle = unit.selected and unit.type == builder and not unit.work and not unit.orders
            if idle and self.minerals >= cost and used < cap:
                self.minerals -= cost
                unit.orders, unit.work = [(ability, kind)], loops
                return True
        return False

    # -- a game loop --------------------------------------------------------------------

    def step(self, count: int) -> None:
        for _ in range(count):
            self.loop += 1
            for unit in list(self.units):
                if unit in self.units:
                    self._act(unit)
            for unit in [u for u in self.units if u.health <= 0]:
                self.units.remove(unit)
                self.died(unit)
            self.check()

    def _act(self, unit: Unit) -> None:
        unit.cooldown = max(unit.cooldown - 1, 0)
        if unit.type in (CENTRE, BARRACKS, DEPOT, REFINERY):
            self._produce(unit)
            return
        ability, target = unit.orders[0] if unit.orders else (ATTACK, None)
        if ability == ATTACK and unit.kind.damage:
            self._fight(unit, target)
        elif ability in (GATHER, RETURN):
            self._harvest(unit, ability, target)
        elif ability in BUILD:
            self._build(unit, ability, target)
        elif ability in (MOVE, ATTACK) and target is not None:
            point = target.at if isinstance(target, Unit) else target
            if self._walk(unit, point):
                unit.orders = unit.orders[1:]
        elif ability == STOP:
            unit.orders = unit.orders[1:]

    def _walk(self, unit: Unit, point: Any, within: float = 0.0) -> bool:
        """Walk a step; whether it is there."""
        whole = unit.far(point)
        pace = min(whole - within, unit.kind.speed)
        if pace > 0:
            unit.at = tuple(a + (p - a) * pace / whole for a, p in zip(unit.at, point, strict=True))
        return whole - within <= unit.kind.speed

    def _enemies(self, unit: Unit) -> list[Unit]:
        other = ENEMY if unit.owner == SELF else SELF
        return [u for u in self.units if u.owner == other]

    def _fight(self, unit: Unit, target: Any) -> None:
        foes = self._enemies(unit)
        foe = target if isinstance(target, Unit) and target in foes else None
        near = [u for u in foes if u.far(unit.at) < unit.kind.sight]
        if foe is None and near:
            foe = min(near, key=lambda u: u.far(unit.at))
        if foe is None:
            gone = isinstance(target, Unit)  # it died or was no unit to shoot
            if target is None or gone or self._walk(unit, target):
                unit.orders = unit.orders[1:]
            return
        if not self._walk(unit, foe.at, within=unit.kind.reach):
            return
        if unit.cooldown == 0:
            unit.cooldown = unit.kind.period
            hit = [foe]
            if unit.type == BANELING:
                hit, unit.health = [u for u in foes if u.far(unit.at) < 2.2], 0.0
            for one in hit:
                one.health -= unit.kind.damage

    def _produce(self, unit: Unit) -> None:
        if unit.work:
            unit.work -= 1
            if not unit.work and unit.orders:
                (_, kind), *unit.orders = unit.orders
                beside = 0.8 * (len(self.of(kind)) % 5)
                self.add(kind, SELF, unit.at[0] + beside - 2.0, unit.at[1] + 2.5)

    def _build(self, unit: Unit, ability: int, target: Any) -> None:
        kind, cost, loops = BUILD[ability]
        point = target.at if isinstance(target, Unit) else target
        if not self._walk(unit, point, within=NEAR):
            return
        unit.orders = unit.orders[1:]
        if self.minerals >= cost:
            self.minerals -= cost
            if isinstance(target, Unit) and target in self.units:
                self.units.remove(target)  # the refinery stands on the geyser
            self.add(kind, SELF, *point).work = loops

    def _harvest(self, unit: Unit, ability: int, source: Any) -> None:
        home = min(self.of(CENTRE), key=lambda u: u.far(unit.at))
        if ability == RETURN or unit.carries:
            if self._walk(unit, home.at, within=3.0):
                self.gain(unit.carries)
                unit.carries = ""
                unit.orders = unit.orders[1:] if ability == RETURN else unit.orders
        elif self._walk(unit, source.at, within=1.0):
            unit.work += 1
            if unit.work >= 24 and not (source.type == REFINERY and source.work):
                unit.carries, unit.work = "gas" if source.type == REFINERY else "minerals", 0

    def gain(self, what: str) -> None:
        self.minerals += 5 if what == "minerals" else 0
        self.vespene += 4 if what == "gas" else 0


class MoveToBeacon(Minigame):
    def place(self) -> None:
        self.add(BEACON, NEUTRAL)
        self.add(MARINE, SELF)

    def check(self) -> None:
        (beacon,), (marine,) = self.of(BEACON, owner=NEUTRAL), self.of(MARINE)
        if beacon.far(marine.at) < NEAR:
            self.score += 1
            beacon.at = self.anywhere()


class CollectMineralShards(Minigame):
    def place(self) -> None:
        for _ in range(2):
            self.add(MARINE, SELF)
        self.check()

    def check(self) -> None:
        for shard in self.of(SHARD, owner=NEUTRAL):
            if any(shard.far(marine.at) < 1.0 for marine in self.of(MARINE)):
                self.units.remove(shard)
                self.score += 1
        if not self.of(SHARD, owner=NEUTRAL):
            for _ in range(20):
                self.add(SHARD, NEUTRAL)


class Fight(Minigame):
    """Enemies that pay when they die; own losses cost 1."""

    pays: ClassVar[dict[int, int]] = {ROACH: 10, ZERGLING: 5, BANELING: 5}
    waves: ClassVar[dict[int, int]] = {ROACH: 4}

    def place(self) -> None:
        for k in range(9):
            self.add(MARINE, SELF, 4.0 + k % 3, 10.0 + k // 3)
        self.wave()

    def wave(self) -> None:
        for kind, count in self.waves.items():
            for k in range(count):
                self.add(kind, ENEMY, 19.0 + kind % 2, 8.0 + 1.2 * k)

    def died(self, unit: Unit) -> None:
        self.score += self.pays[unit.type] if unit.owner == ENEMY else -1

    def check(self) -> None:
        if not self.of(*self.waves, owner=ENEMY):
            self.wave()
            for k in range(5):
                self.add(MARINE, SELF, 4.0 + k % 3, 10.0 + k // 3)

    @property
    def over(self) -> bool:
        return super().over or not self.of(MARINE)


class DefeatZerglingsAndBanelings(Fight):
    waves: ClassVar[dict[int, int]] = {ZERGLING: 6, BANELING: 4}


class FindAndDefeatZerglings(Fight):
    """On a larger map: the camera has to move, and what no marine sees is in the fog."""

    side = 48.0
    pays: ClassVar[dict[int, int]] = {ZERGLING: 1}
    loops = 2880

    def place(self) -> None:
        for k in range(3):
            self.add(MARINE, SELF, 23.0 + k, 24.0)
        self.check()

    def check(self) -> None:
        while len(self.of(ZERGLING, owner=ENEMY)) < 25:
            self.add(ZERGLING, ENEMY)


class Base(Minigame):
    """A command centre with workers, minerals and geysers."""

    loops = 4800

    def place(self) -> None:
        self.add(CENTRE, SELF, 8.0, 12.0)
        for k in range(12):
            self.add(SCV, SELF, 11.0 + k % 4, 11.0 + k // 4)
        for k in range(8):
            self.add(MINERALS, NEUTRAL, 2.0, 6.0 + 1.5 * k)
        for y in (3.0, 21.0):
            self.add(GEYSER, NEUTRAL, 8.0, y)
        self.minerals = 50


class CollectMineralsAndGas(Base):
    def gain(self, what: str) -> None:
        super().gain(what)
        self.score += 5 if what == "minerals" else 4


class BuildMarines(Base):
    def check(self) -> None:
        self.score = len(self.of(MARINE))


GAMES: dict[str, type[Minigame]] = {
    "BuildMarines": BuildMarines,
    "CollectMineralShards": CollectMineralShards,
    "CollectMineralsAndGas": CollectMineralsAndGas,
    "DefeatRoaches": Fight,
    "DefeatZerglingsAndBanelings": DefeatZerglingsAndBanelings,
    "FindAndDefeatZerglings": FindAndDefeatZerglings,
    "MoveToBeacon": MoveToBeacon,
}
