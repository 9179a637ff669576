"""OpenSpiel games whose moves are structures rather than numbers (crossword).

An action is JSON text such as `{"clue_id": "A1", "word": "GO"}`; the action space draws
from all words of the right length, and OpenSpiel says whether a move is accepted.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np

from arena.errors import ArenaError, IllegalActionError
from arena.game import Game, Snapshot
from arena.types import Action, Floats, OtherSpace, Params
from games.adapters.openspiel_load import pyspiel, version

__all__ = ["ClueSpace", "StructState", "struct_game"]

_LONGEST = 64


class ClueSpace(gymnasium.spaces.Space[str]):  # type: ignore[misc] # gymnasium is not followed
    """Words for the clues of a crossword, as JSON text.

    Attributes:
        lengths: letters of each clue's answer.
    """

    def __init__(self, lengths: Mapping[str, int]) -> None:
        super().__init__(dtype=None)
        self.lengths = dict(lengths)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return random letters for a random clue."""
        clue = sorted(self.lengths)[int(self.np_random.integers(len(self.lengths)))]
        letters = self.np_random.integers(26, size=self.lengths[clue])
        return json.dumps(
            {"clue_id": clue, "word": "".join(string.ascii_uppercase[i] for i in letters)}
        )

    def contains(self, x: Any) -> bool:
        """Return whether `x` names a clue and a word that fits it."""
        try:
            move = _parsed(x)
        except ValueError:
            return False
        return self.lengths.get(move["clue_id"]) == len(move["word"])


def _parsed(action: object) -> dict[str, str]:
    move = json.loads(action) if isinstance(action, str) else action
    if not isinstance(move, dict) or set(move) != {"clue_id", "word"}:
        raise ValueError('expected {"clue_id": …, "word": …}')
    if not all(isinstance(value, str) for value in move.values()):
        raise ValueError("expected texts")
    return move


class StructState:
    """One episode; the moves so far are kept because OpenSpiel's history has no room for them."""

    def __init__(self, raw: Any, space: ClueSpace) -> None:
        self.raw = raw
        self.space = space
        self._before: Floats = np.zeros(1)

    def actors(self) -> tuple[int, ...]:
        """Return the only seat until it is over."""
        return () if self.raw.is_terminal() else (0,)

    def observe(self, seat: int) -> Snapshot:
        """Return the board."""
        view = self.raw.observation_string(seat)
        return Snapshot(seat=seat, key=view, view=view)

    def legal(self, seat: int) -> Sequence[int] | None:
        """Return None: moves have no numbers."""
        return None

    def step(self, actions: Mapping[int, Action]) -> None:
        """Enter a word."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        if not actors:
            raise IllegalActionError("the episode is over")
        action = actions[0]
        if not self.space.contains(action):
            raise IllegalActionError(
                f"seat 0 played {action!r}; expected JSON with clue_id and word, the word as long"
                f" as the clue's answer: {self.space.lengths}"
            )
        struct = pyspiel.crossword.CrosswordActionStruct(json.dumps(_parsed(action)))
        status = self.raw.validate_action_struct(struct)
        if not status.ok():
            raise IllegalActionError(f"seat 0 played {action!r}: {status.message()}")
        self._before = self.returns()
        self.raw.apply_action_struct(struct)

    def chance_outcomes(self) -> Sequence[tuple[int, float]]:
        """Return nothing: there is no chance."""
        return ()

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (1,)."""
        return self.returns() - self._before

    def returns(self) -> Floats:
        """Return the score so far, shape (1,)."""
        return np.array(self.raw.returns(), dtype=np.float64)

    def clone(self) -> StructState:
        """Return an independent copy."""
        twin = StructState(self.raw.clone(), self.space)
        twin._before = self._before
        return twin

    def render(self) -> str:
        """Return OpenSpiel's own drawing of the state."""
        return str(self.raw)


def _lengths(raw: Any) -> dict[str, int]:
    """Ask the game which words it would take for each clue that it shows."""
    state = raw.new_initial_state()
    clues = [line.split(".", 1)[0] for line in str(state).split("Clues:", 1)[-1].split("\n")]
    struct = pyspiel.crossword.CrosswordActionStruct
    return {
        clue: length
        for clue in clues
        if clue[:1] in ("A", "D") and clue[1:].isdigit()
        for length in range(1, _LONGEST)
        if state.validate_action_struct(struct(clue_id=clue, word="A" * length)).ok()
    }


def struct_game(raw: Any, *, id: str, params: Params, rebuildable: bool) -> Game:
    """Return an arena game around a `pyspiel.Game` that is played by structures only.

    Raises:
        ArenaError: it is none that this module knows.
    """
    about = raw.get_type()
    if about.short_name != "crossword":
        raise ArenaError(f"{id} has no numbered actions, and its structures are not known here")
    space = ClueSpace(_lengths(raw))

    def state(seed: int | None) -> StructState:
        return StructState(raw.new_initial_state(), space)

    return Game(
        id=id,
        seats=1,
        actions=(OtherSpace(space),),
        payoff="general_sum",
        turns="sequential",
        forms={"state": state},
        params=params,
        perfect_information=True,
        chance=False,
        # OpenSpiel's own bounds, ±1, are those of a single word.
        payoff_bounds=(-float(raw.max_game_length()), float(raw.max_game_length())),
        max_length=int(raw.max_game_length()),
        version=f"open_spiel {version()}",
        summary=about.long_name,
        citation="Lanctot et al. 2019, OpenSpiel, arXiv:1908.09453",
        rebuildable=rebuildable,
    )
