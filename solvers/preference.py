"""Preference matrices: P[i, j] is how often i is preferred to j, P + Pᵀ = 1.

As a game, two seats choose at once and are paid P − ½ and ½ − P; its equilibrium is the
von Neumann winner (Dudík et al. 2015). `solvers.mirror` keeps one policy for both seats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.game import Game
from games.normal_form import NormalForm, as_game

__all__ = ["from_counts", "from_payoffs", "preference_game"]

Reals = NDArray[np.float64]

_TOLERANCE = 1e-9


def _square(name: str, given: Any) -> Reals:
    matrix = np.array(given, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ParameterError(f"{name}.shape", matrix.shape, "a square matrix, (K, K)")
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        i, j = bad[0].tolist()
        raise ParameterError(f"{name}[{i}, {j}]", float(matrix[i, j]), "a finite number")
    return matrix


def from_counts(wins: Any, *, prior: float = 0.0) -> Reals:
    """Return the preference matrix of pairwise counts, shape (K, K).

    Args:
        wins: wins[i, j] is how often i was preferred to j; half for each of a tie.
        prior: added to each count, such as ½ (Jeffreys) or 1 (Laplace).

    Raises:
        ParameterError: negative counts, or a pair that was never compared, without prior.
    """
    counts = _square("wins", wins)
    if (counts < 0).any():
        i, j = np.argwhere(counts < 0)[0].tolist()
        raise ParameterError(f"wins[{i}, {j}]", float(counts[i, j]), "zero or more")
    if not (np.isfinite(prior) and prior >= 0):
        raise ParameterError("prior", prior, "zero or a positive number")
    counts = counts + prior
    np.fill_diagonal(counts, 1.0)
    both = counts + counts.T
    if (both == 0).any():
        i, j = np.argwhere(both == 0)[0].tolist()
        raise ParameterError(
            f"wins[{i}, {j}] + wins[{j}, {i}]", 0.0, "comparisons of every pair, or a prior > 0"
        )
    return np.asarray(counts / both)


def from_payoffs(payoffs: Any) -> Reals:
    """Return the preference matrix of a round robin, shape (K, K).

    Args:
        payoffs: what i gained on average against j, such as a tournament's win matrix;
            moved and scaled so that an even match counts ½ and the largest gain 1.

    Raises:
        ParameterError: not square or not finite (a pair that never met).
    """
    matrix = _square("payoffs", payoffs)
    np.fill_diagonal(matrix, 0.0)
    gain = 0.5 * (matrix - matrix.T)
    scale = float(np.abs(gain).max())
    return np.asarray(0.5 + (0.5 * gain / scale if scale > 0 else gain))


def preference_game(
    matrix: Any, *, labels: Sequence[str] | None = None, id: str = "preference"
) -> Game:
    """Return the symmetric zero-sum game of a preference matrix.

    Args:
        matrix: P, shape (K, K), with P + Pᵀ = 1 and entries in [0, 1].
        labels: names of the K alternatives.
        id: what the game is called.

    Raises:
        ParameterError: P is no preference matrix; the message names the pair.
    """
    preference = _square("matrix", matrix)
    outside = np.argwhere((preference < 0) | (preference > 1))
    if len(outside):
        i, j = outside[0].tolist()
        raise ParameterError(f"matrix[{i}, {j}]", float(preference[i, j]), "0 to 1")
    off = np.abs(preference + preference.T - 1.0)
    if float(off.max()) > _TOLERANCE:
        i, j = np.unravel_index(int(off.argmax()), off.shape)
        both = float(preference[i, j] + preference[j, i])
        raise ParameterError(f"matrix[{i}, {j}] + matrix[{j}, {i}]", both, "1, as P + Pᵀ = 1")
    # Antisymmetric to the last bit, so that both seats stay alike.
    gain = 0.5 * (preference - preference.T)
    names = None if labels is None else [list(labels), list(labels)]
    form = NormalForm(np.array([gain, -gain]), names, "preference game")
    return as_game(form, id=id, params={"matrix": preference.tolist()}, rebuildable=False)
