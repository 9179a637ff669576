"""Monte Carlo sweeps over the nodes of a `Tree`. Letters as in `games.tree.data`."""

# Compiled functions take flat arrays by position, because numba passes keywords slowly, and
# numba's decorator has no types.
# ruff: noqa: PLR0912, PLR0917
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["depth_of", "external", "outcome"]


@njit(cache=True)
def depth_of(parent: Any) -> int:
    """Return the greatest number of edges from the root to a node."""
    depth = np.zeros(len(parent), dtype=np.int32)
    deepest = 0
    for v in range(1, len(parent)):
        depth[v] = depth[parent[v]] + 1
        deepest = max(deepest, depth[v])
    return deepest


@njit(cache=True)
def _uniform(random: Any) -> float:
    """Draw from [0, 1) and move the generator `random`, (1,) uint64, on (SplitMix64)."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def _match(first: int, count: int, regret: Any, policy: Any) -> None:
    """Regret matching at one infoset: policy ∝ [R]⁺, in place."""
    mass = 0.0
    for s in range(first, first + count):
        policy[s] = max(regret[s], 0.0)
        mass += policy[s]
    for s in range(first, first + count):
        policy[s] = policy[s] / mass if mass > 0.0 else 1.0 / count


@njit(cache=True)
def _draw(first: int, count: int, weights: Any, random: Any) -> int:
    """Return an index below `count`, drawn with the given probabilities."""
    left = _uniform(random)
    pick = 0
    for k in range(count):
        if weights[first + k] > 0.0:
            pick = k
            left -= weights[first + k]
            if left < 0.0:
                break
    return pick


@njit(cache=True)
def external(
    seat: Any,
    infoset: Any,
    first_child: Any,
    n_children: Any,
    chance: Any,
    payoff_at: Any,
    payoffs: Any,
    info_first: Any,
    info_actions: Any,
    n: int,
    iterations: int,
    random: Any,
    regret: Any,
    policy: Any,
    total: Any,
    stack_node: Any,
    stack_next: Any,
    worth: Any,
) -> None:
    """External sampling: each iteration walks the tree once a seat; the rest in place.

    The seat tries all its actions; chance and the others are sampled. Infosets of the seat
    after the walker's own add their policy to the average when they are met.

    `payoff_at` is the column of `payoffs` by node, (N,); `random` the generator's state,
    (1,); `stack_node` and `stack_next`, (D,), and `worth`, the values of the actions on the
    stack, (D, A), are scratch for a tree of depth D.
    """
    for _ in range(iterations):
        for walker in range(n):
            top = -1
            v = 0
            descend = True
            value = 0.0
            while True:
                if descend:
                    p = seat[v]
                    if p == -2:
                        value = payoffs[walker, payoff_at[v]]
                        descend = False
                    elif p == -1:
                        v = first_child[v] + _draw(first_child[v], n_children[v], chance, random)
                    else:
                        i = infoset[v]
                        first, count = info_first[i], info_actions[i]
                        _match(first, count, regret, policy)
                        if p == walker:
                            top += 1
                            stack_node[top] = v
                            stack_next[top] = 0
                            v = first_child[v]
                        else:
                            if p == (walker + 1) % n:
                                for s in range(first, first + count):
                                    total[s] += policy[s]
                            v = first_child[v] + _draw(first, count, policy, random)
                elif top < 0:
                    break
                else:
                    node = stack_node[top]
                    worth[top, stack_next[top]] = value
                    stack_next[top] += 1
                    i = infoset[node]
                    first, count = info_first[i], info_actions[i]
                    if stack_next[top] < count:
                        v = first_child[node] + stack_next[top]
                        descend = True
                    else:
                        # Deeper walks may have changed the policy only of other infosets,
                        # unless recall is imperfect: it is matched again to be safe.
                        _match(first, count, regret, policy)
                        value = 0.0
                        for k in range(count):
                            value += policy[first + k] * worth[top, k]
                        for k in range(count):
                            regret[first + k] += worth[top, k] - value
                        top -= 1


@njit(cache=True)
def outcome(
    seat: Any,
    infoset: Any,
    first_child: Any,
    n_children: Any,
    chance: Any,
    payoff_at: Any,
    payoffs: Any,
    info_first: Any,
    info_actions: Any,
    n: int,
    iterations: int,
    explore: float,
    random: Any,
    regret: Any,
    policy: Any,
    total: Any,
    path_node: Any,
    path_pick: Any,
    path_own: Any,
    path_sample: Any,
) -> None:
    """Outcome sampling: each iteration plays one episode a seat; the rest in place.

    The seat explores with probability `explore`, all others are on policy, so that the
    ratio of counterfactual reach to sampling probability is 1/(the seat's own sampling).

    Scratch for a tree of depth D, all (D,): `path_node`, the decisions of the seat on the
    way; `path_pick`, which action it took there; `path_own`, its reach before each;
    `path_sample`, the probability of sampling the way there.
    """
    for _ in range(iterations):
        for walker in range(n):
            v, length = 0, 0
            own, drawn, sample = 1.0, 1.0, 1.0
            while seat[v] != -2:
                p = seat[v]
                if p == -1:
                    k = _draw(first_child[v], n_children[v], chance, random)
                    v = first_child[v] + k
                    sample *= chance[v]
                    continue
                i = infoset[v]
                first, count = info_first[i], info_actions[i]
                _match(first, count, regret, policy)
                if p == walker:
                    if _uniform(random) < explore:
                        k = min(int(_uniform(random) * count), count - 1)
                    else:
                        k = _draw(first, count, policy, random)
                    step = explore / count + (1.0 - explore) * policy[first + k]
                    path_node[length] = v
                    path_pick[length] = k
                    path_own[length] = own
                    path_sample[length] = sample
                    own *= policy[first + k]
                    drawn *= step
                    sample *= step
                    length += 1
                else:
                    k = _draw(first, count, policy, random)
                    sample *= policy[first + k]
                v = first_child[v] + k
            weight = payoffs[walker, payoff_at[v]] / drawn
            tail = 1.0
            for d in range(length - 1, -1, -1):
                i = infoset[path_node[d]]
                first, count = info_first[i], info_actions[i]
                _match(first, count, regret, policy)
                # The average needs the policy that was played, so it comes before the regrets.
                for k in range(count):
                    total[first + k] += path_own[d] / path_sample[d] * policy[first + k]
                picked = policy[first + path_pick[d]]
                value = weight * tail * picked
                for k in range(count):
                    gain = weight * tail if k == path_pick[d] else 0.0
                    regret[first + k] += gain - value
                tail *= picked
