"""Tournaments from Python: run, resume, look; the command line is a thin layer on this.

outcome = run("cup.toml", db="cup.db")
table = load_results("cup.db")
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena.errors import StoreError
from arena.rng import fresh_seed
from tournaments.enrol import enrol, new_meta, stored_seed, stored_spec
from tournaments.executors import make_executor
from tournaments.export import export
from tournaments.plan import Plan, make_plan
from tournaments.records import ResultSet
from tournaments.runner import Progress, Runner
from tournaments.schedule import check_schedule, make_lines
from tournaments.single import Match, play
from tournaments.spec import ExecutorSpec, Spec, read_spec
from tournaments.store import Store
from tournaments.swiss import play_swiss, swiss_size

__all__ = [
    "Match",
    "Outcome",
    "Status",
    "check",
    "export",
    "load_results",
    "play",
    "resume",
    "run",
    "session",
    "status",
]

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Outcome:
    """What a run has come to.

    Attributes:
        results: everything that is stored, folded.
        played: matches played by this run.
        total: matches that the tournament consists of.
        interrupted: whether it was stopped (Ctrl-C) before it was complete.
        db: the result file, or None if it was a temporary one.
        seconds: wall time of this run.
    """

    results: ResultSet
    played: int
    total: int
    interrupted: bool
    db: Path | None
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every match is stored."""
        return not self.interrupted


@dataclass(frozen=True)
class Status:
    """What a result file holds.

    Attributes:
        name: of the tournament.
        created: when, UTC, ISO 8601.
        agents: labels.
        games: labels.
        done: matches that are stored.
        total: matches that are planned.
        seconds: wall time of all matches, added up over workers.
        faults: forfeits by (agent, kind of fault).
    """

    name: str
    created: str
    agents: tuple[str, ...]
    games: tuple[str, ...]
    done: int
    total: int
    seconds: float
    faults: dict[tuple[str, str], int]


def run(
    spec: Spec | str | Path,
    *,
    db: str | Path | None = None,
    resume: bool = False,
    allow_changed: bool = False,
    durable: bool = False,
    executor: ExecutorSpec | None = None,
    progress: OnProgress | None = None,
) -> Outcome:
    """Play a tournament, or what is missing of it.

    Args:
        spec: a `Spec`, or the path of a TOML file.
        db: the result file; None keeps none.
        resume: go on where an existing file ends; without it such a file is refused.
        allow_changed: when resuming, let agents and games that have changed go on as new
            versions, kept apart from the old ones, and let the schedule change.
        durable: have every commit reach the disk, for power failures.
        executor: instead of the spec's.
        progress: called about ten times a second.

    Raises:
        SpecError: something in the spec is wrong; nothing has been played.
        StoreError: the file exists, belongs to another tournament, or something changed.
    """
    wanted = spec if isinstance(spec, Spec) else read_spec(spec)
    options: dict[str, Any] = {
        "allow_changed": allow_changed,
        "durable": durable,
        "executor": executor,
        "progress": progress,
    }
    if db is None:
        with tempfile.TemporaryDirectory(prefix="arena-") as folder:
            outcome = _run(wanted, Path(folder) / "results.db", options)
        return replace(outcome, db=None)
    path = Path(db)
    if path.exists() and not resume:
        raise StoreError(f"{path} exists already; resume it, or choose another name")
    return _run(wanted, path, options)


def resume(
    db: str | Path,
    *,
    spec: Spec | str | Path | None = None,
    allow_changed: bool = False,
    durable: bool = False,
    executor: ExecutorSpec | None = None,
    progress: OnProgress | None = None,
) -> Outcome:
    """Play what is missing of a tournament.

    Args:
        db: the result file.
        spec: by default the one that the file holds.
        allow_changed: as for `run`, like the rest.
        durable: have every commit reach the disk.
        executor: instead of the spec's.
        progress: called about ten times a second.

    Raises:
        StoreError: the file cannot be used, or an agent or game has changed since.
    """
    wanted = spec if spec is None or isinstance(spec, Spec) else read_spec(spec)
    path = Path(db)
    if not path.is_file():
        raise StoreError(f"{path}: there is no such file")
    options: dict[str, Any] = {
        "allow_changed": allow_changed,
        "durable": durable,
        "executor": executor,
        "progress": progress,
    }
    return _run(wanted, path, options)


def check(spec: Spec | str | Path) -> int:
    """Check a spec as `run` does and return the number of matches that it plans.

    Raises:
        SpecError: something in it is wrong.
    """
    wanted = spec if isinstance(spec, Spec) else read_spec(spec)
    return planned(wanted, make_plan(wanted, seed=wanted.seed or 0))


def load_results(db: str | Path, *, ordered: bool = False) -> ResultSet:
    """Return the results of a file, also while it is being written; see `Store.results`."""
    with Store.open(db) as store:
        return store.results(ordered=ordered)


def status(db: str | Path) -> Status:
    """Return what a file holds, also while it is being written."""
    with Store.open(db) as store:
        meta = store.meta()
        return Status(
            name=meta["name"],
            created=meta["created"],
            agents=tuple(row["label"] for row in store.agents()),
            games=tuple(row["label"] for row in store.games()),
            done=store.count(),
            total=int(meta["total"]),
            seconds=store.seconds(),
            faults=store.fault_counts(),
        )


def planned(spec: Spec, plan: Plan) -> int:
    """Return the number of matches of a tournament.

    Raises:
        SpecError: the agents cannot be seated.
    """
    check_schedule(spec, plan)
    if spec.schedule.kind == "swiss":
        return swiss_size(spec, plan)
    return sum(line.count for line in make_lines(spec, plan))


@contextmanager
def session(
    spec: Spec | None,
    db: str | Path,
    *,
    allow_changed: bool = False,
    durable: bool = False,
    executor: ExecutorSpec | None = None,
    progress: OnProgress | None = None,
    total: int | None = None,
) -> Iterator[Runner]:
    """Open or make a result file and start workers; the runner then plays any lines.

    What `run` is made of, for those who choose matches themselves (`lines_of` makes the
    lines): `runner.play(lines)` returns when they are stored, `runner.store` has the results.

    Args:
        spec: the tournament; None takes the one that the file holds.
        db: the result file, made if it is not there.
        allow_changed: let agents and games that have changed go on as new versions.
        durable: have every commit reach the disk.
        executor: instead of the spec's.
        progress: called about ten times a second.
        total: matches planned in all; by default what the schedule says.

    Raises:
        SpecError: something in the spec is wrong.
        StoreError: the file cannot be used, or an agent or game has changed since.
    """
    with ExitStack() as stack:
        path = Path(db)
        store: Store | None = None
        if spec is None or path.exists():
            store = stack.enter_context(Store.open(path, write=True, durable=durable))
        wanted = stored_spec(store) if spec is None and store is not None else spec
        if wanted is None:
            raise StoreError(f"{path}: there is no such file")
        if executor is not None:
            wanted = replace(wanted, executor=executor)
        if store is not None:
            seed = stored_seed(store, wanted)
        else:
            seed = fresh_seed() if wanted.seed is None else wanted.seed
        plan = make_plan(wanted, seed=seed)
        matches = planned(wanted, plan) if total is None else total
        meta = new_meta(wanted, seed, matches)
        if store is None:
            store = stack.enter_context(Store.create(path, meta, durable=durable))
        ids = enrol(store, wanted, plan, allow_changed=allow_changed)
        for key, value in meta.items():
            store.set_meta(key, value)
        store.commit()
        workers = make_executor(wanted.executor, plan)
        stack.callback(workers.close)
        yield Runner(
            wanted,
            plan,
            store,
            workers,
            games=ids.games,
            agents=ids.agents,
            progress=progress,
            total=matches,
        )


def _run(spec: Spec | None, path: Path, options: dict[str, Any]) -> Outcome:
    with session(spec, path, **options) as runner:
        if runner.spec.schedule.kind == "swiss":
            play_swiss(runner)
        else:
            runner.play(make_lines(runner.spec, runner.plan))
        return Outcome(
            results=runner.store.results(),
            played=runner.played,
            total=runner.total,
            interrupted=runner.interrupted,
            db=path,
            seconds=runner.state().seconds,
        )
