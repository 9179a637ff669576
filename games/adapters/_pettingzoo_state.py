"""Episodes of PettingZoo environments as arena states: turn by turn (AEC) or parallel.

A state owns an environment. What PettingZoo asks its users to do is done inside: the
empty steps of agents that have died, rewards that come between an agent's turns, agents
that join late. An action that the environment forbids never reaches it.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.errors import ArenaError, FormError, IllegalActionError
from arena.rng import derive
from arena.types import Action, Floats
from games.adapters._pettingzoo_copy import copy_env, same
from games.adapters._pettingzoo_seats import Kind, PettingZooObservation
from games.adapters._pettingzoo_spaces import mask_of

__all__ = ["AecState", "ParallelState", "fold"]

_SEED_BITS = 31

_PROBE = 32  # steps over which a copy is compared before copies are trusted


def fold(seed: int) -> int:
    """Return the seed that `reset` is given: itself below 2^31, else a 31-bit digest.

    Many environments pass their seed to generators that take no more.
    """
    if 0 <= seed < 1 << _SEED_BITS:
        return int(seed)
    return derive(seed, "pettingzoo") & ((1 << _SEED_BITS) - 1)


class _Episode(ABC):
    """What the two kinds of states have in common."""

    __slots__ = (
        "_alive",
        "_ended",
        "_joined",
        "_last",
        "_log",
        "_looks",
        "_returns",
        "_rewards",
        "_seed",
        "env",
        "kind",
    )

    def __init__(self, kind: Kind, seed: int) -> None:
        self.kind = kind
        self.env = kind.make()
        self._seed = seed
        self._log: list[dict[int, Action]] = []
        self._returns = [0.0] * len(kind.agents)
        self._rewards = [0.0] * len(kind.agents)
        self._ended: dict[int, str] = {}
        self._joined: set[int] = set()
        self._alive: tuple[int, ...] = ()
        # Last observation and info of each seat; of those that have left, the final ones.
        self._last: dict[int, tuple[Any, Any]] = {}
        self._looks: dict[int, PettingZooObservation] = {}
        self._begin(fold(seed))

    @abstractmethod
    def _begin(self, seed: int) -> None:
        """Reset the environment and find out who is to move."""

    @abstractmethod
    def _apply(self, joint: Mapping[int, Any]) -> None:
        """Pass checked actions on and find out what they led to."""

    @abstractmethod
    def _native(self, seat: int) -> tuple[Any, Any]:
        """Return the environment's own observation and info of `seat`."""

    def actors(self) -> tuple[int, ...]:
        """Return the seats to move now; none when it is over."""
        return self._alive

    def observe(self, seat: int) -> PettingZooObservation:
        """Return what `seat` is shown now (after it has left: what it was shown last)."""
        look = self._looks.get(seat)
        if look is None:
            native, info = self._native(seat)
            n = self.kind.actions[seat].n
            actions: list[int] | None = None
            if n is not None:
                actions = []
                if seat in self._alive:
                    mask = mask_of(native, info)
                    actions = list(range(n)) if mask is None else np.flatnonzero(mask).tolist()
            look = PettingZooObservation(self.kind, seat, native, info, actions)
            self._looks[seat] = look
        return look

    def legal(self, seat: int) -> Sequence[int] | None:
        """Return the legal actions of `seat`, increasing; None if they are not discrete."""
        return self.observe(seat).actions

    def step(self, actions: Mapping[int, Action]) -> None:
        """Apply the actions of exactly the acting seats.

        Raises:
            IllegalActionError: an action is not legal; the environment has seen none of them.
        """
        alive = self._alive
        if len(actions) != len(alive) or any(seat not in actions for seat in alive):
            raise IllegalActionError(f"seats {sorted(actions)} moved where {list(alive)} were to")
        joint = {}
        for seat in alive:
            look = self.observe(seat)
            mask = mask_of(look.native, look.info)
            joint[seat] = self.kind.actions[seat].native(seat, actions[seat], mask)
        self._log.append({seat: copy.copy(actions[seat]) for seat in alive})
        self._rewards = [0.0] * len(self._rewards)
        self._looks = {}
        self._apply(joint)

    def _pay(self, rewards: Mapping[Any, Any]) -> None:
        seats = self.kind.seat
        for agent, reward in rewards.items():
            if reward:
                seat = seats[agent]
                value = float(reward.item() if isinstance(reward, np.ndarray) else reward)
                self._rewards[seat] += value
                self._returns[seat] += value

    def rewards(self) -> Floats:
        """Return what the last step paid, shape (n,)."""
        return np.array(self._rewards, dtype=np.float64)

    def returns(self) -> Floats:
        """Return the payoffs so far, shape (n,)."""
        return np.array(self._returns, dtype=np.float64)

    def status(self) -> tuple[str, ...]:
        """Return for each seat `waiting`, `playing`, `terminated` or `truncated`.

        A seat for which the environment says both has terminated.
        """
        return tuple(
            self._ended.get(seat) or ("playing" if seat in self._joined else "waiting")
            for seat in range(len(self.kind.agents))
        )

    @property
    def truncated(self) -> bool:
        """Whether the episode is over and some seat was cut off rather than finished."""
        return not self._alive and "truncated" in self._ended.values()

    def render(self) -> str:
        """Return the environment's own text, or else what each seat is shown."""
        if self.kind.ansi:
            return str(self.env.render())
        return "\n".join(
            f"{agent}:\n{self.observe(seat).view}" for seat, agent in enumerate(self.kind.agents)
        )

    def clone(self) -> _Episode:
        """Return an independent copy that will draw the same chance.

        The environment is deep-copied where that works: the first time, a copy and an
        episode replayed from the seed play on side by side, and only if they agree are
        copies used from then on. Otherwise every clone is replayed from the seed and the
        actions so far, and compared with the original.

        Raises:
            FormError: the environment can be neither copied nor replayed.
        """
        if self.kind.copies is None:
            self.kind.copies = self._copies_play_alike()
        return self._copied() if self.kind.copies else self._replayed()

    def _copied(self) -> _Episode:
        cls = type(self)
        twin = cls.__new__(cls)
        names = [name for base in cls.__mro__ for name in getattr(base, "__slots__", ())]
        for name in set(names) - {"env", "kind", "_last", "_looks"}:
            setattr(twin, name, copy.copy(getattr(self, name)))
        twin.kind = self.kind
        # The environment may later write into arrays that it has handed out.
        twin._last = copy.deepcopy(self._last)
        twin._looks = {}
        twin.env = copy_env(self.env)
        return twin

    def _replayed(self) -> _Episode:
        twin = type(self)(self.kind, self._seed)
        for joint in self._log:
            twin.step(joint)
        if not same(twin._signature(), self._signature()):
            raise FormError(
                self.kind.id, "clone (the same seed and actions led elsewhere)", ["state"]
            )
        return twin

    def _copies_play_alike(self) -> bool:
        before = copy.deepcopy(self._signature())
        try:
            twin = self._copied()
        except Exception:
            # Whatever a third-party object raises when copied, it cannot be copied.
            return False
        other = self._replayed()
        samplers = [copy.deepcopy(actions.space) for actions in self.kind.actions]
        for seat, sampler in enumerate(samplers):
            sampler.seed(seat)
        for _ in range(_PROBE):
            if not same(twin._signature(), other._signature()):
                return False
            if not twin.actors():
                break
            joint: dict[int, Action] = {}
            for seat in twin.actors():
                look, actions = twin.observe(seat), self.kind.actions[seat]
                mask = mask_of(look.native, look.info)
                if actions.n is not None and mask is not None:
                    mask = np.asarray(mask, dtype=np.int8)
                joint[seat] = samplers[seat].sample(mask) - actions.start
            try:
                twin.step(joint)
            except Exception:
                # A copy that is broken inside; the replayed one is whole.
                return False
            other.step(joint)
        return same(before, self._signature())

    def _signature(self) -> tuple[Any, ...]:
        looks = tuple(self.observe(seat).native for seat in self._alive)
        return self._alive, self.status(), tuple(self._returns), looks


class AecState(_Episode):
    """An episode of an AEC environment: one seat moves at a time."""

    __slots__ = ()

    def _begin(self, seed: int) -> None:
        self.env.reset(seed=seed)
        self._settle()

    def _apply(self, joint: Mapping[int, Any]) -> None:
        for action in joint.values():
            self.env.step(action)
        self._settle()

    def _settle(self) -> None:
        """Collect rewards and see dead agents off until a live one is to move."""
        env, seats = self.env, self.kind.seat
        self._alive = ()
        for _ in range(2 * len(seats) + 1):
            self._pay(env.rewards)
            agents = env.agents
            if not agents:
                return
            if len(agents) + len(self._ended) > len(self._joined):
                self._joined.update(seats[agent] for agent in agents)
            agent = env.agent_selection
            terminated, truncated = env.terminations[agent], env.truncations[agent]
            seat = seats[agent]
            if not (terminated or truncated):
                self._alive = (seat,)
                return
            self._ended[seat] = "terminated" if terminated else "truncated"
            self._last[seat] = copy.deepcopy((env.observe(agent), env.infos.get(agent, {})))
            env.step(None)
        raise ArenaError(f"{self.kind.id}: the environment does not remove agents that have died")

    def _native(self, seat: int) -> tuple[Any, Any]:
        agent = self.kind.agents[seat]
        if seat not in self._alive and agent not in self.env.agents:
            return self._last.get(seat, (None, {}))
        return self.env.observe(agent), self.env.infos.get(agent, {})


class ParallelState(_Episode):
    """An episode of a parallel environment: all live seats move at once.

    A seat whose mask allows nothing sits the step out; the environment, which wants an
    action of every live agent, is given the first one for it.
    """

    __slots__ = ("_playing",)

    def _begin(self, seed: int) -> None:
        self._playing: tuple[int, ...] = ()
        observations, infos = self.env.reset(seed=seed)
        self._settle(observations, infos, {}, {})

    def _apply(self, joint: Mapping[int, Any]) -> None:
        agents, actions = self.kind.agents, self.kind.actions
        sent = {agents[seat]: action for seat, action in joint.items()}
        for seat in self._playing:
            if seat not in joint:
                sent[agents[seat]] = actions[seat].start
        observations, rewards, terminations, truncations, infos = self.env.step(sent)
        self._pay({agent: pay for agent, pay in rewards.items() if agent in self.kind.seat})
        self._settle(observations, infos, terminations, truncations)

    def _settle(
        self,
        observations: Mapping[Any, Any],
        infos: Mapping[Any, Any],
        terminations: Mapping[Any, Any],
        truncations: Mapping[Any, Any],
    ) -> None:
        seats = self.kind.seat
        for agent, native in observations.items():
            # PettingZoo allows further keys, such as "common", beside the agents'.
            if agent in seats:
                self._last[seats[agent]] = (native, infos.get(agent, {}))
        present = [seats[agent] for agent in self.env.agents]
        self._joined.update(present)
        for ends, word in ((truncations, "truncated"), (terminations, "terminated")):
            for agent, flag in ends.items():
                if flag and agent in seats:
                    seat = seats[agent]
                    self._ended[seat] = word
                    self._last[seat] = copy.deepcopy(self._last.get(seat, (None, {})))
        self._playing = tuple(sorted(seat for seat in present if seat not in self._ended))
        self._alive = tuple(seat for seat in self._playing if self._may_move(seat))
        if self._playing and not self._alive:
            raise ArenaError(f"{self.kind.id}: the environment leaves no agent a legal action")

    def _may_move(self, seat: int) -> bool:
        if self.kind.actions[seat].n is None:
            return True
        mask = mask_of(*self._last[seat])
        return mask is None or bool(np.any(mask))

    def _native(self, seat: int) -> tuple[Any, Any]:
        return self._last.get(seat, (None, {}))
