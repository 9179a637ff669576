"""The heaviest feasible action for given values of the arms' modes.

maximise Σ_j v[j, m_j(a)] over the feasible actions a: by looking through the list where there
are few, else as a mixed-integer program that is built once. Arms with more than two modes get
binaries u[j, m], one of which is 1, with Σ_m m·u[j, m] = Σ_k link[j, k]·a_k.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.bandits.constraints import FeasibleSet
from games.bandits.form import RestlessBandit
from games.bandits.program import Program

__all__ = ["Maximiser"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_LISTED = 70_000


class Maximiser:
    """Chooses actions of one bandit.

    Args:
        form: the bandit.
        limit: feasible actions up to which they are listed; 0: always the program.
    """

    def __init__(self, form: RestlessBandit, *, limit: int = _LISTED) -> None:
        self.form = form
        self._listed = form.feasible.listed(limit) if limit else None
        self._simple = form.plain and form.modes == 2
        self._program: Program | None = None
        if self._listed is None:
            self._program = Program(form.feasible if self._simple else with_modes(form))
        elif self._simple:
            self._floats = self._listed.astype(np.float64)
        else:
            # One-hot modes, so that many values are weighed by one product.
            hot = form.modes_of(self._listed)[:, :, None] == np.arange(form.modes)
            self._floats = hot.reshape(len(hot), -1).astype(np.float64)

    def best(self, values: Reals) -> tuple[Ints, Reals]:
        """Return heaviest actions and their weights; the first of several in lexical order.

        Args:
            values: shape (K, J, M): K decisions.

        Returns:
            Actions, shape (K, N), and weights, shape (K,).
        """
        base = values[:, :, 0].sum(axis=1) if self._simple else np.zeros(len(values))
        gain = (
            values[:, :, 1] - values[:, :, 0] if self._simple else values.reshape(len(values), -1)
        )
        if self._listed is not None:
            weights = np.empty(len(values))
            rows = np.empty(len(values), dtype=np.int64)
            block = max(1, 20_000_000 // max(len(self._floats), 1))
            for first in range(0, len(values), block):
                scores = gain[first : first + block] @ self._floats.T
                rows[first : first + block] = scores.argmax(axis=1)
                weights[first : first + block] = scores.max(axis=1)
            return self._listed[rows].astype(np.int64), weights + base
        return self._by_program(gain, base)

    def _by_program(self, gain: Reals, base: Reals) -> tuple[Ints, Reals]:
        program: Any = self._program
        n = self.form.feasible.size
        actions, weights = np.empty((len(gain), n), dtype=np.int64), np.empty(len(gain))
        seen: dict[bytes, int] = {}
        for k, row in enumerate(gain):
            known = seen.setdefault(row.tobytes(), k)
            if known < k:
                actions[k], weights[k] = actions[known], weights[known]
                continue
            if self._simple:
                found = program.best(row)
            else:
                padding = np.zeros(len(self.form.feasible.lower))
                found = program.best(np.concatenate([padding, row]))
            actions[k], weights[k] = found.action, found.value + base[k]
        return actions, weights


def with_modes(form: RestlessBandit) -> FeasibleSet:
    """Return the feasible set with columns u[j, m] appended, row-major over (J, M)."""
    from scipy.sparse import csr_array, hstack, kron, vstack

    old, arms, modes = form.feasible, form.arms, form.modes
    n, m = old.matrix.shape[1], old.matrix.shape[0]
    place = csr_array((np.ones(old.size), (np.arange(old.size), old.actions)), shape=(old.size, n))
    linked = csr_array(form.link.astype(np.float64)) @ place
    eye = csr_array(np.eye(arms))
    one = kron(eye, np.ones((1, modes)))
    count = kron(eye, np.arange(modes, dtype=np.float64)[None, :])
    matrix = vstack(
        [
            hstack([old.matrix, csr_array((m, arms * modes))]),
            hstack([csr_array((arms, n)), one]),
            hstack([-linked, count]),
        ],
        format="csr",
    )
    ones, zeros = np.ones(arms), np.zeros(arms)
    columns = arms * modes
    return FeasibleSet(
        csr_array(matrix),
        np.concatenate([old.lo, ones, zeros]),
        np.concatenate([old.hi, ones, zeros]),
        np.concatenate([old.lower, np.zeros(columns)]),
        np.concatenate([old.upper, np.ones(columns)]),
        np.concatenate([old.integer, np.ones(columns, dtype=np.bool_)]),
        old.actions,
        (
            *old.row_names,
            *(f"one mode of arm {j}" for j in range(arms)),
            *(f"mode of arm {j} as acted on" for j in range(arms)),
        ),
        (*old.column_names, *(f"arm {j} in mode {k}" for j in range(arms) for k in range(modes))),
        old.title,
    )
