"""Games in which skill is known: everybody names a number, and the numbers decide.

An agent of skill s names s plus Gumbel noise, so that who is higher follows Bradley and
Terry's model exactly, with s in Elo points.
"""

from __future__ import annotations

import numpy as np

import arena
from arena.errors import AgentError
from arena.game import Game, Snapshot
from arena.registry import GAMES
from arena.rng import Stream
from arena.types import Discrete

SIZE = 6001
ZERO = 3000
SCALE = 400.0 / np.log(10.0)
_ACTIONS = range(SIZE)
_MASK = np.ones(SIZE, dtype=np.bool_)


class Naming:
    """One episode: all seats at once, once."""

    def __init__(self, seats, pay):
        self.seats, self.pay, self.paid = seats, pay, None

    def actors(self):
        return () if self.paid is not None else tuple(range(self.seats))

    def legal(self, seat):
        return [] if self.paid is not None else _ACTIONS

    def observe(self, seat):
        return Snapshot(seat, _ACTIONS, _MASK, key=f"seat {seat}", view="name a number")

    def step(self, actions):
        self.paid = self.pay(np.array([float(actions[s]) - ZERO for s in range(self.seats)]))

    def rewards(self):
        return self.returns()

    def returns(self):
        return np.zeros(self.seats) if self.paid is None else self.paid

    def clone(self):
        twin = Naming(self.seats, self.pay)
        twin.paid = self.paid
        return twin

    def render(self):
        return str(self.paid)


def _ranked(numbers):
    above = (numbers[:, None] > numbers[None, :]).sum(axis=1).astype(float)
    below = (numbers[:, None] < numbers[None, :]).sum(axis=1)
    return (above - below) / max(len(numbers) - 1, 1)


def _together(numbers):
    return np.full(len(numbers), np.clip(numbers.mean() / 1000.0, -3.0, 3.0))


def contest(players: int = 2) -> Game:
    return _game("test_contest", players, "zero_sum", _ranked, (-1.0, 1.0))


def duet(players: int = 2) -> Game:
    return _game("test_duet", players, "cooperative", _together, (-3.0, 3.0))


def _game(name, players, payoff, pay, bounds):
    return Game(
        id=name,
        params={} if players == 2 else {"players": players},
        seats=players,
        actions=(Discrete(SIZE),) * players,
        payoff=payoff,
        turns="simultaneous",
        forms={"state": lambda seed: Naming(players, pay)},
        payoff_bounds=bounds,
        max_length=players,
        version=VERSION[0],
    )


VERSION = ["1"]

for _name, _make in (("test_contest", contest), ("test_duet", duet)):
    if _name not in GAMES.names():
        arena.register_game(_name)(_make)


class Number:
    """Names its skill plus noise."""

    def __init__(self, skill: float = 0.0, noise: float = SCALE):
        self.skill, self.noise = skill, noise

    def begin(self, game, seat, seed):
        if not game.id.startswith("test_"):
            raise AgentError(f"I do not know {game.id}")
        self.stream = Stream(seed)

    def act(self, observation):
        u = min(max(self.stream.random(), 1e-12), 1.0 - 1e-12)
        return int(np.clip(round(self.skill - self.noise * np.log(-np.log(u))) + ZERO, 0, SIZE - 1))

    def close(self):
        pass


class Faulty(Number):
    """Begins well."""

    def act(self, observation):
        raise ValueError("I give up")
