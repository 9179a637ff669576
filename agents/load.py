"""From a reference in a tournament file or on the command line to an agent."""

from __future__ import annotations

from typing import Any

from arena.agent import Agent
from arena.registry import AGENTS

__all__ = ["load"]


def load(ref: str, **params: Any) -> Agent:
    """Make the agent that `ref` names."""
    agent: Agent = AGENTS.factory(ref)(**params)
    return agent
