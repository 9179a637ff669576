"""A worker's `Player`: segments in, blocks of results out."""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from math import inf

import numpy as np

from arena.agent import Agent, Limits
from arena.game import Game
from arena.rng import derive_many, seat_seeds
from tournaments.match.blocks import Block
from tournaments.match.slot import Slot
from tournaments.match.table import Table
from tournaments.match.watch import OnStep
from tournaments.plan import Plan, Segment, make_agent, make_game

__all__ = ["Player"]

_LIVE_AGENTS = 256
"""Agents that a worker keeps ready between segments; the one used longest ago goes first."""

_LOOK_SECONDS = 0.02  # between two looks at the clock of a segment, about

_LARGEST = 4096  # matches that are begun without a look


class Player:
    """Plays segments of a plan; holds the games and agents it has made.

    Args:
        plan: what the tournament consists of.
        slot: where to publish what is being played.
    """

    def __init__(self, plan: Plan, slot: Slot | None = None) -> None:
        self._plan = plan
        self._words = (slot or Slot()).words
        self._games: dict[int, Game] = {}
        self._pace: dict[tuple[int, int], float] = {}  # (game, agent) to seconds a match
        self._agents: OrderedDict[tuple[int, int], Agent] = OrderedDict()

    def play(self, segment: Segment, *, until: float = inf) -> Block:
        """Play a segment, or as much of it as `until` (on `time.perf_counter`) allows.

        At least one match is played. The block depends on the segment alone.
        """
        table = self._table(segment)
        block = Block(segment.key, segment.first)
        indices = np.arange(segment.first, segment.first + segment.count, dtype=np.uint64)
        seeds = derive_many(segment.seed, indices)
        starts = seat_seeds(seeds, table.board.seats)
        parties = [(segment.game, agent) for agent in segment.seating]
        pace = max(self._pace.get(party, inf) for party in parties)  # inf: not seen yet
        start = now = time.perf_counter()
        done = 0
        while done < segment.count and (done == 0 or now < until):
            size = min(max(int(_LOOK_SECONDS / pace), 1), 2 * done + 1 if done else _LARGEST)
            stop = min(done + size, segment.count)
            table.run(block, seeds[done:stop], starts[done:stop], segment.first + done)
            before, now = now, time.perf_counter()
            pace = max((now - before) / (stop - done), 1e-7)
            done = stop
        self._pace.update(dict.fromkeys(parties, pace))
        block.seconds = now - start
        return block

    def play_one(self, segment: Segment, seed: int, *, on_step: OnStep | None = None) -> Block:
        """Play one match of a seating on a given chance seed, keeping its moves."""
        table = self._table(segment)
        table.on_step = on_step
        block = Block(segment.key, segment.first)
        seeds = np.array([seed & (1 << 64) - 1], dtype=np.uint64)
        start = seat_seeds(seeds, table.board.seats)[0].tolist()
        table.careful(block, seed, start, segment.first, keep=True)
        return block

    def close(self) -> None:
        """Close every agent."""
        while self._agents:
            (index, _), agent = self._agents.popitem()
            if agent is not self._plan.entries[index].spec.live:
                _quietly(agent.close)

    def _table(self, segment: Segment) -> Table:
        board = self._plan.boards[segment.game]
        game = self._games.get(segment.game)
        if game is None:
            game = self._games[segment.game] = make_game(board.spec)
        limits: list[Limits | None] = []
        agents: list[Agent] = []
        for seat, index in enumerate(segment.seating):
            entry = self._plan.entries[index]
            agents.append(self._agent(index, segment.seating[:seat].count(index)))
            # A child process keeps its own clocks.
            limits.append(entry.limits if entry.inside else None)
        while len(self._agents) > max(_LIVE_AGENTS, len(agents)):
            (index, _), old = self._agents.popitem(last=False)
            if old is not self._plan.entries[index].spec.live:
                _quietly(old.close)
        return Table(
            board=board,
            game=game,
            agents=agents,
            limits=limits,
            record=self._plan.record,
            careful=segment.careful,
            outside=any(not self._plan.entries[i].inside for i in segment.seating),
            words=self._words,
        )

    def _agent(self, index: int, copy: int) -> Agent:
        agent = self._agents.pop((index, copy), None)
        if agent is None:
            entry = self._plan.entries[index]
            agent = make_agent(entry.spec, entry.limits, copy=copy)
        self._agents[index, copy] = agent
        return agent


def _quietly(close: Callable[[], object]) -> None:
    """Close an agent; one that fails at that has no result left to spoil."""
    try:
        close()
    except Exception:
        traceback.print_exc()
