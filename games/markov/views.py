"""From what a seat sees of a game to the state of its Markov form.

A Markov form that is explored from a game's episodes (`explore`) numbers its states; the
game itself shows views. `Views` says which state a view belongs to, and `Steps` how many
decisions the episode has behind it when a seat is to decide for the (c + 1)-th time: c where
all seats decide at once everywhere, and otherwise whatever the form leaves possible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from arena.game import Observation
from arena.types import Mask
from games.markov.form import MarkovGame

__all__ = ["UNKNOWN", "Steps", "Views", "plain", "steps_of"]

Ints = NDArray[np.int64]

UNKNOWN = -1
"""A step that does not follow from what is known."""
_NEVER = -2

_COUNTERS = re.compile(
    r"^(total )?(moves?|turns?|steps?|most recent reward|total rewards?)\s*[:=].*$",
    re.IGNORECASE | re.MULTILINE,
)


def plain(text: str) -> str:
    """Return a rendering or view without lines that count moves or payoffs."""
    return _COUNTERS.sub("", text).strip()


class Views:
    """What seats that are to move see in the states of a form.

    Attributes:
        states: for each seat, from view to state.
        acts: which seats are to move, shape (S, n).
    """

    def __init__(self, game: str, seats: int) -> None:
        self._game = game
        self.states: tuple[dict[str, int], ...] = tuple({} for _ in range(seats))
        self.acts: Mask = np.zeros((0, seats), dtype=np.bool_)
        self._alike: tuple[int, int, int] | None = None

    def note(self, observation: Observation, state: int) -> None:
        """Keep that a seat sees this in a state."""
        own = self.states[observation.seat]
        known = own.setdefault(plain(observation.view), state)
        if known != state and self._alike is None:
            self._alike = (observation.seat, known, state)

    def check(self, form: MarkovGame) -> None:
        """Refuse games in which a seat cannot see which state it is in.

        Raises:
            NotApplicableError: naming the seat and two states.
        """
        if self._alike is not None:
            seat, one, other = self._alike
            raise NotApplicableError(
                f"{self._game} hides its state: seat {seat} cannot tell"
                f" {form.state_names[one]!r} from {form.state_names[other]!r}, and a Markov"
                f" policy may; markov/of(game={self._game}) shows every seat everything"
            )


@dataclass(frozen=True, eq=False)
class Steps:
    """The step at which a seat decides, of policies with T stages.

    Attributes:
        by_count: by state and own decisions so far, (S, T); (0, 0) where all seats always
            decide at once, so that the count is the step.
        by_state: by state alone, (S,).
        Both have `UNKNOWN` where several steps are possible.
    """

    by_count: Ints
    by_state: Ints

    def at(self, state: int, count: int) -> int:
        """Return the step, or `UNKNOWN`; counts beyond the table are as late as it gets."""
        if not self.by_count.size:
            return count
        stages = self.by_count.shape[1]
        return stages - 1 if count >= stages else int(self.by_count[state, count])


def steps_of(form: MarkovGame, acts: Mask, seat: int, stages: int) -> Steps:
    """Return at which of the first `stages` steps a seat may decide where.

    Args:
        form: the form.
        acts: which seats are to move, shape (S, n); rows of terminal states do not count.
        seat: the seat.
        stages: T, the stages of the policy; later ones are played like the last.
    """
    from scipy.sparse import csr_array

    own = acts[:, seat] & ~form.terminal
    source = np.repeat(np.arange(form.states * form.joint), np.diff(form.indptr)) // form.joint
    graph = csr_array(
        (np.ones(len(source)), (form.indices, source)), shape=(form.states, form.states)
    )
    by_count = np.full((form.states, stages), _NEVER, dtype=np.int64)
    by_state = np.full(form.states, _NEVER, dtype=np.int64)
    reach = np.zeros((form.states, stages + 1), dtype=np.bool_)
    reach[:, 0] = (form.initial > 0) & ~form.terminal
    for step in range(stages):
        met = reach[:, :stages] & own[:, None]
        by_count[met] = np.where(by_count[met] == _NEVER, step, UNKNOWN)
        here = met.any(axis=1)
        by_state[here] = np.where(by_state[here] == _NEVER, step, UNKNOWN)
        moved = np.where(own[:, None], np.roll(reach, 1, axis=1), reach)
        moved[own, 0] = False
        reach = (graph @ moved.astype(np.float64)) > 0
        reach[form.terminal] = False
    by_count[by_count == _NEVER] = stages - 1
    by_state[by_state == _NEVER] = stages - 1
    if stages > 1 and reach.any():
        # Later decisions play the last stage too: a state met again then has no one step.
        late = reach.any(axis=1) & own & (by_state != stages - 1)
        by_state[late] = UNKNOWN
    if bool(acts[~form.terminal].all()):
        by_count = np.zeros((0, 0), dtype=np.int64)
    return Steps(by_count, by_state)
