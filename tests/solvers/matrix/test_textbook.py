from __future__ import annotations

import numpy as np
import pytest

import arena
from solvers.matrix.correlated import cce, ce
from solvers.matrix.nash import equilibria_of, lemke_howson, vertex_enumeration
from solvers.matrix.qre import logit_qre

GAMES = [name for name in arena.games() if name.startswith("matrix/")]


@pytest.mark.parametrize("name", GAMES)
def test_textbook_games_have_certified_equilibria(name: str) -> None:
    game = arena.make(name)
    form = game.form("normal_form")
    for solver in (ce(), cce()):
        range_ = max(1.0, float(np.ptp(form.payoffs)))
        assert solver.solve(game).certificate[solver.gap].value <= 1e-12 * range_
    if form.payoffs[0].size > 2000:
        return  # the branch of a hundred actions takes long
    warm = logit_qre().solve(game, temperature=0.5 * max(1.0, float(form.payoffs.max())))
    assert warm.certificate["qre_residual"].value <= 1e-13
    if game.seats == 2 and max(form.actions) <= 8:
        one = lemke_howson().solve(game)
        assert one.certificate["nash_conv"].value <= 1e-9
        listed = equilibria_of(vertex_enumeration().solve(game))
        assert listed


def test_the_catalogue_is_there() -> None:
    assert len(GAMES) > 10
