"""The form `state`: one episode, the row of a batch of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError
from arena.rng import stream_states
from arena.types import CHANCE, Action, Floats
from games.hanabi import layout as at
from games.hanabi._kernels import (
    act,
    blank,
    deal,
    draw,
    fresh,
    legal_row,
    refusal,
    returned,
    short_hand,
)
from games.hanabi._observe_kernels import resample
from games.hanabi.observe import HanabiObservation
from games.hanabi.render import svg, table
from games.hanabi.variant import COLORS, Variant

__all__ = ["HanabiState", "explain", "opening", "start"]


@lru_cache(maxsize=64)
def opening(variant: Variant) -> NDArray[np.int16]:
    """Return the row of an episode dealt from a sorted deck; to deal is to shuffle it, (W,)."""
    row = np.zeros(variant.width, dtype=np.int16)
    fresh(row, variant.numbers)
    row.flags.writeable = False
    return row


def start(variant: Variant, seed: int | None) -> HanabiState:
    """Start an episode; without a seed its chance nodes are exposed."""
    row = np.zeros(variant.width, dtype=np.int16)
    if seed is None:
        blank(row, variant.numbers)
    else:
        deal(row, variant.numbers, opening(variant), _stream(seed), 0)
    return HanabiState(variant, row, exposed=seed is None)


class HanabiState:
    """See `arena.game.State`.

    Attributes:
        variant: the variant that is played.
        row: the episode, int16, shape (W,); see `games.hanabi.layout`.
        exposed: chance nodes are shown; else the whole deck is in the row.
        waiting: chance is to decide next.
    """

    __slots__ = ("_paid", "exposed", "row", "variant", "waiting")

    def __init__(
        self, variant: Variant, row: NDArray[np.int16], *, exposed: bool = False, paid: int = 0
    ) -> None:
        self.variant = variant
        self.row = row
        self.exposed = exposed
        self._paid = paid
        self.waiting = exposed and self._chance_next()

    def _chance_next(self) -> bool:
        row = self.row
        undecided: bool = row[at.START] < 0 or short_hand(row, self.variant.numbers) >= 0
        return bool(row[at.LIVE]) and undecided

    def actors(self) -> tuple[int, ...]:
        """Return the seat to move, chance where it is exposed, or none at the end."""
        if self.waiting:
            return (CHANCE,)
        return (int(self.row[at.TURN]),) if self.row[at.LIVE] else ()

    def observe(self, seat: int) -> HanabiObservation:
        """Return what `seat` knows."""
        return HanabiObservation(self, seat)

    def legal(self, seat: int) -> Sequence[int]:
        """Return the legal actions of the seat to move (or the outcomes of chance)."""
        if seat == CHANCE:
            return [outcome for outcome, _ in self.chance_outcomes()]
        out = np.zeros(self.variant.actions, dtype=np.bool_)
        if not self.waiting:
            legal_row(self.row, self.variant.numbers, seat, out)
        found: list[int] = np.flatnonzero(out).tolist()
        return found

    def chance_outcomes(self) -> list[tuple[int, float]]:
        """Return who may begin, or the cards that may be dealt, with probabilities."""
        if not self.waiting:
            return []
        variant, row = self.variant, self.row
        if row[at.START] < 0:
            return [(seat, 1.0 / variant.players) for seat in range(variant.players)]
        dealt = int(row[at.DEALT])
        cards = [variant.outcome(card) for card in row[at.DECK : at.DECK + dealt].tolist()]
        seen = np.bincount(np.array(cards, dtype=np.int64), minlength=variant.max_score)
        total = variant.deck_size - dealt
        copies = np.tile(variant.copies, variant.colors)
        return [
            (card, left / total) for card, left in enumerate((copies - seen).tolist()) if left > 0
        ]

    def step(self, actions: Mapping[int, Action]) -> None:
        """Make the move; see `arena.game.State`."""
        actors = self.actors()
        if len(actions) != 1 or actors != tuple(actions):
            to_move = "nobody, the game is over" if not actors else _named(actors[0])
            raise IllegalActionError(
                f"hanabi: actions of {', '.join(map(_named, actions)) or 'nobody'},"
                f" but to move is {to_move}"
            )
        seat = actors[0]
        action = actions[seat]
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(
                f"hanabi: {_named(seat)} played {action!r}, where an action is an integer from 0"
                f" to {self.variant.actions - 1}"
            )
        if seat == CHANCE:
            self._chance(int(action))
            return
        row, numbers = self.row, self.variant.numbers
        code = refusal(row, numbers, int(action))
        if code:
            raise IllegalActionError(f"hanabi: {explain(self.variant, row, int(action), code)}")
        before = returned(row, numbers)
        act(row, numbers, int(action), -1)
        self._paid = int(returned(row, numbers) - before)
        if self.exposed:
            self.waiting = self._chance_next()
        elif row[at.LIVE]:
            short = short_hand(row, numbers)
            if short >= 0:
                draw(row, numbers, short)

    def _chance(self, outcome: int) -> None:
        row, numbers = self.row, self.variant.numbers
        outcomes = self.legal(CHANCE)
        if outcome not in outcomes:
            raise IllegalActionError(
                f"hanabi: chance has no outcome {outcome} here; possible are"
                f" {', '.join(map(str, outcomes))}"
            )
        self._paid = 0
        if row[at.START] < 0:
            row[at.START] = row[at.TURN] = outcome
        else:
            row[at.DECK + row[at.DEALT]] = self.variant.dealt(outcome)
            draw(row, numbers, short_hand(row, numbers))
        self.waiting = self._chance_next()

    def rewards(self) -> Floats:
        """Return by how much the last step changed the score, shape (n,)."""
        return np.full(self.variant.players, float(self._paid))

    def returns(self) -> Floats:
        """Return the score so far, the same for every seat, shape (n,)."""
        score = returned(self.row, self.variant.numbers)
        return np.full(self.variant.players, float(score))

    def clone(self) -> HanabiState:
        """Return an independent copy that will draw the same cards."""
        return HanabiState(self.variant, self.row.copy(), exposed=self.exposed, paid=self._paid)

    def resample(self, seat: int, seed: int) -> HanabiState:
        """Return a state drawn uniformly from those that `seat` cannot tell apart.

        Its own cards agree with the hints and with the cards it has seen; the moves of the
        others are not taken as evidence. The deck to come is drawn too.
        """
        out = np.empty_like(self.row)
        resample(self.row, self.variant.numbers, seat, _stream(seed), 0, out)
        return HanabiState(self.variant, out, paid=self._paid)

    def history(self) -> list[int]:
        """Return the cards dealt and the moves, in order; first who begins if chance said."""
        variant, row = self.variant, self.row
        cards = row[at.DECK : at.DECK + int(row[at.DEALT])].tolist()
        dealt = [variant.outcome(card) for card in cards]
        moves = row[at.LOG : at.LOG + 2 * int(row[at.LENGTH]) : 2].tolist()
        first = variant.players * variant.cards_held
        out = [int(row[at.START])] if variant.random_start_player and row[at.START] >= 0 else []
        out += dealt[:first]
        later = iter(dealt[first:])
        for action in moves:
            out.append(action)
            if action < 2 * variant.cards_held:
                out += [card for card in (next(later, None),) if card is not None]
        return out

    def action_name(self, seat: int, action: int) -> str:
        """Return what an action, or an outcome of chance, is called here."""
        if seat != CHANCE:
            return self.variant.action_name(seat, action)
        if self.row[at.START] < 0:
            return f"seat {action} begins"
        return f"deal {self.variant.card_name(self.variant.dealt(action))}"

    def render(self) -> str:
        """Return the table with all cards open."""
        return table(self.variant, self.row, None)

    def render_svg(self) -> str:
        """Return a drawing of the table with all cards open."""
        return svg(self.variant, self.row)


def explain(variant: Variant, row: NDArray[np.int16], action: int, code: int) -> str:
    """Return in words why `refusal` refused an action."""
    seat = int(row[at.TURN])
    if code == 1:
        return f"seat {seat} played {action}; actions are 0 to {variant.actions - 1}"
    kind, one, two = variant.action(action)
    name = variant.action_name(seat, action)
    if code == 2:
        held = int(row[at.SIZES + seat])
        return f"seat {seat} cannot {name}: it holds {held} cards, slots 0 to {held - 1}"
    if code == 3:
        tokens = variant.max_information_tokens
        return f"seat {seat} cannot {name}: all {tokens} information tokens are there"
    if code == 4:
        return f"seat {seat} cannot {name}: no information token is left"
    other = (seat + one) % variant.players
    base = at.HANDS + other * variant.cards_held
    cards = [int(row[at.DECK + i]) for i in row[base : base + int(row[at.SIZES + other])]]
    lacking = f"colour {COLORS[two]}" if kind == "color" else f"rank {two + 1}"
    held_cards = " ".join(variant.card_name(card) for card in cards) or "no card"
    return f"seat {seat} cannot {name}: seat {other} holds {held_cards}, none of {lacking}"


def _named(seat: int) -> str:
    return "chance" if seat == CHANCE else f"seat {seat}"


def _stream(seed: int) -> NDArray[np.uint64]:
    return stream_states(np.array([seed & (1 << 64) - 1], dtype=np.uint64))
