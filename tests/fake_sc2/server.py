"""The stand-in for the StarCraft II binary: speaks s2clientprotocol over a websocket.

The folder named in FAKE_SC2 holds its memory: `launches`, one line (process id, port) a
launch, and `faults.json`, a list with what is to go wrong in each launch, in order:
`{"exit_at": n}` (dies at the n-th step), `{"hang_at": n}` (answers no more), `{"refuse": 1}`
(ends at once), `{"error_at": n}` (answers with an error).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from games.starcraft.shim import install
from tests.fake_sc2.websocket import Websocket

install()

from s2clientprotocol import sc2api_pb2 as api  # noqa: E402 - the shim comes first

from tests.fake_sc2.field import FLAT, TYPES, Field  # noqa: E402
from tests.fake_sc2.interface import Interface  # noqa: E402
from tests.fake_sc2.minigame import GAMES  # noqa: E402
from tests.fake_sc2.table import Client, Host  # noqa: E402


class Server:
    """One process of the stand-in; `answer` is what the real one does with a request."""

    def __init__(self, fault: dict[str, int]) -> None:
        self.fault = fault
        self.status = api.launched
        self.steps = 0
        self.saved: dict[str, bytes] = {}
        self.table: Host | Client | None = None
        self.players = 1
        self.map_name = ""
        self.seed = 0
        self.options = api.InterfaceOptions()
        self.idle = self.hosts = False
        self.minigame: Interface | None = None

    def answer(self, request: api.Request) -> api.Response | None:
        """Return the response, None to hang up."""
        name = request.WhichOneof("request")
        response = api.Response(id=request.id)
        if name == "quit":
            return None
        try:
            getattr(self, f"on_{name}")(getattr(request, name), getattr(response, name))
        except Exception as error:
            response = api.Response(id=request.id, error=[f"{name}: {error!r}"])
        getattr(response, name).SetInParent()
        response.status = self.status
        return response

    def on_ping(self, asked: Any, said: Any) -> None:
        said.game_version, said.base_build = "99.9.9", 99999

    def on_available_maps(self, asked: Any, said: Any) -> None:
        said.local_map_paths.extend(self.saved)

    def on_save_map(self, asked: Any, said: Any) -> None:
        self.saved[asked.map_path] = asked.map_data

    def on_create_game(self, asked: Any, said: Any) -> None:
        data = asked.local_map.map_data or self.saved.get(asked.local_map.map_path, b"")
        if not data.startswith(b"fake map "):
            said.error, said.error_details = api.ResponseCreateGame.MissingMap, "no such map"
            return
        self._leave()
        self.map_name = data.decode().split()[2]
        self.seed = asked.random_seed
        self.players = sum(p.type == api.Participant for p in asked.player_setup)
        computers = [p for p in asked.player_setup if p.type == api.Computer]
        self.idle = any(p.difficulty == api.VeryEasy for p in computers)
        self.hosts = True
        self.status = api.init_game

    def on_join_game(self, asked: Any, said: Any) -> None:
        self.options = asked.options
        ports = asked.server_ports
        if self.hosts:
            if self.map_name in GAMES:
                self.minigame = Interface(self.map_name, self.seed, self.options)
            name = FLAT if self.minigame else self.map_name
            field = Field(name, self.seed, players=self.players, idle=self.idle)
            self.table = Host(field, ports.game_port if self.players > 1 else None)
        else:
            self.table = Client(ports.game_port)
        said.player_id = 1 if self.hosts else 2
        self.hosts = False
        self.status = api.in_game

    def on_game_info(self, asked: Any, said: Any) -> None:
        said.map_name = self.map_name
        said.options.CopyFrom(self.options)
        for player in range(self.players):
            said.player_info.add(player_id=player + 1, type=api.Participant, race_requested=1)
        raw, side = said.start_raw, self.minigame.side if self.minigame is not None else 32
        raw.map_size.x, raw.map_size.y = side, side
        raw.playable_area.p0.x = raw.playable_area.p0.y = 0
        raw.playable_area.p1.x = raw.playable_area.p1.y = side
        raw.pathing_grid.bits_per_pixel = 1
        raw.pathing_grid.size.CopyFrom(raw.map_size)
        raw.pathing_grid.data = bordered(self.table.pathing())
        raw.terrain_height.bits_per_pixel = 8
        raw.terrain_height.size.CopyFrom(raw.map_size)
        raw.terrain_height.data = bytes((5 * x + 3 * y) % 256 for y in range(32) for x in range(32))

    def on_data(self, asked: Any, said: Any) -> None:
        for number in range(TYPES if self.map_name == FLAT else TYPES + 3):
            said.units.add(unit_id=number)

    def on_observation(self, asked: Any, said: Any) -> None:
        if self.minigame is not None:
            self.minigame.show(said)
            return
        seen = self.table.observe()
        said.observation.game_loop = seen["loop"]
        said.observation.player_common.player_id = self.table.player + 1
        for shown in seen["units"]:
            x, y = shown.pop("pos")
            unit = said.observation.raw_data.units.add(**shown)
            unit.pos.x, unit.pos.y = x, y
        for player, result in enumerate(seen["ended"]):
            said.player_result.add(player_id=player + 1, result=result)

    def on_action(self, asked: Any, said: Any) -> None:
        for action in asked.actions:
            if self.minigame is not None:
                said.result.append(1 if self.minigame.act(action) else 3)
                continue
            taken = self.table.act(action.action_raw.unit_command.SerializeToString())
            said.result.append(1 if taken else 3)

    def on_step(self, asked: Any, said: Any) -> None:
        self.steps += 1
        if self.steps == self.fault.get("exit_at"):
            os._exit(9)
        if self.steps == self.fault.get("hang_at"):
            time.sleep(3600)
        if self.steps == self.fault.get("error_at"):
            raise RuntimeError("an error that was asked for")
        if self.minigame is not None:
            self.minigame.step(asked.count)
            if self.minigame.over:
                self.status = api.ended
            return
        self.table.step(asked.count)

    def on_debug(self, asked: Any, said: Any) -> None:
        for command in asked.debug:
            self.table.debug(command.SerializeToString())

    def on_save_replay(self, asked: Any, said: Any) -> None:
        said.data = f"replay of {self.map_name} after {self.steps} steps".encode()

    def on_leave_game(self, asked: Any, said: Any) -> None:
        self._leave()
        self.status = api.launched

    def _leave(self) -> None:
        if self.table is not None:
            self.table.close()
        self.table = self.minigame = None


def bordered(pathing: bytes) -> bytes:
    """Close the edge of the map if that was asked for."""
    asked = Path(os.environ["FAKE_SC2"]) / "border"
    width = int(asked.read_text()) if asked.exists() else 0
    free = np.unpackbits(np.frombuffer(pathing, dtype=np.uint8)).reshape(32, 32)
    inside = np.zeros_like(free)
    inside[width : 32 - width, width : 32 - width] = 1
    return np.packbits(free & inside).tobytes()


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("listen", "port", "dataDir", "tempDir"):
        parser.add_argument(f"-{option}", required=True)
    arguments = parser.parse_args()
    memory = Path(os.environ["FAKE_SC2"])
    with (memory / "launches").open("a+") as launches:
        launches.write(f"{os.getpid()} {arguments.port}\n")
        launches.flush()
        launches.seek(0)
        count = len(launches.readlines())
    faults = json.loads((memory / "faults.json").read_text())
    fault = faults[count - 1] if count <= len(faults) else {}
    if "refuse" in fault:
        sys.exit("the stand-in refuses to start")
    with socket.create_server((arguments.listen, int(arguments.port))) as server:
        socket_, _ = server.accept()
        line, one = Websocket(socket_), Server(fault)
        while (message := line.receive()) is not None:
            response = one.answer(api.Request.FromString(message))
            if response is None:
                break
            line.send(response.SerializeToString())
    os._exit(0)
