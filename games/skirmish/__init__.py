"""Skirmish: battles of StarCraft units, every unit an agent; see `docs/skirmish.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from games.skirmish.battle import OPPONENTS, Battle

if TYPE_CHECKING:
    from games.skirmish.rollout import Rollout

__all__ = ["OPPONENTS", "Battle", "Rollout"]


def __getattr__(name: str) -> Any:
    """Load `Rollout`, and with it numba, when it is asked for."""
    if name == "Rollout":
        from games.skirmish.rollout import Rollout

        return Rollout
    raise AttributeError(name)
