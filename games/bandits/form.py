"""The form `bandit`: independent arms coupled by what may be done to them at once.

Arm j is a Markov chain. In each step every arm is run in a *mode*: 0 is passive. A joint
action a ∈ {0,1}^N puts arm j into mode m_j = Σ_k link[j, k]·a_k, so with `link` the identity
a_j says whether arm j is acted on; several actions on an arm, or several levels of one, are
further modes. The arm moves from s to s' with P[j, m, s, s'] and pays reward[j, m, s, s'];
arms move independently given the modes. An action must lie in the feasible set.

Source: Whittle 1988; Xu, Wilder, Khalil and Tambe 2025 (coupled actions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.bandits.constraints import FeasibleSet

__all__ = ["RestlessBandit"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_SUM = 1e-9


@dataclass(frozen=True, eq=False)
class RestlessBandit:
    """A restless bandit; arrays are read-only. J arms, M modes, S states of an arm.

    Attributes:
        transition: P, shape (J, M, S, S).
        reward: shape (J, M, S, S); shape (J, M, S) is taken for every next state.
        feasible: which actions are allowed, over N binary actions.
        link: how often action k counts for arm j, shape (J, N); default: the identity.
        initial: the distribution of the first states, shape (J, S); default: state 0.
        horizon: steps H of an episode.
        discount: γ in (0, 1]; the reward of step t counts γ^t.
        sizes: how many states each arm has; the others are padding, shape (J,).
        title: one line.
        extra: what pictures need, such as `graph`, `source`, `walks`.

    Raises:
        ParameterError: naming arm, mode and state of a row that does not sum to one, a
            shape, a range, or constraints that contradict each other.
    """

    transition: Reals
    reward: Reals
    feasible: FeasibleSet
    link: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    initial: Reals = field(default_factory=lambda: np.zeros((0, 0)))
    horizon: int = 20
    discount: float = 1.0
    sizes: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    title: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chances = _array("transition", self.transition, 4)
        arms, modes, states, _ = chances.shape
        put = object.__setattr__
        put(self, "sizes", self._sizes(arms, states))
        put(self, "transition", _frozen(self._checked(chances)))
        pay = np.asarray(self.reward, dtype=np.float64)
        if pay.shape == (arms, modes, states):
            pay = np.repeat(pay[..., None], states, axis=3)
        if pay.shape != chances.shape:
            raise ParameterError(
                "reward.shape", pay.shape, f"{chances.shape} or {chances.shape[:3]}"
            )
        if not np.isfinite(pay).all():
            raise ParameterError("reward", "nan or inf", "finite numbers")
        put(self, "reward", _frozen(pay))
        put(self, "link", _frozen(self._link(arms, modes)))
        put(self, "initial", _frozen(self._initial(arms, states)))
        if type(self.horizon) is not int or self.horizon < 1:
            raise ParameterError("horizon", self.horizon, "a number of steps ≥ 1")
        if not 0.0 < self.discount <= 1.0:
            raise ParameterError("discount", self.discount, "a number in (0, 1]")

    # -- sizes -----------------------------------------------------------------------------

    @property
    def arms(self) -> int:
        """Number of arms J."""
        return int(self.transition.shape[0])

    @property
    def modes(self) -> int:
        """Number of modes M of an arm, passive included."""
        return int(self.transition.shape[1])

    @property
    def states(self) -> int:
        """The greatest number of states S of an arm."""
        return int(self.transition.shape[2])

    @property
    def plain(self) -> bool:
        """Whether action j acts on arm j and on nothing else."""
        return self.link.shape[0] == self.link.shape[1] and np.array_equal(
            self.link, np.eye(self.arms, dtype=np.int64)
        )

    @property
    def influenced(self) -> bool:
        """Whether how an arm moves depends on the states of others too."""
        return False

    @property
    def expected(self) -> Reals:
        """Expected reward of a step, shape (J, M, S)."""
        found: Reals = (self.transition * self.reward).sum(axis=3)
        return found

    @property
    def budget(self) -> int | None:
        """The budget if the only constraint is Σ a ≤ budget, else None."""
        only = self.feasible
        if not (self.plain and only.plain and only.matrix.shape[0] == 1 and only.lo[0] <= 0):
            return None
        if not (only.matrix.toarray() == 1.0).all():
            return None
        return int(min(only.hi[0], self.arms))

    def modes_of(self, action: Any) -> Ints:
        """Return the modes under actions of shape (..., N), shape (..., J)."""
        found: Ints = np.asarray(action, dtype=np.int64) @ self.link.T
        return found

    def modes_at(self, levels: Any, action: Any) -> Ints:
        """Return the modes in which arms at `levels`, shape (..., J), move, shape (..., J).

        Where arms are influenced by others, the mode says by how many besides what is done.
        """
        return self.modes_of(action)

    # -- checks ----------------------------------------------------------------------------

    def _sizes(self, arms: int, states: int) -> Ints:
        given = np.asarray(self.sizes, dtype=np.int64)
        if given.shape == (0,):
            given = np.full(arms, states)
        if given.shape != (arms,) or (given < 1).any() or (given > states).any():
            raise ParameterError("sizes", given.tolist(), f"{arms} numbers from 1 to {states}")
        return given

    def _checked(self, chances: Reals) -> Reals:
        """Check the rows that are used; padding becomes states that stay."""
        arms, modes, states, last = chances.shape
        if states != last or not arms or not modes or not states:
            raise ParameterError("transition.shape", chances.shape, "(J, M, S, S)")
        used = np.arange(states)[None, :] < self.sizes[:, None]
        rows = np.where(used[:, None, :, None], chances, np.eye(states))
        outside = used[:, None, :, None] & ~used[:, None, None, :]
        for bad, value, wanted in (
            (~np.isfinite(rows) | (rows < 0), rows, "a probability"),
            (
                np.abs(rows.sum(axis=3) - 1.0) > _SUM,
                rows.sum(axis=3),
                "1, the sum of the row's probabilities",
            ),
            ((rows > 0) & outside, rows, "0: that arm has no such next state"),
        ):
            if bad.any():
                arm, mode, state = (int(k) for k in np.argwhere(bad)[0][:3])
                raise ParameterError(
                    f"transition of arm {arm}, mode {mode}, state {state}",
                    float(value[tuple(np.argwhere(bad)[0])]),
                    wanted,
                )
        return rows

    def _link(self, arms: int, modes: int) -> Ints:
        n = self.feasible.size
        link = np.asarray(self.link)
        if link.shape == (0, 0):
            if n != arms:
                raise ParameterError("feasible.size", n, f"{arms}, the arms, or a link")
            link = np.eye(arms, dtype=np.int64)
        if link.shape != (arms, n) or link.dtype.kind not in "iu" or (link < 0).any():
            raise ParameterError("link", link.shape, f"counts ≥ 0 of shape ({arms}, {n})")
        self.feasible.require()
        over = np.flatnonzero(link.sum(axis=1) >= modes)
        for arm in over.tolist():
            from games.bandits.program import Program

            most = Program(self.feasible).best(link[arm].astype(np.float64)).value
            if round(most) >= modes:
                raise ParameterError(
                    f"modes of arm {arm}", modes, f"{round(most) + 1}, as actions allow"
                )
        return link.astype(np.int64)

    def _initial(self, arms: int, states: int) -> Reals:
        given = np.asarray(self.initial, dtype=np.float64)
        if given.shape == (0, 0):
            given = np.zeros((arms, states))
            given[:, 0] = 1.0
        if given.shape != (arms, states):
            raise ParameterError("initial.shape", given.shape, f"({arms}, {states})")
        padding = np.arange(states)[None, :] >= self.sizes[:, None]
        wrong = (np.abs(given.sum(axis=1) - 1.0) > _SUM) | (given < 0).any(axis=1)
        wrong |= (given * padding).any(axis=1)
        if wrong.any():
            arm = int(np.argmax(wrong))
            raise ParameterError(
                f"initial of arm {arm}", given[arm].tolist(), "probabilities that sum to one"
            )
        return given


def _array(name: str, given: Any, axes: int) -> Reals:
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(name, type(given).__name__, f"numbers with {axes} axes") from error
    if array.ndim != axes:
        raise ParameterError(f"{name}.shape", array.shape, f"{axes} axes")
    return array


def _frozen(array: Any) -> Any:
    out = np.ascontiguousarray(array)
    if out is array or out.base is not None:
        out = out.copy()
    out.setflags(write=False)
    return out
