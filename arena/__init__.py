"""arena: games, solvers that certify what they claim, and tournaments that rank agents."""

from __future__ import annotations

from arena.api import (
    agent,
    agents,
    games,
    make,
    play,
    register_agent,
    register_game,
    register_solver,
    serve,
    solvers,
    tournament,
)

__all__ = [
    "__version__",
    "agent",
    "agents",
    "games",
    "make",
    "play",
    "register_agent",
    "register_game",
    "register_solver",
    "serve",
    "solvers",
    "tournament",
]

__version__ = "0.1.0"
