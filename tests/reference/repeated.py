"""Slow twins of the kernels of repeated games, written from the rules alone."""

from __future__ import annotations

from arena.rng import Stream
from games.repeated.form import RepeatedForm


def play_rounds(
    form: RepeatedForm, seed: int, choices: list[tuple[int, ...]]
) -> tuple[list[tuple[int, ...]], list[float], bool]:
    """Play the given choices until it is over.

    Returns:
        Executed joint actions, sums of payoffs, whether it is over.
    """
    chance, executed = Stream(seed), []
    sums = [0.0] * form.stage.seats
    for joint in choices:
        out = []
        for seat, chosen in enumerate(joint):
            action = chosen
            count = form.stage.actions[seat]
            if form.noise > 0 and chance.random() < form.noise and count > 1:
                others = [a for a in range(count) if a != action]
                action = others[0] if count == 2 else others[chance.below(count - 1)]
            out.append(action)
        executed.append(tuple(out))
        for seat in range(form.stage.seats):
            sums[seat] += float(form.stage.payoffs[(seat, *out)])
        if form.rounds is not None and len(executed) == form.rounds:
            return executed, sums, True
        if form.continuation is not None and chance.random() >= form.continuation:
            return executed, sums, True
    return executed, sums, False
