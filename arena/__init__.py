"""arena: games, solvers that certify what they claim, and tournaments that rank agents."""

from __future__ import annotations

from arena import errors
from arena.agent import Agent, Limits
from arena.api import (
    agent,
    agents,
    evaluate,
    games,
    league,
    make,
    play,
    register_agent,
    register_game,
    register_solver,
    serve,
    solve,
    solvers,
    to_pettingzoo,
    tournament,
    wrap,
)
from arena.game import Clock, Game, Observation, Snapshot, State
from arena.policy import Policy, TabularPolicy, TensorPolicy
from arena.solver import Gap, Solution, Solver
from arena.types import CHANCE, Action, Box, Discrete, MultiDiscrete, OtherSpace

__all__ = [
    "CHANCE",
    "Action",
    "Agent",
    "Box",
    "Clock",
    "Discrete",
    "Game",
    "Gap",
    "Limits",
    "MultiDiscrete",
    "Observation",
    "OtherSpace",
    "Policy",
    "Snapshot",
    "Solution",
    "Solver",
    "State",
    "TabularPolicy",
    "TensorPolicy",
    "__version__",
    "agent",
    "agents",
    "errors",
    "evaluate",
    "games",
    "league",
    "make",
    "play",
    "register_agent",
    "register_game",
    "register_solver",
    "serve",
    "solve",
    "solvers",
    "to_pettingzoo",
    "tournament",
    "wrap",
]

__version__ = "0.1.0"
