"""MEX: maximise to explore, in two-seat zero-sum Markov games with a finite class of models.

With L(f) the negative log-likelihood of what was seen under model f, every episode

    f = argmax_f V*_f − η L(f),      μ = the first seat's equilibrium policy in f           (1)
    g = argmin_g V_g^{μ,†} + η L(g),  ν = the second seat's best reply to μ in g             (2)

and (μ, ν) is played. V*_f is the value of f, V_g^{μ,†} that of the best reply to μ. One
objective both fits and explores: a model that promises more is believed until it is
refuted. `greedy` drops the values from (1) and (2): the most likely model, the first among
equals, which need never find out.

The regret of an episode is V* − V^{μ,†} in the true game: the first seat learns, the second
one's (2) serves it by exploiting it.

The paper's models have known rewards; here a model may also be wrong about those, which adds
to L like an outcome it holds impossible (of probability `_UNSEEN`, so that L is finite).

Source: Liu, Lu, Xiong, Zhong and others 2023, "Maximize to explore: one objective function
fusing estimation, planning, and exploration" (arXiv 2305.18258), the extension to two-player
zero-sum Markov games, with its model-based loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.registry import GAMES
from arena.rng import Stream, derive
from arena.solver import Gap
from games.markov.form import MarkovGame
from solvers.loop import flag, positive
from solvers.markov.policy import ProductPolicy
from solvers.markov.run import MarkovSolver, Problem, Traits
from solvers.markov.shapley import ZeroSum
from solvers.markov.values import backup

__all__ = ["Mex", "best_reply", "mex"]

Reals = NDArray[np.float64]

_UNSEEN = 1e-6
"""The probability that a model gives to what it holds impossible, so that L is finite."""


def best_reply(form: MarkovGame, policy: Reals) -> tuple[Reals, Reals]:
    """Return the second seat's best reply to a policy of the first, and the first's values.

    Args:
        form: zero sum, with a horizon.
        policy: shape (H, S, A).

    Returns:
        The reply, deterministic, shape (H, S, B), and V^{μ,†}, shape (S,).
    """
    horizon = form.horizon or 0
    reply = np.zeros((horizon, form.states, form.actions[1]))
    v = np.zeros((form.seats, form.states))
    for h in reversed(range(horizon)):
        q = backup(form, v)[0].reshape(form.states, *form.actions)
        worth = np.einsum("sa,sab->sb", policy[h], q)
        worth[~form.legal[1]] = np.inf
        pick = worth.argmin(axis=1)
        reply[h, np.arange(form.states), pick] = 1.0
        low = np.where(form.terminal, 0.0, worth.min(axis=1))
        v = np.stack([low, -low])
    return reply, v[0]


class Mex:
    """A running learner; one iteration is one episode.

    Args:
        form: the true game, which is only played.
        key: its key.
        models: candidates of the same sizes; the first among equals is preferred.
        eta: η of (1) and (2).
        greedy: believe the most likely model.
        seed: of what happens in episodes.
    """

    def __init__(
        self,
        form: MarkovGame,
        key: str,
        models: Sequence[MarkovGame],
        *,
        eta: float = 1.0,
        greedy: bool = False,
        seed: int = 0,
    ) -> None:
        if not models:
            raise ParameterError("models", len(models), "at least one")
        for model in models:
            same = (model.actions, model.states, model.horizon)
            if same != (form.actions, form.states, form.horizon):
                wanted = f"{form.actions} actions, {form.states} states, horizon {form.horizon}"
                raise ParameterError("models", repr(model), wanted)
        self._form, self._key, self._models = form, key, list(models)
        self._eta, self._greedy = eta, greedy
        self._chance = Stream(derive(seed, "mex"))
        self._solved = [_solve(model, key) for model in models]
        self._promise = np.array(
            [float(m.initial @ v) for m, (_, v) in zip(models, self._solved, strict=True)]
        )
        self._replies: dict[int, tuple[Reals, list[Reals], float]] = {}
        self._surprises: dict[tuple[int, int, int], Reals] = {}
        self.loss = np.zeros(len(models))
        self.value = float(form.initial @ _solve(form, key)[1])
        self.regrets: list[float] = []
        self.chosen: list[int] = []
        self.iteration = 0
        self._last = 0

    def advance(self, count: int) -> int:
        """Play `count` episodes."""
        for _ in range(count):
            score = -self.loss if self._greedy else self._promise - self._eta * self.loss
            f = int(np.argmax(score))
            mu = self._solved[f][0].tables[0]
            against, replies, worth = self._reply(f, mu)
            doubt = self.loss if self._greedy else against + self._eta * self.loss
            nu = replies[int(np.argmin(doubt))]
            self._play(mu, nu)
            self._last = f
            self.chosen.append(f)
            self.regrets.append(max(0.0, self.value - worth))
            self.iteration += 1
        return count

    def _reply(self, f: int, mu: Reals) -> tuple[Reals, list[Reals], float]:
        """Return V_g^{μ,†} and replies in every model, and V^{μ,†} in the true game."""
        found = self._replies.get(f)
        if found is None:
            each = [best_reply(model, mu) for model in self._models]
            worths = [float(m.initial @ v) for m, (_, v) in zip(self._models, each, strict=True)]
            true = float(self._form.initial @ best_reply(self._form, mu)[1])
            found = (np.array(worths), [reply for reply, _ in each], true)
            self._replies[f] = found
        return found

    def _play(self, mu: Reals, nu: Reals) -> None:
        """Play an episode of the true game and add to every model's loss."""
        form, chance = self._form, self._chance
        s = chance.index(form.initial.tolist())
        for h in range(form.horizon or 0):
            if form.terminal[s]:
                break
            a, b = chance.index(mu[h, s].tolist()), chance.index(nu[h, s].tolist())
            joint = a * form.actions[1] + b
            states, chances = form.after(s, joint)
            to = int(states[chance.index(chances.tolist())])
            self.loss += self._surprise(s, joint, to)
            s = to

    def _surprise(self, s: int, joint: int, to: int) -> Reals:
        """Return every model's negative log-likelihood of one transition and its reward."""
        known = self._surprises.get((s, joint, to))
        if known is None:
            paid = self._form.reward[0, s, joint]
            known = np.zeros(len(self._models))
            for k, model in enumerate(self._models):
                expected, likely = model.after(s, joint)
                p = float(likely[expected == to].sum())
                known[k] = -math.log(max(p, _UNSEEN))
                # Rewards are seen too: a model that predicts others is as wrong.
                if not np.isclose(model.reward[0, s, joint], paid):
                    known[k] -= math.log(_UNSEEN)
            self._surprises[s, joint, to] = known
        return known

    def answer(self) -> ProductPolicy:
        """Return the equilibrium of the model that was believed last."""
        tables = self._solved[self._last][0].tables
        return ProductPolicy(self._key, tuple(table.copy() for table in tables))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return regrets and chosen models by episode, and the losses."""
        return {
            "iteration": np.array(self.iteration),
            "regrets": np.array(self.regrets),
            "chosen": np.array(self.chosen, dtype=np.int64),
            "loss": self.loss.copy(),
            "streams": np.array([self._chance.state], dtype=np.uint64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        self._chance = Stream.at(int(arrays["streams"][0]))
        self.loss = arrays["loss"].copy()
        self.regrets, self.chosen = arrays["regrets"].tolist(), arrays["chosen"].tolist()
        self.iteration = int(arrays["iteration"])
        self._last = self.chosen[-1] if self.chosen else 0


def _solve(form: MarkovGame, key: str) -> tuple[ProductPolicy, Reals]:
    method = ZeroSum(form, key, karp=False)
    method.advance(form.horizon or 0)
    return method.answer(), method.v


def _start(problem: Problem) -> Mex:
    chosen = problem.settings
    models = chosen["models"]
    if not isinstance(models, list) or not all(isinstance(m, dict) for m in models) or not models:
        raise ParameterError(
            "models", models, 'a list of parameters, such as [{"code": 0}, {"code": 1}]'
        )
    try:
        bare = GAMES.factory(problem.key)()
    except Exception as error:
        raise NotApplicableError(
            f"{problem.key} cannot be made again with other parameters"
        ) from error
    forms = []
    for params in models:
        made: Game = GAMES.factory(bare.id)(**{**bare.params, **params})
        form: MarkovGame = made.form("markov")
        same = problem.form.horizon == form.horizon
        forms.append(form if same else form.with_end(horizon=problem.form.horizon))
    return Mex(
        problem.form,
        problem.key,
        forms,
        eta=positive("eta", chosen["eta"]),
        greedy=flag("greedy", chosen["greedy"]),
        seed=problem.seed,
    )


def _regret(method: Mex, problem: Problem) -> dict[str, Gap]:
    return {"regret": Gap(float(sum(method.regrets)))}


def mex() -> MarkovSolver:
    """MEX over the same game with other parameters."""
    return MarkovSolver(
        "mex",
        _start,
        {"models": [], "eta": 1.0, "greedy": False},
        traits=Traits(zero_sum=True, finite=True),
        iterations=400,
        gap="nash_gap",
        more=_regret,
    )
