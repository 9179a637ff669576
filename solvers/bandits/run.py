"""The registered solvers of bandits: each builds a policy and certifies its loss.

The certificate's `regret_bound` is the Lagrangian bound on what any policy earns, less the mean
return of this one over `episodes` played out; its interval covers the mean with 95%. Solvers
that know more say so: `value` (exact; it is then the bound, too), `not_indexable` (arms).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError
from arena.game import Game
from arena.rng import derive, derive_many
from arena.solver import Gap, Progress, Solution, TracePoint
from games.bandits.form import RestlessBandit
from solvers.bandits.episodes import play
from solvers.bandits.exact import exact_table
from solvers.bandits.fluid import fluid_values
from solvers.bandits.lagrangian import Relaxed, relax
from solvers.bandits.policy import ValuePolicy
from solvers.bandits.recovering import recovering_indices
from solvers.bandits.whittle import indices_of
from solvers.loop import merge_settings, positive, whole

__all__ = [
    "BanditSolver",
    "exact",
    "fluid",
    "greedy",
    "lagrangian",
    "mean_return",
    "myopic",
    "recovering_whittle",
    "whittle",
]

_COMMON = {"episodes": 100, "rounds": 30, "precision": 1e-3}


@dataclass
class _Found:
    policy: Any
    gaps: dict[str, Gap] = field(default_factory=dict)
    relaxed: Relaxed | None = None
    bound: float | None = None
    status: str = "converged"


Build = Callable[[RestlessBandit, Game, Mapping[str, Any]], _Found]


def mean_return(
    game: Game, policy: Any, seeds: NDArray[np.uint64]
) -> tuple[float, tuple[float, float], NDArray[np.float64]]:
    """Play a policy; return the mean return, its 95% interval, and all returns, shape (N,)."""
    returns = play(game, policy, seeds)
    half = 1.96 * float(returns.std(ddof=1)) / len(returns) ** 0.5 if len(returns) > 1 else np.inf
    mean = float(returns.mean())
    return mean, (mean - half, mean + half), returns


@dataclass(frozen=True)
class BanditSolver:
    """A solver that builds a policy in one go.

    Attributes:
        name: its registry name.
        build: from the bandit, the game and the settings to the policy.
        fits: why a bandit cannot be handled, in words, or None.
        defaults: its own settings.
        independent: whether it takes arms for independent given the action.
    """

    name: str
    build: Build
    fits: Callable[[RestlessBandit], str | None] = lambda form: None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    independent: bool = True
    gap = "regret_bound"

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, or None."""
        if "bandit" not in game.forms:
            return f"{game.key} has no form 'bandit', and {self.name} needs it: bandits/… have it"
        form = game.form("bandit")
        reason = self.fits(form)
        if form.influenced and self.independent:
            reason = "its arms influence each other; `sequoia` learns such bandits"
        return None if reason is None else f"{self.name} cannot handle {game.key}: {reason}"

    def solve(
        self, game: Game, *, seed: int = 0, progress: Progress | None = None, **settings: Any
    ) -> Solution:
        """Solve `game`.

        Args:
            game: a bandit.
            seed: of the episodes that the certificate plays.
            progress: called once, at the end.
            settings: `episodes` of the certificate, `rounds` and `precision` of the bound, and
                the solver's own.

        Raises:
            NotApplicableError: `obstacle` names the reason.
            ParameterError, UnknownNameError: a setting of the wrong name, type or range.
        """
        chosen = merge_settings(self.name, {**_COMMON, **self.defaults}, settings, ())
        episodes = whole("episodes", chosen["episodes"], least=2)
        rounds = whole("rounds", chosen["rounds"], least=0)
        precision = positive("precision", chosen["precision"])
        if reason := self.obstacle(game):
            raise NotApplicableError(reason)
        start = time.perf_counter()
        form = game.form("bandit")
        found = self.build(form, game, chosen)
        bound = found.bound
        if bound is None:
            relaxed = found.relaxed or relax(form, rounds=rounds, precision=precision)
            bound = relaxed.bound
        seeds = derive_many(derive(seed, "bandits", "certificate"), np.arange(episodes))
        mean, (low, high), _ = mean_return(game, found.policy, seeds)
        gap = max(0.0, bound - mean)
        span = (max(0.0, bound - high), max(0.0, bound - low))
        point = TracePoint(1, time.perf_counter() - start, gap)
        status = found.status
        if progress is not None:
            try:
                progress(point)
            except KeyboardInterrupt:
                status = "interrupted"
        return Solution(
            game=game,
            solver=self.name,
            settings={**chosen, "seed": seed},
            policy=found.policy,
            certificate={
                "regret_bound": Gap(gap, "upper", span),
                "bound": Gap(bound, "upper"),
                **found.gaps,
            },
            trace=[point],
            status=status,
        )


def _myopic(form: RestlessBandit, game: Game, chosen: Mapping[str, Any], rule: str) -> _Found:
    return _Found(ValuePolicy(game.key, form.expected.transpose(0, 2, 1)[None].copy(), rule))


def _lagrangian(form: RestlessBandit, game: Game, chosen: Mapping[str, Any]) -> _Found:
    found = relax(form, rounds=chosen["rounds"], precision=chosen["precision"])
    return _Found(ValuePolicy(game.key, found.values), relaxed=found)


def _whittle(form: RestlessBandit, game: Game, chosen: Mapping[str, Any]) -> _Found:
    indices, bad = indices_of(form, discount=chosen["discount"])
    values = np.stack([np.zeros_like(indices), indices], axis=2)[None]
    gaps = {"not_indexable": Gap(float(len(bad)))}
    return _Found(ValuePolicy(game.key, values), gaps)


def _two_modes(form: RestlessBandit) -> str | None:
    if form.modes == 2:
        return None
    return f"its arms have {form.modes} modes, and an index is about acting or not"


def _fluid(form: RestlessBandit, game: Game, chosen: Mapping[str, Any]) -> _Found:
    return _Found(ValuePolicy(game.key, fluid_values(form)[None]))


def _exact(form: RestlessBandit, game: Game, chosen: Mapping[str, Any]) -> _Found:
    policy, value = exact_table(form, game)
    return _Found(policy, {"value": Gap(value)}, bound=value)


def _small(form: RestlessBandit) -> str | None:
    states = float(np.prod(form.sizes, dtype=np.float64))
    if states > 20_000:
        return f"{states:.3g} joint states are too many for exact value iteration"
    return None


def _recovering(form: RestlessBandit, game: Game, chosen: Mapping[str, Any]) -> _Found:
    return _Found(ValuePolicy(game.key, recovering_indices(form)[None]))


def _recovers(form: RestlessBandit) -> str | None:
    return None if "recovery" in form.extra else "it is no recovering bandit"


def myopic() -> BanditSolver:
    """The best action for the next step alone, exactly."""
    return BanditSolver("bandit_myopic", lambda f, g, c: _myopic(f, g, c, "exact"))


def greedy() -> BanditSolver:
    """The same one arm after the other."""
    return BanditSolver("bandit_greedy", lambda f, g, c: _myopic(f, g, c, "greedy"))


def lagrangian() -> BanditSolver:
    """Values of the Lagrangian relaxation, maximised over the feasible actions."""
    return BanditSolver("lagrangian", _lagrangian)


def whittle() -> BanditSolver:
    """Whittle indices, maximised over the feasible actions."""
    return BanditSolver("whittle", _whittle, _two_modes, {"discount": None})


def fluid() -> BanditSolver:
    """Values of the long-run fluid relaxation, maximised over the feasible actions."""
    return BanditSolver("fluid", _fluid)


def exact() -> BanditSolver:
    """Backward induction over the joint states."""
    return BanditSolver("bandit_exact", _exact, _small, independent=False)


def recovering_whittle() -> BanditSolver:
    """Whittle indices of recovering arms, in closed form."""
    return BanditSolver("recovering_whittle", _recovering, _recovers)
