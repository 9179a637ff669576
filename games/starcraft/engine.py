"""Engines at work: games created, joined, stepped and observed; lost engines replaced.

An `Engine` is the one or two processes of StarCraft II that a game needs. A `Pool` lends
them to episodes and takes them back, so that one episode after another runs in the same
processes, and none is left when the program ends.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from games.starcraft.install import engine_folder
from games.starcraft.process import BROKEN, EngineLostError, launch

from pysc2.lib import portspicker, run_parallel  # isort: skip - the shim comes first
from s2clientprotocol import common_pb2, debug_pb2, sc2api_pb2  # isort: skip

__all__ = ["Engine", "Pool", "Setup"]

T = TypeVar("T")
_RACES = {"terran": common_pb2.Terran, "zerg": common_pb2.Zerg, "protoss": common_pb2.Protoss}
_DIFFICULTIES = {name: number for number, name in enumerate("123456789A", start=1)}
_SEED_BITS = (1 << 32) - 1


@dataclass(frozen=True)
class Setup:
    """What game an engine is to create.

    Attributes:
        map_path: below `$SC2PATH/Maps`.
        races: of the participants, one process each.
        computer: race of the built-in opponent, None if there is none.
        difficulty: of the built-in opponent, `1` to `9` or `A`.
        version: of the engine, None for the newest installed.
        port: for the first process, None for any free one.
        timeout: seconds to wait for an answer.
        interface: what to observe, serialised `InterfaceOptions`.
    """

    map_path: str
    races: tuple[str, ...]
    computer: str | None
    difficulty: str = "7"
    version: str | None = None
    port: int | None = None
    timeout: int = 120
    interface: bytes = b""


class Engine:
    """The processes of one game.

    Every method raises `EngineLostError`, with the processes ended, when an engine has died,
    hangs or answers with an error; anything else that interrupts a request (Ctrl-C) ends the
    processes too, since their answers could no longer be told apart.

    Attributes:
        setup: what game it creates.
        infos: the `ResponseGameInfo` of each participant in the last game.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.infos: list[Any] = []
        self._pid = os.getpid()
        self._processes: list[Any] = []
        self._ports: list[int] = []
        self._parallel: Any = None

    @property
    def running(self) -> bool:
        """Whether there are processes."""
        return bool(self._processes)

    def begin(self, seed: int) -> list[Any]:
        """Create and join a new game; launches the processes if there are none.

        Args:
            seed: of the engine's own chance; its lowest 32 bits count.

        Returns:
            The `ResponseGameInfo` of each participant.
        """
        if not self._processes:
            self._launch()
        self.infos = self._guarded(lambda: self._create(seed))
        return self.infos

    def act(self, player: int, actions: Sequence[Any]) -> None:
        """Give a participant's orders."""
        if actions:
            request = sc2api_pb2.RequestAction(actions=actions)
            self._guarded(lambda: self._controllers[player].actions(request))

    def advance(self, loops: int) -> None:
        """Let so many game loops pass."""
        self._guarded(lambda: self._all(lambda one: one.step(loops)))

    def observe(self, player: int = 0) -> Any:
        """Return a participant's `ResponseObservation`."""
        return self._guarded(lambda: self._controllers[player].observe(disable_fog=False))

    def unit_types(self) -> int:
        """Return how many unit types the map knows."""
        return len(self._guarded(lambda: self._controllers[0].data_raw(unit_type_id=True)).units)

    def save_replay(self) -> bytes:
        """Return the replay of the running game, as the engine writes it."""
        data: bytes = self._guarded(self._controllers[0].save_replay)
        return data

    def kill(self, tags: Sequence[int]) -> None:
        """Remove units from the map."""
        self._debug([debug_pb2.DebugCommand(kill_unit=debug_pb2.DebugKillUnit(tag=tags))])

    def create(self, units: Sequence[tuple[int, int, float, float]]) -> None:
        """Place units: (unit type, owner, x, y)."""
        self._debug(
            [
                debug_pb2.DebugCommand(
                    create_unit=debug_pb2.DebugCreateUnit(
                        unit_type=kind,
                        owner=owner,
                        pos=common_pb2.Point2D(x=x, y=y),
                        quantity=1,
                    )
                )
                for kind, owner, x, y in units
            ]
        )

    def close(self) -> None:
        """End the processes and give their ports back; harmless when repeated.

        A process forked from this one does nothing: the engines are its parent's.
        """
        if os.getpid() != self._pid:
            return
        processes, self._processes = self._processes, []
        for process in processes:
            with contextlib.suppress(*BROKEN):  # it may be gone already
                process.close()
        if self._parallel is not None:
            self._parallel.shutdown()
            self._parallel = None
        portspicker.return_ports(self._ports)
        self._ports = []

    @property
    def _controllers(self) -> list[Any]:
        if not self._processes:
            raise EngineLostError("StarCraft II is not running")
        return [process.controller for process in self._processes]

    def _guarded(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except BROKEN as error:
            self.close()
            raise EngineLostError(f"StarCraft II was lost: {error}") from error
        except BaseException:
            self.close()
            raise

    def _debug(self, commands: list[Any]) -> None:
        self._guarded(lambda: self._controllers[0].debug(commands))

    def _all(self, request: Callable[[Any], T]) -> list[T]:
        """Send the same to all at once: in a game for two each waits for the other."""
        controllers = self._controllers
        if len(controllers) == 1:
            return [request(controllers[0])]
        return list(self._parallel.run((request, one) for one in controllers))

    def _launch(self) -> None:
        setup, count = self.setup, len(self.setup.races)
        self._pid = os.getpid()
        try:
            for number in range(count):
                port = setup.port + number if setup.port is not None else None
                self._processes.append(
                    launch(version=setup.version, port=port, timeout=setup.timeout)
                )
            if count > 1:
                self._parallel = run_parallel.RunParallel()
                self._ports = portspicker.pick_unused_ports(2 * count)
        except BaseException:
            self.close()
            raise

    def _create(self, seed: int) -> list[Any]:
        setup, controllers = self.setup, self._controllers
        if len(controllers) > 1 and controllers[0].status.name in ("in_game", "ended"):
            self._all(lambda one: one.leave())
        data = (engine_folder() / "Maps" / setup.map_path).read_bytes()
        request = sc2api_pb2.RequestCreateGame(
            realtime=False,
            random_seed=seed & _SEED_BITS,
            local_map=sc2api_pb2.LocalMap(map_path=setup.map_path),
        )
        if len(controllers) == 1:
            request.local_map.map_data = data
        else:
            for one in controllers:
                one.save_map(setup.map_path, data)
        for _ in controllers:
            request.player_setup.add(type=sc2api_pb2.Participant)
        if setup.computer is not None:
            request.player_setup.add(
                type=sc2api_pb2.Computer,
                race=_RACES[setup.computer],
                difficulty=_DIFFICULTIES[setup.difficulty],
            )
        controllers[0].create_game(request)
        joins = dict(zip(controllers, map(self._join, setup.races), strict=True))
        self._all(lambda one: one.join_game(joins[one]))
        return self._all(lambda one: one.game_info())

    def _join(self, race: str) -> Any:
        join = sc2api_pb2.RequestJoinGame(
            race=_RACES[race],
            options=sc2api_pb2.InterfaceOptions.FromString(self.setup.interface),
        )
        if self._ports:
            join.shared_port = 0
            join.server_ports.game_port, join.server_ports.base_port = self._ports[:2]
            for game, base in zip(self._ports[2::2], self._ports[3::2], strict=True):
                join.client_ports.add(game_port=game, base_port=base)
        return join


class Pool:
    """The engines of one game, lent to one episode at a time.

    Attributes:
        restarts: how many engines were lost and replaced.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.restarts = 0
        self._lock = threading.Lock()
        self._renew()

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._idle: list[Engine] = []
        self._lent: weakref.WeakSet[Engine] = weakref.WeakSet()
        self._finalizer = weakref.finalize(self, _close_all, self._idle, self._lent)

    def take(self) -> Engine:
        """Lend an engine: one that is idle, else a new one."""
        with self._lock:
            if os.getpid() != self._pid:
                # Forked: the engines are the parent's, and pysc2 would end them if they were
                # collected here.
                _INHERITED.extend([*self._idle, *self._lent])
                self._renew()
            engine = self._idle.pop() if self._idle else Engine(self.setup)
            self._lent.add(engine)
        return engine

    def give(self, engine: Engine) -> None:
        """Take an engine back."""
        with self._lock:
            self._lent.discard(engine)
            if os.getpid() == self._pid and engine.running:
                self._idle.append(engine)

    @property
    def running(self) -> int:
        """Engines that run, idle or at work."""
        with self._lock:
            return sum(engine.running for engine in [*self._idle, *self._lent])

    def close(self) -> None:
        """End all engines, also those at work."""
        with self._lock:
            _close_all(self._idle, self._lent)


_INHERITED: list[Engine] = []


def _close_all(idle: list[Engine], lent: weakref.WeakSet[Engine]) -> None:
    for engine in [*idle, *lent]:
        engine.close()
    idle.clear()
