"""Agent quantal response equilibria of trees along the principal branch; n seats, any payoffs.

Every infoset is an agent of its own that responds to the payoffs v(a) of its actions given
that it is reached. With x = ln b over all actions of all infosets and λ the precision
(1/temperature), the equilibria of precision λ are the zeros of

    F(x, s) = x − λ v(e^x) + ln Σ_infoset e^(λ v(e^x)),   λ = e^s                          (1)

The principal branch starts at uniform play (λ = 0) and is followed by pseudo-arclength
continuation: a step along the tangent, then Newton's method in the plane across it. Linear
systems are solved by GMRES. Its products with the derivative of F are exact: F is computed
at x + ih y, whose imaginary part is h times the product (Squire and Trapp 1998).

Sources: McKelvey and Palfrey 1998, "Quantal response equilibria for extensive form games"
(the agent form); Turocy 2010, "Computing sequential equilibria using agent quantal response
equilibria"; Allgower and Georg 1990, "Numerical Continuation Methods", chapters 6 and 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError
from games.tree import Tree
from solvers.certificates import certify_agent_qre
from solvers.loop import positive
from solvers.tree.run import TreeSolver

__all__ = ["AgentBranch", "AgentPath", "agent_branch", "agent_qre"]

Reals = NDArray[np.float64]

_START = 1e-2
_FIRST_STEP, _LEAST_STEP, _GREATEST_STEP = 0.2, 5e-4, 0.5
_DISTANCE = 0.02
"""How far, in weighted length, a predictor should land from the branch."""
_COSINE = 0.9
_TINY = 1e-100
"""h: the imaginary part of x + ih y; no rounding comes of it, however small."""


@dataclass(frozen=True, eq=False)
class AgentBranch:
    """Points of the principal branch, in the order in which they were met.

    Attributes:
        precision: λ at each point, per payoff unit, shape (T,); it need not rise throughout.
        policies: behaviour policies, shape (T, Q).
    """

    precision: Reals
    policies: Reals


class _Field:
    """F and its derivatives, over the D = Q − n sequences that are not empty."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.unit = float(np.ptp(tree.payoffs, axis=1).max(initial=0.0)) or 1.0
        self.played = np.flatnonzero(tree.sequence_action >= 0)
        self._weighted = tree.payoffs * (tree.terminal_chance / self.unit)
        self._first = np.concatenate([[0], np.cumsum(tree.info_actions[:-1])]).astype(np.intp)
        self._buffers: dict[Any, tuple[Any, ...]] = {}

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of actions, (D,), as an array over sequences, (Q,), 1 at empty ones."""
        out = np.ones(self._tree.n_sequences, dtype=values.dtype)
        out[self.played] = values
        return out

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of (D,) over each infoset, repeated for each of its actions."""
        total: NDArray[Any] = np.add.reduceat(values, self._first)
        return np.repeat(total, self._tree.info_actions)

    def tops(self, values: Reals) -> Reals:
        """Return the maximum of (D,) over each infoset, repeated for each of its actions."""
        return np.repeat(np.maximum.reduceat(values, self._first), self._tree.info_actions)

    def at(self, x: NDArray[Any], s: Any) -> NDArray[Any]:
        """Return F, shape (D,), of the type of `x`."""
        from solvers.tree._agent_kernels import conditional_worth

        tree = self._tree
        if x.dtype not in self._buffers:
            self._buffers[x.dtype] = tuple(np.empty(tree.n_sequences, x.dtype) for _ in range(3))
        plan, mass, worth = self._buffers[x.dtype]
        conditional_worth(
            tree.terminal_sequences,
            tree.terminal_chance,
            self._weighted,
            tree.seat_infoset,
            tree.seat_sequence,
            tree.info_first,
            tree.info_actions,
            tree.info_parent,
            self.spread(np.exp(x)),
            plan,
            mass,
            worth,
        )
        logits = np.exp(s) * worth[self.played]
        logits = logits - self.tops(logits.real)
        out: NDArray[Any] = x - logits + np.log(self.sums(np.exp(logits)))
        return out

    def slope(self, x: Reals, s: float, y: Reals) -> Reals:
        """Return the derivative of F at (x, s) times y, shape (D + 1,) to (D,)."""
        value = self.at(x + 1j * _TINY * y[:-1], complex(s, _TINY * y[-1]))
        return np.asarray(value.imag) / _TINY


class AgentPath:
    """A walk along the principal branch; one iteration is one step.

    Args:
        tree: perfect recall.
        precision: λ where the walk ends, per payoff unit.
    """

    def __init__(self, tree: Tree, precision: float) -> None:
        self._field = field = _Field(tree)
        self._actions = tree.info_actions
        self._infosets = tree.n_infosets
        self._end = math.log(precision * field.unit)
        self.iteration = 0
        self._s = min(math.log(_START), self._end)
        self._x = -np.log(np.repeat(tree.info_actions, tree.info_actions).astype(np.float64))
        self._tangent = np.append(np.zeros(len(self._x)), 1.0)
        self._step = _FIRST_STEP
        self._done = not self._infosets
        self.points: list[tuple[float, Reals]] = [(0.0, np.exp(self._x))]
        if self._done:  # nobody decides: the branch is as long as one likes
            self.points.append((math.exp(self._end), np.exp(self._x)))
        else:
            flat = np.append(np.zeros(len(self._x)), 1.0)
            self._accept(self._settle(np.append(self._x, self._s), flat))
            self._done = self._s >= self._end

    # -- linear algebra ------------------------------------------------------------

    def _weight(self) -> Reals:
        """Lengths count policies by their mean over infosets, so that no tree is too large."""
        return np.append(np.exp(np.minimum(self._x, 0.0)) / self._infosets, 1.0)

    def _solve(self, z: Reals, row: Reals, right: Reals) -> Reals | None:
        """Return y with (∂F y, row · y) = right at z, or None where GMRES does not get there."""
        from scipy.sparse.linalg import LinearOperator, gmres

        x, s = z[:-1], float(z[-1])
        size = len(z)

        def product(y: Reals) -> Reals:
            flat = np.ravel(y)
            return np.append(self._field.slope(x, s, flat), row @ flat)

        operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
        found, failed = gmres(
            operator, right, rtol=1e-4, atol=0.0, restart=min(size, 400), maxiter=4
        )
        return None if failed or not np.isfinite(found).all() else np.asarray(found)

    def _settle(self, guess: Reals, row: Reals) -> Reals:
        """Return the point of the branch in the plane across `row`.

        Raises:
            ArenaError: Newton's method does not converge.
        """
        found = self._correct(guess, row)
        if found is None:
            raise ArenaError(
                "Newton's method found no agent quantal response equilibrium at precision"
                f" {math.exp(float(guess[-1])) / self._field.unit:g}"
            )
        return found[0]

    def _correct(self, z: Reals, row: Reals) -> tuple[Reals, float] | None:
        """Return the point across from z and how far it was, or None if it is too far."""
        weight = self._weight()
        distance, last = 0.0, math.inf
        for round_ in range(12):
            with np.errstate(all="ignore"):
                value = self._field.at(z[:-1], float(z[-1]))
                error = float(np.abs(value * np.exp(np.minimum(z[:-1], 0.0))).max())
                if not math.isfinite(error):
                    return None
                # Rounding sets the limit; a round that does not help any more has reached it.
                if error < 1e-13 or (error < 1e-9 and error > 0.5 * last):
                    return z, distance
                if error > 2.0 * last:
                    return None
                last = error
                move = self._solve(z, row, np.append(-value, 0.0))
            if move is None:
                return None
            length = _length(move, weight)
            distance = length if round_ == 0 else distance
            if length > 20 * _DISTANCE:
                return None
            z = z + move
        return None

    # -- the walk ------------------------------------------------------------------

    def _accept(self, z: Reals) -> None:
        self._x, self._s = z[:-1], float(z[-1])
        self.points.append((math.exp(self._s), self._policy()))

    def _policy(self) -> Reals:
        policy = np.exp(self._x)
        return np.asarray(policy / self._field.sums(policy))

    def advance(self, count: int) -> int:
        """Take up to `count` steps, fewer if the end of the branch is reached."""
        taken = 0
        while taken < count and not self._done:
            self._take()
            taken += 1
            self.iteration += 1
        return taken

    def _take(self) -> None:
        """Take one step, as long as the branch allows."""
        z, weight = np.append(self._x, self._s), self._weight()
        with np.errstate(all="ignore"):
            tangent = self._solve(z, self._tangent * weight, np.append(np.zeros(len(self._x)), 1.0))
        if tangent is None:
            self._give_up()
        tangent = tangent / _length(tangent, weight)
        while True:
            if self._step < _LEAST_STEP:
                self._give_up()
            step = self._step
            if tangent[-1] > 0.0 and self._s + step * tangent[-1] >= self._end:
                # The last step: straight to the wanted precision.
                step = (self._end - self._s) / float(tangent[-1])
                row = np.append(np.zeros(len(self._x)), 1.0)
                found = self._correct(z + step * tangent, row)
                last = True
            else:
                found = self._correct(z + step * tangent, tangent * weight)
                last = False
            if found is not None:
                moved = found[0] - z
                # Points that lie elsewhere than where the tangent points are of another branch.
                if _length(moved, weight) == 0.0 or float(
                    (moved * weight) @ tangent
                ) >= _COSINE * _length(moved, weight):
                    break
            self._step *= 0.5
        point, distance = found
        self._tangent, self._done = tangent, last
        self._accept(point)
        growth = math.sqrt(_DISTANCE / max(distance, 1e-12))
        self._step = min(_GREATEST_STEP, self._step * min(2.0, max(0.5, growth)))

    def _give_up(self) -> NoReturn:
        raise ArenaError(
            "the principal branch cannot be followed beyond precision"
            f" {math.exp(self._s) / self._field.unit:g} (temperature"
            f" {self._field.unit / math.exp(self._s):g}); ask for a higher temperature"
        )

    def behaviour(self) -> Reals:
        """Return the policy at the last point."""
        policy: Reals = self._field.spread(self._policy() if self._infosets else self._x)
        return policy

    def branch(self) -> AgentBranch:
        """Return all points so far."""
        return AgentBranch(
            np.array([rate for rate, _ in self.points]) / self._field.unit,
            np.array([self._field.spread(policy) for _, policy in self.points]),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return where the walk stands."""
        return {
            "position": self._field.spread(self._x),
            "tangent": self._field.spread(self._tangent[:-1]),
            "log_precision": np.array(self._s),
            "tangent_end": np.array(self._tangent[-1]),
            "step": np.array(self._step),
            "iteration": np.array(self.iteration),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`; the branch begins there."""
        played = self._field.played
        self._x, self._s = arrays["position"][played].copy(), float(arrays["log_precision"])
        self._tangent = np.append(arrays["tangent"][played], float(arrays["tangent_end"]))
        self._step, self.iteration = float(arrays["step"]), int(arrays["iteration"])
        self._done = not self._infosets or self._s >= self._end
        self.points = [(math.exp(self._s), self._policy())] if self._infosets else []


def _length(move: Reals, weight: Reals) -> float:
    return math.sqrt(float((move * move) @ weight))


def agent_branch(tree: Tree, *, temperature: float) -> AgentBranch:
    """Return the principal branch of agent logit equilibria down to a temperature.

    Args:
        tree: perfect recall, any number of seats, any payoffs.
        temperature: 1/λ where to end, in payoff units.

    Raises:
        ParameterError: a temperature that is not positive.
        ArenaError: the branch could not be followed so far.
    """
    path = AgentPath(tree, 1.0 / positive("temperature", temperature))
    while path.advance(1000):
        pass
    return path.branch()


def _start(tree: Tree, seed: int, planned: int | None, settings: Mapping[str, Any]) -> AgentPath:
    return AgentPath(tree, 1.0 / positive("temperature", settings["temperature"]))


def _gap(tree: Tree, settings: Mapping[str, Any]) -> Callable[[Reals], float]:
    temperature = float(settings["temperature"])
    return lambda policy: (
        certify_agent_qre(tree, policy, temperature=temperature)["agent_qre_residual"].value
    )


def _certify(tree: Tree, behaviour: Reals, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return certify_agent_qre(tree, behaviour, temperature=float(settings["temperature"]))


def agent_qre() -> TreeSolver:
    """The agent quantal response equilibrium at a temperature (McKelvey and Palfrey 1998)."""
    return TreeSolver(
        "agent_qre",
        _start,
        {"temperature": 0.1},
        iterations=None,
        certify=_certify,
        objective=_gap,
        gap="agent_qre_residual",
    )
