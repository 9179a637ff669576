"""The settings of the learner `qarl`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from arena.errors import ParameterError
from solvers.loop import choice, non_negative, positive, whole
from solvers.qarl.curricula import CURRICULA
from solvers.qarl.methods import METHODS

__all__ = ["DEFAULTS", "checked"]

DEFAULTS: dict[str, Any] = {
    "method": "qarl",
    "curriculum": "",
    "start": 50.0,
    "end": 1.0,
    "informed": False,
    "strength": None,
    "rate": 1000.0,
    "level": None,
    "max_kl": 0.5,
    "settle": True,
    "lesson": 30,
    "plan": 100_000,
    "episodes": 5,
    "hidden": [64, 64],
    "batch": 128,
    "update_every": 1,
    "warm_up": 1000,
    "replay": 100_000,
    "discount": 0.99,
    "tau": 0.005,
    "actor_rate": 3e-4,
    "critic_rate": 3e-4,
    "reward_scale": 1.0,
    "normalise": False,
    "budget": 0.5,
    "spread": 2.0,
    "target": "",
}
"""Settings.

method: see `solvers.qarl.methods`. curriculum: another one than the method's. start, end: the
first and the last concentration k of temperatures Gamma(k, rate), whose mean is k / rate; the
method `fixed` stays at start / rate. informed: whether the controller, too, is shown the
temperature of the episode, where the adversary is (afterwards it is shown the mean at which the
curriculum stands). strength: of the adversary while it is learned against; None for the game's.
level: mean return that the self-paced teacher asks of the controller; None for none. max_kl: how
far a lesson goes. settle: whether lessons are over where the end is reached; otherwise the teacher
goes back where returns fall below the level.
lesson: episodes between lessons. plan: environment steps over which linear curricula go on.
episodes: of a phase. hidden: widths of the layers. batch: transitions of an update.
update_every: environment steps for an update. warm_up: environment steps of uniform play
before the first update. replay: transitions kept. discount: γ. tau: of the target networks.
actor_rate, critic_rate: of Adam. reward_scale: factor on rewards, before temperatures.
normalise: whether networks are shown observations less the mean of those in the warm-up, by
their standard deviation.
budget: of the method `mas`: how far it moves actions in the end. spread: of the method
`domain_randomisation`: factors from 1 / spread to spread. target: for the method `attack`, a
checkpoint with the controller that is attacked.
"""


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, whole numbers and lists made sure of.

    Raises:
        ParameterError: one of the wrong type or out of range.
    """
    s = dict(settings)
    choice("method", s["method"], sorted(METHODS))
    if s["curriculum"]:
        choice("curriculum", s["curriculum"], CURRICULA)
    for name in ("lesson", "plan", "episodes", "batch", "update_every", "replay"):
        whole(name, s[name], least=1)
    whole("warm_up", s["warm_up"])
    hidden = s["hidden"]
    if not isinstance(hidden, list | tuple) or not hidden:
        raise ParameterError("hidden", hidden, "a list of widths, such as [64,64]")
    s["hidden"] = [whole("hidden", width, least=1) for width in hidden]
    for name in ("start", "end", "rate", "max_kl", "actor_rate", "critic_rate", "reward_scale"):
        positive(name, s[name])
    for name in ("discount", "tau"):
        if not 0.0 <= non_negative(name, s[name]) <= 1.0:
            raise ParameterError(name, s[name], "a number from 0 to 1")
    non_negative("budget", s["budget"])
    if positive("spread", s["spread"]) < 1.0:
        raise ParameterError("spread", s["spread"], "1 or more")
    for name in ("informed", "normalise", "settle"):
        if not isinstance(s[name], bool):
            raise ParameterError(name, s[name], "true or false")
    if s["strength"] is not None:
        non_negative("strength", s["strength"])
    level = s["level"]
    real = isinstance(level, int | float) and not isinstance(level, bool) and math.isfinite(level)
    if level is not None and not real:
        raise ParameterError("level", level, "a return, or None")
    return s
