"""SMAC's optional settings: what units observe besides, what is paid, how far a move goes.

Source: Samvelyan et al. 2019, "The StarCraft Multi-Agent Challenge", AAMAS, and the arguments
of its environment, whose names they have. The default values are SMAC's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError, UnknownNameError
from games.skirmish import layout as at

__all__ = ["HEIGHT_POINTS", "PATHING_POINTS", "Options", "check_names"]

PATHING_POINTS = 8
HEIGHT_POINTS = 9

_REALS = {
    "reward_death_value": 0.0,
    "reward_win": 0.0,
    "reward_defeat": None,
    "reward_negative_scale": 0.0,
    "reward_scale_rate": None,
    "move_amount": None,
}
"""Settings that are numbers, and the least each may be (None: any)."""

_MOST = 1e6

_ELSEWHERE = {
    "continuing_episode": "an episode that its limit ends is always marked as truncated",
    "heuristic_ai": "agents play: skirmish/closest, skirmish/focus_fire",
    "heuristic_rest": "agents play: skirmish/closest, skirmish/focus_fire",
    "map_name": "the map is part of the name",
    "replay_dir": "replays=FOLDER keeps the replay of every episode in StarCraft II",
    "replay_prefix": "replays=FOLDER keeps the replay of every episode in StarCraft II",
    "reward_sparse": "reward='sparse' pays 1 for a win and -1 for a defeat",
    "seed": "every episode has its own, as in game.state(seed)",
}
"""Arguments of SMAC's environment that have another place here."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """SMAC's optional settings, for mode `smac`.

    Attributes:
        obs_all_health: units observe health and shields of all units in sight.
        obs_own_health: they observe their own; they always do with `obs_all_health`.
        obs_last_action: they observe the last action of units of their team in sight, one-hot.
        obs_pathing_grid: they observe which of 8 points around them can be walked on.
        obs_terrain_height: they observe the height of the ground there and below themselves.
        obs_timestep_number: observations end in the share of the time that has passed.
        obs_instead_of_state: the state vector is all observations of the allies.
        state_last_action: the state has the last actions of the allies, one-hot.
        state_timestep_number: the state ends in the share of the time that has passed.
        reward_only_positive: what happens to the own team costs nothing.
        reward_death_value: paid for a death.
        reward_win: paid for a win.
        reward_defeat: paid for a defeat; 0 or less.
        reward_negative_scale: share of the own team's damage and deaths that is taken off,
            unless `reward_only_positive`.
        reward_scale: divide rewards, so that they add up to `reward_scale_rate` at most.
        reward_scale_rate: see `reward_scale`.
        move_amount: how far a move order goes.
        step_mul: world steps of a decision.
    """

    obs_all_health: bool = True
    obs_own_health: bool = True
    obs_last_action: bool = False
    obs_pathing_grid: bool = False
    obs_terrain_height: bool = False
    obs_timestep_number: bool = False
    obs_instead_of_state: bool = False
    state_last_action: bool = True
    state_timestep_number: bool = False
    reward_only_positive: bool = True
    reward_death_value: float = 10.0
    reward_win: float = 200.0
    reward_defeat: float = 0.0
    reward_negative_scale: float = 0.5
    reward_scale: bool = True
    reward_scale_rate: float = 20.0
    move_amount: float = 2.0
    step_mul: int = at.DECISION_STEPS

    def check_options(self, where: str, *, smax: bool, shaped: bool) -> None:
        """Make sure that all values are allowed and mean something.

        Raises:
            ParameterError: one is or does not.
        """
        for field in fields(Options):
            value = getattr(self, field.name)
            if value == field.default and not isinstance(field.default, bool):
                continue
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise ParameterError(field.name, value, "true or false", where=where)
            if smax and value != field.default:
                told = "only in mode='smac': SMAX has no such setting"
                raise ParameterError(field.name, value, told, where=where)
            if not shaped and field.name.startswith("reward_") and value != field.default:
                told = f"only with reward='shaped': sparse rewards know no {field.name}"
                raise ParameterError(field.name, value, told, where=where)
        for name, least in _REALS.items():
            self._check_real(name, least, where)
        if isinstance(self.step_mul, bool) or not isinstance(self.step_mul, int):
            raise ParameterError("step_mul", self.step_mul, "an integer", where=where)
        if not 1 <= self.step_mul <= 1000:
            raise ParameterError("step_mul", self.step_mul, "1 to 1000", where=where)

    def _check_real(self, name: str, least: float | None, where: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
            raise ParameterError(name, value, f"a number, at most {_MOST:g}", where=where)
        if least is not None and value < least:
            raise ParameterError(name, value, f"{least:g} or more", where=where)
        if name == "reward_defeat" and value > 0:
            raise ParameterError(name, value, "0 or less", where=where)
        if name in ("reward_scale_rate", "move_amount") and value <= 0:
            raise ParameterError(name, value, "more than 0", where=where)
        if name == "move_amount" and value > at.FIELD_SIZE:
            raise ParameterError(name, value, f"at most {at.FIELD_SIZE:g}", where=where)

    @property
    def shows_own_health(self) -> bool:
        """Whether units observe their own health."""
        return self.obs_own_health or self.obs_all_health

    def obs_size(
        self, own: tuple[int, int], other: tuple[int, int], bits: int, actions: int, more: int
    ) -> int:
        """Return how many numbers a unit observes.

        Args:
            own: units of its team, and 1 if they show shields.
            other: the same of the other team.
            bits: of the unit type.
            actions: of a unit of its team.
            more: numbers about itself besides health, shield and type.
        """
        ground = PATHING_POINTS * self.obs_pathing_grid + HEIGHT_POINTS * self.obs_terrain_height
        mine, theirs = (
            4 + (1 + shields if self.obs_all_health else 0) + bits for _, shields in (own, other)
        )
        mine += actions if self.obs_last_action else 0
        itself = (1 + own[1] if self.shows_own_health else 0) + bits + more
        return (
            4 + ground + other[0] * theirs + (own[0] - 1) * mine + itself + self.obs_timestep_number
        )

    def numbers(self) -> dict[int, int]:
        """Return the entries of `Rules.numbers` that follow from the settings."""
        return {
            at.R_ALL_HEALTH: self.obs_all_health,
            at.R_OWN_HEALTH: self.shows_own_health,
            at.R_OBS_ACTIONS: self.obs_last_action,
            at.R_OBS_PATHING: self.obs_pathing_grid,
            at.R_OBS_HEIGHT: self.obs_terrain_height,
            at.R_OBS_CLOCK: self.obs_timestep_number,
            at.R_OBS_STATE: self.obs_instead_of_state,
            at.R_STATE_ACTIONS: self.state_last_action,
            at.R_STATE_CLOCK: self.state_timestep_number,
            at.R_POSITIVE: self.reward_only_positive,
            at.R_STEPS: self.step_mul,
        }

    def rewards(self) -> NDArray[np.float64]:
        """Return `Rules.rewards`."""
        return np.array(
            [
                self.reward_death_value,
                self.reward_win,
                self.reward_defeat,
                self.reward_negative_scale,
                self.reward_scale_rate if self.reward_scale else 0.0,
            ]
        )


def check_names(where: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse parameters that a battle does not have.

    Raises:
        UnknownNameError: of the first one, with where SMAC's own are to be found here.
    """
    for name in given:
        if name in known:
            continue
        if name in _ELSEWHERE:
            raise UnknownNameError(
                f"parameter of {where}", name, (), hint=f"SMAC's {name}: {_ELSEWHERE[name]}"
            )
        hint = f"it takes {', '.join(known)}"
        raise UnknownNameError(f"parameter of {where}", name, known, hint=hint)
