"""The normal form and its one-shot game."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.episode import drive
from arena.errors import IllegalActionError, ParameterError
from arena.testing import check_game
from games.normal_form import NormalForm, as_game

PD = NormalForm([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], [["C", "D"], ["C", "D"]], "Dilemma")


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_tensor_makes_a_game_that_pays_it(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    seed = data.draw(st.integers(0, 1000))
    payoffs = np.random.default_rng(seed).normal(size=(len(shape), *shape)).round(2)
    form = NormalForm(payoffs)
    game = as_game(form, id="x", rebuildable=False)
    check_game(game, episodes=2)
    joint = tuple(data.draw(st.integers(0, a - 1)) for a in shape)
    state = game.state(0)
    drive(state, [lambda _, a=a: a for a in joint])  # type: ignore[misc]
    assert (
        state.returns().tolist() == form[joint].tolist() == payoffs[(slice(None), *joint)].tolist()
    )
    assert state.history() == list(joint)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("payoffs", "kind"),
    [
        ([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], "zero_sum"),
        ([[[1, 0]], [[0, 1]]], "constant_sum"),
        ([[[1, 0]], [[1, 0]]], "cooperative"),
        ([[[1, 0]], [[1, 3]]], "general_sum"),
        ([[1, 2]], "general_sum"),
        ([[[0.1 + 0.2, 0]], [[-0.3, 0]]], "zero_sum"),
    ],
)
def test_the_kind_of_payoffs(payoffs: Any, kind: str) -> None:
    assert NormalForm(payoffs).payoff == kind
    assert as_game(NormalForm(payoffs), id="x").payoff == kind


@pytest.mark.parametrize(
    ("payoffs", "names", "message"),
    [
        ([1, 2], None, "shape"),
        ([[[1, 2]]], None, "shape"),
        ([[1, float("nan")]], None, r"payoffs\[0, 1\] = nan"),
        ([[1, float("inf")]], None, "finite"),
        ([[1, 2], [3]], None, "rectangular"),
        (np.zeros((2, 0, 2)), None, "at least one action"),
        ([[1, 2]], [["a"]], "2"),
        ([[1, 2]], [["a", "a"]], "differ"),
        ([["x"]], None, "numbers"),
    ],
)
def test_bad_tensors_are_refused(payoffs: Any, names: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        NormalForm(payoffs, names)


def test_the_form_keeps_its_own_copy() -> None:
    payoffs = np.zeros((1, 2))
    form = NormalForm(payoffs)
    payoffs[:] = 1
    assert not form.payoffs.any()
    with pytest.raises(ValueError, match="read-only"):
        form.payoffs[0, 0] = 1.0


def test_what_a_spectator_sees() -> None:
    state = as_game(PD, id="pd").state(0)
    assert state.render().splitlines() == ["Dilemma", "   C    D", "C  3,3  0,5", "D  5,0  1,1"]
    with pytest.raises(IllegalActionError, match="legal are 0 to 1"):
        state.step({0: 0, 1: 2})
    state.step({0: 1, 1: 0})
    assert state.render() == "D, C → 5, 0"
    assert state.observe(0).view == "over: D, C"
