"""Playing matches: one `Player` in each worker turns segments into blocks of results.

Most matches run through a loop with nothing in it but the agents and the game: seeds are
derived for a whole run at once, payoffs become small codes, and no clock is read. A match
goes the careful way instead (every decision passes through a `_Chooser`) when clocks are
set or agents sit in processes of their own, when its moves are kept, when the length is
capped, when several seats move at once (so that a fault finds its seat), or when an earlier
try ended the worker.
"""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, isnan
from types import TracebackType
from typing import Any

import numpy as np

from arena.agent import Agent, Limits
from arena.episode import drive
from arena.errors import AgentFaultError, ArenaError, FaultKind, IllegalActionError
from arena.game import Clock, Game, Observation, State
from arena.rng import derive_many, seat_seeds
from arena.types import Action
from tournaments.plan import Board, Plan, Segment, make_agent, make_game

__all__ = ["Block", "Episode", "Fault", "Outcome", "Player", "Slot", "forfeit_block"]

OnStep = Callable[[State, Mapping[int, Action]], None]
"""Called after every step with the state and the joint action."""

LOG_TAIL = 4000
"""Characters of an agent's log that a fault keeps."""

_LIVE_AGENTS = 256
"""Agents that a worker keeps ready between segments; the one used longest ago goes first."""

_LOOK_SECONDS = 0.02  # between two looks at the clock of a segment, about
_LARGEST = 4096  # matches that are begun without a look


class Slot:
    """Where a worker says what it is doing, so that its parent can tell when it has ended.

    64-bit integers, in memory shared with the parent or not: task, segment within it,
    repetition, seat (−1 unknown), wall deadline and CPU deadline (ns, 0 for none), and
    whether the wall deadline is that of the game rather than of the move.
    """

    TASK, SEGMENT, REPETITION, SEAT, WALL, CPU, GAME = range(7)
    SIZE = 7 * 8

    def __init__(self, memory: Any = None) -> None:
        self.words = memoryview(memory if memory is not None else bytearray(self.SIZE)).cast("q")


@dataclass(frozen=True)
class Outcome:
    """How a match ended: what everything but the moves comes down to.

    Attributes:
        payoffs: what each seat was paid.
        offender: the seat that forfeited, or −1.
        fault: what for, or "".
        truncated: whether it was cut off rather than ended by the rules.
    """

    payoffs: tuple[float, ...]
    offender: int = -1
    fault: str = ""
    truncated: bool = False


@dataclass(frozen=True)
class Fault:
    """An agent's fault, with what is known about it.

    Attributes:
        forfeit: False for a failure after the match was over, which changes no result.
    """

    repetition: int
    seat: int
    kind: FaultKind
    detail: str
    log: str
    forfeit: bool = True


@dataclass(frozen=True)
class Episode:
    """The moves of one match.

    Attributes:
        steps: joint actions in order, `{seat: action}`.
    """

    repetition: int
    steps: tuple[Mapping[int, Any], ...]


@dataclass
class Block:
    """Results of consecutive repetitions of one line.

    Attributes:
        outcomes: the different outcomes that occur.
        codes: index into `outcomes` for every match.
        seconds: wall time that playing them took.
        clocks: wall seconds of every match where clocks are on, else empty.
    """

    key: int
    first: int
    outcomes: list[Outcome] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    clocks: list[float] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)

    def code(self, outcome: Outcome) -> int:
        """Return the code of an outcome, adding it if it is new."""
        try:
            return self.outcomes.index(outcome)
        except ValueError:
            self.outcomes.append(outcome)
            return len(self.outcomes) - 1


def forfeit_block(segment: Segment, board: Board, fault: Fault) -> Block:
    """Return the block of one match that was forfeited without being finished."""
    outcome = Outcome(board.forfeits[fault.seat], fault.seat, fault.kind)
    return Block(segment.key, fault.repetition, [outcome], [0], faults=[fault])


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

    def _table(self, segment: Segment) -> _Table:
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
        return _Table(
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


class _Table:
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
        self.timed = any(map(_limiting, limits))
        self.choosers = [
            _Chooser(seat, agent.act, own, words)
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
                fault = _fault(error, match, seat)
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
        seat = self._guilty(error)
        if seat is None and state is not None and isinstance(error, IllegalActionError):
            seat = state.actors()[0]  # one only: where several move at once, this loop is not used
        if seat is None:
            # An agent that could not begin, or code that leaves no trace: a second look tells.
            self.careful(block, seed, start, match, keep=True)
            return
        fault = _fault(error, match, seat)
        block.codes.append(self._book(block, fault))
        if self.record != "none":
            # The moves are found by playing it again; they are kept if it ends the same way.
            again = Block(block.key, match)
            self.careful(again, seed, start, match, keep=True)
            if again.faults and again.faults[0].seat == seat:
                block.episodes += again.episodes

    def _guilty(self, error: BaseException) -> int | None:
        """Return the seat whose `act` the exception came out of."""
        for frame in _frames(error.__traceback__):
            code = frame.tb_frame.f_code
            owner = frame.tb_frame.f_locals.get("self")
            for seat, agent in enumerate(self.agents):
                act = getattr(agent.act, "__func__", agent.act)
                if getattr(act, "__code__", None) is code and (owner is agent or owner is None):
                    return seat
        return None

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
        watch = _Watch(steps, keep or self.record != "none", self.board.max_steps)
        watch.on_step = self.on_step
        state: State | None = None
        fault: Fault | None = None
        try:
            for chooser, agent, own in zip(self.choosers, self.agents, start, strict=True):
                chooser.begin(agent, self.game, own)
            words[Slot.SEAT] = -1
            state = self.new_state(seed=seed)
            watch.state = state
            drive(state, self.choosers, watch=watch if watch.needed else None)
        except _CutError:
            watch.cut = bool(state is not None and state.actors())
        except (Exception, SystemExit) as error:
            seat = self._seat_at_fault(error, state)
            if seat < 0:
                raise self._broken(error, seed) from error
            fault = _fault(error, match, seat)
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


class _Chooser:
    """Asks one seat for its action, keeping the clocks and saying who is thinking."""

    def __init__(
        self, seat: int, act: Callable[[Observation], Action], limits: Limits | None, words: Any
    ) -> None:
        self.seat = seat
        self.act = act
        self.limits = limits if limits is not None and _limiting(limits) else None
        self.words = words
        self.busy = False
        self.last: Action | None = None
        self.wall = 0.0
        self.cpu = 0.0

    def begin(self, agent: Agent, game: Game, seed: int) -> None:
        self.busy = True
        self.wall = self.cpu = 0.0
        words = self.words
        words[Slot.SEAT] = self.seat
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


class _CutError(Exception):
    """Ends an episode that has reached its greatest length."""


class _Watch:
    """Keeps the joint actions and counts them."""

    def __init__(self, steps: list[Mapping[int, Any]], keep: bool, max_steps: int | None) -> None:
        self.steps = steps
        self.keep = keep
        self.left = max_steps
        self.cut = False
        self.state: State | None = None
        self.on_step: OnStep | None = None

    @property
    def needed(self) -> bool:
        return self.keep or self.left is not None or self.on_step is not None

    def __call__(self, joint: Mapping[int, Action]) -> None:
        if self.keep:
            self.steps.append({seat: _plain(action) for seat, action in joint.items()})
        if self.on_step is not None and self.state is not None:
            self.on_step(self.state, joint)
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise _CutError


def _limiting(limits: Limits | None) -> bool:
    return limits is not None and min(limits.move, limits.game, limits.cpu) < inf


def _plain(action: Action) -> Any:
    """Return an action as a JSON value."""
    return action if type(action) is int else np.asarray(action).tolist()


def _is_legal(action: object, legal: Sequence[int]) -> bool:
    return (
        isinstance(action, int | np.integer)
        and not isinstance(action, bool)
        and int(action) in legal
    )


def _fault(error: BaseException, match: int, seat: int) -> Fault:
    if isinstance(error, AgentFaultError):
        return Fault(match, seat, error.kind, error.detail, error.log[-LOG_TAIL:])
    if isinstance(error, IllegalActionError):
        return Fault(match, seat, "illegal", str(error), "")
    kind: FaultKind = "exception"
    if isinstance(error, MemoryError | SystemExit):
        kind = "memory" if isinstance(error, MemoryError) else "exit"
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Fault(match, seat, kind, f"{type(error).__name__}: {error}", text[-LOG_TAIL:])


def _frames(trace: TracebackType | None) -> list[TracebackType]:
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def _quietly(close: Callable[[], object]) -> None:
    """Close an agent; one that fails at that has no result left to spoil."""
    try:
        close()
    except Exception:
        traceback.print_exc()
