"""Whom a learner should train against: members of the league, drawn by how hard they are.

Prioritised fictitious self-play (Vinyals et al. 2019, "Grandmaster level in StarCraft II
using multi-agent reinforcement learning", Methods) draws opponent j with probability
proportional to f(p), p the learner's expected score against j:

    prioritised   f(p) = (1 − p)²      the hard ones
    even          f(p) = p (1 − p)     those of its own strength
    uniform       f(p) = 1

The expected score follows from the ratings, so it is known for members that the learner
has never met.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agent import Agent
from arena.errors import NotApplicableError, UnknownNameError
from tournaments.league.settings import Member, Settings
from tournaments.league.table import survey
from tournaments.ratings.davidson import DavidsonFit
from tournaments.store import Store

__all__ = ["WEIGHTS", "Opponent", "Opponents", "opponents_of"]

WEIGHTS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "prioritised": lambda p: (1.0 - p) ** 2,
    "even": lambda p: p * (1.0 - p),
    "uniform": np.ones_like,
}
"""Weight by expected score."""


@dataclass(frozen=True)
class Opponent:
    """A member to train against.

    Attributes:
        member: who it is.
        score: the learner's expected score against it (win 1, draw ½); ½ if unknown.
        weight: probability of being drawn.
        live: the object behind it, for members that are live objects.
    """

    member: Member
    score: float
    weight: float
    live: Any = None

    @property
    def label(self) -> str:
        """Its name in tables."""
        return self.member.label

    def agent(self) -> Agent:
        """Make it, to play in this process; the caller closes it.

        Raises:
            AgentError: it cannot be made.
        """
        from agents.load import build, load

        if self.member.live:
            return build(self.live, self.member.spec.params, name=f"agent {self.label!r}")
        return load(self.member.spec.ref, **self.member.spec.params)


@dataclass(frozen=True)
class Opponents(Sequence[Opponent]):
    """Opponents with their weights, which sum to one; a sequence."""

    rows: tuple[Opponent, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def sample(self, rng: np.random.Generator) -> Opponent:
        """Draw one by its weight."""
        return self.rows[int(rng.choice(len(self.rows), p=[row.weight for row in self.rows]))]


def opponents_of(
    settings: Settings,
    db: Path,
    live: Mapping[str, Any],
    learner: str,
    *,
    weights: str,
    exclude: Collection[str],
) -> Opponents:
    """Return the members to train against, with their weights; see `League.opponents`.

    Args:
        settings: the league's.
        db: its result file.
        live: objects behind live members, by label.
        learner: label or name of the member that trains, or "".
        weights: a key of `WEIGHTS`.
        exclude: labels that are left out.
    """
    if settings.method != "davidson" and weights != "uniform":
        raise NotApplicableError(
            f"weights {weights!r} follow from scores; {settings.name} ranks by payoff, so "
            "take weights='uniform'"
        )
    rows = [
        (member, live.get(member.label))
        for member in settings.members
        if not member.retired
        and member.label not in exclude
        and (not member.live or member.label in live)
    ]
    if not rows:
        raise NotApplicableError(f"{db.parent}: no member is left to train against")
    scores: dict[str, float] = {}
    known = [m.label for m in settings.versions(learner)]
    if learner and not known:
        known = [settings.member(learner).label]
    if learner and settings.method == "davidson":
        with Store.open(db) as store:
            found = survey(store.results(), settings)
        if found is not None and found.fitted is not None:
            played = [label for label in known if label in found.fitted.agents]
            if played:
                scores = _expected_scores(found.fitted, played[-1])
    return _weighted(rows, [scores.get(member.label, 0.5) for member, _ in rows], weights)


def _weighted(
    members: Sequence[tuple[Member, Any]], scores: Sequence[float], weights: str
) -> Opponents:
    """Give members their weights.

    Args:
        members: with their live objects.
        scores: expected scores against them.
        weights: a key of `WEIGHTS`.

    Raises:
        UnknownNameError: no such kind of weight.
    """
    if weights not in WEIGHTS:
        raise UnknownNameError("weights", weights, WEIGHTS, hint=f"known: {', '.join(WEIGHTS)}")
    raw = WEIGHTS[weights](np.asarray(scores, dtype=np.float64))
    total = float(raw.sum())
    share = raw / total if total > 0.0 else np.full(len(raw), 1.0 / max(len(raw), 1))
    return Opponents(
        tuple(
            Opponent(member, float(score), float(weight), live)
            for (member, live), score, weight in zip(members, scores, share, strict=True)
        )
    )


def _expected_scores(fitted: DavidsonFit, label: str) -> dict[str, float]:
    """Return the expected score of `label` against every agent of a fit, seats balanced."""
    strength = dict(zip(fitted.agents, fitted.strength.tolist(), strict=True))
    nu = float(np.mean([np.exp(d) for d in fitted.draw.values()])) if fitted.draw else 0.0
    found = {}
    for other, theirs in strength.items():
        half = 0.5 * (strength[label] - theirs)
        win, loss = np.exp(half), np.exp(-half)
        found[other] = float((win + 0.5 * nu) / (win + loss + nu))
    return found
