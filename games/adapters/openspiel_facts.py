"""What OpenSpiel's game types leave out: who plays with whom, and what seats are called."""

from __future__ import annotations

__all__ = ["CLONES_EXACTLY", "KNOWN_ISSUES", "SEAT_NAMES", "TEAMS", "UNPLAYABLE"]

_PARTNERS = (0, 1, 0, 1)

TEAMS: dict[str, tuple[int, ...]] = {
    "bridge": _PARTNERS,
    "euchre": _PARTNERS,
    "python_team_dominoes": _PARTNERS,
    "spades": _PARTNERS,
    "tiny_bridge_4p": _PARTNERS,
}
"""The team of each seat in games of fixed partners, by short name."""

_BLACK_FIRST = ("black", "white")
_WHITE_FIRST = ("white", "black")
_NOUGHTS = ("x", "o")

SEAT_NAMES: dict[str, tuple[str, ...]] = {
    # Seat 0 of the chess family is black, though white moves first.
    "antichess": _BLACK_FIRST,
    "chess": _BLACK_FIRST,
    "crazyhouse": _BLACK_FIRST,
    "dark_chess": _BLACK_FIRST,
    "kriegspiel": _BLACK_FIRST,
    "rbc": _BLACK_FIRST,
    "breakthrough": _BLACK_FIRST,
    "bridge": ("north", "east", "south", "west"),
    "connect_four": _NOUGHTS,
    "cursor_go": _BLACK_FIRST,
    "go": _BLACK_FIRST,
    "gomoku": _BLACK_FIRST,
    "hive": _WHITE_FIRST,
    "lines_of_action": _BLACK_FIRST,
    "nine_mens_morris": _WHITE_FIRST,
    "othello": _BLACK_FIRST,
    "phantom_go": _BLACK_FIRST,
    "phantom_ttt": _NOUGHTS,
    "shogi": _BLACK_FIRST,
    "tic_tac_toe": _NOUGHTS,
    "ultimate_tic_tac_toe": _NOUGHTS,
    "xiangqi": ("red", "black"),
}
"""What the seats are called where the rules name them, by short name."""

_POPULATION = "its states belong to one of several populations: 'Invalid population None'"

UNPLAYABLE: dict[str, str] = {
    "chat_game": "it has more legal actions than num_distinct_actions (2) says",
    "python_hangman": "'HangmanGame' object has no attribute '_word_list_len'",
    "python_mfg_crowd_avoidance": _POPULATION,
    "python_mfg_predator_prey": _POPULATION,
}
"""Registered games that load but break when they are played, with OpenSpiel's own reason."""

CLONES_EXACTLY = frozenset({"bridge_uncontested_bidding"})
"""Games that draw chance inside OpenSpiel, but from a stream that each state keeps for itself."""

KNOWN_ISSUES = frozenset({"quoridor"})
"""Games that OpenSpiel itself warns about when they are loaded."""
