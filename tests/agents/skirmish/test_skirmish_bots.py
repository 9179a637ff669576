"""The scripted players: agents and built-in opponents are the same, and one is stronger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from arena.agent import Agent
from arena.errors import AgentError, UnknownNameError
from arena.rng import derive_many
from arena.testing import check_agent
from games.batch import play_batch

FIGHTERS = ["closest", "focus_fire", "random"]


@pytest.mark.parametrize("name", [*FIGHTERS, "idle"])
@pytest.mark.parametrize("mode", ["smac", "smax"])
def test_the_conformance_kit_passes(name: str, mode: str) -> None:
    game = arena.make("skirmish/3m", side="both", mode=mode, limit=20)
    check_agent(lambda: arena.agent(f"skirmish/{name}"), game, episodes=1)


def wins(game: Any, one: str, other: str, episodes: int) -> tuple[float, float]:
    """Return how often each side wins."""
    battle = game.form("skirmish")
    agents: list[Agent] = [arena.agent(f"skirmish/{one}") for _ in range(battle.allies)]
    agents += [arena.agent(f"skirmish/{other}") for _ in range(battle.enemies)]
    payoffs = play_batch(game, agents, derive_many(7, np.arange(episodes)))
    assert payoffs is not None
    return float((payoffs[:, 0] > 0).mean()), float((payoffs[:, 0] < 0).mean())


@pytest.mark.parametrize("mode", ["smac", "smax"])
@pytest.mark.parametrize("name", ["3m", "2s3z", "8m"])
def test_focus_fire_is_stronger(name: str, mode: str) -> None:
    """From either side of a fair map, over 64 battles; a tie would be within 0.13 of even."""
    game = arena.make(f"skirmish/{name}", side="both", mode=mode)
    won, lost = wins(game, "focus_fire", "closest", 64)
    assert won - lost > 0.2
    lost, won = wins(game, "closest", "focus_fire", 64)
    assert won - lost > 0.2


def test_built_in_focus_fire_beats_the_same_team_more_often() -> None:
    results = {}
    for opponent in ("closest", "focus_fire"):
        game = arena.make("skirmish/8m", mode="smax", opponent=opponent)
        agents: list[Agent] = [arena.agent("skirmish/closest") for _ in range(8)]
        payoffs = play_batch(game, agents, derive_many(3, np.arange(64)))
        assert payoffs is not None
        results[opponent] = payoffs[:, 0].mean()
    assert results["focus_fire"] < results["closest"] - 0.2


def test_other_games_are_refused() -> None:
    with pytest.raises(AgentError, match="plays battles"):
        arena.agent("skirmish/closest").begin(arena.make("chicken"), 0, 1)
    with pytest.raises(UnknownNameError, match="closest"):
        arena.agent("skirmish/clossest")


SMAX_TABLE = {
    # map: (random: return, length), (heuristic: return, length, win rate); 512 episodes of SMAX
    "3m": ((0.181, 17.7), (1.411, 14.0, 0.494)),
    "2s3z": ((0.207, 52.1), (1.419, 71.25, 0.498)),  # without auto-reset: no early end is favoured
    "5m_vs_6m": ((0.144, 18.0), (0.570, 12.5, 0.0)),
    "8m": ((0.181, 20.8), (1.451, 17.3, 0.535)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMAX_TABLE)
def test_distributions_are_those_of_smax(name: str) -> None:
    """Mean return, length and win rate over 1024 episodes, within four standard errors."""
    game = arena.make(f"skirmish/{name}", mode="smax")
    (random_return, random_length), (mean, length, rate) = SMAX_TABLE[name]
    for player, wanted in (
        ("uniform", (random_return, random_length, 0.0)),
        ("skirmish/closest", (mean, length, rate)),
    ):
        batch = game.form("batch", seeds=derive_many(11, np.arange(1024)))
        agents: list[Any] = [arena.agent(player) for _ in range(game.seats)]
        for seat, agent in enumerate(agents):
            agent.begin_batch(game, seat, derive_many(12 + seat, np.arange(1024)))
        while (acting := batch.actors()).any():
            moves = [agent.act_batch(batch.observe(seat)) for seat, agent in enumerate(agents)]
            batch.step(np.stack(moves, axis=1))
        assert not acting.any()
        returns, lengths = batch.returns()[:, 0], batch.world.heads[:, 0].astype(float)
        won = (batch.world.heads[:, 2] == 0).astype(float)
        for seen, expected in zip((returns, lengths, won), wanted, strict=True):
            error = seen.std() * (1 / 1024 + 1 / 512) ** 0.5
            assert abs(seen.mean() - expected) <= 4 * error + 0.006 * max(expected, 0.1)
