"""The form `markov`: states, joint actions, transitions, payoffs (Shapley 1953).

In state s all seats choose at once; joint action a pays seat i the reward r_i(s, a) and
leads to s' with probability P(s' | s, a). An episode ends after `horizon` steps, in a
terminal state, or, with a discount γ < 1, after each step with probability 1 − γ: its
expected payoff is then the discounted sum.

Joint actions have numbers, row-major over the seats: J = ∏ A_i in all. Transitions are kept
as compressed sparse rows, row s·J + a, whatever they were given as.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.types import Mask, Payoff
from games.markov.parts import (
    check_memory,
    discount_of,
    frozen,
    horizon_of,
    legal_of,
    names_of,
    reward_of,
    terminal_of,
)

__all__ = ["MarkovGame"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_NEVER = 1e-12
"""A probability that episodes may ignore."""

_SUM = 1e-9
"""How far a row of probabilities may be from summing to one."""


@dataclass(frozen=True, eq=False)
class MarkovGame:
    """A tabular Markov game; arrays are read-only.

    Attributes:
        actions: number of actions of each seat, (A_1, …, A_n).
        reward: r_i(s, a), shape (n, S, J).
        indptr, indices, probability: transitions as sparse rows, shapes (S·J + 1,), (N,), (N,).
        initial: the distribution of the first state, shape (S,).
        horizon: the number of steps, or None.
        discount: γ in (0, 1].
        legal: the legal actions of each seat, shapes (S, A_i).
        terminal: states that end the episode, shape (S,).
        state_names, action_names: what they are called; by default their numbers.
        title: what the game is called.

    Raises:
        ParameterError: naming the place, such as state, joint action and sum.
    """

    actions: tuple[int, ...]
    reward: Reals
    indptr: Ints
    indices: Ints
    probability: Reals
    initial: Reals
    horizon: int | None
    discount: float
    legal: tuple[Mask, ...]
    terminal: Mask
    state_names: tuple[str, ...] = ()
    action_names: tuple[tuple[str, ...], ...] = ()
    title: str = ""

    def __init__(
        self,
        transition: Any,
        reward: Any,
        initial: Any = 0,
        *,
        horizon: int | None = None,
        discount: float = 1.0,
        legal: Sequence[Any] | None = None,
        terminal: Any = None,
        state_names: Sequence[str] = (),
        action_names: Sequence[Sequence[str]] = (),
        title: str = "",
    ) -> None:
        """Check and keep a game.

        Args:
            transition: shape (S, A_1, …, A_n, S), or a SciPy sparse array (S·J, S). Rows of
                terminal states and of illegal joint actions are ignored.
            reward: shape (n, S, A_1, …, A_n).
            initial: the first state's distribution, shape (S,), or its number.
            horizon: at least 1; None: no end but by discount or terminal states.
            discount: γ in (0, 1].
            legal: one mask a seat, shapes (S, A_i); by default everything.
            terminal: a mask, shape (S,), or numbers of states.
            state_names: by default numbers.
            action_names: by default numbers.
            title: one line.
        """
        pay = reward_of(reward)
        n, s = pay.shape[0], pay.shape[1]
        counts = tuple(int(a) for a in pay.shape[2:])
        joint = math.prod(counts)
        put = object.__setattr__
        put(self, "actions", counts)
        put(self, "reward", frozen(pay.reshape(n, s, joint)))
        put(self, "state_names", names_of("state_names", state_names, s))
        given = action_names or [() for _ in counts]
        if len(given) != n:
            raise ParameterError("action_names", len(given), f"{n} rows, one a seat")
        names = [
            names_of("action_names", row, count) for row, count in zip(given, counts, strict=True)
        ]
        put(self, "action_names", tuple(names))
        put(self, "title", title)
        put(self, "legal", legal_of(legal, s, counts))
        put(self, "terminal", terminal_of(terminal, s))
        put(self, "initial", self._initial(initial))
        put(self, "horizon", horizon_of(horizon))
        put(self, "discount", discount_of(discount))
        indptr, indices, probability = self._transition(transition)
        put(self, "indptr", frozen(indptr))
        put(self, "indices", frozen(indices))
        put(self, "probability", frozen(probability))
        self._check_end()

    # -- sizes -----------------------------------------------------------------------

    @property
    def seats(self) -> int:
        """Number of seats n."""
        return len(self.actions)

    @property
    def states(self) -> int:
        """Number of states S."""
        return int(self.reward.shape[1])

    @property
    def joint(self) -> int:
        """Number of joint actions J."""
        return math.prod(self.actions)

    @property
    def payoff(self) -> Payoff:
        """The kind of rewards where joint actions are legal, up to rounding."""
        pay = self.reward[:, self.legal_joint]
        if pay.size == 0:
            return "zero_sum"
        tolerance = 1e-9 * max(1.0, float(np.abs(pay).max()))
        total = pay.sum(axis=0)
        if float(np.abs(total).max()) <= tolerance:
            return "zero_sum"
        if self.seats > 1 and float(np.ptp(pay, axis=0).max()) <= tolerance:
            return "cooperative"
        return "general_sum"

    @property
    def legal_joint(self) -> Mask:
        """Joint actions that are legal, shape (S, J); none in terminal states."""
        mask = np.ones((self.states, 1), dtype=np.bool_)
        for own in self.legal:
            mask = (mask[:, :, None] & own[:, None, :]).reshape(self.states, -1)
        return mask & ~self.terminal[:, None]

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest reward of any seat."""
        pay = self.reward[:, self.legal_joint]
        if pay.size == 0:
            return 0.0, 0.0
        low, high = float(pay.min()), float(pay.max())
        return (min(low, 0.0), max(high, 0.0)) if self.terminal.any() else (low, high)

    def matrix(self) -> Any:
        """Return transitions as a SciPy sparse array, shape (S·J, S)."""
        from scipy.sparse import csr_array

        rows = self.states * self.joint
        return csr_array(
            (self.probability, self.indices, self.indptr), shape=(rows, self.states), copy=False
        )

    def dense(self) -> Reals:
        """Return transitions as an array, shape (S, A_1, …, A_n, S)."""
        check_memory(float(self.states) ** 2 * self.joint, "the dense transition array")
        full: Reals = self.matrix().toarray()
        shaped: Reals = full.reshape(self.states, *self.actions, self.states)
        return shaped

    def after(self, state: int, joint: int) -> tuple[Ints, Reals]:
        """Return the states that may follow and their probabilities."""
        row = state * self.joint + joint
        part = slice(int(self.indptr[row]), int(self.indptr[row + 1]))
        return self.indices[part], self.probability[part]

    @property
    def longest(self) -> int | None:
        """Steps after which an episode is over: the horizon, or, with a discount, a cut-off.

        The cut-off comes where an episode goes on that long with probability γ^T ≤ 1e-12, so
        that episodes have a length and payoffs have bounds; None where neither holds.
        """
        if self.horizon is not None:
            return self.horizon
        if self.discount >= 1.0:
            return None
        return max(1, math.ceil(math.log(_NEVER) / math.log(self.discount)))

    def number(self, actions: Sequence[int]) -> int:
        """Return the number of a joint action, row-major."""
        return int(np.ravel_multi_index(tuple(actions), self.actions))

    def with_end(self, *, horizon: int | None = None, discount: float | None = None) -> MarkovGame:
        """Return the same game with another horizon (then discount 1, unless given) or discount.

        Raises:
            ParameterError: it would have no end.
        """
        if horizon is None and discount is None:
            return self
        twin = object.__new__(MarkovGame)
        for name, value in vars(self).items():
            object.__setattr__(twin, name, value)
        object.__setattr__(twin, "horizon", horizon_of(horizon))
        object.__setattr__(twin, "discount", discount_of(1.0 if discount is None else discount))
        twin._check_end()
        return twin

    def __repr__(self) -> str:
        end = f"horizon {self.horizon}" if self.horizon else f"discount {self.discount:g}"
        size = f"{self.states} states, {'×'.join(map(str, self.actions))} actions"
        return f"<MarkovGame{' ' + repr(self.title) if self.title else ''} {size}, {end}>"

    # -- checks ----------------------------------------------------------------------

    def _initial(self, given: Any) -> Reals:
        s = self.states
        if isinstance(given, int | np.integer) and not isinstance(given, bool):
            if not 0 <= given < s:
                raise ParameterError("initial", given, f"a state, 0 to {s - 1}")
            out = np.zeros(s)
            out[int(given)] = 1.0
        else:
            out = np.array(given, dtype=np.float64)
            if out.shape != (s,):
                raise ParameterError("initial.shape", out.shape, f"({s},), one a state")
            if not np.isfinite(out).all() or (out < 0).any() or abs(out.sum() - 1.0) > _SUM:
                raise ParameterError("initial", float(out.sum()), "probabilities that sum to one")
        stuck = np.flatnonzero((out > 0) & self.terminal)
        if len(stuck):
            raise ParameterError(
                "initial", self._state(int(stuck[0])), "states that are not terminal"
            )
        found: Reals = frozen(out)
        return found

    def _transition(self, given: Any) -> tuple[Ints, Ints, Reals]:
        from scipy.sparse import csr_array, issparse

        s, rows = self.states, self.states * self.joint
        if issparse(given):
            if given.shape != (rows, s):
                raise ParameterError("transition.shape", given.shape, f"({rows}, {s}): (S·J, S)")
            matrix = csr_array(given, dtype=np.float64, copy=True)
        else:
            dense = np.asarray(given, dtype=np.float64)
            wanted = (s, *self.actions, s)
            if dense.shape != wanted:
                raise ParameterError(
                    "transition.shape", dense.shape, f"{wanted}: (S, A_1, …, A_n, S)"
                )
            matrix = csr_array(dense.reshape(rows, s))
        matrix.sum_duplicates()
        used = self.legal_joint.ravel()
        keep = np.repeat(used, np.diff(matrix.indptr)) & (matrix.data != 0.0)
        at = np.repeat(np.arange(rows), np.diff(matrix.indptr))[keep]
        data = matrix.data[keep]
        bad = ~np.isfinite(data) | (data < 0)
        if bad.any():
            row = int(at[np.argmax(bad)])
            value = float(data[np.argmax(bad)])
            raise ParameterError(f"transition at {self._place(row)}", value, "a probability")
        sums = np.bincount(at, weights=data, minlength=rows)
        wrong = used & (np.abs(sums - 1.0) > _SUM)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ParameterError(f"sum of transitions at {self._place(row)}", float(sums[row]), "1")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=rows))])
        return indptr.astype(np.int64), matrix.indices[keep].astype(np.int64), data

    def _check_end(self) -> None:
        """Refuse games whose episodes need not end."""
        if self.terminal.any():
            lost = self._reachable() & ~self._can_end()
            if not (self._reachable() & self.terminal).any():
                raise ParameterError(
                    "terminal",
                    [self._state(int(t)) for t in np.flatnonzero(self.terminal)][:5],
                    "states that can be reached from the initial ones",
                )
        else:
            lost = self._reachable()
        if self.horizon is not None or self.discount < 1.0:
            return
        if not self.terminal.any():
            raise ParameterError(
                "discount", 1.0, "less than 1 where there is neither a horizon nor a terminal state"
            )
        paid = lost & (np.abs(self.reward) * self.legal_joint).any(axis=(0, 2))
        for state, why in ((paid, "pays for ever"), (lost, "leads to no terminal state")):
            if state.any():
                where = self._state(int(np.argmax(state)))
                raise ParameterError(
                    "discount",
                    1.0,
                    f"less than 1, or a horizon: without them {where} {why}",
                )

    def _edges(self) -> tuple[Ints, Ints]:
        rows = np.repeat(np.arange(self.states * self.joint), np.diff(self.indptr))
        return rows // self.joint, self.indices

    def _reachable(self) -> Mask:
        return self._closure(self.initial > 0, *self._edges())

    def _can_end(self) -> Mask:
        source, target = self._edges()
        return self._closure(self.terminal, target, source)

    def _closure(self, start: Mask, source: Ints, target: Ints) -> Mask:
        from scipy.sparse import csr_array

        graph = csr_array(
            (np.ones(len(source)), (target, source)), shape=(self.states, self.states)
        )
        found = start.copy()
        fresh = start
        while fresh.any():
            fresh = ((graph @ fresh.astype(np.float64)) > 0) & ~found
            found |= fresh
        return found

    def _state(self, state: int) -> str:
        name = self.state_names[state]
        return f"state {state}" + (f" ({name})" if name != str(state) else "")

    def _place(self, row: int) -> str:
        joint = np.unravel_index(row % self.joint, self.actions)
        return f"{self._state(row // self.joint)}, joint action {tuple(int(a) for a in joint)}"
