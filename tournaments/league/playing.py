"""Playing in a league: batch after batch, each a function of the results before it.

A batch is written to the result file (`meta`, key `league`) together with its lines before
any of it is played. Whoever goes on later first plays what is missing of it, so neither an
interruption nor the number of workers changes what is played.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from arena.errors import SpecError, StoreError
from arena.rng import generator
from tournaments.enrol import Enrolled, new_meta
from tournaments.executors import make_executor
from tournaments.league.pairing import choose_groups, seatings
from tournaments.league.settings import Settings
from tournaments.league.table import Survey, survey
from tournaments.plan import Line, Plan, check_copies
from tournaments.runner import Progress, Runner, missing
from tournaments.schedule import lines_of, sides_of
from tournaments.spec import Spec
from tournaments.store import Store, plan_rows

__all__ = ["Played", "Until", "enrolled", "load_state", "new_state", "play_batches"]

Stopped = Literal["placed", "interval", "matches", "seconds", "interrupted"]


@dataclass(frozen=True)
class Until:
    """When to stop; with nothing set, when every newcomer is placed.

    Attributes:
        matches: after exactly so many.
        interval: when no member's margin is larger.
        seconds: after so much wall time.
    """

    matches: int | None = None
    interval: float | None = None
    seconds: float | None = None

    @property
    def open_end(self) -> bool:
        """Whether play goes on after all are placed."""
        return any(v is not None for v in (self.matches, self.interval, self.seconds))


@dataclass(frozen=True)
class Played:
    """What a run has come to.

    Attributes:
        matches: played by this run.
        batches: begun by this run.
        placed: labels of newcomers that this run placed.
        absent: live members that were not there to play.
        stopped: why it ended.
        seconds: wall time.
    """

    matches: int
    batches: int
    placed: tuple[str, ...]
    absent: tuple[str, ...]
    stopped: Stopped
    seconds: float


@dataclass(frozen=True)
class State:
    """Where a league stands in its sequence of batches.

    Attributes:
        batch: number of the latest batch, 0 before the first.
        lines: what it consists of: game, labels by seat, first repetition, count.
        placed: labels of members that are placed.
    """

    batch: int
    lines: tuple[tuple[str, tuple[str, ...], int, int], ...]
    placed: tuple[str, ...]

    def to_json(self) -> str:
        """Return it as `meta` keeps it."""
        return json.dumps({"version": 1, **vars(self)})


def new_state() -> State:
    """Return the state of a league that has not begun."""
    return State(0, (), ())


def load_state(store: Store) -> State:
    """Read the state of a league's result file.

    Raises:
        StoreError: the file belongs to no league, or to one of a later version.
    """
    text = store.meta().get("league")
    if text is None:
        raise StoreError(f"{store.path} belongs to a tournament, not to a league")
    data = json.loads(text)
    if data["version"] != 1:
        raise StoreError(f"{store.path} has league state {data['version']}; this arena reads 1")
    lines = tuple((g, tuple(who), first, count) for g, who, first, count in data["lines"])
    return State(data["batch"], lines, tuple(data["placed"]))


def enrolled(store: Store, plan: Plan) -> Enrolled:
    """Find the rows of a plan in the result file by label, adding those that are new."""
    games, agents = plan_rows(plan)
    ids = []
    for rows, stored, add in (
        (games, store.games(), store.add_game),
        (agents, store.agents(), store.add_agent),
    ):
        known = {row["label"]: row["id"] for row in stored}
        ids.append([known[r["label"]] if r["label"] in known else add(r) for r in rows])
    return Enrolled(games=ids[0], agents=ids[1])


def check_sides(plan: Plan) -> None:
    """Check that there are enough members to play.

    Raises:
        SpecError: too few, naming the game and the numbers.
    """
    players = len(plan.entries)
    if players < 2:
        raise SpecError(
            f"a league plays once two members can; there {'is' if players else 'are'} "
            f"{players or 'none'}"
        )
    for board in plan.boards:
        sides = len(sides_of(board))
        if board.payoff != "cooperative" and players < sides:
            raise SpecError(
                f"{board.label} seats {sides} different members; only {players} can play"
            )


class _Batches:
    """The batches of one run."""

    def __init__(
        self, settings: Settings, spec: Spec, plan: Plan, store: Store, ids: Enrolled
    ) -> None:
        self.settings, self.spec, self.plan = settings, spec, plan
        self.store, self.ids = store, ids
        self.names = [entry.spec.name for entry in plan.entries]
        self.boards = {board.label: index for index, board in enumerate(plan.boards)}
        self.state = load_state(store)
        # Repetitions planned so far: what is stored, and what the latest batch still lacks.
        self._ends = store.ends()
        for line in self.lines():
            where = self._where(line)
            self._ends[where] = max(self._ends.get(where, 0), line.first + line.count)

    def _where(self, line: Line) -> tuple[int, tuple[int, ...]]:
        """Return game and seating of a line as the result file numbers them."""
        return self.ids.games[line.game], tuple(self.ids.agents[a] for a in line.seating)

    def lines(self) -> list[Line]:
        """Return the lines of the latest batch that can be played, in order."""
        place = {name: index for index, name in enumerate(self.names)}
        found = []
        for game, labels, first, count in self.state.lines:
            if game in self.boards and all(label in place for label in labels):
                seating = tuple(place[label] for label in labels)
                found += lines_of(
                    self.plan,
                    self.boards[game],
                    [seating],
                    count=count,
                    first=first,
                    stage=self.state.batch,
                )
        return found

    def look(self) -> tuple[Survey | None, list[str]]:
        """Return what the results say, and who is placed by them."""
        found = survey(self.store.results(), self.settings)
        if found is None:
            return None, list(self.state.placed)
        return found, found.placed(self.state.placed, self.settings.placement)

    def save(self, state: State, lines: Sequence[Line]) -> None:
        """Make `state` the league's, with its lines, in one transaction."""
        self.state = state
        for key, value in new_meta(self.spec, self.plan.seed, self.store.count()).items():
            self.store.set_meta(key, value)
        planned = sum(line.count for line in lines)
        self.store.set_meta("total", str(self.store.count() + planned))
        self.store.set_meta("league", state.to_json())
        if lines:
            self.store.add_lines(lines, self.ids.games, self.ids.agents)
        self.store.commit()

    def next(self, found: Survey | None, placed: Sequence[str]) -> None:
        """Choose the next batch and save it."""
        number = self.state.batch + 1
        newcomers = [name for name in self.names if name not in placed]
        groups = choose_groups(
            self.plan.boards,
            self.names,
            results=None if found is None else found.results,
            tally=None if found is None else found.tally,
            games={} if found is None else found.games,
            newcomers=newcomers,
            placement=self.settings.placement,
            by_payoff=self.settings.method == "cross_play",
            rng=generator(self.plan.seed, "batch", number),
        )
        planned: list[Line] = []
        for group in groups:
            board = self.plan.boards[group.game]
            check_copies(self.spec.source, self.plan, seatings(board, group.members))
            bare = lines_of(
                self.plan,
                group.game,
                seatings(board, group.members),
                count=group.count,
                stage=number,
            )
            # All seat orders go on from the same repetition: they share chance seeds.
            first = max(self._ends.get(self._where(line), 0) for line in bare)
            for line in bare:
                self._ends[self._where(line)] = first + line.count
                planned.append(replace(line, first=first))
        described = tuple(
            (
                self.plan.boards[line.game].label,
                tuple(self.names[a] for a in line.seating),
                line.first,
                line.count,
            )
            for line in planned
        )
        self.save(State(number, described, tuple(placed)), planned)


def play_batches(
    settings: Settings,
    spec: Spec,
    plan: Plan,
    store: Store,
    *,
    until: Until,
    absent: Sequence[str],
    progress: Callable[[Progress], None] | None,
) -> Played:
    """Play until there is a reason to stop."""
    check_sides(plan)
    start = time.perf_counter()
    late = False
    runner: Runner

    def follow(state: Progress) -> None:
        nonlocal late
        if until.seconds is not None and time.perf_counter() - start >= until.seconds:
            late = runner.interrupted = True
        if progress is not None:
            progress(state)

    ids = enrolled(store, plan)
    store.commit()
    executor = make_executor(spec.executor, plan)
    stopped: Stopped = "interrupted"
    begun = 0
    try:
        runner = Runner(
            spec,
            plan,
            store,
            executor,
            games=ids.games,
            agents=ids.agents,
            progress=follow,
            total=until.matches or 0,
        )
        batches = _Batches(settings, spec, plan, store, ids)
        before = set(batches.state.placed)
        try:
            while True:
                left = None if until.matches is None else until.matches - runner.played
                whole = _play(batches, runner, left)
                if runner.interrupted:
                    stopped = "seconds" if late else "interrupted"
                    break
                if not whole:
                    stopped = "matches"
                    break
                found, placed = batches.look()
                reason = _reason(found, placed, batches.names, until)
                if until.seconds is not None and time.perf_counter() - start >= until.seconds:
                    reason = "seconds"
                if left is not None and runner.played >= (until.matches or 0):
                    reason = "matches"
                if reason is not None:
                    stopped = reason
                    batches.save(State(batches.state.batch, (), tuple(placed)), ())
                    break
                batches.next(found, placed)
                begun += 1
        except KeyboardInterrupt:
            stopped = "interrupted"
    finally:
        executor.close()
    return Played(
        matches=runner.played,
        batches=begun,
        placed=tuple(sorted(set(batches.state.placed) - before)),
        absent=tuple(absent),
        stopped=stopped,
        seconds=time.perf_counter() - start,
    )


def _play(batches: _Batches, runner: Runner, left: int | None) -> bool:
    """Play what is missing of the latest batch; return whether all of it was allowed."""
    lines = batches.lines()
    if not lines:
        return True
    by_key = {line.key: line for line in lines}
    gaps = missing(lines, batches.store.done(list(by_key)))
    todo = []
    for gap in gaps:
        count = gap.count if left is None else min(gap.count, left)
        if count:
            todo.append(replace(by_key[gap.key], first=gap.first, count=count))
        if left is not None:
            left -= count
    if todo:
        runner.play(todo)
    return sum(line.count for line in todo) == sum(gap.count for gap in gaps)


def _reason(
    found: Survey | None, placed: Sequence[str], names: Sequence[str], until: Until
) -> Stopped | None:
    """Return why play can end, or None."""
    if found is None:
        return None
    if until.interval is not None:
        margin = found.margins(placed)
        if all(margin.get(name, float("inf")) <= until.interval for name in names):
            return "interval"
    if not until.open_end and all(name in placed for name in names):
        return "placed"
    return None
