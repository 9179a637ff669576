"""Whose fault an exception is, and of what kind."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from arena.agent import Agent
from arena.errors import AgentFaultError, FaultKind, IllegalActionError
from tournaments.match.blocks import Fault

__all__ = ["LOG_TAIL", "fault_of", "guilty_seat"]

LOG_TAIL = 4000
"""Characters of an agent's log that a fault keeps."""


def fault_of(error: BaseException, match: int, seat: int) -> Fault:
    """Return the fault that an exception of a seat's agent is."""
    if isinstance(error, AgentFaultError):
        return Fault(match, seat, error.kind, error.detail, error.log[-LOG_TAIL:])
    if isinstance(error, IllegalActionError):
        return Fault(match, seat, "illegal", str(error), "")
    kind: FaultKind = "exception"
    if isinstance(error, MemoryError | SystemExit):
        kind = "memory" if isinstance(error, MemoryError) else "exit"
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Fault(match, seat, kind, f"{type(error).__name__}: {error}", text[-LOG_TAIL:])


def guilty_seat(error: BaseException, agents: Sequence[Agent]) -> int | None:
    """Return the seat whose `act` the exception came out of."""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        owner = trace.tb_frame.f_locals.get("self")
        for seat, agent in enumerate(agents):
            act = getattr(agent.act, "__func__", agent.act)
            if getattr(act, "__code__", None) is code and (owner is agent or owner is None):
                return seat
        trace = trace.tb_next
    return None
