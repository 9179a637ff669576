"""arena: games, solvers that certify what they claim, and tournaments that rank agents."""

from __future__ import annotations

from arena.api import (
    agent,
    agents,
    games,
    make,
    register_agent,
    register_game,
    register_solver,
    solvers,
    to_pettingzoo,
    wrap,
)

__all__ = [
    "__version__",
    "agent",
    "agents",
    "games",
    "make",
    "register_agent",
    "register_game",
    "register_solver",
    "solvers",
    "to_pettingzoo",
    "wrap",
]

__version__ = "0.1.0"
