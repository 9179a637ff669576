"""The form `state`: one episode, a world of one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from arena.errors import FormError, IllegalActionError
from arena.rng import stream_states
from arena.types import Action, Floats
from games.skirmish import layout as at
from games.skirmish._kernels import step_all, unlawful
from games.skirmish._smax_kernels import NO_NOISE
from games.skirmish.battle import Battle
from games.skirmish.observe import SkirmishObservation
from games.skirmish.render import svg, table
from games.skirmish.world import begin, copied, state_vectors

__all__ = ["SkirmishState", "refusal", "start"]


def start(battle: Battle, seed: int | None) -> SkirmishState:
    """Start an episode.

    Raises:
        FormError: without a seed: chance is continuous here and cannot be enumerated.
    """
    if seed is None:
        raise FormError(
            battle.where, "root", ["state", "batch"], reason="has more chance than can be listed"
        )
    seeds = np.array([int(seed) & (1 << 64) - 1], dtype=np.uint64)
    return SkirmishState(battle, begin(battle, stream_states(seeds)))


class SkirmishState:
    """See `arena.game.State`.

    Attributes:
        battle: what is played.
        world: the episode, see `games.skirmish.layout`.
    """

    __slots__ = ("_history", "battle", "world")

    def __init__(self, battle: Battle, world: at.World, history: tuple[int, ...] = ()) -> None:
        self.battle = battle
        self.world = world
        self._history = history

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return bool(self.world.heads[0, at.OVER])

    @property
    def truncated(self) -> bool:
        """Whether the limit of decisions ended it."""
        return bool(self.world.heads[0, at.CUT])

    @property
    def winner(self) -> int | None:
        """The team that has won, None if none has."""
        winner = int(self.world.heads[0, at.WINNER])
        return winner if winner >= 0 else None

    def actors(self) -> tuple[int, ...]:
        """Return the seats whose units live, or none when it is over."""
        if self.over:
            return ()
        alive = self.world.units[0, at.HEALTH, : self.battle.seats] > 0
        return tuple(np.flatnonzero(alive).tolist())

    def observe(self, seat: int) -> SkirmishObservation:
        """Return what `seat` knows."""
        return SkirmishObservation(self, seat)

    def legal(self, seat: int) -> list[int]:
        """Return the available actions of a living unit."""
        return self.observe(seat).actions

    def step(self, actions: Mapping[int, Action]) -> None:
        """Play one decision; see `arena.game.State`."""
        self._play(self._joint(actions))

    def _joint(self, actions: Mapping[int, Action]) -> NDArray[np.int64]:
        """Return the actions of all seats, checked, shape (1, n); 0 for the dead."""
        actors = self.actors()
        battle = self.battle
        if tuple(sorted(actions)) != actors or not actors:
            expected = ", ".join(map(battle.unit_name, actors)) or "nobody, the battle is over"
            raise IllegalActionError(
                f"{battle.where}: actions of seats {sorted(actions)}, but to move are {expected}"
            )
        joint = np.zeros((1, battle.seats), dtype=np.int64)
        for seat, action in actions.items():
            if isinstance(action, bool | np.bool_) or not isinstance(action, int | np.integer):
                raise IllegalActionError(
                    f"{battle.where}: {battle.unit_name(seat)} played {action!r}, where an action"
                    f" is an integer below {battle.actions[int(seat >= battle.allies)]}"
                )
            joint[0, seat] = action
        mask = np.zeros((1, 1, max(battle.actions)), dtype=np.bool_)
        _, bad = unlawful(self.world, battle.rules, battle.ground, joint, mask)
        if bad >= 0:
            raise IllegalActionError(refusal(battle, bad, int(joint[0, bad]), self.legal(bad)))
        return joint

    def _play(self, joint: NDArray[np.int64]) -> None:
        acted = tuple(int(joint[0, seat]) for seat in self.actors())
        step_all(self.world, self.battle.rules, self.battle.ground, joint, NO_NOISE, 0, 1)
        self._history += acted

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""
        return self._paid(at.REWARD_0)

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,)."""
        return self._paid(at.RETURN_0)

    def _paid(self, column: int) -> NDArray[np.float64]:
        allies, battle = self.world.pays[0, column], self.battle
        out: NDArray[np.float64] = np.full(battle.seats, allies)
        out[battle.allies :] = self.world.pays[0, column + 1]
        return out

    def state_vector(self) -> NDArray[np.float32]:
        """Return what a central learner may see of the whole state, shape (S,)."""
        vector: NDArray[np.float32] = state_vectors(self.battle, self.world)[0]
        return vector

    def history(self) -> list[int]:
        """Return the actions played, decision by decision in order of seats."""
        return list(self._history)

    def clone(self) -> SkirmishState:
        """Return an independent copy that will draw the same chance."""
        return SkirmishState(self.battle, copied(self.world), self._history)

    def action_name(self, seat: int, action: Action) -> str:
        """Return what an action of `seat` is called."""
        return self.battle.action_name(seat, int(action))

    def render(self) -> str:
        """Return the battlefield as text."""
        return table(self.battle, self.world)

    def render_svg(self) -> str:
        """Return the battlefield as an SVG document."""
        return svg(self.battle, self.world)


def refusal(battle: Battle, seat: int, action: int, available: list[int]) -> str:
    """Return why an action is not available, in words."""
    count = battle.actions[int(seat >= battle.allies)]
    if not 0 <= action < count:
        return (
            f"{battle.where}: {battle.unit_name(seat)} played {action}, where actions are 0 to"
            f" {count - 1}"
        )
    named = ", ".join(f"{a} ({battle.action_name(seat, a)})" for a in available)
    return (
        f"{battle.where}: {battle.unit_name(seat)} played {action}"
        f" ({battle.action_name(seat, action)}); available are {named}"
    )
