"""Heat maps side by side as self-contained SVG, for the figures of reproductions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["heat_maps"]

_SIDE, _GAP, _LEFT, _TOP, _BELOW = 26, 40, 70, 60, 40
_ACROSS = 3
_VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Viridis at five points (van der Walt and Smith 2015)."""


def heat_maps(
    tables: Mapping[str, Any],
    *,
    rows: Sequence[float],
    columns: Sequence[float],
    row_label: str,
    column_label: str,
    title: str,
) -> str:
    """Return an SVG document with a heat map a table, all in one scale of colours.

    Args:
        tables: name to values, shape (R, C).
        rows: what the rows stand for, length R; the first is drawn at the bottom.
        columns: what the columns stand for, length C.
        row_label: beside the maps.
        column_label: below them.
        title: above.
    """
    wide, high = _SIDE * len(columns), _SIDE * len(rows)
    each = min(len(tables), _ACROSS)
    width = max(_LEFT + each * (wide + _GAP), 2 * _LEFT + 7 * len(title))
    height = _TOP + math.ceil(len(tables) / each) * (high + _GAP + _BELOW)
    values = [float(x) for table in tables.values() for line in table for x in line]
    low, span = min(values), (max(values) - min(values)) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="14">{escape(title)}</text>',
    ]
    for number, (name, table) in enumerate(tables.items()):
        x0 = _LEFT + (number % each) * (wide + _GAP)
        y0 = _TOP + (number // each) * (high + _GAP + _BELOW)
        shares = [[(float(x) - low) / span for x in line] for line in table]
        parts.append(_text(x0, y0 - 8, name, anchor="start", size=12))
        parts += _cells(table, shares, x0, y0 + high)
        parts += [
            _text(x0 + (j + 0.5) * _SIDE, y0 + high + 14, f"{value:g}")
            for j, value in enumerate(columns)
        ]
        parts.append(_text(x0 + wide / 2, y0 + high + 30, column_label))
        if number % each == 0:
            parts += [
                _text(x0 - 6, y0 + high - i * _SIDE - 9, f"{value:g}", anchor="end")
                for i, value in enumerate(rows)
            ]
            parts.append(
                f'<text transform="translate(22 {y0 + high / 2}) rotate(-90)"'
                f' text-anchor="middle">{escape(row_label)}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _cells(table: Any, shares: Sequence[Sequence[float]], left: float, bottom: float) -> list[str]:
    parts = []
    for i, line in enumerate(shares):
        for j, share in enumerate(line):
            x, y = left + j * _SIDE, bottom - (i + 1) * _SIDE
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_SIDE}" height="{_SIDE}" fill="{_colour(share)}"/>'
            )
            ink = "white" if share < 0.6 else "black"
            value = f"{float(table[i][j]):.0f}"
            parts.append(_text(x + _SIDE / 2, y + 16, value, size=8, ink=ink))
    return parts


def _text(
    x: float, y: float, words: str, *, anchor: str = "middle", size: int = 11, ink: str = "black"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{ink}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _colour(share: float) -> str:
    at = min(max(share, 0.0), 1.0) * (len(_VIRIDIS) - 1)
    k = min(int(at), len(_VIRIDIS) - 2)
    mixed = [a + (at - k) * (b - a) for a, b in zip(_VIRIDIS[k], _VIRIDIS[k + 1], strict=True)]
    return "rgb({:.0f},{:.0f},{:.0f})".format(*mixed)
