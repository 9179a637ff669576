"""Replays show what was played: same states, same luck, same payoffs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.episode import drive
from arena.errors import IllegalActionError
from arena.game import Game
from arena.types import CHANCE
from tournaments.report.replay import replay

GAMES = [
    "tic_tac_toe",
    "connect_four",
    "kuhn_poker",
    "leduc_poker",
    "openspiel/goofspiel",
    "openspiel/pig",
    "openspiel/matching_pennies_3p",
    "openspiel/backgammon",
]


def play(game: Game, seed: int) -> tuple[Any, list[Mapping[int, Any]], list[str]]:
    state = game.state(seed)
    agents = [arena.agent("uniform") for _ in range(game.seats)]
    for seat, agent in enumerate(agents):
        agent.begin(game, seat, seed + 31 * seat)
    steps: list[Mapping[int, Any]] = []
    texts = [state.render()]

    def watch(joint: Mapping[int, Any]) -> None:
        steps.append(dict(joint))
        texts.append(state.render())

    drive(state, [agent.act for agent in agents], watch=watch)
    return state, steps, texts


@pytest.mark.parametrize("name", GAMES)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_a_replay_is_what_was_played(name: str, seed: int) -> None:
    game = arena.make(name)
    state, steps, texts = play(game, seed)
    shown = replay(game, seed=seed, steps=steps)
    assert shown.note == ""
    assert shown.steps[-1].text == state.render()
    assert shown.steps[-1].returns == pytest.approx(state.returns().tolist())
    played = [step for step in shown.steps[1:] if step.moves[0][0] != CHANCE]
    assert len(played) == len(steps)
    assert [tuple(s for s, _ in step.moves) for step in played] == [tuple(sorted(j)) for j in steps]
    # What the players faced, which is the state after chance, appears in this order.
    remaining = iter(step.text for step in shown.steps)
    assert all(text in remaining for text in texts)


def test_chance_is_a_step_with_its_probability() -> None:
    game = arena.make("kuhn_poker")
    _, steps, _ = play(game, 5)
    shown = replay(game, seed=5, steps=steps).steps
    deals = [step for step in shown if step.moves and step.moves[0][0] == CHANCE]
    assert [step.chance for step in deals] == pytest.approx([1 / 3, 1 / 2])
    assert all(step.chance is None for step in shown if step not in deals)


def test_a_forfeited_match_stops_where_it_stopped() -> None:
    game = arena.make("leduc_poker")
    _, steps, _ = play(game, 11)
    shown = replay(game, seed=11, steps=steps[:1]).steps
    assert [step.moves[0][0] for step in shown[1:]][:3] == [CHANCE, CHANCE, 0]
    assert len(shown) == 4


def test_names_follow_the_position() -> None:
    """A chess move later in the game has its name from the position that it is played in."""
    game = arena.make("chess")
    _, steps, _ = play(game, 2)
    shown = replay(game, seed=2, steps=steps[:6]).steps
    walked = game.state(2)
    for joint, step in zip(steps, shown[1:], strict=False):
        ((seat, action),) = joint.items()
        assert step.moves == ((seat, walked.raw.action_to_string(seat, action)),)  # type: ignore[attr-defined]
        walked.step(joint)


def test_a_match_of_another_game_is_refused() -> None:
    with pytest.raises(IllegalActionError):
        replay(arena.make("tic_tac_toe"), seed=1, steps=[{0: 4}, {1: 4}])


def test_games_that_cannot_expose_chance_are_replayed_with_a_note() -> None:
    from dataclasses import replace

    from arena.errors import FormError

    whole = arena.make("kuhn_poker")

    def only_seeded(seed: int | None) -> Any:
        if seed is None:
            raise FormError(whole.key, "root", ["state"])
        return whole.state(seed)

    closed = replace(whole, forms={"state": only_seeded})
    _, steps, texts = play(whole, 8)
    shown = replay(closed, seed=8, steps=steps)
    assert "chance" in shown.note
    assert [step.text for step in shown.steps] == texts


def test_a_drawing_is_kept() -> None:
    from dataclasses import replace

    whole = arena.make("tic_tac_toe")

    class Drawn:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def render_svg(self) -> str:
            return f"<svg><!--{len(self._inner.history())}--></svg>"

    game = replace(whole, forms={"state": lambda seed: Drawn(whole.state(0))})
    shown = replay(game, seed=0, steps=[{0: 4}, {1: 0}]).steps
    assert [step.svg for step in shown] == [f"<svg><!--{k}--></svg>" for k in range(3)]
