"""Whether one network can play every seat of a game."""

from __future__ import annotations

from arena.game import Game
from arena.types import Discrete

__all__ = ["unlike_seats"]


def unlike_seats(game: Game, whose: str) -> str | None:
    """Return why one network cannot play all seats of a game with the form `batch`, or None.

    Args:
        game: what is to be played.
        whose: the network, for the message: `ppo's`, `one`.
    """
    needs = f"as {whose} network needs"
    sizes = {space.n if isinstance(space, Discrete) else None for space in game.actions}
    if None in sizes or len(sizes) > 1:
        return f"seats of {game.key} do not have the same discrete actions, {needs}"
    batch = game.form("batch", seeds=[0])
    tensors = [batch.observe(seat).tensor for seat in range(game.seats)]
    if len({None if t is None else t.shape[1] for t in tensors}) > 1 or tensors[0] is None:
        return f"seats of {game.key} do not have tensors of one size, {needs}"
    return None
