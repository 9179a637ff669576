"""Training runs in folders: begun, killed, and gone on with exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena import __version__
from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.registry import GAMES, SOLVERS
from solvers.loop import whole
from solvers.training.checkpoint import game_header
from solvers.training.folder import RunFolder
from solvers.training.learner import Learner, LearnerState, Report
from solvers.training.loop import Course, Schedule, train
from solvers.training.solver import LearnerSolver, same_settings

__all__ = ["Outcome", "begin_run", "learner_solver", "resume_run"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        folder: where it lies.
        game: key of the game.
        solver: name of the learner.
        status: `step limit`, `time limit` or `interrupted`.
        steps: environment steps in all.
        course: seconds, best and latest evaluation.
    """

    folder: Path
    game: str
    solver: str
    status: str
    steps: int
    course: Course


def learner_solver(name: str) -> LearnerSolver:
    """Return the learner of that name.

    Raises:
        NotApplicableError: the solver of that name is no learner; the learners are named.
        UnknownNameError: no solver of that name.
    """
    made = SOLVERS.factory(name)()
    if not isinstance(made, LearnerSolver):
        tagged = [
            n for n in SOLVERS.names() if (SOLVERS.info(n).tags or {}).get("kind") == "learner"
        ]
        raise NotApplicableError(
            f"{name} is no learner, so it has no training runs: use `arena solve`;"
            f" learners are {', '.join(tagged)}"
        )
    return made


def begin_run(
    out: str | Path,
    game: Game,
    solver: str,
    *,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    threads: int = 1,
    progress: Callable[[Report], None] | None = None,
) -> Outcome:
    """Train in a new run folder.

    Args:
        out: the folder.
        game: what is learned.
        solver: the learner's name.
        seed: everything random follows from it.
        settings: of the learner.
        limits: of the schedule (see `Schedule`); what is missing is as usual.
        threads: of torch; part of what makes a run repeatable.
        progress: see `train`.

    Raises:
        StoreError: the folder holds a run already.
        NotApplicableError, ParameterError, UnknownNameError: as `LearnerSolver.solve`.
    """
    chosen = learner_solver(solver)
    own = chosen.settings(settings or {})
    schedule = chosen.schedule_of(**(limits or {}))
    facts = {
        "game": game_header(game),
        "solver": solver,
        "settings": own,
        "seed": seed,
        "threads": whole("threads", threads, least=1),
        "schedule": asdict(schedule),
        "arena": __version__,
    }
    with chosen.threads(threads):
        learner = chosen.learner(game, seed, own)
        with RunFolder.create(out, facts) as folder:
            return _train(learner, game, folder, schedule, Course(), progress=progress)


def resume_run(
    out: str | Path,
    *,
    game: Game | None = None,
    given: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    progress: Callable[[Report], None] | None = None,
) -> Outcome:
    """Go on with a run from its latest checkpoint, bit for bit as if it had never stopped.

    Args:
        out: the folder.
        game: if given, what the run must be about.
        given: `solver`, `seed` and `threads` that the run must have; None is no matter.
        settings: of the learner, likewise.
        limits: of the schedule; what is None is as the run had it, but a new `steps` or
            `seconds` replaces both of the old ones.
        progress: see `train`.

    Raises:
        ParameterError: there is no run, or what is given differs from what it was begun with.
        StoreError: another process is at it.
    """
    facts = RunFolder.read(out)
    made: Game = GAMES.factory(facts["game"]["id"])(**facts["game"]["params"])
    if game is not None and game.key != made.key:
        raise ParameterError("game", game.key, f"{made.key}, as in {out}")
    if made.version != facts["game"]["version"]:
        raise ParameterError(
            f"version of {made.key}", made.version, f"{facts['game']['version']}, as in {out}"
        )
    told = {name: value for name, value in (given or {}).items() if value is not None}
    same_settings(facts, told, str(out))
    chosen = learner_solver(facts["solver"])
    chosen.settings(settings or {})  # a name that does not exist is told as such
    same_settings(facts["settings"], settings or {}, str(out))
    wanted = {name: value for name, value in (limits or {}).items() if value is not None}
    kept = facts["schedule"]
    if "steps" in wanted or "seconds" in wanted:
        kept = {**kept, "steps": None, "seconds": None}
    schedule = chosen.schedule_of(**{**kept, **wanted})
    with chosen.threads(facts["threads"]), RunFolder.open(out) as folder:
        learner = chosen.learner(made, facts["seed"], chosen.settings(facts["settings"]))
        course, checkpoint = Course(), folder.latest()
        if checkpoint is not None:
            learner.load(LearnerState(checkpoint.state, checkpoint.header["state"]))
            course = Course.of(checkpoint.header["course"])
        folder.forget_after(-1 if checkpoint is None else learner.steps)
        return _train(learner, made, folder, schedule, course, progress=progress)


def _train(
    learner: Learner,
    game: Game,
    folder: RunFolder,
    schedule: Schedule,
    course: Course,
    *,
    progress: Callable[[Report], None] | None,
) -> Outcome:
    facts = folder.facts
    header = {name: facts[name] for name in ("game", "solver", "settings", "seed", "threads")}
    status, course = train(
        learner,
        schedule=schedule,
        course=course,
        folder=folder,
        header=header,
        seed=facts["seed"],
        progress=progress,
    )
    return Outcome(folder.path, game.key, facts["solver"], status, learner.steps, course)
