"""The rules of mode `smac`, one by one: what a single shot, step or second does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import arena
from games.skirmish import layout as at
from games.skirmish._kernels import step_all
from games.skirmish._smax_kernels import NO_NOISE
from games.skirmish.units import SMAC


class Bench:
    """A battle whose units are placed by hand; one world step at a time."""

    def __init__(self, name: str, living: dict[int, tuple[float, float]]) -> None:
        # Any map of the types wanted will do; who is not placed is dead.
        self.state: Any = arena.make(f"skirmish/{name}", side="both", step_mul=1, limit=9999)
        self.state = self.state.state(0)
        self.units = self.state.world.units[0]
        self.units[at.HEALTH] = np.where(
            [unit in living for unit in range(self.state.battle.units)], self.units[at.HEALTH], 0
        )
        for unit, place in living.items():
            self.units[[at.X, at.Y], unit] = place
        self.units[at.QUIET] = 0.0

    def __call__(self, actions: dict[int, int], steps: int = 1) -> None:
        battle = self.state.battle
        joint = np.ones((1, battle.seats), dtype=np.int64)
        for unit, action in actions.items():
            joint[0, unit] = action
        for _ in range(steps):
            step_all(self.state.world, battle.rules, battle.ground, joint, NO_NOISE, 0, 1)

    def life(self, unit: int) -> tuple[float, float]:
        health, shield = self.units[[at.HEALTH, at.SHIELD], unit].tolist()
        return health, shield

    def kind(self, unit: int) -> str:
        return str(self.state.battle.kinds[int(self.state.world.marks[0, at.TYPE, unit])].name)


def units_of(name: str, kind: str, team: int) -> list[int]:
    battle = arena.make(f"skirmish/{name}").form("skirmish")
    return [
        unit
        for unit, number in enumerate(battle.rules.types.tolist())
        if battle.kinds[number].name == kind and int(unit >= battle.allies) == team
    ]


def target(bench: Bench, shooter: int, unit: int) -> int:
    battle = bench.state.battle
    return 6 + unit - (battle.allies if shooter < battle.allies else 0)


@pytest.mark.parametrize(
    ("name", "shooter", "hit", "shield", "lost"),
    [
        ("MMM", "marine", "marine", 0, (6, 0)),
        ("MMM", "marine", "marauder", 0, (5, 0)),  # armour 1
        ("MMM", "marauder", "marine", 0, (10, 0)),
        ("MMM", "marauder", "marauder", 0, (19, 0)),  # 10 more on the armoured
        ("1c3s5z", "stalker", "zealot", 50, (0, 13)),  # shields have no armour
        ("1c3s5z", "stalker", "zealot", 0, (12, 0)),
        ("1c3s5z", "stalker", "zealot", 4, (8, 4)),  # what the shield leaves meets the armour
        ("1c3s5z", "stalker", "stalker", 0, (17, 0)),  # 5 more on the armoured
        ("1c3s5z", "zealot", "stalker", 0, (14, 0)),  # two hits of 8, each less the armour
        ("1c3s5z", "zealot", "stalker", 8, (7, 8)),  # the second hit alone meets the armour
        ("1c3s5z", "colossus", "zealot", 0, (28, 0)),  # two hits of 10 and 5 on the light
        ("1c3s5z", "colossus", "stalker", 0, (18, 0)),
    ],
)
def test_a_shot_does_what_armour_shields_and_attributes_leave(
    name: str, shooter: str, hit: str, shield: float, lost: tuple[float, float]
) -> None:
    one, other = units_of(name, shooter, 0)[0], units_of(name, hit, 1)[0]
    reach = SMAC[shooter].reach + SMAC[shooter].radius + SMAC[hit].radius
    bench = Bench(name, {one: (10.0, 10.0), other: (10.0 + reach - 0.01, 10.0)})
    bench.units[at.SHIELD, other] = shield
    health = SMAC[hit].health
    bench({one: target(bench, one, other)})
    assert bench.life(other) == (health - lost[0], shield - lost[1])


def test_a_hit_does_at_least_one_half() -> None:
    one, other = (
        units_of("2s_vs_1sc", "stalker", 0)[0],
        units_of("2s_vs_1sc", "spine_crawler", 1)[0],
    )
    bench = Bench("2s_vs_1sc", {one: (10.0, 10.0), other: (12.0, 10.0)})
    bench.state.world.stats[0, [at.DAMAGE, at.BONUS], one] = 1.0, 0.0
    bench({one: target(bench, one, other)})
    grown = SMAC["spine_crawler"].regeneration / 16
    assert bench.life(other)[0] == pytest.approx(300 - 0.5 + grown, abs=1e-3)


@pytest.mark.parametrize(("gap", "shoots"), [(4.99, True), (5.02, False)])
def test_ranges_go_from_edge_to_edge(gap: float, shoots: bool) -> None:
    marine, marauder = units_of("MMM", "marine", 0)[0], units_of("MMM", "marauder", 1)[0]
    between = gap + SMAC["marine"].radius + SMAC["marauder"].radius
    bench = Bench("MMM", {marine: (10.0, 10.0), marauder: (10.0 + between, 10.0)})
    bench({marine: target(bench, marine, marauder)})
    assert (bench.life(marauder)[0] < 125) == shoots
    assert (bench.units[at.X, marine] > 10.0) == (not shoots)  # who is too far walks up
    bench({marine: target(bench, marine, marauder)}, steps=1)
    assert bench.life(marauder)[0] == 120


def test_weapons_wait_for_their_cooldown() -> None:
    marine, marauder = units_of("MMM", "marine", 0)[0], units_of("MMM", "marauder", 1)[0]
    bench = Bench("MMM", {marine: (10.0, 10.0), marauder: (13.0, 10.0)})
    bench({marine: target(bench, marine, marauder)}, steps=160)
    shots = (125 - bench.life(marauder)[0]) / 5
    # In 10 s: one each .61 s and up to 2/16 s more, in whole world steps.
    assert 13 <= shots <= 17


def test_a_beam_hits_across_the_line_of_fire() -> None:
    name = "2c_vs_64zg"
    lings = units_of(name, "zergling", 1)
    around = {"across": (0.0, 1.5), "far across": (0.0, 2.2), "behind": (1.2, 0.0)}
    (colossus,) = units_of(name, "colossus", 0)[:1]
    places = {colossus: (5.0, 10.0)}
    places |= {lings[0]: (11.0, 10.0)}
    places |= {lings[k + 1]: (11.0 + dx, 10.0 + dy) for k, (dx, dy) in enumerate(around.values())}
    bench = Bench(name, places)
    before = bench.units[at.HEALTH, lings[:4]].copy()
    bench({colossus: target(bench, colossus, lings[0])})
    hit = (bench.units[at.HEALTH, lings[:4]] < before).tolist()
    assert hit == [True, True, False, False]


def test_a_baneling_takes_all_around_with_it() -> None:
    name = "so_many_baneling"
    banes, zealots = units_of(name, "baneling", 1), units_of(name, "zealot", 0)
    bench = Bench(
        name,
        {
            banes[0]: (10.0, 10.0),
            banes[1]: (10.0, 11.0),
            zealots[0]: (10.9, 10.0),
            zealots[1]: (10.0, 8.0),
            zealots[2]: (10.0, 6.0),
        },
    )
    bench({banes[0]: target(bench, banes[0], zealots[0])})
    assert bench.life(banes[0]) == (0.0, 0.0)
    assert bench.life(banes[1])[0] == 30.0  # friends are not hurt
    # 16, and 19 more on the light: the shield of 50 takes it.
    assert [bench.life(z)[1] for z in zealots[:3]] == [15.0, 15.0, 50.0]


def test_zerg_regain_health_and_others_do_not() -> None:
    name = "6h_vs_8z"
    hydra, zealot = units_of(name, "hydralisk", 0)[0], units_of(name, "zealot", 1)[0]
    bench = Bench(name, {hydra: (5.0, 5.0), zealot: (25.0, 25.0)})
    bench.units[at.HEALTH, [hydra, zealot]] = 50.0
    bench({}, steps=16 * 10)
    assert bench.life(hydra)[0] == pytest.approx(50 + 0.38 * 10, abs=1e-3)
    assert bench.life(zealot)[0] == 50.0


def test_shields_wait_ten_seconds_and_grow_two_a_second() -> None:
    name = "3s_vs_3z"
    stalker, zealot = units_of(name, "stalker", 0)[0], units_of(name, "zealot", 1)[0]
    bench = Bench(name, {stalker: (5.0, 5.0), zealot: (9.0, 5.0)})
    bench({stalker: target(bench, stalker, zealot)})  # the hit starts the clock
    assert bench.life(zealot) == (100.0, 37.0)
    bench({}, steps=16 * 10 - 1)
    assert bench.life(zealot) == (100.0, 37.0)
    bench({}, steps=17)
    assert bench.life(zealot)[1] == pytest.approx(37.0 + 2.0, abs=0.2)
    bench({}, steps=16 * 20)
    assert bench.life(zealot) == (100.0, 50.0)


def test_healing_costs_energy_and_never_wakes_the_dead() -> None:
    name = "MMM"
    medivac, marine = units_of(name, "medivac", 0)[0], units_of(name, "marine", 0)[0]
    enemy = units_of(name, "marauder", 1)[0]
    bench = Bench(name, {medivac: (10.0, 10.0), marine: (11.0, 10.0), enemy: (30.0, 30.0)})
    bench.units[at.HEALTH, marine], bench.units[at.ENERGY, medivac] = 20.0, 60.0
    bench({medivac: 6 + marine}, steps=16 * 4)
    gained, left = bench.life(marine)[0] - 20.0, bench.units[at.ENERGY, medivac]
    spent = 60.0 + 0.7875 * 4 - left
    assert gained == pytest.approx(3 * spent, abs=1e-2)
    assert gained == pytest.approx(25.0, abs=1e-3)  # to the full 45, and no more
    bench.units[at.HEALTH, marine] = 3.0
    bench.units[[at.X, at.Y], enemy] = 13.0, 10.0
    bench({medivac: 6 + marine, enemy: target(bench, enemy, marine)})
    assert bench.life(marine)[0] == 0.0


def test_flyers_and_walkers_pass_through_each_other() -> None:
    name = "MMM"
    medivac, *marines = units_of(name, "medivac", 0) + units_of(name, "marine", 0)[:2]
    enemy = units_of(name, "marauder", 1)[0]
    places = {medivac: (10.0, 10.0), marines[0]: (10.0, 10.1), enemy: (30.0, 30.0)}
    bench = Bench(name, {**places, marines[1]: (10.3, 10.1)})
    bench({})
    assert bench.units[[at.X, at.Y], medivac].tolist() == [10.0, 10.0]
    apart = bench.units[at.X, marines[1]] - bench.units[at.X, marines[0]]
    assert apart == pytest.approx(2 * SMAC["marine"].radius, abs=1e-5)
