"""What is played, checked and resolved: the plain data that workers receive.

`make_plan` makes every game and every agent of a spec once, so that whatever is wrong with
them is said before anything is played.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from agents.load import build, fingerprint, load
from agents.process import Isolated
from arena.agent import Agent, Limits
from arena.api import make
from arena.errors import AgentError, ArenaError, SpecError
from arena.game import Game
from arena.registry import AGENTS, GAMES
from arena.rng import derive, seat_seed
from tournaments.spec import AgentSpec, ForfeitSpec, GameSpec, Record, Spec, check_names

__all__ = [
    "Board",
    "Entry",
    "Line",
    "Plan",
    "Segment",
    "check_copies",
    "forfeit_payoffs",
    "line_key",
    "make_agent",
    "make_game",
    "make_plan",
    "pairing_seed",
]

ENDLESS_STEPS = 10_000
"""Steps after which an episode of a game of unknown length is cut off."""


@dataclass(frozen=True)
class Board:
    """A game of the tournament.

    Attributes:
        label: what tables call it.
        digest: changes whenever results may differ: game, version, parameters, forfeits.
        forfeits: payoffs of all seats by the seat that forfeits, n rows of n.
        max_steps: an episode is cut off after so many steps, or None.
    """

    spec: GameSpec
    label: str
    key: str
    version: str
    seats: int
    teams: tuple[int, ...]
    payoff: str
    forfeits: tuple[tuple[float, ...], ...]
    max_steps: int | None
    digest: str

    def describe(self) -> dict[str, Any]:
        """Return what `digest` was made from, as JSON values."""
        return {
            "game": self.key,
            "version": self.version,
            "forfeits": [list(row) for row in self.forfeits],
            "max_steps": self.max_steps,
        }


@dataclass(frozen=True)
class Entry:
    """An agent of the tournament.

    Attributes:
        tier: where it really runs: `none` (in the worker), `rlimits` or `bubblewrap`.
        inside: whether it plays inside the worker, not in a process of its own.
        fingerprint: a digest of its code and parameters.
        digest: the same with its limits: changes whenever its results may differ.
    """

    spec: AgentSpec
    limits: Limits | None
    tier: str
    inside: bool
    fingerprint: str
    digest: str

    def describe(self) -> dict[str, Any]:
        """Return what `digest` was made from, as JSON values."""
        return {
            "ref": self.spec.ref,
            "params": dict(self.spec.params),
            "code": self.fingerprint,
            "limits": None if self.limits is None else _finite(asdict(self.limits)),
        }


@dataclass(frozen=True)
class Plan:
    """All that a worker needs to play any match of the tournament."""

    seed: int
    boards: tuple[Board, ...]
    entries: tuple[Entry, ...]
    record: Record = "sample"


@dataclass(frozen=True)
class Line:
    """Matches of one seating: what a schedule consists of.

    Attributes:
        key: 63-bit hash of seed, stage, game and agents in seat order with their digests;
            with the repetition it identifies a match.
        game: index of the board.
        seating: index of the entry in each seat.
        seed: match r of the line is played on chance seed `derive_many(seed, [r])`; all
            seat orders of the same agents share it.
        first: first repetition.
        count: number of repetitions.
        stage: round of the tournament, 0 where there is one only.
    """

    key: int
    game: int
    seating: tuple[int, ...]
    seed: int
    first: int
    count: int
    stage: int = 0


@dataclass(frozen=True)
class Segment:
    """A run of repetitions of one line, to be played by one worker.

    Attributes:
        careful: publish the seat to move at every decision, because an earlier try
            ended the worker.
    """

    key: int
    game: int
    seating: tuple[int, ...]
    seed: int
    first: int
    count: int
    careful: bool = False

    def part(self, first: int, count: int, *, careful: bool = False) -> Segment:
        """Return a run of `count` repetitions within this one."""
        return replace(self, first=first, count=count, careful=careful)


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


def line_key(plan: Plan, game: int, seating: Sequence[int], *, stage: int = 0) -> int:
    """Return the key of a line, a function of what is played alone."""
    agents = [f"{plan.entries[a].spec.name}:{plan.entries[a].digest}" for a in seating]
    return derive(plan.seed, "line", stage, plan.boards[game].digest, *agents) >> 1


def pairing_seed(plan: Plan, game: int, seating: Sequence[int]) -> int:
    """Return the chance seed that all seat orders of the same agents share, 63 bits."""
    names = sorted(plan.entries[a].spec.name for a in seating)
    return derive(plan.seed, "chance", plan.boards[game].key, *names) >> 1


def make_game(spec: GameSpec) -> Game:
    """Make the game of a spec."""
    return spec.live if spec.live is not None else make(spec.id, **spec.params)


def make_agent(spec: AgentSpec, limits: Limits | None, *, copy: int = 0) -> Agent:
    """Make one instance of an agent.

    Args:
        spec: the agent.
        limits: what a child process is held to.
        copy: which instance; a live agent object has only one.

    Raises:
        AgentError: it cannot be made.
    """
    if spec.live is not None:
        if copy and _is_single(spec):
            raise AgentError(_ONE_OBJECT.format(spec.name))
        made = build(spec.live, spec.params, name=f"agent {spec.name!r}")
        return made
    if spec.tier == "none":
        return load(spec.ref, **spec.params)
    return Isolated(
        spec.ref,
        params=dict(spec.params),
        limits=limits or Limits(),
        tier="auto" if spec.tier == "sandbox" else "rlimits",
    )


_ONE_OBJECT = (
    "agent {!r} is one live object and cannot sit in two seats; give its class or a factory instead"
)


def check_copies(source: str, plan: Plan, seatings: Iterable[Sequence[int]]) -> None:
    """Check that no live agent object is to sit in two seats at once.

    Raises:
        SpecError: one is.
    """
    single = {i for i, entry in enumerate(plan.entries) if _is_single(entry.spec)}
    for seating in seatings if single else ():
        for agent in single.intersection(seating):
            if seating.count(agent) > 1:
                raise SpecError(f"{source}: {_ONE_OBJECT.format(plan.entries[agent].spec.name)}")


def _is_single(spec: AgentSpec) -> bool:
    """Whether an agent is an object with a game of its own in it, rather than how to make one."""
    return not isinstance(spec.live, type) and all(
        callable(getattr(spec.live, method, None)) for method in ("begin", "act", "close")
    )


def forfeit_payoffs(
    game: Game, rule: ForfeitSpec, *, where: str = "[forfeit]"
) -> tuple[tuple[float, ...], ...]:
    """Return what every seat is paid when one forfeits: n rows (offenders) of n payoffs.

    By default the offender and its team are paid the game's least payoff; the others, in
    zero- and constant-sum games, what is then left to them, in cooperative games the same
    least payoff, in general-sum games the game's greatest.

    Raises:
        SpecError: a number is needed and the game's bounds do not give it.
    """
    low, high = game.payoff_bounds
    bad = low if rule.offender is None else rule.offender
    if not isfinite(bad):
        raise SpecError(
            f"{where} offender is missing; the least payoff of {game.key} is not known, "
            "so a number is needed"
        )
    rows = []
    for seat in range(game.seats):
        mine = [s for s in range(game.seats) if game.teams[s] == game.teams[seat]]
        good = _others(game, rule, bad, len(mine), high)
        if not isfinite(good) and len(mine) < game.seats:
            raise SpecError(
                f"{where} others is missing; it does not follow from what is known about "
                f"{game.key}, so a number is needed"
            )
        rows.append(tuple(bad if s in mine else good for s in range(game.seats)))
    return tuple(rows)


def _others(game: Game, rule: ForfeitSpec, bad: float, mine: int, high: float) -> float:
    rest = game.seats - mine
    if rule.others is not None:
        return rule.others
    if game.payoff == "cooperative" or not rest:
        return bad
    if game.payoff == "zero_sum":
        return -bad * mine / rest
    if game.payoff == "constant_sum":
        # The constant is known for two sides only: what one gets at best and worst.
        total = sum(game.payoff_bounds) if game.seats == 2 else float("nan")
        return (total - bad * mine) / rest
    return high


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


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is infinite, which JSON cannot say."""
    return {k: v for k, v in values.items() if not isinstance(v, float) or isfinite(v)}
