"""Planners of bandits whose arms influence each other, under a budget.

`LinkPolicy` holds two heuristics of the field for two states, infected (1, the top one) or not:
`most_infected` acts on infected nodes with the most infected neighbours, `lrie` on those with
the most healthy and fewest infected ones, so that as few links as possible carry the infection
(least reduction in infectious edges, here: greatest).

`MeanField` knows the transitions and plans anew in every step. It takes arms for independent
given their marginals m_t,j(s), which move by what they expect of their neighbours (NIMFA):

1. the counts of neighbours in the top state are sums of independent coins with chances
   m_t,i(top), and arm j moves by the mixture of its transitions over that distribution;
2. shares of acting fill the budget Σ_j Σ_s m_t,j(s) x_t,j(s) ≤ B in the order of the gains of
   acting in the plan before, beginning with what acting pays next;
3. costates go backwards through 1 and 2: what a bit more of state s at step t is worth to the
   arm and, by the counts, to its neighbours; they give the next gains.

After a few rounds the B arms of the greatest positive gain at the present states are acted on.

Source: Scaman, Kalogeratos and Vayatis 2015, ICTAI (LRIE); Van Mieghem, Omic and Kooij 2009,
IEEE/ACM ToN 17(1) (the approximation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, ParameterError
from games.bandits.form import RestlessBandit
from games.bandits.influence import InfluencedBandit

__all__ = ["HEURISTICS", "LinkPolicy", "MeanField"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

HEURISTICS = ("lrie", "most_infected")


def _fitting(form: RestlessBandit) -> InfluencedBandit:
    """Return the bandit if arms influence each other, act or not, and share a plain budget.

    Raises:
        AgentError: it is another one.
    """
    if not isinstance(form, InfluencedBandit) or form.acting != 2 or form.budget is None:
        raise AgentError(
            "this policy plays bandits whose arms influence each other under a budget, such as"
            f" bandits/epidemic, not {form.title or 'this one'}"
        )
    return form


def _acted(gain: Reals, budget: int) -> Ints:
    """Return actions on the arms of the greatest positive gains, shape (K, J)."""
    out = np.zeros(gain.shape, dtype=np.int64)
    top = np.argsort(-gain, axis=1, kind="stable")[:, :budget]
    np.put_along_axis(out, top, 1, axis=1)
    return out * (gain > 0)


class LinkPolicy:
    """One of `HEURISTICS`; ties go to the first node.

    Args:
        form: the bandit.
        rule: which.

    Raises:
        ParameterError: there is no such rule.
        AgentError: the bandit is of another kind, or has more than two states.
    """

    def __init__(self, form: RestlessBandit, rule: str) -> None:
        if rule not in HEURISTICS:
            raise ParameterError("rule", rule, " or ".join(HEURISTICS))
        self._form, self.rule = _fitting(form), rule
        if (form.sizes != 2).any():
            raise AgentError(f"{rule} is for nodes that are healthy or infected")

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        ill = levels.astype(np.float64)
        links = self._form.neighbours.T
        infected, healthy = ill @ links, (1.0 - ill) @ links
        most = 1.0 + len(links)
        score = infected if self.rule == "most_infected" else healthy - infected
        return _acted(ill * (most + score), self._form.budget or 0)


class MeanField:
    """Plans anew in each step by expected marginals, as above.

    Args:
        form: the bandit.
        rounds: plans made in a step, each from the gains of the one before.

    Raises:
        AgentError: the bandit is of another kind.
    """

    def __init__(self, form: RestlessBandit, *, rounds: int = 3) -> None:
        self._form, self._rounds = _fitting(form), rounds
        arms, states, counted = form.arms, form.states, self._form.counted
        self._chances = form.transition.reshape(arms, counted, 2, states, states)
        self._pay = form.expected.reshape(arms, counted, 2, states)
        degree = int(max(self._form.neighbours.sum(axis=1).max(), 1))
        # Lists of neighbours, padded by one more arm that is never in the top state.
        self._near = np.full((arms, degree), arms)
        for j, row in enumerate(self._form.neighbours):
            own = np.flatnonzero(row)
            self._near[j, : len(own)] = own

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        rows, back = np.unique(levels, axis=0, return_inverse=True)
        start = (rows[:, :, None] == np.arange(form.states)).astype(np.float64)
        left = form.horizon - step
        gains: list[Reals] = []
        for _ in range(self._rounds):
            gains = self._plan(start, left, gains)
        now = np.take_along_axis(gains[0], rows[:, :, None], axis=2)[:, :, 0]
        return _acted(now, self._form.budget or 0)[back.ravel()]

    def _plan(self, start: Reals, steps: int, gains: list[Reals]) -> list[Reals]:
        """Return the gains of acting in each step and state, each of shape (K, J, S)."""
        marginal, path = start, []
        for t in range(steps):
            spread = self._counts(marginal)
            chances = np.einsum("kjc,jcast->kjast", spread, self._chances)
            pay = np.einsum("kjc,jcas->kjas", spread, self._pay)
            wanted = gains[t] if gains else pay[:, :, 1] - pay[:, :, 0]
            share = self._shares(marginal, wanted, first=not gains)
            path.append((marginal, share, chances, pay))
            mixed = chances[:, :, 0] + share[..., None] * (chances[:, :, 1] - chances[:, :, 0])
            marginal = np.einsum("kjs,kjst->kjt", marginal, mixed)
        found: list[Reals] = []
        costate = np.zeros_like(start)
        for marginal, share, chances, pay in reversed(path):
            q = pay + self._form.discount * np.einsum("kjast,kjt->kjas", chances, costate)
            found.append(q[:, :, 1] - q[:, :, 0])
            own = q[:, :, 0] + share * found[-1]
            own[np.arange(len(own))[:, None], np.arange(q.shape[1]), self._top] += self._spill(
                marginal, share, costate
            )
            costate = own
        return found[::-1]

    @property
    def _top(self) -> Ints:
        return self._form.sizes - 1

    def _counts(self, marginal: Reals, without: int | None = None) -> Reals:
        """Return the distribution of the counts, shape (K, J, C), leaving out one neighbour."""
        up = self._up(marginal)
        spread = np.zeros((*marginal.shape[:2], self._form.counted))
        spread[..., 0] = 1.0
        for d in range(self._near.shape[1]):
            if d == without:
                continue
            chance = up[:, self._near[:, d], None]
            spread = _shifted(spread) * chance + spread * (1.0 - chance)
        return spread

    def _up(self, marginal: Reals) -> Reals:
        """Return the chances of the top state, and of nobody, shape (K, J + 1)."""
        own = marginal[:, np.arange(self._form.arms), self._top]
        return np.concatenate([own, np.zeros((len(own), 1))], axis=1)

    def _shares(self, marginal: Reals, gain: Reals, *, first: bool) -> Reals:
        """Return shares of acting, shape (K, J, S): in proportion at first, then whole arms."""
        budget = self._form.budget or 0
        good = np.maximum(gain, 0.0)
        if first:
            total = (marginal * good).sum(axis=(1, 2), keepdims=True)
            rate = np.divide(budget, total, out=np.zeros_like(total), where=total > 0)
            spread: Reals = np.minimum(rate * good, 1.0)
            return spread
        arms = _acted((marginal * good).sum(axis=2), budget).astype(np.float64)
        share: Reals = arms[:, :, None] * (gain > 0)
        return share

    def _spill(self, marginal: Reals, share: Reals, costate: Reals) -> Reals:
        """Return what arms in the top state are worth to those they are neighbours of, (K, J)."""
        q = self._pay + self._form.discount * np.einsum("jcast,kjt->kjcas", self._chances, costate)
        worth = np.einsum("kjs,kjcs->kjc", marginal * (1.0 - share), q[:, :, :, 0])
        worth += np.einsum("kjs,kjcs->kjc", marginal * share, q[:, :, :, 1])
        out: Reals = np.zeros((len(marginal), self._form.arms))
        for d in range(self._near.shape[1]):
            rest = self._counts(marginal, without=d)
            change = ((_shifted(rest) - rest) * worth).sum(axis=2)
            out += change @ (self._near[:, d, None] == np.arange(self._form.arms))
        return out


def _shifted(spread: Reals) -> Reals:
    """Return the distribution of counts with one neighbour more; the last one stays."""
    out: Reals = np.zeros_like(spread)
    out[..., 1:] = spread[..., :-1]
    out[..., -1] += spread[..., -1]
    return out
