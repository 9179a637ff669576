"""From games to payoff tensors and back to policies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, ParameterError
from arena.files import header_of, open_npz, write_atomic
from arena.game import Game
from arena.policy import TabularPolicy
from arena.rng import Stream
from games.normal_form import NormalForm

__all__ = [
    "JointPolicy",
    "constant_sum_of",
    "first_keys",
    "from_arrays",
    "normal_form_of",
    "policy_of",
    "profile_of",
]

Reals = NDArray[np.float64]

_FORMAT = "arena/joint-policy/1"


@dataclass(frozen=True, eq=False)
class JointPolicy:
    """A distribution over joint actions: what a correlation device recommends.

    It has no `probabilities`: seats that drew from its marginals on their own would play
    something else.

    Attributes:
        game: the key of the game it is for.
        joint: probabilities, shape (A_1, …, A_n), summing to one.
        keys: the infoset key of each seat, as in `policy_of`; none where it only recommends.
    """

    game: str
    joint: Reals
    keys: Sequence[str] = ()

    kind = "joint"

    def __post_init__(self) -> None:
        bad = not np.isfinite(self.joint).all() or bool((self.joint < 0).any())
        if bad or abs(float(self.joint.sum()) - 1.0) > 1e-6:
            raise ParameterError("joint", float(self.joint.sum()), "probabilities that sum to one")
        if len(self.keys) not in (0, self.joint.ndim):
            raise ParameterError("keys", self.keys, f"{self.joint.ndim} keys, one a seat, or none")

    def marginals(self) -> list[Reals]:
        """Return each seat's own distribution, shapes (A_p,)."""
        axes = range(self.joint.ndim)
        return [self.joint.sum(axis=tuple(q for q in axes if q != p)) for p in axes]

    def recommend(self, seed: int) -> tuple[int, ...]:
        """Return the joint action that is recommended in the episode of a seed."""
        at = Stream(seed).random() * self._steps[-1]
        drawn = min(int(np.searchsorted(self._steps, at, side="right")), self._last)
        return tuple(int(a) for a in np.unravel_index(drawn, self.joint.shape))

    @cached_property
    def _steps(self) -> Reals:
        return np.cumsum(self.joint.ravel())

    @cached_property
    def _last(self) -> int:
        return int(np.flatnonzero(self.joint.ravel())[-1])

    def draw(self, seed: int) -> TabularPolicy:
        """Return the pure policy of all seats that is recommended in the episode of a seed."""
        table = np.zeros((self.joint.ndim, max(self.joint.shape)))
        table[np.arange(self.joint.ndim), self.recommend(seed)] = 1.0
        keys = self.keys or [""] * self.joint.ndim
        return TabularPolicy(self.game, keys, np.arange(len(keys), dtype=np.int32), table)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it takes to make it again."""
        return {"joint": self.joint, "keys": np.array(list(self.keys), dtype=np.str_)}

    def save(self, path: str | Path) -> None:
        """Write an `.npz` file that other tools can read too."""
        header = json.dumps({"format": _FORMAT, "game": self.game})
        with write_atomic(path) as file:
            arrays: dict[str, Any] = self.arrays()
            np.savez_compressed(file, header=np.array(header), **arrays)

    @staticmethod
    def load(path: str | Path) -> JointPolicy:
        """Read what `save` wrote.

        Raises:
            ParameterError: the file is something else.
        """
        with open_npz(path, "policy file", f"a file of format {_FORMAT}") as data:
            header = header_of(data, _FORMAT)
            keys = data["keys"].tolist() if "keys" in data.files else ()
            return JointPolicy(header["game"], data["joint"], keys)


def from_arrays(kind: str, game: str, arrays: Mapping[str, NDArray[Any]]) -> JointPolicy:
    """Make a joint policy from what its `arrays` returned."""
    return JointPolicy(game, arrays["joint"], arrays["keys"].tolist())


def normal_form_of(game: Game) -> NormalForm:
    """Return the game's payoff tensor.

    Raises:
        FormError: the game does not offer `normal_form`.
    """
    form: NormalForm = game.form("normal_form")
    return form


def constant_sum_of(form: NormalForm) -> float | None:
    """Return what the payoffs of every joint action add up to, or None where that differs."""
    total = form.payoffs.sum(axis=0)
    scale = max(1.0, float(np.abs(form.payoffs).max()))
    return float(total.mean()) if float(np.ptp(total)) <= 1e-9 * scale else None


def policy_of(game: Game, form: NormalForm, profile: Sequence[Reals]) -> TabularPolicy:
    """Return mixed strategies as a table that plays, a row a seat, padded with zeros.

    The rows' keys are those of the first observation of an episode, where the game has
    episodes in which all seats act at once; otherwise "".
    """
    table = np.zeros((form.seats, max(form.actions)))
    for seat, row in enumerate(profile):
        clean = np.maximum(row, 0.0)
        table[seat, : len(row)] = clean / clean.sum()
    keys = first_keys(game, form)
    return TabularPolicy(game.key, keys, np.arange(form.seats, dtype=np.int32), table)


def first_keys(game: Game, form: NormalForm) -> list[str]:
    """Return each seat's infoset key in the first observation, "" where seats do not all act."""
    if "state" in game.forms:
        state = game.state(0)
        if state.actors() == tuple(range(form.seats)):
            return [state.observe(seat).key or "" for seat in range(form.seats)]
    return [""] * form.seats


def profile_of(form: NormalForm, policy: TabularPolicy) -> list[Reals]:
    """Return the mixed strategies of a table that `policy_of` made, shapes (A_p,).

    Raises:
        ArenaError: the table lacks a seat.
    """
    seats = policy.seats.tolist()
    missing = [seat for seat in range(form.seats) if seat not in seats]
    if missing:
        raise ArenaError(f"the policy for {policy.game} has no row for seat {missing[0]}")
    return [
        np.asarray(policy.table[seats.index(seat), :count], dtype=np.float64)
        for seat, count in enumerate(form.actions)
    ]
