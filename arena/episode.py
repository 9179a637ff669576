"""The one loop that plays an episode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from arena.errors import IllegalActionError
from arena.game import Game, Observation, State
from arena.types import Action

__all__ = ["Chooser", "drive", "replay"]

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


def replay(game: Game, seed: int, actions: Iterable[Action]) -> State:
    """Rebuild an episode from its seed and the actions of the seats.

    Args:
        game: the game that was played.
        seed: its chance seed.
        actions: one entry for each decision of a seat, in order; of a joint action, the
            entries come in increasing order of seats. Fewer than were played stop early.

    Returns:
        The state after those actions.

    Raises:
        IllegalActionError: an action is not legal, or the actions go on after the end or
            stop amid a joint action.
    """
    state = game.state(seed)
    left = iter(actions)
    for count, first in enumerate(left):
        actors = state.actors()
        if not actors:
            raise IllegalActionError(f"the episode is over, but action {first!r} is left")
        chosen = [first, *islice(left, len(actors) - 1)]
        if len(chosen) < len(actors):
            raise IllegalActionError(
                f"step {count} needs {len(actors)} actions, only {chosen} are left"
            )
        state.step(dict(zip(actors, chosen, strict=True)))
    return state
