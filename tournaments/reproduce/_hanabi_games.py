"""Paired games of Hanabi: a blueprint, and the same with one or all seats searching.

Games are played in blocks by several processes; what a block found is kept in a file, so
that a run that was stopped goes on where it was. Results do not depend on the number of
processes.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.hanabi import HanabiBot
from agents.hanabi.searching import HanabiSearch, Statistics, mds, sparta
from agents.hanabi.table import BOTS
from agents.load import load
from arena.agent import Agent
from arena.episode import drive
from arena.files import write_atomic
from arena.game import Game
from arena.registry import GAMES
from arena.rng import derive_many, seat_seed

__all__ = ["Games", "Setting", "interval", "play"]

_BLOCK = 10


@dataclass(frozen=True)
class Setting:
    """Who plays what.

    Attributes:
        label: of the row.
        variant: parameters of Hanabi.
        blueprint: a bot, or the name or file of a network.
        kind: `mds` or `sparta`.
        seats: how many search, 1 or all of 2; a single searcher changes seats game by game.
        params: of the search.
        games: how many.
        seed: of the decks.
    """

    label: str
    variant: Mapping[str, Any]
    blueprint: str
    kind: str
    seats: int
    games: int
    seed: int
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Games:
    """What came out.

    Attributes:
        base: scores of the blueprint alone, shape (N,).
        search: scores with search, same decks, shape (N,).
        means: figures of `Statistics.means`.
    """

    base: NDArray[np.float64]
    search: NDArray[np.float64]
    means: Mapping[str, float]

    @property
    def gain(self) -> tuple[float, float]:
        """Mean gain and half the width of its paired 95% interval."""
        return interval(self.search - self.base)

    @property
    def lost(self) -> tuple[int, int]:
        """Games without a point: of the blueprint, and with search."""
        return int((self.base == 0).sum()), int((self.search == 0).sum())


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of independent values, shape (N,), and half its 95% interval."""
    spread = float(values.std(ddof=1)) if len(values) > 1 else float("inf")
    return float(values.mean()), 1.96 * spread / len(values) ** 0.5


def play(settings: Sequence[Setting], folder: Path, *, workers: int) -> list[Games]:
    """Play all games of all settings.

    Args:
        settings: what to play.
        folder: where blocks are kept.
        workers: processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [
        (number, first)
        for number, setting in enumerate(settings)
        for first in range(0, setting.games, _BLOCK)
    ]
    found: dict[tuple[int, int], dict[str, Any]] = {}
    todo = []
    for number, first in blocks:
        path = folder / _name(settings[number], first)
        if path.is_file():
            found[number, first] = json.loads(path.read_text(encoding="utf-8"))
        else:
            todo.append((number, first))
    if workers <= 1 or len(todo) <= 1:
        for number, first in todo:
            found[number, first] = _block(settings[number], first, folder)
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            tasks = {
                pool.submit(_block, settings[n], first, folder): (n, first) for n, first in todo
            }
            for task in as_completed(tasks):
                found[tasks[task]] = task.result()
    return [
        _together([found[n, first] for n, first in blocks if n == number])
        for number in range(len(settings))
    ]


def _name(setting: Setting, first: int) -> str:
    text = json.dumps({**asdict(setting), "games": 0, "label": ""}, sort_keys=True, default=str)
    count = min(_BLOCK, setting.games - first)
    return f"{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}-{first}-{count}.json"


def _block(setting: Setting, first: int, folder: Path) -> dict[str, Any]:
    """Play one block of games and keep it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    count = min(_BLOCK, setting.games - first)
    game: Game = GAMES.factory("hanabi")(**setting.variant)
    seeds = [int(s) for s in derive_many(setting.seed, np.arange(first, first + count))]
    search = {"mds": mds, "sparta": sparta}[setting.kind]
    searching = [search(blueprint=setting.blueprint, **setting.params) for _ in range(2)]
    _warm_up(game, setting)
    plain: list[Agent] = [_opened(setting.blueprint) for _ in range(2)]
    base, scores = [], []
    for number, seed in enumerate(seeds, start=first):
        base.append(_score(game, plain, seed))
        seating: list[Agent] = list(searching)
        if setting.seats == 1:
            seating[1 - number % 2] = plain[1 - number % 2]
        scores.append(_score(game, seating, seed))
    totals = Statistics()
    for agent in searching:
        for name, value in asdict(agent.statistics).items():
            setattr(totals, name, getattr(totals, name) + value)
    block = {"base": base, "search": scores, "statistics": asdict(totals)}
    with write_atomic(folder / _name(setting, first)) as file:
        file.write(json.dumps(block).encode("utf-8"))
    return block


def _warm_up(game: Game, setting: Setting) -> None:
    """Compile or load the kernels before anything is timed."""
    agent: HanabiSearch = mds(blueprint=setting.blueprint, rollouts=20)
    state = game.state(0)
    agent.begin(game, state.actors()[0], 0)
    agent.act(state.observe(state.actors()[0]))


def _opened(blueprint: str) -> Agent:
    name = blueprint.removeprefix("hanabi/")
    return HanabiBot(name) if name in BOTS else load(blueprint)


def _score(game: Game, agents: Sequence[Agent], seed: int) -> float:
    for seat, agent in enumerate(agents):
        agent.begin(game, seat, seat_seed(seed, seat))
    state = game.state(seed)
    drive(state, [agent.act for agent in agents])
    return float(state.returns()[0])


def _together(blocks: Sequence[Mapping[str, Any]]) -> Games:
    totals = Statistics()
    for block in blocks:
        for name, value in block["statistics"].items():
            setattr(totals, name, getattr(totals, name) + value)
    return Games(
        np.concatenate([block["base"] for block in blocks]).astype(np.float64),
        np.concatenate([block["search"] for block in blocks]).astype(np.float64),
        totals.means(),
    )
