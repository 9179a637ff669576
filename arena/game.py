"""Games and their running episodes: the contract that engines and adapters fill.

A `Game` is an immutable description. It offers *forms*: plain data that agents and
solvers consume. The form `state` is a running episode (`State`); the others (`batch`,
`tree`, `normal_form`, `markov`, `bandit`) live in `games/` beside their definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from arena.errors import FormError
from arena.keys import join_key
from arena.types import Action, ActionSpace, Discrete, Floats, Mask, Params, Payoff, Turns

__all__ = ["Clock", "Game", "Observation", "Snapshot", "State"]


@dataclass(frozen=True)
class Clock:
    """Seconds that a seat has left for this move and for the whole game (inf: no limit)."""

    move: float = float("inf")
    game: float = float("inf")


@runtime_checkable
class Observation(Protocol):
    """What one seat knows when it is to move.

    Engines may compute the fields on first use, so an observation is valid until the
    state moves on: an agent that wants to remember one copies the fields it needs.

    Optional members, looked for with `getattr`:
        action_name(action) -> str: what an action is called in this position.
        resample(seed) -> State: a state drawn from those that the seat cannot tell apart,
            for agents that search; it shows nothing that the seat does not know.
        sample(rng) -> Action: a random legal action, where not all of the space are.
    """

    @property
    def seat(self) -> int:
        """The seat that looks."""

    @property
    def actions(self) -> Sequence[int] | None:
        """Legal actions in increasing order; None where actions are not `Discrete`."""

    @property
    def legal(self) -> Mask | None:
        """Mask of legal actions, shape (A,); None where actions are not `Discrete`."""

    @property
    def tensor(self) -> Floats | None:
        """float32 vector, shape (D,), or None."""

    @property
    def key(self) -> str | None:
        """The infoset string: equal exactly when the seat cannot tell two histories apart."""

    @property
    def view(self) -> str:
        """The same for a human reader."""

    @property
    def clock(self) -> Clock | None:
        """Time left, or None when the game is not timed."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An `Observation` whose fields are all there: for simple engines, and to keep one."""

    seat: int
    actions: Sequence[int] | None = None
    legal: Mask | None = None
    tensor: Floats | None = None
    key: str | None = None
    view: str = ""
    clock: Clock | None = None

    @staticmethod
    def of(observation: Observation) -> Snapshot:
        """Return a copy of `observation` that outlives the state it was taken from."""
        legal, tensor = observation.legal, observation.tensor
        return Snapshot(
            seat=observation.seat,
            actions=None if observation.actions is None else list(observation.actions),
            legal=None if legal is None else np.array(legal, dtype=np.bool_),
            tensor=None if tensor is None else np.array(tensor, dtype=np.float32),
            key=observation.key,
            view=observation.view,
            clock=observation.clock,
        )


@runtime_checkable
class State(Protocol):
    """One running episode.

    Chance is sampled from the state's own stream, so `actors()` never shows it, unless
    the state came from `Game.root()`: then a chance node has `actors() == (CHANCE,)`,
    `chance_outcomes()` lists it and `step({CHANCE: outcome})` decides it.

    Optional members, looked for with `getattr`:
        chance_outcomes() -> Sequence[tuple[int, float]]: outcomes and their probabilities.
        truncated: bool: the episode was cut off by a time limit, not ended by the rules.
        status() -> Sequence[str]: for each seat `waiting` (not in the game yet), `playing`,
            `terminated` or else `truncated`; where seats come and go during an episode.
        history() -> list[int]: everything that happened, chance included, in order; a joint
            action is one entry for each acting seat, in increasing order of seats.
        action_name(seat, action) -> str: what an action of the acting seat (or of chance) is
            called here, for games whose names depend on the position.
        render_svg() -> str: a drawing of the whole state for a spectator, as an SVG document.
        resample(seat, seed) -> State: a state drawn from those the seat cannot tell apart.
        drive(choose) -> None: plays to the end, calling `choose[seat](observation)`; a
            faster loop of the engine's own that must do what `arena.episode.drive` does.
        cursor() -> games.tree.walk.Cursor: a faster way through the histories below a state
            whose chance is exposed; must show what the state's own methods show.
    """

    def actors(self) -> tuple[int, ...]:
        """Return the seats to move now: one, several at once, or none when it is over."""

    def observe(self, seat: int) -> Observation:
        """Return what `seat` knows now (any seat may look, also when it is not to move)."""

    def legal(self, seat: int) -> Sequence[int] | None:
        """Return the legal actions of an acting seat, increasing; None if not `Discrete`."""

    def step(self, actions: Mapping[int, Action]) -> None:
        """Apply the actions of exactly the acting seats, then resolve chance.

        Raises:
            IllegalActionError: an action is not legal; the state is unchanged.
        """

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""

    def returns(self) -> Floats:
        """Return the payoffs collected so far, shape (n,)."""

    def clone(self) -> State:
        """Return an independent copy that will draw the same chance."""

    def render(self) -> str:
        """Return the whole state, hidden parts too, as text for a spectator."""


@dataclass(frozen=True, eq=False)
class Game:
    """An immutable description of a game and the forms it offers.

    Attributes:
        id: the registry name, such as `openspiel/leduc_poker` (without parameters).
        params: the parameters it was made with, JSON values only; `arena.make(id,
            **params)` makes the same game again, in another process too.
        seats: number of players n.
        actions: the action space of each seat.
        payoff: `zero_sum`, `constant_sum`, `cooperative` (all seats are paid the same) or
            `general_sum`.
        turns: `sequential`, or `simultaneous` if several seats may act at once.
        forms: form name to a function that makes it; `state` takes `seed` (int, or None
            to expose chance nodes), `batch` takes `seeds` (one an episode).
        perfect_information: no seat ever lacks anything another one knows.
        chance: whether luck plays a part.
        payoff_bounds: least and greatest return of any seat (infinite if unknown).
        max_length: the greatest number of decisions in an episode, or None.
        teams: the team of each seat; by default everyone is alone.
        seat_names: what the seats are called.
        version: changes whenever the same actions may lead to other results.
        summary: one line about the game.
        citation: where it comes from.
        action_name: (seat, action) to a readable name, or None.
        rebuildable: False for a game that wraps a live object and so cannot be made
            again elsewhere from `id` and `params`.
    """

    id: str
    seats: int
    actions: tuple[ActionSpace, ...]
    payoff: Payoff
    turns: Turns
    forms: Mapping[str, Callable[..., Any]]
    params: Params = field(default_factory=dict)
    perfect_information: bool = False
    chance: bool = False
    payoff_bounds: tuple[float, float] = (float("-inf"), float("inf"))
    max_length: int | None = None
    teams: tuple[int, ...] = ()
    seat_names: tuple[str, ...] = ()
    version: str = "1"
    summary: str = ""
    citation: str = ""
    action_name: Callable[[int, Any], str] | None = None
    rebuildable: bool = True

    def __post_init__(self) -> None:
        if not self.teams:
            object.__setattr__(self, "teams", tuple(range(self.seats)))
        if not self.seat_names:
            object.__setattr__(self, "seat_names", tuple(f"seat_{i}" for i in range(self.seats)))

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def key(self) -> str:
        """Id and parameters in one canonical string, such as `openspiel/goofspiel(num_cards=4)`.

        `arena.make` reads it back.
        """
        return join_key(self.id, self.params)

    @property
    def discrete(self) -> bool:
        """Whether every seat's actions are `Discrete`."""
        return all(isinstance(space, Discrete) for space in self.actions)

    def state(self, seed: int = 0) -> State:
        """Start an episode whose chance follows from `seed`."""
        state: State = self.form("state", seed=seed)
        return state

    def root(self) -> State:
        """Return the initial state with chance nodes exposed, for enumeration.

        Raises:
            FormError: the game's chance cannot be enumerated.
        """
        state: State = self.form("state", seed=None)
        return state

    def form(self, name: str, **options: Any) -> Any:
        """Make one of the game's forms.

        Raises:
            FormError: the game does not offer it.
        """
        maker = self.forms.get(name)
        if maker is None:
            raise FormError(self.key, name, list(self.forms))
        return maker(**options)

    def describe_action(self, seat: int, action: Action) -> str:
        """Return a readable name of `action`."""
        if self.action_name is None:
            return str(action)
        return self.action_name(seat, int(action) if isinstance(action, np.integer) else action)

    def __repr__(self) -> str:
        return f"<Game {self.key}: {self.seats} seats, {self.payoff}, {self.turns}>"
