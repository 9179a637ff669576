"""Policies of a Markov form that was explored from a game, played in that game.

The game shows views where a Markov policy wants states, steps and public signals:

- the state follows from the view (`games.markov.views`);
- the step from the seat's own decisions so far, which `episode` counts;
- signals from the match's seed, which every agent can work out from its own
  (`arena.rng.match_seed`): seats that play the same policy draw the same joint actions, and
  the same ones as in a match of that seed on the form itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.game import Observation
from arena.rng import match_seed
from arena.types import Floats
from games.markov.form import MarkovGame
from games.markov.observation import signals
from games.markov.views import UNKNOWN, Steps, Views, plain, steps_of
from solvers.markov.policy import MarkovPolicy

_UNSEEN = -2
"""Stands for a state behind that the seat did not see, as it had nothing to decide."""

__all__ = ["Look", "ObservedEpisode", "ObservedPolicy", "observed"]


@dataclass(frozen=True)
class Look:
    """What a Markov policy asks an observation for.

    Attributes:
        seat: who looks.
        state, step: of the form.
        past: states behind (`_UNSEEN` where the seat had nothing to decide), each followed by −1
            in place of the joint action.
        seed: the match's, or None where there is no shared randomness.
    """

    seat: int
    state: int
    step: int
    past: tuple[int, ...] = ()
    seed: int | None = None

    def signal_at(self, step: int) -> float | None:
        """Return the public signal of a step."""
        return None if self.seed is None else float(signals(self.seed, step + 1, 1)[0])

    @property
    def signal(self) -> float | None:
        """This step's public signal."""
        return self.signal_at(self.step)

    @property
    def episode_signal(self) -> float | None:
        """The episode's public signal."""
        return None if self.seed is None else float(signals(self.seed, 0, 1)[0])


@dataclass(frozen=True, eq=False)
class ObservedPolicy:
    """A Markov policy, and how to play it in the game that its form was explored from.

    Attributes:
        game: the key of that game.
        inner: the policy of the form.
        states: for each seat, from view to state.
        steps: for each seat, at which step it decides.
    """

    game: str
    inner: MarkovPolicy
    states: tuple[Mapping[str, int], ...]
    steps: tuple[Steps, ...]

    kind = "observed"

    def state(self, observation: Observation) -> int:
        """Return the state of the form that a seat sees.

        Raises:
            ParameterError: none looks like that.
        """
        found = self.states[observation.seat].get(plain(observation.view))
        if found is None:
            raise ParameterError(
                "view", observation.view, f"one that seat {observation.seat} sees in {self.game}"
            )
        return found

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's distribution outside an episode: no signals, the step by the state.

        Raises:
            ParameterError: the state may be met at several steps; `episode` keeps count.
        """
        state, seat = self.state(observation), observation.seat
        step = int(self.steps[seat].by_state[state])
        return self.answer(observation, Look(seat, state, step))

    def episode(self, seat: int, seed: int) -> ObservedEpisode:
        """Return the policy as it plays one episode.

        Args:
            seat: the seat.
            seed: what the seat's agent begins with (`arena.rng.seat_seed`).
        """
        return ObservedEpisode(self, seat, match_seed(seed, seat))

    def answer(self, observation: Observation, look: Look) -> Floats:
        """Return the inner policy's distribution for a look, shape (A,)."""
        if look.step == UNKNOWN:
            raise ParameterError(
                f"step of state {look.state}",
                "several are possible",
                "one: ask an agent that plays the episode",
            )
        asked: Any = look
        own = self.inner.probabilities(asked)
        legal = observation.legal
        return own if legal is None else own[: len(legal)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the inner policy's arrays, views, their states, and steps."""
        out: dict[str, NDArray[Any]] = {"inner_kind": np.array(self.inner.kind)}
        out |= {f"inner.{name}": array for name, array in self.inner.arrays().items()}
        for seat, (own, steps) in enumerate(zip(self.states, self.steps, strict=True)):
            out[f"view_{seat}"] = np.array(list(own), dtype=np.str_)
            out[f"state_{seat}"] = np.array(list(own.values()), dtype=np.int64)
            out[f"by_count_{seat}"] = steps.by_count
            out[f"by_state_{seat}"] = steps.by_state
        return out

    @staticmethod
    def from_arrays(game: str, arrays: Mapping[str, NDArray[Any]]) -> ObservedPolicy:
        """Make it again."""
        from solvers.markov.policy import from_arrays

        own = {k.removeprefix("inner."): a for k, a in arrays.items() if k.startswith("inner.")}
        seats = range(sum(name.startswith("view_") for name in arrays))
        return ObservedPolicy(
            game,
            from_arrays(str(arrays["inner_kind"]), game, own),
            tuple(
                dict(zip(arrays[f"view_{i}"].tolist(), arrays[f"state_{i}"].tolist(), strict=True))
                for i in seats
            ),
            tuple(Steps(arrays[f"by_count_{i}"], arrays[f"by_state_{i}"]) for i in seats),
        )


class ObservedEpisode:
    """One seat's play of an `ObservedPolicy` in one episode.

    Args:
        policy: the policy.
        seat: the seat.
        seed: the match's.
    """

    def __init__(self, policy: ObservedPolicy, seat: int, seed: int) -> None:
        self._policy, self._seat, self._seed = policy, seat, seed
        self._count = 0
        self._behind: dict[int, int] = {}

    def _look(self, observation: Observation) -> Look:
        state = self._policy.state(observation)
        step = self._policy.steps[self._seat].at(state, self._count)
        past = [x for k in range(max(step, 0)) for x in (self._behind.get(k, _UNSEEN), -1)]
        return Look(self._seat, state, step, tuple(past), self._seed)

    def probabilities(self, observation: Observation) -> Floats:
        """Return the seat's distribution, or its part of what the device drew, shape (A,)."""
        return self._policy.answer(observation, self._look(observation))

    def acted(self, observation: Observation) -> None:
        """Count a decision of the seat."""
        look = self._look(observation)
        self._behind[look.step] = look.state
        self._count += 1


def _stages(policy: MarkovPolicy) -> int:
    """Return T, after which a policy repeats its last stage."""
    table = next(a for n, a in policy.arrays().items() if n in ("joint", "states", "table_0"))
    return int(table.shape[0 if policy.kind in ("product", "correlated") else 1])


def observed(policy: MarkovPolicy, views: Views, form: MarkovGame) -> ObservedPolicy:
    """Return a policy of an explored form as one of the game itself.

    Args:
        policy: of `form`.
        views: of `form`.
        form: what `games.markov.explore.explored` returned.

    Raises:
        NotApplicableError: the game hides its state from a seat that is to move.
    """
    views.check(form)
    stages = _stages(policy)
    steps = tuple(steps_of(form, views.acts, seat, stages) for seat in range(form.seats))
    return ObservedPolicy(policy.game, policy, views.states, steps)
