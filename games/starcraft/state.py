"""The form `state` of a battle: one episode in the real engine.

What units see, may do and are called, drawings and the state vector are those of skirmish,
computed from what the engine shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, FormError, NotApplicableError
from arena.rng import stream_states
from games.skirmish import layout as at
from games.skirmish._smac_observe_kernels import reveal
from games.skirmish.state import SkirmishState
from games.skirmish.world import begin, copied
from games.starcraft.battle import EngineBattle, Field
from games.starcraft.engine import Pool
from games.starcraft.lease import Lease
from games.starcraft.process import EngineLostError
from games.starcraft.roster import STANDARD, Roster, custom_types

from s2clientprotocol import common_pb2, raw_pb2, sc2api_pb2  # isort: skip - after the shim

__all__ = ["StarCraftState", "start"]

_MOVE, _ATTACK, _STOP, _HEAL = 16, 23, 4, 386
_WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # north, south, east, west
_PATIENCE = 1000  # game loops in which all units must have appeared
_DRIFT = 1e-3


def start(battle: EngineBattle, pool: Pool, seed: int | None) -> StarCraftState:
    """Start an episode.

    Raises:
        FormError: without a seed: chance inside the engine cannot be listed.
        ArenaError: the engine cannot be started.
    """
    if seed is None:
        raise FormError(battle.where, "root", ["state"], reason="has its chance in the engine")
    return StarCraftState(battle, pool, seed)


class StarCraftState(SkirmishState):
    """See `arena.game.State`.

    An engine that is lost during the episode is replaced: a new one plays the same game with
    the same seed up to where it was and goes on. When it does not come to the same place, or
    cannot (`reset='units'`), the episode is cut off there, with what it has paid.

    """

    __slots__ = (
        "__weakref__",
        "_field",
        "_joints",
        "_lease",
        "_nominal",
        "_pool",
        "_roster",
        "_seed",
    )

    def __init__(self, battle: EngineBattle, pool: Pool, seed: int) -> None:
        self._nominal, self._pool, self._seed = battle, pool, int(seed)
        self._joints: list[NDArray[np.int64]] = []
        # An episode that is dropped half-way gives its engine back as well.
        self._lease = Lease(self, pool, f"{battle.where}: seed {seed}")
        self._lease.insist(self._open)
        super().__init__(self._field.battle, self._roster.world)

    @property
    def restarts(self) -> int:
        """Engines lost in this episode."""
        return self._lease.restarts

    def clone(self) -> StarCraftState:
        """Return a copy: another engine plays the same game up to here, which takes a while.

        Raises:
            NotApplicableError: with `reset='units'` an episode cannot be played again.
        """
        if self._nominal.reset == "units":
            raise NotApplicableError(
                f"{self._nominal.where}: with reset='units' an episode cannot be copied"
            )
        other = StarCraftState(self._nominal, self._pool, self._seed)
        for joint in self._joints:
            other._play(joint)
        return other

    def save_replay(self, path: str | Path) -> Path:
        """Write the engine's replay of the running episode, a `.SC2Replay` file; return its path.

        Raises:
            ArenaError: the episode is over, and its engine plays others.
        """
        return self._lease.save_replay(path)

    def state_vector(self) -> NDArray[np.float32]:
        """Return SMAC's state vector, shape (S,)."""
        vector = super().state_vector()
        if self.battle.obs_instead_of_state:
            return vector
        battle, rules = self.battle, self.battle.rules.numbers
        first = 0
        for unit in range(battle.units):
            ally = unit < battle.allies
            x = first + 1 + ally
            vector[x] *= self._field.stretch[0]
            vector[x + 1] *= self._field.stretch[1]
            shields = rules[at.R_SHIELDS_0 if ally else at.R_SHIELDS_1]
            first += 3 + ally + int(shields) + int(rules[at.R_TYPES])
        return vector

    # -- playing ------------------------------------------------------------------------

    def _play(self, joint: NDArray[np.int64]) -> None:
        acted = tuple(int(joint[0, seat]) for seat in self.actors())
        try:
            self._send(joint)
        except EngineLostError as error:
            self._recover(joint, error)
        self._joints.append(joint)
        self._history += acted
        if self.over:
            self._lease.end(self._nominal.replays, f"{self._nominal.map}-{self._seed}")

    def _send(self, joint: NDArray[np.int64]) -> None:
        """Play one decision in the engine and take over what came of it."""
        roster, battle = self._roster, self._field.battle
        orders: list[list[Any]] = [[], []]
        rows = roster.world.units[0]
        for seat in range(battle.seats):
            if rows[at.HEALTH, seat] > 0:
                order = self._order(seat, int(joint[0, seat]))
                if order is not None:
                    orders[int(seat >= battle.allies)].append(order)
        for player in range(1 + battle.both):
            self._lease.engine.act(player, orders[player])
        self._lease.engine.advance(battle.step_mul)
        units = self._lease.engine.observe().observation.raw_data.units
        roster.remember()
        for seat in range(battle.seats):
            alive = rows[at.HEALTH, seat] > 0
            self._note(seat, int(joint[0, seat]) if alive else 0)
        roster.read(units)
        roster.settle()
        self._reveal()

    def _order(self, seat: int, action: int) -> Any:
        battle, roster = self._field.battle, self._roster
        command = raw_pb2.ActionRawUnitCommand(
            ability_id=_STOP, unit_tags=[roster.tags[seat]], queue_command=False
        )
        if 2 <= action < 6:
            dx, dy = (battle.move_amount * way for way in _WAYS[action - 2])
            x, y = roster.world.units[0, [at.X, at.Y], seat].tolist()
            command.ability_id = _MOVE
            command.target_world_space_pos.CopyFrom(common_pb2.Point2D(x=x + dx, y=y + dy))
        elif 6 <= action < 6 + battle.looks:
            return None  # turning the eyes is no order
        elif action >= 6:
            heals = roster.world.stats[0, at.HEAL, seat] > 0
            command.ability_id = _HEAL if heals else _ATTACK
            command.target_unit_tag = roster.tags[self._target(seat, action)]
        return sc2api_pb2.Action(action_raw=raw_pb2.ActionRaw(unit_command=command))

    def _target(self, seat: int, action: int) -> int:
        battle = self._field.battle
        heals = self._roster.world.stats[0, at.HEAL, seat] > 0
        first = 0 if (seat < battle.allies) == heals else battle.allies
        return first + action - 6 - battle.looks

    def _note(self, seat: int, action: int) -> None:
        """Keep an action where observations and drawings look for it."""
        world, looks = self._roster.world, self._field.battle.looks
        marks = world.marks[0]
        marks[at.ACTION, seat] = action
        marks[at.MOVED, seat] = int(2 <= action < 6)
        marks[at.TARGET, seat] = self._target(seat, action) if action >= 6 + looks else -1
        if 6 <= action < 6 + looks:
            angle = 2.0 * np.pi * (action - 6) / looks
            world.units[0, [at.LOOK_X, at.LOOK_Y], seat] = np.cos(angle), np.sin(angle)

    def _reveal(self) -> None:
        world, rules = self._roster.world, self._field.battle.rules
        if world.seen.shape[1]:
            reveal(
                world.units, world.stats, 0, 0, world.seen, world.streams, rules.numbers,
                rules.reals,
            )  # fmt: skip

    # -- beginning, and beginning again -------------------------------------------------

    def _open(self) -> None:
        """Begin the episode in the engine."""
        battle, engine = self._nominal, self._lease.engine
        if battle.reset == "units" and engine.running and engine.infos:
            engine.kill([unit.tag for unit in self._units()])
            engine.advance(2)
        else:
            engine.begin(self._seed)
        self._field = Field.of(battle, engine.infos[0])
        streams = stream_states(np.array([self._seed & (1 << 64) - 1], dtype=np.uint64))
        custom: dict[str, int] = {}
        if battle.layout.weights:
            custom = custom_types(engine.unit_types())
            self._place(custom, streams.copy())
        for _ in range(_PATIENCE):
            units = self._units()
            if Roster.complete(battle, units):
                break
            engine.advance(1)
        else:
            raise ArenaError(
                f"{battle.where}: the map has not placed {battle.allies} and {battle.enemies}"
                f" units within {_PATIENCE} game loops; is {battle.map_path} SMAC's map?"
            )
        self._roster = Roster(self._field.battle, units, custom)
        self._roster.world.streams[:] = streams
        self._reveal()
        self.world = self._roster.world
        self.battle = self._field.battle

    def _place(self, custom: dict[str, int], streams: NDArray[np.uint64]) -> None:
        """Remove what stands on the map and place armies drawn as skirmish draws them."""
        battle, engine = self._nominal, self._lease.engine
        for _ in range(_PATIENCE):
            standing = [unit.tag for unit in self._units()]
            if not standing:
                break
            engine.kill(standing)
            engine.advance(2)
        drawn = begin(battle, streams)
        units = []
        for k in range(battle.units):
            kind = battle.kinds[int(drawn.marks[0, at.TYPE, k])].name
            number, owner = (custom[kind], 1) if k < battle.allies else (STANDARD[kind], 2)
            x, y = drawn.units[0, [at.X, at.Y], k].tolist()
            units.append((number, owner, x, y))
        engine.create(units)
        engine.advance(1)

    def _units(self) -> list[Any]:
        units = self._lease.engine.observe().observation.raw_data.units
        return [unit for unit in units if unit.owner in (1, 2)]

    def _recover(self, joint: NDArray[np.int64], error: EngineLostError) -> None:
        """Replace a lost engine and play `joint`; cut the episode off where that is impossible."""
        there = copied(self.world)
        while True:
            self._lease.count(error)
            if self._nominal.reset == "units":
                break
            try:
                self._open()
                for past in self._joints:
                    self._send(past)
                if not _same(there, self.world):
                    break
                self._send(joint)
                return
            except EngineLostError as again:
                error = again
        self._roster.world = self.world = there
        there.heads[0, at.OVER] = there.heads[0, at.CUT] = 1
        there.pays[0, at.REWARD_0] = there.pays[0, at.REWARD_1] = 0.0


def _same(one: at.World, other: at.World) -> bool:
    """Whether two episodes are at the same place."""
    rows = [at.X, at.Y, at.HEALTH, at.SHIELD]
    return np.allclose(one.units[0, rows], other.units[0, rows], atol=_DRIFT)
