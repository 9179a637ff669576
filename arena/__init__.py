"""arena: games, solvers that certify what they claim, and tournaments that rank agents."""

from __future__ import annotations

from arena.api import (
    agent,
    agents,
    evaluate,
    games,
    make,
    register_agent,
    register_game,
    register_solver,
    solve,
    solvers,
)

__all__ = [
    "__version__",
    "agent",
    "agents",
    "evaluate",
    "games",
    "make",
    "register_agent",
    "register_game",
    "register_solver",
    "solve",
    "solvers",
]

__version__ = "0.1.0"
