"""Record the scores of the bots in `tests/golden/hanabi_scores.json`; run it from the root.

`python tests/agents/hanabi/record_golden.py`
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import arena
from agents.hanabi import BOTS, HanabiBot
from arena.rng import derive_many

GOLDEN = Path(__file__).parents[2] / "golden" / "hanabi_scores.json"
GAMES, SEED = 60, 2026


def scores(name: str, players: int, games: int, seed: int) -> np.ndarray:
    """Scores of one bot in all seats, fireworks counted when the last life is lost."""
    game = arena.make("hanabi", players=players, lost_score="fireworks")
    agents = [HanabiBot(name) for _ in range(players)]
    played = agents[0].play_batch(game, agents, derive_many(seed, np.arange(games)))
    assert played is not None
    return played[:, 0]


if __name__ == "__main__":
    found = {
        f"{name}/{players}": [int(score) for score in scores(name, players, GAMES, SEED)]
        for name in BOTS
        for players in (2, 3, 4, 5)
    }
    text = {"games": GAMES, "seed": SEED, "scores": found}
    GOLDEN.write_text(json.dumps(text, indent=0) + "\n", encoding="utf-8")
