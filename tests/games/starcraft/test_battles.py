"""Battles in the (stand-in) engine against skirmish, which the stand-in plays inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from arena.rng import Stream
from games.skirmish import layout as at
from tests.fake_sc2.installed import FakeEngine

SHAPES = {
    "3m": (30, 48, 9),
    "8m": (80, 168, 14),
    "2s3z": (80, 120, 11),
    "5m_vs_6m": (55, 98, 12),
}
"""Published sizes of SMAC: observation, state, actions."""


def eager(state: Any, seat: int, stream: Stream) -> int:
    legal = state.legal(seat)
    first = 6 + state.battle.looks
    shots = [action for action in legal if action >= first]
    if shots:
        return stream.choice(shots)
    return 4 if 4 in legal and stream.below(3) else stream.choice(legal)


@pytest.mark.parametrize("name", SHAPES)
def test_sizes_are_those_of_smac_and_all_is_as_in_skirmish(name: str, fake: FakeEngine) -> None:
    game = arena.make(f"starcraft/{name}", timeout=60)
    state = game.state(5)
    obs, vector, actions = SHAPES[name]
    assert state.observe(0).tensor.shape == (obs,)
    assert state.state_vector().shape == (vector,)
    assert game.actions[0].n == actions == len(state.observe(0).legal)
    twin = arena.make(f"skirmish/{name}").state(5)
    # SMAC numbers allies by type, x and y; skirmish by type.
    rows, types = twin.world.units[0], twin.world.marks[0, at.TYPE]
    allies = twin.battle.allies
    order = np.lexsort((rows[at.Y, :allies], rows[at.X, :allies], types[:allies])).tolist()
    stream = Stream(1)
    while state.actors():
        assert sorted(order[seat] for seat in state.actors()) == list(twin.actors())
        for seat, other in enumerate(order):
            assert state.legal(seat) == twin.legal(other)
            assert_units(state, twin, seat, other, order)
        joint = {seat: eager(state, seat, stream) for seat in state.actors()}
        state.step(joint)
        twin.step({order[seat]: action for seat, action in joint.items()})
        np.testing.assert_allclose(state.rewards()[0], twin.rewards()[0], atol=1e-4)
    assert not twin.actors()
    assert state.winner == twin.winner
    assert state.truncated == twin.truncated
    np.testing.assert_allclose(state.returns()[0], twin.returns()[0], atol=1e-3)
    game.form("engines").close()


def assert_units(state: Any, twin: Any, seat: int, other: int, order: list[int]) -> None:
    """Observation and state vector are equal when the allies are put in the same order."""
    ours, theirs = state.observe(seat).tensor, twin.observe(other).tensor
    battle = state.battle
    bits, shields = battle.layout.bits, int(battle.rules.numbers[at.R_SHIELDS_0])
    width = 5 + bits + shields
    head = 4 + battle.enemies * (5 + bits + int(battle.rules.numbers[at.R_SHIELDS_1]))
    tail = head + (battle.allies - 1) * width
    np.testing.assert_allclose(ours[:head], theirs[:head], atol=1e-5)
    np.testing.assert_allclose(ours[tail:], theirs[tail:], atol=1e-5)
    blocks = theirs[head:tail].reshape(-1, width)
    others = [k for k in range(battle.allies) if k != other]
    wanted = [blocks[others.index(order[k])] for k in range(battle.allies) if k != seat]
    np.testing.assert_allclose(ours[head:tail].reshape(-1, width), wanted, atol=1e-5)


def test_agents_of_skirmish_play_in_the_engine(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=60)
    played = arena.play(game, ["skirmish/focus_fire"] * 3, seed=4)
    assert min(played.payoffs) > 0
    game.form("engines").close()


def test_pettingzoo_resets_leave_no_engines(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", timeout=60)
    env = arena.to_pettingzoo(game)
    for seed in range(4):
        env.reset(seed=seed)  # in the middle of the episode before
    assert len(fake.launches()) <= 2
    observations, *_ = env.step(dict.fromkeys(env.agents, 4))
    assert set(observations) == {"ally_0", "ally_1", "ally_2"}
    game.form("engines").close()


def test_sight_by_luck_hides_enemies_as_in_skirmish(fake: FakeEngine) -> None:
    game = arena.make("starcraft/3m", reveal=0.0, timeout=60)
    state = game.state(5)
    while state.actors():
        near = [
            [np.hypot(*(rows[:, e] - rows[:, a])) <= 9 for a in state.actors()]
            for rows in [state.world.units[0, [at.X, at.Y]]]
            for e in range(3, 6)
            if state.world.units[0, at.HEALTH, e] > 0
        ]
        seen = sum(int((state.observe(a).tensor[5 : 4 + 15 : 5] > 0).sum()) for a in state.actors())
        # Only the first to see an enemy sees it.
        assert seen <= sum(map(any, near))
        state.step({seat: 4 if 4 in state.legal(seat) else 1 for seat in state.actors()})
    assert state.truncated or state.winner == 1
    game.form("engines").close()
