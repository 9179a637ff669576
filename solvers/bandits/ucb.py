"""Learning recovering arms while playing: optimism on every arm and idle time.

After n plays of arm j at idle time d with mean payment x̄, the recovery is taken to be

    U_j(d) = min(1, x̄ + c √(ln(2 N D T) / (2 n)))    (1 where n = 0),                 (1)

made non-decreasing from above: U_j(d) ← min_{d' ≥ d} U_j(d'). The purely periodic policy that is
best for U is played for `phase` rounds, then it is made anew.

With c = 1 (the default) Hoeffding's inequality and a union over arms, idle times and counts keep
the true recovery below U, as the proof of the regret bound needs. A smaller c learns sooner and
has no such proof; `docs/bandits.md` shows both.

Source: Simchi-Levi, Zheng and Zhu 2021, ICML, section 5; payments in [0, 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.bandits.recovering import Periodic, periodic

__all__ = ["Optimist"]


class Optimist:
    """One episode of learning.

    Args:
        arms: N.
        memory: D, the idle time from which an arm is fully recovered.
        budget: arms played in a round.
        rounds: T.
        phase: rounds between two plans; by default the memory.
        radius: c in (1).
    """

    def __init__(
        self,
        arms: int,
        memory: int,
        budget: int,
        rounds: int,
        *,
        phase: int | None = None,
        radius: float = 1.0,
    ) -> None:
        self._budget, self._phase = budget, phase or memory
        self._width = radius**2 * float(np.log(2.0 * arms * memory * rounds) / 2.0)
        self.plays: NDArray[np.float64] = np.zeros((arms, memory))
        self.paid: NDArray[np.float64] = np.zeros((arms, memory))
        self._idle = np.full(arms, memory)
        self._last: NDArray[np.bool_] = np.zeros(arms, dtype=np.bool_)
        self._plan: Periodic | None = None
        self._since = 0

    def optimistic(self) -> NDArray[np.float64]:
        """Return U, shape (N, D), (1)."""
        n = np.maximum(self.plays, 1.0)
        upper = np.where(
            self.plays > 0, np.minimum(1.0, self.paid / n + np.sqrt(self._width / n)), 1.0
        )
        found: NDArray[np.float64] = np.minimum.accumulate(upper[:, ::-1], axis=1)[:, ::-1]
        return found

    def choose(self, seen: Any) -> NDArray[np.bool_]:
        """Take in what the last round paid (`seen.paid`) and return the arms to play."""
        memory = self.plays.shape[1]
        for j in np.flatnonzero(self._last):
            self.plays[j, self._idle[j] - 1] += 1.0
            self.paid[j, self._idle[j] - 1] += float(seen.paid[j])
        self._idle = np.where(self._last, 1, np.minimum(self._idle + 1, memory))
        if seen.step == 0:
            self._idle[:] = memory
        if self._plan is None or self._since == self._phase:
            self._plan, self._since = periodic(self.optimistic(), self._budget), 0
        # Who has waited longest among equals starts first: the plan's clock runs on.
        self._last = self._plan.plays(seen.step)
        self._since += 1
        return self._last
