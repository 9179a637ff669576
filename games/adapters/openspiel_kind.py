"""What all states of one OpenSpiel game share, and the steps that no seat takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arena.rng import Stream, derive
from games.adapters.openspiel_facts import CLONES_EXACTLY
from games.adapters.openspiel_load import may_resample, pyspiel, reseeder

__all__ = [
    "CHANCE_PLAYER",
    "MEAN_FIELD",
    "SIMULTANEOUS",
    "TERMINAL",
    "Kind",
    "draw",
    "follow",
    "replay",
]

CHANCE_PLAYER = int(pyspiel.PlayerId.CHANCE)
SIMULTANEOUS = int(pyspiel.PlayerId.SIMULTANEOUS)
TERMINAL = int(pyspiel.PlayerId.TERMINAL)
MEAN_FIELD = int(pyspiel.PlayerId.MEAN_FIELD)


class Kind:
    """What all states of one game share."""

    __slots__ = (
        "again",
        "clones",
        "has_resampled",
        "infoset_string",
        "infoset_tensor",
        "joint",
        "n_actions",
        "native",
        "observation_string",
        "observation_tensor",
        "perfect",
        "raw",
        "resamples",
        "rewards_early",
        "sampled",
        "seats",
    )

    def __init__(self, raw: Any) -> None:
        kind = raw.get_type()
        self.raw = raw
        self.n_actions: int = raw.num_distinct_actions()
        self.seats: tuple[int, ...] = tuple(range(raw.num_players()))
        self.infoset_string = bool(kind.provides_information_state_string)
        self.infoset_tensor = bool(kind.provides_information_state_tensor)
        self.observation_string = bool(kind.provides_observation_string)
        self.observation_tensor = bool(kind.provides_observation_tensor)
        self.perfect = kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION
        # Games written in Python hand out enums and lists of their own.
        self.native = type(raw).__module__.partition(".")[0] == "pyspiel"
        self.joint = kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
        self.rewards_early = kind.reward_model != pyspiel.GameType.RewardModel.TERMINAL
        self.sampled = kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC
        self.again: Callable[[int], Any] | None = reseeder(raw) if self.sampled else None
        self.resamples = not self.sampled and may_resample(raw)
        self.has_resampled = False
        self.clones = self.again is None or kind.short_name in CLONES_EXACTLY

    def start(self, seed: int | None) -> Any:
        """Return an initial `pyspiel.State`; chance inside OpenSpiel follows `seed`."""
        if self.again is None or seed is None:
            return self.raw.new_initial_state()
        return self.again(derive(seed, "openspiel") & 0x7FFFFFFF).new_initial_state()


def follow(raw: Any) -> None:
    """Give a mean-field node its distribution, shape (number of states asked about,)."""
    support = raw.distribution_support()
    raw.update_distribution([1.0 / len(support)] * len(support) if support else [])


def replay(kind: Kind, raw: Any, history: Sequence[int]) -> list[int]:
    """Play an OpenSpiel history on `raw`; return it without the seats that had no choice."""
    chosen: list[int] = []
    at = 0
    while at < len(history):
        player = raw.current_player()
        if player == SIMULTANEOUS:
            joint = list(history[at : at + len(kind.seats)])
            at += len(joint)
            chosen += [
                a for seat, a in zip(kind.seats, joint, strict=True) if raw.legal_actions(seat)
            ]
            raw.apply_actions(joint)
        elif player == MEAN_FIELD:
            follow(raw)
        else:
            chosen.append(history[at])
            raw.apply_action(history[at])
            at += 1
    if raw.current_player() == MEAN_FIELD:
        follow(raw)
    return chosen


def draw(outcomes: Sequence[tuple[int, float]], stream: Stream) -> int:
    """Draw one of chance's outcomes, given with their probabilities."""
    left = stream.random()
    outcome = outcomes[0][0]
    for candidate, probability in outcomes:
        if probability > 0.0:
            outcome = candidate
            left -= probability
            if left < 0.0:
                break
    return outcome
