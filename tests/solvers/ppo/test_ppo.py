"""PPO: the loss and GAE against their twins, masks, learning, exact resumption, errors."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from arena.rng import derive_many, generator
from games.skirmish.layout import HEALTH
from solvers.ppo._kernels import advantages
from solvers.ppo.episodes import Record, minibatches
from solvers.ppo.learner import DEFAULTS, Ppo
from solvers.ppo.rollout import Symmetries, play_episodes
from solvers.training import read_checkpoint
from solvers.training.networks import torch_threads
from solvers.training.runs import begin_run, resume_run
from tests.reference import ppo as twin

torch = pytest.importorskip("torch")

TINY = {"colors": 1, "ranks": 2, "hand_size": 1}
SMALL = {"colors": 2, "ranks": 2, "hand_size": 2, "max_information_tokens": 3}
QUICK = {"episodes": 64, "hidden": [32], "minibatch": 512, "learning_rate": 3e-3}


@pytest.fixture(autouse=True)
def _one_thread():
    with torch_threads(1):
        yield


def learner(game, seed=0, **settings):
    return Ppo(game, seed, {**DEFAULTS, **QUICK, **settings})


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), clip=st.sampled_from([0.05, 0.2, 0.9]))
def test_the_loss_and_its_gradient_are_the_twin(seed, clip):
    from solvers.ppo.loss import ppo_loss

    rng = np.random.default_rng(seed)
    count, size = int(rng.integers(1, 9)), int(rng.integers(1, 6))
    legal = rng.random((count, size)) < 0.6
    legal[np.arange(count), rng.integers(size, size=count)] = True
    actions = np.array([rng.choice(np.flatnonzero(row)) for row in legal])
    logits, values = rng.normal(size=(count, size)) * 2, rng.normal(size=count)
    # Never exactly at the clip, where the slope jumps.
    old_log = np.log(rng.uniform(0.05, 1.0, count))
    advantage, target = rng.normal(size=count), rng.normal(size=count)
    given_logits = torch.tensor(logits, requires_grad=True)
    given_values = torch.tensor(values, requires_grad=True)
    terms = ppo_loss(
        given_logits,
        given_values,
        legal=torch.tensor(legal),
        actions=torch.tensor(actions),
        old_log=torch.tensor(old_log),
        advantage=torch.tensor(advantage),
        target=torch.tensor(target),
        clip=clip,
        value_weight=0.5,
        entropy_weight=0.1,
    )
    terms.loss.backward()
    total, by_logits, by_values = twin.loss(
        logits, values, legal, actions, old_log, advantage, target, clip, 0.5, 0.1
    )
    assert terms.loss.item() == pytest.approx(total, abs=1e-10)
    np.testing.assert_allclose(given_logits.grad.numpy(), by_logits, atol=1e-10)
    np.testing.assert_allclose(given_values.grad.numpy(), by_values, atol=1e-10)
    assert (given_logits.grad.numpy()[~legal] == 0.0).all()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 3)), min_size=1, max_size=25
    ),
    beyond=st.lists(st.floats(-5, 5), min_size=4, max_size=4),
    discount=st.floats(0, 1),
    trace=st.floats(0, 1),
)
def test_advantages_are_the_twin(rows, beyond, discount, trace):
    gain, value, chain = (list(column) for column in zip(*rows, strict=True))
    arrays = [np.array(column) for column in (gain, value, chain, beyond)]
    found = advantages(*arrays, discount, trace)
    np.testing.assert_allclose(
        found, twin.advantages(gain, value, chain, beyond, discount, trace), atol=1e-9
    )


def _judge(tensor, legal, whole, which):
    """Play anything, and value a situation by the mean of what is seen."""
    values = tensor.mean(axis=1) if whole is None else whole.mean(axis=1)[which]
    return legal / np.maximum(legal.sum(axis=1, keepdims=True), 1), values


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("limit", [3, 20, 60])
def test_what_a_time_limit_cuts_off_is_worth_what_the_critic_foretells(limit, joint):
    game = arena.make("skirmish/3m", limit=limit)
    batch = game.form("batch", seeds=derive_many(0, np.arange(16)))
    held = SimpleNamespace(seats=3, form=lambda _name, *, seeds: batch)
    played = play_episodes(
        held, _judge, np.arange(16), np.random.default_rng(0), seat_input=False, joint=joint,
        team=False,
    )  # fmt: skip
    beyond = played.beyond.reshape(16, 3)
    # At 60 all are dead before; at 20 some teams are, and single units of others.
    cut = batch.truncated
    assert {3: cut.all(), 20: cut.any() and not cut.all(), 60: not cut.any()}[limit]
    assert (beyond[~cut] == 0.0).all()
    alive = batch.world.units[:, HEALTH, :3] > 0.0
    shown = np.stack([batch.observe(seat).tensor for seat in range(3)], axis=1)
    if joint:
        whole = cut & alive.all(axis=1)
        mean = shown.reshape(16, -1).mean(axis=1)[whole, None]
        np.testing.assert_allclose(beyond[whole], np.repeat(mean, 3, axis=1), rtol=1e-5)
        assert (beyond[cut] != 0.0).all()
        assert (beyond == beyond[:, :1]).all()
    else:
        there = cut[:, None] & alive
        np.testing.assert_allclose(beyond[there], shown.mean(axis=2)[there], rtol=1e-5)
        assert (beyond[~there] == 0.0).all()


def test_what_is_paid_after_a_death_counts_less_with_time():
    record = Record(2, 2, fade=0.5)
    nothing = np.zeros((1, 1))
    for deciding, paid in (((0, 1), 1.0), ((0,), 2.0), ((0,), 4.0)):
        for chain in deciding:
            record.decide(
                np.zeros(1, dtype=np.int64), chain, np.zeros(1, dtype=np.int64), *5 * (nothing,)
            )
        record.close(1, None)
        record.pay(np.full((2, 2), paid))
    record.foretell(np.zeros(1, dtype=np.int64), slice(None), np.full((1, 1), 8.0))
    made = record.episodes(np.zeros((2, 2)))
    assert made.chain.tolist() == [0, 1, 0, 0]
    assert made.gain.tolist() == [1.0, 1.0 + 0.5 * 2.0 + 0.25 * 4.0, 2.0, 4.0]
    assert made.beyond.tolist() == [8.0, 0.25 * 8.0, 0.0, 0.0]


def test_a_death_does_not_pay():
    """All are paid alike, so nobody's return from one moment on is above the team's."""
    game = arena.make("skirmish/3m", reward="shaped")
    made = learner(game, critic="central", episodes=64, discount=0.9)
    options = {"seat_input": True, "joint": True, "team": False}
    seeds = derive_many(3, np.arange(64))
    fading = play_episodes(game, made._think, seeds, generator(1), **options, fade=0.9)
    plain = play_episodes(game, made._think, seeds, generator(1), **options)
    zeros = np.zeros(len(fading.gain))
    found = advantages(fading.gain, zeros, fading.chain, fading.beyond, 0.9, 1.0)
    highest = np.full(fading.moments, -np.inf)
    lowest = np.full(fading.moments, np.inf)
    np.maximum.at(highest, fading.moment, found)
    np.minimum.at(lowest, fading.moment, found)
    np.testing.assert_allclose(highest, lowest, atol=1e-9)
    assert (plain.gain >= fading.gain - 1e-12).all() and (plain.gain > fading.gain + 0.5).any()


@pytest.mark.parametrize("critic", ["own", "central", "sum"])
def test_minibatches_hold_every_decision_once_with_what_all_seats_saw(critic):
    game = arena.make("skirmish/2s3z", limit=20)
    made = learner(game, critic=critic)
    played = play_episodes(
        game, made._think, derive_many(2, np.arange(12)), np.random.default_rng(0),
        seat_input=True, joint=critic != "own", team=False,
    )  # fmt: skip
    parts = list(minibatches(played, 100, np.random.default_rng(1)))
    rows = np.concatenate([rows for rows, _, _ in parts])
    count = len(played.action)
    assert sorted(rows) == list(range(count)) and not (rows[:50] == np.arange(50)).all()
    assert max(len(rows) for rows, _, _ in parts) <= 100
    assert played.moment.max() == played.moments - 1
    for rows, moments, which in parts:
        assert (moments[which] == played.moment[rows]).all()
    split = sum(len(moments) for _, moments, _ in parts) - played.moments
    if critic == "own":
        assert split > len(parts)
        return
    assert split < len(parts)  # a moment is torn apart only where a part is full
    # What a seat saw is where it belongs in what all of them saw, and is valued with it.
    size = played.tensor.shape[1]
    own = played.joint[played.moment].reshape(count, game.seats, size)
    seats = played.chain % game.seats
    np.testing.assert_array_equal(own[np.arange(count), seats], played.tensor)
    with torch.no_grad():
        _, values = made._forward(
            torch.from_numpy(played.tensor),
            torch.from_numpy(own.reshape(count, -1)),
            np.arange(count),
        )
    np.testing.assert_allclose(values.numpy(), played.value, atol=1e-5)


def test_what_is_illegal_has_probability_zero():
    game = arena.make("hanabi", **SMALL)
    made = learner(game)
    with torch.no_grad():
        bias = made.net["actor"][0].bias
        bias[:] = torch.linspace(-60, 60, len(bias))
    policy, state = made.policy(), game.state(3)
    for _ in range(5):
        seat = state.actors()[0]
        seen = state.observe(seat)
        chances = policy.probabilities(seen)
        assert (chances[~seen.legal] == 0.0).all() and chances.sum() == pytest.approx(1.0)
        tensor = np.append(seen.tensor, np.eye(2, dtype=np.float32)[seat])[None]
        acted, _ = made._think(tensor, seen.legal[None], None, np.zeros(1, dtype=np.int64))
        assert (acted[0][~seen.legal] == 0.0).all()
        np.testing.assert_allclose(acted[0], chances, atol=1e-5)
        state.step({seat: int(chances.argmax())})


@pytest.mark.parametrize("critic", ["own", "central", "sum"])
def test_it_solves_a_cooperative_matrix(critic):
    game = arena.make("matrix/hi_lo")
    best = game.form("normal_form").payoffs[0].max()
    made = learner(game, critic=critic)
    assert made.evaluate(1, 0).mean < best
    for _ in range(30):
        made.step()
    assert made.evaluate(1, 0).mean == best


def test_everyone_for_itself_defects_in_the_prisoners_dilemma():
    game = arena.make("repeated/prisoners_dilemma", rounds=1)
    made = learner(game)
    for _ in range(40):
        made.step()
    state = game.state(0)
    for seat in range(2):
        assert made.policy().probabilities(state.observe(seat))[1] > 0.9
    assert not made.policy().greedy


def test_it_solves_tiny_hanabi():
    game = arena.make("hanabi", **TINY)
    made = learner(game, seed=1, episodes=128)
    assert made.evaluate(500, 0).mean < 1.5
    for _ in range(60):
        made.step()
    assert made.evaluate(500, 0).mean == game.payoff_bounds[1] == 2.0


def test_other_play_learns_too():
    game = arena.make("hanabi", **SMALL)
    made = learner(game, other_play=True, episodes=128)
    first = made.evaluate(200, 0).mean
    for _ in range(40):
        made.step()
    assert made.evaluate(200, 0).mean > first + 0.5


@pytest.mark.parametrize("other_play", [False, True])
def test_it_imitates_a_teacher_and_then_goes_on_alone(other_play):
    game = arena.make("hanabi", **SMALL)
    made = learner(
        game, teacher="hanabi/iggi", teacher_steps=15_000, other_play=other_play, entropy=0.0
    )
    untaught = made.evaluate(200, 0).mean
    first = made.step()
    while made.steps < 15_000:
        taught = made.step()
    assert "clipped" not in taught
    assert taught["agreement"] > first["agreement"] + 0.2  # the teacher itself draws lots
    assert "agreement" not in made.step()
    assert made.evaluate(200, 0).mean > untaught + 0.5


def test_a_teacher_is_one_that_plays_batches():
    game = arena.make("hanabi", **SMALL)
    with pytest.raises(ParameterError, match="begin_batch and act_batch"):
        learner(game, teacher="rollout")
    with pytest.raises(UnknownNameError, match="smart"):
        learner(game, teacher="hanabi/smrt")


def test_the_loss_of_imitation_is_cross_entropy():
    from solvers.ppo.loss import imitation_loss

    legal = torch.tensor([[True, True, False], [True, False, False]])
    logits = torch.tensor([[0.0, math.log(3.0), 9.0], [1.0, 5.0, 5.0]], requires_grad=True)
    terms = imitation_loss(
        logits,
        torch.tensor([1.0, 2.0]),
        legal=legal,
        actions=torch.tensor([1, 0]),
        target=torch.tensor([0.0, 2.0]),
        value_weight=0.5,
    )
    assert terms.policy.item() == pytest.approx(-math.log(0.75) / 2)
    assert terms.value.item() == pytest.approx(0.25)
    assert terms.clipped.item() == 1.0
    terms.loss.backward()
    assert logits.grad[0].tolist() == pytest.approx([0.125, -0.125, 0.0])
    assert logits.grad[1].tolist() == [0.0, 0.0, 0.0]


def test_a_relabelled_episode_is_the_episode():
    """With one answer for all labels alike, other-play sees the same play."""
    game = arena.make("hanabi", **SMALL)
    symmetries = Symmetries(*game.form("symmetries"))
    hints = 2 * game.form("hanabi").cards_held

    def think(tensor, legal, joint, which):
        # Plays or discards by slot, never by a label: symmetric in colours.
        allowed = legal.copy()
        allowed[:, hints:] &= ~legal[:, :hints].any(axis=1)[:, None]
        chances = (allowed / allowed.sum(axis=1, keepdims=True)).astype(np.float32)
        return chances, np.zeros(len(tensor), dtype=np.float32)

    options = {"seat_input": False, "joint": False, "team": True}
    seeds = derive_many(1, np.arange(50))
    plain = play_episodes(game, think, seeds, generator(7), **options)
    rng = generator(7)
    drawn = rng.integers(len(symmetries.action), size=(50, 2))
    assert len(np.unique(drawn)) > 1
    named = play_episodes(game, think, seeds, _after(generator(7), drawn), **options)
    other = play_episodes(game, think, seeds, generator(7), **options, symmetries=symmetries)
    assert np.array_equal(named.returns, other.returns)
    assert np.array_equal(named.action, other.action)
    assert not np.array_equal(named.tensor, other.tensor)
    assert len(plain.action)


def _after(rng, drawn):
    assert np.array_equal(rng.integers(drawn.max() + 1, size=drawn.shape), drawn)
    return rng


@pytest.mark.parametrize("chain", ["own", "team"])
def test_what_is_paid_adds_up(chain):
    game = arena.make("hanabi", **SMALL)
    made = learner(game, chain=chain)
    played = play_episodes(
        game,
        made._think,
        derive_many(2, np.arange(40)),
        generator(3),
        seat_input=True,
        joint=False,
        team=chain == "team",
    )
    per = len(played.beyond) // 40
    sums = np.bincount(played.chain, played.gain, len(played.beyond)).reshape(40, per)
    assert (played.beyond == 0.0).all()
    assert played.returns.any()
    # Before a seat's first decision it may have been paid already.
    early = played.returns[:, :per] - sums
    assert (early[:, 0] == 0).all()
    assert per == 1 or (early[:, 1] >= 0).all()
    assert (played.chance > 0).all()
    assert played.legal[np.arange(len(played.action)), played.action].all()


@pytest.mark.parametrize(
    "settings", [{}, {"critic": "central"}, {"critic": "sum", "precision": "bfloat16"}]
)
def test_a_resumed_run_is_bit_equal(tmp_path, settings):
    game = arena.make("hanabi", **SMALL)
    chosen = {**QUICK, **settings, "other_play": True, "anneal": 5000, "features": True}
    limits = {"eval_every": 1000, "eval_episodes": 50}
    for name, parts in (("whole", (6000,)), ("parts", (1, 2500, 6000))):
        begin_run(
            tmp_path / name, game, "ppo", settings=chosen, limits={**limits, "steps": parts[0]}
        )
        for steps in parts[1:]:
            resume_run(tmp_path / name, limits={"steps": steps})
    whole, parts = (_last(tmp_path / name) for name in ("whole", "parts"))
    assert whole.header["state"] == parts.header["state"]
    assert whole.state.keys() == parts.state.keys()
    for name, array in whole.state.items():
        assert np.array_equal(array, parts.state[name]), name


def _last(folder):
    files = (folder / "checkpoints").glob("step-*.safetensors")
    return read_checkpoint(max(files, key=lambda file: int(file.stem[5:])))


def test_solve_gives_a_solution_that_is_saved_and_plays(tmp_path):
    game = arena.make("hanabi", **SMALL)
    solution = arena.solve(game, "ppo", steps=2000, eval_episodes=100, features=True, **QUICK)
    solution.save(tmp_path / "ppo.npz")
    again = arena.agent(str(tmp_path / "ppo.npz"))
    match = arena.play(game, [again, solution], seed=4)
    same = arena.play(game, [solution, solution], seed=4)
    assert match.fault is None and match.steps == same.steps
    gap = solution.certificate["return"]
    assert gap.kind == "lower" and gap.interval[0] <= gap.value <= gap.interval[1]


def test_what_it_cannot_learn_is_refused():
    with pytest.raises(NotApplicableError, match="no form 'batch'"):
        arena.solve("leduc_poker", "ppo")
    with pytest.raises(NotApplicableError, match="may go on for ever"):
        arena.solve(arena.make("repeated/prisoners_dilemma", continuation=0.9), "ppo")
    matrix = arena.make("matrix/hi_lo")
    with pytest.raises(NotApplicableError, match="symmetries"):
        learner(matrix, other_play=True)
    with pytest.raises(NotApplicableError, match="no form 'features'"):
        learner(matrix, features=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hidden": 256}, "hidden = 256"),
        ({"hidden": []}, "hidden"),
        ({"critic": "centre"}, "own, central, sum"),
        ({"chain": "team"}, "chain = 'team'"),
        ({"discount": 1.5}, "discount"),
        ({"episodes": 0}, "episodes"),
        ({"precision": "half"}, "float32, bfloat16"),
        ({"other_play": 1}, "True or False"),
        ({"learning_rate": math.nan}, "learning_rate"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ParameterError, match=said):
        arena.solve("matrix/hi_lo", "ppo", steps=1, **settings)
    with pytest.raises(UnknownNameError, match="learning_rate"):
        arena.solve("matrix/hi_lo", "ppo", steps=1, learning_rat=1)


def test_weights_of_another_architecture_are_refused():
    game = arena.make("hanabi", **SMALL)
    with pytest.raises(ParameterError, match=r"shape \(32, .*expected shape \(16, "):
        learner(game, hidden=[16]).load(learner(game).state())


def test_steps_are_joint_moves_and_battles_tell_wins():
    game = arena.make("skirmish/3m", limit=10)
    made = learner(game, critic="central", episodes=8)
    figures = made.step()
    assert 8 <= made.steps <= 80  # at most ten moves an episode, however many units move
    assert figures["length"] == made.steps / 8
    seen = made.evaluate(10, 0)
    assert 0.0 <= seen.extra["win_rate"] <= 1.0


def test_payoffs_are_scaled_for_the_critic():
    """Battles have no finite bounds; the critic's first errors shrink with the scale's square."""
    game = arena.make("skirmish/3m", limit=10)
    losses = [
        learner(game, 1, scale=scale, epochs=1, minibatch=10_000, max_norm=1e-9).step()[
            "value_loss"
        ]
        for scale in (0.0, 1.0, 100.0, 1000.0)
    ]
    assert losses[0] == losses[1]
    assert losses[3] / losses[2] == pytest.approx(100.0, rel=0.1)
    with pytest.raises(ParameterError, match="scale"):
        learner(game, scale=-1.0)
