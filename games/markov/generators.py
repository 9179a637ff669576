"""Families of Markov games: random, turn-based, congestion, routing, locks, low rank.

Every generator takes plain numbers and returns a `MarkovGame`; the same numbers, the same
game.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.rng import generator
from games.markov.form import MarkovGame
from games.markov.parts import check_memory

__all__ = [
    "LowRank",
    "combination_lock",
    "congestion",
    "garnet",
    "low_rank",
    "low_rank_game",
    "routing",
    "turn_based",
]

Reals = NDArray[np.float64]

_KINDS = ("general_sum", "zero_sum", "cooperative")


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ParameterError(name, value, f"{least} or more")


def _rewards(rng: np.random.Generator, seats: int, s: int, joint: int, kind: str) -> Reals:
    if kind not in _KINDS:
        raise ParameterError("payoff", kind, f"one of {', '.join(_KINDS)}")
    if kind == "zero_sum" and seats != 2:
        raise ParameterError("payoff", kind, f"general_sum or cooperative for {seats} seats")
    check_memory(float(seats) * s * joint, "the rewards")
    if kind == "general_sum":
        return rng.uniform(0.0, 1.0, (seats, s, joint))
    one = rng.uniform(-1.0, 1.0, (s, joint))
    return np.stack([one, -one]) if kind == "zero_sum" else np.repeat(one[None], seats, axis=0)


def _branches(rng: np.random.Generator, rows: int, s: int, branching: int) -> tuple[Any, Any]:
    """Return targets and probabilities of `branching` different states a row, (rows, B) each."""
    if branching == s:
        targets = np.broadcast_to(np.arange(s), (rows, s)).copy()
    else:
        # Where a row has a state twice it is drawn again, so all subsets are equally likely.
        targets = rng.integers(s, size=(rows, branching))
        while True:
            ordered = np.sort(targets, axis=1)
            twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
            if not twice.any():
                break
            targets[twice] = np.argsort(rng.random((int(twice.sum()), s)), axis=1)[:, :branching]
    cuts = np.sort(rng.random((rows, branching - 1)), axis=1)
    edges = np.concatenate([np.zeros((rows, 1)), cuts, np.ones((rows, 1))], axis=1)
    return targets, np.diff(edges, axis=1)


def garnet(
    *,
    states: int = 20,
    seats: int = 2,
    actions: int = 3,
    branching: int = 3,
    payoff: str = "general_sum",
    discount: float = 0.9,
    seed: int = 0,
) -> MarkovGame:
    """Random games: each joint action leads to `branching` random states.

    Source: Archibald, McKinnon and Thomas 1995 (random MDPs), for several seats.
    """
    rest = {"branching": branching, "payoff": payoff, "discount": discount, "seed": seed}
    return _random(states, seats, actions, turns=False, **rest)


def turn_based(
    *,
    states: int = 20,
    seats: int = 2,
    actions: int = 3,
    branching: int = 3,
    payoff: str = "general_sum",
    discount: float = 0.9,
    seed: int = 0,
) -> MarkovGame:
    """Random games in which one seat, state by state, moves alone."""
    rest = {"branching": branching, "payoff": payoff, "discount": discount, "seed": seed}
    return _random(states, seats, actions, turns=True, **rest)


def _random(
    states: int,
    seats: int,
    actions: int,
    *,
    branching: Any,
    payoff: Any,
    discount: Any,
    seed: Any,
    turns: bool,
) -> MarkovGame:
    from scipy.sparse import csr_array

    _at_least("states", states, 1)
    _at_least("seats", seats, 1)
    _at_least("actions", actions, 1)
    if not 1 <= branching <= states:
        raise ParameterError("branching", branching, f"1 to {states}, the number of states")
    joint = actions**seats
    check_memory(float(states) * joint * (2 * branching + seats), "the game")
    rng = generator(seed, "turn_based" if turns else "garnet")
    reward = _rewards(rng, seats, states, joint, payoff)
    targets, chances = _branches(rng, states * joint, states, branching)
    legal = None
    if turns:
        legal = [np.zeros((states, actions), dtype=np.bool_) for _ in range(seats)]
        owner = np.arange(states) % seats
        for seat in range(seats):
            legal[seat][:, 0] = True
            legal[seat][owner == seat] = True
    rows = np.arange(0, states * joint * branching + 1, branching)
    order = np.argsort(targets, axis=1)
    matrix = csr_array(
        (
            np.take_along_axis(chances, order, axis=1).ravel(),
            np.take_along_axis(targets, order, axis=1).ravel(),
            rows,
        ),
        shape=(states * joint, states),
    )
    return MarkovGame(
        matrix,
        reward.reshape(seats, states, *([actions] * seats)),
        0,
        discount=discount,
        legal=legal,
        title=f"Random {'turn-based ' if turns else ''}Markov game, {payoff}",
    )


def congestion(
    seats: int = 4, facilities: int = 3, penalty: float = 10.0, discount: float = 0.9
) -> MarkovGame:
    """A safe state and a distancing state; everyone picks a facility and likes company.

    Facility f pays (f + 1) times the number of seats that picked it. When more than half
    pick one, the distancing state follows, in which all payoffs are `penalty` lower, until
    they spread evenly.

    Source: Leonardos, Overman, Panageas and Piliouras 2022, "Global convergence of
    multi-agent policy gradient in Markov potential games", section 5.
    """
    _at_least("seats", seats, 2)
    _at_least("facilities", facilities, 2)
    joint = facilities**seats
    check_memory(float(joint) * seats * 4, "the game")
    picks = np.array(list(product(range(facilities), repeat=seats)))
    load = np.stack([(picks == f).sum(axis=1) for f in range(facilities)], axis=1)
    pay = (picks + 1) * np.take_along_axis(load, picks, axis=1)
    reward = np.stack([pay.T, pay.T - penalty], axis=1).astype(np.float64)
    crowded = load.max(axis=1) > seats / 2
    spread = load.max(axis=1) <= -(-seats // facilities)
    transition = np.zeros((2, joint, 2))
    transition[0, np.arange(joint), crowded.astype(int)] = 1.0
    transition[1, np.arange(joint), (~spread).astype(int)] = 1.0
    shape = [facilities] * seats
    return MarkovGame(
        transition.reshape(2, *shape, 2),
        reward.reshape(seats, 2, *shape),
        0,
        discount=discount,
        state_names=("safe", "distancing"),
        title="Congestion with a distancing state",
    )


def routing(
    seats: int = 2, layers: int = 3, width: int = 2, toll: float = 1.0, seed: int = 0
) -> MarkovGame:
    """Everyone crosses a layered road network, one layer a step, from node 0.

    Every seat picks the node of the next layer. A road costs a random constant (the same
    for all) and `toll` for each seat that takes it at the same time.

    Source: Rosenthal 1973, Int. J. Game Theory 2 (congestion), played in stages.
    """
    _at_least("seats", seats, 1)
    _at_least("layers", layers, 1)
    _at_least("width", width, 2)
    if toll < 0:
        raise ParameterError("toll", toll, "zero or more")
    places, joint = width**seats, width**seats
    s = 1 + (layers - 1) * places + 1
    check_memory(float(s) * joint * (seats + s), "the game")
    base = generator(seed, "routing").uniform(0.0, 1.0, (layers, width, width))
    choices = np.array(list(product(range(width), repeat=seats)))
    transition = np.zeros((s, joint, s))
    reward = np.zeros((seats, s, joint))
    names = ["start"]
    for layer in range(layers):
        for spot in range(1 if layer == 0 else places):
            at = choices[spot]
            state = 0 if layer == 0 else 1 + (layer - 1) * places + spot
            if layer:
                names.append(f"layer {layer}, at {' '.join(map(str, at))}")
            for a, to in enumerate(choices):
                same = (at[:, None] == at[None]) & (to[:, None] == to[None])
                reward[:, state, a] = -(base[layer, at, to] + toll * same.sum(axis=1))
                transition[state, a, s - 1 if layer == layers - 1 else 1 + layer * places + a] = 1.0
    transition[s - 1, :, s - 1] = 1.0
    shape = [width] * seats
    return MarkovGame(
        transition.reshape(s, *shape, s),
        reward.reshape(seats, s, *shape),
        0,
        horizon=layers,
        terminal=[s - 1],
        state_names=[*names, "arrived"],
        title="Routing through a layered network",
    )


def combination_lock(
    length: int = 4, actions: int = 3, code: int = 0, opens: bool = True, blind: bool = False
) -> MarkovGame:
    """A lock that only one sequence of the first seat's actions opens, then matching pennies.

    A wrong combination leads to a state that pays nothing. Behind the lock both seats pick
    heads or tails and the first is paid 1 if they agree, so that the game is worth 1/2. The
    second seat's actions do nothing before.

    Args:
        length: digits.
        actions: values of a digit (at least 2).
        code: the combination, as a number in base `actions`.
        opens: False: the right combination leads nowhere either.
        blind: states are the digits entered so far, and only after the last one it shows
            whether they are right; else a wrong digit shows at once.

    Source: combination locks, Kakade 2003, "On the sample complexity of reinforcement
    learning", section 2.4.
    """
    _at_least("length", length, 1)
    _at_least("actions", actions, 2)
    if not 0 <= code < actions**length:
        raise ParameterError("code", code, f"0 to {actions**length - 1}")
    # A place is how many digits are entered and, of a blind lock, their number.
    places = [(k, n) for k in range(length) for n in range(actions**k if blind else 1)]
    number = {place: i for i, place in enumerate(places)}
    opened, lost, over, s = len(places), len(places) + 1, len(places) + 2, len(places) + 3
    check_memory(float(s) ** 2 * actions * 2, "the game")
    transition = np.zeros((s, actions, 2, s))
    reward = np.zeros((2, s, actions, 2))
    for (k, n), state in number.items():
        for digit in range(actions):
            entered = n * actions + digit
            right = digit == code // actions ** (length - 1 - k) % actions
            if k + 1 == length:
                target = opened if opens and (entered == code if blind else right) else lost
            elif blind:
                target = number[k + 1, entered]
            else:
                target = number[k + 1, 0] if right else lost
            transition[state, digit, :, target] = 1.0
    transition[opened, :, :, over] = 1.0
    transition[lost, :, :, lost] = transition[over, :, :, over] = 1.0
    win = np.zeros((actions, 2))
    win[0, 0] = win[1, 1] = 1.0
    reward[0, opened], reward[1, opened] = win, -win
    first = np.ones((s, actions), dtype=np.bool_)
    first[opened, 2:] = False
    names = [f"digit {k}" + (f" after {n}" if blind and k else "") for k, n in places]
    return MarkovGame(
        transition,
        reward,
        0,
        horizon=length + 1,
        legal=[first, np.ones((s, 2), dtype=np.bool_)],
        state_names=[*names, "open", "lost", "over"],
        title="Combination lock with matching pennies behind it",
    )


@dataclass(frozen=True, eq=False)
class LowRank:
    """A game whose transitions and rewards are linear in known features.

    Attributes:
        form: the game.
        features: φ(s, a), distributions over D, shape (S, J, D).
        target: μ, the state distribution of each feature, shape (D, S).
        weights: θ_i, rewards of each feature, shape (n, D).
    """

    form: MarkovGame
    features: Reals
    target: Reals
    weights: Reals


def low_rank(
    *,
    states: int = 20,
    seats: int = 2,
    actions: int = 3,
    rank: int = 4,
    horizon: int = 4,
    payoff: str = "general_sum",
    seed: int = 0,
) -> LowRank:
    """Random games with P(s' | s, a) = φ(s, a)·μ(s') and r_i(s, a) = φ(s, a)·θ_i.

    Source: Jin, Yang, Wang and Jordan 2020 (linear MDPs), for several seats.
    """
    _at_least("states", states, 1)
    _at_least("rank", rank, 1)
    joint = actions**seats
    check_memory(float(states) * joint * (states + rank), "the game")
    rng = generator(seed, "low_rank")
    features = rng.dirichlet(np.full(rank, 0.5), size=(states, joint))
    target = rng.dirichlet(np.full(states, 0.5), size=rank)
    weights = _rewards(rng, seats, 1, rank, payoff)[:, 0]
    transition = (features @ target).reshape(states, *([actions] * seats), states)
    reward = np.einsum("saj,ij->isa", features, weights)
    form = MarkovGame(
        transition / transition.sum(axis=-1, keepdims=True),
        reward.reshape(seats, states, *([actions] * seats)),
        0,
        horizon=horizon,
        title=f"Low-rank Markov game of rank {rank}",
    )
    return LowRank(form, features, target, weights)


def low_rank_game(
    *,
    states: int = 20,
    seats: int = 2,
    actions: int = 3,
    rank: int = 4,
    horizon: int = 4,
    payoff: str = "general_sum",
    seed: int = 0,
) -> MarkovGame:
    """Random games of low rank; see `low_rank` for the features."""
    return low_rank(
        states=states,
        seats=seats,
        actions=actions,
        rank=rank,
        horizon=horizon,
        payoff=payoff,
        seed=seed,
    ).form
