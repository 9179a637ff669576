"""Asking one seat for its action, with its clocks kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf, isfinite
from typing import Any

from arena.agent import Agent, Limits
from arena.errors import AgentFaultError
from arena.game import Clock, Game, Observation
from arena.types import Action
from tournaments.match.slot import Slot

__all__ = ["Chooser", "limiting"]


class Chooser:
    """Asks one seat for its action, keeping the clocks and saying who is thinking."""

    def __init__(
        self, seat: int, act: Callable[[Observation], Action], limits: Limits | None, words: Any
    ) -> None:
        self.seat = seat
        self.act = act
        self.limits = limits if limits is not None and limiting(limits) else None
        self.words = words
        self.busy = False
        self.last: Action | None = None
        self.wall = 0.0
        self.cpu = 0.0

    def begin(self, agent: Agent, game: Game, seed: int, signal: int | None = None) -> None:
        """Let the agent begin, within its limit; `signal` is for agents that take one."""
        self.busy = True
        self.wall = self.cpu = 0.0
        words = self.words
        words[Slot.SEAT] = self.seat
        tell = getattr(agent, "signal", None) if signal is not None else None
        if tell is not None:
            tell(signal)
        if self.limits is None:
            agent.begin(game, self.seat, seed)
        else:
            allowed = self.limits.begin
            self._deadline(allowed, inf)
            start = time.perf_counter()
            agent.begin(game, self.seat, seed)
            spent = time.perf_counter() - start
            words[Slot.WALL] = words[Slot.CPU] = 0
            if spent > allowed:
                raise AgentFaultError("move time", f"began in {spent:.3g} s; {allowed:g} allowed")
        self.busy = False

    def __call__(self, observation: Observation) -> Action:
        """Return the agent's action; `busy` stays set if it fails."""
        self.busy = True
        self.words[Slot.SEAT] = self.seat
        if self.limits is None:
            action = self.act(observation)
        else:
            action = self._timed(observation, self.limits)
        self.last = action
        self.busy = False
        return action

    def _timed(self, observation: Observation, limits: Limits) -> Action:
        allowed = min(limits.move, limits.game - self.wall)
        self.words[Slot.GAME] = limits.game - self.wall < limits.move
        self._deadline(allowed, limits.cpu - self.cpu)
        clock = Clock(move=limits.move, game=limits.game - self.wall)
        cpu, wall = time.thread_time(), time.perf_counter()
        action = self.act(_Clocked(observation, clock))
        spent = time.perf_counter() - wall
        self.cpu += time.thread_time() - cpu
        self.wall += spent
        words = self.words
        words[Slot.WALL] = words[Slot.CPU] = 0
        if spent > limits.move:
            raise AgentFaultError(
                "move time", f"moved in {spent:.3g} s; {limits.move:g} s are allowed"
            )
        if self.wall > limits.game:
            raise AgentFaultError(
                "game time", f"took {self.wall:.3g} s in all; {limits.game:g} s are allowed"
            )
        if self.cpu > limits.cpu:
            raise AgentFaultError(
                "cpu time", f"took {self.cpu:.3g} CPU s in all; {limits.cpu:g} s are allowed"
            )
        return action

    def _deadline(self, wall: float, cpu: float) -> None:
        """Say until when the parent should wait; it adds some grace of its own."""
        words = self.words
        words[Slot.WALL] = time.monotonic_ns() + int(wall * 1e9) if isfinite(wall) else 0
        words[Slot.CPU] = time.process_time_ns() + int(cpu * 1e9) if isfinite(cpu) else 0


class _Clocked:
    """An observation with the seat's clock in it."""

    __slots__ = ("_observation", "clock")

    def __init__(self, observation: Observation, clock: Clock) -> None:
        self._observation = observation
        self.clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._observation, name)


def limiting(limits: Limits | None) -> bool:
    """Whether any clock of a seat runs."""
    return limits is not None and min(limits.move, limits.game, limits.cpu) < inf
