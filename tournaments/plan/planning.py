"""From a spec to a plan: everything is made and tried out once."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agents.load import fingerprint
from arena.agent import Agent
from arena.errors import ArenaError, SpecError
from arena.game import Game
from arena.registry import AGENTS, GAMES
from arena.rng import seat_seed
from tournaments.plan.forfeits import forfeit_payoffs
from tournaments.plan.making import make_agent, make_game
from tournaments.plan.model import Board, Entry, Plan
from tournaments.spec import AgentSpec, GameSpec, Spec, check_names

__all__ = ["ENDLESS_STEPS", "make_plan"]

ENDLESS_STEPS = 10_000
"""Steps after which an episode of a game of unknown length is cut off."""


def make_plan(spec: Spec, *, seed: int) -> Plan:
    """Make and try out everything that `spec` names.

    Args:
        spec: the tournament.
        seed: the run seed.

    Raises:
        SpecError: naming the file and the key that is wrong.
    """
    check_names(spec)
    _check_executor(spec)
    games = [_checked_game(spec, index) for index in range(len(spec.games))]
    boards = tuple(_board(spec, g, game) for g, game in zip(spec.games, games, strict=True))
    seen: dict[str, int] = {}
    for index, board in enumerate(boards):
        if board.label in seen:
            raise SpecError(
                f"{spec.source}: [[games]] #{seen[board.label] + 1} and #{index + 1} are both "
                f"{board.label!r}; give one of them a label of its own"
            )
        seen[board.label] = index
    entries = tuple(_entry(spec, a, games) for a in spec.agents)
    return Plan(seed=seed, boards=boards, entries=entries, record=spec.record)


def _check_executor(spec: Spec) -> None:
    if spec.executor.kind == "in_process":
        if spec.executor.workers not in (None, 1):
            raise SpecError(
                f"{spec.source}: [executor] workers = {spec.executor.workers} is not allowed; "
                'expected 1, or kind = "processes"'
            )
        return
    remedy = f'[executor] kind = "in_process" (it is {spec.executor.kind!r})'
    for agent in spec.agents:
        here = agent.live is None and _registered_here(AGENTS, agent.ref)
        if agent.live is not None or here:
            what = "was registered in this process" if here else "is a live object"
            raise SpecError(f"{spec.source}: agent {agent.name!r} {what}; it needs {remedy}")
    for game in spec.games:
        live = game.live is not None
        if live or _registered_here(GAMES, game.id):
            what = "is a live object" if live else "was registered in this process"
            raise SpecError(f"{spec.source}: game {game.id!r} {what}; it needs {remedy}")


def _registered_here(registry: Any, name: str) -> bool:
    try:
        return bool(registry.info(name).source == "this process")
    except ArenaError:
        return False  # what is wrong with the name is said where the thing is made


def _checked_game(spec: Spec, index: int) -> Game:
    wanted = spec.games[index]
    where = f"{spec.source}: [[games]] #{index + 1}"
    try:
        game = make_game(wanted)
    except ArenaError as error:
        raise SpecError(f"{where}: {error}") from error
    if "state" not in game.forms:
        raise SpecError(f"{where}: {game.key} cannot be played; it has no form 'state'")
    if wanted.seats is not None and wanted.seats != game.seats:
        raise SpecError(
            f"{where} seats = {wanted.seats} is not allowed; {game.key} has {game.seats}"
        )
    if not game.rebuildable and spec.executor.kind != "in_process":
        raise SpecError(
            f"{where}: {game.key} wraps a live object; it needs "
            f'[executor] kind = "in_process" (it is {spec.executor.kind!r})'
        )
    return game


def _board(spec: Spec, wanted: GameSpec, game: Game) -> Board:
    steps = spec.max_steps
    if steps is None and game.max_length is None:
        steps = ENDLESS_STEPS
    board = Board(
        spec=replace(wanted, id=game.id if wanted.live is not None else wanted.id),
        label=wanted.label or game.key,
        key=game.key,
        version=game.version,
        seats=game.seats,
        teams=game.teams,
        payoff=game.payoff,
        forfeits=forfeit_payoffs(game, spec.forfeit, where=f"{spec.source}: [forfeit]"),
        max_steps=steps,
        digest="",
    )
    return replace(board, digest=_digest(board.describe()))


def _entry(spec: Spec, wanted: AgentSpec, games: Sequence[Game]) -> Entry:
    limits = spec.limits_of(wanted)
    where = f"{spec.source}: agent {wanted.name!r}"
    try:
        agent = make_agent(wanted, limits)
    except ArenaError as error:
        raise SpecError(f"{where}: {error}") from error
    try:
        for game in games:
            for seat in range(game.seats):
                _probe(agent, game, seat, where)
        code = _fingerprint(wanted, agent)
    finally:
        if agent is not wanted.live:
            agent.close()
    entry = Entry(
        spec=wanted,
        limits=limits,
        tier=str(getattr(agent, "tier", "none")),
        inside=wanted.tier == "none",
        fingerprint=code,
        digest="",
    )
    return replace(entry, digest=_digest(entry.describe()))


def _probe(agent: Agent, game: Game, seat: int, where: str) -> None:
    try:
        agent.begin(game, seat, seat_seed(0, seat))
    except Exception as error:
        raise SpecError(
            f"{where} cannot play seat {seat} of {game.key}: {error or type(error).__name__}"
        ) from error


def _fingerprint(spec: AgentSpec, agent: Agent) -> str:
    if spec.live is None:
        return fingerprint(spec.ref, spec.params)
    kind = type(agent)
    try:
        code = inspect.getsource(kind)
    except (OSError, TypeError):  # typed at a prompt, or written in C
        code = ""
    facts = [kind.__module__, kind.__qualname__, str(getattr(agent, "version", "")), code]
    return _digest(facts)


def _digest(facts: object) -> str:
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
