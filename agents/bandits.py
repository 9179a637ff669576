"""`bandits/<name>`: policies of restless bandits as agents.

Those that plan do so in `begin`, once for each game. `ucb` is told neither transitions nor
recovery functions: it learns them from what the arms pay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, ParameterError, UnknownNameError
from arena.game import Game, Observation
from arena.registry import SOLVERS, Info
from arena.rng import generator
from arena.types import Action
from games.bandits.form import RestlessBandit
from games.bandits.recovering import recovery_of
from solvers.bandits.averaged import average
from solvers.bandits.contagion import HEURISTICS, LinkPolicy, MeanField
from solvers.loop import positive
from solvers.sequoia.baselines import Baseline

__all__ = ["BANDIT_AGENTS", "FAMILY", "BanditAgent", "BanditFamily"]

Ints = NDArray[np.int64]

BANDIT_AGENTS = {
    "exact": "exact backward induction (small bandits)",
    "fluid": "long-run priorities from a linear program",
    "greedy": "the best next step, one arm after the other",
    "lagrangian": "priced arms, exact joint action; of influenced arms, as they are on average",
    "lrie": "treats infected nodes with the fewest infected neighbours",
    "mean_field": "plans anew by expected marginals (influenced arms)",
    "most_infected": "treats infected nodes with the most infected neighbours",
    "myopic": "the best next step, exactly",
    "none": "never acts",
    "periodic": "each arm every d rounds (recovering bandits)",
    "random": "a random feasible action",
    "recovering_whittle": "indices of recovering arms, known recovery",
    "sampling": "the best next step of some random actions (samples=100)",
    "ucb": "learns recovery functions by optimism (recovering bandits)",
    "whittle": "Whittle indices",
}
"""Name to what it does."""

_INFLUENCED = ("greedy", "lagrangian", "myopic")
"""Those that have a way of their own where arms influence each other."""

_CONTAGION = (*HEURISTICS, "mean_field")

_SOLVERS = {
    "exact": "bandit_exact",
    "fluid": "fluid",
    "greedy": "bandit_greedy",
    "lagrangian": "lagrangian",
    "myopic": "bandit_myopic",
    "recovering_whittle": "recovering_whittle",
    "whittle": "whittle",
}


class BanditAgent:
    """Plays one of `BANDIT_AGENTS`.

    Args:
        name: the policy.
        samples: random actions that `sampling` compares.
        radius: of the intervals of `ucb`, see `Optimist`.

    Raises:
        UnknownNameError: there is no such policy.
        ParameterError: `samples` is not at least 1, or `radius` is not positive.
    """

    version = "1"

    def __init__(self, name: str, *, samples: int = 100, radius: float = 1.0) -> None:
        if name not in BANDIT_AGENTS:
            raise UnknownNameError("bandit policy", name, BANDIT_AGENTS)
        if type(samples) is not int or samples < 1:
            raise ParameterError("samples", samples, "an integer ≥ 1", where=f"bandits/{name}")
        self.name, self._samples = name, samples
        self._radius = positive("radius", radius)
        self.stochastic = name in ("random", "sampling")
        self._game: Game | None = None
        self._choose: Callable[[Any], Any] = _nothing

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Plan, where the game is a new one.

        Raises:
            AgentError: the game is no bandit, or not one for this policy.
        """
        if "bandit" not in game.forms:
            raise AgentError(f"bandits/{self.name} plays bandits/…, {game.key} is none")
        self._rng = generator(seed)
        if game is not self._game or self.name == "ucb":
            self._choose = self._planned(game, game.form("bandit"))
            self._game = game

    def act(self, observation: Observation) -> Action:
        """Return the action, as the game names it."""
        seen: Any = observation
        named: Action = seen.shared.number(self._choose(seen))
        return named

    def close(self) -> None:
        """Nothing to release."""

    def _planned(self, game: Game, form: RestlessBandit) -> Callable[[Any], Any]:
        if self.name == "none":
            nothing = np.zeros(form.feasible.size, dtype=np.int64)
            if not form.feasible.allows(nothing):
                raise AgentError(
                    f"bandits/none cannot play {game.key}, whose constraints demand some actions;"
                    " take bandits/random, which ignores the states, as the reference"
                )
            return _nothing
        if self.name == "random":
            return lambda seen: form.feasible.sample(self._rng)
        if self.name == "sampling":
            return self._sampled
        if self.name in ("periodic", "ucb"):
            return self._recovering(game, form)
        if (form.influenced and self.name in _INFLUENCED) or self.name in _CONTAGION:
            return _alone(form, _networked(self.name, game, form))
        solver = SOLVERS.factory(_SOLVERS[self.name])()
        reason = solver.obstacle(game)
        if reason is not None:
            raise AgentError(reason)
        build = solver.build(form, game, {"rounds": 30, "precision": 1e-3, **solver.defaults})
        return _alone(form, build.policy)

    def _recovering(self, game: Game, form: RestlessBandit) -> Callable[[Any], Any]:
        table = _recovers(game, form)
        if self.name == "periodic":
            from solvers.bandits.recovering import periodic

            plan = periodic(table, form.budget or 0)
            return lambda seen: plan.plays(seen.step)
        from solvers.bandits.ucb import Optimist

        budget, radius = form.budget or 0, self._radius
        learner = Optimist(form.arms, table.shape[1], budget, form.horizon, radius=radius)
        return learner.choose

    def _sampled(self, seen: Any) -> Any:
        form: RestlessBandit = seen.bandit
        tried = np.array([form.feasible.sample(self._rng) for _ in range(self._samples)])
        arms = np.arange(form.arms)
        worth = form.expected[arms, form.modes_at(seen.levels, tried), seen.levels].sum(axis=1)
        return tried[int(worth.argmax())]


def _networked(name: str, game: Game, form: RestlessBandit) -> Any:
    """Return a policy of arms that influence each other."""
    if name == "lagrangian":
        return average(game)
    if name == "mean_field":
        return MeanField(form)
    return LinkPolicy(form, name) if name in HEURISTICS else Baseline(name, form)


def _alone(form: RestlessBandit, policy: Any) -> Callable[[Any], Any]:
    """Return a policy of many episodes as one of a single observation."""
    return lambda seen: policy.choose(form, seen.levels[None], seen.step)[0]


def _nothing(seen: Any) -> Ints:
    """Return no action at all."""
    return np.zeros(seen.bandit.feasible.size, dtype=np.int64)


def _recovers(game: Game, form: RestlessBandit) -> NDArray[np.float64]:
    try:
        return recovery_of(form)
    except ParameterError as error:
        raise AgentError(f"{game.key} is no recovering bandit") from error


class BanditFamily:
    """`bandits/<name>`."""

    def names(self) -> list[str]:
        """Return the names of all of them."""
        return sorted(BANDIT_AGENTS)

    def info(self, name: str) -> Info:
        """Describe one of them."""
        if name not in BANDIT_AGENTS:
            raise UnknownNameError("bandit policy", name, BANDIT_AGENTS)
        return Info(f"bandits/{name}", BANDIT_AGENTS[name], {"plays": "bandits"}, "arena")

    def make(self, name: str, **params: Any) -> BanditAgent:
        """Make one of them.

        Raises:
            UnknownNameError: of a policy or a parameter.
        """
        known = {"sampling": ("samples",), "ucb": ("radius",)}.get(name, ())
        for given in params:
            if given not in known:
                raise UnknownNameError(f"parameter of bandits/{name}", given, known)
        return BanditAgent(name, **params)


FAMILY = BanditFamily()
