"""Battles for learners: N episodes stepped in place, everything they see in fixed arrays.

```python
import arena
from games.skirmish import Rollout

battles = Rollout(arena.make("skirmish/3m"), envs=64, seed=1)
battles.step(actions)  # (N, n); then read battles.obs, .state, .avail, .reward, .done, …
```

After a step all arrays hold the new situation; nothing is allocated, so whoever wants to keep
them copies. Episode e of environment k follows from the seed, k and e alone, whatever the
number of environments or threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, NotApplicableError, ParameterError
from arena.game import Game
from arena.rng import derive, derive_many, stream_states
from games.batch import as_seeds
from games.skirmish import layout as at
from games.skirmish._kernels import (
    first_unavailable,
    roll,
    start_all,
    view_all,
)
from games.skirmish._smax_kernels import NO_NOISE
from games.skirmish.battle import Battle
from games.skirmish.threads import Threads
from games.skirmish.world import empty

__all__ = ["Rollout", "battle_of"]


def battle_of(game: Game | Battle) -> Battle:
    """Return the battle that a game is.

    Raises:
        NotApplicableError: the game is not a skirmish.
    """
    if isinstance(game, Battle):
        return game
    if "skirmish" not in game.forms:
        raise NotApplicableError(f"{game.key} is not a skirmish")
    battle: Battle = game.form("skirmish")
    return battle


class Rollout:
    """N episodes, stepped in place.

    Where the game's seats are the allies, n is their number; with `side="both"` it is that of
    all units, team 0 first. Observations and masks of seats that have fewer numbers than
    others end in zeros. The dead have one action (no-op in mode `smac`, stop in `smax`), and
    what they play is ignored.

    Attributes:
        battle: what is played.
        obs: float32, shape (N, n, D).
        state: float32, shape (N, S).
        avail: bool, shape (N, n, A).
        reward: float64, shape (N, T): what the last step paid; T is 1, or 2 teams.
        done: bool, shape (N,): the last step ended the episode.
        cut: bool, shape (N,): … and it was the time limit that did.
        won: int32, shape (N,): the team that won it, −1 for none.
        length: int32, shape (N,): decisions of the episode so far, or of the one that ended.
        last_obs: with `auto_reset`, what the last step of an episode that is `done` showed
            (rows of other environments are older), while `obs` shows the next one's start.
        last_state: likewise.
        last_avail: likewise.
    """

    def __init__(
        self,
        game: Game | Battle,
        *,
        envs: int,
        seed: int,
        threads: int = 1,
        auto_reset: bool = True,
        check: bool = True,
    ) -> None:
        """Begin the first episodes.

        Args:
            game: the skirmish, such as `arena.make("skirmish/3m")`.
            envs: N.
            seed: everything random follows from it.
            threads: how many threads share the environments.
            auto_reset: an episode that ends makes room for the next one in the same step;
                otherwise it stays as it is, pays nothing, and waits for `reset`.
            check: refuse actions that are not available; the check costs little.

        Raises:
            NotApplicableError: the game is not a skirmish.
            ParameterError: not that many environments or threads.
        """
        self.battle = battle = battle_of(game)
        _at_least_one("envs", envs)
        _at_least_one("threads", threads)
        self.envs, self.threads, self.check = envs, threads, check
        self._threads = Threads(threads, envs)
        self.auto_reset = auto_reset
        self.world: at.World = empty(battle, envs)
        seats, teams = battle.seats, 2 if battle.both else 1
        sizes = battle.obs_sizes if battle.both else battle.obs_sizes[:1]
        actions = battle.actions if battle.both else battle.actions[:1]
        self.obs = np.zeros((envs, seats, max(sizes)), dtype=np.float32)
        self.state = np.zeros((envs, battle.state_size), dtype=np.float32)
        self.avail = np.zeros((envs, seats, max(actions)), dtype=np.bool_)
        kept = envs if auto_reset else 0
        self.last_obs = np.zeros((kept, *self.obs.shape[1:]), dtype=np.float32)
        self.last_state = np.zeros((kept, battle.state_size), dtype=np.float32)
        self.last_avail = np.zeros((kept, *self.avail.shape[1:]), dtype=np.bool_)
        self.reward = np.zeros((envs, teams))
        self.done = np.zeros(envs, dtype=np.bool_)
        self.cut = np.zeros(envs, dtype=np.bool_)
        self.won = np.full(envs, -1, dtype=np.int32)
        self.length = np.zeros(envs, dtype=np.int32)
        self._now = (self.obs, self.state, self.avail)
        self._last = (self.last_obs, self.last_state, self.last_avail)
        self._told = (self.reward, self.done, self.cut, self.won, self.length)
        seeds = derive_many(derive(seed, "skirmish", "rollout"), np.arange(envs))
        self._restarts = seeds if auto_reset else np.zeros(0, dtype=np.uint64)
        self._seeds = seeds.copy()
        self._begun = 0
        self.reset()

    def reset(
        self,
        episodes: NDArray[np.integer[Any]] | None = None,
        *,
        seeds: NDArray[np.integer[Any]] | Sequence[int] | None = None,
    ) -> None:
        """Begin new episodes.

        Args:
            episodes: numbers of the environments, shape (M,); None: all.
            seeds: of the episodes, shape (M,): they are those of `game.state(seed)`, bit for
                bit. By default they follow from the rollout's own seed.

        Raises:
            ParameterError: not a seed for each.
        """
        chosen = np.arange(self.envs) if episodes is None else np.asarray(episodes)
        self._begun += 1
        if seeds is None:
            streams = derive_many(derive(self._begun, "reset"), self._seeds[chosen])
        else:
            streams = stream_states(as_seeds(seeds))
            if streams.shape != chosen.shape:
                raise ParameterError(
                    "seeds", streams.shape, f"one for each of {chosen.shape} episodes"
                )
        start_all(self.world, self.battle.rules, self.battle.ground, chosen, streams)
        self.reward[chosen] = 0.0
        self.done[chosen] = self.cut[chosen] = False
        self.won[chosen] = -1
        self.length[chosen] = 0
        view_all(self.world, self.battle.rules, self.battle.ground, *self._now)

    def step(self, actions: NDArray[np.integer[Any]]) -> None:
        """Play one decision in every environment.

        Args:
            actions: shape (N, n).

        Raises:
            IllegalActionError: a living unit's action is not available; nothing has changed.
        """
        if actions.shape != self.obs.shape[:2] or not np.issubdtype(actions.dtype, np.integer):
            raise IllegalActionError(
                f"{self.battle.where}: actions of shape {actions.shape} and type"
                f" {actions.dtype}, where integers of shape {self.obs.shape[:2]} were to come"
            )
        if self.check:
            self._check(actions)
        self._threads.run(
            roll,
            self.world,
            self.battle.rules,
            self.battle.ground,
            actions,
            NO_NOISE,
            self._now,
            self._last,
            self._told,
            self._restarts,
        )

    def _check(self, actions: NDArray[np.integer[Any]]) -> None:
        k, seat = first_unavailable(self.world.heads, self.world.units, self.avail, actions)
        if k >= 0:
            raise IllegalActionError(
                f"{self.battle.where}: environment {k}: {self.battle.unit_name(seat)} played"
                f" {actions[k, seat]}; available are {np.flatnonzero(self.avail[k, seat]).tolist()}"
            )


def _at_least_one(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(name, value, "an integer ≥ 1", where="skirmish rollout")
