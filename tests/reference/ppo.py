"""The loss of PPO and its gradient, one decision at a time, and GAE from its definition."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def softmax(logits: list[float], legal: list[bool]) -> list[float]:
    weights = [math.exp(x) if ok else 0.0 for x, ok in zip(logits, legal, strict=True)]
    return [w / sum(weights) for w in weights]


def loss(
    logits: NDArray[np.float64],
    values: NDArray[np.float64],
    legal: NDArray[np.bool_],
    actions: NDArray[np.int64],
    old_log: NDArray[np.float64],
    advantage: NDArray[np.float64],
    target: NDArray[np.float64],
    clip: float,
    value_weight: float,
    entropy_weight: float,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss, and its gradients by logits (M, A) and by values (M,)."""
    count, size = logits.shape
    total = 0.0
    by_logits, by_values = np.zeros((count, size)), np.zeros(count)
    for i in range(count):
        p = softmax(logits[i].tolist(), legal[i].tolist())
        a = int(actions[i])
        ratio = p[a] / math.exp(old_log[i])
        plain = ratio * advantage[i]
        bounded = min(max(ratio, 1.0 - clip), 1.0 + clip) * advantage[i]
        entropy = -sum(q * math.log(q) for q in p if q > 0.0)
        error = values[i] - target[i]
        total += -min(plain, bounded) + value_weight * 0.5 * error**2 - entropy_weight * entropy
        by_values[i] = value_weight * error / count
        for j in range(size):
            if not legal[i, j]:
                continue
            # d p_a / d logit_j = p_a (1[a = j] − p_j)
            slope = ratio * ((a == j) - p[j]) * advantage[i] if plain <= bounded else 0.0
            # d entropy / d logit_j = −p_j (log p_j + entropy)
            fall = -p[j] * (math.log(p[j]) + entropy)
            by_logits[i, j] = (-slope - entropy_weight * fall) / count
    return total / count, by_logits, by_values


def advantages(
    gain: list[float],
    value: list[float],
    chain: list[int],
    beyond: list[float],
    discount: float,
    trace: float,
) -> list[float]:
    """Return Σ_l (γλ)^l δ_{t+l} along each chain, sum by sum."""
    out = []
    for i, own in enumerate(chain):
        later = [j for j in range(i, len(chain)) if chain[j] == own]
        total = 0.0
        for distance, j in enumerate(later):
            following = value[later[distance + 1]] if distance + 1 < len(later) else beyond[own]
            error = gain[j] + discount * following - value[j]
            total += (discount * trace) ** distance * error
        out.append(total)
    return out
