"""The field turned by 180 degrees: what team 1 sees and does, as if it were team 0.

Teams start opposite one another, so that whoever has learned one side plays the other one
with everything turned: directions and positions are mirrored in the centre, north is south,
and units take the numbers of their counterparts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games.skirmish import layout
from games.skirmish.battle import Battle
from games.skirmish.options import PATHING_POINTS

__all__ = ["HalfTurn", "half_turn"]


@dataclass(frozen=True, eq=False)
class HalfTurn:
    """What the turn does to observations and actions of team 1; doing it twice does nothing.

    Attributes:
        order: entry i of the turned observation comes from entry `order[i]`, shape (D,).
        sign: what it is multiplied by, shape (D,).
        offset: what is added then, unless it is zero (dead, unseen, idle), shape (D,).
        action: the number of each action after the turn, shape (A,).
    """

    order: NDArray[np.int64]
    sign: NDArray[np.float32]
    offset: NDArray[np.float32]
    action: NDArray[np.int64]

    def look(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return observations turned, shape (…, D)."""
        there = obs[..., self.order]
        turned: NDArray[np.float32] = there * self.sign + self.offset * (there != 0.0)
        return turned

    def mask(self, avail: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return masks of actions turned, shape (…, A)."""
        return avail[..., self.action]


def half_turn(battle: Battle) -> HalfTurn:
    """Return how team 1 sees the field from the side of team 0."""
    size, actions = battle.obs_sizes[1], battle.actions[1]
    sign, offset = np.ones(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
    order, turned = np.arange(size), np.arange(actions)
    if battle.smax:
        return _smax(battle, order, sign, offset, turned)
    order[:4] = [1, 0, 3, 2]  # north, south, east, west
    turned[2:6] = [3, 2, 5, 4]
    bits, looks = battle.layout.bits, battle.looks
    numbers = battle.rules.numbers
    turned[6 : 6 + looks] = 6 + (np.arange(looks) + looks // 2) % max(looks, 1)
    theirs, mine = int(numbers[layout.R_SHIELDS_0]), int(numbers[layout.R_SHIELDS_1])
    at = 4
    for points in (PATHING_POINTS * battle.obs_pathing_grid, 8 * battle.obs_terrain_height):
        order[at : at + points] = at + (np.arange(points) ^ 1)  # they come in opposite pairs
        at += points
    at += battle.obs_terrain_height  # below itself
    played = actions if battle.obs_last_action else 0
    for count, shields, more in ((battle.allies, theirs, 0), (battle.enemies - 1, mine, played)):
        for _ in range(count):
            sign[at + 2 : at + 4] = -1.0  # Δx, Δy
            at += 4 + (1 + shields if battle.obs_all_health else 0) + bits
            order[at : at + more] = at + turned[:more]
            at += more
    at += 1 + mine if battle.shows_own_health else 0
    if numbers[layout.R_OWN_POSITION]:
        sign[at : at + 2], offset[at : at + 2] = -1.0, 1.0
        at += 2
    if looks:
        sign[at : at + 2] = -1.0
    return HalfTurn(order, sign, offset, turned)


def _smax(
    battle: Battle,
    order: NDArray[np.int64],
    sign: NDArray[np.float32],
    offset: NDArray[np.float32],
    turned: NDArray[np.int64],
) -> HalfTurn:
    """In SMAX team 1 counts units backwards, besides: what it sees, and whom it attacks."""
    mates, others = battle.enemies - 1, battle.allies
    blocks = order[: 13 * (mates + others)].reshape(-1, 13)
    blocks[:] = np.concatenate([blocks[:mates][::-1], blocks[mates:][::-1]])
    for block in range(mates + others):
        at, targets = 13 * block, battle.allies if block < mates else battle.enemies
        sign[at + 1 : at + 6] = -1.0  # Δx, Δy, last move, last attack
        # An attack a is shown as a / (4 + targets), and counted backwards it is 9 + targets − a.
        offset[at + 5] = (9 + targets) / (4 + targets)
    own = 13 * (mates + others)
    sign[own + 1 : own + 3], offset[own + 1 : own + 3] = -1.0, 1.0
    turned[:4] = [2, 3, 0, 1]  # up, right, down, left
    turned[5:] = turned[5:][::-1].copy()
    return HalfTurn(order, sign, offset, turned)
