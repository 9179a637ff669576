"""A stored match, step by step: from (game, seed, joint actions) to rendered states.

1. Play the joint actions on `game.state(seed)`: this is what happened, and it is checked.
2. Where luck plays a part and the game can expose its chance nodes, walk `game.root()`
   along the same history, so that every chance event becomes a step with its own
   probability. Where it cannot, chance shows only in the states' text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena.errors import ArenaError, FormError
from arena.game import Game, State
from arena.types import CHANCE, Action
from tournaments.report.data import Replay, Step

__all__ = ["replay"]


def replay(game: Game, *, seed: int, steps: Sequence[Mapping[int, Action]]) -> Replay:
    """Render every state of a match.

    Args:
        game: the game, with its parameters.
        seed: the chance seed of the match.
        steps: the joint actions in order, seat to action; a match that was forfeited or
            cut off ends early.

    Raises:
        IllegalActionError: an action is not legal here, so the match is of another game
            or of another version of it.
    """
    state = game.state(seed)
    for step in steps:
        state.step(step)
    note = ""
    if game.chance:
        exposed = _walk_chance(game, state, steps)
        if exposed is not None:
            return Replay(exposed)
        note = "This game shows its chance events only in its states, not as steps of their own."
    state = game.state(seed)
    shown = [_step(state, ())]
    for step in steps:
        moves = _moves(game, state, step)
        state.step(step)
        shown.append(_step(state, moves))
    return Replay(shown, note)


def _walk_chance(
    game: Game, final: State, joints: Sequence[Mapping[int, Action]]
) -> list[Step] | None:
    """Return the steps with chance exposed, or None where the game cannot do that."""
    try:
        state = game.root()
    except FormError:
        return None
    if not hasattr(final, "history") or not hasattr(state, "history"):
        return None
    history: list[int] = final.history()
    steps = [_step(state, ())]
    waiting = iter(joints)
    while (actors := state.actors()) and len(state.history()) < len(history):
        joint: Mapping[int, Action] | None
        probability: float | None = None
        if actors == (CHANCE,):
            outcome = history[len(state.history())]
            joint = {CHANCE: outcome}
            probability = dict(state.chance_outcomes()).get(outcome)  # type: ignore[attr-defined]  # states from root() have it
        else:
            joint = next(waiting, None)
            if joint is None:
                return None
        moves = _moves(game, state, joint)
        state.step(joint)
        steps.append(_step(state, moves, probability))
    return steps if state.history() == history else None


def _moves(game: Game, state: State, joint: Mapping[int, Action]) -> tuple[tuple[int, str], ...]:
    """Name the moves of a joint action; some names depend on the state they are played in."""
    own = getattr(state, "action_name", None)
    return tuple(
        (seat, own(seat, action) if own is not None else _name(game, seat, action))
        for seat, action in sorted(joint.items())
    )


def _name(game: Game, seat: int, action: Action) -> str:
    if seat != CHANCE:
        return game.describe_action(seat, action)
    try:
        return game.describe_action(seat, action)
    except (ArenaError, LookupError, ValueError):
        # Naming seats' actions is all that a game promises.
        return f"outcome {action}"


def _step(state: State, moves: tuple[tuple[int, str], ...], chance: float | None = None) -> Step:
    drawing = getattr(state, "render_svg", None)
    return Step(
        text=state.render(),
        moves=moves,
        returns=tuple(float(x) for x in state.returns()),
        chance=chance,
        svg=drawing() if drawing is not None else "",
    )
