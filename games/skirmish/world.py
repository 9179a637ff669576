"""The arrays of N episodes: making, copying and taking them apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.skirmish import layout as at
from games.skirmish._kernels import start_all, state_all
from games.skirmish.battle import Battle

__all__ = ["begin", "copied", "empty", "single", "state_vectors"]


def empty(battle: Battle, episodes: int) -> at.World:
    """Return the arrays of so many episodes, none of them begun."""
    units, drawn = battle.units, bool(battle.layout.weights)
    if drawn:
        stats = np.zeros((episodes, at.STAT_ROWS, units), dtype=np.float32)
    else:
        stats = np.ascontiguousarray(battle.rules.table[battle.rules.types].T)[None]
    hidden = units if battle.reveal < 1.0 else 0
    return at.World(
        units=np.zeros((episodes, at.UNIT_ROWS, units), dtype=np.float32),
        marks=np.zeros((episodes, at.MARK_ROWS, units), dtype=np.int32),
        heads=np.zeros((episodes, at.HEAD_SIZE), dtype=np.int32),
        pays=np.zeros((episodes, at.PAY_SIZE)),
        streams=np.zeros(episodes, dtype=np.uint64),
        stats=stats,
        seen=np.zeros((episodes, hidden, hidden), dtype=np.uint8),
        scratch=np.zeros((episodes, units, at.SCRATCH), dtype=np.float32),
    )


def begin(battle: Battle, streams: NDArray[np.uint64]) -> at.World:
    """Return episodes that begin with the chance of these streams, shape (N,)."""
    world = empty(battle, len(streams))
    start_all(world, battle.rules, battle.ground, np.arange(len(streams)), streams)
    return world


def copied(world: at.World) -> at.World:
    """Return an independent copy."""
    return at.World(*(array.copy() for array in world))


def single(world: at.World, episode: int) -> at.World:
    """Return a copy of one episode as a world of its own."""
    return at.World(
        *(
            (array[episode : episode + 1] if len(array) == len(world.heads) else array).copy()
            for array in world
        )
    )


def state_vectors(battle: Battle, world: at.World) -> NDArray[np.float32]:
    """Return the state vector of every episode, shape (N, S)."""
    out = np.zeros((len(world.heads), battle.state_size), dtype=np.float32)
    seats = battle.allies if battle.obs_instead_of_state else 0
    obs = np.zeros((len(out), seats, battle.obs_sizes[0]), dtype=np.float32)
    avail = np.zeros((len(out), seats, battle.actions[0]), dtype=np.bool_)
    state_all(world, battle.rules, battle.ground, obs, out, avail)
    return out
