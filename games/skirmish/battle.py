"""A battle: a map and how it is played, checked, as kernels read it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from games.skirmish import layout as at
from games.skirmish import maps
from games.skirmish.options import Options, check_names
from games.skirmish.routes import route_table
from games.skirmish.units import SMAC, SMAX, UnitType, row

__all__ = ["OPPONENTS", "Battle"]

OPPONENTS = {
    "closest": at.CLOSEST,
    "random": at.RANDOM,
    "focus_fire": at.FOCUS,
    "attack_move": at.ATTACK_MOVE,
    "idle": at.IDLE,
}
"""Built-in opponents: name to the number that kernels know them by."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("smac", "smax"),
    "side": ("allies", "both"),
    "opponent": tuple(OPPONENTS),
    "reward": ("shaped", "sparse"),
    "ranges": ("smac", "unit"),
    "sight": ("circle", "cone"),
    "collision": ("push", "orca"),
}
_SMAX_LIMIT = 100
_LOOKS = 12
_SMAC_SHOOT, _SMAC_SIGHT, _LEAST_SHOOT = 6.0, 9.0, 2.0
_SIZE = at.FIELD_SIZE


@dataclass(frozen=True)
class Battle(Options):
    """A map and how it is played; SMAC's optional settings are those of `Options`.

    Attributes:
        map: name of the map.
        mode: `smac`: StarCraft II's units with shields, armour, healing and splash, SMAC's
            actions, observations and rewards; `smax`: exactly JaxMARL's SMAX.
        side: `allies`: the units of team 0 are the seats, a built-in opponent plays team 1;
            `both`: the units of both teams are.
        opponent: who plays team 1, see `OPPONENTS`; by default `attack_move` in mode `smac`,
            `closest` in mode `smax`.
        reward: `shaped` (damage, kills and the win) or `sparse` (1 for a win, −1 for a
            defeat); by default shaped for `allies`, sparse for `both`.
        ranges: `smac`: every unit sees 9 far and may name targets 6 far, as in SMAC; `unit`:
            its own sight and range (at least 2), as in SMACv2; by default as the map's own
            benchmark has it. Mode `smac` only.
        sight: `circle`, or `cone`: a twelfth of it, turned by 12 more actions (SMACv2).
        reveal: probability that a unit may see an opponent that another one of its team saw
            first (SMACv2's extended partial observability); 1: always.
        collision: `push`: units that overlap push each other apart; `orca`: walkers find ways
            around each other, as in SMAClite. Mode `smac` only.
        limit: decisions of an episode; by default the map's own.
    """

    map: str
    mode: str = "smac"
    side: str = "allies"
    opponent: str | None = None
    reward: str | None = None
    ranges: str | None = None
    sight: str = "circle"
    reveal: float = 1.0
    collision: str = "push"
    limit: int | None = None

    def __post_init__(self) -> None:
        where = self.where
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is None and name in ("opponent", "reward", "ranges"):
                continue
            if not isinstance(value, str):
                raise ParameterError(name, value, f"one of {', '.join(choices)}", where=where)
            if value not in choices:
                hint = f"allowed are {', '.join(map(repr, choices))}"
                raise UnknownNameError(f"{name} of {where}", value, choices, hint=hint)
        if self.limit is not None and (
            isinstance(self.limit, bool) or not isinstance(self.limit, int) or self.limit < 1
        ):
            raise ParameterError("limit", self.limit, "an integer ≥ 1", where=where)
        if (
            isinstance(self.reveal, bool)
            or not isinstance(self.reveal, int | float)
            or not 0.0 <= self.reveal <= 1.0
        ):
            raise ParameterError("reveal", self.reveal, "a number from 0 to 1", where=where)
        self._check_combinations()
        self.check_options(where, smax=self.smax, shaped=self.shaped)

    def _check_combinations(self) -> None:
        found, where = maps.find(self.map), self.where
        if self.side == "both" and self.opponent is not None:
            raise ParameterError(
                "opponent",
                self.opponent,
                "none: with side='both' both teams are seats",
                where=where,
            )
        if self.mode != "smax":
            return
        missing = sorted(
            {kind for kind, _ in (*found.allies, *found.enemies) if kind not in SMAX}
            | {kind for kind in found.kinds if found.weights and kind not in SMAX}
        )
        if missing:
            raise NotApplicableError(
                f"{where}: SMAX has no {' or '.join(missing)}; mode='smac' plays this map, and"
                f" mode='smax' plays {', '.join(n for n in maps.names() if _in_smax(n))}"
            )
        if self.opponent == "attack_move":
            raise ParameterError(
                "opponent",
                self.opponent,
                "closest, random, focus_fire or idle in mode='smax'",
                where=where,
            )
        for name, plain in (
            ("ranges", None),
            ("sight", "circle"),
            ("reveal", 1.0),
            ("collision", "push"),
        ):
            if getattr(self, name) != plain:
                raise ParameterError(
                    name,
                    getattr(self, name),
                    "only in mode='smac': SMAX's sight and collisions are fixed",
                    where=where,
                )

    @staticmethod
    def of(name: str, params: dict[str, Any]) -> Battle:
        """Return the battle of a map with these parameters.

        Raises:
            UnknownNameError: of a map, a parameter or a choice.
            ParameterError: a value out of range, or one that others rule out.
            NotApplicableError: the mode lacks a unit type of the map.
        """
        maps.find(name)
        known = [field.name for field in fields(Battle) if field.name != "map"]
        check_names(f"skirmish/{name}", params, known)
        return Battle(name, **params)

    @property
    def where(self) -> str:
        """The id of the game."""
        return f"skirmish/{self.map}"

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that are not the default ones."""
        values = {
            f.name: (getattr(self, f.name), f.default) for f in fields(self) if f.name != "map"
        }
        return {name: value for name, (value, default) in values.items() if value != default}

    @cached_property
    def layout(self) -> maps.Map:
        """The map."""
        return maps.find(self.map)

    @property
    def smax(self) -> bool:
        """Whether the mode is `smax`."""
        return self.mode == "smax"

    @property
    def both(self) -> bool:
        """Whether the units of both teams are seats."""
        return self.side == "both"

    @property
    def allies(self) -> int:
        """Units of team 0."""
        return self.layout.sizes[0]

    @property
    def enemies(self) -> int:
        """Units of team 1."""
        return self.layout.sizes[1]

    @property
    def units(self) -> int:
        """Units of both teams."""
        return self.allies + self.enemies

    @property
    def seats(self) -> int:
        """Units that are seats."""
        return self.units if self.both else self.allies

    @property
    def shaped(self) -> bool:
        """Whether damage and kills are paid."""
        return self.reward == "shaped" or (self.reward is None and not self.both)

    @property
    def looks(self) -> int:
        """Look actions."""
        return _LOOKS if self.sight == "cone" else 0

    @property
    def decisions(self) -> int:
        """Decisions after which an episode is cut off."""
        return self.limit or (_SMAX_LIMIT if self.smax else self.layout.limit)

    @cached_property
    def kinds(self) -> tuple[UnitType, ...]:
        """Unit types in the order of their numbers."""
        if self.smax:
            return tuple(SMAX.values())
        return tuple(SMAC[name] for name in self.layout.kinds)

    @cached_property
    def _shields(self) -> tuple[int, int]:
        """Whether units of each team show shields."""
        if self.smax:
            return 0, 0
        if self.layout.weights:
            shown = int(any(kind.shield for kind in self.kinds))
            return shown, shown
        return (
            int(any(SMAC[kind].shield for kind, _ in self.layout.allies)),
            int(any(SMAC[kind].shield for kind, _ in self.layout.enemies)),
        )

    @cached_property
    def actions(self) -> tuple[int, int]:
        """Actions of a unit of each team."""
        if self.smax:
            return 5 + self.enemies, 5 + self.allies
        healers = [
            any(kind.heal for kind in self.kinds)
            if self.layout.weights
            else any(SMAC[kind].heal for kind, _ in army)
            for army in (self.layout.allies, self.layout.enemies)
        ]
        base = 6 + self.looks
        return (
            base + max(self.enemies, self.allies if healers[0] else 0),
            base + max(self.allies, self.enemies if healers[1] else 0),
        )

    @cached_property
    def obs_sizes(self) -> tuple[int, int]:
        """Numbers in an observation of a unit of each team."""
        if self.smax:
            size = 13 * (self.units - 1) + 10
            return size, size
        more = (2 if self._own_position else 0) + (2 if self.looks else 0)
        teams = ((self.allies, self._shields[0]), (self.enemies, self._shields[1]))
        bits = self.layout.bits
        return (
            self.obs_size(*teams, bits, self.actions[0], more),
            self.obs_size(*teams[::-1], bits, self.actions[1], more),
        )

    @cached_property
    def state_size(self) -> int:
        """Numbers in the state vector."""
        if self.smax:
            return 12 * self.units
        if self.obs_instead_of_state:
            return self.allies * self.obs_sizes[0]
        bits, (mine, theirs) = self.layout.bits, self._shields
        units_of = self.allies * (4 + mine + bits) + self.enemies * (3 + theirs + bits)
        actions = self.allies * self.actions[0] if self.state_last_action else 0
        return units_of + actions + self.state_timestep_number

    @property
    def _own_position(self) -> bool:
        return bool(self.layout.weights)

    @property
    def _own_ranges(self) -> bool:
        return self.ranges == "unit" or (self.ranges is None and bool(self.layout.weights))

    @cached_property
    def rules(self) -> at.Rules:
        """What kernels need to know; the arrays are read-only."""
        numbers = np.zeros(at.R_SIZE, dtype=np.int64)
        found = self.layout
        opponent = self.opponent or ("closest" if self.smax else "attack_move")
        values = {
            at.R_ALLIES: self.allies,
            at.R_ENEMIES: self.enemies,
            at.R_MODE: at.SMAX if self.smax else at.SMAC,
            at.R_LIMIT: self.decisions,
            at.R_ACTIONS_0: self.actions[0],
            at.R_ACTIONS_1: self.actions[1],
            at.R_OBS_0: self.obs_sizes[0],
            at.R_OBS_1: self.obs_sizes[1],
            at.R_STATE: self.state_size,
            at.R_OPPONENT: at.PLAYED if self.both else OPPONENTS[opponent],
            at.R_BOTH: self.both,
            at.R_SPARSE: not self.shaped,
            at.R_TYPES: 6 if self.smax else found.bits,
            at.R_SHIELDS_0: self._shields[0],
            at.R_SHIELDS_1: self._shields[1],
            at.R_START: at.GROUPS if found.weights else at.FACING,
            at.R_AVOID: self.collision == "orca",
            at.R_DRAWN: bool(found.weights),
            at.R_LOOKS: self.looks,
            at.R_OWN_POSITION: self._own_position,
            at.R_HEALERS: any(kind.heal for kind in self.kinds),
            at.R_CHOICES: len(found.weights),
            at.R_ALONE: 1 + found.kinds.index(found.alone) if found.alone else 0,
            **self.numbers(),
        }
        for index, value in values.items():
            numbers[index] = value
        view = math.cos(math.pi / _LOOKS)
        rules = at.Rules(
            numbers=numbers,
            reals=np.array([_SIZE, _SIZE, self.reveal, view, self.move_amount], dtype=np.float32),
            rewards=self.rewards(),
            table=np.array([self._row(kind) for kind in self.kinds]),
            types=np.array(self._types(), dtype=np.int32),
            starts=self._starts(),
            choices=np.cumsum(found.weights or (1.0,)).astype(np.float32),
        )
        for array in rules:
            array.flags.writeable = False
        return rules

    @cached_property
    def ground(self) -> at.Ground | None:
        """The ground as kernels take it, read-only; None in mode `smax`."""
        if self.smax:
            return None
        walls = _walls(self.layout)
        flat = np.zeros((0, 0), dtype=np.float32)
        ground = at.Ground(walls=walls, routes=route_table(walls), heights=flat)
        for array in ground:
            array.flags.writeable = False
        return ground

    @property
    def walls(self) -> NDArray[np.uint8]:
        """Squares that are walls, shape (rows, columns), or (0, 0) where none are."""
        return np.zeros((0, 0), dtype=np.uint8) if self.ground is None else self.ground.walls

    def _row(self, kind: UnitType) -> NDArray[np.float32]:
        """Return the statistics of a type, with what the rules of sight and range leave."""
        if self.smax:
            return row(kind, kind.reach)
        if self._own_ranges:
            return row(kind, max(kind.reach, _LEAST_SHOOT))
        out = row(kind, _SMAC_SHOOT)
        out[at.SIGHT] = _SMAC_SIGHT
        return out

    def _types(self) -> list[int]:
        """Return the type of each unit; drawn armies have any."""
        names = [kind.name for kind in self.kinds]
        armies = (*self.layout.allies, *self.layout.enemies)
        return [names.index(kind) for kind, size in armies for _ in range(size)]

    def _starts(self) -> NDArray[np.float32]:
        """Return where units are placed: x, y and ± spread, shape (3, U), or (3, 0) if drawn."""
        drawn = bool(self.layout.weights)
        out = np.zeros((3, 0 if drawn else self.units), dtype=np.float32)
        if drawn:
            return out
        for i in range(self.units):
            team = int(i >= self.allies)
            size = (self.allies, self.enemies)[team]
            if self.smax:
                out[:, i] = (_SIZE / 4 * (1 + 2 * team), _SIZE / 2, 2.0)
                continue
            kind = self.kinds[self._types()[i]].name
            centre = self.layout.groups.get((team, kind), self.layout.centres[team])
            out[:, i] = (*centre, 0.5 * size**0.5)
        return out

    def action_name(self, seat: int, action: int) -> str:
        """Return what an action of `seat` is called; targets by the name of their seat."""
        other = self.allies if seat < self.allies else 0
        if self.smax:
            if action < 5:
                return ("up", "right", "down", "left", "stop")[action]
            target = self.allies + action - 5 if seat < self.allies else self.allies + 4 - action
            return f"attack {self.unit_name(target)}"
        if action < 6:
            return ("no-op", "stop", "north", "south", "east", "west")[action]
        if action < 6 + self.looks:
            return f"look {360 * (action - 6) // self.looks}°"
        index = action - 6 - self.looks
        healer = not self.layout.weights and self.kinds[self._types()[seat]].heal > 0
        if healer:
            return f"heal {self.unit_name(index + (0 if seat < self.allies else self.allies))}"
        return (
            f"target {index}" if self.layout.weights else f"attack {self.unit_name(other + index)}"
        )

    def unit_name(self, unit: int) -> str:
        """Return what a unit is called."""
        return f"ally_{unit}" if unit < self.allies else f"enemy_{unit - self.allies}"


def _in_smax(name: str) -> bool:
    found = maps.find(name)
    kinds = set(found.kinds) if found.weights else {k for k, _ in (*found.allies, *found.enemies)}
    return kinds <= set(SMAX)


def _walls(found: maps.Map) -> NDArray[np.uint8]:
    """Return which squares are walls, shape (rows, columns), or (0, 0) where none are."""
    if not found.open and not found.shut:
        return np.zeros((0, 0), dtype=np.uint8)
    out = np.full((int(_SIZE), int(_SIZE)), 1 if found.open else 0, dtype=np.uint8)
    for x0, y0, x1, y1 in found.open:
        out[y0:y1, x0:x1] = 0
    for x0, y0, x1, y1 in found.shut:
        out[y0:y1, x0:x1] = 1
    return out
