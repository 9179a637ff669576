"""The Python side of the protocol: an agent in this process answers over stdin and stdout.

A bot of five lines:

    import arena

    def choose(observation):
        return observation.actions[0]

    arena.serve(choose)

Run it with `cmd:python bot.py`. `python -m agents.process.serve file.py:factory` serves
anything that can be loaded. While it serves, what the agent prints goes to its log
(standard error), and standard input is empty: the protocol has the pipes to itself.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agents.process.protocol import PROTOCOL, rebuild
from arena.agent import Agent
from arena.errors import AgentError, AgentFaultError, ArenaError
from arena.game import Clock, Game
from arena.types import Discrete, Floats, Mask

__all__ = ["RemoteObservation", "main", "serve"]


class RemoteObservation:
    """An observation that has come over the pipe; fields not sent yet are fetched when read."""

    __slots__ = ("_server", "_told", "actions", "seat")

    def __init__(self, told: dict[str, Any], server: _Server) -> None:
        self._told = told
        self._server = server
        self.seat: int = told["seat"]
        self.actions: Sequence[int] | None = told["actions"]

    def _field(self, name: str) -> Any:
        told = self._told
        if name not in told:
            self._told = told = self._server.fetch(self, name)
        return told[name]

    @property
    def legal(self) -> Mask | None:
        """Mask of legal actions, shape (A,)."""
        space = self._server.space(self.seat)
        if self.actions is None or not isinstance(space, Discrete):
            return None
        mask = np.zeros(space.n, dtype=np.bool_)
        mask[list(self.actions)] = True
        return mask

    @property
    def tensor(self) -> Floats | None:
        """float32 vector, shape (D,), or None."""
        values = self._field("tensor")
        return None if values is None else np.array(values, dtype=np.float32)

    @property
    def key(self) -> str | None:
        """The infoset string, or None."""
        key: str | None = self._field("key")
        return key

    @property
    def view(self) -> str:
        """The observation for a human reader."""
        view: str = self._field("view")
        return view

    @property
    def clock(self) -> Clock | None:
        """Time left, or None when the game is not timed."""
        told = self._told["clock"]
        if told is None:
            return None
        left = {name: float("inf") if v is None else v for name, v in told.items()}
        return Clock(**left)


class _Pipes:
    """The two pipes of the protocol, taken away from the agent's own code."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(line_buffering=True)
        self._rest = b""

    def read(self) -> bytes:
        """Return the next line, or b"" at the end."""
        text = self._rest or os.read(self._in, 65536)
        while True:
            line, newline, self._rest = text.partition(b"\n")
            if newline:
                return line
            chunk = os.read(self._in, 65536)
            if not chunk:
                return b""
            text += chunk

    def write(self, text: str) -> None:
        """Send one line."""
        data = text.encode() + b"\n"
        written = os.write(self._out, data)
        while written < len(data):
            written += os.write(self._out, data[written:])


class _Server:
    """Answers each request with one line."""

    def __init__(self, load: Callable[[dict[str, Any]], Agent]) -> None:
        self._load = load
        self._pipes = _Pipes()
        self._pid = os.getpid()
        self._agent: Agent | None = None
        self._games: dict[str, Game] = {}
        self._game: Game | None = None
        self._now: RemoteObservation | None = None

    def space(self, seat: int) -> Any:
        """Return the action space of a seat in the game that is played."""
        return None if self._game is None else self._game.actions[seat]

    def fetch(self, observation: RemoteObservation, name: str) -> dict[str, Any]:
        """Ask for a field of the observation that is being acted on, now and from now on."""
        if observation is not self._now:
            raise AgentError(
                f"the observation's {name} is gone: its state has moved on;"
                " keep what you need with Snapshot.of(observation)"
            )
        self._pipes.write(f'{{"want":["{name}"]}}')
        line = self._pipes.read()
        if not line:
            os._exit(0)  # arena has gone
        told: dict[str, Any] = json.loads(line)
        return told

    def run(self) -> None:
        """Answer until told to quit, or arena is gone."""
        read, write = self._pipes.read, self._pipes.write
        decode = json.JSONDecoder().decode
        while line := read():
            request = decode(line.decode())
            kind = request["type"]
            if kind == "quit":
                break
            answer = self._guarded(self._act if kind == "act" else self._other, request)
            if os.getpid() != self._pid:
                os._exit(1)  # a fork that the agent's code let slip back to here
            write(answer)
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.close()

    def _guarded(self, work: Callable[[dict[str, Any]], str], request: dict[str, Any]) -> str:
        """Return the answer, or what went wrong as one."""
        try:
            return work(request)
        except MemoryError as error:
            return _failure("memory", str(error) or "out of memory")
        except SystemExit as error:
            return _failure("exit", f"called sys.exit({error.code!r})")
        except AgentFaultError as error:
            return _failure(error.kind, error.detail)
        except BaseException as error:
            if os.getpid() != self._pid:
                os._exit(1)
            if request["type"] in ("hello", "begin") and isinstance(error, ArenaError):
                word = "error" if request["type"] == "hello" else "refuse"
                return json.dumps({word: str(error)})
            traceback.print_exc()
            return _failure("exception", _last_line(error))

    def _act(self, request: dict[str, Any]) -> str:
        if self._agent is None:
            raise AgentError("act before begin")
        self._now = observation = RemoteObservation(request, self)
        try:
            action = self._agent.act(observation)
        finally:
            self._now = None
        if type(action) is int:
            return f'{{"action":{action}}}'
        if isinstance(action, np.integer | np.ndarray | np.floating):
            return json.dumps({"action": action.tolist()})
        return _failure("illegal", f"answered {action!r:.200}, not an action")

    def _other(self, request: dict[str, Any]) -> str:
        kind = request["type"]
        if kind == "hello":
            self._agent = self._load(request["params"])
            return json.dumps({"protocol": PROTOCOL, "want": []})
        if self._agent is None:
            raise AgentError(f"{kind} before hello")
        if kind == "begin":
            told = request["game"]
            text = json.dumps(told)
            game = self._games.get(text)
            if game is None:
                game = self._games[text] = rebuild(told)
            self._game = game
            self._agent.begin(game, request["seat"], request["seed"])
            return '{"ready":true}'
        if kind == "end":
            end = getattr(self._agent, "end", None)
            if end is not None:
                end(np.array(request["returns"], dtype=np.float64))
            return '{"ok":true}'
        raise AgentError(f"unknown request {kind!r}")


def _failure(kind: str, text: str) -> str:
    return json.dumps({"error": text, "kind": kind})


def _last_line(error: BaseException) -> str:
    """Return `ValueError: bad (bot.py:12)`."""
    said = traceback.format_exception_only(type(error), error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return said
    return f"{said} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})"


def serve(thing: Any) -> None:
    """Answer arena's requests on standard input until it has no more.

    Args:
        thing: an agent, a class or function that makes one, or a function
            `f(observation) -> action`.

    Raises:
        AgentError: `thing` is nothing that can play.
    """

    def load(params: dict[str, Any]) -> Agent:
        from agents.load import build

        return build(thing, params, name=getattr(thing, "__name__", type(thing).__name__))

    _Server(load).run()


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the agent that the command line refers to."""
    words = sys.argv[1:] if argv is None else argv
    if len(words) != 1:
        sys.exit("usage: python -m agents.process.serve REF   (such as bot.py:Bot)")

    def load(params: dict[str, Any]) -> Agent:
        from agents.load import load as load_agent

        return load_agent(words[0], **params)

    _Server(load).run()


if __name__ == "__main__":
    main()
