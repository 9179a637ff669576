"""Value learning: kernels and the whole loss against their twins, IGM, known values, resume."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.rng import derive_many
from solvers.qmix._kernels import pack, td_lambda
from solvers.qmix.field import make_field
from solvers.qmix.learner import DEFAULTS, WEIGHTED, ValueLearner
from solvers.qmix.replay import Replay
from solvers.training import evaluate_policy, read_checkpoint
from solvers.training.networks import torch_threads
from solvers.training.runs import begin_run, resume_run
from tests.reference import qmix as twin

torch = pytest.importorskip("torch")

MIXERS = ("iql", "vdn", "qmix", "wqmix")
TINY = {"episodes": 4, "batch": 4, "updates": 2, "hidden": 8, "embed": 4, "hyper": 8}
EXPLORE = {
    "network": "mlp",
    "last_action": False,
    "epsilon_end": 1.0,
    "trace": 0.0,
    "buffer": 5000,
}


@pytest.fixture(autouse=True)
def _one_thread():
    with torch_threads(1):
        yield


def learner(game, seed=0, mixer="qmix", **settings):
    defaults = WEIGHTED if mixer == "wqmix" else DEFAULTS
    return ValueLearner(game, seed, {**defaults, **settings}, mixer=mixer)


def battle(**params):
    return arena.make("skirmish/3m", limit=12, **params)


# -- kernels ---------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(2, 7), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_packing_is_the_twin(lengths, seed):
    lengths = sorted(lengths, reverse=True)
    numbers = np.random.default_rng(seed).permutation(sum(lengths)).tolist()
    episodes = [[numbers.pop() for _ in range(length)] for length in lengths]
    follow = np.zeros(sum(lengths), dtype=np.int64)
    for episode in episodes:
        for row, after in itertools.pairwise(episode):
            follow[row] = after
    rows = np.empty(sum(lengths), dtype=np.int64)
    counts = np.empty(lengths[0], dtype=np.int64)
    first = np.array([episode[0] for episode in episodes])
    pack(first, np.array(lengths), follow, rows, counts)
    assert (rows.tolist(), counts.tolist()) == twin.pack(episodes)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    columns=st.integers(1, 3),
    seed=st.integers(0, 2**32),
    discount=st.floats(0, 1),
    trace=st.floats(0, 1),
)
def test_td_lambda_is_a_mixture_of_n_step_returns(lengths, columns, seed, discount, trace):
    rng = np.random.default_rng(seed)
    lengths = sorted(lengths, reverse=True)
    reward = [rng.normal(size=n) for n in lengths]
    ahead = [rng.normal(size=(n, columns)) for n in lengths]
    ended = rng.random(len(lengths)) < 0.5
    order = [(t, b) for t in range(lengths[0]) for b in range(len(lengths)) if t < lengths[b]]
    counts = [sum(n + 1 > t for n in lengths) for t in range(lengths[0] + 1)]
    over = np.array([ended[b] and t == lengths[b] - 1 for t, b in order])
    out = np.empty((len(order), columns))
    td_lambda(
        np.array([reward[b][t] for t, b in order]),
        np.array([ahead[b][t] for t, b in order]),
        over,
        np.array(counts),
        discount,
        trace,
        out,
    )
    for k in range(columns):
        expected = [
            twin.td_lambda(r.tolist(), a[:, k].tolist(), bool(e), discount, trace)
            for r, a, e in zip(reward, ahead, ended, strict=True)
        ]
        np.testing.assert_allclose(out[:, k], [expected[b][t] for t, b in order], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 2**32))
def test_the_recurrent_layer_is_torchs_with_its_gradient(lengths, seed):
    from solvers.qmix.gru import gru_packed, gru_packed_back

    lengths, size = sorted(lengths, reverse=True), 5
    start = torch.Generator().manual_seed(seed)
    weight, bias = torch.randn((15, 5), generator=start), torch.randn(15, generator=start)
    inputs = [torch.randn((n, 3 * size), generator=start) for n in lengths]
    order = [(t, b) for t in range(lengths[0]) for b in range(len(lengths)) if t < lengths[b]]
    counts = np.array([sum(n > t for n in lengths) for t in range(lengths[0])])
    wish = torch.randn((len(order), size), generator=start)
    packed = torch.stack([inputs[b][t] for t, b in order])
    found, *kept = gru_packed(packed, weight, bias, counts, kept=True)
    ours = gru_packed_back(wish.clone(), weight, counts, *kept)
    theirs = [t.clone().requires_grad_() for t in (*inputs, weight, bias)]
    cell = torch.nn.GRUCell(3 * size, size)
    given = {"weight_ih": torch.eye(3 * size), "bias_ih": torch.zeros(3 * size)}
    given |= {"weight_hh": theirs[-2], "bias_hh": theirs[-1]}
    states = {}
    for b, n in enumerate(lengths):
        h = torch.zeros(1, size)
        for t in range(n):
            h = torch.func.functional_call(cell, given, (theirs[b][t][None], h))
            states[t, b] = h[0]
    out = torch.stack([states[key] for key in order])
    (out * wish).sum().backward()
    torch.testing.assert_close(found, out, atol=1e-5, rtol=1e-4)
    by_inputs = torch.stack([theirs[b].grad[t] for t, b in order])
    for own, expected in zip(ours, (by_inputs, theirs[-2].grad, theirs[-1].grad), strict=True):
        torch.testing.assert_close(own, expected, atol=1e-4, rtol=1e-4)


# -- mixers ----------------------------------------------------------------------


def mixer_of(name, agents, seed):
    from solvers.qmix.mixers import make_mixer

    start = torch.Generator().manual_seed(seed)
    made = make_mixer(name, agents=agents, state=3, embed=6, hyper=7, generator=start)
    # Large weights, so that the values are far from linear.
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(4.0)
    return made, torch.randn((1, 3), generator=start)


@settings(max_examples=60, deadline=None)
@given(
    agents=st.integers(1, 3),
    seed=st.integers(0, 2**20),
    name=st.sampled_from(["vdn", "qmix"]),
    more=st.floats(0, 5),
)
def test_monotone_mixers_grow_with_every_value(agents, seed, name, more):
    made, state = mixer_of(name, agents, seed)
    rng = np.random.default_rng(seed)
    values = torch.tensor(rng.normal(size=(1, agents)), dtype=torch.float32, requires_grad=True)
    found = made(values, state)
    (slope,) = torch.autograd.grad(found.sum(), values)
    assert (slope >= 0.0).all()
    for agent in range(agents):
        raised = values.detach().clone()
        raised[0, agent] += more
        assert made(raised, state).item() >= found.item() - 1e-4


@settings(max_examples=60, deadline=None)
@given(
    agents=st.integers(1, 3),
    actions=st.integers(2, 4),
    seed=st.integers(0, 2**20),
    name=st.sampled_from(["vdn", "qmix"]),
)
def test_greedy_agents_are_a_greedy_team(agents, actions, seed, name):
    made, state = mixer_of(name, agents, seed)
    rng = np.random.default_rng(seed)
    each = torch.tensor(rng.normal(size=(agents, actions)) * 3, dtype=torch.float32)
    team = {}
    for joint in itertools.product(range(actions), repeat=agents):
        done = torch.tensor([joint])
        chosen = each.gather(1, done.t()).t()
        with torch.no_grad():
            team[joint] = made(chosen, state).item()
    greedy = tuple(each.argmax(1).tolist())
    assert team[greedy] >= max(team.values()) - 1e-4 * max(1.0, abs(team[greedy]))


# -- the whole -------------------------------------------------------------------


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize(("network", "double"), [("gru", True), ("mlp", False)])
def test_an_update_is_the_twins(mixer, network, double):
    made = learner(battle(), 3, mixer, **{**TINY, "network": network, "double": double})
    made.step()
    with torch.no_grad():
        for weight in made.target.parameters():
            weight.mul_(0.7)  # so that it differs from the other one
    replay = made.replay
    before = {name: w.detach().clone() for name, w in made.net.named_parameters()}
    every = sorted(twin.episodes_of(replay), key=len, reverse=True)
    expected = twin.loss(
        made.net,
        made.target,
        replay,
        every,
        discount=0.99,
        trace=0.6,
        double=double,
        weight=0.1,
    )
    slopes = torch.autograd.grad(expected, list(made.net.parameters()), allow_unused=True)
    grads = {}
    step = made.optimizer.step
    made.optimizer.step = lambda: grads.update(
        {name: w.grad.clone() for name, w in made.net.named_parameters() if w.grad is not None}
    )
    made.settings["max_norm"] = 1e9
    found = made._update(np.random.default_rng(0))[0]  # batch: all four episodes
    made.optimizer.step = step
    assert found == pytest.approx(expected.item(), rel=1e-4)
    for (name, _), slope in zip(before.items(), slopes, strict=True):
        if slope is not None:
            torch.testing.assert_close(grads[name], slope, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("both", [False, True])
def test_replay_holds_what_was_played(both):
    game = battle(side="both") if both else battle()
    made = learner(game, 1, **{**TINY, "buffer": 4 * 13 * (1 + both) + 5, "epsilon_steps": 0})
    for _ in range(3):  # the third round writes over the first one
        figures = made.step()
    replay = made.replay
    assert 0 < replay.episodes <= 2 * 4 * (1 + both) and np.isfinite(figures["loss"])
    for rows in twin.episodes_of(replay):
        actions = replay.avail.shape[2]
        assert (replay.last[rows[0]] == actions).all()
        for row, after in itertools.pairwise(rows):
            assert (replay.last[after] == replay.action[row]).all()
            picked = np.take_along_axis(replay.avail[row], replay.action[row][:, None], axis=1)
            assert picked.all()
        assert not replay.ended[rows[:-2]].any()
    seeds = derive_many(5, np.arange(3))
    field, fresh = (
        make_field(game, 3),
        Replay(1000, agents=3, inputs=30, actions=9, state=replay.state.shape[1]),
    )
    from solvers.qmix.play import play_episodes

    played = play_episodes(field, made.net["agent"], seeds, replay=fresh)
    for k, rows in enumerate(twin.episodes_of(fresh)):
        seed = int(seeds[k // (1 + both)])
        assert fresh.reward[rows[:-1]].sum() == pytest.approx(played.returns[k], rel=1e-5)
        assert played.lengths[k] == len(rows) - 1
        if not both:
            state = game.state(seed)
            for row in rows[:-1]:
                for seat in state.actors():
                    np.testing.assert_array_equal(fresh.obs[row, seat], state.observe(seat).tensor)
                state.step({seat: int(fresh.action[row, seat]) for seat in state.actors()})
            assert state.returns()[0] == pytest.approx(played.returns[k])
            assert not state.actors() and bool(fresh.ended[rows[-2]]) is not state.truncated
            assert played.won[k] == (state.winner == 0)


@pytest.mark.parametrize(("name", "params"), [("3m", {}), ("3m", {"mode": "smax"}), ("2s3z", {})])
@pytest.mark.parametrize("network", ["gru", "mlp"])
def test_evaluation_is_that_of_the_saved_policy(name, params, network):
    game = arena.make(f"skirmish/{name}", limit=15, **params)
    made = learner(game, 2, **{**TINY, "network": network})
    made.step()
    ours = made.evaluate(20, 7)
    theirs = evaluate_policy(game, made.policy(), episodes=20, seed=7)
    assert ours.mean == pytest.approx(theirs.mean) and ours.error == pytest.approx(theirs.error)
    assert ours.extra["win_rate"] == theirs.extra["win_rate"]


@pytest.mark.parametrize(("mixer", "best"), [("iql", 7.0), ("vdn", 7.0), ("qmix", 8.0)])
def test_the_two_step_game(mixer, best):
    game = arena.make("markov/two_step")
    made = learner(game, 11, mixer, **EXPLORE)
    for _ in range(120):
        made.step()
    assert made.evaluate(1, 0).mean == best
    field = make_field(game, 1)
    field.step(np.array([[1, 0]]))
    if mixer == "qmix":
        found = made.joint_values(field.obs[0], field.state[0])
        np.testing.assert_allclose(found, [[0, 1], [1, 8]], atol=0.1)
    elif mixer == "vdn":
        found = made.joint_values(field.obs[0], field.state[0])
        np.testing.assert_allclose(found, [[-1.5, 2.5], [2.5, 6.5]], atol=0.6)
    else:
        with pytest.raises(NotApplicableError, match="none of the team"):
            made.joint_values(field.obs[0], field.state[0])


def test_weighted_qmix_finds_what_a_plain_one_cannot():
    game = arena.make("matrix/nonmonotonic")
    found = {}
    for mixer, more in (("qmix", {}), ("wqmix", {"weight": 0.02})):
        made = learner(game, 5, mixer, **EXPLORE, **more)
        for _ in range(60):
            made.step()
        found[mixer] = made.evaluate(1, 0).mean
    assert found == {"qmix": 0.0, "wqmix": 8.0}


def test_it_learns_to_fight():
    game = arena.make("skirmish/3m", opponent="idle", limit=30)
    made = learner(game, 4, network="mlp", epsilon_steps=8000, trace=0.8)
    first = made.evaluate(50, 0)
    while made.steps < 16_000:
        made.step()
    seen = made.evaluate(50, 0)
    assert seen.mean > first.mean + 3.0 and seen.extra["win_rate"] > first.extra["win_rate"] + 0.3


@pytest.mark.parametrize("side", ["allies", "both"])
def test_states_of_smax_are_shares_of_their_ranges(side):
    game = arena.make("skirmish/2s3z", mode="smax", side=side)
    field, teams = make_field(game, 6), 1 if side == "allies" else 2
    field.reset(np.arange(6, dtype=np.uint64))
    rng = np.random.default_rng(0)
    raw = field._battles.state
    for _ in range(25):
        field.step((rng.random(field.avail.shape) * field.avail).argmax(axis=2))
        units = raw[:, :100].reshape(6, 10, 10)
        shown = field.state[::teams, :100].reshape(6, 10, 10)
        np.testing.assert_array_equal(
            shown[:, :, [0, *range(4, 10)]], units[:, :, [0, *range(4, 10)]]
        )
        np.testing.assert_allclose(shown[:, :, 1:3], units[:, :, 1:3] / 32)
        np.testing.assert_allclose(shown[:, :, 3], (units[:, :, 3] / 1.87).clip(0, 1), rtol=1e-6)
        np.testing.assert_array_equal(field.state[::teams, 100:110], raw[:, 100:110])
        np.testing.assert_allclose(field.state[::teams, 110:120], raw[:, 110:] / 5)
        assert field.state.min() >= 0.0 and field.state.max() <= 1.0
    assert raw.max() > 20.0 and raw.min() < -5.0


def test_it_learns_to_fight_in_smax():
    game = arena.make("skirmish/3m", mode="smax", opponent="idle", limit=30)
    made = learner(game, 4, epsilon_steps=8000, trace=0.8)
    first = made.evaluate(50, 0)
    while made.steps < 16_000:
        figures = made.step()
    seen = made.evaluate(50, 0)
    assert seen.mean > first.mean + 0.3
    assert abs(figures["value"]) < 2.5  # returns are at most 2


@pytest.mark.parametrize("mixer", ["qmix", "iql"])
def test_resuming_is_exact(tmp_path, mixer):
    game = battle()
    chosen = {**TINY, "buffer": 200, "target_every": 3, "epsilon_steps": 300}
    limits = {"eval_every": 150, "eval_episodes": 4}
    for name, parts in (("whole", (400,)), ("parts", (120, 260, 400))):
        begin_run(
            tmp_path / name, game, mixer, settings=chosen, limits={**limits, "steps": parts[0]}
        )
        for steps in parts[1:]:
            resume_run(tmp_path / name, limits={"steps": steps})
    ends = [
        max(
            (tmp_path / n / "checkpoints").glob("step-*.safetensors"),
            key=lambda file: int(file.stem.split("-")[1]),
        )
        for n in ("whole", "parts")
    ]
    one, other = (read_checkpoint(end) for end in ends)
    assert one.header["steps"] == other.header["steps"] >= 400
    assert one.state.keys() == other.state.keys() and one.policy.keys() == other.policy.keys()
    for name, array in one.state.items():
        np.testing.assert_array_equal(array, other.state[name], err_msg=name)
    for name, array in one.policy.items():
        np.testing.assert_array_equal(array, other.policy[name], err_msg=name)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    game = battle()
    made = learner(game, **TINY)
    with pytest.raises(ParameterError, match=r"'net.agent.observe'.*\(8, 30\).*\(16, 30\)"):
        learner(game, **{**TINY, "hidden": 16}).load(made.state())
    begin_run(tmp_path / "run", game, "qmix", settings=TINY, limits={"steps": 50})
    with pytest.raises(ParameterError, match=r"skirmish/8m.*skirmish/3m"):
        resume_run(tmp_path / "run", game=arena.make("skirmish/8m"))
    with pytest.raises(ParameterError, match="hidden"):
        resume_run(tmp_path / "run", settings={"hidden": 16})


def test_games_and_settings_that_do_not_fit_are_refused():
    for name, why in (
        ("hanabi", "sequential"),
        ("kuhn_poker", "no form 'batch'"),
        ("matrix/chicken", "general_sum"),
    ):
        with pytest.raises(NotApplicableError, match=why):
            arena.solve(name, "qmix", steps=1)
    with pytest.raises(NotApplicableError, match=r"teams of .*differ"):
        arena.solve(arena.make("skirmish/5m_vs_6m", side="both"), "qmix", steps=1)
    for setting, value in (("network", "lstm"), ("trace", 1.5), ("buffer", 20), ("hidden", 0)):
        with pytest.raises(ParameterError, match=setting):
            arena.solve(battle(), "qmix", steps=1, **{setting: value})
    with pytest.raises(UnknownNameError, match="epsilon_end"):
        arena.solve(battle(), "qmix", steps=1, epsilon_ends=0.1)


@pytest.mark.parametrize("mixer", MIXERS)
def test_every_learner_is_a_solver(mixer):
    solution = arena.solve("matrix/hi_lo", mixer, steps=1000, updates=4)
    game = arena.make("matrix/hi_lo")
    best = game.form("normal_form").payoffs[0].max()
    assert solution.certificate["return"].value == best
    agents = [solution.agent() for _ in range(2)]
    assert arena.play(game, agents, seed=1).payoffs[0] == best
