"""Feature layers as drawings: in text and as SVG."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

__all__ = ["svg", "text"]

# Values of the layers `player_relative` and `visibility_map`.
_OWN, _FRIEND, _NEUTRAL, _ENEMY = 1, 2, 3, 4
_SIGNS = {_OWN: "o", _FRIEND: "f", _NEUTRAL: "+", _ENEMY: "x"}
_COLOURS = {_OWN: "#3c9e3c", _FRIEND: "#3c7dd9", _NEUTRAL: "#c9a227", _ENEMY: "#d03a3a"}
_SELECTED = "@"
_VISIBLE = 2
_WIDEST = 48  # characters
_PIXELS = 320  # of a layer in the SVG


def text(shown: Any, title: str) -> str:
    """Return the screen and a line of what the player owns.

    Args:
        shown: pysc2's observation.
        title: the first line.
    """
    screen = shown["feature_screen"]
    relative, selected = np.asarray(screen.player_relative), np.asarray(screen.selected)
    step = -(-relative.shape[1] // _WIDEST)
    lines = [title, _player(shown)]
    for row in range(0, relative.shape[0], step):
        line = ""
        for column in range(0, relative.shape[1], step):
            square = (slice(row, row + step), slice(column, column + step))
            line += _sign(relative[square], selected[square])
        lines.append(line)
    lines.append("o own, @ selected, x enemy, + neutral")
    return "\n".join(lines)


def svg(shown: Any, title: str) -> str:
    """Return screen and minimap side by side as an SVG document."""
    parts = [
        _layer(shown["feature_screen"], 0, "screen"),
        _layer(shown["feature_minimap"], _PIXELS + 10, "minimap"),
    ]
    wide, high = 2 * _PIXELS + 10, _PIXELS + 40
    told = "".join(
        f'<text x="4" y="{_PIXELS + 15 + 16 * k}" font-size="12">{escape(line)}</text>'
        for k, line in enumerate((title, _player(shown)))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}"'
        f' font-family="sans-serif" shape-rendering="crispEdges">{"".join(parts)}{told}</svg>'
    )


def _player(shown: Any) -> str:
    player = shown["player"]
    return (
        f"minerals {int(player.minerals)}, gas {int(player.vespene)}, food"
        f" {int(player.food_used)}/{int(player.food_cap)}, army {int(player.army_count)}"
    )


def _sign(relative: NDArray[Any], selected: NDArray[Any]) -> str:
    """Return the sign of a square of pixels: the rarer things go first."""
    for kind in (_ENEMY, _OWN, _FRIEND, _NEUTRAL):
        if (relative == kind).any():
            return _SELECTED if kind == _OWN and selected.any() else _SIGNS[kind]
    return "."


def _layer(layer: Any, left: int, name: str) -> str:
    relative, selected = np.asarray(layer.player_relative), np.asarray(layer.selected)
    visible = np.asarray(layer.visibility_map)
    rows, columns = relative.shape
    size = _PIXELS / max(rows, columns)
    out = [
        f'<g><title>{name}</title><rect x="{left}" y="0" width="{columns * size:g}"'
        f' height="{rows * size:g}" fill="#20242b"/>'
    ]
    out += _boxes(visible == _VISIBLE, left, size, "#39404b")
    out += _boxes(_border(layer), left, size, "#5a6472")
    for kind, fill in _COLOURS.items():
        out += _boxes(relative == kind, left, size, fill)
    out += [
        f'<circle cx="{left + (column + 0.5) * size:g}" cy="{(row + 0.5) * size:g}"'
        f' r="{0.3 * size:g}" fill="#fff"/>'
        for row, column in np.argwhere(selected > 0).tolist()
    ]
    return "".join([*out, "</g>"])


def _border(layer: Any) -> NDArray[np.bool_]:
    """Return where the edge of the camera's view is; a screen has none."""
    camera = getattr(layer, "camera", None)
    if camera is None:
        return np.zeros(np.asarray(layer.player_relative).shape, dtype=np.bool_)
    inside = np.pad(np.asarray(camera) > 0, 1)
    core = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1]
    core &= inside[1:-1, :-2] & inside[1:-1, 2:]
    edge: NDArray[np.bool_] = inside[1:-1, 1:-1] & ~core
    return edge


def _runs(mask: NDArray[Any]) -> list[tuple[int, int, int]]:
    """Return the runs of a mask: row, first column, column behind the last."""
    changes = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    begins, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
    return [
        (int(row), int(first), int(last))
        for (row, first), (_, last) in zip(begins, ends, strict=True)
    ]


def _boxes(mask: NDArray[Any], left: int, size: float, fill: str) -> list[str]:
    return [
        f'<rect x="{left + first * size:g}" y="{row * size:g}" width="{(last - first) * size:g}"'
        f' height="{size:g}" fill="{fill}"/>'
        for row, first, last in _runs(mask)
    ]
