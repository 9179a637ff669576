"""All of SC2LE's mini-games in the (stand-in) engine, through feature layers and calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import arena
from arena.errors import ArenaError, IllegalActionError, MissingDependencyError
from games.starcraft.minigame import MINIGAMES
from tests.fake_sc2.installed import FakeEngine
from tests.fake_sc2.minigame import (
    BARRACKS,
    CENTRE,
    DEPOT,
    GEYSER,
    MARINE,
    MINERALS,
    REFINERY,
    SCV,
    ZERGLING,
)

NAME = "starcraft/minigame/MoveToBeacon"
SMALL = {"screen": 32, "minimap": 16, "timeout": 60}


class Player:
    """Calls functions by name in a running mini-game and looks at what came of it."""

    def __init__(self, name: str, seed: int = 1, **params: Any) -> None:
        self.game = arena.make(f"starcraft/minigame/{name}", **{**SMALL, **params})
        self.state: Any = self.game.state(seed)

    @property
    def seen(self) -> Any:
        return self.state.observe(0)

    @property
    def layers(self) -> Any:
        return self.seen.layers

    @property
    def score(self) -> float:
        return float(self.state.returns()[0])

    def __call__(self, function: str = "no_op", times: int = 1, **arguments: Any) -> Any:
        for _ in range(times):
            if self.state.actors():
                self.state.step({0: self.seen.action(function, **arguments)})
        return self.layers

    def pixel(self, kind: int) -> tuple[int, int]:
        """A pixel of the screen where there is a unit of that type."""
        rows, columns = np.nonzero(np.asarray(self.layers["feature_screen"].unit_type) == kind)
        return int(columns[0]), int(rows[0])

    def count(self, kind: int) -> int:
        return int((np.asarray(self.layers["feature_screen"].unit_type) == kind).sum())

    def close(self) -> None:
        self.game.form("engines").close()


def test_every_minigame_is_played_to_its_end(fake: FakeEngine, tmp_path: Path) -> None:
    bots = {"MoveToBeacon": "beacon", "CollectMineralShards": "shards"}
    paid = {}
    for name in MINIGAMES:
        bot = bots.get(name, "fight")
        game = arena.make(f"starcraft/minigame/{name}", **SMALL, step_mul=32)
        outcome = arena.play(game, [f"starcraft/{bot}"], seed=3)
        paid[name] = outcome.payoffs[0]
        game.form("engines").close()
    assert paid["MoveToBeacon"] > 10
    assert paid["CollectMineralShards"] > 20
    assert paid["FindAndDefeatZerglings"] > 5
    assert paid["DefeatRoaches"] > 0
    assert paid["DefeatZerglingsAndBanelings"] > 10
    # Nobody there to fight with: the script does nothing.
    assert paid["BuildMarines"] == paid["CollectMineralsAndGas"] == 0


def test_minerals_and_gas_are_mined(fake: FakeEngine) -> None:
    play = Player("CollectMineralsAndGas", step_mul=16)
    assert play.layers["player"].minerals == 50
    assert "Harvest_Gather_screen" not in play.seen.available
    play("select_rect", screen=(12, 12), screen2=(24, 20))
    assert len(play.layers["multi_select"]) == 12
    assert (play.layers["multi_select"][:, 0] == SCV).all()
    assert "Harvest_Gather_screen" in play.seen.available
    assert "Build_SupplyDepot_screen" not in play.seen.available  # too dear yet
    play("Harvest_Gather_screen", screen=play.pixel(MINERALS), queued="now")
    play(times=12)
    assert play.score > 0 and play.score % 5 == 0
    assert play.layers["player"].minerals == 50 + play.score
    while "Build_Refinery_screen" not in play.seen.available:
        play()
    with pytest.raises(IllegalActionError, match="Harvest_Gather_screen needs screen="):
        play("Harvest_Gather_screen")
    play("Build_Refinery_screen", screen=play.pixel(GEYSER))
    play(times=15)
    assert play.count(REFINERY) == 1 and play.count(GEYSER) == 1
    play("Harvest_Gather_screen", screen=play.pixel(REFINERY))
    before = play.score
    play(times=20)
    assert play.layers["player"].vespene > 0
    assert play.score > before
    while "Harvest_Return_quick" not in play.seen.available:
        play()
    play("Harvest_Return_quick")
    play.close()


def test_marines_are_built(fake: FakeEngine) -> None:
    play = Player("BuildMarines", step_mul=16)
    play("select_idle_worker", select_worker="select_all")
    play("select_control_group", control_group_act="set", control_group_id=4)
    assert play.layers["control_groups"][4].tolist() == [SCV, 12]
    play("Smart_screen", screen=play.pixel(MINERALS))
    play("select_point", screen=play.pixel(CENTRE), select_point_act="select")
    assert play.layers["single_select"][:, 0].tolist() == [CENTRE]
    play("Train_SCV_quick", queued=0)
    assert play.layers["build_queue"][:, 0].tolist() == [SCV]
    assert "Train_SCV_quick" not in play.seen.available
    play("select_control_group", control_group_act="recall", control_group_id=4)
    for kind, function, cost in (
        (DEPOT, "Build_SupplyDepot_screen", 100),
        (BARRACKS, "Build_Barracks_screen", 150),
    ):
        while function not in play.seen.available:
            play()
        assert play.layers["player"].minerals >= cost
        play(function, screen=(22, 26 if kind == DEPOT else 6))
        play("Smart_screen", screen=play.pixel(MINERALS), queued="queued")
        while not play.count(kind):
            play()
    assert play.layers["player"].food_cap == 15 + 8
    play("select_point", screen=play.pixel(BARRACKS))
    while play.layers["player"].army_count < 2:
        play("Train_Marine_quick" if "Train_Marine_quick" in play.seen.available else "no_op")
    assert play.score == play.layers["player"].army_count == 2
    assert play.count(MARINE) == 2
    play.close()


def test_the_camera_and_the_minimap_reach_what_is_far(fake: FakeEngine) -> None:
    play = Player("FindAndDefeatZerglings", minimap=24)
    whole, screen = play.layers["feature_minimap"], play.layers["feature_screen"]
    assert (np.asarray(whole.visibility_map) == 0).any()
    assert np.asarray(whole.camera).sum() == 12 * 12
    assert np.count_nonzero(np.asarray(screen.unit_type) == MARINE) >= 2
    shown = np.count_nonzero(np.asarray(screen.unit_type) == ZERGLING)
    assert shown < 15  # most are in the fog
    play("select_army", select_add=0)
    told = play.game.describe_action(0, play.seen.action("Attack_screen", screen=(3, 4), queued=1))
    assert told == "Attack_screen(queued=queued, screen=(3, 4))"
    play("Move_minimap", minimap=(20, 20))
    play("Move_screen", screen=(16, 16), queued="queued")
    play("Stop_quick")
    play("move_camera", minimap=(6, 6))
    assert np.asarray(play.layers["feature_minimap"].camera)[:12, :12].all()
    assert not np.asarray(play.layers["feature_minimap"].camera)[12:].any()
    play("Attack_minimap", minimap=(20, 20))
    play(times=60)
    assert (np.asarray(play.layers["feature_minimap"].visibility_map) == 1).any()
    assert play.score != 0
    play.close()


def test_drawings_and_replays(fake: FakeEngine, tmp_path: Path) -> None:
    play = Player("DefeatRoaches", replays=str(tmp_path / "kept"), limit=30)
    play("select_army")
    text = play.state.render()
    assert text.splitlines()[0] == "DefeatRoaches: game loop 8, score 0"
    assert "@" in text and "x" in text and "available: no_op, move_camera" in text
    root = ElementTree.fromstring(play.state.render_svg())
    titles = [node.text for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["screen", "minimap"]
    file = play.state.save_replay(tmp_path / "now.SC2Replay")
    assert file.read_bytes() == b"replay of DefeatRoaches after 1 steps"
    play(times=29)
    assert (tmp_path / "kept" / "DefeatRoaches-1.SC2Replay").read_bytes().endswith(b"30 steps")
    with pytest.raises(ArenaError, match=r"is over .* parameter `replays`"):
        play.state.save_replay(tmp_path / "late.SC2Replay")
    play.close()
    game = arena.make("starcraft/3m", timeout=60, limit=2, replays=str(tmp_path))
    state: Any = game.state(5)
    for _ in range(2):
        state.step(dict.fromkeys(state.actors(), 4))
    assert (tmp_path / "3m-5.SC2Replay").is_file()
    game.form("engines").close()
    (tmp_path / "file").write_text("")
    with pytest.raises(ArenaError, match="folder"):
        arena.make("starcraft/3m", replays=str(tmp_path / "file"))


def test_limits_copies_and_lost_engines(fake: FakeEngine) -> None:
    def play(state: Any) -> list[float]:
        paid = []
        while state.actors():
            step(state)
            paid.append(float(state.rewards()[0]))
        return paid

    def step(state: Any) -> None:
        state.step({0: bot.act(state.observe(0))})

    bot: Any = arena.agent("starcraft/beacon")
    game = arena.make(NAME, screen=16, minimap=16, limit=30, timeout=60)
    assert game.actions[0].sizes[:5] == (573, 16, 16, 16, 16)
    state = game.state(4)
    assert state.observe(0).tensor.shape == ((27 + 11) * 16 * 16 + 11 + 573,)
    for _ in range(9):
        step(state)
    copy = state.clone()
    assert np.array_equal(copy.observe(0).tensor, state.observe(0).tensor)
    paid = play(state)
    assert state.truncated and len(paid) == 21
    assert play(copy) == paid
    game.form("engines").close()
    fake.faults([{"exit_at": 12}])
    again: Any = game.state(4)
    assert play(again)[9:] == paid
    assert again.restarts == game.form("engines").restarts == 1
    game.form("engines").close()


def test_bad_actions_are_named(fake: FakeEngine) -> None:
    play = Player("MoveToBeacon", screen=16)
    with pytest.raises(IllegalActionError, match=r"331 \(Move_screen\) is not available"):
        play("Move_screen", screen=(3, 3))
    play("select_army")
    with pytest.raises(IllegalActionError, match=r"screen = \[99, 0\] of Move_screen"):
        play("Move_screen", screen=(99, 0))
    with pytest.raises(IllegalActionError, match="no vector"):
        play.state.step({0: 3})
    for told, call in (
        (r"unknown function .*'Move_scren'.*'Move_screen'", ("Move_scren", {})),
        (r"unknown argument of Move_screen .*'scren'", ("Move_screen", {"scren": (1, 1)})),
        (
            r"queued of Move_screen .*'nw'.*'now'",
            ("Move_screen", {"screen": (1, 1), "queued": "nw"}),
        ),
        (r"screen = 5 of Move_screen, where \(x, y\)", ("Move_screen", {"screen": 5})),
    ):
        with pytest.raises(ArenaError, match=told):
            play.seen.action(call[0], **call[1])
    with pytest.raises(ArenaError, match=r"unknown mini-game 'MoveToBecon'.*'MoveToBeacon'"):
        arena.make("starcraft/minigame/MoveToBecon")
    with pytest.raises(ArenaError, match="screen = 0 is not allowed"):
        arena.make(NAME, screen=0)
    with pytest.raises(ArenaError, match=r"'becon'.*'beacon'"):
        arena.agent("starcraft/becon")
    with pytest.raises(ArenaError, match="plays starcraft/minigame"):
        arena.play("skirmish/3m", ["starcraft/beacon"] * 3, seed=1)
    (fake.folder / "Maps" / "mini_games" / "BuildMarines.SC2Map").unlink()
    with pytest.raises(MissingDependencyError, match=r"mini_games\.zip"):
        arena.make("starcraft/minigame/BuildMarines")
    play.close()
