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
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import arena
from agents.hanabi.table import BOTS
from agents.searching import mmds
from arena.errors import UnknownNameError
from arena.files import write_atomic
from arena.registry import AGENTS
from games.tree import tree_of
from solvers.certificates import certify
from solvers.search.on_tree import search_everywhere
from tournaments.reproduce import Check, Report, Reproduction
from tournaments.reproduce._hanabi_games import Games, Setting, play

__all__ = ["CLAIM", "exploitabilities", "hanabi_settings", "run"]

FULL: Mapping[str, Any] = {}
REDUCED: Mapping[str, Any] = {"colors": 2, "ranks": 5, "hand_size": 3}
SEED = 20_240_513

LEARNED = "hanabi/ppo"
"""The learned blueprint, where it is registered."""

ONE: Mapping[str, Any] = {"rollouts": 1000}
ALL: Mapping[str, Any] = {"rollouts": 1000, "doubt": 2.0, "eta": 56.0, "soft": 0.05}
SPARTA: Mapping[str, Any] = {}
NETWORK: Mapping[str, Any] = {"rollouts": 200, "limit": 300, "tries": 300}
"""Searches: with one seat, with all, the baseline, and what play-outs of networks allow."""

_GAMES = {
    "hanabi": {"one": 1000, "all": 1000, "sparta": 60},
    "reduced": {"one": 1000, "all": 1000, "sparta": 200},
    "learned": {"one": 40, "all": 20, "sparta": 0},
}
_QUICK = {
    "hanabi": {"one": 10, "all": 4, "sparta": 2},
    "reduced": {"one": 30, "all": 10, "sparta": 5},
    "learned": {"one": 1, "all": 0, "sparta": 0},
}

STEP, TEMPERATURE = 5.0, 0.1
"""Of MMDS, in units of the game's range of payoffs; the same for all games."""


def hanabi_settings(*, quick: bool) -> list[Setting]:
    """Return what is played; the learned blueprint takes part where it is registered."""
    games = _QUICK if quick else _GAMES
    groups: list[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]] = [
        ("hanabi", FULL, "smart", {}),
        ("reduced", REDUCED, "smart", {}),
    ]
    with suppress(UnknownNameError):
        AGENTS.info(LEARNED)
        groups.append(("learned", FULL, LEARNED, NETWORK))
    return [
        Setting(label, variant, blueprint, kind, seats, count, SEED, {**params, **own})
        for group, variant, blueprint, own in groups
        for label, kind, seats, params in (
            ("one", "mds", 1, ONE),
            ("all", "mds", 2, ALL),
            ("sparta", "sparta", 1, SPARTA),
        )
        if (count := games[group][label])
    ]


# -- zero-sum games -------------------------------------------------------------------------


def exploitabilities(*, quick: bool) -> list[dict[str, Any]]:
    """Return exploitability of blueprint and search, one entry a game and blueprint."""
    rows: list[dict[str, Any]] = []
    exact: Sequence[tuple[str, Mapping[str, Any]]] = [
        ("leduc_poker", {}),
        *(("liars_dice", {"dice_sides": sides}) for sides in ((4,) if quick else (4, 5, 6))),
    ]
    for name, params in exact:
        rows += _exact(name, params)
    episodes, rollouts = (60, 40) if quick else (1000, 60)
    for name, params in (
        ("phantom_ttt", {}),
        ("dark_hex", {"board_size": 3, "gameversion": "adh"}),
    ):
        rows.append(_approximate(name, params, episodes=episodes, rollouts=rollouts))
    return rows


def _exact(name: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    game = arena.make(name, **params)
    tree = tree_of(game)
    low, high = game.payoff_bounds
    scale = high - low
    out = []
    for blueprint in ("uniform", "cfr, 10 iterations"):
        behaviour = tree.uniform()
        if blueprint != "uniform":
            behaviour = tree.from_table(arena.solve(game, "cfr", iterations=10).policy)
        found = search_everywhere(
            tree, behaviour, step=STEP / scale, temperature=TEMPERATURE * scale
        )
        values = [
            certify(tree, policy)["exploitability"].value for policy in (behaviour, found.behaviour)
        ]
        out.append(
            {
                "game": game.key,
                "blueprint": blueprint,
                "kind": "exact",
                "base": values[0],
                "search": values[1],
                "base_interval": None,
                "search_interval": None,
            }
        )
    return out


def _approximate(
    name: str, params: Mapping[str, Any], *, episodes: int, rollouts: int
) -> dict[str, Any]:
    game = arena.make(name, **params)
    found = []
    tests = max(100, episodes)
    for policies in (
        ["uniform", "uniform"],
        [mmds(rollouts=rollouts, step=STEP, temperature=TEMPERATURE) for _ in range(2)],
    ):
        gaps = arena.evaluate(
            game, policies, approximate=True, episodes=episodes, seed=SEED, test_episodes=tests
        )
        found.append(gaps["exploitability"])
    return {
        "game": game.key,
        "blueprint": "uniform",
        "kind": f"lower bound, {episodes} episodes a learner",
        "base": found[0].value,
        "search": found[1].value,
        "base_interval": found[0].interval,
        "search_interval": found[1].interval,
    }


# -- the report -----------------------------------------------------------------------------


def run(*, quick: bool, out: Path) -> Report:
    """Play and measure everything; writes `update-equivalence.json` and `.md` into `out`.

    Blocks of games that a stopped run had finished are read again from `out/games`.
    """
    settings = hanabi_settings(quick=quick)
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    played = play(settings, out / "games", workers=1 if quick else workers)
    gaps = exploitabilities(quick=quick)
    rows: list[list[Any]] = [_game_row(s, g) for s, g in zip(settings, played, strict=True)]
    rows += [_gap_row(gap) for gap in gaps]
    checks = _hanabi_checks(settings, played) + _gap_checks(gaps)
    if quick:
        checks = [_open(check) if "CFR" not in check.detail else check for check in checks]
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
        "exploitability": gaps,
    }
    files = (out / f"{CLAIM.name}.json", out / f"{CLAIM.name}.md")
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
    report = Report(CLAIM.title, header, rows, checks, figures, files)
    noted = [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in checks]
    texts = (json.dumps({**figures, "checks": noted}, indent=1, default=dict) + "\n", report.text)
    for path, text in zip(files, texts, strict=True):
        with write_atomic(path) as file:
            file.write(text.encode("utf-8"))
    return report


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
        f"{games.base.mean():.2f}, {games.lost[0]} lost",
        f"{games.search.mean():.2f}, {games.lost[1]} lost",
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
        checks += [
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
            checks += _against_sparta(where, mine["one"], mine["sparta"])
    return checks


def _against_sparta(where: str, one: Games, peer: Games) -> list[Check]:
    count = min(len(one.search), len(peer.search))
    difference = one.search[:count] - peer.search[:count]
    half = 1.96 * float(difference.std(ddof=1)) / count**0.5 if count > 1 else float("inf")
    ratio = peer.means["milliseconds"] / one.means["milliseconds"]
    return [
        Check(
            f"{where}: not below SPARTA on the same decks",
            bool(difference.mean() > -half),
            f"{difference.mean():+.2f} ± {half:.2f} in {count} games",
        ),
        Check(
            f"{where}: at least ten times less time for a decision than SPARTA",
            ratio >= 10.0,
            f"{one.means['milliseconds']:.1f} ms against {peer.means['milliseconds']:.1f} ms CPU,"
            f" {ratio:.1f} times",
        ),
    ]


def _gap_checks(gaps: Sequence[Mapping[str, Any]]) -> list[Check]:
    uniform = [gap for gap in gaps if gap["blueprint"] == "uniform"]
    kinds = {gap["game"].split("(")[0]: True for gap in uniform}
    for gap in uniform:
        lower = gap["search"] < gap["base"]
        if gap["search_interval"] is not None:
            lower = gap["search_interval"][1] < gap["base_interval"][0]
        kinds[gap["game"].split("(")[0]] &= bool(lower)
    good = sum(kinds.values())
    return [
        Check(
            "MMDS is less exploitable than its uniform blueprint in at least three of four games",
            good >= 3,
            f"{good} of {len(kinds)}",
        ),
        Check(
            "MMDS is less exploitable than a half-solved blueprint wherever that is exact",
            all(g["search"] < g["base"] for g in gaps if g["blueprint"] != "uniform"),
            "CFR, 10 iterations",
        ),
    ]


CLAIM = Reproduction(
    "update-equivalence",
    "Mirror descent search: Hanabi and zero-sum games (Sokota et al. 2024)",
    run,
)
