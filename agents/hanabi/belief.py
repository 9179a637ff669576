"""What a seat believes of its own hand, given how its partners play.

1. Hands that agree with the cards seen and with the hints are listed (`exact`), each
   weighing as many ways as the unseen copies make it; if there are more than `limit`,
   `samples` of them are drawn with those odds.
2. Each is put in place of the unknown hand, the game is gone through again, and the weight
   is multiplied by the probability of every move that a partner made (importance weights
   in the sampled case). The seat's own moves say nothing about its hand.
3. If every weight is zero a partner does not play as assumed. Then the weights of step 1
   are kept, and `consistent` is False.

Source: Lerer, Hu, Foerster and Brown 2020, "Improving policies via search in cooperative
partially observable games", AAAI, section 4 (beliefs under a common-knowledge blueprint).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.hanabi.table import BOTS
from arena.errors import ParameterError, UnknownNameError
from arena.rng import stream_states
from games.hanabi import layout as at
from games.hanabi.observe import HanabiObservation

__all__ = ["Belief", "believe"]


@dataclass(frozen=True, eq=False)
class Belief:
    """A distribution over the own hand.

    Attributes:
        hands: cards (`colour * 8 + rank`), oldest first, shape (M, cards held).
        weights: probabilities, shape (M,).
        exact: whether these are all hands with their exact probabilities.
        consistent: whether any of them explains the partners' moves.
        effective: effective sample size, 1 / Σ weights² (Kong 1992).
    """

    hands: NDArray[np.int16]
    weights: NDArray[np.float64]
    exact: bool
    consistent: bool
    effective: float


def believe(
    observation: HanabiObservation,
    partners: Sequence[str],
    *,
    limit: int = 2000,
    samples: int = 1000,
    seed: int = 0,
) -> Belief:
    """Return the belief of the observing seat about its own hand.

    Args:
        observation: what the seat knows.
        partners: the bot in each seat, shape (n,); the seat's own entry is not used.
        limit: list all hands if there are at most so many; 0: always sample.
        samples: how many to draw otherwise.
        seed: of the draws.

    Raises:
        ParameterError: not one partner a seat, or a number out of range.
        UnknownNameError: no bot of that name.
    """
    from agents.hanabi import _belief_kernels as kernels
    from agents.hanabi._table_kernels import WORK

    variant, seat, row = observation.variant, observation.seat, observation.row
    if len(partners) != variant.players:
        raise ParameterError("partners", list(partners), f"{variant.players} bots, one a seat")
    for name in partners:
        if name not in BOTS:
            raise UnknownNameError("Hanabi bot", name, BOTS)
    for name, value, least in (("limit", limit, 0), ("samples", samples, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ParameterError(name, value, f"an integer ≥ {least}")
    numbers, size = variant.numbers, int(row[at.SIZES + seat])
    hands = np.zeros((limit, size), dtype=np.int16)
    prior = np.zeros(limit)
    found = int(kernels.enumerate_hands(row, numbers, seat, hands, prior))
    exact = found <= limit
    count = found if exact else samples
    worlds = np.empty((count, len(row)), dtype=np.int16)
    if exact:
        hands, prior = hands[:found], prior[:found]
        kernels.deal_hands(row, numbers, seat, hands, worlds)
    else:
        streams = stream_states(np.array([seed & (1 << 64) - 1], dtype=np.uint64))
        kernels.sample_worlds(row, numbers, seat, streams, worlds)
        base = at.HANDS + seat * variant.cards_held
        hands = worlds[:, at.DECK + row[base : base + size].astype(np.int64)]
        prior = np.ones(samples)
    likely = np.zeros(count)
    kernels.likelihoods(
        np.array([BOTS[name].number for name in partners]),
        worlds,
        numbers,
        seat,
        np.zeros((variant.players, at.MAX_CARDS), dtype=np.int64),
        np.zeros(len(row), dtype=np.int16),
        np.zeros(WORK, dtype=np.int64),
        likely,
    )
    weights = prior * likely
    consistent = bool(weights.sum() > 0.0)
    if not consistent:
        weights = prior
    weights = weights / weights.sum()
    return Belief(hands, weights, exact, consistent, float(1.0 / (weights**2).sum()))
