"""Search from a blueprint, decision by decision: `hanabi/mds` and `hanabi/sparta`.

1. The belief over the own hand is brought up to date (`agents.hanabi.tracking`).
2. Worlds are drawn from it; every action is tried in the same worlds, everybody following
   the blueprint afterwards, and what is clearly worse is given up (`solvers.search.race`).
3. MDS plays π'(a) ∝ π(a) exp(η Â(a)), π being the blueprint mixed with a share `epsilon` of
   uniform play, Â the advantage over the blueprint's choice less `doubt` standard errors.
   SPARTA plays the best action if its advantage is above `threshold`, else the blueprint's.

When several seats search, each of them should believe that its partners do: `soft` is the
share of moves in which a partner may leave the blueprint. It stands for the searched policy
in the belief, which to compute would take a search for every hand and every move; a partner
that leaves the blueprint then makes a hand unlikely, not impossible.

Sources: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, section 4 (MDS); Lerer et al. 2020, "Improving policies via search in cooperative
partially observable games", AAAI, sections 4 and 5 (SPARTA).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.hanabi.agent import HanabiBot
from agents.hanabi.table import BOTS, LEARNED
from arena.errors import AgentError, ParameterError, UnknownNameError
from arena.game import Game, Observation
from arena.rng import Stream, derive, generator, stream_states
from arena.types import Floats
from games.hanabi import Variant
from games.hanabi.observe import HanabiObservation
from solvers.search.race import Estimates, race
from solvers.search.step import mirror_step, softened

__all__ = ["HanabiSearch", "Statistics", "mds", "sparta"]


@dataclass
class Statistics:
    """What a searching agent did in all its games.

    Attributes:
        decisions: moves made.
        searched: decisions with more than one legal action.
        deviations: how often it did not do what the blueprint would have.
        rollouts: play-outs.
        seconds: CPU time, that of the belief included.
        belief_seconds: CPU time for beliefs.
        effective: sum over searches of the belief's effective sample size.
        exact: searches with an exact belief.
        fallbacks: beliefs that no hand explained; then hands are drawn as hints allow.
        rebuilt: beliefs begun anew for want of samples.
    """

    decisions: int = 0
    searched: int = 0
    deviations: int = 0
    rollouts: int = 0
    seconds: float = 0.0
    belief_seconds: float = 0.0
    effective: float = 0.0
    exact: int = 0
    fallbacks: int = 0
    rebuilt: int = 0

    def means(self) -> dict[str, float]:
        """Return figures for one search, and decisions a CPU second."""
        n = max(1, self.searched)
        return {
            "decisions": self.decisions,
            "decisions_per_second": self.decisions / self.seconds if self.seconds else math.inf,
            "milliseconds": 1e3 * self.seconds / n,
            "belief_milliseconds": 1e3 * self.belief_seconds / n,
            "rollouts": self.rollouts / n,
            "deviations": self.deviations / n,
            "effective": self.effective / n,
            "exact": self.exact / n,
            "fallbacks": self.fallbacks,
            "rebuilt": self.rebuilt,
        }


def mds(**params: Any) -> HanabiSearch:
    """Return mirror descent search; parameters as of `HanabiSearch`, without `threshold`."""
    if "threshold" in params:
        raise UnknownNameError("parameter of hanabi/mds", "threshold", (), hint="it takes eta")
    return HanabiSearch("mds", **params)


def sparta(**params: Any) -> HanabiSearch:
    """Return SPARTA's single-agent search: exact beliefs, 10 000 play-outs at most.

    Play-outs are compared world by world, and those that an action given up would have had
    go to the others, both of which serve it well.
    """
    for name in ("eta", "epsilon", "doubt", "play"):
        if name in params:
            raise UnknownNameError(
                "parameter of hanabi/sparta", name, (), hint="it takes threshold"
            )
    given = {"rollouts": 10_000, "limit": 1_000_000, "z": 2.5, "batch": 40, **params}
    return HanabiSearch("sparta", **given)


class HanabiSearch:
    """Searches from a blueprint that all seats are taken to follow.

    Args:
        kind: `mds` or `sparta`.
        blueprint: a bot of `agents.hanabi.table.BOTS`, or the name or file of a network.
        rollouts: play-outs for one decision, at most.
        milliseconds: wall-clock time for one decision's play-outs; with it, what is played
            depends on the clock.
        eta: the step η, a point of score.
        epsilon: share of uniform play mixed into the blueprint before the step.
        doubt: standard errors taken off the advantage of what the blueprint would not play.
        play: the `best` action of the searched policy, or one `draw`n from it.
        threshold: of SPARTA, in points.
        soft: probability with which a partner leaves the blueprint, in beliefs.
        limit: hands up to which a belief is exact.
        tries: hands drawn for a belief that is not.
        batch: worlds of the first batch.
        growth: of the batches.
        z: standard errors below the best at which an action is given up.
        margin: points of advantage below which an action is not gone on with.

    Raises:
        ParameterError: out of range.
        UnknownNameError: no such blueprint.
    """

    version = "1"

    def __init__(
        self,
        kind: str,
        *,
        blueprint: str = "smart",
        rollouts: int = 1000,
        milliseconds: float | None = None,
        eta: float = 200.0,
        epsilon: float = 0.05,
        doubt: float = 1.0,
        play: str = "best",
        threshold: float = 0.05,
        soft: float = 0.0,
        limit: int = 1500,
        tries: int = 1500,
        batch: int = 12,
        growth: float = 2.0,
        z: float = 1.0,
        margin: float = 0.05,
    ) -> None:
        self.name = kind
        at_least = {
            "eta": (eta, 0.0), "doubt": (doubt, 0.0), "threshold": (threshold, 0.0),
            "margin": (margin, 0.0), "z": (z, 0.0), "growth": (growth, 1.0),
        }  # fmt: skip
        for name, (value, least) in at_least.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
                raise ParameterError(name, value, f"a number ≥ {least:g}", where=f"hanabi/{kind}")
        for name, share in {"epsilon": epsilon, "soft": soft}.items():
            if not isinstance(share, int | float) or not 0.0 <= share < 1.0:
                raise ParameterError(name, share, "at least 0, below 1", where=f"hanabi/{kind}")
        whole = {"rollouts": rollouts, "limit": limit, "tries": tries, "batch": batch}
        for name, number in whole.items():
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise ParameterError(name, number, "an integer ≥ 1", where=f"hanabi/{kind}")
        if milliseconds is not None and not milliseconds > 0.0:
            raise ParameterError("milliseconds", milliseconds, "above 0", where=f"hanabi/{kind}")
        if play not in ("best", "draw"):
            raise UnknownNameError(f"play of hanabi/{kind}", str(play), ("best", "draw"))
        self._blueprint: Any = _open(blueprint)
        self._rollouts, self._seconds = rollouts, (milliseconds or math.inf) / 1000.0
        self._eta, self._epsilon, self._doubt, self._play = eta, epsilon, doubt, play
        self._threshold = threshold
        self._limit, self._tries, self._soft = limit, tries, float(soft)
        self._batch, self._growth, self._z, self._margin = batch, growth, z, margin
        self.stochastic = True
        self.statistics = Statistics()

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start a new game.

        Raises:
            AgentError: the game is not arena's Hanabi, or not the network's variant.
        """
        from agents.hanabi.tracking import Tracker

        self._blueprint.begin(game, seat, derive(seed, "blueprint"))
        if "hanabi" not in game.forms:
            raise AgentError(f"hanabi/{self.name} plays the game hanabi, not {game.key}")
        variant: Variant = game.form("hanabi")
        self._seat = seat
        self._model = _model(self._blueprint, variant)
        self._tracker = Tracker(
            variant, seat, self._model, limit=self._limit, tries=self._tries, soft=self._soft
        )
        self._streams = stream_states(np.array([derive(seed, "search")], dtype=np.uint64))
        self._stream = Stream(derive(seed, "play"))

    def act(self, observation: Observation) -> int:
        """Return the move."""
        if not isinstance(observation, HanabiObservation):
            raise AgentError(f"hanabi/{self.name} was shown an observation of another game")
        started = time.process_time()
        seen, done, tracker = observation.row, self.statistics, self._tracker
        before = (tracker.fallbacks, tracker.rebuilt)
        tracker.update(seen, self._streams)
        done.belief_seconds += time.process_time() - started
        done.fallbacks += tracker.fallbacks - before[0]
        done.rebuilt += tracker.rebuilt - before[1]
        done.decisions += 1
        policy: Floats = self._blueprint.policy(observation)
        self._model.watch(seen, self._seat)
        base = int(policy.argmax())
        action = base
        if len(observation.actions) > 1:
            order = [base, *(a for a in observation.actions if a != base)]
            found = self._estimate(seen, order)
            action = self._choose(found, policy, observation.legal)
            done.searched += 1
            done.deviations += action != base
            done.rollouts += found.rollouts
            done.effective += tracker.effective
            done.exact += tracker.exact
        done.seconds += time.process_time() - started
        return action

    def _estimate(self, seen: NDArray[np.int16], actions: Sequence[int]) -> Estimates:
        tracker, streams = self._tracker, self._streams
        edges = np.cumsum(tracker.weights)

        def playouts(these: Sequence[int], worlds: int) -> NDArray[np.float64]:
            marks = generator(int(streams[0])).random(worlds) * edges[-1]
            chosen = np.minimum(np.searchsorted(edges, marks, side="right"), len(edges) - 1)
            scores: NDArray[np.float64] = self._model.playouts(
                seen, self._seat, tracker, chosen, these, streams
            )
            return scores

        return race(
            actions,
            playouts,
            rollouts=self._rollouts,
            seconds=self._seconds,
            batch=self._batch,
            growth=self._growth,
            z=self._z,
            margin=self._margin,
        )

    def _choose(self, found: Estimates, policy: Floats, legal: NDArray[np.bool_]) -> int:
        if self.name == "sparta":
            best = int(np.argmax(np.where(found.alive, found.advantages, -np.inf)))
            return int(found.actions[best if found.advantages[best] > self._threshold else 0])
        prior = softened(np.asarray(policy), legal, self._epsilon)[found.actions]
        values = found.advantages - self._doubt * found.errors
        values[0] = 0.0
        values[~found.alive] = -np.inf
        stepped = mirror_step(prior, values, self._eta)
        if self._play == "draw":
            return int(found.actions[self._stream.index(stepped.tolist())])
        return int(found.actions[int(np.argmax(stepped))])

    def close(self) -> None:
        """Nothing to release."""


def _open(blueprint: str) -> Any:
    """Return the agent that a blueprint's name means."""
    name = blueprint.removeprefix("hanabi/") if isinstance(blueprint, str) else ""
    if name in BOTS:
        return HanabiBot(name)
    from agents.load import load

    if name in LEARNED:
        return load(f"hanabi/{name}")
    if "/" not in str(blueprint) and "." not in str(blueprint):
        raise UnknownNameError(
            "blueprint", str(blueprint), [*BOTS, *LEARNED], hint="or the file of a network"
        )
    agent = load(blueprint)
    if getattr(agent, "network", None) is None:
        raise AgentError(
            f"{blueprint} cannot be a blueprint of Hanabi's search: it is neither one of the"
            f" bots ({', '.join(sorted(BOTS))}) nor a network; the agent mds searches from any"
        )
    return agent


def _model(blueprint: Any, variant: Variant) -> Any:
    if isinstance(blueprint, HanabiBot):
        from agents.hanabi.models import BotModel

        return BotModel(variant, blueprint.name)
    from agents.hanabi.network_model import NetworkModel

    return NetworkModel(variant, blueprint.network, greedy=not blueprint.stochastic)
