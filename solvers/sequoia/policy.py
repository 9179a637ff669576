"""The policy of a Q-network: the feasible action that it values most, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, ParameterError
from games.bandits.form import RestlessBandit
from solvers.bandits.policy import Playing
from solvers.sequoia.choose import Chooser
from solvers.sequoia.encode import ReluNet
from solvers.sequoia.features import Features

__all__ = ["QPolicy"]

Ints = NDArray[np.int64]

_ARRAYS = ("starts", "weight", "bias", "out")


class QPolicy(Playing):
    """Plays the action of the greatest value.

    Args:
        game: the key of the game it is for.
        net: the network.
        inputs: what it is told, see `Features`.
        rule: how actions are chosen, see `Chooser`.
        timed: whether it is told the step.
    """

    kind = "sequoia"
    greedy = True

    def __init__(
        self, game: str, net: ReluNet, *, inputs: str, rule: str = "exact", timed: bool = False
    ) -> None:
        self.game, self.net, self.inputs, self.rule = game, net, inputs, rule
        self.timed = timed
        self.stochastic = rule == "sampled"
        self._choosers: dict[int, tuple[RestlessBandit, Chooser]] = {}
        self._rng = np.random.Generator(np.random.PCG64(0))

    def begin(self, game: Any, seat: int, seed: int) -> None:
        """Check the game, and begin the luck of samples anew."""
        super().begin(game, seat, seed)
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def chooser(self, form: RestlessBandit) -> Chooser:
        """Return what chooses actions of a bandit.

        Raises:
            AgentError: the network is for a bandit of another size.
        """
        if id(form) not in self._choosers:
            features = Features(form, self.inputs)
            if features.size != self.net.inputs:
                raise AgentError(
                    f"this policy's network has {self.net.inputs} inputs, the bandit"
                    f" {features.size}"
                )
            self._choosers = {id(form): (form, Chooser(form, features, rule=self.rule))}
        return self._choosers[id(form)][1]

    def choose(self, form: RestlessBandit, levels: Ints, step: int) -> Ints:
        """Return vectors of actions, shape (K, N), for states of the arms, shape (K, J)."""
        return self.chooser(form).choose(self.net, levels, step if self.timed else 0, self._rng)

    # -- as a file ---------------------------------------------------------------------

    def header(self) -> dict[str, Any]:
        """Return what is needed besides the arrays."""
        return {
            "kind": self.kind,
            "inputs": self.inputs,
            "rule": self.rule,
            "timed": self.timed,
            "constant": self.net.constant,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the network."""
        return {name: getattr(self.net, name) for name in _ARRAYS}

    @staticmethod
    def make(game: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> QPolicy:
        """Make it from `header()` and `arrays()`.

        Raises:
            ParameterError: an array is missing or of the wrong shape.
        """
        for name in _ARRAYS:
            if name not in arrays:
                raise ParameterError(f"array {name!r} of a policy for {game}", "nothing", "it")
        own = {name: np.array(arrays[name]) for name in _ARRAYS}
        count = len(own["bias"])
        fits = own["weight"].ndim == 2 and own["weight"].shape[0] == count
        if not fits or own["out"].shape != own["weight"].shape[1:] or own["starts"][-1] != count:
            shapes = {name: array.shape for name, array in own.items()}
            raise ParameterError(f"network of a policy for {game}", shapes, "shapes that fit")
        net = ReluNet(**own, constant=float(header["constant"]))
        return QPolicy(
            game, net, inputs=header["inputs"], rule=header["rule"], timed=header["timed"]
        )
