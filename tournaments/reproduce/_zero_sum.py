"""Exploitability of magnetic mirror descent search and of its blueprint in zero-sum games.

Exact where the tree can be enumerated, by learned lower bounds where it cannot. Step and
temperature are the same in all games, and chosen on others (`_mirror_step`). What a stopped
run had found of the lower bounds, which take minutes, is read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import arena
from agents.searching import mmds
from arena.files import write_atomic
from arena.game import Game
from games.tree import tree_of
from solvers.search.on_tree import search_everywhere
from tournaments.reproduce import Check
from tournaments.reproduce._mirror_step import Choice, blueprints, choose, exploitability

__all__ = ["checks", "exploitabilities"]

SEED = 20_240_514

Gap = dict[str, Any]


def exploitabilities(*, quick: bool, folder: Path) -> tuple[Choice, list[Gap]]:
    """Return the step that was chosen, and what it does, one entry a game and blueprint.

    Args:
        quick: fewer games, and bounds that are hardly any.
        folder: where bounds are kept.
    """
    step = choose()[0]
    gaps: list[Gap] = []
    exact: Sequence[tuple[str, Mapping[str, Any]]] = [
        ("leduc_poker", {}),
        *(("liars_dice", {"dice_sides": sides}) for sides in ((4,) if quick else (4, 5, 6))),
    ]
    for name, params in exact:
        gaps += _exact(name, params, step)
    episodes, rollouts = (60, 40) if quick else (4000, 60)
    for name, params in (
        ("phantom_ttt", {}),
        ("dark_hex", {"board_size": 3, "gameversion": "adh"}),
    ):
        found = {"step": step.step, "temperature": step.temperature, "rollouts": rollouts}
        gaps.append(_bounded(arena.make(name, **params), found, episodes, folder))
    return step, gaps


def _exact(name: str, params: Mapping[str, Any], step: Choice) -> list[Gap]:
    game = arena.make(name, **params)
    tree = tree_of(game)
    low, high = game.payoff_bounds
    out = []
    for blueprint, behaviour in blueprints(game, tree).items():
        found = search_everywhere(
            tree,
            behaviour,
            step=step.step / (high - low),
            temperature=step.temperature * (high - low),
        )
        out.append(
            {
                "game": game.key,
                "blueprint": blueprint,
                "kind": "exact",
                "base": exploitability(tree, behaviour),
                "search": exploitability(tree, found.behaviour),
                "base_interval": None,
                "search_interval": None,
            }
        )
    return out


def _bounded(game: Game, search: Mapping[str, Any], episodes: int, folder: Path) -> Gap:
    settings = "-".join(f"{value:g}" for value in (episodes, *search.values()))
    path = folder / f"{game.id.rpartition('/')[2]}-{settings}.json"
    if path.is_file():
        kept: Gap = json.loads(path.read_text(encoding="utf-8"))
        return kept
    found = []
    for policies in (["uniform", "uniform"], [mmds(**search) for _ in range(2)]):
        gaps = arena.evaluate(
            game,
            policies,
            approximate=True,
            episodes=episodes,
            seed=SEED,
            test_episodes=max(100, episodes),
        )
        found.append(gaps["exploitability"])
    gap: Gap = {
        "game": game.key,
        "blueprint": "uniform",
        "kind": f"lower bound, {episodes} episodes a learner",
        "base": found[0].value,
        "search": found[1].value,
        "base_interval": found[0].interval,
        "search_interval": found[1].interval,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with write_atomic(path) as file:
        file.write(json.dumps(gap).encode("utf-8"))
    return gap


def checks(gaps: Sequence[Mapping[str, Any]]) -> list[Check]:
    """Return what must hold of `exploitabilities`; bounds count if their intervals part."""
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
