"""One seating of one game: the fast loop and the careful one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np

from arena.agent import Agent, Limits
from arena.episode import drive
from arena.errors import ArenaError, IllegalActionError
from arena.game import Game, State
from arena.rng import signal_seed
from tournaments.match.blocks import Block, Episode, Fault, Outcome
from tournaments.match.chooser import Chooser, limiting
from tournaments.match.faults import fault_of, guilty_seat
from tournaments.match.slot import Slot
from tournaments.match.watch import CutError, OnStep, Watch
from tournaments.plan import Board

__all__ = ["Table"]


class Table:
    """One seating of one game, ready to play."""

    def __init__(
        self,
        *,
        board: Board,
        game: Game,
        agents: Sequence[Agent],
        limits: Sequence[Limits | None],
        record: str,
        careful: bool,
        outside: bool,
        words: Any,
    ) -> None:
        self.board = board
        self.game = game
        self.agents = agents
        self.words = words
        self.record = record
        self.known: dict[tuple[float, ...], int] = {}  # codes of outcomes in the block
        self.plain = False  # whether payoffs alone tell an outcome; seen at the first match
        self.on_step: OnStep | None = None
        self.new_state: Callable[..., State] = game.forms["state"]
        self.ends = [a.end for a in agents if hasattr(a, "end")]
        self.signals = [a.signal for a in agents if hasattr(a, "signal")]
        self.timed = any(map(limiting, limits))
        self.choosers = [
            Chooser(seat, agent.act, own, words)
            for seat, (agent, own) in enumerate(zip(agents, limits, strict=True))
        ]
        self.always_careful = (
            careful
            or self.timed
            or record == "all"
            or outside
            or board.max_steps is not None
            or game.turns == "simultaneous"
        )
        self.batched = not (careful or outside or self.timed or record == "all")

    def run(self, block: Block, seeds: Any, starts: Any, first: int) -> None:
        """Play matches `first`, `first + 1`, … of the line and add them to the block."""
        done = 0
        if first == 0 and self.record == "sample":
            self.careful(block, int(seeds[0]), starts[0].tolist(), first, keep=True)
            done = 1
        if self.batched and done < len(seeds) and self._batch(block, seeds[done:]):
            return
        seed_list, start_list = seeds[done:].tolist(), starts[done:].tolist()
        if not self.always_careful:
            self._fast(block, seed_list, start_list, first + done)
            return
        keep = self.record == "all"
        for index, (seed, start) in enumerate(zip(seed_list, start_list, strict=True)):
            self.careful(block, seed, start, first + done + index, keep=keep)

    def _batch(self, block: Block, seeds: Any) -> bool:
        from games.batch import play_batch

        try:
            payoffs = play_batch(self.game, self.agents, seeds)
        except Exception:
            return False  # one by one, so that the match and the seat at fault are found
        if payoffs is None:
            return False
        known, codes = self.known, block.codes
        for row in map(tuple, payoffs.tolist()):
            code = known.get(row)
            if code is None:
                code = known[row] = block.code(Outcome(self._clean(row)))
            codes.append(code)
        return True

    def _fast(self, block: Block, seeds: list[int], starts: list[list[int]], first: int) -> None:
        game, words, new_state = self.game, self.words, self.new_state
        choose = [agent.act for agent in self.agents]
        begins = [(seat, agent.begin) for seat, agent in enumerate(self.agents)]
        codes = block.codes
        known = self.known
        plain = self.plain
        slot = Slot.REPETITION
        index = 0
        while index < len(seeds):
            state: State | None = None
            try:
                for index in range(index, len(seeds)):  # noqa: B020 - resumes after a fault
                    words[slot] = first + index
                    state = None
                    own = starts[index]
                    if self.signals:
                        shared = signal_seed(seeds[index])
                        for tell in self.signals:
                            tell(shared)
                    for seat, begin in begins:
                        begin(game, seat, own[seat])
                    state = new_state(seed=seeds[index])
                    drive(state, choose)
                    payoffs = tuple(state.returns().tolist())
                    code = known.get(payoffs) if plain else None
                    if code is None:
                        code = known[payoffs] = self._settle(block, state, payoffs, first + index)
                        plain = self.plain = not (self.ends or hasattr(state, "truncated"))
                    codes.append(code)
                return
            except (Exception, SystemExit) as error:
                self._failed(
                    block,
                    error,
                    state,
                    seed=seeds[index],
                    start=starts[index],
                    match=first + index,
                )
            index += 1

    def _settle(self, block: Block, state: State, payoffs: tuple[float, ...], match: int) -> int:
        """Return the code of a match that was played out, and tell the agents."""
        cut = bool(getattr(state, "truncated", False))
        self._tell(block, state, match)
        return block.code(Outcome(self._clean(payoffs), truncated=cut))

    def _tell(self, block: Block, state: State, match: int) -> None:
        for seat, agent in enumerate(self.agents):
            end = getattr(agent, "end", None)
            if end is None:
                continue
            try:
                end(state.returns())
            except (Exception, SystemExit) as error:
                fault = fault_of(error, match, seat)
                block.faults.append(
                    Fault(
                        match,
                        seat,
                        fault.kind,
                        f"after the match: {fault.detail}",
                        fault.log,
                        False,
                    )
                )

    def _clean(self, payoffs: tuple[float, ...]) -> tuple[float, ...]:
        if any(map(isnan, payoffs)):
            raise ArenaError(f"{self.game.key} paid {payoffs}; a payoff must be a number")
        return tuple(p + 0.0 for p in payoffs)  # −0.0 becomes 0.0

    def _failed(
        self,
        block: Block,
        error: BaseException,
        state: State | None,
        *,
        seed: int,
        start: list[int],
        match: int,
    ) -> None:
        """Book a match that ended with an exception in the fast loop."""
        seat = guilty_seat(error, self.agents)
        if seat is None and state is not None and isinstance(error, IllegalActionError):
            seat = state.actors()[0]  # one only: where several move at once, this loop is not used
        if seat is None:
            # An agent that could not begin, or code that leaves no trace: a second look tells.
            self.careful(block, seed, start, match, keep=True)
            return
        fault = fault_of(error, match, seat)
        block.codes.append(self._book(block, fault))
        if self.record != "none":
            # The moves are found by playing it again; they are kept if it ends the same way.
            again = Block(block.key, match)
            self.careful(again, seed, start, match, keep=True)
            if again.faults and again.faults[0].seat == seat:
                block.episodes += again.episodes

    def _broken(self, error: BaseException, seed: int) -> ArenaError:
        return ArenaError(
            f"{self.game.key} failed on seed {seed} (no agent is at fault): "
            f"{type(error).__name__}: {error}"
        )

    def _book(self, block: Block, fault: Fault) -> int:
        block.faults.append(fault)
        return block.code(Outcome(self.board.forfeits[fault.seat], fault.seat, fault.kind))

    def careful(self, block: Block, seed: int, start: list[int], match: int, *, keep: bool) -> None:
        """Play one match with every decision observed."""
        words = self.words
        words[Slot.REPETITION] = match
        began = time.perf_counter() if self.timed else 0.0
        steps: list[Mapping[int, Any]] = []
        watch = Watch(steps, keep or self.record != "none", self.board.max_steps)
        watch.on_step = self.on_step
        state: State | None = None
        fault: Fault | None = None
        try:
            shared = signal_seed(seed) if self.signals else None
            for chooser, agent, own in zip(self.choosers, self.agents, start, strict=True):
                chooser.begin(agent, self.game, own, shared)
            words[Slot.SEAT] = -1
            state = self.new_state(seed=seed)
            watch.state = state
            drive(state, self.choosers, watch=watch if watch.needed else None)
        except CutError:
            watch.cut = bool(state is not None and state.actors())
        except (Exception, SystemExit) as error:
            seat = self._seat_at_fault(error, state)
            if seat < 0:
                raise self._broken(error, seed) from error
            fault = fault_of(error, match, seat)
        finally:
            words[Slot.SEAT] = -1
            words[Slot.WALL] = words[Slot.CPU] = 0
        if fault is not None:
            block.codes.append(self._book(block, fault))
        elif state is not None:
            self._tell(block, state, match)
            cut = watch.cut or bool(getattr(state, "truncated", False))
            payoffs = self._clean(tuple(np.asarray(state.returns(), dtype=float).tolist()))
            block.codes.append(block.code(Outcome(payoffs, truncated=cut)))
        if self.timed:
            block.clocks.append(time.perf_counter() - began)
        if keep or (fault is not None and self.record != "none"):
            block.episodes.append(Episode(match, tuple(steps)))

    def _seat_at_fault(self, error: BaseException, state: State | None) -> int:
        for chooser in self.choosers:
            if chooser.busy:
                chooser.busy = False
                return chooser.seat
        if state is None or not isinstance(error, IllegalActionError):
            return -1
        named = getattr(error, "seat", None)
        if isinstance(named, int):
            return named
        actors = state.actors()
        for seat in actors:
            legal = state.legal(seat)
            action = self.choosers[seat].last
            if legal is not None and not _is_legal(action, legal):
                return seat
        return actors[0] if len(actors) == 1 else -1


def _is_legal(action: object, legal: Sequence[int]) -> bool:
    return (
        isinstance(action, int | np.integer)
        and not isinstance(action, bool)
        and int(action) in legal
    )
