"""Values of the fluid relaxation: long-run occupancies of the arms, coupled in the mean.

maximise Σ y[j, s, m] r_j(s, m) over y ≥ 0 and x in the linear relaxation of the constraints:

1. Σ_m y[j, s', m] = γ Σ_{s,m} P_j[m, s, s'] y[j, s, m] + (1 − γ) initial[j, s']  (γ = 1: and
   Σ_{s,m} y[j, s, m] = 1),
2. Σ_{s,m} m·y[j, s, m] = Σ_k link[j, k] x_k.

With v the duals of 1, Q_j(s, m) = r_j(s, m) + γ Σ P v ranks arms as LP-priority policies do
(Verloop 2016, Annals of Applied Probability 26; Gast, Gaujal and Yan 2023).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.bandits.form import RestlessBandit

__all__ = ["fluid_values"]

Reals = NDArray[np.float64]


def fluid_values(form: RestlessBandit) -> Reals:
    """Return Q_j(s, m), shape (J, S, M).

    Raises:
        ArenaError: HiGHS fails.
    """
    from scipy.optimize import linprog
    from scipy.sparse import block_diag, csr_array, hstack, vstack

    gamma, arms, states, modes = form.discount, form.arms, form.states, form.modes
    pay = form.expected.transpose(0, 2, 1)  # (J, S, M)
    chance = form.transition.transpose(0, 2, 1, 3)  # (J, S, M, S')
    stay = np.eye(states)[None, :, None, :]
    balance = block_diag(
        [(stay[0] - gamma * chance[j]).reshape(states * modes, states).T for j in range(arms)]
    )
    each = block_diag([np.ones((1, states * modes))] * arms)
    count = block_diag([np.tile(np.arange(modes), states)[None, :]] * arms)
    feasible = form.feasible
    n = feasible.matrix.shape[1]
    at = (np.arange(feasible.size), feasible.actions)
    place = csr_array((np.ones(feasible.size), at), shape=(feasible.size, n))
    linked = csr_array(form.link.astype(np.float64)) @ place
    blocks: list[Any] = [
        hstack([balance, csr_array((arms * states, n))]),
        hstack([count, -linked]),
    ]
    right = [(1.0 - gamma) * form.initial.ravel(), np.zeros(arms)]
    if gamma == 1.0:
        blocks.append(hstack([each, csr_array((arms, n))]))
        right.append(np.ones(arms))
    own = hstack([csr_array((len(feasible.lo), arms * states * modes)), feasible.matrix]).tocsr()
    high, low = np.isfinite(feasible.hi), np.isfinite(feasible.lo)
    found = linprog(
        -np.concatenate([pay.ravel(), np.zeros(n)]),
        A_eq=vstack(blocks),
        b_eq=np.concatenate(right),
        A_ub=vstack([own[high], -own[low]]),
        b_ub=np.concatenate([feasible.hi[high], -feasible.lo[low]]),
        bounds=[(0, None)] * (arms * states * modes)
        + list(zip(feasible.lower, feasible.upper, strict=True)),
        method="highs",
    )
    if found.status != 0:
        raise ArenaError(f"HiGHS could not solve the fluid relaxation: {found.message}")
    v = -np.asarray(found.eqlin.marginals)[: arms * states].reshape(arms, states)
    values: Reals = pay + gamma * np.einsum("jsmk,jk->jsm", chance, v)
    return values
