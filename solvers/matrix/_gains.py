"""What seats gain by deviating from a correlated equilibrium: a matrix that is never built.

σ ≥ 0 over joint actions with Σσ = 1 is an equilibrium if Gσ ≤ 0. CCE: row (p, b) of G holds
u_p(b, a_−p) − u_p(a). CE: row (p, a', b) holds the same where a_p = a', and 0 elsewhere.
Products with G are products of the payoff tensor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from games.normal_form import NormalForm

__all__ = ["Gains"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


class Gains:
    """The matrix G, each seat's rows in units of the range of its payoffs.

    Args:
        form: the game.
        coarse: CCE rows, else CE rows.

    Attributes:
        rows: number of rows m.
        size: number of joint actions J.
        units: the range of each seat's payoffs, or one, shape (n,).
    """

    def __init__(self, form: NormalForm, *, coarse: bool) -> None:
        self.coarse = coarse
        self.actions = form.actions
        self.size = math.prod(form.actions)
        self._raw = form.payoffs
        axes = tuple(range(1, form.seats + 1))
        lows = form.payoffs.min(axis=axes)
        span = form.payoffs.max(axis=axes) - lows
        self.units = np.where(span > 0, span, 1.0)
        # Own axis first, so that a seat's row of alternatives is a column here: (A, J / A).
        # From the least payoff, so that large ones far from zero keep their digits.
        self._pay = [
            (np.moveaxis(pay, seat, 0).reshape(form.actions[seat], -1) - lows[seat])
            / self.units[seat]
            for seat, pay in enumerate(form.payoffs)
        ]
        counts = [a if coarse else a * a for a in form.actions]
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self.rows = int(self._first[-1])

    def playable(self) -> NDArray[np.bool_]:
        """Return which joint actions some equilibrium may play, shape (J,).

        The others are forced to 0 (`_forced_kernels`).
        """
        from solvers.matrix import _forced_kernels as kernels

        alive = np.ones(self.size, dtype=np.bool_)
        actions = np.array(self.actions, dtype=np.int64)
        strides = np.concatenate([np.cumprod(actions[:0:-1])[::-1], [1]]).astype(np.int64)
        pay = np.ascontiguousarray(self._raw).reshape(len(actions), -1)
        kernels.remove_forced(pay, actions, strides, self._first, self.coarse, alive)
        return alive

    def _split(self, joint: Ints) -> list[tuple[Ints, Ints]]:
        """Return for each seat its own action and the place of the others', shape (K,) each."""
        where = np.unravel_index(joint, self.actions)
        out = []
        for seat in range(len(self.actions)):
            others = [k for k in range(len(self.actions)) if k != seat]
            rest = np.zeros(len(joint), dtype=np.int64)
            for k in others:
                rest = rest * self.actions[k] + where[k]
            out.append((where[seat].astype(np.int64), rest))
        return out

    def columns(self, joint: Ints) -> tuple[Ints, Reals]:
        """Return the rows and values of some columns of G, shape (K, ΣA) both."""
        rows, values = [], []
        for seat, (own, rest) in enumerate(self._split(joint)):
            pay = self._pay[seat]
            count = self.actions[seat]
            alternatives = np.arange(count)[None, :]
            offset = 0 if self.coarse else own[:, None] * count
            rows.append(
                self._first[seat] + offset + np.broadcast_to(alternatives, (len(own), count))
            )
            values.append(pay[:, rest].T - pay[own, rest][:, None])
        return np.concatenate(rows, axis=1), np.concatenate(values, axis=1)

    def block(self, rows: Ints, joint: Ints) -> tuple[Ints, Ints, Reals]:
        """Return the entries of some rows in some columns of G, row by row.

        Args:
            rows: which rows, ascending, shape (R,).
            joint: which columns, shape (K,).

        Returns:
            How many entries each row has (R,), their places in `joint`, and their values.
        """
        lengths, places, values = [], [], []
        for seat, (own, rest) in enumerate(self._split(joint)):
            low, high = np.searchsorted(rows, self._first[seat : seat + 2])
            inner = rows[low:high] - self._first[seat]
            pay, count = self._pay[seat], self.actions[seat]
            if self.coarse:
                told, instead = np.zeros_like(inner), inner
                order, begin = np.arange(len(joint)), np.array([0, len(joint)])
            else:
                told, instead = np.divmod(inner, count)
                order = np.argsort(own, kind="stable")
                begin = np.searchsorted(own[order], np.arange(count + 1))
            each = begin[told + 1] - begin[told]
            ends = np.cumsum(each)
            total = int(ends[-1]) if len(ends) else 0
            step = np.arange(total) - np.repeat(ends - each, each)
            place = order[np.repeat(begin[told], each) + step]
            alternative = np.repeat(instead, each)
            lengths.append(each)
            places.append(place)
            values.append(pay[alternative, rest[place]] - pay[own[place], rest[place]])
        return np.concatenate(lengths), np.concatenate(places), np.concatenate(values)

    def useful(self, joint: Ints) -> Ints:
        """Return the rows that could be violated by playing these joint actions."""
        rows, values = self.columns(joint)
        seen = np.zeros(self.rows, dtype=np.bool_)
        seen[rows[values > 0]] = True
        return np.flatnonzero(seen)

    def transposed(self, y: Reals) -> Reals:
        """Return Gᵀ y, shape (J,)."""
        total = np.zeros(self.actions)
        for seat, count in enumerate(self.actions):
            weight = y[self._first[seat] : self._first[seat + 1]]
            pay = self._pay[seat]
            if self.coarse:
                part = (weight @ pay)[None, :] - weight.sum() * pay
            else:
                table = weight.reshape(count, count).copy()
                np.fill_diagonal(table, 0.0)
                busy = np.flatnonzero(table.any(axis=0))
                part = table[:, busy] @ pay[busy] - table.sum(axis=1)[:, None] * pay
            rest = [a for k, a in enumerate(self.actions) if k != seat]
            total += np.moveaxis(part.reshape(count, *rest), 0, seat)
        return total.ravel()

    def times(self, sigma: Reals) -> Reals:
        """Return G σ, shape (m,)."""
        shaped = sigma.reshape(self.actions)
        out = []
        for seat, count in enumerate(self.actions):
            weight = np.moveaxis(shaped, seat, 0).reshape(count, -1)
            pay = self._pay[seat]
            if self.coarse:
                out.append(pay @ weight.sum(axis=0) - float((weight * pay).sum()))
                continue
            gain = np.zeros((count, count))
            told = np.flatnonzero(weight.any(axis=1))
            earned = weight[told] @ pay.T
            gain[told] = earned - earned[np.arange(len(told)), told][:, None]
            out.append(gain.ravel())
        return np.concatenate(out)
