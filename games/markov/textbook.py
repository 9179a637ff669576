"""Markov games of the literature whose solutions are known."""

from __future__ import annotations

import numpy as np

from arena.errors import ParameterError, UnknownNameError
from games.markov.form import MarkovGame
from games.normal_form import NormalForm

__all__ = ["big_match", "hide_or_run", "inspection", "no_stationary_pure", "repeated", "two_step"]


def big_match(discount: float = 0.9) -> MarkovGame:
    """The first seat guesses the second's bits, once for ever or again and again.

    Continuing pays 1 for a right guess of the bit 1 only while the game goes on; stopping
    is absorbed with 1 for ever or 0 for ever. Its value is 1/2 a step for every discount.

    Source: Gillette 1957, "Stochastic games with zero stop probabilities"; Blackwell and
    Ferguson 1968, "The big match".
    """
    transition = np.zeros((3, 2, 2, 3))
    reward = np.zeros((3, 2, 2))
    transition[0, 0, 0, 1] = transition[0, 0, 1, 2] = 1.0
    transition[0, 1, :, 0] = 1.0
    reward[0] = [[1.0, 0.0], [0.0, 1.0]]
    transition[1, :, :, 1] = transition[2, :, :, 2] = 1.0
    reward[1] = 1.0
    return MarkovGame(
        transition,
        np.stack([reward, -reward]),
        0,
        discount=discount,
        state_names=("play", "won", "lost"),
        action_names=(("stop", "go on"), ("left", "right")),
        title="The big match",
    )


def hide_or_run(discount: float = 0.9) -> MarkovGame:
    """A snowball fight: hide or run against throw or wait; value (1 − √(1 − γ)) / γ.

    Running past a player who waits, or hiding from one who throws, wins 1; running into
    the ball loses; hiding from one who waits changes nothing.

    Source: Kumar and Shiau 1981; "Hide-or-Run" of de Alfaro, Henzinger and Kupferman 2007.
    """
    transition = np.zeros((2, 2, 2, 2))
    transition[0, :, :, 1] = transition[1, :, :, 1] = 1.0
    transition[0, 0, 0] = (1.0, 0.0)
    reward = np.zeros((2, 2, 2))
    reward[0] = [[0.0, 1.0], [1.0, 0.0]]
    return MarkovGame(
        transition,
        np.stack([reward, -reward]),
        0,
        discount=discount,
        terminal=[1],
        state_names=("hill", "over"),
        action_names=(("hide", "run"), ("wait", "throw")),
        title="Hide or run",
    )


def inspection(periods: int = 5, inspections: int = 2) -> MarkovGame:
    """A smuggler (first seat) picks one of n nights; the guard may inspect m of them.

    Smuggling unseen pays 1, being caught −1, never smuggling 0. The value is
    C(n − 1, m) / Σ_{i ≤ m} C(n, i).

    Source: Dresher 1962, "A sampling inspection problem in arms control agreements".
    """
    if periods < 1:
        raise ParameterError("periods", periods, "1 or more")
    if not 0 <= inspections <= periods:
        raise ParameterError("inspections", inspections, f"0 to {periods}, the periods")
    left = [(n, m) for n in range(1, periods + 1) for m in range(min(inspections, periods) + 1)]
    number = {pair: i for i, pair in enumerate(left)}
    over, s = len(left), len(left) + 1
    transition = np.zeros((s, 2, 2, s))
    reward = np.zeros((s, 2, 2))
    guard = np.ones((s, 2), dtype=np.bool_)
    for (n, m), state in number.items():
        reward[state, 1] = (1.0, -1.0)
        transition[state, 1, :, over] = 1.0
        for looks in (0, 1):
            after = (n - 1, m - looks)
            transition[state, 0, looks, number.get(after, over)] = 1.0
        guard[state, 1] = m > 0
    transition[over, :, :, over] = 1.0
    return MarkovGame(
        transition,
        np.stack([reward, -reward]),
        number[periods, inspections],
        horizon=periods,
        legal=[np.ones((s, 2), dtype=np.bool_), guard],
        terminal=[over],
        state_names=[*(f"{n} nights, {m} inspections" for n, m in left), "over"],
        action_names=(("wait", "smuggle"), ("rest", "inspect")),
        title="Inspection game",
    )


def no_stationary_pure(discount: float = 0.75) -> MarkovGame:
    """Two states, one seat moves in each; its one stationary equilibrium is mixed.

    At γ = 3/4 the first seat sends with probability 2/3, the second with 5/12, although
    moves are made in turn.

    Source: Zinkevich, Greenwald and Littman 2006, "Cyclic equilibria in Markov games".
    """
    transition = np.zeros((2, 2, 2, 2))
    reward = np.zeros((2, 2, 2, 2))
    transition[0, 0, :, 0] = transition[0, 1, :, 1] = 1.0
    transition[1, :, 0, 1] = transition[1, :, 1, 0] = 1.0
    reward[0, 0, 0], reward[0, 0, 1] = 1.0, 0.0
    reward[1, 0, 0], reward[1, 0, 1] = 0.0, 3.0
    reward[0, 1, :, 0], reward[0, 1, :, 1] = 3.0, 0.0
    reward[1, 1, :, 0], reward[1, 1, :, 1] = 1.0, 0.0
    masks = np.ones((2, 2, 2), dtype=np.bool_)
    masks[0, 1, 1] = masks[1, 0, 1] = False
    return MarkovGame(
        transition,
        reward,
        0,
        discount=discount,
        legal=list(masks),
        state_names=("first moves", "second moves"),
        action_names=(("keep", "send"), ("keep", "send")),
        title="A turn-based game without a pure stationary equilibrium",
    )


def repeated(stage: str = "shapley", rounds: int = 2) -> MarkovGame:
    """A matrix game of the catalogue, again and again: one state.

    Source: Shapley 1964, "Some topics in two-person games" (for the default stage).
    """
    from games.catalog import FAMILY, TEXTBOOK

    if stage not in TEXTBOOK:
        raise UnknownNameError("matrix game", stage, TEXTBOOK)
    form: NormalForm = FAMILY.make(stage).form("normal_form")
    return MarkovGame(
        np.ones((1, *form.actions, 1)),
        form.payoffs[:, None],
        0,
        horizon=rounds,
        action_names=form.action_names,
        title=f"{form.title or stage}, repeated",
    )


def two_step(safe: float = 7.0) -> MarkovGame:
    """Two agents: the first one's first action leads to a safe game or to one that needs both.

    The safe game pays `safe` whatever they do, the other one 8 if both choose their second
    action, 1 if one does and 0 if none does. Additive values undervalue the other one.

    Source: Rashid et al. 2018, "QMIX", section 5.1.
    """
    transition = np.zeros((3, 2, 2, 3))
    reward = np.zeros((3, 2, 2))
    transition[0, 0, :, 1] = transition[0, 1, :, 2] = 1.0
    transition[1, :, :, 1] = transition[2, :, :, 2] = 1.0
    reward[1] = safe
    reward[2] = [[0.0, 1.0], [1.0, 8.0]]
    return MarkovGame(
        transition,
        np.stack([reward, reward]),
        0,
        horizon=2,
        state_names=("1", "2A", "2B"),
        action_names=(("A", "B"), ("A", "B")),
        title="Two-step game",
    )
