"""Whole episodes of self-play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from arena.rng import seat_seeds
from solvers.ppo.episodes import Episodes, Record
from solvers.training.evaluate import sample_rows

__all__ = ["Symmetries", "play_episodes"]

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
    fade: float = 1.0,
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
        fade: see `Record`.
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
    record = Record(episodes, chains, fade)
    seen: NDArray[np.float32] | None = None
    while (acting := batch.actors()).any():
        actions = np.zeros((episodes, seats), dtype=np.int64)
        looks = view.all(acting)
        if joint and seen is None:
            seen = np.zeros((episodes, seats, looks[0].tensor.shape[1]), dtype=np.float32)
        chances, values, whole, which = _thoughts(think, looks, seen)
        for look in looks:
            rows, seat, size = look.rows, look.seat, len(look.rows)
            if not size:
                continue
            picks = done = sample_rows(chances[seat], rng.random(size))
            if teachers:
                answers = teachers[seat].act_batch(batch.observe(seat))
                picks = view.relabelled(look, answers[rows])
                done = np.where(guided[rows], picks, done)
            actions[rows, seat] = view.original(look, done)
            chance = chances[seat][np.arange(size), picks]
            found = (look.tensor, look.legal, picks, chance, values[seat])
            record.decide(rows, 0 if team else seat, which[seat], *found)
        record.close(int(acting.any(axis=1).sum()), whole)
        batch.step(actions)
        paid = np.asarray(batch.rewards())[:, :chains]
        record.pay(np.where(paid < 0.0, loss_weight * paid, paid))
        cut = getattr(batch, "truncated", None)
        if cut is not None and (acting & cut[:, None]).any():
            _foretell(think, view.all(acting & cut[:, None]), seen, record, chains)
    return record.episodes(np.asarray(batch.returns(), dtype=np.float64))


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
    record: Record,
    chains: int,
) -> None:
    """Record the critic's values of episodes that were cut off.

    A critic of its own tells of a seat that was there to the last; a critic of all seats tells
    all of them the same.
    """
    _, values, _, _ = _thoughts(think, ends, seen)
    for look in ends:
        if seen is not None or chains == 1:
            record.foretell(look.rows, slice(None), values[look.seat][:, None])
        else:
            record.foretell(look.rows, look.seat, values[look.seat])


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
