"""Axelrod's first computer tournament of the iterated prisoner's dilemma, with native strategies.

Fourteen entries and RANDOM meet each other and their own twin in five games of 200 moves,
with the payoffs 5, 3, 1, 0; an entry's score is its mean over the fifteen opponents. The
published scores, the scores here and (where it is installed) those of the Axelrod
library's strategies stand side by side.

Sources: Axelrod 1980, "Effective choice in the prisoner's dilemma", J. Conflict Resolution
24, 3-25, table 2; Axelrod 1984, "The Evolution of Cooperation", ch. 2. The programs of 1980
are lost; the strategies follow the descriptions in its appendix as the library reads them,
so the order of 1980 is not expected to come out in every place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import arena
from agents.scripted import Scripted
from agents.scripted.fast import play_pairs
from arena.errors import ArenaError
from arena.files import write_atomic
from arena.rng import derive, derive_many
from tournaments.reproduce import Check, Report, Reproduction

__all__ = ["CLAIM", "ENTRIES", "native_scores", "run"]

TURNS, GAMES, SEED = 200, 5, 1980

ENTRIES: tuple[tuple[str, str, dict[str, Any], str, float, bool], ...] = (
    ("Tit for tat (Rapoport)", "tit_for_tat", {}, "TitForTat", 504.5, True),
    (
        "Tideman and Chieruzzi",
        "tideman_chieruzzi",
        {},
        "FirstByTidemanAndChieruzzi",
        500.4,
        True,
    ),
    ("Nydegger", "nydegger", {}, "FirstByNydegger", 485.5, True),
    ("Grofman", "grofman", {}, "FirstByGrofman", 481.9, True),
    ("Shubik", "shubik", {}, "FirstByShubik", 480.7, True),
    ("Stein and Rapoport", "stein_rapoport", {}, "FirstBySteinAndRapoport", 477.8, True),
    ("Friedman (grim trigger)", "grim_trigger", {}, "Grudger", 473.4, True),
    ("Davis", "davis", {}, "FirstByDavis", 471.8, True),
    ("Graaskamp", "graaskamp", {}, "FirstByGraaskamp", 400.7, False),
    ("Downing", "downing", {}, "FirstByDowning", 390.6, False),
    ("Feld", "feld", {}, "FirstByFeld", 327.6, False),
    ("Joss", "joss", {}, "FirstByJoss", 304.4, False),
    ("Tullock", "tullock", {}, "FirstByTullock", 300.5, False),
    ("(name withheld)", "anonymous", {}, "FirstByAnonymous", 282.2, False),
    ("Random", "random", {"p": 0.5}, "Random", 276.3, False),
)
"""Label, native strategy and parameters, library class, published score, whether it is nice."""


def native_scores(tournaments: int, *, seed: int = SEED) -> NDArray[np.float64]:
    """Play whole tournaments; return the score of each entry, shape (tournaments, 15).

    A score is the mean, over the fifteen opponents and five games each, of the points
    made in a game of 200 moves (0 to 1000).
    """
    game = arena.make("repeated/prisoners_dilemma", rounds=TURNS, payoff="sum")
    agents = [Scripted(name, **params) for _, name, params, _, _, _ in ENTRIES]
    seatings = _pairings(len(agents))
    seeds = derive_many(derive(seed, "native"), np.arange(tournaments * len(seatings)))
    played = play_pairs(game, agents, np.tile(seatings, (tournaments, 1)), seeds)
    if played is None:  # pragma: no cover - both game and agents are ours
        raise ArenaError("scripted strategies do not play repeated/prisoners_dilemma in batches")
    return _scores(played.reshape(tournaments, len(seatings), 2), seatings)


def _pairings(count: int) -> NDArray[np.int64]:
    """Return all unordered pairs, twins included, five times each, shape (M, 2)."""
    pairs = [(i, j) for i in range(count) for j in range(i, count)]
    return np.repeat(np.array(pairs, dtype=np.int64), GAMES, axis=0)


def _scores(played: NDArray[np.float64], seatings: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return mean points by entry from points by match, shape (tournaments, K)."""
    count = int(seatings.max()) + 1
    total = np.zeros((len(played), count))
    games = np.zeros(count)
    for seat in range(2):
        # Twins are one opponent, so each of the two seats counts half.
        weight = np.where(seatings[:, 0] == seatings[:, 1], 0.5, 1.0)
        for entry in range(count):
            mine = seatings[:, seat] == entry
            total[:, entry] += (played[:, mine, seat] * weight[mine]).sum(axis=1)
            games[entry] += weight[mine].sum()
    return total / games


def _library_scores(tournaments: int) -> NDArray[np.float64] | None:
    """Do what `native_scores` does with the Axelrod library, or return None without it."""
    try:
        import axelrod
    except ImportError:
        return None
    seatings = _pairings(len(ENTRIES))
    seeds = derive_many(derive(SEED, "library"), np.arange(tournaments * len(seatings)))
    played = np.empty((tournaments, len(seatings), 2))
    for k, seed in enumerate(seeds):
        i, j = seatings[k % len(seatings)]
        pair = [getattr(axelrod, ENTRIES[e][3])() for e in (i, j)]
        match = axelrod.Match(pair, turns=TURNS, seed=int(seed >> np.uint64(33)))
        match.play()
        played[k // len(seatings), k % len(seatings)] = match.final_score()
    return _scores(played, seatings)


def run(*, quick: bool, out: Path) -> Report:
    """Play the tournament 20 times (`quick`) or 400 times and compare.

    Writes `axelrod-1980.json` and `axelrod-1980.md` into `out`.
    """
    ours = native_scores(20 if quick else 400)
    library = _library_scores(1 if quick else 3)
    mean, spread = ours.mean(axis=0), ours.std(axis=0, ddof=1)
    order = np.argsort(-mean, kind="stable")
    published = np.array([entry[4] for entry in ENTRIES])
    theirs = None if library is None else library.mean(axis=0)
    rows = [
        [
            rank,
            ENTRIES[k][0],
            float(mean[k]),
            float(spread[k]),
            int(k) + 1,
            float(published[k]),
            None if theirs is None else float(theirs[k]),
        ]
        for rank, k in enumerate(order, start=1)
    ]
    figures = {
        "format": "arena/reproduce/1",
        "claim": CLAIM.name,
        "entries": [entry[0] for entry in ENTRIES],
        "tournaments": len(ours),
        "scores": mean.tolist(),
        "standard_deviations": spread.tolist(),
        "published": published.tolist(),
        "library": None if theirs is None else theirs.tolist(),
        "rank_correlation": float(spearmanr(mean, published).statistic),
    }
    report = Report(
        title=CLAIM.title,
        header=("rank", "entry", "score", "± one tournament", "rank 1980", "1980", "library"),
        rows=rows,
        checks=_checks(ours, library, published),
        figures=figures,
        files=(out / f"{CLAIM.name}.json", out / f"{CLAIM.name}.md"),
    )
    out.mkdir(parents=True, exist_ok=True)
    checks = [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in report.checks]
    for path, text in zip(
        report.files,
        (json.dumps({**figures, "checks": checks}, indent=1) + "\n", report.text),
        strict=True,
    ):
        with write_atomic(path) as file:
            file.write(text.encode("utf-8"))
    return report


def _checks(
    ours: NDArray[np.float64],
    library: NDArray[np.float64] | None,
    published: NDArray[np.float64],
) -> list[Check]:
    """Compare with what the sources say."""
    mean = ours.mean(axis=0)
    nice = np.array([entry[5] for entry in ENTRIES])
    gap = float(mean[nice].min() - mean[~nice].max())
    correlation = float(spearmanr(mean, published).statistic)
    place = int((mean > mean[0]).sum()) + 1
    first = float((ours.argmax(axis=1) == 0).mean())
    checks = [
        Check(
            "the eight nice entries take the first eight places (1984, ch. 2)",
            gap > 0,
            f"the last of them is {gap:.1f} points ahead of the best other one",
        ),
        Check(
            "the order is close to that of 1980 (rank correlation above 0.8)",
            correlation > 0.8,
            f"{correlation:.2f}",
        ),
        Check(
            "tit for tat wins",
            place == 1,
            f"place {place} on average, first in {first:.0%} of the tournaments",
        ),
    ]
    text = "mean scores agree with those of the Axelrod library's strategies"
    if library is None:
        how = "axelrod is not installed: pip install 'arena-gametheory[axelrod]'"
        return [*checks, Check(text, None, how)]
    # The spread of a tournament is known best from ours; entries without any luck in
    # their games still meet those that toss coins, so it is never zero.
    error = ours.std(axis=0, ddof=1) * np.sqrt(1 / len(ours) + 1 / len(library))
    off = np.abs(mean - library.mean(axis=0)) / error
    alike = float(spearmanr(mean, library.mean(axis=0)).statistic)
    return [
        *checks,
        Check(text, bool(off.max() < 4), f"at most {off.max():.1f} standard errors apart"),
        Check(
            "the ranking is that of the library up to near ties (rank correlation above 0.95)",
            alike > 0.95,
            f"{alike:.2f}",
        ),
    ]


CLAIM = Reproduction(
    "axelrod-1980", "Axelrod's first tournament of the iterated prisoner's dilemma (1980)", run
)
