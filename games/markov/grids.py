"""Grid worlds: soccer, pursuit, the coin game, and a walk against an adversarial wind."""

from __future__ import annotations

from itertools import product

import numpy as np

from arena.errors import ParameterError
from games.markov.form import MarkovGame
from games.markov.parts import check_memory

__all__ = ["coin_game", "pursuit", "soccer", "windy_walk"]

_MOVES = ((-1, 0), (1, 0), (0, 1), (0, -1), (0, 0))
_NAMES = ("north", "south", "east", "west", "stand")
_Cell = tuple[int, int]


def soccer(rows: int = 4, columns: int = 5, discount: float = 0.9) -> MarkovGame:
    """Grid soccer for two: carry the ball into the goal on the other side.

    Both move at once; whose move is executed first is drawn. Who would enter the other's
    square stays, and the ball goes to the other. The first seat scores to the east, the
    second to the west, through the middle rows. After a goal comes one more step, in which
    nobody has a choice and which pays 1 to −1; then it is over. (A payoff for a move that
    scores only if it is executed first would be paid half.) Who has the ball first is drawn.

    Source: Littman 1994, "Markov games as a framework for multi-agent reinforcement
    learning", section 5.
    """
    if rows < 2 or columns < 3:
        raise ParameterError("rows × columns", f"{rows} × {columns}", "at least 2 × 3")
    cells = list(product(range(rows), range(columns)))
    check_memory(2.0 * len(cells) ** 2 * 25 * 4, "the game")
    numbers: dict[tuple[_Cell, _Cell, int], int] = {}
    for a, b, ball in product(cells, cells, (0, 1)):
        if a != b:
            numbers[a, b, ball] = len(numbers)
    middle = {(rows - 1) // 2, rows // 2}
    goals, over, s = (len(numbers), len(numbers) + 1), len(numbers) + 2, len(numbers) + 3

    def execute(
        spots: list[_Cell], ball: int, seat: int, move: int
    ) -> tuple[list[_Cell], int, int]:
        """Return places, ball and who scored (+1, −1, 0) after one seat's move."""
        r, c = spots[seat]
        to = (r + _MOVES[move][0], c + _MOVES[move][1])
        goal = columns if seat == 0 else -1
        if ball == seat and to[1] == goal and r in middle:
            return spots, ball, 1 if seat == 0 else -1
        if not (0 <= to[0] < rows and 0 <= to[1] < columns):
            return spots, ball, 0
        if to == spots[1 - seat]:
            return spots, 1 - seat, 0
        after = list(spots)
        after[seat] = to
        return after, ball, 0

    at, to, chance = [], [], []
    reward = np.zeros((s, 25))
    for (a, b, ball), number in numbers.items():
        for joint in range(25):
            moves = (joint // 5, joint % 5)
            for order in ((0, 1), (1, 0)):
                spots, has, scored = [a, b], ball, 0
                for seat in order:
                    spots, has, scored = execute(spots, has, seat, moves[seat])
                    if scored:
                        break
                at.append(number * 25 + joint)
                goal = goals[0] if scored > 0 else goals[1]
                to.append(goal if scored else numbers[spots[0], spots[1], has])
                chance.append(0.5)
    stand = np.ones((s, 5), dtype=np.bool_)
    for goal, pays in zip(goals, (1.0, -1.0), strict=True):
        stand[goal, :4] = False
        reward[goal] = pays
        at.append(goal * 25 + 24)
        to.append(over)
        chance.append(1.0)
    from scipy.sparse import csr_array

    south, north = min(rows - 1, (rows - 1) // 2 + 1), (rows - 1) // 2
    west, east = (1, columns - 2) if columns > 3 else (0, 2)
    initial = np.zeros(s)
    for ball in (0, 1):
        initial[numbers[(south, west), (north, east), ball]] = 0.5
    names = [f"A{a[0]}{a[1]} B{b[0]}{b[1]} ball {'AB'[ball]}" for a, b, ball in numbers]
    return MarkovGame(
        csr_array((chance, (at, to)), shape=(s * 25, s)),
        np.stack([reward, -reward]).reshape(2, s, 5, 5),
        initial,
        discount=discount,
        legal=[stand, stand],
        terminal=[over],
        state_names=[*names, "A has scored", "B has scored", "over"],
        action_names=[_NAMES, _NAMES],
        title="Grid soccer",
    )


def pursuit(side: int = 3, pursuers: int = 1, discount: float = 0.9) -> MarkovGame:
    """Pursuers (the first seats) share 1, paid by the evader (the last), for catching it.

    Everyone moves at once on a square grid; the evader is caught when a pursuer ends on
    its square or both pass each other.

    Source: Isaacs 1965, "Differential games"; the grid form of Benda, Jagannathan and
    Dodhiawala 1986.
    """
    if side < 2:
        raise ParameterError("side", side, "2 or more")
    if not 1 <= pursuers <= 3:
        raise ParameterError("pursuers", pursuers, "1 to 3")
    seats = pursuers + 1
    cells = list(product(range(side), range(side)))
    situations = [spots for spots in product(cells, repeat=seats) if spots[-1] not in spots[:-1]]
    joint = 5**seats
    check_memory(float(len(situations)) * joint * (seats + 2), "the game")
    numbers = {spots: i for i, spots in enumerate(situations)}
    over, s = len(numbers), len(numbers) + 1
    reward = np.zeros((seats, s, joint))
    at, to = [], []
    for spots, number in numbers.items():
        for a, moves in enumerate(product(_MOVES, repeat=seats)):
            after = tuple(
                (min(max(r + d[0], 0), side - 1), min(max(c + d[1], 0), side - 1))
                for (r, c), d in zip(spots, moves, strict=True)
            )
            caught = after[-1] in after[:-1] or any(
                after[k] == spots[-1] and after[-1] == spots[k] for k in range(pursuers)
            )
            at.append(number * joint + a)
            to.append(over if caught else numbers[after])
            if caught:
                reward[:-1, number, a] = 1.0 / pursuers
                reward[-1, number, a] = -1.0
    from scipy.sparse import csr_array

    corner = (side - 1, side - 1)
    start = (*(cells[k] for k in range(pursuers)), corner)
    return MarkovGame(
        csr_array((np.ones(len(at)), (at, to)), shape=(s * joint, s)),
        reward.reshape(seats, s, *([5] * seats)),
        numbers[start],
        discount=discount,
        terminal=[over],
        state_names=[*(" ".join(f"{r}{c}" for r, c in spots) for spots in numbers), "caught"],
        action_names=[_NAMES] * seats,
        title="Pursuit on a grid",
    )


def coin_game(side: int = 3, penalty: float = 2.0, discount: float = 0.96) -> MarkovGame:
    """Two collectors and one coin: taking the other's colour pays, and costs the other more.

    Both move at once on a grid without edges (it wraps around). Whoever steps on the coin is
    paid 1; if it has the other's colour, the other is paid −`penalty`. Who steps on it at the
    same time both take it. The next coin lies on any square that nobody stands on, in either
    colour, all equally likely. A social dilemma: greed is dominant, restraint pays more.

    Source: Lerer and Peysakhovich 2017, "Maintaining cooperation in complex social dilemmas
    using deep reinforcement learning"; the 3×3 form of Foerster et al. 2018 (LOLA).
    """
    if side < 2:
        raise ParameterError("side", side, "2 or more")
    if penalty < 0:
        raise ParameterError("penalty", penalty, "zero or more")
    cells = list(product(range(side), repeat=2))
    situations = [
        (a, b, coin, colour)
        for a, b, coin, colour in product(cells, cells, cells, (0, 1))
        if coin not in (a, b)
    ]
    check_memory(float(len(situations)) * 16 * 2 * len(cells), "the game")
    numbers = {situation: i for i, situation in enumerate(situations)}
    s = len(numbers)
    reward = np.zeros((2, s, 16))
    at, to, chance = [], [], []
    for (a, b, coin, colour), number in numbers.items():
        for joint, moves in enumerate(product(_MOVES[:4], repeat=2)):
            spots = [
                ((r + d[0]) % side, (c + d[1]) % side)
                for (r, c), d in zip((a, b), moves, strict=True)
            ]
            takes = [spot == coin for spot in spots]
            for seat in (0, 1):
                if takes[seat]:
                    reward[seat, number, joint] += 1.0
                    if colour != seat:
                        reward[1 - seat, number, joint] -= penalty
            free = [cell for cell in cells if cell not in spots]
            lies = list(product(free, (0, 1))) if any(takes) else [(coin, colour)]
            for cell, shade in lies:
                at.append(number * 16 + joint)
                to.append(numbers[spots[0], spots[1], cell, shade])
                chance.append(1.0 / len(lies))
    from scipy.sparse import csr_array

    names = [
        f"A{a[0]}{a[1]} B{b[0]}{b[1]} {'AB'[colour]}'s coin at {coin[0]}{coin[1]}"
        for a, b, coin, colour in situations
    ]
    return MarkovGame(
        csr_array((chance, (at, to)), shape=(s * 16, s)),
        reward.reshape(2, s, 4, 4),
        np.full(s, 1.0 / s),
        discount=discount,
        state_names=names,
        action_names=[_NAMES[:4]] * 2,
        title="The coin game",
    )


def windy_walk(
    rows: int = 4, columns: int = 6, strength: float = 0.3, discount: float = 0.95
) -> MarkovGame:
    """A walker along a cliff against a wind that blows where it hurts: robust control.

    The walker goes from the south-west to the south-east corner; the squares between are
    a cliff. After its move the wind, if it is strong enough (probability `strength`), moves
    it one square further in a direction of the wind's choice. A step costs 0.1, the cliff 1
    and the goal pays 1; both end the episode. The wind is paid the opposite.

    Source: Morimoto and Doya 2005, "Robust reinforcement learning" (the disturbance as a
    player); the cliff walk of Sutton and Barto 2018, example 6.6.
    """
    if rows < 2 or columns < 3:
        raise ParameterError("rows × columns", f"{rows} × {columns}", "at least 2 × 3")
    if not 0 <= strength <= 1:
        raise ParameterError("strength", strength, "a probability")
    cells = list(product(range(rows), range(columns)))
    over, s = len(cells), len(cells) + 1
    numbers = {cell: i for i, cell in enumerate(cells)}
    goal = (rows - 1, columns - 1)
    cliff = {(rows - 1, c) for c in range(1, columns - 1)}

    def blown(cell: _Cell, move: int) -> _Cell:
        r, c = cell[0] + _MOVES[move][0], cell[1] + _MOVES[move][1]
        return (min(max(r, 0), rows - 1), min(max(c, 0), columns - 1))

    transition = np.zeros((s, 5, 5, s))
    reward = np.zeros((s, 5, 5))
    for cell, number in numbers.items():
        for own, wind in product(range(5), range(5)):
            reward[number, own, wind] = -0.1
            landed = blown(cell, own)
            inside = landed not in cliff and landed != goal
            # Who has fallen or arrived is not blown any further.
            further = blown(landed, wind) if inside else landed
            for place, chance in ((landed, 1.0 - strength), (further, strength)):
                ends = place in cliff or place == goal
                transition[number, own, wind, over if ends else numbers[place]] += chance
                if ends:
                    reward[number, own, wind] += chance * (1.0 if place == goal else -1.0)
    transition[over, :, :, over] = 1.0
    return MarkovGame(
        transition,
        np.stack([reward, -reward]),
        numbers[rows - 1, 0],
        discount=discount,
        terminal=[over],
        state_names=[*(f"{r},{c}" for r, c in cells), "over"],
        action_names=[_NAMES, _NAMES],
        title="A walk along a cliff against an adversarial wind",
    )
