"""Hanabi: the engine, in every variant of the Hanabi Learning Environment's parameters."""

from __future__ import annotations

from games.hanabi.form import make
from games.hanabi.variant import COLORS, Variant

__all__ = ["COLORS", "Variant", "make"]
