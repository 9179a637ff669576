"""How actions are chosen by a Q-network: exactly, one after the other, or among samples.

`exact` is SEQUOIA; the others are the baselines of the paper that share everything else:
`iterative` switches on the action that gains most as long as one is feasible and gains,
`sampled` takes the best of random feasible actions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from games.bandits.form import RestlessBandit
from solvers.sequoia.encode import ActionNet, ReluNet
from solvers.sequoia.features import Features
from solvers.sequoia.local import dense_rows, feasible_rows
from solvers.sequoia.solve import Maximiser

__all__ = ["RULES", "Chooser"]

Ints = NDArray[np.int64]

RULES = ("exact", "iterative", "sampled")

_REMEMBERED = 50_000
_POOL = 2_000


class Chooser:
    """Chooses actions of one bandit by networks; answers are remembered for a network.

    Args:
        form: the bandit.
        features: of the networks.
        rule: one of `RULES`.
        samples: feasible actions that `sampled` compares.
        gap: of exact answers.
        seconds: time limit of an exact answer; None: none.
        nodes: where the search for an exact answer stops with the best so far; None: it
            goes on until the answer is certified.

    Attributes:
        solved: how many answers were worked out.
        uncertified: how many of the exact ones a limit ended.
        remembered: how many were known already.
    """

    def __init__(
        self,
        form: RestlessBandit,
        features: Features,
        *,
        rule: str = "exact",
        samples: int = 100,
        gap: float = 1e-4,
        seconds: float | None = None,
        nodes: int | None = None,
    ) -> None:
        if rule not in RULES:
            raise ParameterError("choose", rule, ", ".join(RULES))
        self._form, self._features, self.rule = form, features, rule
        self._samples = samples
        self._known: dict[bytes, Ints] = {}
        self.solved = self.remembered = self.uncertified = 0
        self.most: Maximiser | None = None
        self._rows = dense_rows(form.feasible)
        if rule == "exact":
            # Few actions are looked through at once; branching is quicker than many.
            self.most = Maximiser(form.feasible, gap=gap, seconds=seconds, listed=300)
            if nodes is not None:
                self.most.limit(nodes)
        self._pool: Ints | None = None

    def forget(self) -> None:
        """Drop what is remembered: the network has changed.

        The rows that searches found go too, so that answers do not depend on earlier ones.
        """
        self._known.clear()
        if self.most is not None:
            self.most.forget()

    def choose(
        self, net: ReluNet, levels: Ints, steps: Any, rng: np.random.Generator | None = None
    ) -> Ints:
        """Return actions, shape (K, N).

        Args:
            net: the network, the same since `forget`.
            levels: states of the arms, shape (K, J).
            steps: steps done, shape (K,), or one number.
            rng: what `sampled` draws from.
        """
        told = np.broadcast_to(np.asarray(steps, dtype=np.int64), len(levels))
        bases = self._features.base(levels, told)
        out = np.zeros((len(levels), self._features.actions), dtype=np.int64)
        for k, row in enumerate(levels):
            key = row.tobytes() + int(told[k]).to_bytes(4, "little")
            known = self._known.get(key)
            if known is None:
                known = self._one(net, bases[k], self._features.effect(row), rng)
                if self.rule != "sampled":
                    if len(self._known) >= _REMEMBERED:
                        self._known.clear()
                    self._known[key] = known
                self.solved += 1
            else:
                self.remembered += 1
            out[k] = known
        return out

    def _one(self, net: ReluNet, base: Any, effect: Any, rng: Any) -> Ints:
        if self.most is not None:
            decision = self.most.best(net, base=base, effect=effect)
            self.uncertified += decision.status != "optimal"
            return decision.action
        fixed = net.fix(base, effect)
        if self.rule == "iterative":
            return self._greedy(fixed)
        pool = self.pool()
        rows = pool[rng.integers(len(pool), size=self._samples)]
        found: Ints = rows[int(fixed.values(rows).argmax())]
        return found

    def _greedy(self, net: ActionNet) -> Ints:
        chosen = self._form.feasible
        n = chosen.size
        action = np.zeros(n, dtype=np.int64)
        value = float(net.values(action[None])[0])
        while True:
            off = np.flatnonzero(action == 0)
            tried = np.repeat(action[None], len(off), axis=0)
            tried[np.arange(len(off)), off] = 1
            tried = tried[feasible_rows(tried, self._rows, chosen)]
            if not len(tried):
                return action
            values = net.values(tried)
            for k in np.argsort(-values, kind="stable"):
                if values[k] <= value:
                    return action
                if chosen.plain or chosen.allows(tried[k]):
                    action, value = tried[k], float(values[k])
                    break
            else:
                return action

    def pool(self) -> Ints:
        """Return random feasible actions, shape (P, N), the same ones each time."""
        if self._pool is None:
            rng = np.random.Generator(np.random.PCG64(20_250_301))
            rows = [self._form.feasible.sample(rng) for _ in range(_POOL)]
            self._pool = np.array(rows).astype(np.int64)
        return self._pool
