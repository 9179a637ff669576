"""Learners, curricula and reproductions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import ParameterError, UnknownNameError
from arena.rng import derive
from games.markov import MarkovGame, as_game
from games.markov.catalog import FAMILY
from games.normal_form import NormalForm
from solvers.markov.certificates import certify
from solvers.markov.mex import Mex, best_reply
from solvers.markov.policy import ProductPolicy, uniform
from solvers.markov.run import Problem
from solvers.markov.soft import PATH, bound, path_of
from solvers.markov.v_learning import VLearning
from solvers.markov.v_policy import visit_weights
from solvers.matrix.certificates import certify_qre
from solvers.schedules import SCHEDULES, Adaptive, Feedback, Geometric, SelfPaced, schedule
from tests.reference.markov import SlowVLearning, random_form


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_v_learning_is_the_papers(seed: int, masks: bool) -> None:
    form = random_form(seed, states=3, masks=masks, ends=True, horizon=3)
    fast = VLearning(Problem(form, "", seed, 60, {}), bonus=0.1)
    slow = SlowVLearning(form, bonus=fast._bonus, seed=derive(seed, "v_learning"))
    fast.advance(60)
    policy = fast.answer()
    for k in range(60):
        seen = slow.episode()
        assert policy.states[k, : len(seen)].tolist() == seen
    for (i, h, s), value in slow.value.items():
        assert fast._value[i, h, s] == pytest.approx(value, rel=1e-9)
        low = int(fast._flat.cut[i])
        row = fast._policy[h, s, low : low + form.actions[i]]
        np.testing.assert_allclose(row, slow.policy(i, h, s), atol=1e-9)


def test_visit_weights_add_up_to_one() -> None:
    for t in (1, 2, 10, 1000):
        assert visit_weights(t, 5).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(visit_weights(2, 1), [1 / 3, 2 / 3])


def test_v_learnings_certificate_falls() -> None:
    game = arena.make("markov/garnet", states=3, actions=2, horizon=2)
    gaps = [
        arena.solve(game, "v_learning", iterations=k).certificate["cce_gap"].value
        for k in (100, 2000, 40_000)
    ]
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.15


def test_v_learnings_bound_holds() -> None:
    """In a one-step game the output is a mixture of products: its exact gap is known."""
    game = arena.make("markov/garnet", states=2, actions=3, branching=2, horizon=1, seed=3)
    form: MarkovGame = game.form("markov")
    policy = arena.solve(game, "v_learning", iterations=500).policy
    sigma = np.zeros((1, form.states, form.joint))
    for k in range(500):
        seen = policy.visits(0, 0)
        t = int(np.searchsorted(seen, k))
        rows = policy.played[seen[:t], 0] if t else policy.start[0][None]
        weights = visit_weights(t, 1) if t else np.ones(1)
        for w, row in zip(weights, rows, strict=True):
            sigma[0, 0] += w / 500 * np.outer(row[:3], row[3:]).ravel()
    sigma[0, 1] = 1 / form.joint
    from solvers.markov.policy import CorrelatedPolicy

    exact = certify(form, CorrelatedPolicy("", form.actions, sigma))
    found = certify(form, policy)
    assert found["value_0"].value == pytest.approx(exact["value_0"].value, abs=1e-9)
    assert found["cce_gap"].value >= exact["cce_gap"].value - 1e-9


def test_independent_learners_fail_against_memory() -> None:
    """The paper's message; figures of the same size as .107 → .023 and .40 → .505."""
    game = arena.make("markov/repeated", stage="shapley", rounds=2)
    form = game.form("markov")
    gaps = {}
    for length in (100, 6400):
        for kind in ("markov", "history"):
            gaps[length, kind] = np.mean(
                [
                    certify(
                        form,
                        arena.solve(
                            game,
                            "independent_hedge",
                            iterations=length,
                            seed=s,
                            deviations="markov",
                        ).policy,
                        deviations=kind,  # type: ignore[arg-type]  # literals
                    )["cce_gap"].value
                    for s in range(4)
                ]
            )
    assert 0.08 < gaps[100, "markov"] < 0.2 and gaps[6400, "markov"] < 0.03
    assert 0.35 < gaps[6400, "history"] < 0.75
    assert gaps[6400, "history"] > gaps[100, "history"]


# -- quantal response ---------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["nash_mp", "egpo", "mmd", "inpo"])
def test_one_state_is_the_logit_equilibrium(algorithm: str) -> None:
    rng = np.random.default_rng(0)
    pay = rng.normal(size=(3, 4))
    form = NormalForm(np.stack([pay, -pay]))
    game = as_game(
        MarkovGame(np.ones((1, 3, 4, 1)), form.payoffs[:, None], 0, discount=1e-12), id="test/one"
    )
    settings = {"temperature_0": 0.2, "temperature_1": 0.2, "algorithm": algorithm}
    found = arena.solve(game, "soft_shapley", precision=1e-12, limit=1_000_000, **settings).policy
    rows = [table[0, 0] for table in found.tables]
    assert certify_qre(form, rows, temperature=0.2)["qre_residual"].value < 1e-6


def test_it_is_gambits_logit_equilibrium() -> None:
    """Spec: the QRE at τ is the logit equilibrium at λ = 1/τ, to six digits."""
    pygambit = pytest.importorskip("pygambit")
    pay = np.array([[3.0, 0.0], [1.0, 2.0]])
    game = as_game(
        MarkovGame(np.ones((1, 2, 2, 1)), np.stack([pay, -pay])[:, None], 0, discount=1e-12),
        id="test/one",
    )
    ours = arena.solve(
        game, "soft_shapley", temperature_0=0.5, temperature_1=0.5, precision=1e-12
    ).policy
    peer = pygambit.StrategicGame.from_arrays(pay, -pay)
    profile = pygambit.qre.logit_solve_lambda(peer, [2.0])[0].profile
    wanted = [p for mix in profile for _, p in mix]
    found = np.concatenate([table[0, 0] for table in ours.tables])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_nash_gap_stays_within_the_bound() -> None:
    params = {"states": 20, "actions": 5, "payoff": "zero_sum", "discount": 0.9}
    game = FAMILY.make("garnet", branching=5, **params)
    found = arena.solve(game, "soft_shapley", temperature_0=0.003, temperature_1=0.003)
    path = path_of(found.state["path"])
    assert found.state["path"].shape == (len(path), len(PATH))
    assert all(0 < p.nash_gap <= p.bound and p.residual <= 1e-7 for p in path)
    assert path[-1].bound == pytest.approx(0.0966, abs=1e-4)
    assert path[-1].nash_gap < 0.03
    cold = arena.solve(
        game,
        "soft_shapley",
        temperature_0=0.003,
        temperature_1=0.003,
        schedule_0="fixed",
        schedule_1="fixed",
    )
    for a, b in zip(found.policy.tables, cold.policy.tables, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_temperatures_may_differ() -> None:
    game = FAMILY.make("garnet", payoff="zero_sum", states=4, seed=3)
    form = game.form("markov")
    found = arena.solve(game, "soft_shapley", temperature_0=0.05, temperature_1=0.4)
    x, y = (table[0] for table in found.policy.tables)
    from solvers.markov.values import backup

    v = found.state["v"]
    q = backup(form, np.stack([v, -v]))[0].reshape(4, 3, 3)
    for s in range(4):
        for mine, worth, tau in ((x[s], q[s] @ y[s], 0.05), (y[s], -q[s].T @ x[s], 0.4)):
            soft = np.exp((worth - worth.max()) / tau)
            np.testing.assert_allclose(mine, soft / soft.sum(), atol=1e-4)


def test_schedules() -> None:
    falling = Geometric(1.0, 0.2, 0.5)
    assert falling.next(1.0, Feedback()) == 0.5 and falling.next(0.3, Feedback()) == 0.2
    careful = Adaptive(1.0, 0.1, 0.5, tolerance=0.1)
    assert careful.next(1.0, Feedback(residual=0.2)) == 1.0
    assert careful.next(1.0, Feedback(residual=0.05)) == 0.5
    paced = SelfPaced(1.0, 0.1, 0.5, level=3.0)
    assert paced.next(1.0, Feedback(performance=2.9)) == 1.0
    assert paced.next(1.0, Feedback(performance=3.0)) == 0.5
    for name in SCHEDULES:
        made = schedule(name, start=1.0, end=0.1, options={"factor": 0.3, "level": 1.0})
        assert made.end == 0.1
    with pytest.raises(UnknownNameError, match="geometric"):
        schedule("geometrical", start=1.0, end=0.1)
    with pytest.raises(ParameterError):
        Geometric(0.1, 1.0)
    with pytest.raises(ParameterError):
        Geometric(1.0, 0.1, 1.5)


def test_the_bound_counts_legal_actions() -> None:
    form = arena.make("markov/combination_lock", length=1).form("markov").with_end(discount=0.5)
    assert bound(form, (1.0, 2.0)) == pytest.approx((math.log(3) + 2 * math.log(2)) / 0.5)


# -- MEX ----------------------------------------------------------------------------------


def test_mex_opens_the_lock_and_greed_does_not() -> None:
    """Golden: after 400 episodes greedy has regret 200 and MEX 28.5."""

    def made(**params: object) -> MarkovGame:
        form: MarkovGame = FAMILY.make("combination_lock", blind=True, **params).form("markov")
        return form

    models = [made(opens=False), *(made(code=k) for k in range(81))]
    for greedy, regret in ((False, 28.5), (True, 200.0)):
        learner = Mex(made(code=57), "lock", models, greedy=greedy)
        learner.advance(400)
        assert sum(learner.regrets) == pytest.approx(regret)


def test_mex_by_name() -> None:
    game = arena.make("markov/combination_lock", length=2, code=5)
    models = [{"opens": False}, *({"code": k} for k in range(9))]
    found = arena.solve(game, "mex", models=models, iterations=60)
    assert found.certificate["nash_gap"].value < 1e-9
    assert found.certificate["regret"].value <= 4.5
    with pytest.raises(ParameterError, match="list of parameters"):
        arena.solve(game, "mex")


def test_best_replies_are_the_certificates() -> None:
    form = random_form(2, states=3, horizon=3)
    zero = np.stack([form.reward[0], -form.reward[0]]).reshape(2, 3, 2, 2)
    game = MarkovGame(form.matrix(), zero, 0, horizon=3)
    from solvers.markov.policy import uniform

    mu = uniform(game, "", 3).tables[0]
    reply, v = best_reply(game, mu)
    found = certify(game, ProductPolicy("", (mu, reply)))
    assert found["value_0"].value == pytest.approx(v[0])
    assert found["nash_regret_1"].value < 1e-12


# -- reproductions ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HARDNESS", "LOCK", "QRE"])
def test_reproductions(name: str, tmp_path: Path) -> None:
    from tournaments.reproduce import markov

    report = getattr(markov, name).run(quick=True, out=tmp_path)
    assert report.reproduced, report.text
    for path in report.files:
        assert path.is_file()
    drawn = [path for path in report.files if path.suffix == ".svg"]
    assert drawn and all("<polyline" in path.read_text() for path in drawn)


# -- learners of unknown games ------------------------------------------------------------


def test_sparse_cce_trades_components_for_gap() -> None:
    game = arena.make("markov/repeated", stage="shapley", rounds=2)
    found = arena.solve(game, "sparse_cce", components=6, pool=10, learning=300)
    frontier = found.state["frontier"]
    assert (np.diff(frontier) <= 1e-12).all() and frontier[-1] < frontier[0]
    assert found.certificate["cce_gap"].value == pytest.approx(frontier[-1])
    assert found.certificate["n_product_components"].value <= 6


def test_spocmar_finds_an_approximate_equilibrium() -> None:
    game = arena.make("markov/garnet", states=3, actions=2, horizon=3)
    rough = certify(game.form("markov"), uniform(game.form("markov"), "", 3))["cce_gap"].value
    found = arena.solve(game, "spocmar", episodes=10_000)
    assert found.certificate["cce_gap"].value < min(0.15, rough / 2)
    assert found.state["known"][0, 0]
    endless = arena.solve(
        "markov/garnet(states=2,branching=2,actions=2,discount=0.5)", "spocmar", episodes=400
    )
    assert endless.certificate["cce_gap"].kind == "upper"


@pytest.mark.parametrize("name", ["low_rank", "garnet"])
def test_lsvi_learns(name: str) -> None:
    params = {"states": 6, "actions": 2} if name == "low_rank" else {"states": 3, "actions": 2}
    game = arena.make(f"markov/{name}", horizon=3, **params)
    rough = certify(game.form("markov"), uniform(game.form("markov"), "", 3))["cce_gap"].value
    found = arena.solve(game, "lsvi", iterations=400, bonus=0.1)
    assert found.certificate["cce_gap"].value < rough / 2


def test_optimistic_nash_vi_learns_and_its_width_holds() -> None:
    game = arena.make("markov/garnet", states=4, actions=2, payoff="zero_sum", horizon=3, seed=1)
    early, late = (
        arena.solve(game, "optimistic_nash_vi", iterations=n).certificate for n in (30, 3000)
    )
    assert late["nash_gap"].value < early["nash_gap"].value
    assert late["nash_gap"].value < 0.1
    assert late["nash_gap"].value <= late["optimistic_width"].value + 1e-9
