"""The game inside the stand-in: a battle by the rules of skirmish, shown as units with tags."""

from __future__ import annotations

from typing import Any

import numpy as np

from games.skirmish import layout as at
from games.skirmish.battle import Battle
from games.skirmish.state import SkirmishState, start
from games.starcraft.roster import STANDARD, cooldown_loops, custom_types

TYPES = 2000  # unit types that a map of the stand-in knows
FLAT = "32x32_flat"
MOVE, ATTACK, STOP, HEAL = 16, 23, 4, 386
LOOPS = 8  # game loops of a decision


class Field:
    """A running game."""

    def __init__(self, map_name: str, seed: int, *, players: int, idle: bool = False) -> None:
        self.map_name, self.seed, self.players = map_name, seed, players
        self.opponent = "idle" if idle else None
        self.loop = 0
        self.games = 0
        self.orders: dict[int, Any] = {}
        self.result: int | None = None
        self._created: list[Any] = []
        self._decisions = 0
        self.state: SkirmishState | None = None
        if map_name != FLAT:
            self._start(seed)

    def _start(self, seed: int) -> None:
        """Place the armies; a map's own types have numbers of their own."""
        side = "both" if self.players == 2 else "allies"
        self.battle = Battle(self.map_name, side=side, opponent=self.opponent, limit=100_000)
        self.state = start(self.battle, seed)
        self.games += 1
        kinds = [kind.name for kind in self.battle.kinds]
        present = sorted(set(self._types()[: self.battle.allies]))
        self.numbers = [
            TYPES + present.index(k) if i < self.battle.allies else STANDARD[kinds[k]]
            for i, k in enumerate(self._types())
        ]

    def _types(self) -> list[int]:
        assert self.state is not None
        return self.state.world.marks[0, at.TYPE].tolist()

    def tag(self, unit: int) -> int:
        return (self.games << 16) + (unit + 1) * 257

    def unit(self, tag: int) -> int | None:
        if self.state is None or tag >> 16 != self.games:
            return None
        unit = ((tag & 0xFFFF) // 257) - 1
        return unit if 0 <= unit < self.battle.units else None

    # -- requests -----------------------------------------------------------------------

    def act(self, player: int, command: Any) -> bool:
        """Take an order; False if the unit is not the player's own living one."""
        for tag in command.unit_tags:
            unit = self.unit(tag)
            if unit is None or int(unit >= self.battle.allies) != player:
                return False
            self.orders[unit] = command
        return True

    def kill(self, tags: list[int]) -> None:
        for tag in tags:
            unit = self.unit(tag)
            if unit is not None and self.state is not None:
                self.state.world.units[0, at.HEALTH, unit] = 0.0

    def create(self, command: Any) -> None:
        self._created.append(command)

    def step(self, count: int) -> None:
        self.loop += count
        if self._created:
            self._place()
            return
        if self.state is None:
            return
        alive = self.state.world.units[0, at.HEALTH] > 0
        if not alive.any() and self.map_name != FLAT:
            self._start(self.seed + self.games)  # the map's trigger
            self.orders = {}
            return
        if count >= LOOPS:
            self._decide()

    def _decide(self) -> None:
        state = self.state
        assert state is not None
        actors = state.actors()
        if not actors:
            return
        state.step({seat: self._action(seat) for seat in actors})
        self._decisions += 1

    def _action(self, seat: int) -> int:
        """Return the action of skirmish that a unit's order amounts to."""
        assert self.state is not None
        order = self.orders.get(seat)
        if order is None or order.ability_id == STOP:
            return 1
        legal = self.state.legal(seat)
        if order.ability_id == MOVE:
            x, y = self.state.world.units[0, [at.X, at.Y], seat]
            dx, dy = order.target_world_space_pos.x - x, order.target_world_space_pos.y - y
            action = (2 if dy > 0 else 3) if abs(dy) > abs(dx) else (4 if dx > 0 else 5)
        else:
            target = self.unit(order.target_unit_tag)
            if target is None:
                return 1
            own = order.ability_id == HEAL
            first = 0 if (seat < self.battle.allies) == own else self.battle.allies
            action = 6 + target - first
        return action if action in legal else 1

    # -- what it looks like -------------------------------------------------------------

    def units(self) -> list[dict[str, Any]]:
        """Return the fields of every living unit's message; enemies in order, as allies are."""
        if self.state is None:
            return []
        world = self.state.world
        rows, marks, stats = world.units[0], world.marks[0], world.stats[0]
        shown = []
        for unit in np.flatnonzero(rows[at.HEALTH] > 0).tolist():
            kind = self.battle.kinds[int(marks[at.TYPE, unit])]
            target = int(marks[at.SHOT, unit])
            shown.append(
                {
                    "tag": self.tag(unit),
                    "unit_type": self.numbers[unit],
                    "owner": 1 if unit < self.battle.allies else 2,
                    "pos": (float(rows[at.X, unit]), float(rows[at.Y, unit])),
                    "health": float(rows[at.HEALTH, unit]),
                    "health_max": float(stats[at.FULL_HEALTH, unit]),
                    "shield": float(rows[at.SHIELD, unit]),
                    "shield_max": float(stats[at.FULL_SHIELD, unit]),
                    "energy": float(rows[at.ENERGY, unit]),
                    "weapon_cooldown": float(
                        rows[at.COOLDOWN, unit] / kind.period * cooldown_loops(kind.name)
                    ),
                    "engaged_target_tag": self.tag(target) if target >= 0 else 0,
                }
            )
        return shown

    def ended(self) -> list[int]:
        """Return each player's result (1 victory, 2 defeat, 3 tie) once a side is gone."""
        if self.state is None or not self.state.over:
            return []
        winner = self.state.winner
        return [3, 3] if winner is None else [1 + (winner != 0), 1 + (winner != 1)]

    def _place(self) -> None:
        """Put the units on the map that were asked for: an army of SMACv2."""
        created, self._created = self._created, []
        by_number = {number: kind for kind, number in custom_types(TYPES).items()}
        by_number |= {number: kind for kind, number in STANDARD.items()}
        teams = [[c for c in created if c.owner == owner] for owner in (1, 2)]
        names = [by_number[c.unit_type] for team in teams for c in team]
        for race in ("terran", "protoss", "zerg"):
            battle = Battle(f"{race}_{len(teams[0])}_vs_{len(teams[1])}", limit=100_000)
            kinds = [kind.name for kind in battle.kinds]
            if set(names) <= set(kinds):
                break
        self.battle, self.state = battle, start(battle, self.seed)
        self.games += 1
        world = self.state.world
        types = np.array([kinds.index(name) for name in names])
        world.marks[0, at.TYPE] = types
        world.stats[0] = battle.rules.table[types].T
        world.units[0, at.HEALTH] = world.stats[0, at.FULL_HEALTH]
        world.units[0, at.SHIELD] = world.stats[0, at.FULL_SHIELD]
        everyone = [c for team in teams for c in team]
        world.units[0, at.X] = [c.pos.x for c in everyone]
        world.units[0, at.Y] = [c.pos.y for c in everyone]
        self.numbers = [c.unit_type for c in everyone]
