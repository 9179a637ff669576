"""From any small enough game with a `State` to its Markov form.

Episodes are enumerated from `Game.root()`. Two situations are one state of the form when
they look the same apart from lines that only count moves or add up payoffs: in a game of
perfect information to all seats (`Observation.view`), otherwise to a spectator
(`State.render`). Where a state is met again, its legal actions and what follows are compared
with those found first, so that a look that hides something is noticed; if views do, the
rendering is tried.

A seat that is not to move has one legal action, 0. Seats' rewards between two decisions
belong to the joint action that led there. The end of an episode by the rules is a terminal
state; the game's own time limit is part of the state only if its look shows it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from arena.errors import ArenaError, NotApplicableError
from arena.game import Game, State
from arena.types import CHANCE, Discrete
from games.markov.form import MarkovGame
from games.markov.parts import check_memory
from games.markov.views import Views, plain

__all__ = [
    "explorable",
    "explore",
    "explored",
    "form_of",
    "markov_of",
    "same_position",
    "same_views",
]

_AGAIN = 2
"""How often what follows a state is compared when the state is met again."""

Key = Callable[[State], str]


def same_position(state: State) -> str:
    """Return the rendering without lines that count moves or payoffs."""
    return plain(state.render())


def same_views(state: State) -> str:
    """Return what all seats see, without lines that count moves or payoffs."""
    views = (state.observe(seat).view for seat in range(len(state.returns())))
    return "\n".join(dict.fromkeys(plain(view) for view in views))


def markov_of(
    game: Game,
    *,
    horizon: int | None = None,
    discount: float | None = None,
    limit: int = 100_000,
) -> MarkovGame:
    """Return the Markov form of a game, its own or an explored one.

    Args:
        game: with the form `markov`, or with a `state` whose chance can be enumerated.
        horizon: steps; by default the form's own, or the game's longest episode.
        discount: by default the form's own, or 1.
        limit: states up to which a game is explored.

    Raises:
        NotApplicableError: it cannot be enumerated, or is too large.
    """
    if "markov" in game.forms:
        form: MarkovGame = game.form("markov")
        return form.with_end(horizon=horizon, discount=discount)
    return explore(game, horizon=horizon, discount=discount, limit=limit)


def explorable(game: Game) -> str | None:
    """Return why a game is not taken for a Markov game unasked, in words, or None.

    Games in which seats move at once are; others have trees, whose solvers know who knows
    what. The game may still prove to be too large, or to hide its state.
    """
    if game.turns != "simultaneous":
        return "its seats move in turn"
    if not game.discrete or "state" not in game.forms:
        return "it has no episodes with discrete actions"
    try:
        game.root()
    except ArenaError as error:
        return str(error)
    return None


def form_of(
    game: Game, *, horizon: int | None = None, discount: float | None = None
) -> tuple[MarkovGame, Views | None]:
    """Return the game's own Markov form, or an explored one with what seats see in it.

    Raises:
        NotApplicableError: it cannot be enumerated, is too large, or hides its state.
    """
    if "markov" in game.forms:
        return markov_of(game, horizon=horizon, discount=discount), None
    form, views = explored(game, horizon=horizon, discount=discount)
    views.check(form)
    return form, views


def explore(
    game: Game,
    *,
    horizon: int | None = None,
    discount: float | None = None,
    limit: int = 100_000,
    key: Key | None = None,
) -> MarkovGame:
    """Enumerate a game's states from its `State` (see the module).

    Args:
        game: all actions `Discrete`, chance enumerable.
        horizon: steps; by default the greatest number of decisions in an episode.
        discount: by default 1.
        limit: the most states.
        key: what tells states apart; by default see the module.

    Raises:
        NotApplicableError: it cannot be enumerated, or is too large.
        ArenaError: `key` takes different situations for one.
    """
    return explored(game, horizon=horizon, discount=discount, limit=limit, key=key)[0]


def explored(
    game: Game,
    *,
    horizon: int | None = None,
    discount: float | None = None,
    limit: int = 100_000,
    key: Key | None = None,
) -> tuple[MarkovGame, Views]:
    """Return what `explore` does, and what seats see in its states.

    Raises:
        NotApplicableError, ArenaError: as `explore`.
    """
    if not game.discrete:
        raise NotApplicableError(f"{game.key} has actions that are not discrete")
    if "state" not in game.forms:
        raise NotApplicableError(f"{game.key} has no form 'state' to be explored")
    if key is None and game.perfect_information:
        try:
            return _Exploration(game, limit, same_views).run(horizon, discount)
        except _AlikeError:
            pass
    return _Exploration(game, limit, key or same_position).run(horizon, discount)


class _AlikeError(ArenaError):
    """A key takes different situations for one."""


class _Exploration:
    def __init__(self, game: Game, limit: int, key: Key) -> None:
        self._game, self._limit, self._key = game, limit, key
        self._numbers: dict[str, int] = {}
        self._queue: deque[tuple[int, State]] = deque()
        self._legal: list[list[list[int]]] = []
        self._rows: list[dict[tuple[int, ...], tuple[dict[int, float], Any]]] = []
        self._met: list[int] = []
        self._limited = False
        self._views = Views(game.key, game.seats)
        self._acts: list[tuple[int, ...]] = []

    def run(self, horizon: int | None, discount: float | None) -> tuple[MarkovGame, Views]:
        game = self._game
        start: dict[int, float] = {}
        for probability, state, _ in _decisions(game.root(), np.zeros(game.seats)):
            number = self._number(state)
            start[number] = start.get(number, 0.0) + probability
        while self._queue:
            number, state = self._queue.popleft()
            found = self._expand(state)
            if number < len(self._rows) and self._rows[number]:
                self._compare(number, found)
            else:
                self._rows[number] = found
        if horizon is None and discount is None:
            horizon = game.max_length
        longest = game.max_length
        if self._limited and (horizon is None or (longest is not None and horizon > longest)):
            raise NotApplicableError(
                f"{game.key} has a time limit that its states do not show; give a horizon"
                + (f" of at most {longest}" if longest is not None else "")
            )
        form = self._form(start, horizon, discount)
        acts = np.zeros((form.states, game.seats), dtype=np.bool_)
        for number, actors in enumerate(self._acts):
            acts[number, list(actors)] = True
        self._views.acts = acts
        return form, self._views

    def _number(self, state: State) -> int:
        """Return the state's number; −1 where the episode is over."""
        if not state.actors():
            return -1
        key = self._key(state)
        number = self._numbers.get(key)
        legal = self._legal_of(state)
        if number is None:
            number = len(self._numbers)
            if number >= self._limit:
                raise NotApplicableError(
                    f"too large: {self._game.key} has more than {self._limit} states"
                )
            self._numbers[key] = number
            self._legal.append(legal)
            self._acts.append(state.actors())
            self._rows.append({})
            self._met.append(0)
            self._queue.append((number, state))
        elif legal != self._legal[number]:
            raise _AlikeError(
                f"{self._game.key}: two situations that look like {key!r} have different legal"
                f" actions, {self._legal[number]} and {legal}; give a `key` that tells them apart"
            )
        elif self._met[number] < _AGAIN:
            self._met[number] += 1
            self._queue.append((number, state))
        for seat in self._acts[number]:
            self._views.note(state.observe(seat), number)
        return number

    def _legal_of(self, state: State) -> list[list[int]]:
        actors = state.actors()
        return [
            [int(a) for a in state.legal(seat) or ()] if seat in actors else [0]
            for seat in range(self._game.seats)
        ]

    def _expand(self, state: State) -> dict[tuple[int, ...], tuple[dict[int, float], Any]]:
        """Return what follows each joint action: states with probabilities, mean rewards."""
        actors = state.actors()
        out = {}
        before = state.returns()
        for joint in _product(self._legal_of(state)):
            child = state.clone()
            child.step({seat: joint[seat] for seat in actors})
            row: dict[int, float] = {}
            paid = np.zeros(self._game.seats)
            for probability, after, returns in _decisions(child, before):
                number = self._number(after)
                row[number] = row.get(number, 0.0) + probability
                paid += probability * returns
            out[joint] = (row, paid)
        return out

    def _compare(self, number: int, found: Any) -> None:
        for joint, (row, paid) in self._rows[number].items():
            other, earned = found[joint]
            apart = max(abs(row.get(s, 0.0) - other.get(s, 0.0)) for s in {*row, *other})
            # Near the game's own time limit other things follow, which a horizon stands for.
            over = other.get(-1, 0.0) != row.get(-1, 0.0)
            self._limited |= over
            if not over and (apart > 1e-9 or np.abs(paid - earned).max() > 1e-9):
                name = list(self._numbers)[number]
                raise _AlikeError(
                    f"{self._game.key}: two situations that look like {name!r} lead to different"
                    f" states or rewards after {joint}; give a `key` that tells them apart"
                )

    def _form(
        self, start: dict[int, float], horizon: int | None, discount: float | None
    ) -> MarkovGame:
        from scipy.sparse import csr_array

        game = self._game
        counts = tuple(a.n for a in game.actions if isinstance(a, Discrete))
        over = len(self._rows)
        ends = any(-1 in row for found in self._rows for row, _ in found.values())
        s = over + ends
        joint = int(np.prod(counts))
        check_memory(float(s) * joint * (game.seats + 2), f"the Markov form of {game.key}")
        reward = np.zeros((game.seats, s, joint))
        legal = [np.zeros((s, count), dtype=np.bool_) for count in counts]
        rows, columns, data = [], [], []
        for number, found in enumerate(self._rows):
            for seat, own in enumerate(self._legal[number]):
                legal[seat][number, own] = True
            for actions, (after, paid) in found.items():
                place = int(np.ravel_multi_index(actions, counts))
                reward[:, number, place] = paid
                for target, probability in after.items():
                    rows.append(number * joint + place)
                    columns.append(over if target < 0 else target)
                    data.append(probability)
        for mask in legal:
            mask[over:, 0] = True
        matrix = csr_array((data, (rows, columns)), shape=(s * joint, s))
        sums = np.asarray(matrix.sum(axis=1)).ravel()
        data_sum = np.where(sums > 0, sums, 1.0)
        matrix.data /= np.repeat(data_sum, np.diff(matrix.indptr))
        initial = np.zeros(s)
        for number, probability in start.items():
            initial[number] = probability
        return MarkovGame(
            matrix,
            reward.reshape(game.seats, s, *counts),
            initial / initial.sum(),
            horizon=horizon,
            discount=1.0 if discount is None else discount,
            legal=legal,
            terminal=[over] if ends else None,
            state_names=[*(k.replace("\n", "/") for k in self._numbers), *["over"] * ends],
            action_names=[
                [game.describe_action(seat, a) for a in range(count)]
                if game.action_name is not None
                else []
                for seat, count in enumerate(counts)
            ],
            title=game.summary,
        )


def _decisions(state: State, before: Any) -> list[tuple[float, State, Any]]:
    """Return the decisions (or ends) that chance may lead to, and the rewards until then."""
    out = []
    stack = [(1.0, state)]
    while stack:
        probability, here = stack.pop()
        if here.actors() != (CHANCE,):
            out.append((probability, here, here.returns() - before))
            continue
        enumerate_chance = getattr(here, "chance_outcomes", None)
        if enumerate_chance is None:
            raise NotApplicableError("chance that cannot be enumerated")
        for outcome, p in enumerate_chance():
            child = here.clone()
            child.step({CHANCE: outcome})
            stack.append((probability * p, child))
    return out


def _product(legal: list[list[int]]) -> list[tuple[int, ...]]:
    out: list[tuple[int, ...]] = [()]
    for own in legal:
        out = [(*head, action) for head in out for action in own]
    return out
