"""Games: forms, engines of our own, and adapters to other libraries.

The tables below are all that the registry knows; nothing is imported until a game is made.
"""

from __future__ import annotations

from arena.registry import Entry

__all__ = ["ALIASES", "FAMILIES", "TABLE"]

TABLE: dict[str, Entry] = {}
"""Single games: id to entry."""

FAMILIES: dict[str, str] = {
    "gambit": "games.adapters.gambit:FAMILY",
    "openspiel": "games.adapters.openspiel:FAMILY",
    "pettingzoo": "games.adapters.pettingzoo:FAMILY",
}
"""Prefixes with many games below them: prefix to the target of a `Family`."""

ALIASES: dict[str, str] = {
    name: f"openspiel/{name}"
    for name in (
        "backgammon",
        "battleship",
        "blotto",
        "breakthrough",
        "bridge",
        "checkers",
        "chess",
        "connect_four",
        "dark_hex",
        "dots_and_boxes",
        "gin_rummy",
        "go",
        "goofspiel",
        "havannah",
        "hex",
        "kuhn_poker",
        "leduc_poker",
        "liars_dice",
        "mancala",
        "nim",
        "othello",
        "oware",
        "phantom_ttt",
        "pig",
        "tic_tac_toe",
        "y",
    )
}
"""Short names of well-known games."""
