"""The Lagrangian relaxation of a bandit with a horizon: prices, a bound, and values.

Relax what couples the arms: instead of one feasible action in each step, only the *mean* modes
of the arms have to be those of a mix of feasible actions. With a price π[t, j, m] for running
arm j in mode m at step t (π[·, ·, 0] = 0) the arms fall apart:

1. V_t,j(s) = max_m r_j(s, m) − π[t, j, m] + Σ P V_{t+1,j}                                (1)
2. L(π) = Σ_j E V_0,j + Σ_t max_{a feasible} Σ_j π[t, j, m_j(a)]                          (2)

L(π) bounds what any policy earns, for every π. The best prices are the duals of a linear
program over the arms' occupancies y[t, j, s, m] and a weight for each feasible action; it is
solved by generating actions (Dantzig–Wolfe), starting from the linear relaxation of the
constraints. The bound that is returned is (2), worked out anew from the prices alone.

Acting by Q_t,j(s, m) = r_j(s, m) + Σ P V_{t+1,j}, summed over the arms and maximised over the
feasible actions, is a policy that is close to the bound where the arms are many.

Source: Hawkins 2003; Adelman and Mersereau 2008, Operations Research 56(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.bandits.form import RestlessBandit
from solvers.bandits.maximise import Maximiser

__all__ = ["Relaxed", "bound_of", "relax", "values_at"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Prices and what follows from them.

    Attributes:
        prices: π, shape (H, J, M).
        bound: L(π), an upper bound on the expected return of any policy.
        values: Q_t,j(s, m), shape (H, J, S, M), in payoffs of the whole episode.
        rounds: rounds of generating actions that were made.
        tight: how far L(π) may be above the best bound of this kind.
    """

    prices: Reals
    bound: float
    values: Reals
    rounds: int
    tight: float


def values_at(form: RestlessBandit, prices: Reals) -> tuple[Reals, Reals]:
    """Return Q, shape (H, J, S, M), and V_0, shape (J, S), under prices (1)."""
    pay = form.expected.transpose(0, 2, 1)  # (J, S, M)
    q = np.zeros((form.horizon, *pay.shape))
    v = np.zeros((form.arms, form.states))
    for t in range(form.horizon - 1, -1, -1):
        ahead = np.einsum("jmsk,jk->jsm", form.transition, v)
        q[t] = form.discount**t * pay + ahead
        v = (q[t] - prices[t, :, None, :]).max(axis=2)
    return q, v


def bound_of(form: RestlessBandit, prices: Reals, most: Maximiser) -> float:
    """Return L(π), (2)."""
    _, v = values_at(form, prices)
    _, weights = most.best(prices)
    return float((form.initial * v).sum() + weights.sum())


def relax(
    form: RestlessBandit,
    *,
    rounds: int = 60,
    precision: float = 1e-3,
    most: Maximiser | None = None,
) -> Relaxed:
    """Solve the relaxation.

    Args:
        form: the bandit.
        rounds: how often actions are generated; 0: only the linear relaxation.
        precision: stop when the bound is at most this share above the best one.
        most: to use again what it has built.

    Raises:
        ArenaError: HiGHS fails.
    """
    most = Maximiser(form) if most is None else most
    program = _Master(form)
    prices = program.solve(relaxed=True)
    best, bound = prices, bound_of(form, prices, most)
    reached, done = -np.inf, 0
    program.drop_relaxation()
    program.add(most.best(best)[0])
    while done < rounds:
        done += 1
        # Between the duals and the best prices so far: duals alone swing (Wentges 1997).
        duals = program.solve(relaxed=False)
        reached = program.value
        added = 0
        for share in (0.5, 1.0):
            prices = share * duals + (1.0 - share) * best
            actions, weights = most.best(prices)
            _, v = values_at(form, prices)
            candidate = float((form.initial * v).sum() + weights.sum())
            if candidate < bound:
                best, bound = prices, candidate
            added += program.add(actions)
        if bound - reached <= precision * max(1.0, abs(bound)) or not added:
            break
    q, _ = values_at(form, best)
    return Relaxed(best, bound, q, done, max(0.0, bound - reached))


class _Master:
    """The linear program: occupancies of the arms, and weights of actions or the relaxation."""

    def __init__(self, form: RestlessBandit) -> None:
        self._form = form
        self._seen: set[tuple[int, bytes]] = set()
        self.value = np.nan
        h, arms, modes, states = form.horizon, form.arms, form.modes, form.states
        self._flow = h * arms * states
        self._links = h * arms * (modes - 1)
        self._solver = self._build()

    def _build(self) -> Any:
        import highspy
        from scipy.sparse import coo_array

        form = self._form
        h, arms, modes, states = form.horizon, form.arms, form.modes, form.states
        y = np.arange(h * arms * states * modes).reshape(h, arms, states, modes)
        flow = np.arange(self._flow).reshape(h, arms, states)
        link = self._flow + np.arange(self._links).reshape(h, arms, modes - 1)
        convex = self._flow + self._links + np.arange(h)
        entries: list[tuple[Any, Any, Any]] = []

        def put(row: Any, column: Any, value: Any) -> None:
            r, c, d = np.broadcast_arrays(row, column, value)
            entries.append((r.ravel(), c.ravel(), d.ravel()))

        put(flow[..., None], y, 1.0)
        chance = form.transition.transpose(0, 2, 1, 3)  # (J, S, M, S')
        put(flow[1:, :, None, None, :], y[:-1, ..., None], -chance[None])
        put(link[:, :, None, :], y[..., 1:], 1.0)
        # The linear relaxation: x of every step with the constraints' own rows. The columns
        # u[t, j, m] say what share of mode m there is, Σ_m m·u = link · x.
        chosen = form.feasible
        m, n = chosen.matrix.shape
        first = y.size
        x = first + np.arange(h * n).reshape(h, n)
        u = first + h * n + np.arange(h * arms * (modes - 1)).reshape(h, arms, modes - 1)
        extra = self._flow + self._links + h
        own = extra + np.arange(h * m).reshape(h, m)
        count = extra + h * m + np.arange(h * arms).reshape(h, arms)
        put(link, u, -1.0)
        a = coo_array(chosen.matrix)
        put(own[:, a.row], x[:, a.col], a.data)
        put(count[:, :, None], u, np.arange(1, modes))
        j, k = np.nonzero(form.link)
        put(count[:, j], x[:, chosen.actions[k]], -form.link[j, k])
        size = first + h * n + u.size
        total = extra + h * m + h * arms
        rows, columns, data = (np.concatenate(part) for part in zip(*entries, strict=True))
        matrix = coo_array((data.astype(np.float64), (rows, columns)), shape=(total, size)).tocsr()
        self._x, self._u, self._convex = x.ravel(), u.ravel(), convex
        self._extra = np.arange(extra, total)
        lower, upper = np.zeros(size), np.full(size, highspy.kHighsInf)
        lower[x], upper[x] = chosen.lower, chosen.upper
        cost = np.zeros(size)
        pay = form.expected.transpose(0, 2, 1)[None] * (
            form.discount ** np.arange(h)[:, None, None, None]
        )
        cost[: y.size] = pay.ravel()
        lo, hi = np.zeros(total), np.zeros(total)
        lo[flow[0]] = hi[flow[0]] = form.initial
        lo[convex], hi[convex] = -highspy.kHighsInf, highspy.kHighsInf
        lo[own], hi[own] = chosen.lo, chosen.hi
        return _passed(matrix, cost, (lower, upper), (lo, hi))

    def solve(self, *, relaxed: bool) -> Reals:
        """Return the prices, shape (H, J, M)."""
        import highspy

        # Presolve pays in the first solve; afterwards the last basis is worth more.
        self._solver.setOptionValue("presolve", "on" if relaxed else "off")
        self._solver.run()
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise ArenaError(f"HiGHS could not solve the relaxation: {status}")
        form = self._form
        self.value = float(self._solver.getInfo().objective_function_value)
        duals = np.array(self._solver.getSolution().row_dual)
        own = duals[self._flow : self._flow + self._links]
        prices = np.zeros((form.horizon, form.arms, form.modes))
        prices[:, :, 1:] = own.reshape(form.horizon, form.arms, form.modes - 1)
        return prices

    def drop_relaxation(self) -> None:
        """From here on, only weights of actions count."""
        import highspy

        inf = highspy.kHighsInf
        gone = np.concatenate([self._x, self._u]).astype(np.int32)
        zeros = np.zeros(len(gone))
        self._solver.changeColsBounds(len(gone), gone, zeros, zeros)
        for row in self._extra:
            self._solver.changeRowBounds(int(row), -inf, inf)
        for row in self._convex:
            self._solver.changeRowBounds(int(row), 1.0, 1.0)

    def add(self, actions: NDArray[np.int64]) -> int:
        """Add an action for each step, shape (H, N); return how many are new."""
        form, fresh = self._form, 0
        modes = form.modes_of(actions)
        for t, row in enumerate(modes):
            key = (t, row.tobytes())
            if key in self._seen:
                continue
            self._seen.add(key)
            fresh += 1
            arms = np.flatnonzero(row)
            at = self._flow + (t * form.arms + arms) * (form.modes - 1) + row[arms] - 1
            index = np.append(at, self._convex[t]).astype(np.int32)
            value = np.append(np.full(len(at), -1.0), 1.0)
            self._solver.addCol(0.0, 0.0, 1e30, len(index), index, value)
        return fresh


def _passed(
    matrix: Any, cost: Reals, columns: tuple[Reals, Reals], rows: tuple[Reals, Reals]
) -> Any:
    """Return HiGHS with the program that maximises `cost`."""
    import highspy

    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = matrix.shape
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_, (program.col_lower_, program.col_upper_) = cost, columns
    program.row_lower_, program.row_upper_ = rows
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    return solver
