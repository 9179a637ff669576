"""A seat's belief about its own hand, kept from one of its decisions to the next.

1. At first, and whenever moves were missed: all hands that hints and counts allow (if there
   are at most `limit`, which makes the belief exact), else `tries` of them drawn with the
   odds of the deal; each goes through the whole game, and is weighed by the probability of
   the partners' moves.
2. Afterwards hands are carried on: those that disagree with a card now seen are dropped,
   a card drawn makes one new hand for each card it may be, and only the new moves are gone
   through. If an exact belief outgrows `limit`, or a sampled one `tries`, so many are kept
   by systematic resampling, and their weights corrected.
3. A sampled belief whose effective sample size falls below `least` is begun anew (step 1).
4. If no hand explains the partners' moves, hands are drawn as if the moves said nothing;
   that is counted (`fallbacks`).

A partner follows its bot with probability 1 − `soft` and plays any legal move otherwise.

Source: Lerer, Hu, Foerster and Brown 2020, "Improving policies via search in cooperative
partially observable games", AAAI, section 4 (exact beliefs, `soft` = 0); Doucet, de Freitas
and Gordon 2001, "Sequential Monte Carlo methods in practice", chapter 1 (steps 2 and 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.hanabi import _belief_kernels as enumeration
from agents.hanabi import _search_kernels as kernels
from agents.hanabi.models import Model
from arena.rng import streams_random
from games.hanabi import Variant
from games.hanabi import layout as at

__all__ = ["Tracker"]

_CHUNK = 8192


class Tracker:
    """The belief of one seat in one game.

    Attributes:
        hands: cards of the own hand, oldest first, shape (K, cards held).
        weights: their probabilities, shape (K,).
        memories: what each seat remembers if the hand is that one, shape (K, n, 50).
        unseen: how many of each card the seat has not seen, shape (40,).
        exact: whether these are all hands with their exact probabilities.
        effective: effective sample size, 1 / Σ weights².
        fallbacks: how often no hand explained the partners' moves.
        rebuilt: how often the belief was begun anew for want of samples.
    """

    def __init__(
        self,
        variant: Variant,
        seat: int,
        model: Model,
        *,
        limit: int = 4000,
        tries: int = 4000,
        least: float = 50.0,
        soft: float = 0.0,
    ) -> None:
        self._variant, self._seat = variant, seat
        self._model = model
        self._limit, self._tries, self._least, self._soft = limit, tries, least, soft
        self._base = np.zeros(variant.width, dtype=np.int16)
        self._base[at.LENGTH] = -1
        self.unseen = np.zeros(40, dtype=np.int64)
        self.hands = np.zeros((0, 0), dtype=np.int16)
        self.memories = np.zeros((1, variant.players, at.MAX_CARDS), dtype=np.int64)
        self.weights: NDArray[np.float64] = np.zeros(0)
        self._likely: NDArray[np.float64] = np.zeros(0)
        self._correction: NDArray[np.float64] = np.zeros(0)
        self.exact, self.effective = False, 0.0
        self.fallbacks = self.rebuilt = 0

    def update(self, seen: NDArray[np.int16], streams: NDArray[np.uint64]) -> None:
        """Bring the belief up to the episode as the seat sees it, shape (W,)."""
        base = self._base
        kernels.unseen_counts(seen, self._variant.numbers, self.unseen)
        if self._follows(seen):
            if seen[at.LENGTH] == base[at.LENGTH]:
                return
            self._carry_on(seen, streams)
            if not self.exact and self.effective < self._least:
                self._rebuild(seen, streams)
        else:
            self._begin(seen, streams)
        if len(self.weights) == 0:
            self._fall_back(seen, streams)
        self._base[:] = seen

    def _follows(self, seen: NDArray[np.int16]) -> bool:
        """Whether `seen` comes at most one own move after the last position."""
        base, seat = self._base, self._seat
        length = int(base[at.LENGTH])
        if length < 0 or length > seen[at.LENGTH] or base[at.START] != seen[at.START]:
            return False
        log = slice(at.LOG, at.LOG + 2 * length)
        deck = slice(at.DECK, at.DECK + at.MAX_CARDS)
        known = base[deck] >= 0
        same = (base[log] == seen[log]).all() and (base[deck] == seen[deck])[known].all()
        players = self._variant.players
        next_own = base[at.TURN] == seat and int(seen[at.LENGTH]) - length <= players
        return bool(same and next_own)

    def _slots(self, row: NDArray[np.int16]) -> NDArray[np.int64]:
        base = at.HANDS + self._seat * self._variant.cards_held
        return row[base : base + int(row[at.SIZES + self._seat])].astype(np.int64)

    # -- the three ways to a belief ------------------------------------------------------

    def _begin(self, seen: NDArray[np.int16], streams: NDArray[np.uint64]) -> None:
        numbers = self._variant.numbers
        size = int(seen[at.SIZES + self._seat])
        hands = np.zeros((self._limit, size), dtype=np.int16)
        ways = np.zeros(self._limit)
        found = int(enumeration.enumerate_hands(seen, numbers, self._seat, hands, ways))
        self.exact = found <= self._limit
        hands = hands[:found] if self.exact else self._drawn(seen, streams)
        correction = np.ones(len(hands)) if self.exact else 1.0 / self._ways(hands)
        start = np.empty_like(seen)
        kernels.begin_row(seen, numbers, start)
        parents = np.full(len(hands), -1, dtype=np.int64)
        self._go_through(start, seen, hands, parents, np.ones(len(hands)), correction)

    def _rebuild(self, seen: NDArray[np.int16], streams: NDArray[np.uint64]) -> None:
        kept = (self.hands, self.memories, self._likely, self._correction, self.weights)
        before = self.effective
        self._begin(seen, streams)
        self.rebuilt += 1
        if not self.exact and self.effective < before:
            self.hands, self.memories, self._likely, self._correction, self.weights = kept
            self.effective = before

    def _carry_on(self, seen: NDArray[np.int16], streams: NDArray[np.uint64]) -> None:
        old, new = self._slots(self._base), self._slots(seen)
        played = ~np.isin(old, new)
        shown = seen[at.DECK + old[played]]
        parents = np.flatnonzero((self.hands[:, played] == shown).all(axis=1))
        hands = self.hands[parents][:, ~played]
        if len(new) > hands.shape[1]:
            left = np.repeat(self.unseen[None], len(hands), axis=0)
            for slot in range(hands.shape[1]):
                left[np.arange(len(hands)), hands[:, slot]] -= 1
            which, card = np.nonzero(left > 0)
            hands = np.concatenate([hands[which], card[:, None].astype(np.int16)], axis=1)
            parents = parents[which]
        likely, correction = self._likely[parents], self._correction[parents]
        weight = likely * correction * self._ways(hands)
        # A card that a partner has drawn meanwhile cannot be here too.
        able = weight > 0.0
        hands, parents, weight = hands[able], parents[able], weight[able]
        likely, correction = likely[able], correction[able]
        most = self._limit if self.exact else self._tries
        if len(hands) > most:
            self.exact = False
            chosen = systematic(weight, self._tries, streams)
            hands, parents, likely = hands[chosen], parents[chosen], likely[chosen]
            correction = correction[chosen] / weight[chosen]
        self._go_through(self._base, seen, hands, parents, likely, correction)

    def _fall_back(self, seen: NDArray[np.int16], streams: NDArray[np.uint64]) -> None:
        self.fallbacks += 1
        hands = self._drawn(seen, streams)
        start = np.empty_like(seen)
        kernels.begin_row(seen, self._variant.numbers, start)
        parents = np.full(len(hands), -1, dtype=np.int64)
        self.exact = False
        soft, self._soft = self._soft, 1.0
        self._go_through(start, seen, hands, parents, np.ones(len(hands)), 1.0 / self._ways(hands))
        self._soft = soft
        # The moves say nothing: every hand drawn counts the same.
        self._likely = np.ones(len(self.hands))
        self._correction = 1.0 / self._ways(self.hands)
        self._weigh()

    # -- their parts ----------------------------------------------------------------------

    def _drawn(self, seen: NDArray[np.int16], streams: NDArray[np.uint64]) -> NDArray[np.int16]:
        worlds = np.empty((self._tries, len(seen)), dtype=np.int16)
        enumeration.sample_worlds(seen, self._variant.numbers, self._seat, streams, worlds)
        return worlds[:, at.DECK + self._slots(seen)]

    def _ways(self, hands: NDArray[np.int16]) -> NDArray[np.float64]:
        out = np.empty(len(hands))
        kernels.count_ways(hands, self.unseen, out)
        return out

    def _go_through(  # noqa: PLR0917 - six arrays that belong together
        self,
        start: NDArray[np.int16],
        seen: NDArray[np.int16],
        hands: NDArray[np.int16],
        parents: NDArray[np.int64],
        likely: NDArray[np.float64],
        correction: NDArray[np.float64],
    ) -> None:
        """Weigh hands by the moves since `start`, and keep those that are possible."""
        before = self.memories
        kept, memories = [], []
        for low in range(0, len(hands), _CHUNK):
            part = slice(low, low + _CHUNK)
            factor, minds = self._model.replay(
                start, seen, self._seat, hands[part], parents[part], before, self._soft
            )
            likely[part] *= factor
            alive = likely[part] > 0.0
            kept.append(low + np.flatnonzero(alive))
            memories.append(minds[alive])
        chosen = np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)
        self.hands, self._likely = hands[chosen], likely[chosen]
        self._correction = correction[chosen]
        self.memories = np.concatenate(memories) if memories else before[:0]
        self._weigh()

    def _weigh(self) -> None:
        weight = self._likely * self._correction * self._ways(self.hands)
        total = float(weight.sum())
        if total > 0.0:
            # Only ratios matter; without this, products of many chances would vanish.
            self._likely = self._likely / self._likely.max()
            self.weights = weight / total
            self.effective = float(1.0 / (self.weights**2).sum())
        else:
            self.hands, self.weights = self.hands[:0], weight[:0]
            self.memories, self._likely = self.memories[:0], self._likely[:0]
            self._correction, self.effective = self._correction[:0], 0.0


def systematic(
    weight: NDArray[np.float64], count: int, streams: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Draw `count` indices with odds `weight`, shape (K,), by systematic resampling."""
    offset = float(streams_random(streams, slice(1))[0])
    edges = np.cumsum(weight)
    marks = (np.arange(count) + offset) * (edges[-1] / count)
    found: NDArray[np.int64] = np.searchsorted(edges, marks, side="right")
    last = int(np.flatnonzero(weight)[-1])  # rounding may lead beyond it
    return np.minimum(found, last)
