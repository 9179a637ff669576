"""One decision of a battle in plain Python, from the rules as they are written down.

Units are objects, arithmetic is Python's own, nothing is shared with the kernels but the
tables of unit types: orders, world steps, rewards, observations, masks and state vectors of
both modes. `Field.of` takes a running state over, so that every decision can be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from games.skirmish import layout as at
from games.skirmish.battle import Battle
from games.skirmish.units import AIR, BEAM, GROUND, SUICIDE, UnitType
from tests.reference import orca

TICK = 1 / 16
WAYS = {"north": (0, 1), "east": (1, 0), "south": (0, -1), "west": (-1, 0)}
SMAX_WAYS = ["north", "east", "south", "west"]
SMAC_WAYS = ["north", "south", "east", "west"]


@dataclass
class Unit:
    number: int
    team: int
    kind: UnitType
    type: int
    x: float
    y: float
    health: float
    shield: float
    energy: float
    cooldown: float
    quiet: float
    look: tuple[float, float]
    action: int
    target: Unit | None = field(default=None, repr=False)
    way: tuple[float, float] = (0.0, 0.0)
    goal: tuple[float, float] | None = None
    healed: bool = False
    velocity: complex = 0j

    @property
    def alive(self) -> bool:
        return self.health > 0

    def far(self, other: Unit) -> float:
        return math.hypot(other.x - self.x, other.y - self.y)


class Field:
    def __init__(self, battle: Battle, units: list[Unit]) -> None:
        self.battle, self.units = battle, units
        self.teams = [[u for u in units if u.team == team] for team in (0, 1)]
        self.far_move, self.time = battle.move_amount, 0.0

    @staticmethod
    def of(battle: Battle, world: at.World) -> Field:
        rows, marks = world.units[0].astype(float), world.marks[0]
        units = []
        for i in range(battle.units):
            kind = int(marks[at.TYPE, i])
            numbers = {
                name: float(rows[row, i])
                for name, row in {
                    "x": at.X,
                    "y": at.Y,
                    "health": at.HEALTH,
                    "shield": at.SHIELD,
                    "energy": at.ENERGY,
                    "cooldown": at.COOLDOWN,
                    "quiet": at.QUIET,
                }.items()
            }
            look = (float(rows[at.LOOK_X, i]), float(rows[at.LOOK_Y, i]))
            velocity = complex(rows[at.VEL_X, i], rows[at.VEL_Y, i])
            team = int(i >= battle.allies)
            units.append(
                Unit(
                    i,
                    team,
                    battle.kinds[kind],
                    kind,
                    look=look,
                    action=int(marks[at.ACTION, i]),
                    velocity=velocity,
                    **numbers,
                )
            )
        field = Field(battle, units)
        field.time = int(world.heads[0, at.STEP]) / battle.decisions
        return field

    def blocked(self, x: float, y: float) -> bool:
        walls = self.battle.walls
        if not walls.size:
            return False
        inside = 0 <= x < walls.shape[1] and 0 <= y < walls.shape[0]
        return not inside or bool(walls[int(y), int(x)])

    # -- orders ---------------------------------------------------------------------------

    def order(self, unit: Unit, action: int) -> None:
        unit.action = action
        unit.target, unit.way, unit.goal = None, (0.0, 0.0), None
        mine, theirs = self.teams[unit.team], self.teams[1 - unit.team]
        if self.battle.smax:
            if action < 4:
                unit.way = WAYS[SMAX_WAYS[action]]
            elif action > 4:
                order = theirs if unit.team == 0 else theirs[::-1]
                unit.target = order[action - 5]
            return
        if 2 <= action < 6:
            dx, dy = WAYS[SMAC_WAYS[action - 2]]
            unit.goal = (unit.x + self.far_move * dx, unit.y + self.far_move * dy)
        elif 6 <= action < 6 + self.battle.looks:
            angle = 2 * math.pi * (action - 6) / self.battle.looks
            unit.look = (math.cos(angle), math.sin(angle))
        elif action >= 6:
            named = mine if unit.kind.heal else theirs
            unit.target = named[action - 6 - self.battle.looks]

    # -- a decision -----------------------------------------------------------------------

    def play(self, actions: list[int], noise: np.ndarray) -> tuple[list[float], int | None]:
        """Play a decision; return what each team is paid by damage and kills, and who won."""
        before = [(u.health, u.shield) for u in self.units]
        for unit, action in zip(self.units, actions, strict=True):
            self.order(unit, action if unit.alive else (4 if self.battle.smax else 0))
        for step in range(self.battle.step_mul):
            (self._smax_step if self.battle.smax else self._smac_step)(noise[step])
        pay = []
        left = [sum(u.alive and not u.kind.heal for u in team) for team in self.teams]
        won = None
        if 0 in left and left != [0, 0]:
            won = 0 if left[0] else 1
        for team in (0, 1):
            others = self.teams[1 - team]
            if self.battle.smax:
                lost = sum((before[u.number][0] - u.health) / u.kind.health for u in others)
                pay.append(lost / len(others) + (won == team))
            else:
                pay.append(self._smac_pay(team, before, won))
        return pay, won

    def _smac_pay(self, team: int, before: list[tuple[float, float]], won: int | None) -> float:
        battle, sums = self.battle, []
        for units in (self.teams[team], self.teams[1 - team]):
            lost = sum(sum(before[u.number]) - u.health - u.shield for u in units)
            killed = sum(before[u.number][0] > 0 and not u.alive for u in units)
            sums.append(lost + killed * battle.reward_death_value)
        if battle.reward_only_positive:
            pay = abs(sums[1])
        else:
            pay = sums[1] - battle.reward_negative_scale * sums[0]
        if won is not None:
            pay += battle.reward_win if won == team else battle.reward_defeat
        others = self.teams[1 - team]
        most = sum(u.kind.health + u.kind.shield + battle.reward_death_value for u in others)
        most += battle.reward_win
        return pay / (most / battle.reward_scale_rate) if battle.reward_scale else pay

    def _smax_step(self, noise: np.ndarray) -> None:
        damage = dict.fromkeys(range(len(self.units)), 0.0)
        for u in self.units:
            t = u.target
            ready = t is not None and u.alive and t.alive and u.cooldown <= 0
            if ready and u.far(t) < u.kind.reach:
                damage[t.number] += u.kind.damage
                u.cooldown = u.kind.period + float(noise[u.number])
            else:
                u.cooldown -= TICK
        for u in self.units:
            if u.alive:
                u.x += u.way[0] * u.kind.speed * TICK
                u.y += u.way[1] * u.kind.speed * TICK
                u.x, u.y = min(max(u.x, 0), 32), min(max(u.y, 0), 32)
                u.health = max(u.health - damage[u.number], 0)
                if u.x in (0, 32) or u.y in (0, 32):
                    u.health = 0
        self._push()

    def _smac_step(self, noise: np.ndarray) -> None:
        health = {u.number: u.health for u in self.units}
        shield = {u.number: u.shield for u in self.units}
        walks: dict[int, float] = {}
        for u in self.units:
            u.quiet += TICK
        for u in self.units:
            if not u.alive:
                continue
            u.cooldown = max(u.cooldown - TICK, 0)
            t = u.target
            if t is not None and (not t.alive or not reaches(u, t)):
                t = u.target = None
            if t is None:
                walks[u.number] = math.inf if u.goal else 0
                continue
            gap = u.far(t) - u.kind.reach - u.kind.radius - t.kind.radius
            walks[u.number] = gap + 0.01 if gap > 0 else 0
            if gap <= 0 and not u.kind.heal and u.cooldown <= 0:
                u.cooldown = u.kind.period + float(noise[u.number])
                for hit in self._splash(u, t):
                    self._hit(u, hit, health, shield)
                if u.kind.splash == SUICIDE:
                    health[u.number] = 0
        self._heal(health, walks)
        for u in self.units:
            if u.alive:
                u.health, u.shield = max(health[u.number], 0), shield[u.number]
                if not u.alive:
                    u.shield = 0
                    continue
                if u.quiet >= 10:
                    u.shield = min(u.shield + 2 * TICK, u.kind.shield)
                if u.kind.regeneration:
                    u.health = min(u.health + u.kind.regeneration * TICK, u.kind.health)
        self.walks = walks
        ends = {u.number: self._walk(u, walks.get(u.number, 0)) for u in self.units if u.alive}
        for number, (x, y) in ends.items():
            u = self.units[number]
            u.velocity = complex(x - u.x, y - u.y) / TICK
            u.x, u.y = x, y
        if self.battle.collision == "push":
            self._push()

    def _splash(self, u: Unit, t: Unit) -> list[Unit]:
        others = [o for o in self.teams[1 - u.team] if o.alive and reaches(u, o)]
        if u.kind.splash == SUICIDE:
            return [o for o in others if u.far(o) <= 2.2 + o.kind.radius]
        if u.kind.splash == BEAM:
            angle = math.atan2(t.y - u.y, t.x - u.x)
            hit = []
            for o in others:
                dx, dy = o.x - t.x, o.y - t.y
                along = abs(dx * math.cos(angle) + dy * math.sin(angle))
                across = abs(dy * math.cos(angle) - dx * math.sin(angle))
                gap = math.hypot(max(along - 0.15, 0), max(across - 1.4, 0))
                if gap <= o.kind.radius:
                    hit.append(o)
            return hit
        return [t]

    def _hit(self, u: Unit, t: Unit, health: dict[int, float], shield: dict[int, float]) -> None:
        t.quiet = 0
        for _ in range(u.kind.hits):
            damage = u.kind.damage + (u.kind.bonus if u.kind.against & t.kind.attributes else 0)
            absorbed = min(damage, shield[t.number])
            shield[t.number] -= absorbed
            damage -= absorbed
            if damage > 0:
                health[t.number] -= max(damage - t.kind.armour, min(damage, 0.5))

    def _heal(self, health: dict[int, float], walks: dict[int, float]) -> None:
        for u in self.units:
            if not u.alive or not u.kind.heal:
                continue
            u.energy = min(u.energy + 0.7875 * TICK, u.kind.energy)
            t = u.target
            if t is None or walks[u.number] > 0 or not (u.healed or u.energy >= 5):
                continue
            missing = t.kind.health - health[t.number]
            if missing > 0 and health[t.number] > 0:
                restored = min(missing, u.kind.heal * TICK, u.energy * 3)
                health[t.number] += restored
                u.energy -= restored / 3
                u.healed = u.healed or restored > 0

    def _walk(self, u: Unit, far: float) -> tuple[float, float]:
        to = (u.target.x, u.target.y) if u.target else u.goal
        if far <= 0 or to is None:
            return u.x, u.y
        dx, dy = to[0] - u.x, to[1] - u.y
        length = math.hypot(dx, dy)
        pace = min(u.kind.speed * TICK, far)
        if length <= 1e-6 or pace <= 0:
            return u.x, u.y
        share, r = min(pace / length, 1), u.kind.radius
        if self.battle.collision == "orca":
            goes = self._around_others(u, complex(dx, dy) * share / TICK) * TICK
            dx, dy, share = goes.real, goes.imag, 1
        x = min(max(u.x + dx * share, r), 32 - r)
        y = min(max(u.y + dy * share, r), 32 - r)
        if u.kind.flies or u.kind.climbs or not self.blocked(x, y):
            return x, y
        if not self.blocked(x, u.y):
            return x, u.y
        return (u.x, y) if not self.blocked(u.x, y) else (u.x, u.y)

    def _around_others(self, u: Unit, wanted: complex) -> complex:
        walkers = {
            o.number: orca.Walker(
                complex(o.x, o.y),
                o.velocity,
                o.kind.radius,
                o.kind.speed,
                self.walks.get(o.number, 0) > 0,
            )
            for o in self.units
            if o is u or (o.alive and o.kind.flies == u.kind.flies)
        }
        one = walkers.pop(u.number)
        return orca.avoid(one, list(walkers.values()), wanted)

    def _push(self) -> None:
        moved = {u.number: [0.0, 0.0] for u in self.units}
        smax = self.battle.smax
        for u in self.units:
            for o in self.units:
                if u is o or not u.alive or not o.alive or u.kind.flies != o.kind.flies:
                    continue
                if not smax and u.kind.speed == 0:
                    continue
                far = u.far(o) + (1e-6 if smax else 0)
                overlap = (u.kind.radius + o.kind.radius) / far - 1
                if overlap > 0:
                    share = 1 if not smax and o.kind.speed == 0 else 0.5
                    moved[u.number][0] += (u.x - o.x) * overlap * share
                    moved[u.number][1] += (u.y - o.y) * overlap * share
        for u in self.units:
            dx, dy = moved[u.number]
            if not u.alive or (dx == 0 and dy == 0):
                continue
            x, y, r = u.x + dx, u.y + dy, u.kind.radius
            if not smax:
                x, y = min(max(x, r), 32 - r), min(max(y, r), 32 - r)
                if not (u.kind.flies or u.kind.climbs) and self.blocked(x, y):
                    continue
            u.x, u.y = x, y

    # -- what units see -------------------------------------------------------------------

    def sight(self, u: Unit) -> float:
        ranges = self.battle.ranges or ("unit" if self.battle.layout.weights else "smac")
        own = ranges == "unit"
        return u.kind.sight if self.battle.smax or own else 9

    def shoot(self, u: Unit) -> float:
        ranges = self.battle.ranges or ("unit" if self.battle.layout.weights else "smac")
        own = ranges == "unit"
        return max(u.kind.reach, 2) if own else 6

    def inside(self, u: Unit, o: Unit, far: float) -> bool:
        if self.battle.smax:
            return u.far(o) < far
        if u.far(o) > far:
            return False
        if not self.battle.looks or u.far(o) < 1e-3:
            return True
        cosine = ((o.x - u.x) * u.look[0] + (o.y - u.y) * u.look[1]) / u.far(o)
        return math.acos(max(min(cosine, 1), -1)) <= math.pi / self.battle.looks

    def available(self, u: Unit) -> list[bool]:
        out = [False] * self.battle.actions[u.team]
        theirs = self.teams[1 - u.team]
        if self.battle.smax:
            out[:5] = [u.alive] * 4 + [True]
            for k, o in enumerate(theirs if u.team == 0 else theirs[::-1]):
                out[5 + k] = u.alive and o.alive and u.far(o) < u.kind.reach
            return out
        if not u.alive:
            out[0] = True
            return out
        out[1] = True
        for k, way in enumerate(SMAC_WAYS):
            x, y = (p + self.far_move / 2 * d for p, d in zip((u.x, u.y), WAYS[way], strict=True))
            out[2 + k] = 0 <= x < 32 and 0 <= y < 32 and not self.blocked(x, y)
        looks = self.battle.looks
        out[6 : 6 + looks] = [True] * looks
        for k, o in enumerate(self.teams[u.team] if u.kind.heal else theirs):
            fine = o.alive and reaches(u, o) and self.inside(u, o, self.shoot(u))
            out[6 + looks + k] = fine
        return out

    def observe(self, u: Unit) -> list[float]:
        return self._smax_observe(u) if self.battle.smax else self._smac_observe(u)

    def _smax_observe(self, u: Unit) -> list[float]:
        out: list[float] = []
        order = self.units if u.team == 0 else self.units[::-1]
        for o in order:
            if o is u:
                continue
            if not (u.alive and o.alive and u.far(o) < u.kind.sight):
                out += [0.0] * 13
                continue
            attack = o.action / (self.battle.actions[o.team] - 1) if o.action > 4 else 0.0
            out += [
                o.health / o.kind.health,
                (o.x - u.x) / u.kind.sight,
                (o.y - u.y) / u.kind.sight,
            ]
            out += [*o.way, attack, min(max(o.cooldown / o.kind.period, 0), 1), *one_hot(o.type, 6)]
        if not u.alive:
            return out + [0.0] * 10
        ready = min(max(u.cooldown / u.kind.period, 0), 1)
        return [*out, u.health / u.kind.health, u.x / 32, u.y / 32, ready, *one_hot(u.type, 6)]

    def _has_shields(self, team: int) -> bool:
        if self.battle.layout.weights:
            return any(kind.shield for kind in self.battle.kinds)
        return any(u.kind.shield for u in self.teams[team])

    def _smac_observe(self, u: Unit) -> list[float]:
        bits, mask, looks = self.battle.layout.bits, self.available(u), self.battle.looks
        battle = self.battle
        out = [float(mask[2 + way]) for way in range(4)] + self._around(u)
        for team in (1 - u.team, u.team):
            for k, o in enumerate(self.teams[team]):
                if o is u:
                    continue
                size = 4 + bits
                size += 1 + self._has_shields(team) if battle.obs_all_health else 0
                if battle.obs_last_action and team == u.team:
                    size += battle.actions[team]
                if not (o.alive and self.inside(u, o, self.sight(u))):
                    out += [0.0] * size
                    continue
                named = team == u.team or (not u.kind.heal and mask[6 + looks + k])
                far = self.sight(u)
                out += [float(named), u.far(o) / far, (o.x - u.x) / far, (o.y - u.y) / far]
                if battle.obs_all_health:
                    out += [o.health / o.kind.health, *self._shield(o)]
                out += one_hot(o.type, bits)
                if battle.obs_last_action and team == u.team:
                    out += one_hot(o.action, battle.actions[team])
        if battle.obs_own_health or battle.obs_all_health:
            out += [u.health / u.kind.health, *self._shield(u)]
        if self.battle.layout.weights:
            out += [u.x / 32, u.y / 32]
        if looks:
            out += [*u.look]
        out += one_hot(u.type, bits)
        out = out if u.alive else [0.0] * len(out)
        return [*out, self.time] if battle.obs_timestep_number else out

    def _around(self, u: Unit) -> list[float]:
        x, y, m = int(u.x), int(u.y), int(self.far_move)
        cross = [(0, 2 * m), (0, -2 * m), (2 * m, 0), (-2 * m, 0)]
        points = [*cross, (m, m), (-m, -m), (m, -m), (-m, m)]
        out = []
        if self.battle.obs_pathing_grid:
            for dx, dy in points:
                inside = 0 <= x + dx < 32 and 0 <= y + dy < 32
                out.append(float(not (inside and self.blocked(x + dx, y + dy))))
        if self.battle.obs_terrain_height:
            for dx, dy in [*points, (0, 0)]:
                out.append(float(not (0 <= x + dx < 32 and 0 <= y + dy < 32)))
        return out

    def _shield(self, u: Unit) -> list[float]:
        if not self._has_shields(u.team):
            return []
        return [u.shield / u.kind.shield if u.kind.shield else 0.0]

    def state(self) -> list[float]:
        out: list[float] = []
        if self.battle.smax:
            for u in self.units:
                own = [u.health / u.kind.health, u.x, u.y, u.cooldown, *one_hot(u.type, 6)]
                out += own if u.alive else [0.0] * 10
            out += [float(u.team) for u in self.units]
            return out + [float(u.type) for u in self.units]
        for u in self.units:
            ready = u.energy / u.kind.energy if u.kind.energy else u.cooldown / u.kind.period
            own = [u.health / u.kind.health, *([ready] if u.team == 0 else [])]
            own += [u.x / 32 - 0.5, u.y / 32 - 0.5, *self._shield(u)]
            own += one_hot(u.type, self.battle.layout.bits)
            out += own if u.alive else [0.0] * len(own)
        if self.battle.obs_instead_of_state:
            return [number for u in self.teams[0] for number in self.observe(u)]
        if self.battle.state_last_action:
            for u in self.teams[0]:
                out += one_hot(u.action, self.battle.actions[0])
        return [*out, self.time] if self.battle.state_timestep_number else out


def reaches(u: Unit, o: Unit) -> bool:
    if u.kind.heal:
        return u is not o and not o.kind.flies
    return bool(u.kind.targets & (AIR if o.kind.flies else GROUND))


def one_hot(index: int, size: int) -> list[float]:
    return [float(index == k) for k in range(size)]


def agree(battlefield: Field, world: at.World, crowd: bool) -> None:
    """Fail unless the units are where and as they should be.

    Where many push each other, rounding grows tenfold in a few world steps.
    """
    rows: Any = world.units[0]
    for u in battlefield.units:
        for name, row in (
            ("x", at.X),
            ("y", at.Y),
            ("health", at.HEALTH),
            ("shield", at.SHIELD),
            ("energy", at.ENERGY),
        ):
            seen, wanted = float(rows[row, u.number]), getattr(u, name)
            tolerance = 2e-2 if crowd and name in "xy" else 5e-4
            assert abs(seen - wanted) <= tolerance, (name, u, seen)
        if u.alive:
            assert abs(float(rows[at.COOLDOWN, u.number]) - u.cooldown) <= 5e-4, u
