"""Update-equivalent search: mirror descent search in Hanabi, its magnetic kin in four others.

1. Two-player Hanabi, whole and reduced: a blueprint, the same decks with one seat searching
   (MDS), with both, and with SPARTA's single-agent search under exact beliefs. Gains are
   paired by deck; the seat that searches alternates.
2. Two-player zero-sum games: exploitability of a blueprint and of MMDS from it: exactly where
   the tree can be enumerated, by learned lower bounds where it cannot.

Settings were chosen on other decks than those reported.

Source: Sokota et al. 2024, "The update-equivalence framework for decision-time planning",
ICLR, sections 4 to 6; Lerer et al. 2020, AAAI (SPARTA).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from agents.hanabi.table import BOTS
from arena.files import write_atomic
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce._hanabi_games import Games, Setting, interval, play
from tournaments.reproduce._zero_sum import checks as gap_checks
from tournaments.reproduce._zero_sum import exploitabilities
from tournaments.reproduce.plot import interval_chart

__all__ = ["CLAIM", "hanabi_settings", "run"]

FULL: Mapping[str, Any] = {}
REDUCED: Mapping[str, Any] = {"colors": 2, "ranks": 5, "hand_size": 3}
SEED = 20_240_513

ONE: Mapping[str, Any] = {"rollouts": 1000}
ALL: Mapping[str, Any] = {"rollouts": 1000, "doubt": 2.0, "eta": 56.0, "soft": 0.05}
SPARTA: Mapping[str, Any] = {}
"""Searches: with one seat, with all, the baseline."""

NETWORK: Mapping[str, Any] = {
    "rollouts": 600, "limit": 500, "tries": 500,
    "batch": 8, "growth": 1.6, "z": 0.8, "doubt": 1.3,
}  # fmt: skip
"""With a network on the whole deck, whose play-outs take ten times as long as a bot's: fewer
of them, and what does not look promising is given up sooner."""


@dataclass(frozen=True)
class Group:
    """A blueprint in a variant, and how many games are played in which setting.

    Attributes:
        variant: parameters of Hanabi.
        blueprint: a bot, or the name of a network.
        games: by label.
        quick: the same of a quick run.
        params: of the searches with MDS.
    """

    variant: Mapping[str, Any]
    blueprint: str
    games: Mapping[str, int]
    quick: Mapping[str, int]
    params: Mapping[str, Any] = field(default_factory=dict)


GROUPS: Sequence[Group] = (
    Group(
        FULL,
        "smart",
        {"one": 1000, "all": 1000, "sparta": 200},
        {"one": 10, "all": 4, "sparta": 2},
    ),
    Group(
        REDUCED,
        "smart",
        {"one": 1000, "all": 1000, "sparta": 200},
        {"one": 30, "all": 10, "sparta": 5},
    ),
    Group(FULL, "hanabi/ppo", {"one": 200}, {"one": 1}, NETWORK),
    Group(
        REDUCED, "hanabi/ppo_small", {"one": 300, "all": 100, "sparta": 20}, {"one": 4, "sparta": 1}
    ),
)


def hanabi_settings(*, quick: bool) -> list[Setting]:
    """Return what is played."""
    searches = (("one", "mds", 1, ONE), ("all", "mds", 2, ALL), ("sparta", "sparta", 1, SPARTA))
    return [
        Setting(
            label,
            group.variant,
            group.blueprint,
            kind,
            seats,
            count,
            SEED,
            {**params, **(group.params if kind == "mds" else {})},
        )
        for group in GROUPS
        for label, kind, seats, params in searches
        if (count := (group.quick if quick else group.games).get(label, 0))
    ]


# -- the report -----------------------------------------------------------------------------


def run(*, quick: bool, out: Path) -> Report:
    """Play and measure everything; writes `update-equivalence.json`, `.md` and two figures.

    Blocks of games that a stopped run had finished are read again from `out/games`, bounds of
    exploitability from `out/bounds`.
    """
    settings = hanabi_settings(quick=quick)
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    played = play(settings, out / "games", workers=1 if quick else workers)
    step, gaps = exploitabilities(quick=quick, folder=out / "bounds")
    rows: list[list[Any]] = [_game_row(s, g) for s, g in zip(settings, played, strict=True)]
    rows += [_gap_row(gap) for gap in gaps]
    checks = _hanabi_checks(settings, played)
    checks += [
        Check(
            "step and temperature of MMDS, chosen on other games, helped in the worst of them",
            step.worst < 1.0,
            f"{step.step:g} and {step.temperature:g}, exploitability times {step.worst:.2f}",
        )
    ]
    bounds = gap_checks(gaps)
    if quick:
        checks = [*(_open(c) for c in checks[:-1]), checks[-1]]
        bounds = [c if "CFR" in c.detail else _open(c) for c in bounds]
    checks += bounds
    figures = {
        "format": "arena/reproduce/1",
        "claim": CLAIM.name,
        "quick": quick,
        "hanabi": [
            {
                **asdict(setting),
                "base": games.base.tolist(),
                "search": games.search.tolist(),
                "gain": games.gain,
                "means": dict(games.means),
            }
            for setting, games in zip(settings, played, strict=True)
        ],
        "mmds": asdict(step),
        "exploitability": gaps,
    }
    header = (
        "game",
        "blueprint",
        "search",
        "before",
        "after",
        "change",
        "decisions/s",
        "play-outs",
    )
    names = (".json", ".md", "-hanabi.svg", "-exploitability.svg")
    files = tuple(out / f"{CLAIM.name}{name}" for name in names)
    report = Report(CLAIM.title, header, rows, checks, figures, files)
    noted = [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in checks]
    data = json.dumps({**figures, "checks": noted}, indent=1, default=dict) + "\n"
    for path, text in zip(
        files, (data, report.text, *_charts(settings, played, gaps)), strict=True
    ):
        with write_atomic(path) as file:
            file.write(text.encode("utf-8"))
    return report


def _charts(
    settings: Sequence[Setting], played: Sequence[Games], gaps: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """Return the figures: scores as shares of the best, and exploitabilities."""
    scores: dict[str, dict[str, tuple[float, float, float]]] = {}
    for setting, games in zip(settings, played, strict=True):
        colors, ranks = setting.variant.get("colors", 5), setting.variant.get("ranks", 5)
        row = scores.setdefault(f"{_variant(setting)}, {setting.blueprint}", {})
        for name, found in (("blueprint", games.base), (_NAMES[setting.label], games.search)):
            mean, half = interval(found)
            half = half if isfinite(half) else 0.0  # one game has no interval
            if name not in row:
                share = 100.0 / (colors * ranks)
                row[name] = (share * mean, share * (mean - half), share * (mean + half))
    left: dict[str, dict[str, tuple[float, float, float]]] = {}
    for gap in gaps:
        row = left.setdefault(f"{gap['game'].removeprefix('openspiel/')}, {gap['blueprint']}", {})
        for series, name in (("base", "blueprint"), ("search", "MMDS")):
            ends = gap[f"{series}_interval"] or (gap[series], gap[series])
            row[name] = (gap[series], *ends)
    return (
        interval_chart(
            scores, title="Hanabi, two players", x_label="score, % of the best; 95% intervals"
        ),
        interval_chart(
            left, title="Zero-sum games", x_label="exploitability (lower bounds have intervals)"
        ),
    )


def _open(check: Check) -> Check:
    """Leave a statement undecided for which a quick run has too few games."""
    return Check(check.text, None, f"too few games: {check.detail}")


_NAMES = {"one": "MDS, one seat", "all": "MDS, both seats", "sparta": "SPARTA, one seat"}


def _variant(setting: Setting) -> str:
    inside = ",".join(f"{k}={v}" for k, v in setting.variant.items())
    return f"hanabi({inside})" if inside else "hanabi"


def _game_row(setting: Setting, games: Games) -> list[Any]:
    gain, half = games.gain
    return [
        f"{_variant(setting)}, {setting.games} games",
        setting.blueprint,
        _NAMES[setting.label],
        "{:.2f} ± {:.2f}, {} lost".format(*interval(games.base), games.lost[0]),
        "{:.2f} ± {:.2f}, {} lost".format(*interval(games.search), games.lost[1]),
        f"{gain:+.2f} ± {half:.2f}",
        f"{games.means['decisions_per_second']:.1f}",
        f"{games.means['rollouts']:.0f}",
    ]


def _gap_row(gap: Mapping[str, Any]) -> list[Any]:
    def shown(name: str) -> str:
        interval = gap[f"{name}_interval"]
        half = "" if interval is None else f" ± {(interval[1] - interval[0]) / 2:.3f}"
        return f"{gap[name]:.4f}{half}"

    return [
        gap["game"],
        gap["blueprint"],
        f"MMDS, exploitability {gap['kind']}",
        shown("base"),
        shown("search"),
        f"{gap['search'] - gap['base']:+.4f}",
        "–",
        "–",
    ]


def _hanabi_checks(settings: Sequence[Setting], played: Sequence[Games]) -> list[Check]:
    checks = []
    groups = {(_variant(s), s.blueprint): None for s in settings}
    for variant, blueprint in groups:
        mine = {
            s.label: g
            for s, g in zip(settings, played, strict=True)
            if (_variant(s), s.blueprint) == (variant, blueprint)
        }
        where = f"{variant}, {blueprint}"
        gain, half = mine["one"].gain
        whole = variant == "hanabi" and blueprint in BOTS
        bar = 0.8 if whole else 0.0
        text = f"one searching seat gains{f' at least {bar:g}' if bar else ''}, interval above 0"
        lost = mine["one"].lost
        (before, low), (after, high) = interval(mine["one"].base), interval(mine["one"].search)
        checks += [
            Check(
                f"{where}: scores with and without search have intervals that do not overlap",
                after - high > before + low,
                f"{before:.2f} ± {low:.2f} and {after:.2f} ± {high:.2f}",
            ),
            Check(f"{where}: {text}", gain >= bar and gain > half, f"{gain:+.2f} ± {half:.2f}"),
            Check(
                f"{where}: no more lost games than the blueprint",
                lost[1] <= lost[0],
                f"{lost[0]} before, {lost[1]} with search",
            ),
        ]
        if "all" in mine:
            both, width = mine["all"].gain
            checks.append(
                Check(
                    f"{where}: all searching gains at least as much as one",
                    both >= gain and both > width,
                    f"{both:+.2f} ± {width:.2f} against {gain:+.2f}",
                )
            )
        if "sparta" in mine:
            for label in ("one", "all"):
                if label in mine:
                    text = f"{where}: {_NAMES[label]}"
                    checks += _against_sparta(text, mine[label], mine["sparta"])
    return checks


def _against_sparta(where: str, mine: Games, peer: Games) -> list[Check]:
    count = min(len(mine.search), len(peer.search))
    gap, half = interval(mine.search[:count] - peer.search[:count])
    ratio = peer.means["milliseconds"] / mine.means["milliseconds"]
    return [
        Check(
            f"{where}, not below SPARTA on the same decks",
            gap > -half,
            f"{gap:+.2f} ± {half:.2f} in {count} games",
        ),
        Check(
            f"{where}, at least ten times less time for a decision than SPARTA",
            ratio >= 10.0,
            f"{mine.means['milliseconds']:.1f} ms against {peer.means['milliseconds']:.1f} ms CPU,"
            f" {ratio:.1f} times",
        ),
    ]


CLAIM = Reproduction(
    "update-equivalence",
    "Mirror descent search: Hanabi and zero-sum games (Sokota et al. 2024)",
    run,
)
