"""Solvers: a form of a game in, a certified policy out."""

from __future__ import annotations

from arena.registry import Entry

__all__ = ["ALIASES", "FAMILIES", "TABLE"]

TABLE: dict[str, Entry] = {}
"""Single solvers: id to entry."""

FAMILIES: dict[str, str] = {}
"""Prefixes with many solvers below them."""

ALIASES: dict[str, str] = {}
"""Short names."""
