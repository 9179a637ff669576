"""Making the games and agents of a spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.load import build, load
from agents.process import Isolated
from arena.agent import Agent, Limits
from arena.api import make
from arena.errors import AgentError, SpecError
from arena.game import Game
from tournaments.plan.model import Plan
from tournaments.spec import AgentSpec, GameSpec

__all__ = ["check_copies", "make_agent", "make_game"]


def make_game(spec: GameSpec) -> Game:
    """Make the game of a spec."""
    return spec.live if spec.live is not None else make(spec.id, **spec.params)


def make_agent(spec: AgentSpec, limits: Limits | None, *, copy: int = 0) -> Agent:
    """Make one instance of an agent.

    Args:
        spec: the agent.
        limits: what a child process is held to.
        copy: which instance; a live agent object has only one.

    Raises:
        AgentError: it cannot be made.
    """
    if spec.live is not None:
        if copy and _is_single(spec):
            raise AgentError(_ONE_OBJECT.format(spec.name))
        made = build(spec.live, spec.params, name=f"agent {spec.name!r}")
        return made
    if spec.tier == "none":
        return load(spec.ref, **spec.params)
    return Isolated(
        spec.ref,
        params=dict(spec.params),
        limits=limits or Limits(),
        tier="auto" if spec.tier == "sandbox" else "rlimits",
    )


_ONE_OBJECT = (
    "agent {!r} is one live object and cannot sit in two seats; give its class or a factory instead"
)


def check_copies(source: str, plan: Plan, seatings: Iterable[Sequence[int]]) -> None:
    """Check that no live agent object is to sit in two seats at once.

    Raises:
        SpecError: one is.
    """
    single = {i for i, entry in enumerate(plan.entries) if _is_single(entry.spec)}
    for seating in seatings if single else ():
        for agent in single.intersection(seating):
            if seating.count(agent) > 1:
                raise SpecError(f"{source}: {_ONE_OBJECT.format(plan.entries[agent].spec.name)}")


def _is_single(spec: AgentSpec) -> bool:
    """Whether an agent is an object with a game of its own in it, rather than how to make one."""
    return not isinstance(spec.live, type) and all(
        callable(getattr(spec.live, method, None)) for method in ("begin", "act", "close")
    )
