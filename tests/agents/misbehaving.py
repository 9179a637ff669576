"""Agents that do what agents should not; each is one class, named after its sin."""

from __future__ import annotations

import os
import sys
import time
from typing import Any


class Good:
    """Plays the first legal action; the others differ in one method."""

    def begin(self, game: Any, seat: int, seed: int) -> None:
        print("began seat", seat)

    def act(self, observation: Any) -> Any:
        return observation.actions[0]

    def close(self) -> None:
        pass


class Raises(Good):
    def act(self, observation: Any) -> Any:
        print("about to fail", file=sys.stderr)
        raise ValueError("no idea")


class Exits(Good):
    def act(self, observation: Any) -> Any:
        sys.exit(3)


class Vanishes(Good):
    def act(self, observation: Any) -> Any:
        os._exit(3)


class Loops(Good):
    def act(self, observation: Any) -> Any:
        while True:
            pass


class LoopsInC(Good):
    def act(self, observation: Any) -> Any:
        return sum(range(10**15))


class Sleeps(Good):
    def act(self, observation: Any) -> Any:
        time.sleep(3600)


class Hoards(Good):
    def act(self, observation: Any) -> Any:
        hoard = []
        for _ in range(64):
            hoard.append(b"x" * (1 << 24))  # a gigabyte in all
        time.sleep(3600)
        return len(hoard)


class Cheats(Good):
    def act(self, observation: Any) -> Any:
        return 99


class AnswersText(Good):
    def act(self, observation: Any) -> Any:
        return "raise"


class Floods(Good):
    def act(self, observation: Any) -> Any:
        while True:
            print("spam" * 1000)


class FloodsErr(Good):
    def act(self, observation: Any) -> Any:
        while True:
            os.write(2, b"spam" * 10000)


class FloodsALittle(Good):
    """More than any pipe holds, and less than is allowed."""

    def act(self, observation: Any) -> Any:
        for k in range(40):
            print("x" * 9999, k)
        return observation.actions[0]


class Forks(Good):
    def act(self, observation: Any) -> Any:
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.01)


class Orphans(Good):
    """Leaves processes behind that have left its session, and plays on."""

    def begin(self, game: Any, seat: int, seed: int) -> None:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(3600)
            os._exit(0)
        os.wait()


class SlipsThrough(Good):
    """Lets a fork return to the caller."""

    def act(self, observation: Any) -> Any:
        if os.fork() == 0:
            return 99
        os.wait()
        return observation.actions[0]


class RaisesInBegin(Good):
    def begin(self, game: Any, seat: int, seed: int) -> None:
        raise ValueError("not today")


class ExitsInBegin(Good):
    def begin(self, game: Any, seat: int, seed: int) -> None:
        os._exit(4)


class HangsInBegin(Good):
    def begin(self, game: Any, seat: int, seed: int) -> None:
        time.sleep(3600)


class ExitsInSecondBegin(Good):
    games = 0

    def begin(self, game: Any, seat: int, seed: int) -> None:
        self.games += 1
        if self.games == 2:
            os._exit(4)


class ExitsInEnd(Good):
    def end(self, returns: Any) -> None:
        os._exit(5)


class RaisesInEnd(Good):
    def end(self, returns: Any) -> None:
        raise ValueError("a bad loser")


class Crashes(Good):
    def act(self, observation: Any) -> Any:
        os.abort()


class SpinsSlowly(Good):
    """A little CPU for each move: no single move is long."""

    def act(self, observation: Any) -> Any:
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return observation.actions[0]


class SleepsALittle(Good):
    def act(self, observation: Any) -> Any:
        time.sleep(0.03)
        return observation.actions[0]


class Refuses(Good):
    def begin(self, game: Any, seat: int, seed: int) -> None:
        from arena.errors import AgentError

        raise AgentError("only chess")


class ReadsStdin(Good):
    def act(self, observation: Any) -> Any:
        if sys.stdin.read() != "":
            raise ValueError("read the protocol")
        return observation.actions[0]


class Peeks(Good):
    """Looks at what a sandbox should hide."""

    def act(self, observation: Any) -> Any:
        import socket

        print("home", os.path.exists(os.environ["PEEK_HOME"]) if "PEEK_HOME" in os.environ else "")
        print("secret", os.environ.get("PEEK_SECRET"))
        print(
            "neighbours", sorted(name for name in os.listdir("/proc") if name.isdigit()).__len__()
        )
        try:
            with socket.create_connection(("127.0.0.1", int(self.port)), 1.0):
                print("network open")
        except OSError as error:
            print("network", type(error).__name__)
        try:
            with open(os.path.join(os.path.dirname(__file__), "written"), "w"):
                print("folder writable")
        except OSError as error:
            print("folder", type(error).__name__)
        print("file", os.path.exists(self.file))
        return observation.actions[0]

    def __init__(self, port: int = 0, file: str = "") -> None:
        self.port = port
        self.file = file.removeprefix("hidden:")
