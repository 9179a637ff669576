# ruff: noqa: E402 - the shim comes before pysc2
"""One process of StarCraft II: launched, watched, and never left behind."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from arena.errors import ArenaError
from games.starcraft import _keeper
from games.starcraft.shim import install

install()

import websocket
from pysc2 import run_configs
from pysc2.lib import protocol, remote_controller, sc_process
from s2clientprotocol import sc2api_pb2

__all__ = ["BROKEN", "EngineLostError", "EngineStartError", "interface", "launch"]

BROKEN: tuple[type[BaseException], ...] = (
    protocol.ConnectionError,
    protocol.ProtocolError,
    remote_controller.ConnectError,
    remote_controller.RequestError,
    sc_process.SC2LaunchError,
    websocket.WebSocketException,
    OSError,
)
"""What a lost, hanging or confused engine looks like from here."""

_ATTEMPTS = 3
_TAIL = 400


class EngineLostError(ArenaError):
    """StarCraft II cannot be started, has died, or no longer answers."""


class EngineStartError(EngineLostError):
    """StarCraft II cannot be started, and another attempt would not change that."""


class _Process(sc_process.StarcraftProcess):  # type: ignore[misc]  # pysc2 has no types
    """pysc2's process below a keeper, with what it prints kept for messages."""

    def _launch(self, run_config: Any, args: list[str], **kwargs: Any) -> subprocess.Popen[bytes]:
        """Start the engine in a session of its own, so that Ctrl-C is ours to handle."""
        log: IO[bytes] = kwargs["log"]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", _keeper.__file__, *args],
            cwd=run_config.cwd,
            env=run_config.env,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _shutdown(self) -> None:
        process = self._proc
        super()._shutdown()
        if process is not None and process.stdin is not None:
            process.stdin.close()


def launch(*, version: str | None, port: int | None, timeout: int) -> Any:
    """Start StarCraft II and connect to it.

    Args:
        version: such as `4.10`; None for the newest installed.
        port: to listen on; None for any that is free.
        timeout: seconds to wait for an answer, the first one included.

    Returns:
        pysc2's process; its `controller` talks to the engine.

    Raises:
        ArenaError: the port is in use, or the version is not installed.
        EngineStartError: it does not start, thrice; with the end of what it printed.
    """
    if port is not None and not _free(port):
        raise ArenaError(
            f"port {port} is in use; give another one, or leave `port` out to have a free one"
        )
    try:
        config = run_configs.get(version=version)
    except (ValueError, OSError, sc_process.SC2LaunchError) as error:
        raise ArenaError(f"StarCraft II cannot be started: {error}") from error
    binary = os.path.join(
        config.data_dir, f"Versions/Base{config.version.build_version:05d}", config._exec_name
    )
    if not os.access(binary, os.X_OK):
        there = f"`chmod +x {binary}`" if os.path.isfile(binary) else "unpack the engine again"
        raise ArenaError(
            f"StarCraft II cannot be started: {binary} is not an executable file; {there}"
        )
    for attempt in range(_ATTEMPTS):
        with tempfile.TemporaryFile() as log:
            try:
                started = _Process(
                    config,
                    exec_path=binary,
                    version=config.version,
                    port=port,
                    timeout_seconds=timeout,
                    log=log,
                )
            except BROKEN as error:
                if attempt + 1 < _ATTEMPTS:
                    continue
                raise EngineStartError(
                    f"StarCraft II did not start in {_ATTEMPTS} attempts ({error})."
                    f" {Path(binary).name} printed: {_end_of(log)}. If that does not say why, run"
                    f" `{binary}` by hand (is it for this system, are its libraries there?), or"
                    f" give it longer than timeout={timeout} seconds"
                ) from error
        # Attempts to connect that failed leave cycles of frames, which hold everything that
        # our callers do, episodes with their engines too.
        gc.collect()
        return started
    raise AssertionError("unreachable")


def interface() -> bytes:
    """Return the `InterfaceOptions` that battles are observed with, serialised."""
    options: bytes = sc2api_pb2.InterfaceOptions(raw=True, score=False).SerializeToString()
    return options


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _end_of(log: IO[bytes]) -> str:
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - _TAIL))
    return log.read().decode("utf-8", "replace").strip() or "nothing"
