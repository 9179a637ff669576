"""Every kernel against its naive twin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.rng import Stream, stream_states
from games.markov import MarkovGame
from games.markov.batch import MarkovBatch
from games.markov.state import MarkovState, Shared
from solvers.markov import _kernels, _play_kernels
from solvers.markov._soft_kernels import soft_games
from solvers.markov.independent import IndependentHedge
from solvers.markov.learners import flat, legal_table, strides_of
from solvers.markov.run import Problem
from solvers.markov.shapley import Stages
from solvers.markov.v_learning import VLearning
from solvers.markov.v_policy import certify_v
from tests.reference import markov_kernels as naive
from tests.reference.markov import random_form

SEEDS = st.integers(0, 100_000)


def zero_sum(seed: int, **options: Any) -> MarkovGame:
    one = random_form(seed, **options)
    pay = np.stack([one.reward[0], -one.reward[0]]).reshape(2, one.states, *one.actions)
    stops = np.flatnonzero(one.terminal)
    return MarkovGame(
        one.matrix(), pay, 0, legal=one.legal, terminal=stops if len(stops) else None,
        horizon=one.horizon, discount=one.discount,
    )  # fmt: skip


def streams(seed: int) -> Any:
    return stream_states(np.array([seed], dtype=np.uint64))


def random_joint(form: MarkovGame, seed: int) -> Any:
    """A correlated policy over legal joint actions, shape (H, S, J)."""
    rng = np.random.default_rng(seed)
    raw = rng.random((form.horizon or 1, form.states, form.joint)) * form.legal_joint
    raw[:, form.terminal, 0] = 1.0
    return raw / raw.sum(axis=2, keepdims=True)


# -- games.markov._kernels ----------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 3]), st.booleans(), st.sampled_from([1.0, 0.7]))
def test_batches_are_states(seed: int, seats: int, masks: bool, discount: float) -> None:
    made = random_form(seed, seats=seats, states=4, masks=masks, ends=True, horizon=5)
    form = made.with_end(horizon=5, discount=discount)
    seeds = np.arange(seed, seed + 8)
    batch, shared = MarkovBatch(form, seeds), Shared(form)
    states = [MarkovState(shared, int(k)) for k in seeds]
    rng = np.random.default_rng(seed)
    while batch.actors().any():
        actions = np.zeros((8, seats), dtype=np.int64)
        for k, state in enumerate(states):
            assert bool(state.actors()) == bool(batch.actors()[k].any())
            if state.actors():
                assert state.at == batch.at[k]
                actions[k] = [rng.choice(state.legal(seat)) for seat in range(seats)]
                state.step(dict(enumerate(actions[k].tolist())))
        batch.step(actions)
        np.testing.assert_array_equal([s.returns() for s in states], batch.returns())


# -- solvers.markov._kernels --------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.booleans(), st.booleans())
def test_backups_and_best_replies(seed: int, masks: bool, maximise: bool) -> None:
    form = zero_sum(seed, states=4, actions=3, masks=masks, ends=True, discount=0.8)
    rng = np.random.default_rng(seed)
    v = rng.normal(size=form.states) * ~form.terminal
    q = naive.backup(form, 0, v)
    stages = Stages(form)
    np.testing.assert_allclose(stages.q(v), q, atol=1e-12)
    other = 1 if maximise else 0
    mixed = rng.random((form.states, 3)) * form.legal[other]
    mixed /= mixed.sum(axis=1, keepdims=True)
    found = stages.replies(v, mixed, seat=1 - other)
    for s in np.flatnonzero(~form.terminal):
        table = q[s].reshape(3, 3)
        if maximise:
            best = max((table @ mixed[s])[form.legal[0][s]])
        else:
            best = min((mixed[s] @ table)[form.legal[1][s]])
        assert found[s] == pytest.approx(best, abs=1e-12)
    assert (found[form.terminal] == 0.0).all()


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.booleans(), st.booleans())
def test_matrix_games(seed: int, masks: bool, ties: bool) -> None:
    form = zero_sum(seed, states=4, actions=4, masks=masks, ends=True, discount=0.8)
    v = np.random.default_rng(seed).normal(size=form.states) * ~form.terminal
    if ties:
        form = MarkovGame(
            form.matrix(), np.round(form.reward).reshape(2, 4, 4, 4), 0, discount=0.8,
            legal=form.legal, terminal=np.flatnonzero(form.terminal),
        )  # fmt: skip
        v = np.zeros(form.states)
    stages = Stages(form)
    worth = stages.values(v)
    q = naive.backup(form, 0, v)
    for s in np.flatnonzero(~form.terminal):
        rows, cols = (np.flatnonzero(mask[s]) for mask in form.legal)
        a = q[s].reshape(4, 4)[np.ix_(rows, cols)]
        assert worth[s] == pytest.approx(naive.matrix_value(a), abs=1e-8)
        x, y = stages.x[s, rows], stages.y[s, cols]
        assert x.sum() == pytest.approx(1) and y.sum() == pytest.approx(1)
        span = max(float(np.ptp(a)), 1e-12)
        assert (a @ y).max() - (x @ a).min() <= 1e-9 * span


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 3]), st.booleans(), st.booleans())
def test_gains(seed: int, seats: int, coarse: bool, masks: bool) -> None:
    form = random_form(seed, seats=seats, states=3, actions=3, masks=masks, horizon=1)
    room = sum(a if coarse else a * (a - 1) for a in form.actions)
    for s in range(form.states):
        columns = np.flatnonzero(form.legal_joint[s])
        body = np.zeros((room, len(columns)))
        rows = _kernels.gains(
            np.ascontiguousarray(form.reward), s, np.array(form.actions), strides_of(form),
            legal_table(form)[s], columns, coarse, np.zeros(seats), body,
        )  # fmt: skip
        np.testing.assert_allclose(
            body[:rows], naive.gains(form, form.reward, s, coarse=coarse), atol=1e-12
        )


# -- solvers.markov._soft_kernels ---------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from([0.2, 0.5, 2.0]), st.booleans())
def test_soft_games(seed: int, masks: bool, tau: float, divergence: bool) -> None:
    form = zero_sum(seed, states=3, actions=3, masks=masks, ends=True, discount=0.5)
    other = tau * (0.5 if seed % 2 else 1.0)
    q = np.ascontiguousarray(form.reward[0])
    policy = np.concatenate([m / m.sum(axis=1, keepdims=True) for m in form.legal], axis=1)
    worth, gaps = np.zeros(form.states), np.zeros(form.states)
    soft_games(
        q, *form.legal, form.terminal, tau, other, 0.0, False, 1, 0, divergence, 1e-12, 10,
        200_000, policy, worth, gaps,
    )  # fmt: skip
    for s in np.flatnonzero(~form.terminal):
        rows, cols = (np.flatnonzero(mask[s]) for mask in form.legal)
        a = q[s].reshape(3, 3)[np.ix_(rows, cols)]
        x, y = policy[s, rows], policy[s, 3 + cols]
        value, gap = naive.soft_value(a, x, y, tau, other)
        if divergence:
            value += other * math.log(len(cols)) - tau * math.log(len(rows))
        assert worth[s] == pytest.approx(value, abs=1e-9)
        assert gaps[s] == pytest.approx(max(gap, 0.0), abs=1e-9) and gaps[s] <= 1e-9
        wanted = naive.soft_game(a, tau, other)
        np.testing.assert_allclose(x, wanted[0], atol=1e-4)
        np.testing.assert_allclose(y, wanted[1], atol=1e-4)
    assert (worth[form.terminal] == 0.0).all()


# -- solvers.markov._learning_kernels -----------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.sampled_from([2, 3]), st.booleans())
def test_the_certificate_of_v_learning(seed: int, seats: int, masks: bool) -> None:
    form = random_form(seed, seats=seats, states=3, masks=masks, ends=True, horizon=3)
    learner = VLearning(Problem(form, "", seed, 40, {}), bonus=0.1)
    learner.advance(40)
    policy = learner.answer()
    top, on = naive.certify_v(form, policy)
    found = certify_v(form, policy)
    for i in range(seats):
        assert found[f"value_{i}"].value == pytest.approx(on[i], abs=1e-9)
        gain = max(0.0, top[i] - on[i])
        assert found[f"cce_regret_{i}"].value == pytest.approx(gain, abs=1e-9)


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 3]), st.booleans())
def test_hedge(seed: int, seats: int, masks: bool) -> None:
    form = random_form(seed, seats=seats, masks=masks, ends=True, horizon=2)
    learner = IndependentHedge(Problem(form, "", seed, 6, {}), rate=0.5, spread=0.3)
    score = [part.copy() for part in learner._flat.split(learner._score)]
    played = naive.hedge(form, score, learner._rate, 6)
    learner.advance(6)
    for t, tables in enumerate(played):
        for ours, theirs in zip(learner.answer().tables, tables, strict=True):
            np.testing.assert_allclose(ours[t], theirs, atol=1e-9)
    for ours, theirs in zip(learner._flat.split(learner._score), score, strict=True):
        going = ~form.terminal
        np.testing.assert_allclose(ours[:, going], theirs[:, going], atol=1e-9)


# -- solvers.markov._play_kernels ---------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_draws_are_those_of_streams(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random(7) * (rng.random(7) < 0.7)
    weights[rng.integers(7)] += 0.1
    weights /= weights.sum()
    stream, ours = Stream(seed), streams(seed)
    for _ in range(50):
        assert _play_kernels.draw(ours, weights, 0, 7) == stream.index(weights.tolist())


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 3]), st.booleans(), st.integers(0, 2))
def test_steps_of_spocmar(seed: int, seats: int, masks: bool, h: int) -> None:
    form = random_form(seed, seats=seats, states=4, masks=masks, ends=True, horizon=3)
    cover = [random_joint(form, seed + k) for k in range(3)]
    rng = np.random.default_rng(seed)
    after = rng.random((seats, form.states)) * (2 - h)
    arrays, own = flat(form), streams(seed)
    low, high = form.bounds
    score = np.zeros((form.states, arrays.width))
    seen = np.zeros(form.states, dtype=np.int64)
    joint, gained = np.zeros((form.states, form.joint)), np.zeros((seats, form.states))
    _play_kernels.cover_step(
        form.reward, form.indptr, form.indices, form.probability, form.initial, form.terminal,
        form.discount, arrays.counts, arrays.cut, arrays.strides, arrays.legal, low, high - low,
        float(3 - h), np.stack(cover), h, 60, after, own, score, seen, joint, gained,
    )  # fmt: skip
    stream = Stream(seed)
    scores, visits, plays, returns = naive.cover_step(form, cover, h, 60, after, stream)
    assert own[0] == stream.state
    assert {s: int(seen[s]) for s in np.flatnonzero(seen)} == visits
    for s in visits:
        np.testing.assert_allclose(score[s], np.concatenate(scores[s]), atol=1e-9)
        np.testing.assert_allclose(joint[s], plays[s], atol=1e-9)
        np.testing.assert_allclose(gained[:, s], returns[s], atol=1e-9)
    known = rng.random((3, form.states)) < 0.8
    hits = _play_kernels.rare(
        form.indptr, form.indices, form.probability, form.initial, form.terminal, cover[0],
        known, 40, own,
    )  # fmt: skip
    assert hits == naive.rare(form, cover[0], known, 40, stream) and own[0] == stream.state


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from([math.inf, 0.4]))
def test_least_squares(seed: int, one_hot: bool, limit: float) -> None:
    form = random_form(seed, states=3, ends=True, horizon=3)
    rng = np.random.default_rng(seed)
    depth = form.states * form.joint if one_hot else 4
    phi = np.eye(depth).reshape(form.states, form.joint, depth) if one_hot else (
        rng.dirichlet(np.ones(depth), size=(form.states, form.joint))
    )  # fmt: skip
    policy = random_joint(form, seed)
    gram = np.repeat(0.7 * np.eye(depth)[None], 3, axis=0)
    inverse, grown = np.linalg.inv(gram), np.zeros(3)
    led, paid = np.zeros((3, depth, form.states)), np.zeros((3, depth, 2))
    low, high = form.bounds
    own, stream = streams(seed), Stream(seed)
    done = _play_kernels.least_squares(
        form.reward, form.indptr, form.indices, form.probability, form.initial, form.terminal,
        low, high - low, policy, phi, limit, 50, own, gram, inverse, grown, led, paid,
    )  # fmt: skip
    other, sums, pays = np.repeat(0.7 * np.eye(depth)[None], 3, axis=0), led * 0, paid * 0
    played = 0
    while played < 50:
        played += 1
        (episode,) = naive.least_squares(form, policy, phi, 1, stream)
        for h, (s, a, to) in enumerate(episode):
            other[h] += np.outer(phi[s, a], phi[s, a])
            sums[h, :, to] += phi[s, a]
            pays[h] += np.outer(phi[s, a], (form.reward[:, s, a] - low) / (high - low))
        growth = np.linalg.slogdet(other)[1] - depth * math.log(0.7)
        if (growth > limit).any():
            break
    assert done == played and own[0] == stream.state
    for mine, theirs in ((gram, other), (inverse, np.linalg.inv(other)), (led, sums),
                         (paid, pays), (grown, growth)):  # fmt: skip
        np.testing.assert_allclose(mine, theirs, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from([3, 1000]))
def test_counted_transitions(seed: int, masks: bool, most: int) -> None:
    form = random_form(seed, states=4, masks=masks, ends=True, horizon=3)
    arrays = flat(form)
    policy = np.repeat(arrays.uniform()[None], 3, axis=0)
    tried, led = np.zeros((4, 4)), np.zeros((4, 4, 4))
    goal = np.full((4, 4), float(most))
    own, stream = streams(seed), Stream(seed)
    done = _play_kernels.counted(
        form.indptr, form.indices, form.probability, form.initial, form.terminal, arrays.counts,
        arrays.cut, policy, goal, 40, own, tried, led,
    )  # fmt: skip
    count, moves = np.zeros((4, 4)), np.zeros((4, 4, 4))
    played = 0
    while played < 40:
        played += 1
        s, full = naive.start(form, stream), False
        for h in range(3):
            if form.terminal[s]:
                break
            rows = np.split(policy[h, s], arrays.cut[1:-1])
            joint = form.number([stream.index(row.tolist()) for row in rows])
            to = naive.follow(form, stream, s, joint)
            count[s, joint] += 1
            moves[s, joint, to] += 1
            full |= bool(count[s, joint] >= most)
            s = to
        if full:
            break
    assert done == played and own[0] == stream.state
    assert np.array_equal(tried, count) and np.array_equal(led, moves)
