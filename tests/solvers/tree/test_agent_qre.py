"""Agent quantal response equilibria: the definition, the branch, and games of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import ArenaError, NotApplicableError, ParameterError
from games.tree import compile_state
from solvers.certificates import certify_agent_qre
from solvers.tree._agent_kernels import conditional_worth
from solvers.tree.agent_qre import AgentPath, agent_branch
from tests.reference.trees import Node, conditional_payoffs, random_game, random_table, toy_game


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 3))
def test_conditional_payoffs_follow_their_definition(seed: int, n: int) -> None:
    game = random_game(seed, n=n)
    tree = compile_state(game, game.root())
    behaviour, table = random_table(game, tree, seed)
    naive = conditional_payoffs(game, table)
    buffers = [np.empty(tree.n_sequences) for _ in range(3)]
    conditional_worth(
        tree.terminal_sequences,
        tree.terminal_chance,
        tree.payoffs * tree.terminal_chance,
        tree.seat_infoset,
        tree.seat_sequence,
        tree.info_first,
        tree.info_actions,
        tree.info_parent,
        behaviour,
        *buffers,
    )
    residual = 0.0
    for i, key in enumerate(tree.keys):
        part = slice(tree.info_first[i], tree.info_first[i] + tree.info_actions[i])
        wanted = naive[int(tree.info_seat[i]), key]
        np.testing.assert_allclose(buffers[2][part], wanted, atol=1e-9)
        response = np.exp((wanted - wanted.max()) / 0.7)
        residual = max(residual, float(np.abs(behaviour[part] - response / response.sum()).max()))
    found = certify_agent_qre(tree, behaviour, temperature=0.7)["agent_qre_residual"].value
    assert found == pytest.approx(residual, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 3), temperature=st.floats(0.5, 20.0))
def test_random_games_have_their_equilibrium_found(seed: int, n: int, temperature: float) -> None:
    game = random_game(seed, n=n, depth=4)
    found = arena.solve(game, "agent_qre", temperature=temperature)
    assert found.status == "converged"
    assert found.certificate["agent_qre_residual"].value < 1e-9


def test_leduc_poker_is_no_obstacle() -> None:
    solution = arena.solve("leduc_poker", "agent_qre", temperature=0.5)
    assert solution.certificate["agent_qre_residual"].value < 1e-12
    # Played with less care than at temperature 0, with more than at random.
    assert 0.05 < solution.certificate["exploitability"].value < 0.4


def test_low_temperatures_are_next_to_nash() -> None:
    solution = arena.solve("kuhn_poker", "agent_qre", temperature=0.002)
    assert solution.certificate["agent_qre_residual"].value < 1e-10
    assert solution.certificate["exploitability"].value < 1e-3
    assert solution.certificate["value_0"].value == pytest.approx(-1 / 18, abs=1e-3)


def test_a_lone_decision_is_the_logit_response() -> None:
    kids = {(k,): Node(payoffs=[v]) for k, v in enumerate([1.0, 2.0, 4.0])}
    game = toy_game(Node(movers=[0], keys={0: "x"}, counts={0: 3}, children=kids), 1)
    policy = arena.solve(game, "agent_qre", temperature=0.5).policy.table[0]
    logits = np.exp([2.0, 4.0, 8.0])
    np.testing.assert_allclose(policy, logits / logits.sum(), atol=1e-12)


def test_what_chance_never_does_is_no_obstacle() -> None:
    def ask(key: str) -> Node:
        ends = {(k,): Node(payoffs=[float(k)]) for k in range(2)}
        return Node(movers=[0], keys={0: key}, counts={0: 2}, children=ends)

    root = Node(odds=[1.0, 0.0], children={(0,): ask("seen"), (1,): ask("never")})
    solution = arena.solve(toy_game(root, 1), "agent_qre", temperature=1.0)
    assert solution.certificate["agent_qre_residual"].value < 1e-12


def test_the_branch_rises_from_uniform_play() -> None:
    game = arena.make("kuhn_poker")
    tree = compile_state(game, game.root())
    branch = agent_branch(tree, temperature=0.1)
    assert (np.diff(branch.precision) > 0).all() and branch.precision[-1] == pytest.approx(10.0)
    for precision, policy in zip(branch.precision[1:], branch.policies[1:], strict=True):
        gap = certify_agent_qre(tree, policy, temperature=1 / precision)["agent_qre_residual"]
        assert gap.value < 1e-8
    jumps = np.abs(np.diff(branch.policies, axis=0)).max(axis=1)
    assert jumps.max() < 0.3  # it is followed, not jumped along


def test_resuming_is_as_if_never_stopped() -> None:
    game = arena.make("kuhn_poker")
    half = arena.solve(game, "agent_qre", iterations=8)
    assert half.status == "iteration limit"
    rest = arena.solve(game, "agent_qre", resume=half)
    whole = arena.solve(game, "agent_qre")
    np.testing.assert_allclose(rest.policy.table, whole.policy.table, atol=1e-12)


def test_refusals() -> None:
    for bad in (0.0, -1.0, float("nan"), None):
        with pytest.raises(ParameterError, match="temperature"):
            arena.solve("kuhn_poker", "agent_qre", temperature=bad)
    kuhn = compile_state(arena.make("kuhn_poker"), arena.make("kuhn_poker").root())
    with pytest.raises(ParameterError, match="temperature"):
        certify_agent_qre(kuhn, kuhn.uniform(), temperature=0.0)
    with pytest.raises(NotApplicableError, match="imperfect recall"):
        arena.solve(arena.make("openspiel/liars_dice_ir", dice_sides=3), "agent_qre")
    path = AgentPath(kuhn, 1e12)  # beyond what floats can tell apart
    with pytest.raises(ArenaError, match=r"cannot be followed beyond precision .*temperature"):
        while path.advance(100):
            pass


def test_settings_of_the_definition_agree_with_a_table() -> None:
    found: Any = arena.solve("kuhn_poker", "agent_qre", temperature=1.0)
    assert found.settings["temperature"] == 1.0
    assert found.trace[-1].gap == pytest.approx(found.certificate["agent_qre_residual"].value)
