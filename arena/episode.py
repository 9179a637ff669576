"""The one loop that plays an episode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from arena.game import Observation, State
from arena.types import Action

__all__ = ["Chooser", "drive"]

Chooser = Callable[[Observation], Action]


def drive(
    state: State,
    choose: Sequence[Chooser],
    *,
    watch: Callable[[Mapping[int, Action]], None] | None = None,
) -> None:
    """Play `state` to its end, asking `choose[seat](observation)` at every decision.

    Simultaneous seats are asked in increasing order and none sees another's choice.
    States with a `drive` of their own use it when nobody watches.

    Args:
        state: modified in place.
        choose: one function a seat.
        watch: called after every step with the joint action.

    Raises:
        IllegalActionError: an action is not legal.
    """
    own = getattr(state, "drive", None)
    if own is not None and watch is None:
        own(choose)
        return
    while actors := state.actors():
        joint = {seat: choose[seat](state.observe(seat)) for seat in actors}
        state.step(joint)
        if watch is not None:
            watch(joint)
