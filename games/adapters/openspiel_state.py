"""The states and observations of OpenSpiel games, as arena's contract wants them.

1. Chance is drawn from a stream of the state's own; chance nodes are never seen, unless
   the state came from `Game.root()`.
2. Mean-field nodes are given a population that is spread evenly.
3. Seats that have nothing to choose at a simultaneous node sit out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.episode import Chooser
from arena.errors import FormError, IllegalActionError
from arena.game import Clock
from arena.rng import Stream
from arena.types import CHANCE, Action, Floats, Mask
from games.adapters.openspiel_load import pyspiel, quiet

if TYPE_CHECKING:
    from games.tree.walk import Cursor
from games.adapters.openspiel_kind import (
    CHANCE_PLAYER,
    MEAN_FIELD,
    SIMULTANEOUS,
    TERMINAL,
    Kind,
    draw,
    follow,
    replay,
)

__all__ = ["OpenSpielObservation", "OpenSpielState"]


class OpenSpielObservation:
    """A seat's look at a `pyspiel.State`, computed on first use.

    Attributes:
        seat: who looks.
        actions: legal actions, increasing.
        raw: the state itself, hidden parts too: for OpenSpiel's own bots.
    """

    __slots__ = ("_kind", "actions", "raw", "seat")

    clock: Clock | None = None

    def __init__(self, kind: Kind, raw: Any, seat: int, actions: Sequence[int]) -> None:
        self._kind = kind
        self.raw = raw
        self.seat = seat
        self.actions = actions

    @property
    def legal(self) -> Mask:
        """Mask of legal actions, shape (A,)."""
        mask = np.zeros(self._kind.n_actions, dtype=np.bool_)
        mask[list(self.actions)] = True
        return mask

    @property
    def tensor(self) -> Floats | None:
        """Information-state tensor where there is one, else the observation tensor."""
        kind = self._kind
        if kind.infoset_tensor:
            return np.array(self.raw.information_state_tensor(self.seat), dtype=np.float32)
        if kind.observation_tensor:
            return np.array(self.raw.observation_tensor(self.seat), dtype=np.float32)
        return None

    @property
    def key(self) -> str | None:
        """Information-state string; for perfect-information games without one, the history."""
        kind = self._kind
        if kind.infoset_string:
            key: str = self.raw.information_state_string(self.seat)
            return key
        if kind.perfect:
            return " ".join(map(str, self.raw.history()))
        return None

    @property
    def view(self) -> str:
        """The observation string, or whatever the game shows."""
        kind = self._kind
        if kind.observation_string:
            view: str = self.raw.observation_string(self.seat)
            return view
        if kind.infoset_string:
            view = self.raw.information_state_string(self.seat)
            return view
        return str(self.raw) if kind.perfect else ""

    def action_name(self, action: int) -> str:
        """Return OpenSpiel's name of an action in this position."""
        name: str = self.raw.action_to_string(self.seat, action)
        return name

    def resample(self, seed: int) -> OpenSpielState:
        """Return a state drawn from those that the seat cannot tell apart.

        Raises:
            FormError: the game cannot resample.
        """
        return _resample(self._kind, self.raw, self.seat, seed)


class OpenSpielState:
    """One episode of an OpenSpiel game.

    Attributes:
        raw: the `pyspiel.State`.
        kind: facts about the game.
    """

    __slots__ = ("_before", "_chance", "_sat_out", "_seed", "kind", "raw")

    def __init__(self, kind: Kind, raw: Any, chance: Stream | None, seed: int | None) -> None:
        self.kind = kind
        self.raw = raw
        self._chance = chance
        self._seed = seed
        self._before: list[float] | None = None
        self._sat_out = False
        self._resolve()

    def _resolve(self) -> None:
        """Sample chance (and pass the population on, in mean-field games) until a decision."""
        raw, chance = self.raw, self._chance
        while True:
            player = raw.current_player()
            if player >= 0:
                return
            if player == CHANCE_PLAYER and chance is not None:
                raw.apply_action(draw(raw.chance_outcomes(), chance))
            elif player == MEAN_FIELD:
                follow(raw)
            elif player == SIMULTANEOUS and not any(map(raw.legal_actions, self.kind.seats)):
                self._sat_out = True
                raw.apply_actions([0] * len(self.kind.seats))
            else:
                return

    def actors(self) -> tuple[int, ...]:
        """Return the seats to move; `(CHANCE,)` at an exposed chance node."""
        player = self.raw.current_player()
        if player >= 0:
            return (int(player),)  # games written in Python give an enum
        if player == SIMULTANEOUS:
            return tuple(seat for seat in self.kind.seats if self.raw.legal_actions(seat))
        return (CHANCE,) if player == CHANCE_PLAYER else ()

    def observe(self, seat: int) -> OpenSpielObservation:
        """Return what `seat` knows now."""
        return OpenSpielObservation(self.kind, self.raw, seat, tuple(self.legal(seat)))

    def legal(self, seat: int) -> Sequence[int]:
        """Return the legal actions of `seat`, increasing; none where it is not to move."""
        player = self.raw.current_player()
        if player not in (seat, SIMULTANEOUS):
            return []
        actions: list[int] = self.raw.legal_actions(seat)
        return actions

    def chance_outcomes(self) -> Sequence[tuple[int, float]]:
        """Return outcomes and probabilities of an exposed chance node."""
        outcomes: list[tuple[int, float]] = self.raw.chance_outcomes()
        return outcomes

    def step(self, actions: Mapping[int, Action]) -> None:
        """Apply one joint action, then resolve chance."""
        actors = self.actors()
        if tuple(sorted(actions)) != actors:
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(actors)} were to")
        if not actors:
            raise IllegalActionError("the episode is over")
        raw = self.raw
        before = list(raw.returns()) if self.kind.rewards_early else None
        if raw.current_player() == SIMULTANEOUS:
            joint = [0] * len(self.kind.seats)
            for seat in actors:
                joint[seat] = self._checked(seat, actions[seat])
            self._sat_out |= len(actors) < len(joint)
            raw.apply_actions(joint)
        elif actors[0] == CHANCE:
            outcome = actions[CHANCE]
            if outcome not in [o for o, p in raw.chance_outcomes() if p > 0.0]:
                raise IllegalActionError(f"chance cannot give {outcome}")
            raw.apply_action(int(outcome))
        else:
            raw.apply_action(self._checked(actors[0], actions[actors[0]]))
        self._before = before
        self._resolve()

    def _checked(self, seat: int, action: Action) -> int:
        legal = self.raw.legal_actions(seat)
        if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
            raise IllegalActionError(f"seat {seat} answered {action!r}, not an action number")
        if action not in legal:
            raise IllegalActionError(f"seat {seat} played {action}; legal are {legal}")
        return int(action)

    def drive(self, choose: Sequence[Chooser]) -> None:
        """Play to the end, as `arena.episode.drive` does, with less to do at each step."""
        raw, chance = self.raw, self._chance
        if chance is None:
            raise FormError(str(self.kind.raw), "sampled episode", ["enumerated state"])
        kind, current, apply, legal = (
            self.kind,
            raw.current_player,
            raw.apply_action,
            raw.legal_actions,
        )
        early = kind.rewards_early
        if not kind.native:
            self._drive_plainly(choose)
            return
        while True:
            seat = current()
            if seat >= 0:
                actions = tuple(legal())
                action = choose[seat](OpenSpielObservation(kind, raw, seat, actions))
                # The comparison of types comes first because an agent may return anything.
                if type(action) is not int or action not in actions:
                    action = self._checked(seat, action)
                if early:
                    self._before = list(raw.returns())
                apply(action)
            elif seat == CHANCE_PLAYER:
                apply(draw(raw.chance_outcomes(), chance))
            elif seat == TERMINAL:
                return
            elif seat == SIMULTANEOUS:
                self._drive_joint(choose)
            else:
                follow(raw)

    def _drive_plainly(self, choose: Sequence[Chooser]) -> None:
        while actors := self.actors():
            self.step({seat: choose[seat](self.observe(seat)) for seat in actors})

    def _drive_joint(self, choose: Sequence[Chooser]) -> None:
        kind, raw = self.kind, self.raw
        joint = [0] * len(kind.seats)
        asked = 0
        for seat in kind.seats:
            actions = tuple(raw.legal_actions(seat))
            if not actions:
                continue
            action = choose[seat](OpenSpielObservation(kind, raw, seat, actions))
            if type(action) is not int or action not in actions:
                action = self._checked(seat, action)
            joint[seat] = action
            asked += 1
        self._sat_out |= asked < len(joint)
        if asked and kind.rewards_early:
            self._before = list(raw.returns())
        raw.apply_actions(joint)

    def rewards(self) -> Floats:
        """Return what the last step paid, the chance that followed it included, shape (n,)."""
        if self._before is None:
            return self.returns()
        return np.array(self.raw.returns(), dtype=np.float64) - self._before

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,)."""
        if not self.kind.rewards_early and not self.raw.is_terminal():
            return np.zeros(len(self.kind.seats))
        return np.array(self.raw.returns(), dtype=np.float64)

    def history(self) -> list[int]:
        """Return every action so far, chance included."""
        history: list[int] = self.raw.history()
        if not self._sat_out:
            return history
        return replay(self.kind, self.kind.start(self._seed), history)

    def action_name(self, seat: int, action: int) -> str:
        """Return OpenSpiel's name of an action (or chance outcome) in this position."""
        name: str = self.raw.action_to_string(seat, action)
        return name

    def clone(self) -> OpenSpielState:
        """Return an independent copy."""
        twin = OpenSpielState.__new__(OpenSpielState)
        twin.kind = kind = self.kind
        twin._seed = self._seed
        twin._before = self._before
        twin._sat_out = self._sat_out
        twin._chance = None if self._chance is None else self._chance.copy()
        if kind.clones:
            twin.raw = self.raw.clone()
        else:
            twin.raw = kind.start(self._seed)
            replay(kind, twin.raw, self.raw.history())
        return twin

    def resample(self, seat: int, seed: int) -> OpenSpielState:
        """Return a state drawn from those that `seat` cannot tell apart from this one.

        Raises:
            FormError: the game cannot resample.
        """
        return _resample(self.kind, self.raw, seat, seed)

    def cursor(self) -> Cursor:
        """Return the fast way through the histories below this state, for compiling trees."""
        from games.adapters.openspiel_cursor import raw_cursor

        return raw_cursor(self.raw)

    def render(self) -> str:
        """Return OpenSpiel's own drawing of the state."""
        return str(self.raw) or f"after {self.raw.history()}"


def _resample(kind: Kind, raw: Any, seat: int, seed: int) -> OpenSpielState:
    if not kind.resamples:
        raise FormError(str(kind.raw), "resample", ["state"])
    drawn = OpenSpielState.__new__(OpenSpielState)
    drawn.kind = kind
    drawn._chance = stream = Stream(seed)
    drawn._seed = seed
    drawn._before = None
    drawn._sat_out = kind.joint
    if kind.perfect and kind.clones:
        drawn.raw = raw.clone()
    elif kind.perfect:
        drawn.raw = kind.start(seed)
        replay(kind, drawn.raw, raw.history())
    else:
        try:
            # Quiet costs more than the draw, and is needed for what fails the first time.
            with quiet() if not kind.has_resampled else nullcontext():
                drawn.raw = raw.resample_from_infostate(seat, stream.random)
        except (pyspiel.SpielError, RuntimeError) as error:
            raise FormError(str(kind.raw), "resample", ["state"]) from error
        kind.has_resampled = True
    return drawn
