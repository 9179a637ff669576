"""Native strategies choose as the Axelrod library's do; the library's play here too."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

import arena
from agents.axelrod import _class_names
from arena.episode import drive
from arena.errors import AgentError, MissingDependencyError, ParameterError, UnknownNameError
from arena.rng import seat_seed
from tests.agents.scripted.record_golden import GOLDEN
from tests.reference.axelrod_twin import OPPONENTS, TWINS, choices, twin_choices

RECORDED = json.loads(GOLDEN.read_text(encoding="utf-8"))["rows"]
HERE = importlib.util.find_spec("axelrod") is not None
needs_library = pytest.mark.skipif(not HERE, reason="pip install axelrod")


def test_the_record_covers_all_twins() -> None:
    assert {row["strategy"] for row in RECORDED} == set(TWINS)
    assert len(TWINS) >= 50


@pytest.mark.parametrize("name", sorted(TWINS))
def test_choices_are_those_recorded_from_the_library(name: str) -> None:
    for row in RECORDED:
        if row["strategy"] == name:
            opponent = (row["opponent"], row["parameters"])
            own = choices(name, opponent, noise=row["noise"], seed=row["seed"])
            assert own == row["choices"], row["opponent"]


@pytest.mark.slow
@needs_library
@pytest.mark.parametrize("name", sorted(TWINS))
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_choices_are_those_of_the_library(name: str, noise: float) -> None:
    for opponent in OPPONENTS:
        for seed in range(3):
            own = choices(name, opponent, noise=noise, seed=seed)
            assert own == twin_choices(name, opponent, noise=noise, seed=seed), (opponent, seed)


@pytest.mark.slow
@needs_library
def test_every_strategy_of_the_library_plays_or_says_why_not() -> None:
    import axelrod

    names = arena.registry.AGENTS.family("axelrod").names()
    assert set(names) == {cls.__name__ for cls in axelrod.all_strategies}
    game = arena.make("repeated/prisoners_dilemma", rounds=12, noise=0.05)
    refused = []
    for name in names:
        if axelrod.Classifiers["long_run_time"](getattr(axelrod, name)()):
            continue
        agent, other = arena.agent(f"axelrod/{name}"), arena.agent("scripted/random")
        returns = []
        try:
            for _ in range(2):
                agent.begin(game, 0, 7)
                other.begin(game, 1, 8)
                state: Any = game.state(3)
                drive(state, [agent.act, other.act])
                returns.append(state.played)
        except AgentError as error:
            assert "opponent's code" in str(error)
            refused.append(name)
            continue
        assert returns[0] == returns[1], name
    traits = axelrod.Classifiers
    cheats = [
        cls.__name__
        for cls in axelrod.all_strategies
        if traits["inspects_source"](cls()) or traits["manipulates_source"](cls())
    ]
    assert sorted(refused) == sorted(cheats) and len(refused) < 20


@pytest.mark.slow
@needs_library
def test_library_and_native_strategies_meet() -> None:
    game = arena.make("repeated/prisoners_dilemma", rounds=50)
    for native, theirs in (("tit_for_tat", "TitForTat"), ("gradual", "OriginalGradual")):
        plays = []
        for name in (f"scripted/{native}", f"axelrod/{theirs}"):
            pair = [arena.agent(name), arena.agent("scripted/tester")]
            for seat, agent in enumerate(pair):
                agent.begin(game, seat, seat_seed(1, seat))
            state: Any = game.state(1)
            drive(state, [agent.act for agent in pair])
            plays.append(state.played)
        assert plays[0] == plays[1]


@pytest.mark.slow
@needs_library
def test_parameters_of_library_strategies_are_checked() -> None:
    assert arena.agent("axelrod/Random", p=0.25).params == {"p": 0.25}  # type: ignore[attr-defined]
    with pytest.raises(UnknownNameError, match="there are: p"):
        arena.agent("axelrod/Random", q=0.25)
    with pytest.raises(ParameterError, match="what the library accepts"):
        arena.agent("axelrod/ZDSet2", phi="much")
    with pytest.raises(AgentError, match="two actions"):
        arena.agent("axelrod/TitForTat").begin(arena.make("repeated/shapley"), 0, 0)


@needs_library
def test_names_are_known_without_importing_the_library() -> None:
    names = _class_names()
    assert len(names) > 200 and "TitForTat" in names and "MetaMajority" in names
    with pytest.raises(UnknownNameError, match="TitForTat"):
        arena.agent("axelrod/TitForTatt")


def test_without_the_library_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.axelrod._class_names", tuple)
    monkeypatch.setitem(__import__("sys").modules, "axelrod", None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        arena.agent("axelrod/TitForTat")
    assert "pip install" in arena.registry.AGENTS.info("axelrod/TitForTat").missing
