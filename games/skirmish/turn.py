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

__all__ = ["HalfTurn", "half_turn"]


@dataclass(frozen=True, eq=False)
class HalfTurn:
    """What the turn does to observations and actions of team 1; doing it twice does nothing.

    Attributes:
        order: entry i of the turned observation comes from entry `order[i]`, shape (D,).
        sign: what it is multiplied by, shape (D,).
        offset: what is added then, shape (D,).
        action: the number of each action after the turn, shape (A,).
        units: the unit of team 1 that is agent i, counted within its team, shape (n,).
    """

    order: NDArray[np.int64]
    sign: NDArray[np.float32]
    offset: NDArray[np.float32]
    action: NDArray[np.int64]
    units: NDArray[np.int64]

    def look(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return observations turned, shape (…, D)."""
        turned: NDArray[np.float32] = obs[..., self.order] * self.sign + self.offset
        return turned

    def mask(self, avail: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return masks of actions turned, shape (…, A)."""
        return avail[..., self.action]


def half_turn(battle: Battle) -> HalfTurn:
    """Return how team 1 sees the field from the side of team 0."""
    size, actions = battle.obs_sizes[1], battle.actions[1]
    sign, offset = np.ones(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
    order, turned = np.arange(size), np.arange(actions)
    units = np.arange(battle.enemies)
    if battle.smax:
        for at in range(0, 13 * (battle.units - 1), 13):
            sign[at + 1 : at + 5] = -1.0  # Δx, Δy, last move
        own = 13 * (battle.units - 1)
        sign[own + 1 : own + 3], offset[own + 1 : own + 3] = -1.0, 1.0
        turned[:4] = [2, 3, 0, 1]  # up, right, down, left
        return HalfTurn(order, sign, offset, turned, units[::-1].copy())
    order[:4] = [1, 0, 3, 2]  # north, south, east, west
    turned[2:6] = [3, 2, 5, 4]
    bits, looks = battle.layout.bits, battle.looks
    numbers = battle.rules.numbers
    theirs, mine = int(numbers[layout.R_SHIELDS_0]), int(numbers[layout.R_SHIELDS_1])
    widths = [5 + theirs + bits] * battle.allies + [5 + mine + bits] * (battle.enemies - 1)
    at = 4
    for width in widths:
        sign[at + 2 : at + 4] = -1.0  # Δx, Δy
        at += width
    at += 1 + mine
    if numbers[layout.R_OWN_POSITION]:
        sign[at : at + 2], offset[at : at + 2] = -1.0, 1.0
        at += 2
    if looks:
        sign[at : at + 2] = -1.0
        turned[6 : 6 + looks] = 6 + (np.arange(looks) + looks // 2) % looks
    return HalfTurn(order, sign, offset, turned, units)
