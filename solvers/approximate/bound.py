"""A lower bound on exploitability from best responses that were learned.

For each seat p, against the others' fixed policies:
1. every learner (see `learners`) trains for so many episodes;
2. the responses and the policy itself are compared on the same fresh episodes, and the one
   that gains most is kept;
3. what it gains over the policy itself is estimated on further episodes, which no choice
   depended on, in pairs with the same luck of the game.

Whatever response is kept, its expected gain is at most the gain of a best response, so the
estimate is an unbiased one of a lower bound; the interval is normal, at `confidence`.

Source: the method of several responders and their maximum follows Timbers et al. 2022,
"Approximate exploitability: learning a best response"; selection and estimation on separate
episodes keeps the maximum from flattering itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.episode import drive
from arena.errors import ParameterError, UnknownNameError
from arena.game import Game, Observation
from arena.rng import Stream, derive, derive_many
from arena.solver import Gap
from arena.types import Action
from solvers.approximate.learners import Learner, Local, QLearning, Search
from solvers.approximate.players import Player, key_of, players

__all__ = ["RESPONDERS", "Response", "lower_bound", "responses"]

RESPONDERS: Mapping[str, Callable[[], Learner]] = {
    "q_learning": QLearning,
    "search": Search,
    "local": Local,
}
"""Name to learner."""

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Response:
    """The best response that was found for one seat.

    Attributes:
        seat: whose.
        responder: which learner found it; `itself` if none beats the policy.
        choice: infoset key to action; elsewhere the policy itself plays on.
        payoff: its payoff in each test episode, shape (N,).
        base: the policy's own in the same episodes, shape (N,).
    """

    seat: int
    responder: str
    choice: Mapping[str, int]
    payoff: Reals
    base: Reals


def lower_bound(
    game: Game,
    policies: Sequence[Any],
    *,
    seed: int = 0,
    episodes: int = 20_000,
    selection_episodes: int | None = None,
    test_episodes: int | None = None,
    responders: Sequence[str] = tuple(RESPONDERS),
    confidence: float = 0.95,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Gap]:
    """Return lower bounds on how far policies are from a Nash equilibrium.

    Args:
        game: with discrete actions and infoset keys; any number of seats, any size.
        policies: one a seat, each a `Policy`, an agent, or what becomes one.
        seed: the answer follows from it.
        episodes: that each learner of each seat gets.
        selection_episodes: on which each response is compared; by default a quarter of
            `episodes`, at least 500.
        test_episodes: on which the gain of the chosen one is estimated; by default half of
            `episodes`, at least 1000.
        responders: which learners take part.
        confidence: of the intervals, between 0 and 1.
        progress: called with a line of text now and then.

    Returns:
        `regret_p` for each seat, `nash_conv` and `exploitability`, all of kind `lower` with
        an interval: `value` estimates without bias what the learned responses gain, and the
        true quantity is above the interval's lower end with more than `confidence`.

    Raises:
        ParameterError: an option out of range, or a policy without a distribution somewhere.
        UnknownNameError: no learner of that name.
        NotApplicableError: no infoset keys, or actions that are not discrete.
    """
    from scipy.special import ndtri

    if not 0.0 < confidence < 1.0:
        raise ParameterError("confidence", confidence, "a number between 0 and 1")
    found = responses(
        game,
        policies,
        seed=seed,
        episodes=episodes,
        selection_episodes=selection_episodes,
        test_episodes=test_episodes,
        responders=responders,
        progress=progress,
    )
    z = float(ndtri(0.5 + confidence / 2))
    out: dict[str, Gap] = {}
    total = spread = 0.0
    for response in found:
        gain = response.payoff - response.base
        mean, variance = float(gain.mean()), float(gain.var(ddof=1)) / len(gain)
        out[f"regret_{response.seat}"] = _gap(mean, variance, z)
        if game.payoff == "zero_sum":
            # What the seats get when all follow adds up to 0: one noise less.
            mean = float(response.payoff.mean())
            variance = float(response.payoff.var(ddof=1)) / len(gain)
        total += mean
        spread += variance
    whole = {
        "nash_conv": _gap(total, spread, z),
        "exploitability": _gap(total / game.seats, spread / game.seats**2, z),
    }
    return {**whole, **out}


def _gap(mean: float, variance: float, z: float) -> Gap:
    half = z * variance**0.5
    return Gap(mean, "lower", (mean - half, mean + half))


def responses(
    game: Game,
    policies: Sequence[Any],
    *,
    seed: int = 0,
    episodes: int = 20_000,
    selection_episodes: int | None = None,
    test_episodes: int | None = None,
    responders: Sequence[str] = tuple(RESPONDERS),
    progress: Callable[[str], None] | None = None,
) -> list[Response]:
    """Return the best response found for each seat; arguments as in `lower_bound`."""
    chosen = {"selection_episodes": selection_episodes, "test_episodes": test_episodes}
    chosen["selection_episodes"] = (
        max(500, episodes // 4) if selection_episodes is None else selection_episodes
    )
    chosen["test_episodes"] = max(1000, episodes // 2) if test_episodes is None else test_episodes
    for name, value in {"episodes": episodes, **chosen}.items():
        if not (isinstance(value, int) and value >= 2):
            raise ParameterError(name, value, "a whole number, 2 or more")
    for name in responders:
        if name not in RESPONDERS:
            raise UnknownNameError("responder", name, RESPONDERS)
    play = _Play(game, players(game, policies))
    say = progress or (lambda text: None)
    out = []
    for seat in range(game.seats):
        answers: dict[str, Mapping[str, int]] = {"itself": {}}
        for name in responders:
            say(f"seat {seat}: {name} learns from {episodes:,} episodes")
            answers[name] = play.train(
                RESPONDERS[name](), seat, episodes, derive(seed, "learn", seat, name)
            )
        say(f"seat {seat}: comparing {len(answers)} responses")
        trial = derive_many(derive(seed, "select", seat), range(chosen["selection_episodes"] or 0))
        means = {n: play.payoffs(seat, a, trial).mean() for n, a in answers.items()}
        best = max(means, key=means.__getitem__)
        say(f"seat {seat}: testing {best}")
        test = derive_many(derive(seed, "test", seat), range(chosen["test_episodes"] or 0))
        base = play.payoffs(seat, {}, test)
        payoff = base if best == "itself" else play.payoffs(seat, answers[best], test)
        out.append(Response(seat, best, answers[best], payoff, base))
    return out


class _Play:
    """Episodes in which one seat departs from the policies."""

    def __init__(self, game: Game, seats: Sequence[Player]) -> None:
        self._game, self._players = game, seats

    def train(self, learner: Learner, seat: int, count: int, seed: int) -> Mapping[str, int]:
        """Let a learner play so many episodes; return its answer."""
        own = self._players[seat].act
        for i, episode in enumerate(derive_many(seed, range(count)).tolist()):
            learner.begin(i / count, Stream(derive(episode, "explore")), own)
            learner.end(self._episode(episode, seat, learner.act))
        return learner.answer()

    def payoffs(self, seat: int, choice: Mapping[str, int], seeds: NDArray[np.uint64]) -> Reals:
        """Return what a response earns in each of the episodes, shape (N,)."""
        own = self._players[seat].act

        def act(observation: Observation) -> Action:
            action = choice.get(key_of(observation))
            return own(observation) if action is None else action

        return np.array([self._episode(episode, seat, act) for episode in seeds.tolist()])

    def _episode(self, seed: int, seat: int, act: Callable[[Observation], Action]) -> float:
        """Play one episode; the luck of the game follows from the seed alone."""
        for i, player in enumerate(self._players):
            player.begin(derive(seed, "player", i))
        state, own = self._game.state(seed), self._players[seat]

        def followed(observation: Observation) -> Action:
            action = act(observation)
            own.follow(observation, action)
            return action

        drive(state, [followed if i == seat else p.act for i, p in enumerate(self._players)])
        return float(state.returns()[seat])
