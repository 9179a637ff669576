"""What makes updates fast: gates, the mixer, parameters in one array, products; and what a
time limit means to targets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import ParameterError
from solvers.qmix.field import BatchField
from solvers.qmix.learner import DEFAULTS, WEIGHTED, ValueLearner
from solvers.training import LearnerState, networks
from solvers.training.adam import Adam

torch = pytest.importorskip("torch")

TINY = {"episodes": 4, "batch": 4, "updates": 2, "hidden": 8, "embed": 4, "hyper": 8}


@settings(max_examples=40, deadline=None)
@given(scale=st.floats(0.01, 60.0), seed=st.integers(0, 99))
def test_gates_are_sigmoids_and_tanh(scale, seed):
    from solvers.qmix.gru import gru_packed, gru_step

    start = torch.Generator().manual_seed(seed)
    inputs = scale * torch.randn((6, 12), generator=start)
    weight, bias = torch.randn((12, 4), generator=start), torch.randn(12, generator=start)
    first = gru_step(inputs[:3], torch.zeros((3, 4)), weight, bias)
    second = gru_step(inputs[3:5], first[:2], weight, bias)
    found, *_ = gru_packed(inputs, weight, bias, np.array([3, 2]), kept=False)
    torch.testing.assert_close(found[:5], torch.cat([first, second]), atol=2e-6, rtol=2e-6)
    assert (found[5:] == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    agents=st.integers(1, 3),
    recurrent=st.booleans(),
    last_action=st.booleans(),
    agent_id=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_agents_network_is_its_twin_with_its_gradient(
    lengths, agents, recurrent, last_action, agent_id, seed
):
    from solvers.qmix.networks import AgentNet
    from tests.reference import qmix as twin

    start = torch.Generator().manual_seed(seed)
    told = {"last_action": last_action, "agent_id": agent_id}
    net = AgentNet(7, 5, agents=agents, hidden=6, recurrent=recurrent, generator=start, **told)
    counts = [sum(n > t for n in lengths) for t in range(max(lengths))]
    rows = sum(counts)
    obs = torch.randn((rows, agents, 7), generator=start)
    last = torch.randint(0, 6, (rows, agents), generator=start, dtype=torch.int32)
    wish = torch.randn((rows, agents, 5), generator=start)
    found, expected = net(obs, last, counts), twin.agent_values(net, obs, last, counts)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    given_to = list(net.parameters())
    ours = torch.autograd.grad((found * wish).sum(), given_to)
    theirs = torch.autograd.grad((expected * wish).sum(), given_to)
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other, atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        memory = torch.zeros((counts[0] * agents, 6))
        values, _ = net.act(obs[: counts[0]], last[: counts[0]], memory)
    torch.testing.assert_close(values, expected[: counts[0]], atol=1e-5, rtol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    agents=st.integers(1, 4),
    rows=st.integers(1, 9),
    scale=st.floats(0.1, 20.0),
    seed=st.integers(0, 99),
)
def test_the_mixer_is_its_twin_with_its_gradient(agents, rows, scale, seed):
    from solvers.qmix.mixers import Monotone
    from tests.reference import qmix as twin

    start = torch.Generator().manual_seed(seed)
    mixer = Monotone(agents, 5, embed=6, hyper=7, generator=start)
    chosen = (scale * torch.randn((rows, agents), generator=start)).requires_grad_()
    state, wish = (torch.randn((rows, n), generator=start) for n in (5, 1))
    given_to = [chosen, *mixer.parameters()]
    found, expected = mixer(chosen, state), twin.monotone(mixer, chosen, state)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    ours = torch.autograd.grad((found * wish).sum(), given_to)
    theirs = torch.autograd.grad((expected * wish).sum(), given_to)
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other, atol=1e-4 * scale, rtol=1e-4)


def test_adam_is_torchs_and_goes_on_where_it_was():
    start = torch.Generator().manual_seed(3)
    ours = torch.nn.Parameter(torch.randn(37, generator=start))
    theirs = torch.nn.Parameter(ours.detach().clone())
    ours.grad, theirs.grad = torch.zeros(37), torch.zeros(37)
    own, other = Adam(ours, 0.01), torch.optim.Adam([theirs], lr=0.01)
    for step in range(30):
        gradient = torch.randn(37, generator=start) * 10.0 ** (step % 5 - 3)
        ours.grad.copy_(gradient)
        theirs.grad.copy_(gradient)
        if step == 20:
            kept, own = own.arrays("x."), Adam(ours, 0.5)
            own.load(kept, "x.")
            own.rate = other.param_groups[0]["lr"] = 0.003
        own.step()
        other.step()
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    assert set(own.arrays("a.")) == set(networks.optimizer_arrays(other, "a."))
    few = torch.nn.Parameter(torch.zeros(2))
    few.grad = torch.zeros(2)
    with pytest.raises(ParameterError, match=r"moments of Adam.*\(37,\).*\(2,\)"):
        Adam(few, 0.1).load(own.arrays())


def test_joined_parameters_are_the_modules_own():
    module = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Linear(5, 2))
    before = [p.detach().clone() for p in module.parameters()]
    joined = networks.joined_parameters(module)
    for own, old in zip(module.parameters(), before, strict=True):
        assert torch.equal(own, old)
    module(torch.ones(3)).sum().backward()
    assert joined.grad.norm() == pytest.approx(
        float(torch.cat([p.grad.reshape(-1) for p in module.parameters()]).norm())
    )
    with torch.no_grad():
        joined.sub_(joined.grad)
    for own, old in zip(module.parameters(), before, strict=True):
        torch.testing.assert_close(own, old - own.grad)
    module.load_state_dict(module.state_dict())  # leaves them in place
    with torch.no_grad():
        joined.zero_()
    assert not any(p.any() for p in module.parameters())


def test_products_are_float32_and_the_setting_is_put_back():
    a, b = torch.rand((2, 200, 200), generator=torch.Generator().manual_seed(1))
    before = torch.get_float32_matmul_precision()
    with networks.quick_products():
        found = a @ b
    assert torch.get_float32_matmul_precision() == before
    assert (found.double() - a.double() @ b.double()).abs().max() < 1e-3


def test_inexact_products_are_not_taken(monkeypatch):
    monkeypatch.setattr(networks, "_medium_is_exact", lambda: False)
    before = torch.get_float32_matmul_precision()
    with networks.quick_products():
        assert torch.get_float32_matmul_precision() == before


def test_central_weights_choose_one_of_two_best():
    """In penalty two joint actions are best; half of one and half of the other is worst."""
    game = arena.make("matrix/penalty")
    explore = {"last_action": False, "epsilon_end": 1.0, "trace": 0.0, "buffer": 5000}
    own = {"weighting": "central", "weight": 0.02}
    made = ValueLearner(game, 1, {**WEIGHTED, **explore, **own}, mixer="wqmix")
    for _ in range(40):
        made.step()
    assert made.evaluate(1, 0).mean == 10.0


def test_moments_of_an_earlier_version_are_refused():
    made = ValueLearner(arena.make("markov/two_step"), 0, {**DEFAULTS, **TINY}, mixer="vdn")
    made.step()
    state = made.state()
    moments = {"adam.0.exp_avg": np.zeros(8, dtype=np.float32)}
    with pytest.raises(ParameterError, match=r"moments of Adam.*\(8,\)"):
        made.load(LearnerState({**state.arrays, **moments}, state.values))


class _Limited:
    """The two-step game's batch, which says that a time limit ended it."""

    def __init__(self, batch):
        self._batch = batch

    def __getattr__(self, name):
        return getattr(self._batch, name)

    @property
    def truncated(self):
        return np.ones(len(self._batch.actors()), dtype=np.bool_)


def test_what_a_time_limit_cuts_has_not_ended(monkeypatch):
    """Targets go on behind a limit: the value of the last situation counts."""
    game = arena.make("markov/two_step")
    plain = type(game).form

    def limited(self, name, **given):
        found = plain(self, name, **given)
        return _Limited(found) if name == "batch" else found

    made = ValueLearner(game, 0, {**DEFAULTS, **TINY}, mixer="qmix")
    made.step()
    assert made.replay.ended.any()
    monkeypatch.setattr(type(game), "form", limited)
    field = BatchField(game, 2)
    assert not field.cut.any()
    while not field.done.all():
        field.step(np.zeros((2, 2), dtype=np.int64))
    assert field.cut.all()
    made = ValueLearner(game, 0, {**DEFAULTS, **TINY}, mixer="qmix")
    made.step()
    assert made.replay.total and not made.replay.ended.any()
