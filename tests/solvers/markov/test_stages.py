"""The programs of stage games: dual simplex against HiGHS, however degenerate or badly scaled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import arena
from games.markov import MarkovGame
from solvers.markov import stage
from solvers.markov.certificates import certify
from solvers.markov.highs import HighsStages
from solvers.markov.policy import CorrelatedPolicy
from solvers.markov.stage import price_of, solve_stages
from tests.reference.markov import legal_joints, stage_lp

KINDS = ("plain", "ties", "bits", "constant", "zero_sum", "scaled", "offset", "duplicates", "both")


def stage_game(kind: str, seed: int, seats: int, *, masks: bool, states: int = 2) -> MarkovGame:
    """Stage games of one step that are hard for a simplex method."""
    rng = np.random.default_rng(seed)
    actions = tuple(int(a) for a in rng.integers(1, 5, size=seats))
    pay = rng.normal(size=(seats, states, *actions))
    if kind == "ties":
        pay = np.round(pay)
    if kind == "bits":
        pay = (pay > 0).astype(float)
    if kind == "constant":
        pay[0] = 3.25
    if kind == "zero_sum" and seats > 1:
        pay[-1] = -pay[:-1].sum(axis=0)
    if kind in ("scaled", "both"):
        pay *= (10.0 ** rng.uniform(-5, 5, size=seats)).reshape(-1, *[1] * (seats + 1))
    if kind in ("offset", "both"):
        size = np.abs(pay).max(axis=tuple(range(1, pay.ndim)), keepdims=True)
        pay += 1e3 * size * rng.normal(size=size.shape)
    if kind == "duplicates":
        for axis in range(2, pay.ndim):
            pay = np.repeat(pay, 2, axis=axis)[(slice(None),) * axis + (slice(0, 4),)]
    legal = None
    if masks:
        legal = [rng.random((states, a)) < 0.6 for a in pay.shape[2:]]
        for mask in legal:
            mask[np.arange(states), rng.integers(mask.shape[1], size=states)] = True
    move = np.zeros((*pay.shape[1:], states))
    move[..., 0] = 1.0
    return MarkovGame(move, pay, 0, horizon=1, legal=legal)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(0, 100_000),
    st.sampled_from([1, 2, 3]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["welfare", "value"]),
)
@example("both", 3, 3, True, True, "welfare")
def test_the_kernel_and_highs_find_the_same_optimum(
    kind: str, seed: int, seats: int, coarse: bool, masks: bool, objective: str
) -> None:
    form = stage_game(kind, seed, seats, masks=masks)
    q = np.ascontiguousarray(form.reward)
    price = price_of(form, q, objective, 0)
    assert price is not None
    highs = HighsStages(form, coarse=coarse)
    ours = solve_stages(form, q, coarse=coarse, objective=objective)
    theirs = solve_stages(form, q, coarse=coarse, objective=objective, highs=highs)
    for s in range(form.states):
        used = form.legal_joint[s]
        span = float(np.ptp(price[s, used]))
        # Where payoffs are large and differences small, rounding is all there is to compare.
        grain = 1e-13 * float(np.abs(q[:, s, used]).max())
        apart = abs(float(price[s] @ (ours[s] - theirs[s])))
        assert apart <= 1e-9 * span + grain
    for sigma in (ours, theirs):
        policy = CorrelatedPolicy("", form.actions, sigma[None])
        found = certify(form, policy)
        for seat in range(seats):
            span = float(np.ptp(q[seat][:, form.legal_joint[0]], axis=1).max())
            gain = found[f"{'cce' if coarse else 'ce'}_regret_{seat}"].value
            assert gain <= 1e-8 * span + 1e-13 * float(np.abs(q[seat]).max())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]), st.booleans())
def test_and_linprog_too(seed: int, seats: int, coarse: bool) -> None:
    form = stage_game("plain", seed, seats, masks=True)
    q = np.ascontiguousarray(form.reward)
    ours = solve_stages(form, q, coarse=coarse, objective="welfare")
    joints = legal_joints(form, 0)
    inner = [form.number(a) for a in joints]
    x = stage_lp(q[:, 0, inner], joints, coarse=coarse)
    best = float(q[:, 0, inner].sum(axis=0) @ x)
    assert float(q[:, 0].sum(axis=0) @ ours[0]) == pytest.approx(best, abs=1e-7)


@pytest.mark.parametrize("solver", ["cce", "ce"])
def test_warm_starts_are_of_use(solver: str) -> None:
    game = arena.make("markov/garnet", states=12, seats=2, actions=4, horizon=8, seed=5)
    form = game.form("markov")
    warm = HighsStages(form, coarse=solver == "cce")
    q = form.reward
    solve_stages(form, q, coarse=solver == "cce", objective="welfare", highs=warm)
    first = warm.pivots
    solve_stages(form, q * 1.001, coarse=solver == "cce", objective="welfare", highs=warm)
    assert first > 0 and warm.pivots - first < first / 4
    by_highs, ours = (arena.solve(game, solver, lp=lp).certificate for lp in ("highs", "simplex"))
    assert by_highs[f"{solver}_gap"].value < 1e-8
    welfare = [sum(found[f"value_{i}"].value for i in (0, 1)) for found in (by_highs, ours)]
    assert welfare[0] == pytest.approx(welfare[1], abs=1e-9)


def test_what_the_kernel_gives_up_on_goes_to_highs(monkeypatch: pytest.MonkeyPatch) -> None:
    form = stage_game("plain", 1, 2, masks=False)
    q = np.ascontiguousarray(form.reward)
    ours = solve_stages(form, q, coarse=True, objective="welfare")

    def give_up(form: MarkovGame, *rest: object) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((form.states, form.joint)), np.arange(form.states)

    monkeypatch.setattr(stage, "_simplex", give_up)
    theirs = solve_stages(form, q, coarse=True, objective="welfare")
    for s in range(form.states):
        assert q[:, s].sum(axis=0) @ ours[s] == pytest.approx(q[:, s].sum(axis=0) @ theirs[s])
