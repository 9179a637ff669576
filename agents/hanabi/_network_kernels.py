# ruff: noqa: PLR0917 - compiled: no keywords
"""The loops of `agents.hanabi.network_model`.

Encodings are sets of bits, a few hundred at most: the first layer adds up the weights of the
bits that are set, which is several times less work than the product with all of them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from games.hanabi._feature_kernels import derive_all
from games.hanabi._kernels import count, legal_bits
from games.hanabi._observe_kernels import pack, unpack
from games.hanabi.layout import TURN

__all__ = ["first_layer", "pick", "shares"]


@njit(cache=True, fastmath=True)
def _add(total, share, weight):  # type: ignore[no-untyped-def]  # compiled by numba
    for j in range(total.shape[0]):
        total[j] += share * weight[j]


@njit(cache=True)
def first_layer(rows, cfg, copies, sizes, width, seats, weight, bias, words, out):  # type: ignore[no-untyped-def]
    """Write what the first layer makes of what the seat to move sees, before the activation.

    Args:
        rows: episodes that go on, shape (N, W).
        cfg: the numbers of the variant.
        copies: see `derive_all`.
        sizes: see `derive_all`.
        width: numbers of an encoding.
        seats: length of the one-hot seat, 0 for none.
        weight: of the encoding, then of derived features, then of the seat; float32, (D, H).
        bias: float32, shape (H,).
        words: scratch, see `pack`.
        out: float32, shape (N, H), modified in place.
    """
    derived = weight.shape[0] - width - seats
    tensor = np.zeros((1, width if derived else 0), np.float32)
    features = np.zeros((1, derived), np.float32)
    one = np.uint64(1)
    for n in range(rows.shape[0]):
        seat = np.int64(rows[n, TURN])
        pack(rows[n], cfg, seat, words)
        total = out[n]
        total[:] = bias
        for i in range(words.shape[0]):
            word = words[i]
            while word:
                low = word & (~word + one)
                _add(total, np.float32(1.0), weight[64 * i + np.int64(count(low - one))])
                word ^= low
        if derived:
            unpack(words, tensor[0])
            features[:] = 0.0
            derive_all(tensor, copies, sizes, features)
            for i in range(derived):
                if features[0, i] != 0.0:
                    _add(total, features[0, i], weight[width + i])
        if seats:
            _add(total, np.float32(1.0), weight[width + derived + seat])


@njit(cache=True)
def shares(rows, cfg, logits, greedy, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the probabilities of whoever is to move.

    Args:
        rows: episodes that go on, shape (N, W).
        cfg: the numbers of the variant.
        logits: float32, shape (N, A).
        greedy: whether the first most probable action is always played.
        out: float64, shape (N, A), modified in place.
    """
    for n in range(rows.shape[0]):
        bits = legal_bits(rows[n], cfg)
        best, most = -1, -np.inf
        for a in range(logits.shape[1]):
            out[n, a] = 0.0
            if (bits >> np.uint64(a)) & np.uint64(1) and logits[n, a] > most:
                best, most = a, np.float64(logits[n, a])
        if greedy:
            out[n, best] = 1.0
            continue
        total = 0.0
        for a in range(logits.shape[1]):
            if (bits >> np.uint64(a)) & np.uint64(1):
                out[n, a] = np.exp(np.float64(logits[n, a]) - most)
                total += out[n, a]
        for a in range(logits.shape[1]):
            out[n, a] /= total


@njit(cache=True)
def pick(odds, marks, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the action that each mark, uniform on [0, 1), falls on.

    Args:
        odds: probabilities, shape (N, A).
        marks: shape (N,).
        out: int64, shape (N,), modified in place.
    """
    for n in range(odds.shape[0]):
        left, last = marks[n], 0
        for a in range(odds.shape[1]):
            if odds[n, a] > 0.0:
                last = a
                left -= odds[n, a]
                if left < 0.0:
                    break
        out[n] = last
