"""The form `state` of a mini-game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import FormError, IllegalActionError
from arena.game import Clock
from arena.types import Action, Floats
from games.starcraft.engine import Pool
from games.starcraft.layers import Layers
from games.starcraft.lease import Lease
from games.starcraft.picture import svg, text
from games.starcraft.process import EngineLostError

__all__ = ["LayersObservation", "MinigameState", "start"]


def start(layers: Layers, pool: Pool, seed: int | None) -> MinigameState:
    """Start an episode.

    Raises:
        FormError: without a seed: chance inside the engine cannot be listed.
        ArenaError: the engine cannot be started.
    """
    if seed is None:
        raise FormError(layers.game.where, "root", ["state"], reason="has its chance in the engine")
    return MinigameState(layers, pool, seed)


class LayersObservation:
    """See `arena.game.Observation`.

    Attributes:
        layers: pysc2's own observation: `feature_screen`, `feature_minimap`, `player`, ….
    """

    seat = 0
    actions: Sequence[int] | None = None
    legal: NDArray[np.bool_] | None = None
    key: str | None = None
    clock: Clock | None = None

    def __init__(self, reader: Layers, shown: Any) -> None:
        self._reader = reader
        self.layers = shown

    @cached_property
    def tensor(self) -> NDArray[np.float32]:
        """Screen (27, s, s), minimap (11, m, m), player (11), functions (573), flattened."""
        return self._reader.tensor(self.layers)

    @cached_property
    def available(self) -> list[str]:
        """The names of the functions that can be called."""
        return [self._reader.name(int(a)) for a in sorted(self.layers["available_actions"])]

    def action(self, function: str | int, **arguments: Any) -> NDArray[np.int64]:
        """Return the action that calls a function: `action("Move_screen", screen=(3, 4))`.

        Args:
            function: pysc2's name or number.
            arguments: see `games.starcraft.layers.Layers.vector`.

        Raises:
            UnknownNameError: of a function, an argument or a word.
            IllegalActionError: a point is missing, or a value out of range.
        """
        return self._reader.vector(function, arguments)

    @property
    def title(self) -> str:
        """The name, the game loop and the score."""
        return (
            f"{self._reader.game.name}: game loop {int(self.layers['game_loop'][0])}, score"
            f" {int(self.layers['score_cumulative'][0])}"
        )

    @property
    def view(self) -> str:
        """The score, the screen, and what can be done."""
        return f"{text(self.layers, self.title)}\navailable: {', '.join(self.available)}"


class MinigameState:
    """See `arena.game.State`. A lost engine is replaced as in battles, by playing it all again.

    Attributes:
        truncated: whether the limit of decisions, or a lost engine, ended it.
    """

    def __init__(self, layers: Layers, pool: Pool, seed: int) -> None:
        self._layers, self._pool, self._seed = layers, pool, int(seed)
        self._played: list[NDArray[np.int64]] = []
        self.truncated = False
        self._lease = Lease(self, pool, f"{layers.game.where}: seed {seed}")
        self._lease.insist(self._open)

    @property
    def restarts(self) -> int:
        """Engines lost in this episode."""
        return self._lease.restarts

    def actors(self) -> tuple[int, ...]:
        """Return the one seat, or none when it is over."""
        return () if self._over or self.truncated else (0,)

    def observe(self, seat: int) -> LayersObservation:
        """Return what the engine shows."""
        return LayersObservation(self._layers, self._shown)

    def legal(self, seat: int) -> None:
        """Return None: actions are vectors."""

    def step(self, actions: Mapping[int, Action]) -> None:
        """Play one decision; see `arena.game.State`."""
        if tuple(actions) != self.actors() or not actions:
            raise IllegalActionError(
                f"{self._layers.game.where}: actions of seats {sorted(actions)}, but to move"
                f" {'is seat 0' if self.actors() else 'is nobody, it is over'}"
            )
        vector = np.asarray(actions[0])
        self._layers.call(vector, self._available())
        vector = vector.astype(np.int64)
        before = self._score
        try:
            self._send(vector)
        except EngineLostError as error:
            before = self._recover(vector, error)
        self._played.append(vector)
        self._paid = self._score - before
        if len(self._played) == self._layers.game.limit and not self._over:
            self.truncated = True
        if not self.actors():
            self._lease.end(self._layers.game.replays, f"{self._layers.game.name}-{self._seed}")

    def rewards(self) -> Floats:
        """Return how much the last step raised the score, shape (1,)."""
        return np.array([self._paid])

    def returns(self) -> Floats:
        """Return the score so far, shape (1,)."""
        return np.array([self._score - self._first])

    def clone(self) -> MinigameState:
        """Return a copy: another engine plays the same game up to here, which takes a while."""
        other = MinigameState(self._layers, self._pool, self._seed)
        for vector in self._played:
            other.step({0: vector})
        return other

    def render(self) -> str:
        """Return the score, the screen, and what can be done."""
        return self.observe(0).view

    def render_svg(self) -> str:
        """Return screen and minimap as an SVG document."""
        seen = self.observe(0)
        return svg(seen.layers, seen.title)

    def save_replay(self, path: str | Path) -> Path:
        """Write the engine's replay of the running episode, a `.SC2Replay` file; return its path.

        Raises:
            ArenaError: the episode is over, and its engine plays others.
        """
        return self._lease.save_replay(path)

    def _open(self) -> None:
        infos = self._lease.engine.begin(self._seed)
        self._reader = self._layers.features(infos[0])
        self._over = False
        self._look()
        self._first, self._paid = self._score, 0.0

    def _look(self) -> None:
        self._raw = self._lease.engine.observe()
        self._shown = self._reader.transform_obs(self._raw)
        self._score = float(self._shown["score_cumulative"][0])
        self._over = bool(self._raw.player_result)

    def _available(self) -> list[int]:
        return sorted(int(action) for action in self._shown["available_actions"])

    def _send(self, vector: NDArray[np.int64]) -> None:
        call = self._layers.call(vector, self._available())
        order = self._reader.transform_action(self._raw.observation, call)
        self._lease.engine.act(0, [order])
        self._lease.engine.advance(self._layers.game.step_mul)
        self._look()

    def _recover(self, vector: NDArray[np.int64], error: EngineLostError) -> float:
        """Replace a lost engine and play on; cut the episode off if that leads elsewhere.

        Returns:
            The score before the decision.
        """
        shown, raw, score = self._shown, self._raw, self._score
        while True:
            self._lease.count(error)
            try:
                self._open()
                for past in self._played:
                    self._send(past)
            except EngineLostError as again:
                error = again
                continue
            except IllegalActionError:
                break  # it came to another place
            if self._score != score or not np.array_equal(
                self._shown["feature_screen"], shown["feature_screen"]
            ):
                break
            try:
                self._send(vector)
                return score
            except EngineLostError as again:
                error = again
        self._shown, self._raw, self._score = shown, raw, score
        self.truncated = True
        return score
