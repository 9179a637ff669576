"""Every OpenSpiel game as an arena game (`openspiel/<name>`).

A `pyspiel.State` is kept as it is; chance is drawn from arena's own stream, so an
episode follows from its seed. Observations query the C++ state when they are read.

Source: Lanctot et al. 2019, "OpenSpiel: A Framework for Reinforcement Learning in Games".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.episode import Chooser
from arena.errors import (
    ArenaError,
    FormError,
    IllegalActionError,
    MissingDependencyError,
    ParameterError,
    UnknownNameError,
)
from arena.game import Clock, Game
from arena.registry import Info
from arena.rng import Stream
from arena.types import CHANCE, Action, Discrete, Floats, Mask, Payoff

if TYPE_CHECKING:
    from games.tree.walk import Cursor

try:
    import pyspiel
except ImportError as error:  # pragma: no cover - there is no wheel for Windows
    raise MissingDependencyError("open_spiel", "pip install open_spiel") from error

__all__ = ["FAMILY", "OpenSpielFamily", "OpenSpielObservation", "OpenSpielState", "wrap"]

_CHANCE_PLAYER = int(pyspiel.PlayerId.CHANCE)
_SIMULTANEOUS = int(pyspiel.PlayerId.SIMULTANEOUS)
_TERMINAL = int(pyspiel.PlayerId.TERMINAL)
_MEAN_FIELD = int(pyspiel.PlayerId.MEAN_FIELD)

_PAYOFF: dict[Any, Payoff] = {
    pyspiel.GameType.Utility.ZERO_SUM: "zero_sum",
    pyspiel.GameType.Utility.CONSTANT_SUM: "constant_sum",
    pyspiel.GameType.Utility.GENERAL_SUM: "general_sum",
    pyspiel.GameType.Utility.IDENTICAL: "cooperative",
}


class OpenSpielObservation:
    """A seat's look at a `pyspiel.State`, computed on first use."""

    __slots__ = ("_kind", "_raw", "actions", "seat")

    clock: Clock | None = None

    def __init__(self, kind: _Kind, raw: Any, seat: int, actions: Sequence[int]) -> None:
        self._kind = kind
        self._raw = raw
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
            return np.array(self._raw.information_state_tensor(self.seat), dtype=np.float32)
        if kind.observation_tensor:
            return np.array(self._raw.observation_tensor(self.seat), dtype=np.float32)
        return None

    @property
    def key(self) -> str | None:
        """Information-state string; for perfect-information games without one, the history."""
        kind = self._kind
        if kind.infoset_string:
            key: str = self._raw.information_state_string(self.seat)
            return key
        if kind.perfect:
            return " ".join(map(str, self._raw.history()))
        return None

    @property
    def view(self) -> str:
        """The observation string, or whatever the game shows."""
        kind = self._kind
        if kind.observation_string:
            view: str = self._raw.observation_string(self.seat)
            return view
        if kind.infoset_string:
            view = self._raw.information_state_string(self.seat)
            return view
        return str(self._raw) if kind.perfect else ""


class _Kind:
    """What all states of one game share."""

    __slots__ = (
        "infoset_string",
        "infoset_tensor",
        "n_actions",
        "observation_string",
        "observation_tensor",
        "perfect",
        "raw",
        "seats",
    )

    def __init__(self, raw: Any) -> None:
        kind = raw.get_type()
        self.raw = raw
        self.n_actions: int = raw.num_distinct_actions()
        self.seats: tuple[int, ...] = tuple(range(raw.num_players()))
        self.infoset_string = bool(kind.provides_information_state_string)
        self.infoset_tensor = bool(kind.provides_information_state_tensor)
        self.observation_string = bool(kind.provides_observation_string)
        self.observation_tensor = bool(kind.provides_observation_tensor)
        self.perfect = kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION


class OpenSpielState:
    """One episode of an OpenSpiel game.

    Attributes:
        raw: the `pyspiel.State`.
        kind: facts about the game.
    """

    __slots__ = ("_chance", "kind", "raw")

    def __init__(self, kind: _Kind, raw: Any, chance: Stream | None) -> None:
        self.kind = kind
        self.raw = raw
        self._chance = chance
        if chance is not None:
            self._resolve()

    def _resolve(self) -> None:
        """Sample chance (and pass the population on, in mean-field games) until a decision."""
        raw, chance = self.raw, self._chance
        while True:
            player = raw.current_player()
            if player == _CHANCE_PLAYER and chance is not None:
                raw.apply_action(_draw(raw.chance_outcomes(), chance))
            elif player == _MEAN_FIELD:
                # A single episode has no population to follow: it stands still, uniform.
                support = raw.distribution_support()
                raw.update_distribution([1.0 / len(support)] * len(support))
            else:
                return

    def actors(self) -> tuple[int, ...]:
        """Return the seats to move; `(CHANCE,)` at an exposed chance node."""
        player = self.raw.current_player()
        if player >= 0:
            return (player,)
        if player == _SIMULTANEOUS:
            return tuple(seat for seat in self.kind.seats if self.raw.legal_actions(seat))
        return (CHANCE,) if player == _CHANCE_PLAYER else ()

    def observe(self, seat: int) -> OpenSpielObservation:
        """Return what `seat` knows now."""
        return OpenSpielObservation(self.kind, self.raw, seat, tuple(self.raw.legal_actions(seat)))

    def legal(self, seat: int) -> Sequence[int]:
        """Return the legal actions of `seat`, increasing."""
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
        raw = self.raw
        if raw.current_player() == _SIMULTANEOUS:
            joint = []
            for seat in self.kind.seats:
                if seat in actions:
                    joint.append(self._checked(seat, actions[seat]))
                else:
                    joint.append(0)
            raw.apply_actions(joint)
        elif actors[0] == CHANCE:
            outcome = actions[CHANCE]
            if outcome not in [o for o, _ in raw.chance_outcomes()]:
                raise IllegalActionError(f"chance cannot give {outcome}")
            raw.apply_action(int(outcome))
        else:
            raw.apply_action(self._checked(actors[0], actions[actors[0]]))
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
        while True:
            seat = current()
            if seat >= 0:
                actions = tuple(legal())
                action = choose[seat](OpenSpielObservation(kind, raw, seat, actions))
                # The comparison of types comes first because an agent may return anything.
                if type(action) is not int or action not in actions:
                    action = self._checked(seat, action)
                apply(action)
            elif seat == _CHANCE_PLAYER:
                apply(_draw(raw.chance_outcomes(), chance))
            elif seat == _TERMINAL:
                return
            elif seat == _SIMULTANEOUS:
                joint = [0] * len(self.kind.seats)
                for each in self.actors():
                    joint[each] = self._checked(each, choose[each](self.observe(each)))
                raw.apply_actions(joint)
            else:
                self._resolve()

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""
        return np.array(self.raw.rewards(), dtype=np.float64)

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,)."""
        return np.array(self.raw.returns(), dtype=np.float64)

    def history(self) -> list[int]:
        """Return every action so far, chance included."""
        history: list[int] = self.raw.history()
        return history

    def clone(self) -> OpenSpielState:
        """Return an independent copy."""
        twin = OpenSpielState.__new__(OpenSpielState)
        twin.kind = self.kind
        twin.raw = self.raw.clone()
        twin._chance = None if self._chance is None else self._chance.copy()
        return twin

    def resample(self, seat: int, seed: int) -> OpenSpielState:
        """Return a state drawn from those that `seat` cannot tell apart from this one.

        Raises:
            FormError: the game cannot resample.
        """
        twin = self.clone()
        twin._chance = stream = Stream(seed)
        if not self.kind.perfect:
            try:
                twin.raw = self.raw.resample_from_infostate(seat, stream.random)
            except (pyspiel.SpielError, RuntimeError) as error:
                raise FormError(str(self.kind.raw), "resample", ["state"]) from error
        return twin

    def cursor(self) -> Cursor:
        """Return the fast way through the histories below this state, for compiling trees."""
        from games.adapters.openspiel_cursor import raw_cursor

        return raw_cursor(self.raw)

    def render(self) -> str:
        """Return OpenSpiel's own drawing of the state."""
        return str(self.raw)


def _draw(outcomes: Sequence[tuple[int, float]], stream: Stream) -> int:
    left = stream.random()
    outcome = outcomes[0][0]
    for candidate, probability in outcomes:
        if probability > 0.0:
            outcome = candidate
            left -= probability
            if left < 0.0:
                break
    return outcome


def wrap(
    raw: Any, *, id: str, params: dict[str, Any] | None = None, rebuildable: bool = True
) -> Game:
    """Return an arena game around a loaded `pyspiel.Game`."""
    kind = _Kind(raw)
    facts = raw.get_type()
    n = raw.num_players()

    def state(seed: int | None) -> OpenSpielState:
        return OpenSpielState(kind, raw.new_initial_state(), None if seed is None else Stream(seed))

    def action_name(seat: int, action: int) -> str:
        name: str = raw.action_to_string(seat, action)
        return name

    simultaneous = facts.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
    return Game(
        id=id,
        seats=n,
        actions=(Discrete(kind.n_actions),) * n,
        payoff=_PAYOFF[facts.utility],
        turns="simultaneous" if simultaneous else "sequential",
        forms={"state": state},
        params=params or {},
        perfect_information=kind.perfect,
        chance=facts.chance_mode != pyspiel.GameType.ChanceMode.DETERMINISTIC,
        payoff_bounds=(float(raw.min_utility()), float(raw.max_utility())),
        max_length=int(raw.max_game_length()),
        version=f"open_spiel {_version()}",
        summary=facts.long_name,
        citation="Lanctot et al. 2019, OpenSpiel, arXiv:1908.09453",
        action_name=action_name,
        rebuildable=rebuildable,
    )


@lru_cache(maxsize=1)
def _version() -> str:
    from importlib.metadata import version

    return version("open_spiel")


class OpenSpielFamily:
    """The games that `pyspiel` has registered."""

    def names(self) -> list[str]:
        """Return the short names of all of them."""
        names: list[str] = pyspiel.registered_names()
        return names

    def info(self, name: str) -> Info:
        """Describe one of them from its game type."""
        facts = self._facts(name)
        low, high = facts.min_num_players, facts.max_num_players
        tags = {
            "seats": str(low) if low == high else f"{low}-{high}",
            "payoff": _PAYOFF[facts.utility],
            "turns": str(facts.dynamics).rsplit(".", 1)[-1].lower(),
            "information": "perfect"
            if facts.information == pyspiel.GameType.Information.PERFECT_INFORMATION
            else "imperfect",
        }
        return Info(f"openspiel/{name}", facts.long_name, tags, "open_spiel")

    def make(self, name: str, **params: Any) -> Game:
        """Load a game, its parameters checked against OpenSpiel's specification."""
        facts = self._facts(name)
        where = f"openspiel/{name}"
        specification = facts.parameter_specification
        for key, value in params.items():
            if key not in specification:
                raise UnknownNameError(f"parameter of {where}", key, specification)
            default = specification[key]
            wanted = type(default)
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                params[key] = float(value)
            elif default is not None and (type(value) is not wanted):
                raise ParameterError(
                    key, value, f"{wanted.__name__} (default {default!r})", where=where
                )
        try:
            raw = pyspiel.load_game(name, params)
        except pyspiel.SpielError as error:
            raise ArenaError(f"{where}: OpenSpiel refuses these parameters: {error}") from error
        return wrap(raw, id=where, params=params)

    def _facts(self, name: str) -> Any:
        for facts in pyspiel.registered_games():
            if facts.short_name == name:
                return facts
        raise UnknownNameError("OpenSpiel game", name, self.names())


FAMILY = OpenSpielFamily()
