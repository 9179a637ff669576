"""How agents do in a team: with copies of themselves, with kin, and with strangers.

Agents that were made or trained together form a *group*; without groups every agent is one
of its own. An agent's *strangers* are the agents of other groups: partners unseen in
training, as in ad-hoc teamwork (Stone et al. 2010, "Ad hoc autonomous agent teams") and
zero-shot coordination (Hu et al. 2020, "Other-play for zero-shot coordination").

All means are over partners, every one of them equally, from the cells of the payoff matrix
(`tournaments.crossplay`). Cells are independent, but for the two of a pair, which are one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from arena.errors import NotApplicableError, ParameterError, UnknownNameError
from tournaments.crossplay import PayoffMatrix, payoff_matrix
from tournaments.ratings.cross_play import cell_errors
from tournaments.records import ResultSet

__all__ = ["Mean", "TeamRow", "Teamwork", "stored_groups", "teamwork"]


@dataclass(frozen=True)
class Mean:
    """A mean with its confidence interval; NaN where nobody met.

    Attributes:
        value: in payoff units.
        low: lower end.
        high: upper end.
        partners: cells behind it.
        matches: matches behind it.
    """

    value: float
    low: float
    high: float
    partners: int
    matches: int


@dataclass(frozen=True)
class TeamRow:
    """One agent.

    Attributes:
        agent: its label.
        group: its group.
        alone: with copies of itself (self-play).
        kin: with the others of its group.
        strangers: with the agents of all other groups.
    """

    agent: str
    group: str
    alone: Mean
    kin: Mean
    strangers: Mean

    @property
    def loss(self) -> float:
        """What is lost with strangers: self-play less that."""
        return self.alone.value - self.strangers.value


@dataclass(frozen=True, eq=False)
class Teamwork:
    """The report of one cooperative game.

    Attributes:
        game: its label.
        level: level of the intervals.
        rows: agents, the best with strangers first.
        groups: names, length G.
        between: mean over pairs of different agents, one of each group, shape (G, G); on
            the diagonal, pairs within the group.
        alone: mean of self-play over the agents of each group, length G.
    """

    game: str
    level: float
    rows: Sequence[TeamRow]
    groups: tuple[str, ...]
    between: Sequence[Sequence[Mean]]
    alone: Sequence[Mean]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "format": "arena-teamwork",
            "version": 1,
            "game": self.game,
            "level": self.level,
            "rows": [{**asdict(row), "loss": row.loss} for row in self.rows],
            "groups": list(self.groups),
            "between": [[asdict(mean) for mean in line] for line in self.between],
            "alone": [asdict(mean) for mean in self.alone],
        }


def teamwork(
    results: ResultSet,
    groups: Mapping[str, str] | None = None,
    *,
    game: str | None = None,
    level: float = 0.95,
) -> Teamwork:
    """Report how agents do with themselves, with kin and with strangers.

    Args:
        results: what was played; self-play needs matches of an agent with itself
            (schedule `cross_play`).
        groups: agent to the name of its group; who is missing is a group of its own.
        game: which game; may be left out if there is only one.
        level: of the intervals.

    Raises:
        NotApplicableError: the game is not cooperative.
        ParameterError: several games and none named, or a level out of range.
        UnknownNameError: no such game, or a group for an agent that did not play.
    """
    if not 0.0 < level < 1.0:
        raise ParameterError("level", level, "a number between 0 and 1")
    given = dict(groups or {})
    for name in given:
        if name not in results.agents:
            raise UnknownNameError("agent", name, results.agents)
    matrix = payoff_matrix(results, game=game)
    if not matrix.cooperative:
        raise NotApplicableError(
            f"{matrix.game} is not cooperative: teamwork is what agents are paid together"
        )
    cells = _Cells(matrix, float(ndtri(0.5 + 0.5 * level)))
    own = np.array([given.get(name, name) for name in matrix.agents])
    names = tuple(dict.fromkeys(own.tolist()))
    number = np.arange(len(own))
    rows = [
        TeamRow(
            agent=agent,
            group=str(own[i]),
            alone=cells.mean([(i, i)]),
            kin=cells.mean((i, j) for j in number[own == own[i]].tolist() if j != i),
            strangers=cells.mean((i, j) for j in number[own != own[i]].tolist()),
        )
        for i, agent in enumerate(matrix.agents)
    ]
    members = [number[own == name].tolist() for name in names]
    between = [
        [cells.mean({(min(i, j), max(i, j)) for i in one for j in other if i != j})
         for other in members]
        for one in members
    ]  # fmt: skip
    return Teamwork(
        game=matrix.game,
        level=level,
        rows=sorted(rows, key=_worth),
        groups=names,
        between=between,
        alone=[cells.mean((i, i) for i in one) for one in members],
    )


def _worth(row: TeamRow) -> tuple[float, float]:
    """Return a key that sorts the best first and what is unknown last."""
    means = (row.strangers.value, row.alone.value)
    return tuple(-value if np.isfinite(value) else np.inf for value in means)  # type: ignore[return-value]  # two of them


def stored_groups(meta: Mapping[str, str], agents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the groups that the spec in a result file declares, by agents' labels."""
    spec = json.loads(meta.get("spec", "{}"))
    groups = {agent["name"]: agent.get("group", "") for agent in spec.get("agents", ())}
    return {row["label"]: groups[row["name"]] for row in agents if groups.get(row["name"])}


class _Cells:
    """Means over cells of a payoff matrix, with intervals."""

    def __init__(self, matrix: PayoffMatrix, z: float) -> None:
        self._matrix, self._z = matrix, z
        self._square: NDArray[np.float64] = cell_errors(matrix) ** 2

    def mean(self, pairs: Iterable[tuple[int, int]]) -> Mean:
        """Return the mean over the cells that were played."""
        m = self._matrix
        played = [(i, j) for i, j in pairs if m.matches[i, j]]
        if not played:
            return Mean(np.nan, np.nan, np.nan, 0, 0)
        at = tuple(np.array(played).T)
        value = float(m.mean[at].mean())
        half = self._z * float(np.sqrt(self._square[at].sum())) / len(played)
        return Mean(value, value - half, value + half, len(played), int(m.matches[at].sum()))
