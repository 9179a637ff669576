"""Policies of explored forms play in the games that the forms were explored from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import AgentError, NotApplicableError, ParameterError
from arena.registry import SOLVERS
from arena.rng import match_seed, seat_seed
from arena.solver import Solution, load_policy
from arena.testing import check_solver
from games.markov import as_game
from games.markov.explore import explored
from games.markov.views import UNKNOWN, steps_of
from solvers.markov.certificates import certify
from solvers.markov.observed import ObservedPolicy, observed
from solvers.markov.policy import MixturePolicy
from tests.reference.markov import random_form
from tests.solvers.markov.test_exact import random_product

GOOFSPIEL = "openspiel/goofspiel(num_cards=3)"


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 20))
def test_the_matchs_seed_is_found_again(seed: int, seat: int) -> None:
    assert match_seed(seat_seed(seed, seat), seat) == seed


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (GOOFSPIEL, {"solver": "cce"}),
        (GOOFSPIEL, {"solver": "v_learning", "iterations": 300}),
        (GOOFSPIEL, {"solver": "independent_hedge", "iterations": 20, "deviations": "markov"}),
        ("openspiel/markov_soccer(horizon=4)", {"solver": "shapley", "horizon": 4}),
        ("openspiel/coop_box_pushing(fully_observable=true,horizon=2)", {"solver": "cce"}),
        ("openspiel/matrix_pd", {"solver": "ce"}),
    ],
)
def test_solved_saved_evaluated_and_played(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    game, file = arena.make(name), tmp_path / "policy.npz"
    assert "markov" not in game.forms
    found = arena.solve(game, **settings)
    assert isinstance(found.policy, ObservedPolicy) and found.policy.game == game.key
    found.save(file)
    loaded = Solution.load(file)
    assert loaded.certificate == found.certificate
    for key, array in found.policy.arrays().items():
        assert np.array_equal(array, loaded.policy.arrays()[key])
    options = {"deviations": found.settings["deviations"], "horizon": found.settings["horizon"]}
    again = arena.evaluate(game, str(file), **options)
    for key, gap in again.items():
        assert gap.value == pytest.approx(found.certificate[key].value, abs=1e-12)
    for agents in ([str(file)] * game.seats, [str(file), "uniform"][: game.seats]):
        match = arena.play(game, agents, seed=4)
        assert match.fault is None
    played = arena.tournament(games=[game], agents={"solved": str(file), "dice": "uniform"},
                              repetitions=4, db=tmp_path / "t.db")  # fmt: skip
    assert played is not None


@pytest.mark.parametrize("kind", ["correlated", "mixture", "v_learning"])
def test_seats_are_correlated_without_a_word(kind: str) -> None:
    """They draw what a match of the same seed on the form itself draws."""
    game = arena.make(GOOFSPIEL)
    form, views = explored(game)
    own = as_game(form, id="test/form", rebuildable=False)
    inner: Any = {
        "correlated": lambda: arena.solve(own, "cce", objective="entropy").policy,
        "mixture": lambda: MixturePolicy.of(
            [random_product(form, k, 3, game.key) for k in range(3)]
        ),
        "v_learning": lambda: arena.solve(own, "v_learning", iterations=200).policy,
    }[kind]()
    policy = observed(inner, views, form)
    paid, count = [], 1500
    for seed in range(count):
        state, step = game.state(seed), 0
        seats = [policy.episode(seat, seat_seed(seed, seat)) for seat in (0, 1)]
        rng = np.random.default_rng(seed)
        while state.actors():
            moves = {}
            for seat in (0, 1):
                look = state.observe(seat)
                row = seats[seat].probabilities(look)
                assert np.array_equal(row, seats[seat].probabilities(look))  # asking is free
                moves[seat] = int(rng.choice(len(row), p=row / row.sum()))
                seats[seat].acted(look)
            state.step(moves)
            step += 1
        paid.append(state.returns())
    found = certify(form, inner)
    error = np.std(paid, axis=0) / math.sqrt(count) + 1e-9
    expected = [found[f"value_{seat}"].value for seat in (0, 1)]
    assert (np.abs(np.mean(paid, axis=0) - expected) < 5 * error).all()


def test_hidden_states_are_refused() -> None:
    for name, words in (
        ("openspiel/goofspiel(num_cards=3,imp_info=true)", "seat 0 cannot tell 'P0 hand"),
        ("openspiel/coop_box_pushing(horizon=2)", "hides its state: seat"),
    ):
        with pytest.raises(NotApplicableError, match=words):
            arena.solve(name, "cce", horizon=2)
    with pytest.raises(NotApplicableError, match="its seats move in turn"):
        arena.solve("openspiel/kuhn_poker", "shapley")


def test_other_games_are_refused(tmp_path: Path) -> None:
    game = arena.make(GOOFSPIEL)
    found = arena.solve(game, "cce")
    found.save(tmp_path / "policy.npz")
    other = arena.make("openspiel/goofspiel(num_cards=4)")
    with pytest.raises(ParameterError, match="one for openspiel/goofspiel"):
        arena.evaluate(other, str(tmp_path / "policy.npz"))
    agent = found.agent()
    with pytest.raises(AgentError, match="is a policy for"):
        agent.begin(other, 0, 1)
    policy = load_policy(tmp_path / "policy.npz")
    state = other.state(0)
    with pytest.raises(ParameterError, match="one that seat 0 sees"):
        policy.state(state.observe(0))
    assert policy.probabilities(game.state(0).observe(0)).sum() == pytest.approx(1)


def test_solvers_keep_the_contract_there() -> None:
    check_solver(SOLVERS.factory("cce")(), arena.make(GOOFSPIEL), horizon=3)
    check_solver(SOLVERS.factory("shapley")(), arena.make("openspiel/matrix_rps"), horizon=1)
    check_solver(SOLVERS.factory("cce")(), arena.make("openspiel/kuhn_poker"))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_steps_are_those_of_episodes(seed: int, stages: int) -> None:
    """Against all episodes of a game in which seats move here and not there."""
    form = random_form(seed, states=4, ends=True, horizon=stages)
    rng = np.random.default_rng(seed)
    acts = rng.random((4, 2)) < 0.6
    found = steps_of(form, acts, 0, stages)
    met: dict[tuple[int, int], set[int]] = {}
    alone: dict[int, set[int]] = {}
    layer = {(int(s), 0) for s in np.flatnonzero(form.initial)}
    for step in range(stages):
        after = set()
        for s, count in layer:
            if form.terminal[s]:
                continue
            if acts[s, 0]:
                met.setdefault((s, count), set()).add(step)
                alone.setdefault(s, set()).add(step)
            for joint in range(form.joint):
                after |= {(int(t), count + int(acts[s, 0])) for t in form.after(s, joint)[0]}
        layer = after
    for (s, count), steps in met.items():
        at = found.at(s, count)
        if found.by_count.size:
            assert at == (steps.pop() if len(steps) == 1 else UNKNOWN)
        else:
            assert steps == {count} and at == count
    for s, steps in alone.items():
        if len(steps) > 1:
            assert found.by_state[s] == UNKNOWN
        else:
            assert found.by_state[s] in (UNKNOWN, *steps)
