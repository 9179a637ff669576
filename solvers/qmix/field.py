"""Teams at play for value learners: many episodes in step, from skirmishes or any `batch`.

A *field* is N episodes of a game whose seats form T teams of n agents: E = N · T team
episodes, those of one episode next to each other. All arrays are renewed by `step`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.game import Game
from games.skirmish import Battle
from games.skirmish.layout import FIELD_SIZE
from solvers.training.seats import unlike_seats

__all__ = ["BatchField", "Field", "SkirmishField", "make_field", "team_count", "unfit"]


class Field(Protocol):
    """What learners see.

    Attributes:
        obs: float32, shape (E, n, D).
        state: float32, what a mixer is shown, shape (E, S).
        avail: bool, shape (E, n, A).
        reward: what the last step paid the team, shape (E,).
        done: the episode is over, shape (E,).
        cut: … by a time limit, not by the rules, shape (E,).
        won: … and this team has won it, where games know winners, shape (E,).
        winners: whether they do.
    """

    obs: NDArray[np.float32]
    state: NDArray[np.float32]
    avail: NDArray[np.bool_]
    reward: NDArray[np.float64]
    done: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    won: NDArray[np.bool_]
    winners: bool

    def reset(self, seeds: NDArray[np.uint64]) -> None:
        """Begin N episodes, shape (N,)."""

    def step(self, actions: NDArray[np.int64]) -> None:
        """Play one joint action in each episode, shape (E, n); what is over stays as it is."""


class SkirmishField:
    """Battles; with `side="both"` two teams each.

    Team 1 sees the field turned (`games.skirmish.turn`), so that one network plays both sides;
    states say which team they are for. Those of mode `smax` are shown as shares of their ranges:
    as SMAX has them, positions go up to 32 and cooldowns fall without end, and a mixer makes
    its weights from them.
    """

    winners = True

    def __init__(self, game: Game, episodes: int) -> None:
        from games.skirmish import Rollout
        from games.skirmish.turn import half_turn

        self._battles = battles = Rollout(
            game, envs=episodes, seed=0, auto_reset=False, check=False
        )
        self._teams = teams = battles.reward.shape[1]
        self._share = _state_shares(battles.battle) if battles.battle.smax else None
        count, agents = episodes * teams, battles.battle.allies
        self.reward = battles.reward.reshape(count)
        self.won = np.zeros(count, dtype=np.bool_)
        self._whose = np.tile(np.arange(teams), episodes)
        if teams == 1:
            self.obs, self.avail = battles.obs, battles.avail
            self.state, self.done, self.cut = battles.state, battles.done, battles.cut
            if self._share is not None:
                self.state = np.zeros_like(battles.state)
            return
        self._turn = half_turn(battles.battle)
        size = battles.state.shape[1]
        self.obs = np.zeros((count, agents, battles.obs.shape[2]), dtype=np.float32)
        self.avail = np.zeros((count, agents, battles.avail.shape[2]), dtype=np.bool_)
        self.state = np.zeros((count, size + teams), dtype=np.float32)
        self.state[:, size:] = np.tile(np.eye(teams, dtype=np.float32), (episodes, 1))
        self.done, self.cut = np.zeros((2, count), dtype=np.bool_)
        self._joint = np.zeros(battles.obs.shape[:2], dtype=np.int64)

    def reset(self, seeds: NDArray[np.uint64]) -> None:
        """See `Field`."""
        self._battles.reset(seeds=seeds)
        self._renew()

    def step(self, actions: NDArray[np.int64]) -> None:
        """See `Field`."""
        if self._teams == 1:
            self._battles.step(actions)
        else:
            self._joint[:, : actions.shape[1]] = actions[0::2]
            self._joint[:, actions.shape[1] :] = self._turn.action[actions[1::2]]
            self._battles.step(self._joint)
        self._renew()

    def _renew(self) -> None:
        battles, teams = self._battles, self._teams
        if teams > 1:
            agents = self.obs.shape[1]
            self.obs[0::2] = battles.obs[:, :agents]
            self.obs[1::2] = self._turn.look(battles.obs[:, agents:])
            self.avail[0::2] = battles.avail[:, :agents]
            self.avail[1::2] = self._turn.mask(battles.avail[:, agents:])
            self.state[:, : battles.state.shape[1]] = np.repeat(self._shown(), teams, axis=0)
            self.done[:] = np.repeat(battles.done, teams)
            self.cut[:] = np.repeat(battles.cut, teams)
        elif self._share is not None:
            self.state[:] = self._shown()
        np.equal(np.repeat(battles.won, teams), self._whose, out=self.won)

    def _shown(self) -> NDArray[np.float32]:
        state = self._battles.state
        return state if self._share is None else np.clip(state * self._share, 0.0, 1.0)


def _state_shares(battle: Battle) -> NDArray[np.float32]:
    """Return what makes SMAX's states go from 0 to 1, shape (S,); what is below 0 is as good as 0.

    Of each unit: health, already a share, x, y, cooldown, bits of its type; then all units'
    teams and all their types' numbers.
    """
    periods = [unit.period for unit in battle.kinds]
    unit = [1.0, 1.0 / FIELD_SIZE, 1.0 / FIELD_SIZE, 1.0 / max(periods)] + len(periods) * [1.0]
    numbers = [1.0] * battle.units + [1.0 / (len(periods) - 1)] * battle.units
    return np.array(battle.units * unit + numbers, dtype=np.float32)


class BatchField:
    """Any cooperative game with the form `batch`; the state is what all seats see together."""

    winners = False

    def __init__(self, game: Game, episodes: int) -> None:
        self._game = game
        self.reset(np.arange(episodes, dtype=np.uint64))

    def reset(self, seeds: NDArray[np.uint64]) -> None:
        """See `Field`."""
        self._batch = self._game.form("batch", seeds=seeds)
        self.reward = np.zeros(len(seeds))
        self.won = np.zeros(len(seeds), dtype=np.bool_)
        self._look()

    def step(self, actions: NDArray[np.int64]) -> None:
        """See `Field`."""
        self._batch.step(actions)
        self.reward = np.asarray(self._batch.rewards(), dtype=np.float64)[:, 0]
        self._look()

    def _look(self) -> None:
        seen = [self._batch.observe(seat) for seat in range(self._game.seats)]
        self.obs = np.stack([look.tensor for look in seen], axis=1).astype(np.float32, copy=False)
        acting = self._batch.actors()
        self.avail = np.stack([look.legal for look in seen], axis=1)
        # Whoever is not to move has one action, whose number does not matter.
        self.avail[:, :, 0] |= ~acting
        self.state = self.obs.reshape(len(self.obs), -1)
        self.done = ~acting.any(axis=1)
        cut = getattr(self._batch, "truncated", None)
        self.cut = np.zeros_like(self.done) if cut is None else self.done & cut


def make_field(game: Game, episodes: int) -> Field:
    """Return a field of so many episodes."""
    return (SkirmishField if "skirmish" in game.forms else BatchField)(game, episodes)


def team_count(game: Game) -> int:
    """Return how many teams learn."""
    return 1 if game.payoff == "cooperative" else len(set(game.teams))


def unfit(game: Game) -> str | None:
    """Return why no field can be made of a game, or None."""
    if "batch" not in game.forms:
        return f"{game.key} has no form 'batch', and value learners play episodes by batches"
    if game.turns != "simultaneous":
        return f"{game.key} is {game.turns}, and mixers need all agents to move at once"
    if game.max_length is None:
        return f"episodes of {game.key} may go on for ever, and replay keeps whole ones"
    return _unlike_teams(game) if "skirmish" in game.forms else _unlike_seats(game)


def _unlike_teams(game: Game) -> str | None:
    battle: Any = game.form("skirmish")
    sizes = (battle.allies, battle.obs_sizes[0], battle.actions[0])
    others = (battle.enemies, battle.obs_sizes[1], battle.actions[1])
    if battle.both and sizes != others:
        return (
            f"the teams of {game.key} differ (units, observations, actions: {sizes} and"
            f" {others}), and one network plays both"
        )
    return None


def _unlike_seats(game: Game) -> str | None:
    if game.payoff != "cooperative":
        return f"{game.key} is {game.payoff}; teams are learned in cooperative games and skirmishes"
    return unlike_seats(game, "one")
