"""Which unit of the engine is which unit of the battle, and what it looks like there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.errors import ArenaError
from games.skirmish import layout as at
from games.skirmish.battle import Battle
from games.skirmish.world import empty

__all__ = ["STANDARD", "Roster", "cooldown_loops", "custom_types"]

STANDARD: dict[str, int] = {
    "baneling": 9,
    "colossus": 4,
    "hydralisk": 107,
    "marauder": 51,
    "marine": 48,
    "medivac": 54,
    "spine_crawler": 98,
    "stalker": 74,
    "zealot": 73,
    "zergling": 105,
}
"""The engine's own numbers of unit types."""

_COOLDOWNS = {
    "marauder": 25,
    "stalker": 35,
    "zealot": 22,
    "colossus": 24,
    "hydralisk": 10,
    "zergling": 11,
    "baneling": 1,
}
_COOLDOWN = 15
_GENERATED = sorted(set(STANDARD) - {"spine_crawler"})


def cooldown_loops(kind: str) -> int:
    """Return the game loops that SMAC divides a type's cooldown by."""
    return _COOLDOWNS.get(kind, _COOLDOWN)


def custom_types(count: int) -> dict[str, int]:
    """Return the numbers of the unit types that SMACv2's map adds for the allies.

    Args:
        count: unit types that the map knows; its own nine are the last.
    """
    return {kind: count - len(_GENERATED) + k for k, kind in enumerate(_GENERATED)}


class Roster:
    """The units of a running game, in the order of the battle.

    As in SMAC the allies are ordered by type, x and y at the start, the enemies as the engine
    lists them; where both teams are seats the enemies are ordered as the allies.

    Args:
        battle: what is played.
        units: of the engine, all there (see `complete`).
        custom: numbers of unit types that the map added, by name.

    Attributes:
        battle: what is played.
        tags: the engine's name of each unit, shape (U,).
        world: the episode as `games.skirmish.layout` has it.
    """

    def __init__(
        self, battle: Battle, units: Sequence[Any], custom: Mapping[str, int] | None = None
    ) -> None:
        self.battle = battle
        teams = [[u for u in units if u.owner == owner] for owner in (1, 2)]
        kinds = [self._kinds(team, owned, custom or {}) for team, owned in enumerate(teams)]
        for team in range(1 + battle.both):
            found = sorted(
                zip(kinds[team], teams[team], strict=True),
                key=lambda one: (one[0], one[1].pos.x, one[1].pos.y),
            )
            kinds[team] = [kind for kind, _ in found]
            teams[team] = [unit for _, unit in found]
        self.tags: list[int] = [u.tag for team in teams for u in team]
        self.world = empty(battle, 1)
        types = np.array([*kinds[0], *kinds[1]], dtype=np.int32)
        self.world.stats[0] = battle.rules.table[types].T
        marks, rows = self.world.marks[0], self.world.units[0]
        marks[:] = -1
        marks[at.TYPE] = types
        marks[at.MOVED] = 0
        self.world.heads[0, at.WINNER] = -1
        rows[at.LOOK_X] = 1.0
        self.world.stats[0, at.FULL_HEALTH] = [u.health_max for team in teams for u in team]
        most = [sum(u.health_max + u.shield_max for u in team) for team in teams]
        for team, pay in enumerate((at.SCALE_0, at.SCALE_1)):
            other = 1 - team
            paid = len(teams[other]) * battle.reward_death_value + battle.reward_win + most[other]
            self.world.pays[0, pay] = paid / battle.reward_scale_rate if battle.reward_scale else 1
        self.read(units)
        rows[at.START_X], rows[at.START_Y] = rows[at.X], rows[at.Y]
        self._fighters()

    @staticmethod
    def complete(battle: Battle, units: Sequence[Any]) -> bool:
        """Whether all units are on the map; the engine takes a few loops to place them."""
        owners = [unit.owner for unit in units]
        return owners.count(1) == battle.allies and owners.count(2) == battle.enemies

    def read(self, units: Sequence[Any]) -> None:
        """Take health, positions and the rest from what the engine shows; who is not there died."""
        rows, marks = self.world.units[0], self.world.marks[0]
        found = {unit.tag: unit for unit in units}
        number = {tag: k for k, tag in enumerate(self.tags)}
        for k, tag in enumerate(self.tags):
            unit = found.get(tag)
            marks[at.SHOT, k] = -1
            if unit is None:
                rows[at.HEALTH, k] = rows[at.SHIELD, k] = rows[at.COOLDOWN, k] = 0.0
                continue
            kind = self.battle.kinds[int(marks[at.TYPE, k])]
            rows[at.X, k], rows[at.Y, k] = unit.pos.x, unit.pos.y
            rows[at.HEALTH, k], rows[at.SHIELD, k] = unit.health, unit.shield
            rows[at.ENERGY, k] = unit.energy
            rows[at.COOLDOWN, k] = unit.weapon_cooldown / cooldown_loops(kind.name) * kind.period
            marks[at.SHOT, k] = number.get(unit.engaged_target_tag, -1)

    def settle(self) -> None:
        """Count who lives, end the battle if it is over, and pay as SMAC does."""
        battle, world = self.battle, self.world
        heads, pays, rows = world.heads[0], world.pays[0], world.units[0]
        now = rows[at.HEALTH] + rows[at.SHIELD]
        died = (rows[at.BEFORE] > 0) & (rows[at.HEALTH] <= 0)
        lost = np.where(rows[at.BEFORE] > 0, rows[at.BEFORE] - now, 0.0)
        heads[at.STEP] += 1
        fighters = self._fighters()
        won = [False, False]
        if not all(fighters):
            heads[at.OVER] = 1
            if any(fighters):
                heads[at.WINNER] = int(fighters[1] > 0)
                won[heads[at.WINNER]] = True
        elif heads[at.STEP] >= battle.decisions:
            heads[at.OVER] = heads[at.CUT] = 1
        teams = (slice(0, battle.allies), slice(battle.allies, None))
        losses = [
            float(lost[team].sum()) + battle.reward_death_value * int(died[team].sum())
            for team in teams
        ]
        for team, other in ((0, 1), (1, 0)):
            if not battle.shaped:
                paid = float(won[team]) - float(won[other])
            else:
                if battle.reward_only_positive:
                    paid = abs(losses[other])
                else:
                    paid = losses[other] - battle.reward_negative_scale * losses[team]
                paid += battle.reward_win * won[team] + battle.reward_defeat * won[other]
                paid /= pays[at.SCALE_0 + team]
            pays[at.REWARD_0 + team] = paid
            pays[at.RETURN_0 + team] += paid

    def remember(self) -> None:
        """Keep the health before a decision."""
        rows = self.world.units[0]
        rows[at.BEFORE] = np.where(rows[at.HEALTH] > 0, rows[at.HEALTH] + rows[at.SHIELD], 0.0)

    def _fighters(self) -> list[int]:
        rows, stats = self.world.units[0], self.world.stats[0]
        fights = (rows[at.HEALTH] > 0) & (stats[at.HEAL] <= 0)
        allies = self.battle.allies
        counts = [int(fights[:allies].sum()), int(fights[allies:].sum())]
        self.world.heads[0, [at.FIGHTERS_0, at.FIGHTERS_1]] = counts
        return counts

    def _kinds(self, team: int, units: Sequence[Any], custom: Mapping[str, int]) -> list[int]:
        """Return the number of each unit's type in the battle.

        The map's own types have numbers of their own, in the order of the battle's types.
        """
        battle = self.battle
        names = [kind.name for kind in battle.kinds]
        usual = {STANDARD[name]: k for k, name in enumerate(names)}
        usual |= {number: names.index(kind) for kind, number in custom.items() if kind in names}
        own = sorted({unit.unit_type for unit in units} - set(usual))
        army = battle.layout.enemies if team else battle.layout.allies
        present = sorted(names.index(kind) for kind, size in army if size)
        if own and (battle.layout.weights or len(own) != len(present)):
            raise ArenaError(
                f"{battle.where}: the map has units of the types {own}, where"
                f" {', '.join(names[k] for k in present)} were expected; is it SMAC's map?"
            )
        usual |= dict(zip(own, present, strict=False))
        return [usual[unit.unit_type] for unit in units]
