"""SPoCMAR: a Markov CCE of a game that must be learnt, by stages and a policy cover.

1. A discounted game is cut off at H with γ^H (r_max − r_min)/(1 − γ) ≤ `precision`.
2. A stage has a cover, policies that reach states. From the last step h to the first, N
   episodes draw a policy of the cover and play it up to step h. In the state s met there,
   every seat's bandit (exponential weights with implicit exploration) chooses, and is told
   the loss (H_h − r_i − γ V_i,h+1(s')) / H_h, where H_h is the most that can still be paid.
   Where the bandits have chosen at least M times, the mean of their joint play is the
   policy σ_h(s) and the mean of r_i + γ V_i,h+1(s') the value V_ih(s); elsewhere the value
   is H_h, and any play will do.
3. The policy so found is run; if it still comes often to states that are not well visited,
   it joins the cover and another stage begins; otherwise it is returned.

The paper stops a bandit after a fixed number of visits and estimates the frequency of 3 by
a routine of its own; here bandits use all N episodes, and the frequency is a mean over N.
The answer is a Markov correlated policy, not stationary; its certificate is exact.

Source: Daskalakis, Golowich and Zhang 2023, "The complexity of Markov equilibrium in
stochastic games" (arXiv 2204.03991), the algorithm SPoCMAR; Neu 2015 (the bandits).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.rng import derive, stream_states
from games.markov.parts import check_memory
from solvers.loop import positive, whole
from solvers.markov.backward_induction import truncation
from solvers.markov.learners import flat
from solvers.markov.policy import CorrelatedPolicy, uniform
from solvers.markov.run import MarkovSolver, Problem

__all__ = ["Spocmar", "spocmar"]

Reals = NDArray[np.float64]


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
        self._streams = stream_states(np.array([derive(problem.seed, "spocmar")], np.uint64))
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
        from solvers.markov import _play_kernels as kernels

        form, stages, arrays = self._form, self.stages, self._flat
        policy, known = self._base.copy(), np.zeros_like(self.known)
        cover = np.stack(self._cover)
        v = np.zeros((form.seats, form.states))
        for h in reversed(range(stages)):
            left = float(sum(form.discount**k for k in range(stages - h)))
            score = np.zeros((form.states, arrays.width))
            seen = np.zeros(form.states, dtype=np.int64)
            joint = np.zeros((form.states, form.joint))
            gained = np.zeros((form.seats, form.states))
            kernels.cover_step(
                form.reward,
                form.indptr,
                form.indices,
                form.probability,
                form.initial,
                form.terminal,
                form.discount,
                arrays.counts,
                arrays.cut,
                arrays.strides,
                arrays.legal,
                self._low,
                self._span,
                left,
                cover,
                h,
                self._episodes,
                v,
                self._streams,
                score,
                seen,
                joint,
                gained,
            )
            known[h] = (seen >= self._visits) & ~form.terminal
            well = known[h]
            policy[h, well] = joint[well] / seen[well, None]
            v = np.full((form.seats, form.states), left)
            v[:, well] = gained[:, well] / seen[well]
            v[:, form.terminal] = 0.0
        self._policy, self.known = policy, known

    def _rare(self) -> float:
        """Return how often the policy comes to states that are not well visited, by play."""
        from solvers.markov import _play_kernels as kernels

        form = self._form
        hits = kernels.rare(
            form.indptr,
            form.indices,
            form.probability,
            form.initial,
            form.terminal,
            self._policy,
            self.known,
            self._episodes,
            self._streams,
        )
        return int(hits) / self._episodes

    def answer(self) -> CorrelatedPolicy:
        """Return the policy of the last stage."""
        return CorrelatedPolicy(self._key, self._form.actions, self._policy.copy())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return which states are well visited, (H, S), the cover, (C, H, S, J), and streams."""
        return {
            "iteration": np.array(self.iteration),
            "known": self.known,
            "cover": np.stack(self._cover),
            "streams": self._streams.copy(),
            "ended": np.array(self._ended),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`, and the policy that goes with them."""
        self.iteration, self._ended = int(arrays["iteration"]), bool(arrays["ended"])
        self.known, self._streams = arrays["known"].copy(), arrays["streams"].copy()
        self._cover = list(arrays["cover"])
        self._policy = arrays["policy.joint"].copy()


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
