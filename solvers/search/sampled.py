"""Update-equivalent search at one decision of any game, from sampled worlds and play-outs.

1. The belief: particles that follow the seat's episode (`solvers.search.worlds`); asked out
   of the blue, histories of any own moves that lead to its infoset.
2. Q̂: every action is tried in the same worlds with the same luck, everybody following the
   blueprint afterwards (`solvers.search.race`).
3. The answer π' is step (1) or (2) of `solvers.search.step`.

Everything random follows from the settings' seed and the seat's infoset keys, so the search
is one fixed behaviour policy, whose answers can be kept from episode to episode, and whose
exploitability is defined.

Source: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, sections 4 and 5.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError
from arena.game import Game, Observation, State
from arena.rng import Stream, derive
from solvers.search.race import race
from solvers.search.step import magnetic_step, softened
from solvers.search.worlds import Belief, Choose, Particles, play_out, resampled

__all__ = ["Probabilities", "SampledSearch", "Settings", "Tally"]

Reals = NDArray[np.float64]
Probabilities = Callable[[Observation], NDArray[Any]]
"""The blueprint of a seat: the distribution over its actions, shape (A,)."""


@dataclass(frozen=True)
class Settings:
    """How a search is done.

    Attributes:
        step: η, in 1 / payoff units.
        temperature: α; 0 for plain mirror ascent.
        magnet: ρ, `uniform` on the legal actions or the `blueprint`.
        epsilon: share of uniform play mixed into the blueprint before the step, so that
            what a deterministic blueprint never plays can be played.
        rollouts: play-outs for one decision, at most.
        seconds: wall-clock time for one decision; what is found then depends on the clock.
        z: standard errors below the best at which an action is given up (inf: sequential
            halving); see `race`. Searches whose answer is mixed want all actions valued
            equally well: `even` gives every action the same worlds.
        even: never give an action up.
        doubt: standard errors taken off the advantage of what the blueprint would not choose.
        worlds: `particles`, or `resample` where the game itself draws states that the seat
            cannot tell apart, which is quicker and takes no move as evidence.
        particles: worlds wanted.
        tries: simulations for the belief, at most.
        seed: of all the sampling.
    """

    step: float
    temperature: float = 0.0
    magnet: str = "uniform"
    epsilon: float = 0.0
    rollouts: int = 200
    seconds: float = math.inf
    z: float = 2.0
    even: bool = True
    doubt: float = 0.0
    worlds: str = "particles"
    particles: int = 50
    tries: int = 2000
    seed: int = 0


@dataclass
class Tally:
    """What searches did: decisions answered and searched, play-outs, belief fallbacks."""

    decisions: int = 0
    searched: int = 0
    rollouts: int = 0
    worlds: int = 0
    fallbacks: int = 0
    seconds: float = 0.0


class SampledSearch:
    """The search policy of one seat of a game; `answer` follows one episode at a time.

    Args:
        game: any whose observations have infoset keys and whose chance can be enumerated.
        seat: whose decisions.
        blueprint: of every seat, asked out of the blue.
        settings: how to search.
        keep: answers and beliefs kept from episode to episode, at most.
    """

    def __init__(
        self,
        game: Game,
        seat: int,
        blueprint: Sequence[Probabilities],
        settings: Settings,
        *,
        keep: int = 100_000,
    ) -> None:
        self._game, self._seat, self._settings = game, seat, settings
        self._blueprint = blueprint
        self._choose: list[Choose] = [_chooser(b) for b in blueprint]
        self._particles = Particles(
            game, seat, self._choose, count=settings.particles, tries=settings.tries
        )
        self._answers: OrderedDict[str, Reals] = OrderedDict()
        self._beliefs: OrderedDict[str, Belief] = OrderedDict()
        self._keep = keep
        self._past: list[tuple[str, int]] = []
        self.tally = Tally()

    def begin(self) -> None:
        """Start an episode."""
        self._past.clear()

    def follow(self, observation: Observation, action: int) -> None:
        """Remember what the seat did at a decision; the last word on a decision counts."""
        key = self._key(observation)
        if self._past and self._past[-1][0] == key:
            self._past.pop()
        self._past.append((key, action))

    def answer(self, observation: Observation) -> Reals:
        """Return π' at this decision, shape (A,).

        Raises:
            AgentError: no key, or nothing explains what the seat sees.
        """
        key = self._key(observation)
        past = self._past
        if past and past[-1][0] == key:  # asked again after it was answered
            past = past[:-1]
        self.tally.decisions += 1
        name = f"{past!r} {key}"
        known = self._answers.get(name)
        if known is None:
            known = self._searched(observation, past, key)
            self._answers[name] = known
            if len(self._answers) > self._keep:
                self._answers.popitem(last=False)
        return known

    def _key(self, observation: Observation) -> str:
        key = observation.key
        if key is None:
            raise AgentError(f"search needs infoset keys, which {self._game.key} has not")
        return key

    def _searched(
        self, observation: Observation, past: Sequence[tuple[str, int]], key: str
    ) -> Reals:
        started = time.process_time()
        setup, legal = self._settings, observation.legal
        if legal is None:
            raise AgentError(f"search needs discrete actions; {self._game.key} has others")
        prior = softened(np.asarray(self._blueprint[self._seat](observation)), legal, setup.epsilon)
        actions = np.flatnonzero(legal)
        if len(actions) == 1:
            return prior
        states = self._states(observation, past, key)
        if not states:
            return prior  # nothing explains what is seen, and nothing can be drawn
        base = int(actions[np.argmax(prior[actions])])
        order = [base, *(int(a) for a in actions if a != base)]
        stream = Stream(derive(setup.seed, "play-outs", key))
        at = 0

        def playouts(these: Sequence[int], worlds: int) -> Reals:
            nonlocal at
            out = np.empty((worlds, len(these)))
            for m in range(worlds):
                luck = stream.below(1 << 30)
                for k, action in enumerate(these):
                    out[m, k] = play_out(
                        states[at % len(states)], self._seat, action, self._choose, Stream(luck)
                    )
                at += 1
            return out

        batch = max(1, setup.rollouts // len(order)) if setup.even else 12
        found = race(
            order, playouts, rollouts=setup.rollouts, seconds=setup.seconds, batch=batch, z=setup.z
        )
        values = np.zeros(len(legal))
        advantage = found.advantages - setup.doubt * found.errors
        advantage[0] = 0.0
        values[found.actions] = advantage
        magnet = prior if setup.magnet == "blueprint" else legal / legal.sum()
        tally = self.tally
        tally.searched += 1
        tally.rollouts += found.rollouts
        tally.worlds += len(states)
        tally.seconds += time.process_time() - started
        return magnetic_step(
            prior, values, setup.step, magnet=magnet, temperature=setup.temperature
        )

    def _states(
        self, observation: Observation, past: Sequence[tuple[str, int]], key: str
    ) -> Sequence[State]:
        setup, states = self._settings, list[State]()
        stream = Stream(derive(setup.seed, "out of the blue", key))
        if setup.worlds == "particles":
            states = list(self._belief(past, key).states)
            if not states and not past:
                states = list(self._particles.anywhere(key, stream).states)
            self.tally.fallbacks += not states
        return states or resampled(observation, setup.particles, stream)

    def _belief(self, past: Sequence[tuple[str, int]], key: str) -> Belief:
        """Return the belief at `key` after these moves of the seat, kept or made."""
        name = f"{past!r} {key}"
        found = self._beliefs.get(name)
        if found is not None:
            self._beliefs.move_to_end(name)
            return found
        stream = Stream(derive(self._settings.seed, "worlds", name))
        if not past:
            found = self._particles.first(key, stream)
        else:
            before, action = past[-1]
            found = self._particles.after(self._belief(past[:-1], before), action, key, stream)
        self._beliefs[name] = found
        if len(self._beliefs) > self._keep // 50:
            self._beliefs.popitem(last=False)
        return found


def _chooser(probabilities: Probabilities) -> Choose:
    def choose(observation: Observation, stream: Stream) -> int:
        return stream.index(probabilities(observation).tolist())

    return choose
