"""The seams fit together: make a game, play it, get payoffs."""

from __future__ import annotations

import pytest

import arena
from arena.episode import drive
from arena.errors import ParameterError, UnknownNameError


@pytest.mark.parametrize("name", ["kuhn_poker", "tic_tac_toe", "openspiel/goofspiel"])
def test_an_episode_follows_from_its_seed(name: str) -> None:
    game = arena.make(name)

    def play(seed: int) -> tuple[list[int], list[float]]:
        state = game.state(seed)
        players = [arena.agent("uniform") for _ in range(game.seats)]
        for seat, player in enumerate(players):
            player.begin(game, seat, seed + seat)
        drive(state, [player.act for player in players])
        return state.history(), state.returns().tolist()

    assert play(3) == play(3)
    assert len({str(play(seed)) for seed in range(20)}) > 1


def test_unknown_names_carry_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="leduc_poker"):
        arena.make("leduc_pocker")
    with pytest.raises(UnknownNameError) as short:
        arena.make("skirmish/4m")
    assert set(short.value.suggestions) >= {"3m", "8m"}


def test_parameters_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="num_cards"):
        arena.make("goofspiel", num_card=4)
    with pytest.raises(ParameterError, match="int"):
        arena.make("goofspiel", num_cards="four")
