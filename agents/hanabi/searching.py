"""Search from a bot, decision by decision: `hanabi/mds` and `hanabi/sparta`.

1. The belief over the own hand is brought up to date (`tracking.Tracker`).
2. Worlds are drawn from it; each action is tried in the same worlds, everybody following the
   blueprint afterwards, and what is clearly worse is given up (`solvers.search.race`).
3. MDS plays π'(a) ∝ π(a) exp(η Â(a)), with π the blueprint mixed with a share `epsilon` of
   uniform play, and Â the advantage over the blueprint's choice, less `z_play` standard
   errors. SPARTA plays the best action if its advantage is above `threshold`, else the
   blueprint's.

Sources: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, section 4 (MDS); Lerer et al. 2020, "Improving policies via search in cooperative
partially observable games", AAAI, sections 4 and 5 (SPARTA).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.hanabi.agent import HanabiBot
from agents.hanabi.table import BOTS
from arena.game import Game, Observation
from arena.rng import derive, stream_states
from games.hanabi import layout as at
from solvers.search.race import Estimates, race
from solvers.search.step import mirror_step, softened

__all__ = ["HanabiSearch"]


class HanabiSearch:
    """Searches from a bot of `agents.hanabi.table.BOTS`."""

    version = "1"
    stochastic = True

    def __init__(
        self,
        name: str,
        *,
        blueprint: str = "smart",
        rollouts: int = 1000,
        milliseconds: float | None = None,
        eta: float = 50.0,
        epsilon: float = 0.05,
        z_play: float = 1.0,
        threshold: float = 0.05,
        soft: float = 0.0,
        limit: int = 2000,
        tries: int = 2000,
        batch: int = 12,
        growth: float = 1.6,
        z: float = 2.0,
        margin: float = 0.0,
    ) -> None:
        from agents.hanabi import _kernels, _search_kernels
        from agents.hanabi._table_kernels import WORK

        self.name = name
        self._bot = HanabiBot(blueprint)
        self._bots_number = BOTS[blueprint].number
        self._kernels: Any = _search_kernels
        self._own_kernels: Any = _kernels
        self.rollouts, self.milliseconds = rollouts, milliseconds
        self.eta, self.epsilon, self.z_play, self.threshold = eta, epsilon, z_play, threshold
        self.soft, self.limit, self.tries = soft, limit, tries
        self.batch, self.growth, self.z, self.margin = batch, growth, z, margin
        self._work = np.zeros(WORK, dtype=np.int64)
        self.stats: dict[str, float] = dict.fromkeys(
            ("decisions", "searched", "rollouts", "seconds", "deviations", "ess", "exact", "fallbacks", "rebuilt","belief_seconds"), 0.0
        )

    def begin(self, game: Game, seat: int, seed: int) -> None:
        from agents.hanabi.tracking import Tracker

        self._variant = variant = game.form("hanabi")
        self._seat = seat
        self._bot.begin(game, seat, derive(seed, "blueprint"))
        self._bots = np.array([self._bots_number] * variant.players)
        self._tracker = Tracker(
            variant, seat, self._bots, limit=self.limit, tries=self.tries, soft=self.soft
        )
        self._streams = stream_states(np.array([derive(seed, "search")], dtype=np.uint64))
        self._row = np.zeros(variant.width, dtype=np.int16)
        self._row[at.LENGTH] = -1
        self._memory = np.zeros(at.MAX_CARDS, dtype=np.int64)

    def act(self, observation: Observation) -> int:
        started = time.process_time()
        seen = observation.row
        tracker, stats = self._tracker, self.stats
        before = (tracker.fallbacks, tracker.rebuilt)
        tracker.update(seen, self._streams)
        stats["belief_seconds"] += time.process_time() - started
        stats["fallbacks"] += tracker.fallbacks - before[0]
        stats["rebuilt"] += tracker.rebuilt - before[1]
        policy = self._bot.policy(observation)
        base = int(policy.argmax())
        self._own_kernels.catch_up(
            self._bots_number, seen, self._row, self._variant.numbers, self._memory, self._seat, self._work
        )
        actions = [base] + [a for a in observation.actions if a != base]
        stats["decisions"] += 1
        if len(actions) > 1:
            found = self._search(seen, actions)
            action = self._choose(found, policy, observation.legal)
            stats["searched"] += 1
            stats["rollouts"] += found.rollouts
            stats["ess"] += tracker.effective
            stats["exact"] += tracker.exact
            stats["deviations"] += action != base
            self.last = found
        else:
            action = base
        stats["seconds"] += time.process_time() - started
        return action

    def _search(self, seen: NDArray[np.int16], actions: Sequence[int]) -> Estimates:
        tracker = self._tracker
        edges = np.cumsum(tracker.weights)

        def playouts(these: Sequence[int], worlds: int) -> NDArray[np.float64]:
            rng = np.random.default_rng(int(self._streams[0]))
            chosen = np.minimum(np.searchsorted(edges, rng.random(worlds) * edges[-1], side="right"), len(edges) - 1)
            out = np.empty((worlds, len(these)))
            self._kernels.playouts(
                self._bots, seen, self._variant.numbers, self._seat, self._memory,
                tracker.hands, tracker.memories, chosen, np.array(these), self._streams,
                tracker.unseen, self._work, out,
            )
            return out

        return race(
            actions, playouts, rollouts=self.rollouts,
            seconds=np.inf if self.milliseconds is None else self.milliseconds / 1000,
            batch=self.batch, growth=self.growth, z=self.z, margin=self.margin,
        )

    def _choose(self, found: Estimates, policy: NDArray[np.float64], legal: NDArray[np.bool_]) -> int:
        if self.name == "sparta":
            best = int(np.argmax(found.advantages))
            return int(found.actions[best if found.advantages[best] > self.threshold else 0])
        prior = softened(policy, legal, self.epsilon)[found.actions]
        sure = found.advantages - self.z_play * found.errors
        sure[0] = 0.0
        stepped = mirror_step(prior, sure, self.eta)
        return int(found.actions[int(np.argmax(stepped))])

    def close(self) -> None:
        pass
