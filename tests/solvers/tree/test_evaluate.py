"""Every kind of policy is judged alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
import pytest
from open_spiel.python import policy as openspiel_policy

import agents.load
import arena
from agents.simple import FirstLegal, Uniform
from arena.episode import drive
from arena.errors import AgentError, ArenaError, ParameterError
from arena.game import Observation
from arena.policy import TabularPolicy
from arena.solver import Gap, Solution
from games.tree import tree_of


class Even:
    """A `Policy`: equal odds everywhere."""

    def probabilities(self, observation: Observation) -> np.ndarray:
        assert observation.legal is not None
        return observation.legal / observation.legal.sum()


@pytest.mark.parametrize(
    ("name", "params"),
    [("leduc_poker", {}), ("kuhn_poker", {"players": 3}), ("goofspiel", {"num_cards": 3})],
)
def test_all_ways_to_give_a_policy_agree(name: str, params: dict[str, Any], tmp_path: Path) -> None:
    game = arena.make(name, **params)
    table = tree_of(game).to_table(tree_of(game).uniform())
    table.save(tmp_path / "p.npz")
    wanted = arena.evaluate(game, table)
    raw = pyspiel.load_game(name, params)
    for policy in (
        "uniform",
        Uniform(),
        Even(),
        openspiel_policy.UniformRandomPolicy(raw),
        tmp_path / "p.npz",
        str(tmp_path / "p.npz"),
        Solution(game, "none", {}, table),
        [table, *["uniform"] * (game.seats - 1)],
    ):
        found = arena.evaluate(game, policy)
        assert found.keys() == wanted.keys()
        for gap_name, gap in wanted.items():
            assert found[gap_name].value == pytest.approx(gap.value, abs=1e-12)


def test_deterministic_bots_are_asked_for_their_action() -> None:
    class Bot:
        stochastic = False

        def begin(self, game: Any, seat: int, seed: int) -> None:
            self.seat = seat

        def act(self, observation: Observation) -> int:
            assert observation.actions is not None
            return observation.actions[0]

        def close(self) -> None: ...

    ours = arena.evaluate("leduc_poker", Bot())
    theirs = arena.evaluate("leduc_poker", FirstLegal())
    assert ours == theirs
    Bot.stochastic = True
    with pytest.raises(AgentError, match="Bot cannot be certified"):
        arena.evaluate("leduc_poker", Bot())


def test_bad_policies_are_refused_with_the_place() -> None:
    class Wrong(Even):
        def __init__(self, answer: list[float]) -> None:
            self.answer = answer

        def probabilities(self, observation: Observation) -> np.ndarray:
            return np.array(self.answer)

    for answer in ([0.5, 0.6], [1.0], [float("nan"), 1.0], [-0.5, 1.5]):
        with pytest.raises(ParameterError, match="infoset '0'"):
            arena.evaluate("kuhn_poker", Wrong(answer))
    with pytest.raises(ParameterError, match="expected one, or 2"):
        arena.evaluate("kuhn_poker", ["uniform"])
    with pytest.raises(ParameterError, match="policy = 3"):
        arena.evaluate("kuhn_poker", 3)
    with pytest.raises(ParameterError, match="saved policy"):
        arena.evaluate("kuhn_poker", "nowhere.npz")
    kuhn = arena.solve("kuhn_poker", "cfr", iterations=2)
    with pytest.raises(ParameterError, match="one for openspiel/kuhn_poker"):
        arena.evaluate("leduc_poker", kuhn)
    table = kuhn.policy
    fewer = TabularPolicy(table.game, table.keys[1:], table.seats[1:], table.table[1:])
    with pytest.raises(ParameterError, match="no row for infoset"):
        arena.evaluate("kuhn_poker", fewer)


def test_solutions_survive_the_disk(tmp_path: Path) -> None:
    game = arena.make("liars_dice", dice_sides=3)
    solution = arena.solve(game, "cfr+", iterations=20)
    solution.save(tmp_path / "s.npz")
    again = Solution.load(tmp_path / "s.npz")
    assert again.game.key == game.key and again.solver == "cfr+" and again.status == solution.status
    assert again.certificate == solution.certificate
    assert list(again.trace) == list(solution.trace)
    assert dict(again.settings) == dict(solution.settings)
    np.testing.assert_array_equal(again.policy.table, solution.policy.table)
    assert arena.evaluate(game, again) == solution.certificate
    with pytest.raises(ParameterError, match="game"):
        Solution.load(tmp_path / "s.npz", game=arena.make("kuhn_poker"))
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(ParameterError, match="format"):
        Solution.load(tmp_path / "junk.npz")
    with pytest.raises(ArenaError, match="cannot be saved"):
        Solution(game, "none", {}, Even()).save(tmp_path / "x.npz")
    interval = Solution(game, "none", {}, solution.policy, {"x": Gap(1.0, "lower", (0.5, 1.5))})
    interval.save(tmp_path / "i.npz")
    assert Solution.load(tmp_path / "i.npz").certificate == interval.certificate


@pytest.mark.skipif(
    not hasattr(agents.load, "as_agent"), reason="no adapter from policies to agents in this tree"
)
def test_a_solution_plays() -> None:
    game = arena.make("kuhn_poker")
    solution = arena.solve(game, "cfr+", iterations=1000)
    players = [solution.agent() for _ in range(game.seats)]
    returns = []
    for seed in range(4000):
        state = game.state(seed)
        for seat, player in enumerate(players):
            player.begin(game, seat, 2 * seed + seat)
        drive(state, [player.act for player in players])
        returns.append(state.returns()[0])
    # The standard deviation of a game is about 1.3 chips.
    assert np.mean(returns) == pytest.approx(-1 / 18, abs=4 * 1.3 / 4000**0.5)
    assert arena.evaluate(game, solution.agent()) == solution.certificate
