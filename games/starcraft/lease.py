"""An episode's hold on an engine."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from pathlib import Path

from arena.errors import ArenaError
from arena.files import check_writable, write_atomic
from games.starcraft.engine import Engine, Pool
from games.starcraft.process import EngineLostError, EngineStartError

__all__ = ["Lease"]

_LOSSES = 3  # engines that an episode may lose


class Lease:
    """An engine for the time of an episode.

    Args:
        episode: whose engine it is; when it is collected the engine goes back to the pool.
        pool: where the engine is from.
        what: the game and the seed, for messages.

    Attributes:
        engine: the engine.
        restarts: how often it was lost and replaced.
    """

    def __init__(self, episode: object, pool: Pool, what: str) -> None:
        self.engine: Engine = pool.take()
        self.restarts = 0
        self._pool, self._what = pool, what
        self.release = weakref.finalize(episode, pool.give, self.engine)

    def save_replay(self, path: str | Path) -> Path:
        """Write the replay of the running episode.

        Raises:
            ArenaError: the episode no longer has the engine, or the file cannot be written.
        """
        if not self.release.alive:
            raise ArenaError(
                f"{self._what} is over and its engine plays others; the parameter `replays`"
                " names a folder where every episode's replay is put"
            )
        check_writable(path)
        data = self.engine.save_replay()
        with write_atomic(path) as file:
            file.write(data)
        return Path(path)

    def end(self, replays: str | None, name: str) -> None:
        """Give the engine back; first put the replay into the folder `replays` if one is named.

        An engine that is lost over that costs the replay, which is warned of, and no more.
        """
        if replays is not None:
            file = Path(replays) / f"{name}.SC2Replay"
            try:
                self.save_replay(file)
            except EngineLostError as error:
                warnings.warn(f"{file} was not saved: {error}", stacklevel=2)
        self.release()

    def insist(self, begin: Callable[[], None]) -> None:
        """Call `begin` until no engine is lost in it.

        Raises:
            EngineLostError: too many were.
        """
        while True:
            try:
                begin()
                return
            except EngineLostError as error:
                self.count(error)

    def count(self, error: EngineLostError) -> None:
        """Count a loss.

        Raises:
            EngineLostError: it was one too many, or it could not even be started.
        """
        if isinstance(error, EngineStartError):
            raise error
        self.restarts += 1
        self._pool.restarts += 1
        if self.restarts >= _LOSSES:
            raise EngineLostError(
                f"{self._what} lost {_LOSSES} engines in one episode; the last one so: {error}"
            ) from error
