"""Whole episodes of self-play, as flat arrays of decisions in the order of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.rng import seat_seeds
from solvers.training.evaluate import sample_rows

__all__ = ["Episodes", "Symmetries", "minibatches", "play_episodes"]

Think = Callable[
    [NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32] | None, NDArray[np.int64]],
    "tuple[NDArray[np.float32], NDArray[np.float32]]",
]
"""(tensors (M, D), legal (M, A), joint (J, n·D) or None, which of J it is (M,)) to probabilities
(M, A) and values (M,)."""


Features = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Symmetries:
    """Relabellings of a game that leave its rules as they are (Hu et al. 2020, other-play).

    Attributes:
        observation: entry i of the relabelled tensor is entry `observation[k, i]`, (K, D).
        action: the relabelled action i is the action `action[k, i]`, shape (K, A).
    """

    observation: NDArray[np.int64]
    action: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Episodes:
    """M decisions of N episodes, those of one time step together.

    Attributes:
        tensor: what the network saw, shape (M, D).
        legal: shape (M, A).
        action: what was done, or what the teacher would have done, shape (M,).
        chance: its probability, shape (M,).
        value: what the critic foretold, shape (M,).
        chain: to whose succession of decisions it belongs, shape (M,).
        beyond: what the critic foretells after the end of each succession that a time limit has
            cut off, 0 of the others, shape (how many successions there are,).
        moment: which of J moments it was made at, shape (M,): those of different seats may be
            made at the same one.
        joint: the latest observations of all seats at each, shape (J, n·D), or None.
        gain: what was paid from it until the chain's next one, shape (M,).
        returns: of the episodes, shape (N, n).
        moments: J, how many times anybody moved, in all episodes.
    """

    tensor: NDArray[np.float32]
    legal: NDArray[np.bool_]
    action: NDArray[np.int64]
    chance: NDArray[np.float32]
    value: NDArray[np.float32]
    chain: NDArray[np.int64]
    moment: NDArray[np.int64]
    joint: NDArray[np.float32] | None
    beyond: NDArray[np.float64]
    gain: NDArray[np.float64]
    returns: NDArray[np.float64]
    moments: int


def play_episodes(
    game: Game,
    think: Think,
    seeds: NDArray[np.uint64],
    rng: np.random.Generator,
    *,
    seat_input: bool,
    joint: bool,
    team: bool,
    symmetries: Symmetries | None = None,
    loss_weight: float = 1.0,
    features: Features | None = None,
    teachers: Sequence[Any] = (),
) -> Episodes:
    """Play episodes to their end with one network in all seats.

    Args:
        game: with the form `batch`.
        think: the network.
        seeds: of the episodes, shape (N,).
        rng: draws actions and relabellings.
        seat_input: whether the seat's number is added to the tensor, one-hot.
        joint: whether the critic is given the latest observations of all seats.
        team: whether the decisions of an episode are one chain (one seat acts at a time and
            all are paid the same); otherwise each seat has its own.
        symmetries: if given, every seat of every episode sees the game through a
            relabelling of its own.
        loss_weight: what negative rewards are multiplied by in `gain`.
        features: if given, what is added to tensors: from (M, D) to (M, F).
        teachers: if given, agents that have `act_batch`, one a seat. They play half of the
            episodes, the network the others, and `action` is theirs in all of them (Ross,
            Gordon and Bagnell 2011, DAgger).
    """
    batch = game.form("batch", seeds=seeds)
    episodes, seats = len(seeds), game.seats
    view = _View(batch, episodes, seats, rng, symmetries, seat_input=seat_input, features=features)
    chains = 1 if team else seats
    guided = rng.random(episodes) < 0.5 if teachers else np.zeros(episodes, dtype=np.bool_)
    for seat, teacher in enumerate(teachers):
        teacher.begin_batch(game, seat, seat_seeds(seeds, seats)[:, seat])
    latest = np.full((episodes, chains), -1, dtype=np.int64)
    beyond = np.zeros((episodes, chains))
    gain = np.zeros(4 * episodes)
    parts: dict[str, list[Any]] = {name: [] for name in _FIELDS}
    joints: list[NDArray[np.float32]] = []
    seen: NDArray[np.float32] | None = None
    count = moments = 0
    while (acting := batch.actors()).any():
        actions = np.zeros((episodes, seats), dtype=np.int64)
        looks = view.all(acting)
        if joint and seen is None:
            seen = np.zeros((episodes, seats, looks[0].tensor.shape[1]), dtype=np.float32)
        chances, values, whole, which = _thoughts(think, looks, seen)
        joints += [] if whole is None else [whole]
        for look in looks:
            rows, size = look.rows, len(look.rows)
            if not size:
                continue
            picks = done = sample_rows(chances[look.seat], rng.random(size))
            if teachers:
                answers = teachers[look.seat].act_batch(batch.observe(look.seat))
                picks = view.relabelled(look, answers[rows])
                done = np.where(guided[rows], picks, done)
            actions[rows, look.seat] = view.original(look, done)
            own = 0 if team else look.seat
            latest[rows, own] = np.arange(count, count + size)
            count += size
            chance = chances[look.seat][np.arange(size), picks]
            found = (look.tensor, look.legal, picks, chance, values[look.seat])
            marks = (rows * chains + own, moments + which[look.seat])
            for name, part in zip(_FIELDS, (*found, *marks), strict=True):
                parts[name].append(part)
        moments += int(acting.any(axis=1).sum())
        while len(gain) < count:
            gain = np.concatenate([gain, np.zeros(len(gain))])
        batch.step(actions)
        # What is paid belongs to the latest decision of each chain.
        told = latest >= 0
        paid = np.asarray(batch.rewards())[:, :chains]
        gain[latest[told]] += np.where(paid < 0.0, loss_weight * paid, paid)[told]
        cut = getattr(batch, "truncated", None)
        if cut is not None and (acting & cut[:, None]).any():
            _foretell(think, view.all(acting & cut[:, None]), seen, beyond)
    return Episodes(
        **{name: np.concatenate(parts[name]) for name in _FIELDS},
        joint=np.concatenate(joints) if joint else None,
        beyond=beyond.ravel(),
        gain=gain[:count],
        returns=np.asarray(batch.returns(), dtype=np.float64),
        moments=moments,
    )


def _thoughts(
    think: Think, looks: Sequence[_Look], seen: NDArray[np.float32] | None
) -> tuple[list[Any], list[Any], NDArray[np.float32] | None, list[Any]]:
    """Ask the network about all seats at once, having written what they see into `seen`.

    Args:
        think: the network.
        looks: one a seat.
        seen: the latest observations, shape (N, n, D), if there is a critic that wants them.

    Returns:
        probabilities and values for each seat; the joint observations of the episodes where
        anybody looks; and which of these episodes it is, for each seat.
    """
    rows = np.concatenate([look.rows for look in looks])
    here, which = np.unique(rows, return_inverse=True)
    whole = None
    if seen is not None:
        for look in looks:
            seen[look.rows, look.seat] = look.tensor
        whole = seen[here].reshape(len(here), -1)
    tensor = np.concatenate([look.tensor for look in looks])
    chances, values = think(tensor, np.concatenate([look.legal for look in looks]), whole, which)
    at = np.cumsum([len(look.rows) for look in looks])[:-1]
    return np.split(chances, at), np.split(values, at), whole, np.split(which, at)


def _foretell(
    think: Think,
    ends: Sequence[_Look],
    seen: NDArray[np.float32] | None,
    beyond: NDArray[np.float64],
) -> None:
    """Write the critic's values of episodes that were cut off into `beyond`, (N, chains).

    A critic of its own tells of a seat that was there to the last; a critic of all seats tells
    all of them the same.
    """
    _, values, _, _ = _thoughts(think, ends, seen)
    for look in ends:
        if seen is not None or beyond.shape[1] == 1:
            beyond[look.rows] = values[look.seat][:, None]
        else:
            beyond[look.rows, look.seat] = values[look.seat]


_FIELDS = ("tensor", "legal", "action", "chance", "value", "chain", "moment")


def minibatches(
    played: Episodes, size: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all decisions once, in random order, in parts of about one size.

    With a joint critic, decisions of one moment stay together: it is asked once for them.

    Args:
        played: the decisions.
        size: of a part, at most.
        rng: draws the order.

    Yields:
        decisions, shape (m,); the moments they were made at, each once, shape (j,); and which
        of these each decision was made at, shape (m,).
    """
    count = len(played.action)
    if played.joint is None:
        order = rng.permutation(count)
    else:
        order = np.argsort(rng.permutation(played.moments)[played.moment], kind="stable")
    step = math.ceil(count / math.ceil(count / size))
    for rows in np.split(order, range(step, count, step)):
        yield rows, *np.unique(played.moment[rows], return_inverse=True)


@dataclass(frozen=True, eq=False)
class _Look:
    """What a seat sees in the episodes where it is to move, relabelled.

    Attributes:
        seat: the seat.
        rows: the episodes, shape (M,).
        tensor: shape (M, D).
        legal: shape (M, A).
    """

    seat: int
    rows: NDArray[np.int64]
    tensor: NDArray[np.float32]
    legal: NDArray[np.bool_]


class _View:
    """How seats see the episodes: through relabellings of their own, if there are any."""

    def __init__(
        self,
        batch: Any,
        episodes: int,
        seats: int,
        rng: np.random.Generator,
        symmetries: Symmetries | None,
        *,
        seat_input: bool,
        features: Features | None,
    ) -> None:
        self._batch, self._symmetries, self._features = batch, symmetries, features
        self._names = np.eye(seats, dtype=np.float32) if seat_input else None
        self._which: NDArray[np.int64] | None = None
        if symmetries is not None:
            self._which = rng.integers(len(symmetries.action), size=(episodes, seats))

    def __call__(self, seat: int, rows: NDArray[np.int64]) -> _Look:
        """Return what `seat` sees in the episodes `rows`."""
        seen = self._batch.observe(seat)
        tensor, legal = seen.tensor[rows], seen.legal[rows]
        if self._which is not None and self._symmetries is not None:
            which = self._which[rows, seat]
            tensor = np.take_along_axis(tensor, self._symmetries.observation[which], axis=1)
            legal = np.take_along_axis(legal, self._symmetries.action[which], axis=1)
        if self._features is not None:
            tensor = np.hstack([tensor, self._features(tensor)])
        if self._names is not None:
            tensor = np.hstack([tensor, np.tile(self._names[seat], (len(rows), 1))])
        return _Look(seat, rows, tensor, legal)

    def all(self, who: NDArray[np.bool_]) -> list[_Look]:
        """Return what every seat sees in the episodes where it is one of `who`, shape (N, n)."""
        return [self(seat, np.flatnonzero(who[:, seat])) for seat in range(who.shape[1])]

    def original(self, look: _Look, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the game's own numbers of the actions picked."""
        if self._which is None or self._symmetries is None:
            return picks
        own: NDArray[np.int64] = self._symmetries.action[self._which[look.rows, look.seat], picks]
        return own

    def relabelled(self, look: _Look, actions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what the game's own actions are called in `look`."""
        if self._which is None or self._symmetries is None:
            return actions
        names = np.argsort(self._symmetries.action, axis=1)
        own: NDArray[np.int64] = names[self._which[look.rows, look.seat], actions]
        return own
