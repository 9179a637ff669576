"""An episode's hold on an engine."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from games.starcraft.engine import Engine, Pool
from games.starcraft.process import EngineLostError

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
            EngineLostError: it was one too many.
        """
        self.restarts += 1
        self._pool.restarts += 1
        if self.restarts >= _LOSSES:
            raise EngineLostError(
                f"{self._what} lost {_LOSSES} engines in one episode; the last one so: {error}"
            ) from error
