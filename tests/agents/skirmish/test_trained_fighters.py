"""Checkpoints of value learners as agents: both sides, tournaments, leagues, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import arena
from arena.errors import AgentError, ParameterError
from arena.rng import derive_many
from arena.testing import check_agent
from games.batch import play_batch
from solvers.training.runs import begin_run

torch = pytest.importorskip("torch")

TINY = {"episodes": 4, "batch": 4, "updates": 2, "hidden": 16, "embed": 4, "hyper": 8}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Short runs on 3m of two learners, for one side and in self-play."""
    folder = tmp_path_factory.mktemp("runs")
    found = {}
    for name, side, solver, settings in (
        ("alone", "allies", "qmix", {**TINY, "network": "gru"}),
        ("both", "both", "qmix", {**TINY, "network": "mlp"}),
        ("ppo", "allies", "ppo", {"episodes": 4, "hidden": [16]}),
        ("ppo_both", "both", "ppo", {"episodes": 4, "hidden": [16]}),
    ):
        game = arena.make("skirmish/3m", side=side, limit=20)
        begin_run(folder / name, game, solver, settings=settings, limits={"steps": 200})
        found[name] = str(folder / name / "checkpoints" / "best.safetensors")
    return found


@pytest.mark.parametrize("name", ["alone", "both", "ppo", "ppo_both"])
def test_the_conformance_kit_passes(trained, name):
    game = arena.make("skirmish/3m", side="both", limit=20)
    check_agent(lambda: arena.agent(trained[name]), game, episodes=2)


@pytest.mark.parametrize("name", ["alone", "both", "ppo"])
def test_both_sides_are_the_same_fighter_turned(trained, name):
    """In self-play from either side, over 200 battles, neither side is much better off."""
    game = arena.make("skirmish/3m", side="both")
    agents = [arena.agent(trained[name]) for _ in range(6)]
    payoffs = play_batch(game, agents, derive_many(3, np.arange(200)))
    assert payoffs is not None
    # A one-sided misreading of the field would show as one side losing nearly always.
    lean = payoffs[:, 0].mean()
    assert abs(lean) < 0.35


def test_the_same_battle_with_another_opponent_is_played(trained):
    for params in ({}, {"opponent": "focus_fire"}, {"reward": "sparse"}):
        game = arena.make("skirmish/3m", limit=20, **params)
        for name in ("alone", "both", "ppo"):
            agents = [arena.agent(trained[name]) for _ in range(3)]
            assert arena.play(game, agents, seed=1).fault is None


def test_a_policy_of_one_side_sees_the_field_turned_from_the_other():
    """Actor 1 of team 1 does what actor 1 of team 0 would do, turned."""
    from games.skirmish.turn import half_turn
    from solvers.training.policy import MlpPolicy

    game = arena.make("skirmish/3m", side="both")
    turn = half_turn(game.form("skirmish"))
    rng = np.random.default_rng(0)
    weights, biases = [rng.normal(size=(9, 33))], [rng.normal(size=9)]
    alone = MlpPolicy("skirmish/3m", weights, biases, seats=3)
    seen = game.form("batch", seeds=[4, 5]).observe(4)
    shown = alone.distribution(turn.look(seen.tensor), turn.mask(seen.legal), seat=1)
    np.testing.assert_array_equal(
        alone.distribution(seen.tensor, seen.legal, seat=4)[:, turn.action], shown
    )
    assert alone.plays(game, 4) and not alone.plays(arena.make("skirmish/8m", side="both"), 4)
    own = MlpPolicy(game.key, [rng.normal(size=(9, 36))], biases, seats=6)
    plain = own.distribution(seen.tensor, seen.legal, seat=4)
    wide = np.hstack([seen.tensor, np.tile(np.eye(6)[4], (2, 1))])
    np.testing.assert_array_equal(
        plain.argmax(1),
        np.where(seen.legal, wide @ own.arrays()["0.weight"].T + biases[0], -np.inf).argmax(1),
    )


def test_one_by_one_and_in_batches_it_plays_alike(trained):
    game = arena.make("skirmish/3m", side="both", limit=20)
    seeds = derive_many(5, np.arange(4))

    def team():
        return [
            *(arena.agent(trained["alone"]) for _ in range(3)),
            *(arena.agent("skirmish/focus_fire") for _ in range(3)),
        ]

    together = play_batch(game, team(), seeds)
    for k, seed in enumerate(seeds):
        match = arena.play(game, team(), seed=int(seed))
        np.testing.assert_allclose(match.payoffs, together[k])


def test_tournaments_and_leagues_rank_it(trained, tmp_path):
    game = arena.make("skirmish/3m", side="both", limit=4)
    agents = {"trained": trained["alone"], "self_play": trained["both"], "idle": "skirmish/idle"}
    outcome = arena.tournament(
        games=[game], agents=agents, repetitions=1, seed=1, db=str(tmp_path / "t.db")
    )
    shown = str(outcome)
    assert all(name in shown for name in agents)
    cup = arena.league(
        str(tmp_path / "cup"), games=[game.key], agents={"idle": "skirmish/idle"}, seed=1
    )
    cup.join("trained", trained["alone"])
    cup.run()
    table = cup.leaderboard()
    for name in ("idle", "trained"):
        standing = table[name].standing
        assert standing is not None and standing.games > 0 and standing.forfeits == 0


def test_other_maps_and_modes_are_refused_by_name(trained):
    for name, params in (
        ("8m", {"side": "both"}),
        ("3m", {"side": "both", "mode": "smax"}),
        ("3m", {"side": "both", "sight": "cone"}),
        ("3m", {"mode": "smax"}),
    ):
        game = arena.make(f"skirmish/{name}", **params)
        for learned in ("alone", "ppo"):
            with pytest.raises(AgentError) as told:
                arena.agent(trained[learned]).begin(game, 0, 1)
            assert "skirmish/3m(limit=20)" in str(told.value) and game.key in str(told.value)


def test_a_team_of_another_size_is_refused(tmp_path):
    alone = arena.make("skirmish/5m_vs_6m", limit=20)
    begin_run(tmp_path / "run", alone, "vdn", settings=TINY, limits={"steps": 100})
    best = tmp_path / "run" / "checkpoints" / "best.safetensors"
    game = arena.make("skirmish/5m_vs_6m", side="both", limit=20)
    arena.agent(str(best)).begin(game, 4, 1)
    with pytest.raises(AgentError, match=r"5m_vs_6m\(limit=20\).*5m_vs_6m\(limit=20,side=both\)"):
        arena.agent(str(best)).begin(game, 5, 1)


def test_weights_that_do_not_fit_are_refused(trained):
    from solvers.training import read_checkpoint
    from solvers.training.policy import from_header

    kept = read_checkpoint(trained["alone"])
    header = {**kept.header["policy"]}
    header["shapes"] = {**header["shapes"], "head": [9, 32]}
    with pytest.raises(ParameterError, match=r"'head'.*\(9, 16\).*\(9, 32\)"):
        from_header(kept.game, header, kept.policy)
