"""Zero-sum solvers, backward induction and certificates against naive twins and sources."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.registry import SOLVERS
from arena.rng import seat_seed
from arena.solver import Solution
from arena.testing import check_solver
from games.markov import MarkovGame, as_game
from solvers.markov.backward_induction import truncation
from solvers.markov.certificates import cce_gap, ce_gap, certify, nash_gap
from solvers.markov.policy import (
    CorrelatedPolicy,
    MixturePolicy,
    ProductPolicy,
    load_policy,
    save_policy,
    uniform,
)
from solvers.markov.values import discounted_values, finite_values
from tests.reference.markov import (
    cce_value,
    joint_values,
    markov_best,
    mixture_history_value,
    random_form,
)


def game_of(form: MarkovGame) -> Any:
    return as_game(form, id="test/random", rebuildable=False)


def random_product(
    form: MarkovGame, seed: int, stages: int, key: str = "test/random"
) -> ProductPolicy:
    rng = np.random.default_rng(seed)
    tables = []
    for mask in form.legal:
        raw = rng.random((stages, *mask.shape)) * mask
        tables.append(raw / raw.sum(axis=2, keepdims=True))
    return ProductPolicy(key, tuple(tables))


@pytest.mark.parametrize("solver", ["shapley", "hoffman_karp"])
@pytest.mark.parametrize(
    ("name", "params", "value"),
    [
        ("hide_or_run", {"discount": 0.9}, (1 - math.sqrt(0.1)) / 0.9),
        ("hide_or_run", {"discount": 0.5}, (1 - math.sqrt(0.5)) / 0.5),
        ("big_match", {"discount": 0.9}, 5.0),
        ("big_match", {"discount": 0.99}, 50.0),
    ],
)
def test_values_of_the_literature(
    name: str, params: dict[str, Any], value: float, solver: str
) -> None:
    found = arena.solve(arena.make(f"markov/{name}", **params), solver, until=1e-8).certificate
    assert found["value_0"].value == pytest.approx(value, abs=1e-7)
    assert found["nash_gap"].value < 1e-6
    assert found["value_low"].value - 1e-8 <= value <= found["value_high"].value + 1e-8


@pytest.mark.parametrize(("periods", "looks"), [(1, 0), (1, 1), (3, 1), (6, 2), (8, 5)])
def test_inspection(periods: int, looks: int) -> None:
    game = arena.make("markov/inspection", periods=periods, inspections=looks)
    found = arena.solve(game, "shapley").certificate
    share = sum(math.comb(periods, i) for i in range(looks + 1))
    assert found["value_0"].value == pytest.approx(math.comb(periods - 1, looks) / share)


def test_no_stationary_pure_equilibrium() -> None:
    """Zinkevich, Greenwald and Littman 2006: sending with 2/3 and 5/12 is the equilibrium."""
    made = arena.make("markov/no_stationary_pure").form("markov")
    pay = made.reward.reshape(2, 2, 2, 2)
    # From both states, so that nothing off the path goes unnoticed.
    form = MarkovGame(made.matrix(), pay, [0.5, 0.5], discount=0.75, legal=made.legal)
    first, second = np.zeros((1, 2, 2)), np.zeros((1, 2, 2))
    first[0], second[0] = [[1 / 3, 2 / 3], [1, 0]], [[1, 0], [7 / 12, 5 / 12]]
    assert nash_gap(form, ProductPolicy("", (first, second))).value < 1e-9
    for a in (0, 1):
        for b in (0, 1):
            pure = [np.zeros((1, 2, 2)) for _ in range(2)]
            pure[0][0, 0, a] = pure[0][0, 1, 0] = pure[1][0, 1, b] = pure[1][0, 0, 0] = 1.0
            assert nash_gap(form, ProductPolicy("", tuple(pure))).value > 0.05


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_shapley_and_hoffman_karp_agree(seed: int, masks: bool) -> None:
    one = random_form(seed, states=4, actions=3, masks=masks, ends=True, discount=0.8)
    zero = np.stack([one.reward[0], -one.reward[0]]).reshape(2, 4, 3, 3)
    form = MarkovGame(one.matrix(), zero, 0, legal=one.legal, terminal=[3], discount=0.8)
    a, b = (arena.solve(game_of(form), s, until=1e-10) for s in ("shapley", "hoffman_karp"))
    assert a.certificate["value_0"].value == pytest.approx(b.certificate["value_0"].value, abs=1e-8)
    for found in (a, b):
        assert found.certificate["nash_gap"].value < 1e-7
        low, high = (found.certificate[f"value_{side}"].value for side in ("low", "high"))
        assert low - 1e-9 <= found.certificate["value_0"].value <= high + 1e-9


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]), st.booleans(), st.booleans())
def test_backward_induction_is_linprogs(seed: int, seats: int, coarse: bool, masks: bool) -> None:
    form = random_form(seed, seats=seats, states=3, masks=masks, ends=True, horizon=2)
    name = "cce" if coarse else "ce"
    found = arena.solve(game_of(form), name).certificate
    assert found[f"{name}_gap"].value < 1e-8
    welfare = sum(found[f"value_{i}"].value for i in range(seats))
    assert welfare == pytest.approx(cce_value(form, coarse=coarse), abs=1e-7)


def test_supports_are_those_of_vertices() -> None:
    game = arena.make("markov/garnet", seats=3, actions=4, states=20, horizon=3, seed=4)
    found = arena.solve(game, "cce").certificate
    assert found["support_size"].value <= 3 * 4 + 1


@pytest.mark.parametrize(
    "objective", ["welfare", "value", "entropy", "gini", "sparse", "no_regret"]
)
def test_objectives(objective: str) -> None:
    game = arena.make("markov/garnet", states=4, horizon=2, seed=2)
    found = arena.solve(game, "cce", objective=objective)
    assert found.certificate["cce_gap"].value < (1e-2 if objective == "no_regret" else 1e-6)
    best = arena.solve(game, "cce", objective="value", seat=0, horizon=1).certificate
    other = arena.solve(game, "cce", objective=objective, horizon=1).certificate
    assert other["value_0"].value <= best["value_0"].value + 1e-2


@pytest.mark.parametrize("precision", [0.1, 0.001])
def test_truncation_is_certified(precision: float) -> None:
    game = arena.make("markov/garnet", states=5, discount=0.8, seed=1)
    found = arena.solve(game, "cce", precision=precision)
    stages = truncation(game.form("markov"), precision)
    assert len(found.policy.joint) == stages
    gap, promise = (found.certificate[k].value for k in ("cce_gap", "truncation_bound"))
    assert gap <= promise <= 2 * precision


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3]), st.booleans())
def test_values_are_the_recursions(seed: int, seats: int, masks: bool) -> None:
    form = random_form(seed, seats=seats, masks=masks, ends=True, horizon=3)
    rng = np.random.default_rng(seed)
    joint = rng.random((2, form.states, form.joint)) * np.maximum(form.legal_joint, 1e-300)
    joint[:, form.terminal] = 1.0
    joint /= joint.sum(axis=2, keepdims=True)
    for kind in ("on", "cce", "ce"):
        found = finite_values(form, joint, kind)[0] @ form.initial  # type: ignore[arg-type]  # literals
        for seat in range(seats):
            assert found[seat] == pytest.approx(joint_values(form, joint, seat, kind), abs=1e-9)


def test_discounted_values_solve_the_linear_system() -> None:
    form = random_form(7, states=4, discount=0.9)
    joint = random_product(form, 1, 1).correlated().joint
    p = np.einsum("sj,sjt->st", joint[0], form.matrix().toarray().reshape(4, 4, 4))
    r = np.einsum("sj,isj->is", joint[0], form.reward)
    exact = np.linalg.solve(np.eye(4) - 0.9 * p, r.T).T
    found = discounted_values(form, joint, "on")
    assert (found.low <= exact + 1e-9).all() and (exact <= found.high + 1e-9).all()
    np.testing.assert_allclose(found.low, found.high, atol=1e-8)


# -- mixtures -----------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]))
def test_beliefs_are_the_enumeration_of_histories(seed: int, seats: int) -> None:
    form = random_form(seed, seats=seats, states=2, masks=seed % 2 == 0, horizon=3)
    mixed = MixturePolicy.of([random_product(form, seed + k, 3) for k in range(3)])
    history = certify(form, mixed, deviations="history")
    for seat in range(seats):
        best = mixture_history_value(form, mixed, seat)
        gain = history[f"value_{seat}"].value + history[f"cce_regret_{seat}"].value
        assert gain == pytest.approx(best, abs=1e-9)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_markov_deviations_are_enumerated(seed: int) -> None:
    form = random_form(seed, states=2, horizon=2)
    mixed = MixturePolicy.of([random_product(form, seed + k, 2) for k in range(2)])
    markov = certify(form, mixed, deviations="markov")
    history = certify(form, mixed, deviations="history")
    for seat in range(2):
        gain = markov[f"value_{seat}"].value + markov[f"cce_regret_{seat}"].value
        best = markov_best(form, mixed, seat)
        assert gain == pytest.approx(max(best, markov[f"value_{seat}"].value), abs=1e-9)
        assert markov[f"cce_regret_{seat}"].value <= history[f"cce_regret_{seat}"].value + 1e-9


def test_a_mixture_of_one_is_a_product() -> None:
    form = random_form(11, states=3, horizon=3)
    one = random_product(form, 5, 3)
    alone = certify(form, one)
    for kind in ("markov", "history"):
        mixed = certify(form, MixturePolicy.of([one]), deviations=kind)  # type: ignore[arg-type]  # literals
        assert mixed["cce_gap"].value == pytest.approx(alone["nash_gap"].value, abs=1e-9)


def test_too_many_beliefs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solvers.markov.beliefs._NODES", 10)
    form = random_form(1, states=3, horizon=6)
    mixed = MixturePolicy.of([random_product(form, k, 6) for k in range(3)])
    with pytest.raises(NotApplicableError, match="too large: more than 10 beliefs"):
        cce_gap(form, mixed, deviations="history")


# -- contracts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("shapley", {"until": 1e-6}),
        ("hoffman_karp", {"until": 1e-6}),
        ("cce", {"horizon": 3}),
        ("ce", {"horizon": 3}),
        ("soft_shapley", {"temperature_0": 0.1, "temperature_1": 0.1}),
        ("v_learning", {"horizon": 3, "iterations": 200}),
        ("independent_hedge", {"horizon": 2, "iterations": 30, "deviations": "markov"}),
        ("optimistic_nash_vi", {"horizon": 3, "iterations": 50}),
    ],
)
def test_solvers_keep_the_contract(name: str, settings: dict[str, Any]) -> None:
    params: dict[str, Any] = {"states": 3, "actions": 2, "payoff": "zero_sum"}
    check_solver(SOLVERS.factory(name)(), arena.make("markov/garnet", **params), **settings)
    check_solver(SOLVERS.factory(name)(), arena.make("openspiel/kuhn_poker"))


def test_what_does_not_apply_says_why() -> None:
    with pytest.raises(NotApplicableError, match="needs two seats and zero sum"):
        arena.solve("markov/garnet", "shapley")
    with pytest.raises(NotApplicableError, match="horizon=20"):
        arena.solve("markov/garnet", "v_learning")
    with pytest.raises(NotApplicableError, match=r"discount=0\.9"):
        arena.solve("markov_soccer", "hoffman_karp", horizon=3)
    with pytest.raises(NotApplicableError, match="markov/of"):
        arena.solve("openspiel/kuhn_poker", "shapley")
    with pytest.raises(ParameterError, match="objective"):
        arena.solve("markov/garnet", "cce", objective="fame")
    with pytest.raises(UnknownNameError, match="objective"):
        arena.solve("markov/garnet", "cce", objectiv="welfare")
    form = random_form(1, horizon=2)
    with pytest.raises(ParameterError, match="nash_gap"):
        nash_gap(form, random_product(form, 1, 1).correlated())
    with pytest.raises(ParameterError, match="deviations"):
        certify(form, uniform(form, ""), deviations="all")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ParameterError, match="policy"):
        certify(form, uniform(random_form(1, states=4, horizon=2), ""))
    assert ce_gap(form, random_product(form, 1, 1)).value >= 0


def test_policies_save_load_and_play(tmp_path: Path) -> None:
    game = arena.make("markov/garnet", states=4, horizon=3, seed=3)
    form = game.form("markov")
    mixed = MixturePolicy.of([random_product(form, k, 3) for k in range(3)])
    policies: list[Any] = [
        arena.solve(game, "cce").policy,
        random_product(form, 1, 3),
        mixed,
        arena.solve(game, "v_learning", iterations=300).policy,
    ]
    for number, policy in enumerate(policies):
        path = tmp_path / f"{number}.npz"
        save_policy(policy, path)
        again = load_policy(path)
        assert type(again) is type(policy)
        for name, array in policy.arrays().items():
            assert np.array_equal(array, again.arrays()[name])
    solution = arena.solve(game, "cce", horizon=3)
    solution.save(tmp_path / "solution.npz")
    loaded = Solution.load(tmp_path / "solution.npz")
    assert isinstance(loaded.policy, CorrelatedPolicy)
    assert loaded.certificate == solution.certificate
    file = str(tmp_path / "solution.npz")
    assert arena.evaluate(game, file, deviations="history")["cce_gap"].value < 1e-8
    assert arena.evaluate(game, file, horizon=2)["cce_gap"].value >= 0
    match = arena.play(game, [file, "uniform"], seed=3)
    assert match.fault is None and len(match.steps) == 3
    with pytest.raises(ParameterError):
        load_policy(tmp_path / "solution.npz")


@pytest.mark.parametrize("kind", ["correlated", "mixture", "v_learning", "product"])
def test_agents_earn_what_the_certificate_says(kind: str) -> None:
    """Seats that never speak draw the same joint actions from the public signals."""
    game = arena.make("markov/garnet", states=3, actions=2, horizon=3, seed=6)
    form = game.form("markov")
    policy: Any = {
        "correlated": lambda: arena.solve(game, "cce", objective="entropy").policy,
        "mixture": lambda: MixturePolicy.of(
            [random_product(form, k, 3, game.key) for k in range(3)]
        ),
        "v_learning": lambda: arena.solve(game, "v_learning", iterations=200).policy,
        "product": lambda: random_product(form, 2, 3, game.key),
    }[kind]()
    found = certify(form, policy)
    solution = Solution(game, "test", {}, policy)
    agents = [solution.agent() for _ in range(2)]
    count, paid = 1500, []
    for seed in range(count):
        state = game.state(seed)
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, seat_seed(seed, seat))
        while state.actors():
            state.step({seat: agents[seat].act(state.observe(seat)) for seat in (0, 1)})
        paid.append(state.returns())
    error = np.std(paid, axis=0) / math.sqrt(count)
    expected = [found[f"value_{seat}"].value for seat in (0, 1)]
    assert (np.abs(np.mean(paid, axis=0) - expected) < 5 * error).all()
