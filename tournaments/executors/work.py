"""What every worker does with a task, wherever it runs."""

from __future__ import annotations

import time

from arena.errors import ArenaError
from tournaments.executors import Task
from tournaments.match import Block, Player, Slot

__all__ = ["quiet_libraries", "work"]


def work(player: Player, task: Task, slot: Slot | None = None) -> tuple[list[Block], str]:
    """Play a task until its budget is spent; return the blocks and an error, if one ended it."""
    until = time.perf_counter() + task.budget
    blocks: list[Block] = []
    if slot is not None:
        slot.words[Slot.TASK] = task.id
    try:
        for index, segment in enumerate(task.segments):
            if slot is not None:
                # In this order: whoever looks never sees a match of another segment.
                slot.words[Slot.SEGMENT] = -1
                slot.words[Slot.REPETITION] = segment.first
                slot.words[Slot.SEGMENT] = index
            blocks.append(player.play(segment, until=until))
            if time.perf_counter() >= until:
                break
    except ArenaError as error:
        return blocks, str(error)
    finally:
        if slot is not None:
            slot.words[Slot.SEGMENT] = -1
    return blocks, ""


def quiet_libraries() -> dict[str, str]:
    """Return the environment in which numerical libraries use one thread a worker."""
    names = (
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
        *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"),
    )
    return dict.fromkeys(names, "1")
