"""A small real tournament, played here, for the tests to look at as a report."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pyspiel

import arena
from arena.game import Game
from arena.rng import derive
from tournaments.records import ResultSet
from tournaments.report.data import (
    BOARDS,
    Curve,
    GameInfo,
    Match,
    Pairs,
    Replay,
    ReportData,
    Standing,
    Step,
    Table,
)
from tournaments.report.pairs import pair_matrices
from tournaments.report.replay import replay

GAMES = ("connect_four", "leduc_poker", "kuhn_poker", "tic_tac_toe")
SEED = 20260722

Bot = Callable[[Any, int], Callable[[Any], int]]


def mcts(simulations: int) -> Bot:
    """OpenSpiel's search, shown the true state (hidden cards too)."""

    def make(game: Any, seed: int) -> Callable[[Any], int]:
        bot = pyspiel.MCTSBot(
            game,
            pyspiel.RandomRolloutEvaluator(1, seed % 2**31),
            2.0,
            simulations,
            10,
            True,
            seed % 2**31,
            False,
        )
        return bot.step

    return make


def named(name: str) -> Bot:
    def make(game: Any, seed: int) -> Callable[[Any], int]:
        agent = arena.agent(name)
        wrapped = arena.make(game.get_type().short_name)
        agent.begin(wrapped, 0, seed)
        view = wrapped.state(0)

        def act(raw: Any) -> int:
            view.raw = raw
            return int(agent.act(view.observe(raw.current_player())))

        return act

    return make


def flaky(game: Any, seed: int) -> Callable[[Any], int]:
    """Uniform, but it falls over in one game of eight."""
    steady = named("uniform")(game, seed)

    def act(raw: Any) -> int:
        if seed % 8 == 0 and raw.move_number() > 3:
            raise ValueError("index 7 is out of bounds for axis 0 with size 7")
        return steady(raw)

    return act


AGENTS: dict[str, Bot] = {
    "mcts-200": mcts(200),
    "mcts-30": mcts(30),
    "uniform": named("uniform"),
    "first_legal": named("first_legal"),
    "flaky <v0.3>": flaky,
}


def play(repetitions: int = 2, *, agents: dict[str, Bot] | None = None) -> ReportData:
    """Play every ordered pair of agents in every game and report on it."""
    bots = agents or AGENTS
    labels = list(bots)
    games = [arena.make(name) for name in GAMES]
    matches: list[Match] = []
    for repetition in range(repetitions):
        for g, game in enumerate(games):
            for pair in permutations(range(len(labels)), 2):
                seed = derive(SEED, g, *sorted(pair), repetition)
                matches.append(_match(len(matches) + 1, game, g, pair, seed, bots))
    results = ResultSet(
        agents=labels,
        games=list(GAMES),
        game=np.array([m.game for m in matches], dtype=np.int32),
        seating=np.array([m.seating for m in matches], dtype=np.int32),
        payoffs=np.array([m.payoffs for m in matches]),
        offender=np.array([m.offender for m in matches], dtype=np.int8),
        count=np.ones(len(matches), dtype=np.int64),
        ordered=True,
        teams=[(0, 1)] * len(games),
        cooperative=[False] * len(games),
    )
    tables = [_table("All games", results, None)]
    tables += [_table(name, results, g) for g, name in enumerate(GAMES)]
    return ReportData(
        name="Autumn cup",
        agents=labels,
        games=[
            GameInfo(
                key=game.key,
                label=name,
                seat_names=game.seat_names,
                summary=game.summary,
                payoff=game.payoff,
                board=BOARDS.get(game.key, "text"),
            )
            for name, game in zip(GAMES, games, strict=True)
        ],
        tables=tables,
        matches=matches,
        played=len(matches),
        seed=SEED,
        version="0.1.0",
        when="2026-11-22 02:30 to 02:34 UTC",
        settings={
            "Schedule": f"round robin, {repetitions} repetitions, both seat orders",
            "Time": "10 s a move",
            "Executor": "2 processes",
        },
        curve=_curve(results),
        forfeits=sum(m.offender >= 0 for m in matches),
    )


def _match(
    number: int, game: Game, index: int, pair: tuple[int, ...], seed: int, bots: dict[str, Bot]
) -> Match:
    state: Any = game.state(seed)
    raw = state.raw.get_game()
    makers = list(bots.values())
    choose = [makers[a](raw, derive(seed, number, s)) for s, a in enumerate(pair)]
    steps: list[dict[int, int]] = []
    offender, fault, detail, log = -1, "", "", ""
    while actors := state.actors():
        seat = actors[0]
        try:
            action = choose[seat](state.raw)
        except ValueError as error:
            offender, fault, detail = seat, "exception", f"ValueError: {error}"
            log = f"loading <weights> & biases\nmove {len(steps)}: thinking…\n" + (
                "Traceback (most recent call last):\n"
                '  File "bot.py", line 41, in act\n    return table[best]\n' + detail
            )
            break
        state.step({seat: action})
        steps.append({seat: action})
    low, high = game.payoff_bounds
    payoffs = tuple(low if s == offender else high for s in range(2)) if offender >= 0 else None
    return Match(
        number=number,
        id=f"{derive(seed, number):016x}",
        game=index,
        seating=pair,
        payoffs=payoffs or tuple(float(x) for x in state.returns()),
        seed=seed,
        offender=offender,
        fault=fault,
        detail=detail,
        log=log,
        replay=replay(game, seed=seed, steps=steps),
    )


def _table(label: str, results: ResultSet, game: int | None) -> Table:
    """Rank by score; a stand-in for a fit, so that the page has something to draw."""
    pairs = pair_matrices(results, game=game)
    wins, draws, losses = pairs.wins.sum(1), pairs.draws.sum(1), pairs.wins.sum(0)
    games = wins + draws + losses
    score = (wins + draws / 2 + 1) / (games + 2)
    spread = 1.96 / np.sqrt((games + 2) * score * (1 - score))
    elo = 400 / math.log(10)
    rating = 1500 + elo * np.log(score / (1 - score))
    low, high = rating - elo * spread, rating + elo * spread
    bad = results.offender >= 0
    bad &= True if game is None else results.game == game
    guilty = results.seating[bad, results.offender[bad]]
    forfeits = np.bincount(guilty, minlength=len(games))
    paid = np.nansum(np.nan_to_num(pairs.payoff) * pairs.met, axis=1) / games
    standings = []
    for place, k in enumerate(np.argsort(-rating)):
        above = int((low > high[k]).sum())
        below = int((high < low[k]).sum())
        standings.append(
            Standing(
                agent=int(k),
                rank=above + 1 if place else 1,
                rank_low=above + 1,
                rank_high=len(games) - below,
                rating=float(rating[k]),
                low=float(low[k]),
                high=float(high[k]),
                games=int(games[k]),
                wins=int(wins[k]),
                draws=int(draws[k]),
                losses=int(losses[k]),
                forfeits=int(forfeits[k]),
                mean_payoff=float(paid[k]),
            )
        )
    error = spread * elo / 1.96
    z = (rating[:, None] - rating) / np.hypot(error[:, None], error)
    superiority = 0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))
    ties = [
        f"The data cannot order {results.agents[a.agent]} and {results.agents[b.agent]}."
        for a, b in pairwise(standings)
        if a.low < b.high
    ]
    return Table(label, standings, pairs, superiority, ties)


def _curve(results: ResultSet) -> Curve:
    ratings = np.full(len(results.agents), 1500.0)
    points, after = [], []
    for row, (a, b) in enumerate(results.seating):
        gain = results.payoffs[row, 0] - results.payoffs[row, 1]
        score = 0.5 + 0.5 * np.sign(gain)
        expected = 1 / (1 + 10 ** ((ratings[b] - ratings[a]) / 400))
        ratings[a] += 24 * (score - expected)
        ratings[b] -= 24 * (score - expected)
        points.append(ratings.copy())
        after.append(row + 1)
    return Curve(np.array(after), np.array(points))


def tiny(
    *,
    agents: tuple[str, str] = ("left", "right"),
    name: str = "Cup",
    game: str = "nim",
    detail: str = "it fell over",
    log: str = "log",
    move: str = "take 1",
    text: str = "|||",
) -> ReportData:
    """Two agents and two matches by hand, every text that others control given."""
    shape = (2, 2)
    pairs = Pairs(
        wins=np.array([[0, 1], [1, 0]]),
        draws=np.zeros(shape, dtype=np.int64),
        payoff=np.array([[np.nan, 0.0], [0.0, np.nan]]),
        payoff_error=np.full(shape, np.nan),
        met=np.array([[0, 2], [2, 0]]),
    )
    rows = [Standing(k, 1, 1, 2, 0.0, -80.0, 80.0, 2, 1, 0, 1, k, 0.0) for k in range(2)]
    steps = (Step(text), Step(text, ((0, move), (1, move)), (1.0, -1.0)))
    return ReportData(
        name=name,
        agents=agents,
        games=[GameInfo(game, game, (name, name), summary=detail)],
        tables=[Table(game, rows, pairs, np.full(shape, 0.5), [f"Nobody can order {agents}."])],
        matches=[
            Match(1, "a", 0, (0, 1), (1.0, -1.0), 3, replay=Replay(steps, note=detail)),
            Match(
                2,
                "b",
                0,
                (1, 0),
                (-1.0, 1.0),
                2**64 - 1,
                offender=0,
                fault="exception",
                detail=detail,
                log=log,
                replay=Replay(steps[:1]),
            ),
        ],
        played=2,
        seed=1,
        version="0.1.0",
        when=name,
        settings={name: detail},
        curve=Curve(np.array([1, 2]), np.array([[10.0, -10.0], [0.0, 0.0]])),
        notes=[detail],
        forfeits=1,
    )
