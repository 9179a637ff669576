"""QARL and what it is compared with, by name.

qarl                  adversary of bounded rationality, self-paced
linear                the same with a linear curriculum
point                 the same, every episode at the mean temperature
fixed                 a fixed temperature, `start / rate`, all along
rarl                  an adversary that learns as the controller does, from the start (Pinto
                      et al. 2017)
force                 the same, but its force grows, self-paced
mas                   the controller's actions are moved where its critic likes them least,
                      ever further (Lee et al. 2020; Sheng et al. 2022)
domain_randomisation  no adversary; mass and friction differ from episode to episode
sac                   no adversary (Haarnoja et al. 2018)
attack                the adversary alone learns, against the controller in `target`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["METHODS", "Method"]


@dataclass(frozen=True)
class Method:
    """How the seats learn.

    Attributes:
        learns: the seats that learn, in turn (0 the controller, 1 the adversary).
        curriculum: see `solvers.qarl.curricula`.
        opponent: what disturbs the controller.
        varied: whether mass and friction differ between episodes.
        bounded: whether the adversary's temperature is the curriculum's; otherwise it adapts,
            as the controller's does.
    """

    learns: tuple[int, ...]
    curriculum: str = "fixed"
    opponent: Literal["none", "learned", "myopic"] = "none"
    varied: bool = False
    bounded: bool = False


_BOTH = (1, 0)

METHODS: dict[str, Method] = {
    "attack": Method((1,), opponent="learned"),
    "domain_randomisation": Method((0,), varied=True),
    "fixed": Method(_BOTH, "fixed", "learned", bounded=True),
    "force": Method(_BOTH, "force", "learned"),
    "linear": Method(_BOTH, "linear", "learned", bounded=True),
    "mas": Method((0,), opponent="myopic"),
    "point": Method(_BOTH, "point", "learned", bounded=True),
    "qarl": Method(_BOTH, "self_paced", "learned", bounded=True),
    "rarl": Method(_BOTH, "fixed", "learned"),
    "sac": Method((0,)),
}
"""Name to method."""
