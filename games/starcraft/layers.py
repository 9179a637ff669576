"""Feature layers and function calls: what a mini-game shows and takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import IllegalActionError, UnknownNameError
from games.starcraft.minigame import Minigame
from games.starcraft.shim import install

install()

from pysc2.lib import actions, features  # noqa: E402 - the shim comes first
from s2clientprotocol import sc2api_pb2  # noqa: E402

__all__ = ["Layers"]

_CAMERA = 24  # world units that the screen is wide


class Layers:
    """The two directions between pysc2 and arrays.

    Attributes:
        game: the mini-game.
        sizes: of the entries of an action: the function, then its possible arguments.
        interface: the `InterfaceOptions` to join with, serialised.
    """

    def __init__(self, game: Minigame) -> None:
        self.game = game
        self._format = features.AgentInterfaceFormat(
            feature_dimensions=features.Dimensions(screen=game.screen, minimap=game.minimap),
            camera_width_world_units=_CAMERA,
        )
        options = sc2api_pb2.InterfaceOptions(score=True)
        options.feature_layer.width = _CAMERA
        for size, side in (
            (options.feature_layer.resolution, game.screen),
            (options.feature_layer.minimap_resolution, game.minimap),
        ):
            size.x = size.y = side
        self.interface: bytes = options.SerializeToString()
        spatial = {"screen": game.screen, "screen2": game.screen, "minimap": game.minimap}
        self._slots: dict[str, slice] = {}
        sizes = [len(actions.FUNCTIONS)]
        for kind in actions.TYPES:
            own = (spatial[kind.name],) * 2 if kind.name in spatial else tuple(kind.sizes)
            self._slots[kind.name] = slice(len(sizes), len(sizes) + len(own))
            sizes += own
        self.sizes = tuple(sizes)

    def features(self, info: Any) -> Any:
        """Return pysc2's reader of a game's observations."""
        return features.features_from_game_info(info, agent_interface_format=self._format)

    def call(self, action: NDArray[np.integer[Any]], available: list[int]) -> Any:
        """Return the function call that an action stands for.

        Raises:
            IllegalActionError: it is no vector of this shape, an entry that the function takes
                is out of range, or the function is not available.
        """
        where = self.game.where
        vector = np.asarray(action)
        if vector.shape != (len(self.sizes),) or not np.issubdtype(vector.dtype, np.integer):
            raise IllegalActionError(
                f"{where}: {action!r} is no vector of {len(self.sizes)} integers"
            )
        number = int(vector[0])
        if number not in available:
            named = ", ".join(f"{a} ({self.name(a)})" for a in available)
            given = f" ({self.name(number)})" if 0 <= number < self.sizes[0] else ""
            raise IllegalActionError(
                f"{where}: function {number}{given} is not available; available are {named}"
            )
        arguments = []
        for kind in actions.FUNCTIONS[number].args:
            slot = self._slots[kind.name]
            values = vector[slot].tolist()
            if not all(0 <= v < size for v, size in zip(values, self.sizes[slot], strict=True)):
                raise IllegalActionError(
                    f"{where}: {kind.name} = {values} of {self.name(number)} is out of range;"
                    f" sizes are {list(self.sizes[slot])}"
                )
            arguments.append(values)
        return actions.FunctionCall(number, arguments)

    def vector(self, function: str | int, arguments: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the action of a function by names, such as `Move_screen`, screen=(3, 4).

        Args:
            function: pysc2's name or number.
            arguments: by the names of pysc2's argument types: points as (x, y), others as
                numbers or as pysc2's words (`queued="queued"`); those left out are 0, the
                points must be there.

        Raises:
            UnknownNameError: of a function, an argument or a word.
            IllegalActionError: a point is missing, or a value out of range.
        """
        where = self.game.where
        names = {str(one.name): int(one.id) for one in actions.FUNCTIONS}
        number = names.get(function) if isinstance(function, str) else int(function)
        if number is None or not 0 <= number < self.sizes[0]:
            raise UnknownNameError(f"function of {where}", str(function), names)
        kinds = {kind.name: kind for kind in actions.FUNCTIONS[number].args}
        out = np.zeros(len(self.sizes), dtype=np.int64)
        out[0] = number
        for given in arguments:
            if given not in kinds:
                raise UnknownNameError(f"argument of {self.name(number)}", given, kinds)
        for name, kind in kinds.items():
            slot = self._slots[name]
            sizes = self.sizes[slot]
            if name not in arguments and len(sizes) > 1:
                raise IllegalActionError(f"{where}: {self.name(number)} needs {name}=(x, y)")
            value = arguments.get(name, 0)
            if isinstance(value, str):
                words = {one.name: int(one) for one in kind.values or ()}
                if value not in words:
                    raise UnknownNameError(f"{name} of {self.name(number)}", value, words)
                value = words[value]
            values = np.atleast_1d(np.asarray(value))
            if values.shape != (len(sizes),) or not np.issubdtype(values.dtype, np.integer):
                raise IllegalActionError(
                    f"{where}: {name} = {value!r} of {self.name(number)}, where"
                    f" {'(x, y)' if len(sizes) > 1 else 'a number'} was expected"
                )
            out[slot] = values
        return out

    def describe(self, action: NDArray[np.integer[Any]]) -> str:
        """Return an action as a call: `Move_screen(queued=now, screen=(3, 4))`."""
        vector = np.asarray(action)
        if vector.shape != (len(self.sizes),) or not 0 <= vector[0] < self.sizes[0]:
            return str(action)
        told = []
        for kind in actions.FUNCTIONS[int(vector[0])].args:
            values = vector[self._slots[kind.name]].tolist()
            words = {int(one): one.name for one in kind.values or ()}
            value = tuple(values) if len(values) > 1 else words.get(values[0], values[0])
            told.append(f"{kind.name}={value}")
        return f"{self.name(int(vector[0]))}({', '.join(told)})"

    @staticmethod
    def name(number: int) -> str:
        """Return the name of a function."""
        return str(actions.FUNCTIONS[number].name)

    def tensor(self, shown: Any) -> NDArray[np.float32]:
        """Return screen layers, minimap layers, player numbers and available functions, flat."""
        available = np.zeros(self.sizes[0], dtype=np.float32)
        available[np.asarray(shown["available_actions"], dtype=np.int64)] = 1.0
        parts = [shown["feature_screen"], shown["feature_minimap"], shown["player"], available]
        return np.concatenate([np.asarray(part, dtype=np.float32).ravel() for part in parts])
