"""Where the players of a game meet: the host holds it, the other reaches it through its port."""

from __future__ import annotations

import pickle
import socket
import struct
import threading
import time
from typing import Any

import numpy as np
from s2clientprotocol import debug_pb2, raw_pb2

from tests.fake_sc2.field import Field

WAIT = 30.0


class Host:
    """The game, for the process that created it; serves the other player in a thread."""

    player = 0

    def __init__(self, field: Field, port: int | None) -> None:
        self.field = field
        self._lock = threading.Lock()
        self._together: threading.Barrier | None = None
        self._listener: socket.socket | None = None
        if port is not None:
            self._together = threading.Barrier(2, timeout=WAIT)
            self._listener = socket.create_server(("127.0.0.1", port))
            self._listener.settimeout(WAIT)
            connection, _ = self._listener.accept()  # joining waits for the other player
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        while (asked := receive(connection)) is not None:
            name, argument = asked
            if name == "act":
                answer = self.act(argument, player=1)
            elif name == "step":
                answer = self.step(argument)
            elif name == "pathing":
                answer = self.pathing()
            else:
                answer = self.observe()
            send(connection, answer)

    def act(self, command: bytes, player: int = 0) -> bool:
        with self._lock:
            return self.field.act(player, raw_pb2.ActionRawUnitCommand.FromString(command))

    def step(self, count: int) -> None:
        if self._together is None:
            self.field.step(count)
            return
        if self._together.wait() == 0:  # one of the two does it for both
            self.field.step(count)
        self._together.wait()

    def observe(self) -> dict[str, Any]:
        with self._lock:
            return {
                "loop": self.field.loop,
                "units": self.field.units(),
                "ended": self.field.ended(),
            }

    def debug(self, command: bytes) -> None:
        asked = debug_pb2.DebugCommand.FromString(command)
        if asked.HasField("kill_unit"):
            self.field.kill(list(asked.kill_unit.tag))
        elif asked.HasField("create_unit"):
            self.field.create(asked.create_unit)

    def pathing(self) -> bytes:
        free = np.ones((32, 32), dtype=np.uint8)
        if self.field.state is not None and self.field.battle.walls.size:
            free = 1 - self.field.battle.walls
        return np.packbits(free).tobytes()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()


class Client:
    """The same for the process that only joined."""

    player = 1

    def __init__(self, port: int) -> None:
        for _ in range(int(WAIT * 20)):
            try:
                self._connection = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"no host at port {port}")

    def _ask(self, name: str, argument: Any = None) -> Any:
        send(self._connection, (name, argument))
        return receive(self._connection)

    def act(self, command: bytes) -> bool:
        return bool(self._ask("act", command))

    def step(self, count: int) -> None:
        self._ask("step", count)

    def observe(self) -> dict[str, Any]:
        seen: dict[str, Any] = self._ask("observe")
        return seen

    def pathing(self) -> bytes:
        free: bytes = self._ask("pathing")
        return free

    def debug(self, command: bytes) -> None:
        raise RuntimeError("only the host may debug")

    def close(self) -> None:
        self._connection.close()


def send(connection: socket.socket, value: Any) -> None:
    data = pickle.dumps(value)  # between two processes of one test
    connection.sendall(struct.pack(">I", len(data)) + data)


def receive(connection: socket.socket) -> Any:
    head = _exactly(connection, 4)
    return None if head is None else pickle.loads(_exactly(connection, *struct.unpack(">I", head)))


def _exactly(connection: socket.socket, size: int) -> Any:
    data = b""
    while len(data) < size:
        try:
            more = connection.recv(size - len(data))
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data
