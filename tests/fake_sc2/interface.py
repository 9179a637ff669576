"""The feature-layer interface of the stand-in: what a mini-game shows and how it is clicked."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.fake_sc2.minigame import (
    BARRACKS,
    CENTRE,
    ENEMY,
    GAMES,
    MARINE,
    SCV,
    SELF,
    TRAIN,
    Unit,
)

SCREEN = 24.0  # world units that the screen is wide
PICK = 1.5  # how near a click must be


class Interface:
    """A running mini-game behind its screen."""

    def __init__(self, name: str, seed: int, options: Any) -> None:
        self.game = GAMES[name](seed)
        self._screen = options.feature_layer.resolution.x
        self._minimap = options.feature_layer.minimap_resolution.x
        self._corner = np.full(2, (self.game.side - SCREEN) / 2)  # of the screen
        self._groups: dict[int, list[Unit]] = {}
        self._explored = np.zeros((self._minimap, self._minimap), dtype=bool)

    @property
    def over(self) -> bool:
        return self.game.over

    @property
    def side(self) -> int:
        return int(self.game.side)

    def step(self, count: int) -> None:
        for _ in range(count):
            if not self.game.over:
                self.game.step(1)

    # -- clicks -------------------------------------------------------------------------

    def act(self, action: Any) -> bool:
        """Take an action; whether that was possible."""
        if action.HasField("action_ui"):
            return self._button(action.action_ui)
        clicked = action.action_feature_layer
        kind = clicked.WhichOneof("action")
        if kind == "unit_command":
            return self._command(clicked.unit_command)
        if kind == "camera_move":
            centre = self._world(clicked.camera_move.center_minimap, minimap=True)
            self._corner = np.clip(centre - SCREEN / 2, 0.0, self.game.side - SCREEN)
        elif kind == "unit_selection_point":
            point = self._world(clicked.unit_selection_point.selection_screen_coord)
            own = [u for u in self._own() if u.far(point) < PICK]
            self._select([min(own, key=lambda u: u.far(point))] if own else [], add=False)
        elif kind == "unit_selection_rect":
            chosen: list[Unit] = []
            for rect in clicked.unit_selection_rect.selection_screen_coord:
                low, high = self._world(rect.p0), self._world(rect.p1)
                inside = [u for u in self._own() if (low <= u.at).all() and (u.at <= high).all()]
                # As in the game a rectangle takes units before buildings.
                chosen += [u for u in inside if u.kind.speed] or inside
            self._select(chosen, add=clicked.unit_selection_rect.selection_add)
        return True

    def _button(self, button: Any) -> bool:
        kind = button.WhichOneof("action")
        if kind == "select_army":
            army = [u for u in self._own() if u.type == MARINE]
            self._select(army, add=button.select_army.selection_add)
            return bool(army)
        if kind == "select_idle_worker":
            idle = [u for u in self._own() if u.type == SCV and not u.orders]
            every = button.select_idle_worker.type in (3, 4)
            self._select(idle if every else idle[:1], add=False)
            return bool(idle)
        if kind == "control_group":
            number = button.control_group.control_group_index
            if button.control_group.action == 1:  # recall
                self._select(self._groups.get(number, []), add=False)
            else:
                self._groups[number] = [u for u in self._own() if u.selected]
        return True

    def _command(self, command: Any) -> bool:
        point = None
        if command.HasField("target_screen_coord"):
            point = self._world(command.target_screen_coord)
        elif command.HasField("target_minimap_coord"):
            point = self._world(command.target_minimap_coord, minimap=True)
        return self.game.command(command.ability_id, point, command.queue_command)

    def _own(self) -> list[Unit]:
        return [u for u in self.game.units if u.owner == SELF]

    def _select(self, units: list[Unit], *, add: bool) -> None:
        if not units:
            return  # a click on nothing changes nothing
        for unit in self._own():
            unit.selected = unit in units or (add and unit.selected)

    def _world(self, pixel: Any, *, minimap: bool = False) -> Any:
        centre = np.array([pixel.x + 0.5, pixel.y + 0.5])
        if minimap:
            return centre * self.game.side / self._minimap
        return self._corner + centre * SCREEN / self._screen

    # -- what it looks like -------------------------------------------------------------

    def show(self, said: Any) -> None:
        """Fill a `ResponseObservation`."""
        game, seen = self.game, said.observation
        seen.game_loop, seen.score.score = game.loop, game.score
        common = seen.player_common
        common.player_id, common.minerals, common.vespene = 1, game.minerals, game.vespene
        common.food_used, common.food_cap = game.food
        common.army_count = len(game.of(MARINE))
        common.food_workers = len(game.of(SCV))
        common.idle_worker_count = sum(not u.orders for u in game.of(SCV))
        for ability, point in sorted(game.abilities().items()):
            seen.abilities.add(ability_id=ability, requires_point=point)
        self._show_selection(seen.ui_data)
        layers = seen.feature_layer_data
        self._draw(layers.renders, self._screen, self._corner, SCREEN, on_screen=True)
        self._draw(layers.minimap_renders, self._minimap, np.zeros(2), game.side, on_screen=False)
        if self.over:
            said.player_result.add(player_id=1, result=1)

    def _show_selection(self, shown: Any) -> None:
        chosen = [u for u in self._own() if u.selected]
        for number, group in self._groups.items():
            living = [u for u in group if u in self.game.units]
            if living:
                shown.groups.add(
                    control_group_index=number, leader_unit_type=living[0].type, count=len(living)
                )
        if len(chosen) > 1:
            into = [shown.multi.units.add() for _ in chosen]
        elif chosen and chosen[0].type in (CENTRE, BARRACKS) and chosen[0].orders:
            into = [shown.production.unit]
            for ability, kind in chosen[0].orders:
                done = 1 - chosen[0].work / TRAIN[ability][3]
                shown.production.build_queue.add(unit_type=kind, build_progress=done)
        else:
            into = [shown.single.unit for _ in chosen]
        for message, unit in zip(into, chosen, strict=True):
            message.unit_type, message.player_relative = unit.type, SELF
            message.health = int(unit.health)

    def _draw(self, shown: Any, side: int, corner: Any, wide: float, *, on_screen: bool) -> None:
        names = ["player_relative", "selected", "unit_type"]
        names += ["unit_hit_points"] if on_screen else ["camera"]
        planes = {name: np.zeros((side, side), dtype=np.int64) for name in names}
        visible = self._visible(side, corner, wide)
        for unit in self.game.units:
            column, row = ((np.asarray(unit.at) - corner) * side / wide).astype(int).tolist()
            if not (0 <= column < side and 0 <= row < side):
                continue
            if unit.owner == ENEMY and visible[row, column] != 2:
                continue  # in the fog
            planes["player_relative"][row, column] = unit.owner
            planes["unit_type"][row, column] = unit.type
            planes["selected"][row, column] = unit.selected
            if on_screen:
                planes["unit_hit_points"][row, column] = int(unit.health)
        if not on_screen:
            low = (self._corner * side / wide).astype(int)
            high = ((self._corner + SCREEN) * side / wide).astype(int)
            planes["camera"][low[1] : high[1], low[0] : high[0]] = 1
        planes["visibility_map"] = visible
        for name, plane in planes.items():
            wide_plane = name in ("unit_type", "unit_hit_points")
            image = getattr(shown, name)
            image.bits_per_pixel = 32 if wide_plane else 8
            image.size.x = image.size.y = side
            image.data = plane.astype(np.int32 if wide_plane else np.uint8).tobytes()

    def _visible(self, side: int, corner: Any, wide: float) -> Any:
        """2 where a unit sees, 1 where one has seen (on the minimap), 0 else."""
        centres = (np.arange(side) + 0.5) * wide / side
        seen = np.zeros((side, side), dtype=bool)
        for unit in self._own():
            dx, dy = corner[0] + centres - unit.at[0], corner[1] + centres - unit.at[1]
            seen |= dx[None, :] ** 2 + dy[:, None] ** 2 < unit.kind.sight**2
        out = np.where(seen, 2, 0)
        if wide == self.game.side and side == self._minimap:
            self._explored |= seen
            out[self._explored & ~seen] = 1
        return out
