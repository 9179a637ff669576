"""A program that speaks the protocol as an agent.

The child is started at the first `begin` and stays for many games. After any fault it is
gone, with everything that it had started, and the next `begin` starts a fresh one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import Any

from agents.process import sandbox
from agents.process.child import Child
from agents.process.protocol import (
    FIELDS,
    PROTOCOL,
    act_line,
    begin_line,
    describe,
    line,
    read_action,
    to_action,
)
from arena import __version__
from arena.agent import Limits
from arena.errors import AgentError, AgentFaultError, FaultKind, nearest
from arena.game import Game, Observation
from arena.types import Action, Discrete

__all__ = ["ProcessAgent"]

_DEFAULT_WANT = ("key", "view")
_OWN_KINDS: tuple[FaultKind, ...] = ("exception", "exit", "illegal", "memory", "resign")


class ProcessAgent:
    """A program that speaks the protocol of docs/protocol.md over its standard streams.

    Args:
        words: the command and its arguments.
        params: handed to the program in the greeting.
        limits: clocks, memory, output and processes.
        tier: `auto`, `bubblewrap`, `rlimits` or `none`.
        visible: further files and folders that it may read in bubblewrap.

    Raises:
        AgentError: there is no such program, or the tier is not available.
        ParameterError: there is no such tier.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        params: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        tier: str = "rlimits",
        visible: Sequence[str] = (),
    ) -> None:
        self.words = tuple(words)
        self.limits = limits if limits is not None else Limits()
        self.tier = sandbox.choose_tier(tier)
        self.name = os.path.basename(self.words[0])
        if shutil.which(self.words[0]) is None:
            raise AgentError(_no_program(self.words[0]))
        self._params = dict(params or {})
        self._visible = [os.path.abspath(path) for path in visible]
        for path in self._visible:
            if not os.path.exists(path):
                raise AgentError(f"{path} should be visible to the agent, but does not exist")
        self._child: Child | None = None
        self._want: tuple[str, ...] = _DEFAULT_WANT
        self._end_pending = False
        self._game: Game | None = None
        self._told = ""
        self._timed = isfinite(self.limits.move) or isfinite(self.limits.game)

    # -- the contract --------------------------------------------------------------

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Start an episode, and the program if it is not running.

        Raises:
            AgentError: the program cannot be started, or refuses this game.
            AgentFaultError: it misbehaves.
        """
        if game is not self._game:
            self._told = json.dumps(describe(game), separators=(",", ":"), allow_nan=False)
            self._game = game
        limits = {
            name: value if isfinite(value) else None
            for name, value in (
                ("move", self.limits.move),
                ("game", self.limits.game),
                ("cpu", self.limits.cpu),
            )
        }
        request = begin_line(self._told, seat, seed, limits)
        child = self._idle_child()
        if child is not None:
            try:
                self._open(child, request)
                return
            except AgentFaultError as fault:
                # A child that was gone before it was asked has cost no game, so that a fresh
                # one takes its place; if this one ends in `begin` too, that is the fault.
                if fault.kind != "exit":
                    raise
        self._open(self._fresh_child(), request)

    def act(self, observation: Observation) -> Action:
        """Ask the program for a move.

        Raises:
            AgentFaultError: it misbehaves, or the move is not legal.
        """
        child = self._child
        if child is None:
            raise AgentError(f"{self.name} was asked to act before a game began")
        before = child.moves
        while True:
            seconds, kind = self._time_left(child, before)
            clock = self._clock(observation, child, before)
            request = act_line(observation, self._want, clock)
            try:
                raw = child.ask(request, seconds, kind, "act")
            except BaseException:
                self._drop()
                raise
            action: Action | None = read_action(raw)
            if action is None:
                action = self._unusual(child, raw, observation.seat)
                if action is None:
                    continue  # it wanted further fields
            actions = observation.actions
            if actions is not None and action not in actions:
                raise self._fault("illegal", f"played {action}; legal are {list(actions)}")
            return action

    def end(self, returns: Sequence[float]) -> None:
        """Tell the program how the episode ended; it is not waited for."""
        child = self._child
        if child is None or not child.usable or self._end_pending:
            return
        message = line({"type": "end", "returns": [float(value) for value in returns]})
        try:
            child.send(message, seconds=1.0, during="end")
            self._end_pending = True
        except AgentError:
            self._drop()  # the game is over: the next one gets a fresh child

    def close(self) -> None:
        """End the program and everything that it has started."""
        child, self._child = self._child, None
        if child is not None:
            child.close(b'{"type":"quit"}\n')

    @property
    def log(self) -> str:
        """The end of what the program wrote to standard error in this game."""
        return "" if self._child is None else self._child.log

    @property
    def pid(self) -> int | None:
        """The process that the program runs below, or None while there is none."""
        return None if self._child is None else self._child.pid

    # -- starting --------------------------------------------------------------------

    def _idle_child(self) -> Child | None:
        """Return the running child, ready for a new game, or None if there is none."""
        child = self._child
        if child is None:
            return None
        if not child.usable:
            self._drop()
            return None
        if self._end_pending:
            self._end_pending = False
            try:
                self._object(child, child.receive(self.limits.begin, "move time", "end"), "end")
            except AgentError:
                self._drop()  # it failed after its game was over, which is nobody's loss
                return None
        child.new_game()
        return child

    def _fresh_child(self) -> Child:
        self._drop()
        self._end_pending = False
        child = self._child = self._start()
        hello = {"type": "hello", "protocol": PROTOCOL, "arena": __version__}
        try:
            child.send(
                line({**hello, "params": self._params}), seconds=self.limits.begin, during="hello"
            )
            answer = self._object(
                child, child.receive(self.limits.begin, "move time", "hello"), "hello"
            )
        except BaseException:
            self._drop()
            raise
        if "error" in answer:
            log = child.log
            self._drop()
            raise AgentError(f"{answer['error']}" + (f"\n{log}" if log else ""))
        spoken = answer.get("protocol")
        if spoken != PROTOCOL:
            raise self._fault(
                "protocol", f"speaks protocol {spoken!r}; this arena speaks {PROTOCOL}"
            )
        self._want = _DEFAULT_WANT
        if "want" in answer:
            self._want = self._fields(answer["want"])
        return child

    def _start(self) -> Child:
        cwd = os.getcwd()
        words = list(self.words)
        if self.tier == "bubblewrap":
            words = sandbox.wrap(words, visible=[*self._sees(), *self._visible], cwd=cwd)
        return Child(
            words,
            limits=self.limits,
            rlimits=sandbox.resource_limits(self.limits, self.tier),
            env=sandbox.environment(self.tier),
            cwd=cwd,
        )

    def _sees(self) -> list[str]:
        """Return what the program must see to run at all."""
        return sandbox.seen_by_command(self.words)

    def _open(self, child: Child, request: bytes) -> None:
        """Say `begin` to a child and read its answer."""
        try:
            child.send(request, seconds=self.limits.begin, during="begin")
            raw = child.receive(self.limits.begin, "move time", "begin")
            answer = self._object(child, raw, "begin")
        except BaseException:
            self._drop()
            raise
        if "refuse" in answer:
            raise AgentError(f"{self.name}: {answer['refuse']}")
        if "error" in answer:
            raise self._reported(answer)
        if answer.get("ready") is not True:
            raise self._fault("protocol", f'answered {_short(raw)} to begin, not {{"ready":true}}')
        try:
            child.start_clocks()
        except AgentFaultError:
            self._drop()
            raise

    # -- answers ---------------------------------------------------------------------

    def _object(self, child: Child, raw: bytes, during: str) -> dict[str, Any]:
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._fault("protocol", f"answered {_short(raw)} to {during}, no JSON object")
        return answer

    def _unusual(self, child: Child, raw: bytes, seat: int) -> Action | None:
        """Read an answer to `act` that is not a plain number; None if it wants more fields."""
        answer = self._object(child, raw, "act")
        if "error" in answer:
            raise self._reported(answer)
        if "action" in answer:
            space = self._game.actions[seat] if self._game is not None else Discrete(0)
            action = to_action(answer["action"], space)
            if action is None:
                raise self._fault("illegal", f"answered {_short(raw)}, no action of {space}")
            return action
        if "want" in answer:
            wanted = self._fields(answer["want"])
            new = [field for field in wanted if field not in self._want]
            if not new:
                raise self._fault("protocol", f"asked again for {list(wanted)}, which it has")
            self._want += tuple(new)
            return None
        raise self._fault("protocol", f'answered {_short(raw)} to act, not {{"action":3}}')

    def _fields(self, wanted: object) -> tuple[str, ...]:
        if not isinstance(wanted, list) or any(field not in FIELDS for field in wanted):
            raise self._fault("protocol", f"wants {wanted!r}; there are {', '.join(FIELDS)}")
        return tuple(dict.fromkeys(wanted))

    def _reported(self, answer: Mapping[str, Any]) -> AgentFaultError:
        """Return the fault that the child reports of itself."""
        kind = answer.get("kind")
        known: FaultKind = kind if kind in _OWN_KINDS else "exception"
        return self._fault(known, str(answer["error"]))

    def _fault(self, kind: FaultKind, detail: str) -> AgentFaultError:
        child, self._child = self._child, None
        if child is None:
            return AgentFaultError(kind, detail)
        return child.fail(kind, detail)

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    # -- clocks ----------------------------------------------------------------------

    def _time_left(self, child: Child, before: float) -> tuple[float, FaultKind]:
        """Return the wall-clock seconds for the next answer, and the limit they come from."""
        if not self._timed:
            return inf, "move time"
        game = self.limits.game - child.moves
        move = self.limits.move - (child.moves - before)
        kind: FaultKind = "game time" if game < move else "move time"
        if min(game, move) <= 0.0:
            whole = self.limits.game if game < move else self.limits.move
            raise self._fault(kind, f"used up its {whole:g} s")
        return min(game, move), kind

    def _clock(self, observation: Observation, child: Child, before: float) -> str:
        clock = observation.clock
        if clock is not None:
            move, game = clock.move, clock.game
        elif self._timed:
            move = self.limits.move - (child.moves - before)
            game = self.limits.game - child.moves
        else:
            return "null"
        texts = [f"{value:.6f}" if isfinite(value) else "null" for value in (move, game)]
        return f'{{"move":{texts[0]},"game":{texts[1]}}}'


def _no_program(word: str) -> str:
    if os.path.isfile(word):
        return f"{word} is not executable; name its interpreter, or chmod +x {word}"
    if os.sep in word:
        folder = os.path.dirname(word) or "."
        if os.path.isdir(folder):
            close = nearest(os.path.basename(word), os.listdir(folder))
            hint = f"; did you mean {os.path.join(folder, close[0])!r}?" if close else ""
            return f"there is no file {word}{hint}"
        return f"there is no folder {folder}"
    return f"no program {word!r} on the PATH"


def _short(raw: bytes) -> str:
    text = raw[:200].decode("utf-8", "replace").rstrip("\n")
    return repr(text + ("…" if len(raw) > 200 else ""))
