"""SPoCMAR: a Markov CCE of a game that must be learnt, by stages and a policy cover.

1. A discounted game is cut off at H with γ^H (r_max − r_min)/(1 − γ) ≤ `precision`.
2. A stage keeps a cover: for each step h, policies that reach states. From the last step to
   the first, for each h: N episodes draw a policy of the cover, play it up to step h, and at
   (h, s) every seat's bandit (exponential weights with implicit exploration) chooses; then
   the policies found for the later steps go on. With states well visited (at least M
   times) the average of the bandits' joint play is the policy and the mean return its
   value; elsewhere the value is the greatest possible, and any play will do.
3. The policy so found is run; if it still comes often to states that are not well visited,
   it joins the cover and another stage begins; otherwise it is returned.

The answer is a Markov correlated policy, not stationary; its certificate is exact.

Source: Daskalakis, Golowich and Zhang 2023, "The complexity of Markov equilibrium in
stochastic games", algorithms 1 and 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.rng import Stream, derive
from games.markov.form import MarkovGame
from games.markov.parts import check_memory
from solvers.loop import positive, whole
from solvers.markov.backward_induction import truncation
from solvers.markov.learners import flat
from solvers.markov.policy import CorrelatedPolicy, uniform
from solvers.markov.run import MarkovSolver, Problem

__all__ = ["Spocmar", "spocmar"]

Reals = NDArray[np.float64]


class _Bandits:
    """The bandits of one step, all states.

    Attributes:
        left: the most that can be gained from here on.
        score: sums of estimated losses, (S, D).
        seen: visits, (S,).
        joint: sums of joint play, (S, J).
        gained: sums of returns, (n, S).
    """

    def __init__(self, form: MarkovGame, left: float) -> None:
        self.left = left
        self.score = np.zeros((form.states, sum(form.actions)))
        self.seen = np.zeros(form.states, dtype=np.int64)
        self.joint = np.zeros((form.states, form.joint))
        self.gained = np.zeros((form.seats, form.states))


class Spocmar:
    """A running learner; one iteration is one stage.

    Args:
        problem: the game.
        episodes: N.
        visits: M.
        often: how likely rarely visited states may be in the end, all steps together.
        precision: of the truncation.
    """

    def __init__(
        self, problem: Problem, *, episodes: int, visits: int, often: float, precision: float
    ) -> None:
        form = self._form = problem.form
        self._key, self._episodes, self._visits = problem.key, episodes, visits
        self._often = often
        self._flat = flat(form)
        self._chance = Stream(derive(problem.seed, "spocmar"))
        self.stages = form.horizon or truncation(form, precision)
        check_memory(float(self.stages) * form.states * form.joint, "the policy")
        low, high = form.bounds
        self._low, self._span = low, max(high - low, 1e-300)
        base = uniform(form, problem.key).correlated().joint
        self._base = np.repeat(base, self.stages, axis=0)
        self._cover = [self._base.copy()]
        self._policy = self._base.copy()
        self.known = np.zeros((self.stages, form.states), dtype=np.bool_)
        self.iteration = 0
        self._ended = False

    def advance(self, count: int) -> int:
        """Run up to `count` stages."""
        done = 0
        while done < count and not self._ended:
            self._stage()
            self.iteration += 1
            done += 1
            rare = self._rare()
            self._ended = rare <= self._often
            if not self._ended:
                self._cover.append(self._policy.copy())
        return done

    def _stage(self) -> None:
        """Learn all steps from the last, see 2."""
        form, stages = self._form, self.stages
        policy, known = self._base.copy(), np.zeros_like(self.known)
        v = np.zeros((form.seats, stages + 1, form.states))
        for h in reversed(range(stages)):
            left = float(sum(form.discount**k for k in range(stages - h)))
            bandits = _Bandits(form, left)
            for _ in range(self._episodes):
                s = self._reach(self._cover[self._chance.below(len(self._cover))], h)
                if s < 0:
                    continue
                self._learn(bandits, s, v[:, h + 1])
            known[h] = bandits.seen >= self._visits
            for state in np.flatnonzero(~form.terminal):
                if known[h, state]:
                    policy[h, state] = bandits.joint[state] / bandits.seen[state]
                    v[:, h, state] = bandits.gained[:, state] / bandits.seen[state]
                else:
                    v[:, h, state] = left
        self._policy, self.known = policy, known

    def _learn(self, bandits: _Bandits, s: int, after: Reals) -> None:
        """Play one step of all bandits of a state; `after`: values then, (n, S)."""
        form, cut = self._form, self._flat.cut
        bandits.seen[s] += 1
        rows, drawn, full = [], [], np.ones(1)
        for i, legal in enumerate(form.legal):
            size = int(legal[s].sum())
            rate = math.sqrt(math.log(max(size, 2)) / (size * int(bandits.seen[s])))
            own = bandits.score[s, cut[i] : cut[i + 1]]
            raw = np.where(legal[s], np.exp(-rate * (own - own[legal[s]].min())), 0.0)
            rows.append((raw / raw.sum(), rate))
            drawn.append(self._chance.index(rows[i][0].tolist()))
            full = np.outer(full, rows[i][0]).ravel()
        number = form.number(drawn)
        to = self._step(s, number)
        bandits.joint[s] += full
        for i, (row, rate) in enumerate(rows):
            ahead = 0.0 if form.terminal[to] else form.discount * float(after[i, to])
            gain = (float(form.reward[i, s, number]) - self._low) / self._span + ahead
            bandits.gained[i, s] += gain
            loss = max(0.0, bandits.left - gain) / bandits.left
            bandits.score[s, cut[i] + drawn[i]] += loss / (row[drawn[i]] + rate / 2.0)

    def _step(self, s: int, joint: int) -> int:
        states, chances = self._form.after(s, joint)
        return int(states[self._chance.index(chances.tolist())])

    def _reach(self, policy: Reals, h: int) -> int:
        """Play a policy up to step h; return the state there, −1 if the episode ended."""
        form = self._form
        s = self._chance.index(form.initial.tolist())
        for step in range(h):
            if form.terminal[s]:
                return -1
            s = self._step(s, self._chance.index(policy[step, s].tolist()))
        return -1 if form.terminal[s] else s

    def _rare(self) -> float:
        """Return how often the policy comes to states that are not well visited, by play."""
        form, hits = self._form, 0
        for _ in range(self._episodes):
            s = self._chance.index(form.initial.tolist())
            for h in range(self.stages):
                if form.terminal[s]:
                    break
                if not self.known[h, s]:
                    hits += 1
                    break
                s = self._step(s, self._chance.index(self._policy[h, s].tolist()))
        return hits / self._episodes

    def answer(self) -> CorrelatedPolicy:
        """Return the policy of the last stage."""
        return CorrelatedPolicy(self._key, self._form.actions, self._policy.copy())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return which states are well visited, (H, S), and the size of the cover."""
        cover = np.array(len(self._cover))
        return {"iteration": np.array(self.iteration), "known": self.known, "cover": cover}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Start over: stages need the cover's policies."""


def _start(problem: Problem) -> Spocmar:
    chosen = problem.settings
    return Spocmar(
        problem,
        episodes=whole("episodes", chosen["episodes"], least=1),
        visits=whole("visits", chosen["visits"], least=1),
        often=positive("often", chosen["often"]),
        precision=positive("precision", chosen["precision"]),
    )


def spocmar() -> MarkovSolver:
    """A non-stationary Markov CCE from play."""
    return MarkovSolver(
        "spocmar",
        _start,
        {"episodes": 10_000, "visits": 30, "often": 0.05, "precision": 0.1},
        iterations=5,
        gap="cce_gap",
    )
