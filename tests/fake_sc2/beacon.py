"""The mini-game MoveToBeacon inside the stand-in: a marine, a beacon, and feature layers."""

from __future__ import annotations

from typing import Any

import numpy as np

SIDE = 24.0  # world units that the screen shows
LOOPS = 1920  # two minutes
SPEED = 3.15 / 16
NEAR = 1.5
MOVE = (16, 3794)


class Beacon:
    """A running game."""

    def __init__(self, seed: int, options: Any) -> None:
        self._random = np.random.default_rng(seed)
        self.loop = self.score = 0
        self._screen = options.feature_layer.resolution.x
        self._minimap = options.feature_layer.minimap_resolution.x
        self._marine, self._beacon = self._place(), self._place()
        self._goal = self._marine
        self._selected = False

    def _place(self) -> Any:
        return self._random.uniform(2.0, SIDE - 2.0, 2)

    @property
    def over(self) -> bool:
        return self.loop >= LOOPS

    def act(self, action: Any) -> bool:
        if action.HasField("action_ui") and action.action_ui.HasField("select_army"):
            self._selected = True
            return True
        command = action.action_feature_layer.unit_command
        if not self._selected or command.ability_id not in MOVE:
            return not action.ListFields()
        at = command.target_screen_coord
        self._goal = np.array([at.x + 0.5, at.y + 0.5]) * SIDE / self._screen
        return True

    def step(self, count: int) -> None:
        for _ in range(count):
            self.loop += 1
            way = self._goal - self._marine
            far = float(np.hypot(*way))
            if far > SPEED:
                way *= SPEED / far
            self._marine = self._marine + way
            if np.hypot(*(self._marine - self._beacon)) < NEAR:
                self.score += 1
                self._beacon = self._place()

    def show(self, said: Any) -> None:
        seen = said.observation
        seen.game_loop = self.loop
        seen.player_common.player_id = 1
        seen.player_common.army_count = 1
        seen.player_common.food_used = 1
        seen.score.score = self.score
        if self._selected:
            seen.abilities.add(ability_id=MOVE[0], requires_point=True)
        layers = seen.feature_layer_data
        for side, shown in (
            (self._screen, layers.renders),
            (self._minimap, layers.minimap_renders),
        ):
            relative, selected = (np.zeros((side, side), dtype=np.uint8) for _ in range(2))
            for point, number in ((self._beacon, 3), (self._marine, 1)):
                column, row = (point * side / SIDE).astype(int)
                relative[row, column] = number
                selected[row, column] = self._selected and number == 1
            for plane, data in ((shown.player_relative, relative), (shown.selected, selected)):
                plane.bits_per_pixel = 8
                plane.size.x = plane.size.y = side
                plane.data = data.tobytes()
        if self.over:
            said.player_result.add(player_id=1, result=1)
