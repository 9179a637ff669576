"""Joining, leaving, coming back; what is refused leaves everything as it was."""

from __future__ import annotations

import copy
import os

import league_contest
import pytest
from league_help import FILE, SKILLS, join, number, table

import arena
from arena.errors import (
    AgentError,
    FormatError,
    NotApplicableError,
    ParameterError,
    SpecError,
    StoreError,
    UnknownNameError,
)
from tournaments.api import resume
from tournaments.league import League
from tournaments.store import Store


def test_a_league_is_read_as_it_was_written(cup) -> None:
    made = cup(skills=SKILLS, anchor_rating=1500.0, place={"interval": 33.0})
    again = League(made.folder)
    assert again.settings == made.settings
    assert again.settings.anchor == "low"
    assert again.settings.placement.interval == 33.0
    assert [m.label for m in again.members] == ["low", "mid", "high"]
    assert len({m.fingerprint for m in again.members}) == 3


def test_another_version_of_a_name_becomes_a_member_of_its_own(cup) -> None:
    league = cup(skills=SKILLS)
    league.run()
    before = league.leaderboard()["mid"].standing
    second = join(league, "mid", 100.0)
    assert (second.label, second.version) == ("mid@2", 2)
    third = join(league, "mid", 150.0, retire_old=True)
    assert third.label == "mid@3"
    left = {m.label: bool(m.retired) for m in league.members}
    assert left == {"low": False, "mid": True, "high": False, "mid@2": True, "mid@3": False}
    assert league.leaderboard()["mid"].standing == before
    league.run()
    after = league.leaderboard()
    assert after["mid"].standing.games == before.games, "who has left plays no more"
    assert after["mid"].status == "retired"
    assert after["mid@2"].standing is None
    assert after["mid@3"].standing.games > 0


def test_the_same_version_is_refused_by_name(cup) -> None:
    league = cup(skills=SKILLS)
    members = league.members
    with pytest.raises(AgentError, match="already, as 'high'"):
        join(league, "high", 300.0)
    with pytest.raises(AgentError, match="already, as 'high'"):
        join(league, "other", 300.0)
    assert league.members == members


def test_who_left_may_come_back_as_the_same(cup) -> None:
    league = cup(skills=SKILLS)
    league.retire("high", reason="holiday")
    assert league.status().retired == ("high",)
    with pytest.raises(AgentError, match="left already"):
        league.retire("high")
    with pytest.raises(AgentError, match=r"as 'high' \(it left on"):
        join(league, "tall", 300.0)
    assert join(league, "high", 300.0).label == "high"
    assert league.status().retired == ()


def test_a_file_that_is_replaced_is_a_new_version_and_the_old_one_leaves(cup, tmp_path) -> None:
    bot = tmp_path / "bot.py"
    source = "def act(observation):\n    return {0}\n"
    bot.write_text(source.format(3000))
    league = cup(skills={"mid": 0.0})
    league.join("bot", f"{bot}:act", isolation="none")
    league.run()
    bot.write_text(source.format(3100))
    os.utime(bot, ns=(1, 1))
    with pytest.raises(StoreError, match="agent 'bot' has changed since it joined"):
        league.run(matches=10)
    played = league.status().matches
    assert league.join("bot", f"{bot}:act", isolation="none").label == "bot@2"
    old = league.settings.member("bot")
    assert old.retired and "replaced" in old.reason
    league.run()
    assert league.status().matches > played
    assert league.leaderboard()["bot"].standing is not None


def test_a_file_that_is_gone_is_named_until_its_agent_leaves(cup, tmp_path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text("def act(observation):\n    return 3000\n")
    league = cup(skills={"low": -50.0, "mid": 0.0})
    league.join("bot", f"{bot}:act", isolation="none")
    league.run()
    bot.unlink()
    with pytest.raises(SpecError, match="agent 'bot'"):
        league.run(matches=10)
    league.retire("bot")
    assert league.run(matches=10).matches == 10
    assert league.leaderboard()["bot"].standing.games > 0


def test_changes_may_be_allowed(cup, tmp_path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text("def act(observation):\n    return 3000\n")
    league = cup(skills={"mid": 0.0})
    league.join("bot", f"{bot}:act", isolation="none")
    league.run()
    before = league.leaderboard()["bot"].standing.games
    bot.write_text("def act(observation):\n    return 3500\n")
    league.run(allow_changed=True)
    found = league.leaderboard()
    assert (found["bot"].status, found["bot"].standing.games) == ("retired", before)
    assert found["bot@2"].standing.wins > found["bot@2"].standing.losses


def test_a_game_of_another_version_is_refused_or_kept_apart(cup, monkeypatch) -> None:
    league = cup(skills=SKILLS)
    league.run()
    text = (league.folder / "league.toml").read_text()
    monkeypatch.setattr(league_contest, "VERSION", ["2"])
    with pytest.raises(StoreError, match=r"'test_contest' has changed \(version 1 is now 2"):
        league.run(matches=10)
    assert (league.folder / "league.toml").read_text() == text
    league.run(matches=40, allow_changed=True)
    with Store.open(league.db) as store:
        assert [row["label"] for row in store.games()] == ["test_contest", "test_contest v2"]
        assert [row["version"] for row in store.games()] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "ref", "options", "error", "message"),
    [
        ("new", "nobody_of_that_name", {}, SpecError, "unknown agent"),
        ("new", f"{FILE}:Nothing", {"isolation": "none"}, SpecError, "Nothing"),
        ("new", f"{FILE}:Number", {"params": {"skil": 1}, "isolation": "none"}, SpecError, "skill"),
        ("new", f"{FILE}:Faulty", {"isolation": "none"}, AgentError, "I give up"),
        ("a@2", "uniform", {}, ParameterError, "without @"),
        ("", "uniform", {}, ParameterError, "name"),
    ],
)
def test_who_cannot_join_leaves_no_trace(cup, name, ref, options, error, message) -> None:
    league = cup(skills=SKILLS)
    text = (league.folder / "league.toml").read_text()
    with pytest.raises(error, match=message):
        league.join(name, ref, **options)
    assert (league.folder / "league.toml").read_text() == text
    assert league.status().matches == 0


def test_who_does_not_know_a_game_cannot_join(cup) -> None:
    league = cup(games=["kuhn_poker"])
    with pytest.raises(SpecError, match="I do not know"):
        join(league, "lost", 0.0)


def test_folders_that_are_something_else_stay_as_they_are(cup, tmp_path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        League(tmp_path / "nothing")
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match=r"no league\.toml"):
        League(home)
    with pytest.raises(StoreError, match="holds other things"):
        League.create(home, games=["test_contest"])
    with pytest.raises(StoreError, match="is a file"):
        League.create(home / "letter.txt", games=["test_contest"])
    assert [path.name for path in home.iterdir()] == ["letter.txt"]
    league = cup()
    with pytest.raises(StoreError, match="is a league already"):
        League.create(league.folder, games=["test_contest"])


def test_a_league_is_made_whole_or_not_at_all(tmp_path) -> None:
    with pytest.raises(SpecError):
        League.create(tmp_path / "x", games=["test_contest"], agents={"a": "not_there"})
    with pytest.raises(UnknownNameError, match="unknown member 'b'"):
        League.create(tmp_path / "x", games=["test_contest"], agents={"a": "uniform"}, anchor="b")
    with pytest.raises(SpecError, match="kuhn_poker"):
        League.create(tmp_path / "x", games=["kuhn_pocker"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[league\n", "cannot be read"),
        ("[cup]\nformat = 1\n", "no file of a league"),
        ("[league]\nformat = 99\n", "has format 99"),
        ("[league]\nformat = 1\n", "missing"),
    ],
)
def test_damaged_settings_are_named(cup, text, message) -> None:
    league = cup()
    (league.folder / "league.toml").write_text(text)
    with pytest.raises(FormatError, match=message):
        League(league.folder)


def test_nothing_to_play_is_said(cup) -> None:
    with pytest.raises(SpecError, match="1 of the two members"):
        cup(skills={"only": 0.0}).run()
    league = cup("large", games=[arena.make("test_contest(players=4)")], skills=SKILLS)
    with pytest.raises(SpecError, match="seats 4 different members; only 3"):
        league.run()
    with pytest.raises(ParameterError, match="matches = 0"):
        league.run(matches=0)


def test_a_league_plays_its_own_matches_only(cup) -> None:
    league = cup(skills=SKILLS)
    league.run(matches=10)
    with pytest.raises(StoreError, match="arena league run"):
        resume(league.db)


def test_games_need_one_scale(cup) -> None:
    with pytest.raises(SpecError, match="cooperative and the other games are not"):
        cup(games=["test_contest", "test_duet"])
    with pytest.raises(SpecError, match="nobody wins"):
        cup(games=["test_duet"], method="davidson")
    with pytest.raises(ParameterError, match="elo"):
        cup(method="elo")


# -- live objects ------------------------------------------------------------------------


def test_live_objects_play_here_and_are_told_apart_by_what_they_hold(cup) -> None:
    league = cup(skills=SKILLS)
    one = league_contest.Number(50.0)
    assert league.join("mine", one).label == "mine"
    with pytest.raises(AgentError, match="joins as a copy"):
        league.join("mine", one)
    with pytest.raises(AgentError, match="already, as 'mine'"):
        league.join("twin", league_contest.Number(50.0))
    one.skill = 80.0
    assert league.join("mine", copy.deepcopy(one)).label == "mine@2"
    assert league.join("factory", number(10.0)).label == "factory"
    assert league.join("factory", number(20.0)).label == "factory@2"
    played = league.run()
    assert played.absent == ()
    assert {"mine", "mine@2", "factory", "factory@2"} <= set(played.placed)


def test_live_objects_are_missed_elsewhere_and_can_come_again(cup) -> None:
    league = cup(skills=SKILLS)
    league.join("mine", number(40.0))
    league.run()
    games = league.leaderboard()["mine"].standing.games
    other = League(league.folder)
    assert other.run(matches=30).absent == ("mine",)
    assert other.leaderboard()["mine"].standing.games == games
    assert other.join("mine", number(40.0)).label == "mine"
    assert other.run(matches=200).absent == ()
    assert other.leaderboard()["mine"].standing.games > games


def test_the_facade_opens_and_creates(tmp_path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        arena.league(tmp_path / "x")
    made = arena.league(tmp_path / "x", games=["test_contest"], agents={"r": number(0.0)}, seed=4)
    assert arena.league(tmp_path / "x").settings == made.settings
    assert arena.league(tmp_path / "x", games=["test_contest"]).members[0].label == "r"
    with pytest.raises(StoreError, match="other games"):
        arena.league(tmp_path / "x", games=["kuhn_poker"])
    with pytest.raises(StoreError, match="with seed = 4, not 5"):
        arena.league(tmp_path / "x", games=["test_contest"], seed=5)
    with pytest.raises(StoreError, match="with anchor = 'r', not 's'"):
        arena.league(tmp_path / "x", anchor="s")
    more = {"r": number(0.0), "s": number(5.0), "u": "uniform"}
    for _ in range(2):
        again = arena.league(tmp_path / "x", games=["test_contest"], agents=more, seed=4)
        assert [m.label for m in again.members] == ["r", "s", "u"]
        assert again.run(matches=5).absent == ()
    again.retire("u")
    last = arena.league(tmp_path / "x", agents=more)
    assert last.status().retired == ("u",), "who was sent away does not come back by itself"


def test_opponents_weigh_the_hard_ones_most(cup) -> None:
    league = cup(skills=SKILLS)
    assert [o.weight for o in league.opponents("mid")] == pytest.approx([1 / 3] * 3)
    league.run(until_interval=40.0)
    rows = {o.label: o for o in league.opponents("mid")}
    assert rows["high"].score < 0.3 < rows["mid"].score == 0.5 < 0.7 < rows["low"].score
    raw = {label: (1.0 - o.score) ** 2 for label, o in rows.items()}
    for label, opponent in rows.items():
        assert opponent.weight == pytest.approx(raw[label] / sum(raw.values()))
    even = {o.label: o.weight for o in league.opponents("mid", weights="even")}
    assert even["mid"] == max(even.values())
    uniform = league.opponents("mid", weights="uniform", exclude=["mid"])
    assert [(o.label, o.weight) for o in uniform] == [("low", 0.5), ("high", 0.5)]
    agent = rows["high"].agent()
    agent.begin(arena.make("test_contest"), 0, 1)
    agent.close()
    with pytest.raises(UnknownNameError, match="prioritised"):
        league.opponents("mid", weights="prioritized")
    with pytest.raises(UnknownNameError, match="mid"):
        league.opponents("midd")
    with pytest.raises(NotApplicableError, match="no member is left"):
        league.opponents(exclude=list(SKILLS))


def test_tables_can_be_handed_on(cup) -> None:
    league = cup(skills=SKILLS)
    assert [row["status"] for row in league.leaderboard().to_dict()["rows"]] == ["new"] * 3
    league.run()
    data = league.leaderboard().to_dict()
    assert [row["member"] for row in data["rows"]] == ["high", "mid", "low"]
    assert data["rows"][0]["rank"] == 1 and data["matches"] == league.status().matches
    assert table(league) == table(League(league.folder))
