"""Who meets whom: groups of agents, and the seats that each group takes.

A schedule is a list of lines (`tournaments.plan.Line`): one seating of one game, with a
number of repetitions. All seat orders of a group share the chance seeds of their
repetitions, so that luck cancels between them.

    round robin   every group of as many agents as the game has sides
    gauntlet      the groups with a challenger in them and no two
    cross-play    every agent with copies of itself, and every mix of two agents
    Swiss         round by round, agents of like score; see `swiss_round`

A side is a seat, or a team where the game has teams (its agent takes all its seats). Above
`max_seatings` a balanced sample is taken: different groups, in which every agent stands
equally often (within two, as long as there are groups left to choose from), and each group
takes the n rotations of its order, a Latin square, so that every agent has every side
equally often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from itertools import count as counter
from math import comb, factorial

import numpy as np

from arena.errors import SpecError
from arena.rng import generator
from tournaments.plan import Board, Line, Plan, check_copies, line_key, pairing_seed
from tournaments.spec import ScheduleSpec, Spec

__all__ = [
    "check_schedule",
    "lines_of",
    "make_lines",
    "schedule_kind",
    "seat_sides",
    "sides_of",
    "swiss_round",
]


def make_lines(spec: Spec, plan: Plan) -> list[Line]:
    """Return all lines of a tournament whose schedule is known beforehand, game by game.

    Raises:
        SpecError: the agents cannot be seated; also for Swiss, which has no such list.
    """
    check_schedule(spec, plan)
    names = [agent.name for agent in spec.agents]
    challengers = [names.index(name) for name in spec.schedule.challengers]
    lines: list[Line] = []
    for game, board in enumerate(plan.boards):
        seatings = _seatings(spec.schedule, board, len(plan.entries), challengers, plan.seed)
        check_copies(spec.source, plan, seatings)
        lines += lines_of(plan, game, seatings, count=spec.schedule.repetitions)
    return lines


def lines_of(
    plan: Plan,
    game: int,
    seatings: Iterable[Sequence[int]],
    *,
    count: int,
    first: int = 0,
    stage: int = 0,
) -> list[Line]:
    """Return the lines of some seatings of one game.

    Args:
        plan: the tournament.
        game: index of the board.
        seatings: index of the entry in each seat.
        count: repetitions of each.
        first: number of the first repetition.
        stage: round of the tournament.
    """
    return [
        Line(
            key=line_key(plan, game, seating, stage=stage),
            game=game,
            seating=tuple(seating),
            seed=pairing_seed(plan, game, seating),
            first=first,
            count=count,
            stage=stage,
        )
        for seating in seatings
    ]


def schedule_kind(schedule: ScheduleSpec, board: Board) -> str:
    """Return the kind of schedule that a game gets, `auto` resolved."""
    if schedule.kind != "auto":
        return schedule.kind
    return "cross_play" if board.payoff == "cooperative" else "round_robin"


def check_schedule(spec: Spec, plan: Plan) -> None:
    """Check that the agents can be seated in every game.

    Raises:
        SpecError: naming the game and the numbers that do not fit.
    """
    agents = len(plan.entries)
    for board in plan.boards:
        kind = schedule_kind(spec.schedule, board)
        sides = len(sides_of(board))
        where = f"{spec.source}: [tournament] schedule = {kind!r}"
        if kind == "swiss" and sides != 2:
            raise SpecError(f"{where} needs games of two sides; {board.label} has {sides}")
        if kind == "swiss" and agents < 2:
            raise SpecError(f"{where} needs at least 2 agents; there is {agents}")
        if kind in ("round_robin", "gauntlet") and agents < sides:
            raise SpecError(
                f"{where} seats {sides} different agents in {board.label}; there are "
                f"{agents} (schedule = 'cross_play' seats copies of one agent together)"
            )
        rest = agents - len(spec.schedule.challengers)
        if kind == "gauntlet" and rest < sides - 1:
            raise SpecError(
                f"{where} needs {sides - 1} agents besides a challenger in {board.label}; "
                f"there are {rest}"
            )
        if kind == "cross_play" and sides == 1:
            raise SpecError(f"{where} needs games of several sides; {board.label} has one")


def swiss_round(
    scores: Mapping[int, float],
    met: Mapping[frozenset[int], int],
    byes: Mapping[int, int],
) -> tuple[list[tuple[int, int]], int | None]:
    """Pair agents of like score that have not met, and give one a bye if they are odd.

    1. The agent of least score among those with fewest byes sits out when the number is odd.
    2. Going down the ranking, each agent meets the next one below that it has met least
       often; when that leaves somebody without a partner, the last choices are taken back.

    Args:
        scores: points so far by agent; ties are ranked by agent number.
        met: how often each pair has met.
        byes: how often each agent sat out.

    Returns:
        The pairs, best first, and the agent that sits out, or None.
    """
    ranking = sorted(scores, key=lambda a: (-scores[a], a))
    bye = None
    if len(ranking) % 2:
        fewest = min(byes.get(a, 0) for a in ranking)
        bye = next(a for a in reversed(ranking) if byes.get(a, 0) == fewest)
        ranking.remove(bye)
    limit = 0
    while True:
        pairs = _pair_off(ranking, met, limit)
        if pairs is not None:
            return pairs, bye
        limit += 1  # everyone has met everyone that is left: meet once more


_PATIENCE = 20_000  # choices that `_pair_off` tries before it lets pairs meet again


def _pair_off(
    ranking: Sequence[int], met: Mapping[frozenset[int], int], limit: int
) -> list[tuple[int, int]] | None:
    """Pair neighbours that met at most `limit` times, by depth-first search; None if hopeless."""
    free = list(ranking)
    pairs: list[tuple[int, int]] = []
    trail: list[tuple[list[int], int]] = []  # what was free, and where to go on looking
    start = 1
    for _ in range(_PATIENCE):
        if not free:
            return pairs
        top = free[0]
        found = next(
            (k for k in range(start, len(free)) if met.get(frozenset((top, free[k])), 0) <= limit),
            None,
        )
        if found is not None:
            trail.append((free, found + 1))
            pairs.append((top, free[found]))
            free = free[1:found] + free[found + 1 :]
            start = 1
        elif trail:
            free, start = trail.pop()
            pairs.pop()
        else:
            return None
    return None


def sides_of(board: Board) -> list[list[int]]:
    """Return the seats of each side: teams in order of their first seat."""
    sides: dict[int, list[int]] = {}
    for seat, team in enumerate(board.teams):
        sides.setdefault(team, []).append(seat)
    return list(sides.values())


def seat_sides(board: Board, agents: Sequence[int]) -> tuple[int, ...]:
    """Return the agent in each seat when `agents` take the sides of a game in order."""
    seating = [0] * board.seats
    for agent, seats in zip(agents, sides_of(board), strict=True):
        for seat in seats:
            seating[seat] = agent
    return tuple(seating)


def _seatings(
    schedule: ScheduleSpec, board: Board, agents: int, challengers: Sequence[int], seed: int
) -> list[tuple[int, ...]]:
    kind = schedule_kind(schedule, board)
    if kind == "swiss":
        raise SpecError("a Swiss schedule follows from results and has no list of lines")
    sides = len(sides_of(board))
    if kind == "cross_play":
        # Copies of one agent may share a team, so mixes are made of seats, not of sides.
        return _sampled(list(_mixes(agents, board.seats)), schedule.max_seatings, board, seed)
    pool = [a for a in range(agents) if a not in challengers]
    if kind == "gauntlet":
        total = len(challengers) * comb(len(pool), sides - 1) * factorial(sides)
    else:
        total = comb(agents, sides) * factorial(sides)
    if total <= schedule.max_seatings:
        groups: Iterable[tuple[int, ...]] = (
            ((c, *rest) for c in challengers for rest in combinations(pool, sides - 1))
            if kind == "gauntlet"
            else combinations(range(agents), sides)
        )
        orders: Iterator[tuple[int, ...]] = (o for g in groups for o in permutations(g))
    else:
        rng = generator(seed, "seatings", board.key)
        if kind == "gauntlet":
            wanted = schedule.max_seatings // (sides * len(challengers))
            wanted = min(max(wanted, 1), comb(len(pool), sides - 1))
            rests = _balanced(pool, sides - 1, wanted, rng)
            chosen = [(c, *rest) for rest in rests for c in challengers]
        else:
            wanted = min(max(schedule.max_seatings // sides, 1), comb(agents, sides))
            chosen = _balanced(range(agents), sides, wanted, rng)
        orders = (g[k:] + g[:k] for g in chosen for k in range(sides))
    return [seat_sides(board, order) for order in orders]


def _mixes(agents: int, seats: int) -> Iterator[tuple[int, ...]]:
    """Yield each agent with itself, then one seat of each agent among copies of another."""
    for agent in range(agents):
        yield (agent,) * seats
    for host in range(agents):
        for guest in range(agents):
            if guest == host or (seats == 2 and guest < host):
                continue
            for seat in range(seats):
                yield tuple(guest if s == seat else host for s in range(seats))


def _balanced(
    agents: Sequence[int] | range, size: int, count: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Draw `count` different groups in which everyone stands as equally often as can be."""
    pool = np.array(agents)
    drawn = np.zeros(len(pool))
    seen: set[frozenset[int]] = set()
    groups: list[tuple[int, ...]] = []
    while len(groups) < count:
        spread = 1.0  # those drawn least often come first, ties at random
        for attempt in counter():
            chosen = np.argsort(drawn + spread * rng.random(len(pool)))[:size]
            members = frozenset(chosen.tolist())
            if members not in seen:
                break
            if attempt > 50:
                spread *= 1.02  # after many vain draws also those drawn more often
        seen.add(members)
        drawn[chosen] += 1
        groups.append(tuple(pool[chosen].tolist()))
    return groups


def _sampled(
    seatings: list[tuple[int, ...]], limit: int, board: Board, seed: int
) -> list[tuple[int, ...]]:
    """Keep every agent among its own kind, and a sample of the mixes."""
    pure = [s for s in seatings if len(set(s)) == 1]
    mixed = [s for s in seatings if len(set(s)) > 1]
    room = max(limit - len(pure), 0)
    if len(mixed) <= room:
        return seatings
    rng = generator(seed, "seatings", board.key)
    chosen = np.sort(rng.choice(len(mixed), size=room, replace=False))
    return pure + [mixed[int(i)] for i in chosen]
