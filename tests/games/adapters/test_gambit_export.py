"""Games written as extensive forms are the games they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import FormError, ParameterError
from arena.testing import check_game
from arena.types import CHANCE
from games.adapters.gambit import efg_game, save
from games.adapters.gambit_export import to_efg


def uniform_value(game: Any) -> np.ndarray:
    def value(state: Any) -> np.ndarray:
        actors = state.actors()
        if not actors:
            return np.array(state.returns())
        if actors == (CHANCE,):
            branches = [({CHANCE: o}, p) for o, p in state.chance_outcomes() if p > 0]
        else:
            joints: list[dict[int, int]] = [{}]
            for seat in actors:
                joints = [{**j, seat: a} for j in joints for a in state.legal(seat)]
            branches = [(joint, 1 / len(joints)) for joint in joints]
        total = np.zeros(game.seats)
        for joint, probability in branches:
            twin = state.clone()
            twin.step(joint)
            total += probability * value(twin)
        return total

    return value(game.root())


@pytest.mark.parametrize(
    "key",
    [
        "kuhn_poker",
        "kuhn_poker(players=3)",
        "openspiel/matrix_pd",
        "openspiel/goofspiel(num_cards=3)",
        "openspiel/tiny_hanabi",
        "openspiel/first_sealed_auction(max_value=3)",
        "openspiel/nim(pile_sizes=1;2;3)",
    ],
)
def test_the_written_game_is_the_game(key: str, tmp_path: Path) -> None:
    game = arena.make(key)
    efg = to_efg(game)
    save(efg, tmp_path / "g.efg")
    read = arena.make(str(tmp_path / "g.efg"))
    assert read.seats == game.seats
    check_game(read, episodes=3)
    assert np.allclose(uniform_value(read), uniform_value(game))
    gambit = pytest.importorskip("pygambit")
    theirs = gambit.read_efg(tmp_path / "g.efg")
    payoffs = theirs.mixed_behavior_profile().payoffs
    assert np.allclose([payoffs[p] for p in theirs.players], uniform_value(game))


def test_kuhn_poker_has_its_twelve_infosets() -> None:
    efg = to_efg(arena.make("kuhn_poker"))
    assert sum(seat != CHANCE for seat, _ in efg.infosets) == 12
    assert efg_game(efg).payoff == "zero_sum"


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ParameterError, match="max_nodes"):
        to_efg(arena.make("kuhn_poker"), max_nodes=10)
    with pytest.raises(FormError):
        to_efg(arena.make("openspiel/tarok"))
    with pytest.raises(FormError):
        to_efg(arena.make("openspiel/crossword"))
