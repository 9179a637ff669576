"""The parameters of Hanabi, checked.

They are those of the Hanabi Learning Environment (Bard et al. 2020, "The Hanabi Challenge:
a new frontier for AI research", Artificial Intelligence 280), and two conventions in which
rule books and programs differ: what a team gets that loses its last life, and whether a
last round follows when the deck runs out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from games.hanabi import layout as at

__all__ = ["COLORS", "Variant"]

COLORS = "RYGWB"
"""Letters of the colours, in the order of their numbers."""

_CHOICES = {
    "observation_type": ("card_knowledge", "minimal", "seer"),
    "lost_score": ("zero", "fireworks"),
    "end_of_deck": ("last_round", "at_once"),
}
_RANGES = {
    "players": (2, 5),
    "colors": (1, 5),
    "ranks": (1, 5),
    "hand_size": (1, 10),
    "max_information_tokens": (0, 100),
    "max_life_tokens": (1, 100),
}


@dataclass(frozen=True)
class Variant:
    """A variant of Hanabi.

    Attributes:
        players: 2 to 5.
        colors: 1 to 5.
        ranks: 1 to 5; of a colour there are three 1s, one of the highest rank and two of
            every rank between.
        hand_size: 1 to 10; by default 5 for two or three players, else 4.
        max_information_tokens: 0 to 100.
        max_life_tokens: 1 to 100.
        observation_type: `card_knowledge`; `minimal`, whose tensor leaves out what hints
            say; or `seer`, in which everybody knows every card dealt.
        random_start_player: chance decides who begins; otherwise seat 0 does.
        lost_score: what the loss of the last life leaves, `zero` or the `fireworks`.
        end_of_deck: everybody has one more turn as the last card is drawn (`last_round`),
            or the game is over (`at_once`).
    """

    players: int = 2
    colors: int = 5
    ranks: int = 5
    hand_size: int | None = None
    max_information_tokens: int = 8
    max_life_tokens: int = 3
    observation_type: str = "card_knowledge"
    random_start_player: bool = False
    lost_score: str = "zero"
    end_of_deck: str = "last_round"

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if name == "hand_size" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ParameterError(
                    name, value, f"an integer from {low} to {high}", where="hanabi"
                )
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                if isinstance(value, str):
                    hint = f"allowed are {', '.join(map(repr, choices))}"
                    raise UnknownNameError(f"hanabi {name}", value, choices, hint=hint)
                raise ParameterError(name, value, f"one of {choices}", where="hanabi")
        if not isinstance(self.random_start_player, bool):
            raise ParameterError(
                "random_start_player", self.random_start_player, "true or false", where="hanabi"
            )
        held = self.players * self.cards_held
        if held > self.deck_size:
            most = self.deck_size // self.players
            raise ParameterError(
                "hand_size",
                self.cards_held,
                f"at most {most}: {self.players} hands of it need {held} cards, the deck of"
                f" {self.colors} colors and {self.ranks} ranks has {self.deck_size}",
                where="hanabi",
            )

    @staticmethod
    def of(params: dict[str, Any]) -> Variant:
        """Return the variant with these parameters.

        Raises:
            UnknownNameError: of a parameter or a choice.
            ParameterError: out of range, or a deck too small for the hands.
        """
        known = [field.name for field in fields(Variant)]
        for name in params:
            if name not in known:
                raise UnknownNameError(
                    "parameter of hanabi", name, known, hint=f"it takes {', '.join(known)}"
                )
        return Variant(**params)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that are not the default ones."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}

    @cached_property
    def cards_held(self) -> int:
        """Cards in a full hand."""
        if self.hand_size is not None:
            return self.hand_size
        return 5 if self.players < 4 else 4

    @cached_property
    def copies(self) -> tuple[int, ...]:
        """Copies of a card in the deck, by rank."""
        last = self.ranks - 1
        return tuple(3 if r == 0 else 1 if r == last else 2 for r in range(self.ranks))

    @cached_property
    def deck_size(self) -> int:
        """Cards in the deck."""
        return self.colors * sum(self.copies)

    @cached_property
    def actions(self) -> int:
        """Discards, plays, then the hints of a colour and those of a rank to each other seat."""
        return 2 * self.cards_held + (self.players - 1) * (self.colors + self.ranks)

    @cached_property
    def max_score(self) -> int:
        """The greatest score."""
        return self.colors * self.ranks

    @cached_property
    def max_length(self) -> int:
        """A bound on the number of moves.

        A play or discard takes a card from the deck or belongs to the last round, a hint
        takes a token that was there at first or came back with one of those.
        """
        drawn = self.deck_size - self.players * self.cards_held + self.players
        return 2 * drawn + self.max_information_tokens

    @cached_property
    def width(self) -> int:
        """Numbers in the row of an episode."""
        return at.LOG + 2 * self.max_length

    @cached_property
    def tensor_size(self) -> int:
        """Numbers in the canonical encoding."""
        n, h, cards = self.players, self.cards_held, self.max_score
        hands = (n - 1) * h * cards + n
        board = self.deck_size - n * h + cards + self.max_information_tokens + self.max_life_tokens
        last = 2 * n + 4 + self.colors + self.ranks + 2 * h + cards + 2
        told = (
            0 if self.observation_type == "minimal" else n * h * (cards + self.colors + self.ranks)
        )
        return hands + board + self.deck_size + last + told

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """What kernels need to know, shape (CFG_SIZE,); see `games.hanabi.layout`."""
        out = np.zeros(at.CFG_SIZE, dtype=np.int64)
        out[at.CFG_PLAYERS] = self.players
        out[at.CFG_COLORS] = self.colors
        out[at.CFG_RANKS] = self.ranks
        out[at.CFG_HAND] = self.cards_held
        out[at.CFG_INFORMATION] = self.max_information_tokens
        out[at.CFG_LIVES] = self.max_life_tokens
        out[at.CFG_SHOW_KNOWLEDGE] = self.observation_type != "minimal"
        out[at.CFG_SEER] = self.observation_type == "seer"
        out[at.CFG_RANDOM_START] = self.random_start_player
        out[at.CFG_KEEP_SCORE] = self.lost_score == "fireworks"
        out[at.CFG_AT_ONCE] = self.end_of_deck == "at_once"
        out[at.CFG_DECK] = self.deck_size
        out[at.CFG_ACTIONS] = self.actions
        out[at.CFG_LENGTH] = self.max_length
        out[at.CFG_COPIES : at.CFG_COPIES + self.ranks] = self.copies
        kinds = {"discard": 0, "play": 1, "color": 2, "rank": 3}
        for number in range(self.actions):
            kind, one, two = self.action(number)
            steps, value = (0, one) if kinds[kind] < 2 else (one, two)
            out[at.CFG_MOVES + number] = kinds[kind] + 4 * steps + 32 * value
        for chosen in range(32):
            bits = (1 << self.ranks * c for c in range(self.colors) if chosen >> c & 1)
            out[at.CFG_SPREAD + chosen] = sum(bits)
        out.flags.writeable = False
        return out

    def words(self) -> NDArray[np.uint64]:
        """Return room for the canonical encoding bit by bit, and one word more."""
        return np.empty(self.tensor_size // 64 + 2, dtype=np.uint64)

    def action(self, number: int) -> tuple[str, int, int]:
        """Return what an action is: its kind, and two numbers.

        Returns:
            `("discard", slot, 0)`, `("play", slot, 0)`, `("color", how many seats on,
            colour)` or `("rank", how many seats on, rank)`.
        """
        h, colors, ranks = self.cards_held, self.colors, self.ranks
        if number < 2 * h:
            return ("discard", number, 0) if number < h else ("play", number - h, 0)
        number -= 2 * h
        if number < (self.players - 1) * colors:
            return "color", number // colors + 1, number % colors
        number -= (self.players - 1) * colors
        return "rank", number // ranks + 1, number % ranks

    def action_name(self, seat: int, number: int) -> str:
        """Return what an action of `seat` is called."""
        kind, one, two = self.action(number)
        if kind in ("discard", "play"):
            return f"{kind} {one}"
        told = COLORS[two] if kind == "color" else f"rank {two + 1}"
        return f"tell seat {(seat + one) % self.players} {told}"

    def card_name(self, card: int) -> str:
        """Return colour and rank of a card, `??` where it is not known."""
        return "??" if card < 0 else f"{COLORS[card >> 3]}{(card & 7) + 1}"

    def outcome(self, card: int) -> int:
        """Return the number of the outcome of chance that deals a card."""
        return (card >> 3) * self.ranks + (card & 7)

    def dealt(self, outcome: int) -> int:
        """Return the card that an outcome of chance deals."""
        return outcome // self.ranks * 8 + outcome % self.ranks
