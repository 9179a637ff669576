"""An agent that is one function: it plays the middle of what is legal."""

from __future__ import annotations

from arena import Observation


def act(observation: Observation) -> int:
    """Return the middle legal action."""
    return observation.actions[len(observation.actions) // 2]
