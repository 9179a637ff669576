"""The variants that tests of Hanabi go through."""

from __future__ import annotations

from typing import Any

# Every parameter of the Hanabi Learning Environment is moved, 2 to 5 players each.
SHARED: list[dict[str, Any]] = [
    {},
    {"players": 3},
    {"players": 4},
    {"players": 5},
    {"players": 2, "colors": 2, "ranks": 3, "hand_size": 2, "max_life_tokens": 1},
    {"players": 3, "observation_type": "minimal", "max_information_tokens": 3},
    {"players": 4, "observation_type": "seer", "hand_size": 3},
    {"players": 2, "random_start_player": True, "max_life_tokens": 5},
    {"players": 5, "colors": 3, "ranks": 4, "hand_size": 2, "max_information_tokens": 1},
    {"players": 2, "colors": 1, "ranks": 1, "hand_size": 1},
    {"players": 3, "ranks": 1, "hand_size": 5},
    {"players": 4, "colors": 4, "ranks": 2, "hand_size": 1, "max_information_tokens": 0},
    {"players": 2, "hand_size": 8, "max_information_tokens": 20, "observation_type": "seer"},
]

# Conventions that the environment lacks.
OWN: list[dict[str, Any]] = [
    {"lost_score": "fireworks", "max_life_tokens": 1},
    {"end_of_deck": "at_once", "colors": 2},
    {"players": 4, "end_of_deck": "at_once", "lost_score": "fireworks", "colors": 2},
]


def named(params: dict[str, Any]) -> str:
    return "-".join(f"{key}={value}" for key, value in params.items()) or "default"
