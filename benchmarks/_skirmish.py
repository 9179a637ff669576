"""What the skirmish benchmarks share: our side, random legal play with everything observed."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

import arena
from games.skirmish import Rollout

__all__ = ["Ours", "Peer"]


@njit(cache=True)
def _random_legal(avail, streams, out):  # type: ignore[no-untyped-def]  # compiled by numba
    for k in range(avail.shape[0]):
        for i in range(avail.shape[1]):
            count = 0
            for action in range(avail.shape[2]):
                count += avail[k, i, action]
            state = streams[k] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            streams[k] = state
            left = np.int64(((state >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))
            for action in range(avail.shape[2]):
                if avail[k, i, action]:
                    if left == 0:
                        out[k, i] = action
                        break
                    left -= 1


class Ours:
    """N battles of a map, stepped with random legal actions; returns are summed up."""

    def __init__(self, name: str, envs: int, *, threads: int = 1, **params: Any) -> None:
        game = arena.make(f"skirmish/{name}", **params)
        self.battles = Rollout(game, envs=envs, seed=7, threads=threads)
        self._streams = np.arange(1, envs + 1, dtype=np.uint64)
        self._actions: NDArray[np.int64] = np.zeros((envs, game.seats), dtype=np.int64)
        self._running = np.zeros(envs)
        self.returns: list[float] = []
        self.lengths: list[int] = []

    def play(self, steps: int, *, note: bool = False) -> None:
        """Play so many decisions in every battle; `note` how episodes end (not for timing)."""
        battles = self.battles
        for _ in range(steps):
            _random_legal(battles.avail, self._streams, self._actions)
            battles.step(self._actions)
            if note:
                self._running += battles.reward[:, 0]
                over = np.flatnonzero(battles.done)
                self.returns += self._running[over].tolist()
                self.lengths += battles.length[over].tolist()
                self._running[over] = 0.0


class Peer:
    """A child process that answers lines of JSON with lines of JSON on its stderr."""

    def __init__(self, python: str, code: str) -> None:
        self._child = subprocess.Popen(
            [python, "-c", code],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send a question and return the answer."""
        assert self._child.stdin is not None
        assert self._child.stderr is not None
        self._child.stdin.write(json.dumps(question) + "\n")
        self._child.stdin.flush()
        tail = []
        for line in self._child.stderr:
            if line.startswith('{"answer"'):
                found: dict[str, Any] = json.loads(line)["answer"]
                return found
            tail.append(line)
        raise SystemExit("the peer died:\n" + "".join(tail[-20:]))

    def close(self) -> None:
        """End it."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()
