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
from solvers.certificates import certify
from solvers.evaluate import behaviour_of


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
    with pytest.raises(ParameterError, match="a file that is there"):
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


class Linear:
    """A network in numpy: fixed weights, so the same answer at the same observation."""

    def __init__(self, outputs: str) -> None:
        self._outputs = outputs

    def __call__(self, tensor: np.ndarray) -> np.ndarray:
        weights = np.sin(np.arange(tensor.size * 2).reshape(2, tensor.size))
        logits = weights @ tensor
        raised = np.exp(logits - logits.max())
        return logits if self._outputs == "logits" else raised / raised.sum()


def test_networks_are_judged_by_what_they_answer_to_tensors() -> None:
    torch = pytest.importorskip("torch")
    game = arena.make("kuhn_poker")
    tree = tree_of(game)
    rows = {}
    for seat in (0, 1):
        size = game.state(0).observe(seat).tensor.size
        weights = np.sin(np.arange(size * 2).reshape(2, size))
        state_rows = _tensors(game, seat)
        for key, tensor in state_rows.items():
            raised = np.exp(weights @ tensor)
            rows[seat, key] = (raised / raised.sum()).tolist()
    wanted = arena.evaluate(game, TabularPolicy.from_mapping(game.key, rows))
    module = torch.nn.Linear(size, 2, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.as_tensor(weights))
    for policy in (
        arena.TensorPolicy(Linear("probabilities")),
        arena.TensorPolicy(Linear("logits"), outputs="logits"),
        arena.TensorPolicy(module, outputs="logits"),
        torch.nn.Sequential(module, torch.nn.Softmax(dim=-1)),
    ):
        found = arena.evaluate(game, policy)
        assert found["nash_conv"].value == pytest.approx(wanted["nash_conv"].value, abs=1e-5)
    assert tree.n_infosets == len(rows)
    with pytest.raises(ParameterError, match=r"sum to one.*outputs=\"logits\""):
        arena.evaluate(game, module)


def _tensors(game: arena.Game, seat: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}

    def visit(state: Any) -> None:
        for actor in state.actors():
            if actor == seat:
                observation = state.observe(seat)
                found[observation.key] = np.array(observation.tensor)
            outcomes = state.legal(actor) if actor >= 0 else [o for o, _ in state.chance_outcomes()]
            for action in outcomes:
                after = state.clone()
                after.step({actor: action})
                visit(after)

    visit(game.root())
    return found


def test_networks_with_wrong_answers_are_refused() -> None:
    with pytest.raises(ParameterError, match="outputs"):
        arena.TensorPolicy(len, outputs="odds")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="2 finite numbers"):
        arena.evaluate("kuhn_poker", arena.TensorPolicy(lambda tensor: np.ones(3) / 3))
    with pytest.raises(ParameterError, match="finite"):
        arena.evaluate("kuhn_poker", arena.TensorPolicy(lambda tensor: np.full(2, np.nan)))


def test_bots_that_do_not_tell_their_odds_are_asked_often() -> None:
    class Coin:
        def begin(self, game: Any, seat: int, seed: int) -> None:
            self.rng = np.random.default_rng(seed)

        def act(self, observation: Observation) -> int:
            assert observation.actions is not None
            return int(self.rng.choice(observation.actions))

        def close(self) -> None: ...

    exact = arena.evaluate("kuhn_poker", "uniform")["nash_conv"].value
    found = arena.evaluate("kuhn_poker", Coin(), samples=4000)["nash_conv"].value
    assert found == pytest.approx(exact, abs=0.05)
    assert found == arena.evaluate("kuhn_poker", Coin(), samples=4000)["nash_conv"].value
    with pytest.raises(AgentError, match="samples=N"):
        arena.evaluate("kuhn_poker", Coin())
    with pytest.raises(ParameterError, match="samples"):
        arena.evaluate("kuhn_poker", Coin(), samples=0)
    bot = pyspiel.make_uniform_random_bot(0, 5)
    pair = [bot, pyspiel.make_uniform_random_bot(1, 5)]
    found = arena.evaluate("kuhn_poker", pair, samples=2000)["nash_conv"].value
    assert found == pytest.approx(exact, abs=0.08)
    ours = arena.evaluate("leduc_poker", lambda o: o.actions[0], samples=1)
    assert ours == arena.evaluate("leduc_poker", FirstLegal())


def test_a_saved_solution_plays_and_is_judged(tmp_path: Path) -> None:
    solution = arena.solve("kuhn_poker", "cfr+", iterations=50)
    solution.save(tmp_path / "s.npz")
    assert arena.evaluate("kuhn_poker", str(tmp_path / "s.npz")) == arena.evaluate(
        "kuhn_poker", solution
    )
    match = arena.play("kuhn_poker", [str(tmp_path / "s.npz"), "uniform"], seed=2)
    assert sum(match.payoffs) == 0
    with pytest.raises(ParameterError, match="a file that is there"):
        arena.evaluate("kuhn_poker", "nowhere.npz")
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(ParameterError, match="a saved policy or solution"):
        arena.evaluate("kuhn_poker", tmp_path / "junk.npz")


def test_every_seat_may_have_a_policy_of_its_own_kind(tmp_path: Path) -> None:
    """A file, a network and a bot, one a seat: judged as the table that they make together."""
    game = arena.make("kuhn_poker", players=3)
    tree = tree_of(game)
    arena.solve(game, "cfr", iterations=7).save(tmp_path / "some.npz")

    def lean(tensor: np.ndarray) -> np.ndarray:
        return np.array([0.3, 0.3 + float(tensor.sum()) / 7])

    network = arena.TensorPolicy(lean, outputs="logits")
    mixed = arena.evaluate(game, [str(tmp_path / "some.npz"), network, "first_legal"])
    flat = tree.uniform()
    for seat, one in enumerate((str(tmp_path / "some.npz"), network, "first_legal")):
        alone = behaviour_of(tree, game, one)
        low, high = int(tree.seat_sequence[seat]), int(tree.seat_sequence[seat + 1])
        flat[low:high] = alone[low:high]
    for name, gap in certify(tree, flat).items():
        assert mixed[name].value == pytest.approx(gap.value, abs=1e-12)
