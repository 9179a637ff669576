"""A restless bandit stepped arm by arm, as plain as can be."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.rng import Stream


class PlainBandit:
    """One episode; luck comes from a `Stream` or from given uniform numbers."""

    def __init__(self, form: Any, seed: int) -> None:
        self.form, self.stream, self.step_number = form, Stream(seed), 0
        self.total = 0.0
        self.levels = [self.draw(form.initial[j]) for j in range(form.arms)]

    def draw(self, probabilities: Any) -> int:
        number, edge = self.stream.random(), 0.0
        possible = [s for s in range(len(probabilities)) if probabilities[s] > 0]
        for s in possible:
            edge += probabilities[s]
            if number < edge:
                return s
        return possible[-1]

    def step(self, action: Any) -> float:
        form = self.form
        modes = np.asarray(form.link) @ np.asarray(action).astype(int)
        if form.influenced:
            for j in range(form.arms):
                top = sum(
                    form.neighbours[j, i] and self.levels[i] == form.sizes[i] - 1
                    for i in range(form.arms)
                )
                modes[j] += form.modes // form.counted * min(int(top), form.counted - 1)
        paid = 0.0
        for j in range(form.arms):
            row = form.transition[j, modes[j], self.levels[j]]
            after = self.draw(row)
            paid += form.reward[j, modes[j], self.levels[j], after]
            self.levels[j] = after
        paid *= form.discount**self.step_number
        self.step_number += 1
        self.total += paid
        return paid
