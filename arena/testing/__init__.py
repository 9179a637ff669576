"""Conformance kits: does a game, an agent or a solver keep the contract it signed?

    check_game(arena.make("my_game"))
    check_agent(MyAgent, arena.make("kuhn_poker"))
    check_solver(MySolver(), arena.make("kuhn_poker"))

Each returns nothing and raises `ConformanceError` at the first breach, naming what was
expected and what was seen. There are no exemptions by name.
"""

from __future__ import annotations

from arena.errors import ConformanceError
from arena.testing.agents import check_agent
from arena.testing.games import check_game
from arena.testing.solvers import check_solver

__all__ = ["ConformanceError", "check_agent", "check_game", "check_solver"]
