"""pysc2 through the shim: its own tests that need no game, and its mock environment."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytest.importorskip("pysc2", reason="the extra `starcraft` is not installed")

SUITES = (
    "pysc2.env.mock_sc2_env_test",
    "pysc2.lib.features_test",
    "pysc2.lib.named_array_test",
    "pysc2.lib.point_test",
    "pysc2.lib.proto_diff_test",
    "pysc2.tests.dummy_observation_test",
)
RUN = "from games.starcraft.shim import install; install(); import unittest; unittest.main(None)"


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_pysc2s_own_tests_pass_through_the_shim() -> None:
    done = python(RUN, *SUITES)
    ran = re.search(r"^Ran (\d+) tests", done.stderr, re.MULTILINE)
    assert ran is not None, done.stderr
    assert int(ran[1]) >= 173
    assert done.returncode == 0, done.stderr
    assert done.stderr.rstrip().endswith("OK"), done.stderr  # none was skipped


def test_without_the_shim_the_protocol_does_not_load() -> None:
    """When this fails, the shim is no longer needed."""
    done = python("import s2clientprotocol.sc2api_pb2")
    assert done.returncode == 1
    assert "Descriptors cannot be created directly" in done.stderr


def test_messages_have_the_fast_parser_and_the_enums() -> None:
    code = """
from games.starcraft import shim
shim.install(); shim.install()
import sys
assert sum(type(f).__module__ == shim.__name__ for f in sys.meta_path) == 1
from google.protobuf.internal import api_implementation
assert api_implementation.Type() in ("upb", "cpp"), api_implementation.Type()
from s2clientprotocol import common_pb2, sc2api_pb2 as api
assert api.Victory == 1 and api.Result.Name(2) == "Defeat"
asked = api.Request(id=7, create_game=api.RequestCreateGame(random_seed=3))
asked.create_game.player_setup.add(type=api.Computer, race=common_pb2.Zerg)
back = api.Request.FromString(asked.SerializeToString())
assert back == asked and back.WhichOneof("request") == "create_game"
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_only_pysc2s_colours_see_the_old_shuffle() -> None:
    code = """
from games.starcraft.shim import install
install()
import random
from pysc2.lib import colors
assert colors.random is not random
items = list(range(5))
colors.random.shuffle(items, lambda: 0.5)
assert items == [0, 3, 1, 4, 2], items
assert colors.shuffled_hue(9).shape == (9, 3)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_the_mock_environment_steps() -> None:
    code = """
from games.starcraft.shim import install
install()
from pysc2.env import mock_sc2_env, sc2_env
from pysc2.lib import actions, features
env = mock_sc2_env.SC2TestEnv(
    map_name="nothing",
    players=[sc2_env.Agent(sc2_env.Race.terran)],
    agent_interface_format=features.AgentInterfaceFormat(
        feature_dimensions=features.Dimensions(screen=8, minimap=8)),
)
first, = env.reset()
assert first.first() and first.observation["feature_screen"].shape == (27, 8, 8)
steps = 0
while not first.last() and steps < 100:
    first, = env.step([actions.FUNCTIONS.no_op()])
    steps += 1
assert first.last() and steps == env.episode_length, steps
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
