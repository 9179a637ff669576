"""The agent around a learning rule for repeated matrix games."""

from __future__ import annotations

from typing import Any

from agents.scripted import learning
from agents.scripted.learning import JointRule, Table
from agents.scripted.table import Param, Strategy
from arena.errors import AgentError, UnknownNameError
from arena.game import Game, Observation
from arena.types import Action
from games.repeated.form import last_joint

__all__ = ["LEARNERS", "Learner"]

_NO_KERNEL = -1


def _row(rule: Any, citation: str, *, stochastic: bool = True, **params: Param) -> Strategy:
    return Strategy(rule, _NO_KERNEL, citation, params, stochastic=stochastic)


LEARNERS: dict[str, Strategy] = {
    "best_reply": _row(learning.best_reply, "Cournot 1838, Recherches, ch. 7"),
    "cautious": _row(learning.cautious, "von Neumann 1928, Math. Annalen 100", stochastic=False),
    "constant": _row(
        learning.constant,
        "a benchmark for learners",
        stochastic=False,
        action=Param(0, 0, 1_000_000),
    ),
    "copycat": _row(learning.copycat, "Axelrod 1984, for any number of actions"),
    "exp3": _row(
        learning.exp3,
        "Auer, Cesa-Bianchi, Freund and Schapire 2002, SIAM J. Computing 32, §3",
        gamma=Param(0.1, 1e-6, 1.0),
    ),
    "fictitious_play": _row(
        learning.fictitious_play, "Brown 1951, in Activity Analysis of Production and Allocation"
    ),
    "hedge": _row(
        learning.hedge,
        "Freund and Schapire 1999, Games and Economic Behavior 29",
        rate=Param(0.0, 0.0, 1000.0),
    ),
    "joint_fictitious_play": _row(
        learning.joint_fictitious_play, "Marden, Arslan and Shamma 2009, IEEE TAC 54"
    ),
    "q_learning": _row(
        learning.q_learning,
        "Watkins 1989; in this game Sandholm and Crites 1996, Biosystems 37",
        rate=Param(0.1),
        discount=Param(0.9),
        epsilon=Param(0.1),
    ),
    "regret_matching": _row(
        learning.regret_matching, "Hart and Mas-Colell 2001, J. Economic Theory 98"
    ),
    "smooth_fictitious_play": _row(
        learning.smooth_fictitious_play,
        "Fudenberg and Levine 1995, J. Economic Dynamics and Control 19",
        temperature=Param(0.05, 1e-6, 1000.0),
    ),
}
"""Name to learning rule."""


class Learner:
    """Plays one of `LEARNERS` in any matrix game, repeated or not.

    Args:
        name: the rule.
        params: its parameters, by name.

    Raises:
        UnknownNameError: there is no such rule or parameter.
        ParameterError: a value of the wrong type or range.
    """

    version = "1"

    def __init__(self, name: str, **params: Any) -> None:
        if name not in LEARNERS:
            raise UnknownNameError("learning rule", name, LEARNERS)
        self.name = name
        self.params = LEARNERS[name].checked(f"scripted/{name}", params)
        self.stochastic = LEARNERS[name].stochastic
        self._rule: JointRule | None = None

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start anew, with everything learnt forgotten.

        Raises:
            AgentError: it is not a (repeated) matrix game.
        """
        table: Any = Table(f"scripted/{self.name}", game, seat, seed)
        numbers: Any = [float(value) for value in self.params.values()]
        rule: Any = LEARNERS[self.name].rule(table, *numbers)
        self._rule = rule

    def act(self, observation: Observation) -> Action:
        """Return the next action; to be asked in every round, from the first on."""
        if self._rule is None:
            raise AgentError(f"scripted/{self.name} was asked to act before it began")
        last: Any = last_joint(observation)
        try:
            return self._rule.send(last)
        except TypeError as error:
            raise AgentError(
                f"scripted/{self.name} was not asked from the first round on"
            ) from error

    def close(self) -> None:
        """Nothing to release."""
