"""Games: forms, engines of our own, and adapters to other libraries.

The tables below are all that the registry knows; nothing is imported until a game is made.
"""

from __future__ import annotations

from arena.registry import Entry

__all__ = ["ALIASES", "FAMILIES", "TABLE"]

TABLE: dict[str, Entry] = {
    "hanabi": Entry(
        "games.hanabi.form:make",
        "Hanabi, 2 to 5 players, every variant (players=2, colors=5, ranks=5, hand_size=…)",
        {"seats": "2-5", "payoff": "cooperative", "turns": "sequential"},
    ),
}
"""Single games: id to entry."""

FAMILIES: dict[str, str] = {
    "adversarial": "games.control.catalog:FAMILY",
    "bandits": "games.bandits.catalog:FAMILY",
    "gambit": "games.adapters.gambit:FAMILY",
    "openspiel": "games.adapters.openspiel:FAMILY",
    "pettingzoo": "games.adapters.pettingzoo:FAMILY",
    "markov": "games.markov.catalog:FAMILY",
    "matrix": "games.catalog:FAMILY",
    "repeated": "games.catalog:REPEATED",
    "starcraft": "games.starcraft.form:FAMILY",
    "skirmish": "games.skirmish.form:FAMILY",
}
"""Prefixes with many games below them: prefix to the target of a `Family`."""

_OPENSPIEL = {
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
_MATRIX = {
    name: f"matrix/{name}"
    for name in (
        "battle_of_the_sexes",
        "centipede",
        "chicken",
        "climbing",
        "colonel_blotto",
        "hawk_dove",
        "jordan",
        "matching_pennies",
        "minimum_effort",
        "prisoners_dilemma",
        "public_goods",
        "rock_paper_scissors",
        "shapley",
        "stag_hunt",
        "travellers_dilemma",
    )
}
ALIASES: dict[str, str] = {
    **_OPENSPIEL,
    **_MATRIX,
    "big_match": "markov/big_match",
    "coin_game": "markov/coin_game",
    "iterated_prisoners_dilemma": "repeated/prisoners_dilemma",
    "markov_soccer": "markov/soccer",
}
"""Short names of well-known games."""
