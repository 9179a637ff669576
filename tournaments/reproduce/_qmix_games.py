"""The small games of `qmix`: known values that mixers find, or cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.game import Game
from arena.registry import GAMES
from solvers.qmix.field import make_field
from solvers.qmix.learner import DEFAULTS, ValueLearner
from tournaments.reproduce import Check

__all__ = [
    "MATRICES",
    "joint",
    "matrices",
    "matrix_checks",
    "numbers",
    "two_step",
    "two_step_checks",
]

_MIXERS = ("iql", "vdn", "qmix", "wqmix")
_SMALL = {
    "network": "mlp",
    "last_action": False,
    "epsilon_end": 1.0,
    "trace": 0.0,
    "buffer": 5000,
}
MATRICES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("matrix/nonmonotonic", {"best": 12.0, "miss": -0.1}),
    ("matrix/nonmonotonic", {}),
    ("matrix/climbing", {}),
    ("matrix/penalty", {}),
)
_ADDITIVE = np.array([[-1.5, 2.5], [2.5, 6.5]])
"""The sums a_i + b_j nearest to 0, 1, 1, 8 in the mean square."""


def _learn(game: Game, mixer: str, seed: int, rounds: int) -> ValueLearner:
    own = {"weighting": "central", "weight": 0.02} if mixer == "wqmix" else {}
    learner = ValueLearner(game, seed, {**DEFAULTS, **_SMALL, **own}, mixer=mixer)
    for _ in range(rounds):
        learner.step()
    return learner


def two_step(rounds: int, seeds: int) -> dict[str, dict[str, list[Any]]]:
    """Return greedy returns, and values of state 2B where there are any, for every seed."""
    game: Game = GAMES.factory("markov/two_step")()
    stage = make_field(game, 1)
    stage.step(np.array([[1, 0]]))  # into 2B
    found: dict[str, dict[str, list[Any]]] = {}
    for mixer in _MIXERS:
        returns, values = [], []
        for seed in range(seeds):
            learner = _learn(game, mixer, seed, rounds)
            returns.append(learner.evaluate(1, seed).mean)
            if mixer != "iql":
                values.append(learner.joint_values(stage.obs[0], stage.state[0]).tolist())
        found[mixer] = {"returns": returns, "values": values}
    return found


def two_step_checks(found: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    truth = np.array([[0.0, 1.0], [1.0, 8.0]])

    far = float(np.abs(np.array(found["qmix"]["values"]) - truth).max())
    off = float(np.abs(np.array(found["vdn"]["values"]) - _ADDITIVE).max())
    plain = [*found["vdn"]["returns"], *found["iql"]["returns"]]

    return [
        Check(
            "two-step game: QMIX plays for 8 with every seed",
            all(value == 8.0 for value in found["qmix"]["returns"]),
            numbers(found["qmix"]["returns"]),
        ),
        Check("its values of 2B are 0, 1, 1, 8 within 0.1", far <= 0.1, f"at most {far:.3f} off"),
        Check(
            "VDN and IQL play for 7 with every seed",
            all(value == 7.0 for value in plain),
            numbers(plain),
        ),
        Check(
            "VDN's values of 2B are the nearest sums, −1.5, 2.5, 2.5, 6.5, within 0.5",
            off <= 0.5,
            f"at most {off:.3f} off",
        ),
    ]


def matrices(rounds: int, seeds: int) -> dict[str, dict[str, list[float]]]:
    """Return greedy payoffs of each matrix game for every learner and seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, params in MATRICES:
        game: Game = GAMES.factory(name)(**params)
        found[game.key] = {
            mixer: [
                _learn(game, mixer, seed, rounds).evaluate(1, seed).mean for seed in range(seeds)
            ]
            for mixer in _MIXERS
        }
    return found


def matrix_checks(found: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Check]:
    best: dict[str, float] = {}
    for (name, params), key in zip(MATRICES, found, strict=True):
        game: Game = GAMES.factory(name)(**params)
        best[key] = float(game.form("normal_form").payoffs[0].max())
    easy, *hard = found
    return [
        Check(
            f"QMIX finds the best joint action of {easy}",
            all(value == best[easy] for value in found[easy]["qmix"]),
            numbers(found[easy]["qmix"]),
        ),
        Check(
            "where more is lost, all explored alike, QMIX and VDN do not always find it",
            any(value < best[key] for key in hard for value in found[key]["qmix"])
            and any(value < best[key] for key in hard for value in found[key]["vdn"]),
            "; ".join(f"{key}: {numbers(found[key]['qmix'])}" for key in hard),
        ),
        Check(
            "weighted QMIX finds them all",
            all(value == best[key] for key in found for value in found[key]["wqmix"]),
            "; ".join(numbers(found[key]["wqmix"]) for key in found),
        ),
    ]


def numbers(values: Sequence[float]) -> str:
    """Return values as text, once if they are all the same."""
    shown = [f"{value:g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else ", ".join(shown)


def joint(values: Sequence[Sequence[Sequence[float]]]) -> str:
    """Return the mean over seeds of joint values."""
    if not values:
        return "none of the team"
    return ", ".join(f"{value:.2f}" for value in np.mean(values, axis=0).ravel())
