"""Where a worker says what it is doing."""

from __future__ import annotations

from typing import Any

__all__ = ["Slot"]


class Slot:
    """Where a worker says what it is doing, so that its parent can tell when it has ended.

    64-bit integers, in memory shared with the parent or not: task, segment within it,
    repetition, seat (−1 unknown), wall deadline and CPU deadline (ns, 0 for none), and
    whether the wall deadline is that of the game rather than of the move.
    """

    TASK, SEGMENT, REPETITION, SEAT, WALL, CPU, GAME = range(7)
    SIZE = 7 * 8

    def __init__(self, memory: Any = None) -> None:
        self.words = memoryview(memory if memory is not None else bytearray(self.SIZE)).cast("q")
