"""Both modes against the twin in plain Python, decision by decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import arena
from arena.rng import Stream, generator
from games.skirmish import Battle
from games.skirmish import layout as at
from games.skirmish._kernels import step_all
from games.skirmish._smax_kernels import NO_NOISE
from tests.reference.skirmish import Field, agree

EVERYTHING = {
    "obs_last_action": True,
    "obs_pathing_grid": True,
    "obs_terrain_height": True,
    "obs_timestep_number": True,
    "state_last_action": False,
    "state_timestep_number": True,
    "reward_only_positive": False,
    "reward_death_value": 7,
    "reward_win": 50.5,
    "reward_defeat": -30,
    "reward_negative_scale": 0.25,
    "reward_scale_rate": 3,
    "move_amount": 3,
    "step_mul": 5,
}
"""SMAC's settings, all but the two that leave something out."""

BATTLES = [
    ("3m", {"mode": "smax"}),
    ("2s3z", {"mode": "smax"}),
    ("6h_vs_8z", {"mode": "smax"}),
    ("smacv2_5_units", {"mode": "smax"}),
    ("5m_vs_6m", {}),
    ("2s3z", {}),
    ("MMM", {}),
    ("1c3s5z", {}),
    ("corridor", {}),
    ("2s_vs_1sc", {}),
    ("bane_vs_bane", {}),
    ("terran_5_vs_5", {"sight": "cone"}),
    ("zerg_5_vs_5", {"ranges": "smac"}),
    ("protoss_10_vs_11", {}),
    # Step by step: where many avoid each other rounding soon decides who goes left.
    ("3m", {"collision": "orca", "step_mul": 1}),
    ("2s3z", {"collision": "orca", "step_mul": 1}),
    ("MMM", {"collision": "orca", "step_mul": 1}),
    ("2s3z", EVERYTHING),
    ("corridor", EVERYTHING),
    ("MMM", {"obs_all_health": False, "obs_last_action": True, "reward_scale": False}),
    ("1c3s5z", {"obs_all_health": False, "obs_own_health": False, "obs_instead_of_state": True}),
    ("terran_5_vs_5", {**EVERYTHING, "sight": "cone", "obs_instead_of_state": True}),
]
battles = pytest.mark.parametrize(("name", "params"), BATTLES, ids=str)


def eager(state: Any, seat: int, stream: Stream) -> int:
    """Shoot if possible, mostly; otherwise walk towards the other side, mostly."""
    legal = state.legal(seat)
    battle = state.battle
    first = 5 if battle.smax else 6 + battle.looks
    shots = [action for action in legal if action >= first]
    if shots and stream.below(8):
        return stream.choice(shots)
    if stream.below(3):
        here = state.world.units[0, [at.X, at.Y], seat]
        team = slice(battle.allies, None) if seat < battle.allies else slice(0, battle.allies)
        there = state.world.units[0, [at.X, at.Y], team].mean(axis=1)
        dx, dy = there - here
        way = (1 if dx > 0 else 3) if abs(dx) > abs(dy) else (0 if dy > 0 else 2)
        move = way if battle.smax else (2, 4, 3, 5)[way]
        if move in legal:
            return move
    return stream.choice(legal)


@battles
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_decisions_are_those_of_the_twin(name: str, params: dict[str, Any], seed: int) -> None:
    game = arena.make(f"skirmish/{name}", side="both", reward="shaped", **params)
    state: Any = game.state(seed)
    battle, stream, rng = state.battle, Stream(seed), generator(seed, "noise")
    for _ in range(25 if battle.step_mul > 1 else 75):
        if not state.actors():
            break
        field = Field.of(battle, state.world)
        actions = np.zeros((1, battle.seats), dtype=np.int64)
        for seat in state.actors():
            actions[0, seat] = eager(state, seat, stream)
        noise = rng.uniform(-1 / 16, 2 / 16, (8, battle.units)).astype(np.float32)
        step_all(state.world, battle.rules, battle.ground, actions, noise, 0, 1)
        pay, won = field.play(actions[0].tolist(), noise)
        agree(field, state.world, crowd=battle.units > 18 or battle.collision == "orca")
        assert np.allclose(state.world.pays[0, : at.RETURN_0], pay, atol=1e-3)
        assert state.winner == won
        field = Field.of(battle, state.world)
        if battle.smax:
            for unit in field.units:
                unit.way = tuple(state.world.units[0, [at.MOVE_X, at.MOVE_Y], unit.number])
        for unit in field.units:
            seen = state.observe(unit.number)
            assert np.allclose(seen.tensor, field.observe(unit), atol=1e-5)
            if unit.alive and state.actors():
                assert seen.legal.tolist() == field.available(unit)
        assert np.allclose(state.state_vector(), field.state(), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "obs", "state", "actions"),
    [
        ("3m", 30, 48, 9),
        ("8m", 80, 168, 14),
        ("2s3z", 80, 120, 11),
        ("5m_vs_6m", 55, 98, 12),
        ("MMM", 160, 290, 16),
        ("MMM2", 176, 322, 18),
        ("3s5z", 128, 216, 14),
        ("corridor", 156, 282, 30),
        ("27m_vs_30m", 285, 1170, 36),
        ("terran_5_vs_5", 82, 120, 11),
        ("protoss_5_vs_5", 92, 130, 11),
    ],
)
def test_sizes_are_those_published(name: str, obs: int, state: int, actions: int) -> None:
    """SMAC's and SMACv2's `get_env_info`."""
    battle = arena.make(f"skirmish/{name}").form("skirmish")
    assert (battle.obs_sizes[0], battle.state_size, battle.actions[0]) == (obs, state, actions)


def duel(name: str, seats: tuple[int, int], gap: float) -> Any:
    """Leave one unit of each team, so far apart; everybody else is dead."""
    state: Any = arena.make(f"skirmish/{name}", side="both").state(0)
    for unit in range(state.battle.units):
        if unit not in seats:
            state.world.units[0, at.HEALTH, unit] = 0
    state.world.units[0, [at.X, at.Y], seats[0]] = 10.0, 10.0
    state.world.units[0, [at.X, at.Y], seats[1]] = 10.0 + gap, 10.0
    return state


def test_a_stalker_needs_as_many_shots_as_in_the_books() -> None:
    """13 a shot on 50 shield; the fourth takes the last 11 and 1 (2 less armour) of 100 health;
    then 12 a shot: 4 + 9 (8.25) shots."""
    state = duel("3s_vs_3z", (0, 3), 5.0)
    zealot, shots, before = state.world.units[0, :, 3], 0, 150.0
    state.world.stats[0, at.SPEED, 3] = 0.0
    for _ in range(60):
        if zealot[at.HEALTH] <= 0:
            break
        actions = np.array([[6, 0, 0, 1, 0, 0]])
        step_all(state.world, state.battle.rules, state.battle.ground, actions, NO_NOISE, 0, 1)
        left = float(zealot[at.HEALTH] + zealot[at.SHIELD])
        shots += left < before
        before = left
    assert shots == 13


def test_shields_come_back_after_ten_seconds() -> None:
    state = duel("3s_vs_3z", (0, 3), 15.0)
    stalker = state.world.units[0, :, 0]
    stalker[at.SHIELD], stalker[at.QUIET] = 20.0, 0.0
    seen = []
    for _ in range(50):
        state.step({0: 1, 3: 1})
        seen.append(float(stalker[at.SHIELD]))
    assert seen[18] == 20.0  # 9.5 s
    assert seen[20] > 20.0
    assert seen[-1] == pytest.approx(20 + 2 * (25 - 10), abs=0.2)


def test_a_medivac_heals_for_energy() -> None:
    state: Any = arena.make("skirmish/MMM", side="both", limit=500).state(1)
    units = state.world.units[0]
    medivac, marine = units[:, 9], units[:, 5]
    units[at.HEALTH, 10:19] = 0
    units[[at.X, at.Y], 9] = units[[at.X, at.Y], 5]
    marine[at.HEALTH] = 10.0
    assert state.legal(9)[-1] < 6 + 9  # no healing of itself
    energy = float(medivac[at.ENERGY])
    state.step({seat: 6 + 5 if seat == 9 else 1 for seat in state.actors()})
    healed = float(marine[at.HEALTH]) - 10.0
    assert healed == pytest.approx(12.6 / 2, abs=1e-3)
    assert energy + 0.7875 / 2 - float(medivac[at.ENERGY]) == pytest.approx(healed / 3, abs=1e-3)


def test_marauders_cannot_name_what_flies() -> None:
    state: Any = arena.make("skirmish/MMM", side="both").state(1)
    units = state.world.units[0]
    units[[at.X, at.Y], 19] = units[[at.X, at.Y], 0] + 0.5
    assert 6 + 9 not in state.legal(0)  # a marauder
    assert 6 + 9 in state.legal(2)  # a marine


def test_a_team_of_healers_is_beaten() -> None:
    state: Any = arena.make("skirmish/MMM", side="both").state(1)
    state.world.units[0, at.HEALTH, 10:19] = 0
    state.step(dict.fromkeys(state.actors(), 1))
    assert state.winner == 0
    assert state.actors() == ()
    assert state.rewards().tolist() == [1.0] * 10 + [-1.0] * 10


def test_walls_stop_zerglings_and_not_colossi() -> None:
    state: Any = arena.make("skirmish/2c_vs_64zg").state(0)
    walls = state.battle.walls
    units = state.world.units[0]
    crossed = 0
    for _ in range(20):
        if not state.actors():
            break
        state.step({seat: 3 if 3 in state.legal(seat) else 1 for seat in state.actors()})
        alive = units[at.HEALTH] > 0
        columns, rows = units[at.X].astype(int), units[at.Y].astype(int)
        inside = (walls[np.clip(rows, 0, 31), np.clip(columns, 0, 31)] == 1) & alive
        assert not inside[2:].any()
        crossed += int(inside[:2].any())
    state = arena.make("skirmish/2c_vs_64zg").state(0)
    assert state.world.stats[0, at.CLIMBS, 0] == 1


def test_routes_lead_around_walls() -> None:
    battle = Battle("corridor")
    assert battle.ground is not None
    routes, walls = battle.ground.routes, battle.walls
    ways = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    x, y, to = 28, 28, 5 * 32 + 5
    for _ in range(60):
        way = int(routes[y * 32 + x, to])
        if way == 8:
            break
        x, y = x + ways[way][0], y + ways[way][1]
        assert not walls[y, x]
    assert (x, y) == (5, 5)


@pytest.mark.parametrize("name", ["terran_5_vs_5", "zerg_20_vs_23", "smacv2_10_units"])
def test_armies_are_drawn_as_smacv2_does(name: str) -> None:
    """The enemies repeat the allies, and no team is of the kind alone that cannot win alone."""
    batch = arena.make(f"skirmish/{name}").form("batch", seeds=range(400))
    battle, types = batch.battle, batch.world.marks[:, at.TYPE]
    n = battle.allies
    assert (types[:, :n] == types[:, n : 2 * n]).all()
    alone = battle.layout.alone
    if alone:
        kind = battle.layout.kinds.index(alone)
        assert not (types[:, :n] == kind).all(axis=1).any()
    shares = np.bincount(types[:, :n].ravel(), minlength=len(battle.kinds)) / types[:, :n].size
    assert np.allclose(shares, battle.layout.weights, atol=0.05)
    units = batch.world.units
    assert (units[:, [at.X, at.Y]] >= 0).all()
    assert (units[:, [at.X, at.Y]] <= 32).all()


def test_a_cone_hides_what_is_behind() -> None:
    state: Any = arena.make("skirmish/protoss_5_vs_5", sight="cone", side="both").state(3)
    units = state.world.units[0]
    units[[at.X, at.Y], :] = np.array([[3.0], [3.0]]) + 2 * np.arange(10) / 10
    units[[at.X, at.Y], 0] = 16.0, 16.0
    units[[at.X, at.Y], 5] = 20.0, 16.2
    enemy = slice(4, 9 + 4)
    assert state.observe(0).tensor[4 + 1] > 0  # looks east at first
    assert "enemy_0" in state.observe(0).view
    state.step({seat: 6 + 6 if seat == 0 else 1 for seat in state.actors()})  # look west
    assert (state.observe(0).tensor[enemy] == 0).all()
    assert 6 + 12 not in state.legal(0)


def test_opponents_are_revealed_by_chance() -> None:
    """With reveal=0 only the first to see an enemy does; with 1 everybody in sight."""
    counts = {}
    for reveal in (0.0, 1.0):
        state: Any = arena.make("skirmish/3m", reveal=reveal, side="both").state(0)
        state.world.units[0, at.X, 3:] = state.world.units[0, at.X, :3] + 3
        state.world.units[0, at.Y, 3:] = state.world.units[0, at.Y, :3]
        state.step(dict.fromkeys(range(6), 1))
        seen = [
            state.observe(seat).tensor[4 + 5 * k + 1] > 0 for seat in range(3) for k in range(3)
        ]
        counts[reveal] = sum(seen)
    assert counts == {0.0: 3, 1.0: 9}
