"""Which joint actions are allowed: linear constraints over binary actions and helpers.

A `FeasibleSet` is `{a ∈ {0,1}^N : lo ≤ M x ≤ hi, lower ≤ x ≤ upper for some x with
x[actions] = a}`, where x may hold further (integer or real) columns. It is the one interface
between the bandits, the planners and any mixed-integer layer above them:

- the arrays themselves, for whoever builds a program of its own;
- `allows` and `check` for one action, `conflict` for a set without any;
- `listed` for all actions of a small set, `sample` for a random one.

Sets with a known shape (`games.bandits.coupled`) bring `Shortcuts`: exact combinatorial
answers to the same questions. Without them HiGHS is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, ParameterError
from arena.types import Mask

__all__ = ["FeasibleSet", "Shortcuts", "budget_set", "linear_set"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOLERANCE = 1e-7
"""By how much a row may be missed, as in HiGHS."""

_LIMIT = 100_000
"""Actions up to which a set is listed unless told otherwise."""

_SEARCHED = 20_000
"""Partial actions that are tried by HiGHS before listing gives up."""


@dataclass(frozen=True)
class Shortcuts:
    """Exact answers that the shape of a set makes quick; each may be missing.

    Attributes:
        allows: whether an action, shape (N,), is feasible.
        listed: all feasible actions, shape (F, N), or None beyond `limit` of them.
        sample: a random feasible action.
        shrinks: every action below a feasible one is feasible too.
    """

    allows: Callable[[Mask], bool] | None = None
    listed: Callable[[int], Mask | None] | None = None
    sample: Callable[[np.random.Generator], Mask] | None = None
    shrinks: bool = False


@dataclass(frozen=True, eq=False)
class FeasibleSet:
    """Linear constraints over binary actions plus auxiliary variables.

    Attributes:
        matrix: SciPy sparse array in CSR form, shape (m, n).
        lo, hi: the rows' bounds (infinite: none), shape (m,).
        lower, upper: the columns' bounds, shape (n,); 0 and 1 for actions.
        integer: which columns are integer, shape (n,).
        actions: the actions' columns, shape (N,).
        row_names: what the rows are called, in messages about conflicts.
        column_names: what the columns are called.
        title: one line about the set.
        shortcuts: see `Shortcuts`.

    Raises:
        ParameterError: shapes that do not fit, a bound that is not a number, an action's
            column that is not binary.
    """

    matrix: Any
    lo: Reals
    hi: Reals
    lower: Reals
    upper: Reals
    integer: Mask
    actions: Ints
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    title: str = ""
    shortcuts: Shortcuts = field(default_factory=Shortcuts, repr=False)

    def __post_init__(self) -> None:
        m, n = self.matrix.shape
        for name, size in (("lo", m), ("hi", m), ("lower", n), ("upper", n), ("integer", n)):
            array = getattr(self, name)
            if array.shape != (size,):
                raise ParameterError(f"{name}.shape", array.shape, f"({size},)")
            if array.dtype.kind == "f" and np.isnan(array).any():
                raise ParameterError(name, "nan", "numbers or ±inf")
        if not np.isfinite(self.matrix.data).all():
            raise ParameterError("matrix", "nan or inf", "finite coefficients")
        if not self.row_names:
            object.__setattr__(self, "row_names", tuple(f"row {i}" for i in range(m)))
        if not self.column_names:
            object.__setattr__(self, "column_names", tuple(f"x{k}" for k in range(n)))
        for name, size in (("row_names", m), ("column_names", n)):
            if len(getattr(self, name)) != size:
                raise ParameterError(f"len({name})", len(getattr(self, name)), str(size))
        columns = self.actions
        if len(set(columns.tolist())) < len(columns) or ((columns < 0) | (columns >= n)).any():
            raise ParameterError("actions", columns.tolist(), f"different columns below {n}")
        plain = self.integer[columns] & (self.lower[columns] >= 0) & (self.upper[columns] <= 1)
        if not plain.all():
            bad = self.column_names[int(columns[np.argmin(plain)])]
            raise ParameterError("actions", bad, "integer columns between 0 and 1")

    @property
    def size(self) -> int:
        """Number of binary actions N."""
        return len(self.actions)

    @property
    def plain(self) -> bool:
        """Whether there are no columns but the actions."""
        return len(self.lower) == self.size

    # -- one action --------------------------------------------------------------------

    def vector(self, action: Any) -> Mask:
        """Return `action` as booleans, shape (N,).

        Raises:
            IllegalActionError: it is no vector of N zeros and ones.
        """
        given = np.asarray(action)
        if given.shape != (self.size,) or given.dtype.kind not in "biuf":
            raise IllegalActionError(
                f"an action is a vector of {self.size} zeros and ones, not {action!r}"
            )
        if not ((given == 0) | (given == 1)).all():
            raise IllegalActionError(f"an action is made of zeros and ones, not {given.tolist()}")
        found: Mask = given.astype(np.bool_)
        return found

    def allows(self, action: Any) -> bool:
        """Return whether `action`, shape (N,), is feasible."""
        chosen = self.vector(action)
        if self.plain:
            return self._rows_hold(chosen)
        if self.shortcuts.allows is not None:
            return self.shortcuts.allows(chosen)
        return self._completes(chosen, self.size)

    def check(self, action: Any) -> Mask:
        """Return `action` as booleans.

        Raises:
            IllegalActionError: it is not feasible; the message names the rows in its way.
        """
        chosen = self.vector(action)
        if not self.allows(chosen):
            on = np.flatnonzero(chosen).tolist()
            rows = ", ".join(self._broken(chosen))
            raise IllegalActionError(f"actions {on} together break {rows}")
        return chosen

    def _rows_hold(self, chosen: Mask) -> bool:
        sums = self.matrix[:, self.actions] @ chosen.astype(np.float64)
        fits = (sums >= self.lo - _TOLERANCE) & (sums <= self.hi + _TOLERANCE)
        own = (chosen >= self.lower[self.actions]) & (chosen <= self.upper[self.actions])
        return bool(fits.all() and own.all())

    def _broken(self, chosen: Mask) -> list[str]:
        if self.plain:
            sums = self.matrix[:, self.actions] @ chosen.astype(np.float64)
            bad = (sums < self.lo - _TOLERANCE) | (sums > self.hi + _TOLERANCE)
            return [self.row_names[i] for i in np.flatnonzero(bad)] or ["the bounds of an action"]
        return list(self.fixed(chosen).conflict())

    def fixed(self, chosen: Mask, count: int | None = None) -> FeasibleSet:
        """Return the set with the first `count` actions (default all) as in `chosen`."""
        lower, upper = self.lower.copy(), self.upper.copy()
        columns = self.actions[:count]
        lower[columns] = np.maximum(lower[columns], chosen[:count])
        upper[columns] = np.minimum(upper[columns], chosen[:count])
        return FeasibleSet(
            self.matrix,
            self.lo,
            self.hi,
            lower,
            upper,
            self.integer,
            self.actions,
            self.row_names,
            self.column_names,
            self.title,
        )

    def _completes(self, chosen: Mask, count: int) -> bool:
        from games.bandits.program import solvable

        return solvable(self.fixed(chosen, count))

    # -- all actions -------------------------------------------------------------------

    def listed(self, limit: int = _LIMIT) -> Mask | None:
        """Return all feasible actions, shape (F, N), or None where there are more than `limit`.

        The order is that of the binary numbers whose first digit is action 0. None is also
        returned where finding out would take too long.
        """
        if self.shortcuts.listed is not None:
            found = self.shortcuts.listed(limit)
        else:
            found = self._search(limit)
        if found is None or len(found) > limit:
            return None
        order = np.lexsort(found.T[::-1]) if len(found) else np.zeros(0, dtype=np.int64)
        rows: Mask = np.ascontiguousarray(found[order])
        return rows

    def _search(self, limit: int) -> Mask | None:
        """Extend partial actions one digit at a time, dropping those that lead nowhere."""
        partial = np.zeros((1, self.size), dtype=np.bool_)
        if self.size == 0:
            return partial if self._completes(partial[0], 0) else partial[:0]
        tried = 0
        for count in range(1, self.size + 1):
            more = partial.copy()
            more[:, count - 1] = True
            both = np.concatenate([partial, more])
            tried += len(both)
            if self.plain:
                keep = self._may_hold(both, count)
            elif tried > _SEARCHED:
                return None
            else:
                keep = np.array([self._completes(row, count) for row in both], dtype=np.bool_)
            partial = both[keep]
            if len(partial) > max(limit, 1) * 4:
                return None
        return partial

    def _may_hold(self, rows: Mask, count: int) -> Mask:
        """Return which partial actions no row rules out by itself, shape (len(rows),)."""
        dense = self.matrix[:, self.actions].toarray()
        low, high = self.lower[self.actions], self.upper[self.actions]
        rest_low = np.minimum(dense * low, dense * high)[:, count:].sum(axis=1)
        rest_high = np.maximum(dense * low, dense * high)[:, count:].sum(axis=1)
        sums = rows[:, :count].astype(np.float64) @ dense[:, :count].T
        fits = (sums + rest_high >= self.lo - _TOLERANCE) & (
            sums + rest_low <= self.hi + _TOLERANCE
        )
        own = (rows[:, count - 1] >= low[count - 1]) & (rows[:, count - 1] <= high[count - 1])
        kept: Mask = fits.all(axis=1) & own
        return kept

    # -- a random one, and none ----------------------------------------------------------

    def sample(self, rng: np.random.Generator) -> Mask:
        """Return a random feasible action, shape (N,).

        Where every part of a feasible action is feasible, actions are added in random order
        as long as that works, so the action is a maximal one; otherwise it is a best one for
        random weights.

        Raises:
            ParameterError: there is none.
        """
        if self.shortcuts.sample is not None:
            return self.shortcuts.sample(rng)
        if self.shortcuts.shrinks:
            chosen = np.zeros(self.size, dtype=np.bool_)
            for k in rng.permutation(self.size):
                chosen[k] = True
                chosen[k] = self.allows(chosen)
            return chosen
        from games.bandits.program import Program

        self.require()
        return Program(self).best(rng.normal(size=self.size)).action

    def conflict(self) -> tuple[str, ...]:
        """Return names of rows that contradict each other, none of them superfluous; () if fine.

        Rows are left out one after the other; one that makes the rest feasible stays (the
        deletion filter of Chinneck and Dravnieks 1991). Bounds and integrality always hold.
        """
        from games.bandits.program import solvable

        if solvable(self):
            return ()
        kept = list(range(len(self.lo)))
        for row in range(len(self.lo)):
            without = [r for r in kept if r != row]
            if not solvable(self, rows=without):
                kept = without
        return tuple(self.row_names[r] for r in kept) or ("the bounds of the variables",)

    def require(self) -> None:
        """Do nothing if there is a feasible action.

        Raises:
            ParameterError: naming rows that contradict each other.
        """
        rows = self.conflict()
        if rows:
            raise ParameterError(
                "constraints", f"{', '.join(rows)}", "rows that hold together; these do not"
            )


def linear_set(
    coefficients: Any,
    *,
    lo: Any = None,
    hi: Any = None,
    names: Sequence[str] = (),
    title: str = "own linear constraints",
) -> FeasibleSet:
    """Return the binary vectors with lo ≤ C a ≤ hi.

    Args:
        coefficients: C, shape (m, N), or SciPy sparse.
        lo: shape (m,), or one number; None: −inf.
        hi: shape (m,), or one number; None: inf.
        names: what the rows are called.
        title: one line.

    Raises:
        ParameterError: shapes that do not fit, or rows that contradict each other.
    """
    from scipy.sparse import csr_array

    try:
        matrix = csr_array(coefficients, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError("coefficients", coefficients, "numbers, shape (m, N)") from error
    m, n = matrix.shape
    bounds = []
    for name, given, none in (("lo", lo, -np.inf), ("hi", hi, np.inf)):
        try:
            array = np.array(
                np.broadcast_to(np.asarray(none if given is None else given, np.float64), (m,))
            )
        except (TypeError, ValueError) as error:
            raise ParameterError(name, given, f"a number, or {m}, one a row") from error
        bounds.append(array)
    found = FeasibleSet(
        matrix,
        bounds[0],
        bounds[1],
        np.zeros(n),
        np.ones(n),
        np.ones(n, dtype=np.bool_),
        np.arange(n),
        tuple(names),
        tuple(f"a{k}" for k in range(n)),
        title,
        Shortcuts(shrinks=_shrinks(matrix, bounds[0])),
    )
    found.require()
    return found


def _shrinks(matrix: Any, lo: Reals) -> bool:
    return bool((matrix.data >= 0).all() and (lo <= 0).all())


def budget_set(size: int, budget: int, *, exactly: bool = False) -> FeasibleSet:
    """Return the choices of at most (or exactly) `budget` of `size` actions.

    Raises:
        ParameterError: a budget below 0 or above `size`.
    """
    if not 0 <= budget <= size:
        raise ParameterError("budget", budget, f"0 to {size}, the number of actions")
    from scipy.sparse import csr_array

    least = float(budget) if exactly else -np.inf

    def listed(limit: int) -> Mask | None:
        from itertools import combinations
        from math import comb

        counts = [budget] if exactly else list(range(budget + 1))
        if sum(comb(size, k) for k in counts) > limit:
            return None
        found = np.zeros((sum(comb(size, k) for k in counts), size), dtype=np.bool_)
        row = 0
        for k in counts:
            for chosen in combinations(range(size), k):
                found[row, list(chosen)] = True
                row += 1
        return found

    def sample(rng: np.random.Generator) -> Mask:
        chosen = np.zeros(size, dtype=np.bool_)
        chosen[rng.permutation(size)[:budget]] = True
        return chosen

    return FeasibleSet(
        csr_array(np.ones((1, size))),
        np.array([least]),
        np.array([float(budget)]),
        np.zeros(size),
        np.ones(size),
        np.ones(size, dtype=np.bool_),
        np.arange(size),
        ("budget",),
        tuple(f"a{k}" for k in range(size)),
        f"{'exactly' if exactly else 'at most'} {budget} of {size}",
        Shortcuts(listed=listed, sample=sample, shrinks=not exactly),
    )
