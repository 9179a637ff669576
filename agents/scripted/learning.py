"""Learning rules for repeated matrix games with any number of seats and actions.

A rule is a generator: it yields an action and is sent the executed joint action, its own
first, the other seats in turn order from the next one round the table. All but `exp3` and
`q_learning` know the payoffs of the stage game; those two learn from what they are paid.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agents.scripted.match import form_of
from arena.game import Game
from arena.rng import Stream

__all__ = [
    "JointRule",
    "Table",
    "best_reply",
    "cautious",
    "constant",
    "copycat",
    "exp3",
    "fictitious_play",
    "hedge",
    "joint_fictitious_play",
    "q_learning",
    "regret_matching",
    "smooth_fictitious_play",
]

JointRule: TypeAlias = "Generator[int, tuple[int, ...], None]"


class Table:
    """The stage game seen from one seat.

    Attributes:
        pay: one's own payoffs, shape (A, A_next, …): own action first, then the others'
            in turn order.
        rng: the seat's stream.
        low: the least payoff; `span` is how far the greatest lies above it (1 if it does not).
    """

    def __init__(self, name: str, game: Game, seat: int, seed: int) -> None:
        stage = form_of(name, game).stage
        order = [*range(seat, stage.seats), *range(seat)]
        self.pay: NDArray[np.float64] = np.ascontiguousarray(stage.payoffs[seat].transpose(order))
        self.rng = Stream(seed)
        self.low = float(self.pay.min())
        self.span = float(self.pay.max()) - self.low or 1.0

    @property
    def actions(self) -> int:
        """Number of one's own actions A."""
        return int(self.pay.shape[0])

    def against(self, others: tuple[int, ...]) -> NDArray[np.float64]:
        """Return what each own action would be paid, shape (A,)."""
        where: tuple[Any, ...] = (slice(None), *others)
        row: NDArray[np.float64] = self.pay[where]
        return row

    def draw(self, weights: NDArray[np.float64]) -> int:
        """Draw an action with probabilities proportional to `weights`."""
        return self.rng.index((weights / weights.sum()).tolist())


def constant(table: Table, action: float) -> JointRule:
    """Always plays the same action (the last one if there are fewer)."""
    while True:
        yield min(int(action), table.actions - 1)


def cautious(table: Table) -> JointRule:
    """Plays the action whose worst payoff is best."""
    worst = table.pay.reshape(table.actions, -1).min(axis=1)
    while True:
        yield int(worst.argmax())


def copycat(table: Table) -> JointRule:
    """Plays at random, then what the next seat did last (tit for tat for any game)."""
    joint = yield table.rng.below(table.actions)
    while True:
        seen = joint[1] if len(joint) > 1 else joint[0]
        joint = yield seen if seen < table.actions else table.rng.below(table.actions)


def best_reply(table: Table) -> JointRule:
    """Plays at random, then the best reply to what the others did last."""
    joint = yield table.rng.below(table.actions)
    while True:
        joint = yield int(table.against(joint[1:]).argmax())


def _expected(table: Table, counts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the payoff of each own action against independent mixtures, shape (A,)."""
    value = table.pay
    for count in reversed(counts):
        value = value @ (count / count.sum())
    return value


def fictitious_play(table: Table) -> JointRule:
    """Best reply to how often each other seat has played each action."""
    counts = [np.zeros(a) for a in table.pay.shape[1:]]
    joint = yield table.rng.below(table.actions)
    while True:
        for count, action in zip(counts, joint[1:], strict=True):
            count[action] += 1.0
        joint = yield int(_expected(table, counts).argmax())


def smooth_fictitious_play(table: Table, temperature: float) -> JointRule:
    """Logit reply to how often each other seat has played each action.

    The temperature is a share of the range of one's payoffs.
    """
    counts = [np.zeros(a) for a in table.pay.shape[1:]]
    joint = yield table.rng.below(table.actions)
    while True:
        for count, action in zip(counts, joint[1:], strict=True):
            count[action] += 1.0
        value = _expected(table, counts) / (temperature * table.span)
        joint = yield table.draw(np.exp(value - value.max()))


def joint_fictitious_play(table: Table) -> JointRule:
    """Best reply to how often the others have played each joint action."""
    total = np.zeros(table.actions)
    joint = yield table.rng.below(table.actions)
    while True:
        total += table.against(joint[1:])
        joint = yield int(total.argmax())


def regret_matching(table: Table) -> JointRule:
    """Plays in proportion to positive regrets; at random while there are none."""
    regret = np.zeros(table.actions)
    joint = yield table.rng.below(table.actions)
    while True:
        would = table.against(joint[1:])
        regret += would - would[joint[0]]
        positive = np.maximum(regret, 0.0)
        if positive.any():
            joint = yield table.draw(positive)
        else:
            joint = yield table.rng.below(table.actions)


def hedge(table: Table, rate: float) -> JointRule:
    """Exponential weights on what each action would have earned.

    A rate of 0 stands for the one that needs no horizon, √(8 ln A / t).
    """
    earned, t = np.zeros(table.actions), 0
    joint = yield table.rng.below(table.actions)
    while True:
        t += 1
        earned += (table.against(joint[1:]) - table.low) / table.span
        eta = rate or math.sqrt(8.0 * math.log(max(table.actions, 2)) / t)
        joint = yield table.draw(np.exp(eta * (earned - earned.max())))


def exp3(table: Table, gamma: float) -> JointRule:
    """Exponential weights that see only what they are paid; explores with probability γ."""
    n = table.actions
    earned = np.zeros(n)
    while True:
        weights = np.exp(gamma / n * (earned - earned.max()))
        mixed = (1.0 - gamma) * weights / weights.sum() + gamma / n
        joint = yield table.draw(mixed)
        paid = (float(table.pay[joint]) - table.low) / table.span
        earned[joint[0]] += paid / mixed[joint[0]]


def q_learning(table: Table, rate: float, discount: float, epsilon: float) -> JointRule:
    """Tabular Q-learning whose state is the last joint action; ε-greedy."""
    values: dict[tuple[int, ...], NDArray[np.float64]] = {}
    state: tuple[int, ...] = ()
    while True:
        q = values.setdefault(state, np.zeros(table.actions))
        if table.rng.random() < epsilon:
            action = table.rng.below(table.actions)
        else:
            best = np.flatnonzero(q == q.max())
            action = int(best[table.rng.below(len(best))])
        joint = yield action
        after = values.setdefault(joint, np.zeros(table.actions))
        target = float(table.pay[joint]) + discount * float(after.max())
        q[joint[0]] += rate * (target - q[joint[0]])
        state = joint
