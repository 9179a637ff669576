"""Swiss tournaments: each round follows from the results of those before."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from tournaments.plan import Line, Plan
from tournaments.runner import Runner
from tournaments.schedule import lines_of, seat_sides, sides_of, swiss_round
from tournaments.spec import Spec

__all__ = ["play_swiss", "swiss_size"]


def swiss_size(spec: Spec, plan: Plan) -> int:
    """Return the number of matches of a Swiss tournament."""
    pairs = len(plan.entries) // 2
    rounds = spec.schedule.rounds or 0
    return rounds * pairs * 2 * spec.schedule.repetitions * len(plan.boards)


def play_swiss(runner: Runner) -> None:
    """Play all rounds, as far as they are not in the store.

    A pair plays every game in both seat orders. It wins a game, for one point, by the
    greater payoff summed over the matches of the round; an equal sum is half a point. A bye
    is worth a win of every game.
    """
    spec, plan = runner.spec, runner.plan
    count = spec.schedule.repetitions
    agents = range(len(plan.entries))
    scores = dict.fromkeys(agents, 0.0)
    byes = dict.fromkeys(agents, 0)
    met: dict[frozenset[int], int] = {}
    for stage in range(spec.schedule.rounds or 0):
        pairs, idle = swiss_round(scores, met, byes)
        lines: list[Line] = []
        for pair in pairs:
            first = met.get(frozenset(pair), 0) * count
            for game, board in enumerate(plan.boards):
                seatings = [seat_sides(board, order) for order in permutations(pair)]
                lines += lines_of(plan, game, seatings, count=count, first=first, stage=stage)
        if not runner.play(lines):
            return
        for start in range(0, len(lines), 2):
            for agent, points in _points(runner, lines[start], lines[start + 1]).items():
                scores[agent] += points
        for pair in pairs:
            met[frozenset(pair)] = met.get(frozenset(pair), 0) + 1
        if idle is not None:
            byes[idle] += 1
            scores[idle] += len(plan.boards)


def _points(runner: Runner, *both_orders: Line) -> dict[int, float]:
    total: dict[int, float] = {}
    for line in both_orders:
        board = runner.plan.boards[line.game]
        payoffs = runner.store.payoffs(line.key, line.first, line.count)
        for seats in sides_of(board):
            agent = line.seating[seats[0]]
            total[agent] = total.get(agent, 0.0) + float(np.sum(payoffs[:, seats]))
    (a, mine), (b, theirs) = total.items()
    if np.isclose(mine, theirs, rtol=1e-12, atol=1e-12):
        return {a: 0.5, b: 0.5}
    return {a: float(mine > theirs), b: float(theirs > mine)}
