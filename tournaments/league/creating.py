"""Making a league's folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena.errors import ParameterError, SpecError, StoreError
from arena.game import Game
from tournaments.enrol import new_meta
from tournaments.league.playing import new_state
from tournaments.league.settings import FILE, HERE, LeagueGame, Settings, write_settings
from tournaments.plan import Plan, make_plan
from tournaments.spec import AgentSpec, GameSpec
from tournaments.store import Store

__all__ = ["DB", "begin", "drafted", "game_spec"]

DB = "results.db"


@contextmanager
def drafted(target: Path) -> Iterator[Path]:
    """Give a folder that becomes `target` on success and is gone otherwise.

    Raises:
        StoreError: `target` holds something already, or cannot be made.
    """
    _check_free(target)
    target.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name}."))
    try:
        yield draft
        (draft / f"{DB}.lock").unlink(missing_ok=True)
        draft.chmod(0o755)
        try:
            os.rename(draft, target)
        except OSError as error:
            raise StoreError(f"{target} cannot be made: {error}") from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def begin(draft: Path, settings: Settings, *, method: str, source: str) -> None:
    """Write settings and an empty result file, with what follows from the games filled in.

    Args:
        draft: an empty folder.
        settings: the games' labels and versions and the method are yet to be found.
        method: how the league ranks, or `auto`.
        source: what messages call the settings.

    Raises:
        SpecError: a game cannot be made, or the games fit no one scale.
        ParameterError: no such method.
    """
    probe = settings.spec([AgentSpec("probe", "uniform")], source=source, executor=HERE)
    plan = make_plan(probe, seed=settings.seed)
    games = tuple(
        LeagueGame(replace(g.spec, label=b.label), b.version, b.digest)
        for g, b in zip(settings.games, plan.boards, strict=True)
    )
    settings = replace(settings, games=games, method=_method(plan, method))
    write_settings(draft, settings)
    meta = new_meta(replace(probe, agents=()), settings.seed, 0)
    Store.create(draft / DB, {**meta, "league": new_state().to_json()}).close()


def _method(plan: Plan, method: str) -> Any:
    """Return how the league ranks, `auto` resolved.

    Raises:
        SpecError: games that no single scale can hold.
        ParameterError: no such method.
    """
    if method not in ("auto", "davidson", "cross_play"):
        raise ParameterError("method", method, "auto, davidson or cross_play")
    shared = [board for board in plan.boards if board.payoff == "cooperative"]
    for board in plan.boards:
        if board.seats < 2 or (len(set(board.teams)) < 2 and board not in shared):
            raise SpecError(f"{board.label} has one side; a league needs games of several")
    if method == "davidson" and shared:
        raise SpecError(f"{shared[0].label} is cooperative: nobody wins; take method = cross_play")
    if shared and len(shared) < len(plan.boards) and method == "auto":
        names = ", ".join(board.label for board in shared)
        raise SpecError(
            f"{names} are cooperative and the other games are not: no one scale fits both; make "
            "two leagues, or rank by payoff (method = cross_play)"
        )
    if method == "auto":
        return "cross_play" if shared else "davidson"
    return method


def game_spec(game: Game | str | GameSpec) -> GameSpec:
    """Return a game as a spec names it.

    Raises:
        SpecError: it wraps a live object.
    """
    if isinstance(game, GameSpec):
        return game
    if isinstance(game, str):
        return GameSpec(game)
    if not game.rebuildable:
        raise SpecError(
            f"{game.key} wraps a live object, which the file of a league cannot hold; register "
            "it and pass its name"
        )
    return GameSpec(game.id, dict(game.params))


def _check_free(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        StoreError: it is a league already, or something else.
    """
    if (folder / FILE).exists():
        raise StoreError(f"{folder} is a league already; arena league status {folder} shows it")
    if folder.is_dir() and any(folder.iterdir()):
        raise StoreError(f"{folder} holds other things and is left as it is; choose another folder")
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; a league needs a folder of its own")
