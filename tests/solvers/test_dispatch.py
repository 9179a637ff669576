from __future__ import annotations

import pytest

import arena
from arena.errors import UnknownNameError
from arena.registry import SOLVERS
from arena.solver import Solver
from solvers.dispatch import applicable

TREE_SOLVERS = [n for n in SOLVERS.names() if (SOLVERS.info(n).tags or {}).get("form") == "tree"]


@pytest.mark.parametrize("name", TREE_SOLVERS)
def test_every_row_makes_a_solver_of_that_name(name: str) -> None:
    solver = SOLVERS.factory(name)()
    assert isinstance(solver, Solver)
    assert solver.name == name
    assert SOLVERS.info(name).summary


def test_obstacles_are_words_or_nothing() -> None:
    kuhn = applicable(arena.make("kuhn_poker"))
    assert set(kuhn) == set(arena.solvers()) and all(kuhn[name] is None for name in ("auto", "mmd"))
    three = applicable(arena.make("kuhn_poker", players=3))
    assert three["cfr+"] is None and "3 seats" in (three["mmd"] or "")
    chess = applicable(arena.make("chess"))
    assert all("too large" in (chess[name] or "") for name in TREE_SOLVERS)


def test_unknown_solvers_carry_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="pcfr"):
        arena.solve("kuhn_poker", "pcfr++")
