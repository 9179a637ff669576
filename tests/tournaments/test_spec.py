"""A spec that cannot be run is refused before anything is played, in words that help."""

from __future__ import annotations

import json
from math import inf

import pytest

from arena.agent import Limits
from arena.errors import SpecError
from tournaments.api import check, run
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, parse_spec, read_spec, spec_data

GOOD = {
    "tournament": {"name": "good", "seed": 1},
    "games": [{"id": "kuhn_poker"}],
    "agents": [{"name": "a", "ref": "uniform"}, {"name": "b", "ref": "first_legal"}],
}


def changed(path: str, value: object) -> dict:
    """Return `GOOD` with one value set, such as `agents.0.ref`."""
    data = json.loads(json.dumps(GOOD))
    *folders, last = path.split(".")
    place = data
    for folder in folders:
        place = place[int(folder)] if folder.isdigit() else place.setdefault(folder, {})
    if value is None:
        del place[int(last) if last.isdigit() else last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("tournamnt", {}, "no key 'tournamnt'; did you mean 'tournament'"),
        ("tournament.repetitons", 3, "repetitions"),
        ("tournament.repetitions", 0, r"\[tournament\] repetitions = 0 .* at least 1"),
        ("tournament.repetitions", True, "repetitions = True"),
        ("tournament.repetitions", "many", "repetitions = 'many'"),
        ("tournament.seed", -1, "seed = -1"),
        ("tournament.schedule", "round-robin", "did you mean 'round_robin'"),
        ("tournament.schedule", "swiss", "rounds is missing"),
        ("tournament.schedule", "gauntlet", "challengers is missing"),
        ("tournament.challengers", ["a"], "gauntlet"),
        ("tournament.rounds", 3, "swiss"),
        ("tournament.record", "some", "'all', 'sample', 'none'"),
        ("tournament.max_steps", 0, "max_steps = 0"),
        ("tournament", 3, "not a table"),
        ("games", [], r"\[\[games\]\] is empty"),
        ("games", None, r"\[\[games\]\] is empty"),
        ("games", {"id": "kuhn_poker"}, r"tables headed \[\[games\]\]"),
        ("games", ["kuhn_poker(players)"], r"games = 'kuhn_poker\(players\)' .* key=value"),
        ("games", ["kuhn_poker(player=3)"], "players"),
        ("games.0.players", 3, "stand in params, such as params ="),
        ("agents", {"a": "unifrom", "b": "first_legal"}, "uniform"),
        ("agents", {"a": 3, "b": "first_legal"}, "ref = 3"),
        ("games.0.id", None, r"\[\[games\]\] #1 id is missing"),
        ("games.0.id", "kuhn_pocker", "kuhn_poker"),
        ("games.0.id", 7, "id = 7"),
        ("games.0.params", {"player": 3}, "players"),
        ("games.0.params", {"players": "three"}, "players = 'three'"),
        ("games.0.seats", 3, "seats = 3 is not allowed; openspiel/kuhn_poker has 2"),
        ("games", [{"id": "kuhn_poker"}, {"id": "kuhn_poker"}], "label of its own"),
        ("agents", [], r"\[\[agents\]\] is empty"),
        ("agents.1.name", "a", "stands 2 times"),
        ("agents.0.ref", None, "ref is missing"),
        ("agents.0.ref", "unifrom", "uniform"),
        ("agents.0.ref", "no_such_file.py:Bot", "no_such_file.py"),
        ("agents.0.ref", "cmd:", "command"),
        ("agents.0.isolation", "jail", "'none', 'process', 'sandbox'"),
        ("agents.0.params", {"depth": 3}, "depth"),
        ("agents.0.parms", {"depth": 3}, "did you mean 'params'"),
        ("agents.0.limits", {"moves": 1}, "did you mean 'move'"),
        ("agents.0.limits", {"move": 0}, "greater than 0"),
        ("agents.1", None, "seats 2 different agents .* there are 1"),
        ("clock.move", "1 s", "move = '1 s'"),
        ("clock.mov", 1, "did you mean 'move'"),
        ("limits.memory", "lots", "512 MB"),
        ("limits.output", -3, "output = -3"),
        ("limits.processes", 0, "processes = 0"),
        ("forfeit.offender", inf, "finite number"),
        ("forfeit.loser", -1, "no key 'loser'"),
        ("executor.kind", "process", "did you mean 'processes'"),
        ("executor.workers", 0, "workers = 0"),
        ("executor", {"kind": "in_process", "workers": 2}, "workers = 2"),
    ],
)
def test_what_is_wrong_is_named(path, value, words, tmp_path) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        check(parse_spec(changed(path, value), source="cup.toml"))
    assert str(caught.value).startswith("cup.toml: ")


def test_games_and_agents_may_be_lists_of_texts() -> None:
    long = changed("games", [{"id": "kuhn_poker", "params": {"players": 3}}, {"id": "leduc_poker"}])
    short = {**long, "games": ["kuhn_poker(players=3)", "leduc_poker"]}
    named = {**short, "agents": {"a": "uniform", "b": "first_legal"}}
    assert parse_spec(long) == parse_spec(short) == parse_spec(named)
    bare = parse_spec({**short, "agents": ["uniform", "first_legal"]})
    assert [(agent.name, agent.ref) for agent in bare.agents] == [
        ("uniform", "uniform"),
        ("first_legal", "first_legal"),
    ]


def test_the_file_itself(tmp_path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.toml"):
        read_spec(tmp_path / "nowhere.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("[tournament\n")
    with pytest.raises(SpecError, match=r"bad\.toml: not valid TOML"):
        read_spec(bad)
    bad.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match=r"bad\.toml: cannot be read"):
        read_spec(bad)


def test_nothing_is_made_when_the_spec_is_wrong(tmp_path) -> None:
    db = tmp_path / "cup.db"
    with pytest.raises(SpecError):
        run(parse_spec(changed("agents.0.ref", "unifrom")), db=db)
    assert not db.exists()


def test_everything_is_read() -> None:
    data = {
        "tournament": {
            "name": "all",
            "seed": 3,
            "schedule": "gauntlet",
            "challengers": ["b"],
            "repetitions": 4,
            "max_seatings": 9,
            "max_steps": 77,
            "record": "none",
        },
        "games": [{"id": "goofspiel", "params": {"num_cards": 4}, "label": "goof", "seats": 2}],
        "agents": [
            {"name": "a", "ref": "uniform", "isolation": "none"},
            {"name": "b", "ref": "pkg.mod:Bot", "params": {"x": 1}, "limits": {"move": 2}},
            {"name": "c", "ref": "cmd:./bot", "isolation": "sandbox"},
        ],
        "clock": {"move": 1.5, "cpu": 9},
        "limits": {"memory": "512 MiB", "output": 1000, "processes": 4},
        "forfeit": {"offender": -2, "others": 0.5},
        "executor": {"kind": "processes", "workers": 3},
    }
    spec = parse_spec(data)
    assert spec.games[0] == GameSpec("goofspiel", {"num_cards": 4}, "goof", 2)
    assert spec.limits == Limits(move=1.5, cpu=9.0, memory=512 << 20, output=1000, processes=4)
    assert spec.agents[1].limits == Limits(move=2.0)
    assert [a.tier for a in spec.agents] == ["none", "process", "sandbox"]
    assert spec.executor == ExecutorSpec("processes", 3)
    assert spec.schedule.challengers == ("b",)
    assert (spec.forfeit.offender, spec.forfeit.others) == (-2.0, 0.5)
    assert parse_spec(json.loads(json.dumps(spec_data(spec)))) == spec


def test_files_are_looked_for_beside_the_spec(tmp_path) -> None:
    (tmp_path / "mine.py").write_text("def bot(observation):\n    return observation.actions[0]\n")
    spec = tmp_path / "cup.toml"
    spec.write_text(
        '[[games]]\nid = "tic_tac_toe"\n[[agents]]\nname = "m"\nref = "mine.py:bot"\n'
        '[[agents]]\nname = "u"\nref = "uniform"\n[executor]\nworkers = 1\n'
    )
    outcome = run(spec)
    assert outcome.complete
    assert outcome.results.offender.tolist() == [-1] * len(outcome.results.offender)


def test_user_code_is_kept_outside_and_timed_by_default() -> None:
    spec = parse_spec(GOOD)
    outside = AgentSpec("x", "bot.py:Bot")
    assert outside.tier == "process"
    assert spec.limits_of(outside) is not None
    assert spec.limits_of(spec.agents[0]) is None


@pytest.mark.parametrize("live", ["agent", "game", "registered"])
def test_live_objects_need_this_process(live) -> None:
    import arena
    from agents.simple import Uniform
    from arena.registry import AGENTS

    if live == "registered":
        AGENTS.register("just_here", Uniform)
    try:
        agent = AgentSpec("x", "just_here") if live == "registered" else AgentSpec("x", "uniform")
        if live == "agent":
            agent = AgentSpec("x", live=Uniform())
        game = arena.make("kuhn_poker")
        spec = parse_spec(GOOD)
        from dataclasses import replace

        spec = replace(
            spec,
            agents=(*spec.agents, agent),
            games=(GameSpec("g", live=game),) if live == "game" else spec.games,
            executor=ExecutorSpec("processes", 1),
        )
        with pytest.raises(SpecError, match='kind = "in_process"'):
            check(spec)
        assert check(replace(spec, executor=ExecutorSpec("in_process"))) == 6
    finally:
        AGENTS.unregister("just_here")


def test_forfeits_need_numbers_where_bounds_are_unknown() -> None:
    from dataclasses import replace

    import arena
    from tournaments.plan import forfeit_payoffs
    from tournaments.spec import ForfeitSpec

    kuhn = arena.make("kuhn_poker")
    assert forfeit_payoffs(kuhn, ForfeitSpec()) == ((-2.0, 2.0), (2.0, -2.0))
    three = arena.make("kuhn_poker", players=3)
    assert forfeit_payoffs(three, ForfeitSpec())[0] == (-2.0, 1.0, 1.0)
    assert forfeit_payoffs(kuhn, ForfeitSpec(-5.0, 1.0))[1] == (1.0, -5.0)
    unknown = replace(kuhn, payoff_bounds=(-inf, inf))
    with pytest.raises(SpecError, match=r"\[forfeit\] offender is missing"):
        forfeit_payoffs(unknown, ForfeitSpec())
    assert forfeit_payoffs(unknown, ForfeitSpec(-3.0)) == ((-3.0, 3.0), (3.0, -3.0))
    general = replace(unknown, payoff="general_sum")
    with pytest.raises(SpecError, match=r"\[forfeit\] others is missing"):
        forfeit_payoffs(general, ForfeitSpec(-3.0))
    together = replace(kuhn, payoff="cooperative")
    assert forfeit_payoffs(together, ForfeitSpec()) == ((-2.0, -2.0), (-2.0, -2.0))
    teams = replace(
        arena.make("kuhn_poker", players=4), teams=(0, 1, 0, 1), payoff_bounds=(-2.0, 2.0)
    )
    assert forfeit_payoffs(teams, ForfeitSpec())[2] == (-2.0, 2.0, -2.0, 2.0)
