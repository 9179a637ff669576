"""A chart of gaps on logarithmic axes as one self-contained SVG, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["Curve", "gap_chart"]

Curve = Sequence[tuple[float, float]]
"""Points (x, gap)."""

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#3d9bd1", "#444444", "#a0308f")
_DASHES = ("", "7 4", "2 3")
_WIDTH, _HEIGHT = 460.0, 360.0  # of one panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 16.0, 56.0, 48.0
_FLOOR = 1e-17  # gaps below are rounding: they are drawn here


def gap_chart(
    title: str,
    panels: Mapping[str, Mapping[str, Curve]],
    *,
    gap: str,
    until: float | None = None,
) -> str:
    """Return an SVG document with one panel for each way to measure the work.

    Args:
        title: over everything.
        panels: label of the horizontal axis to curves by name, the same names in each.
        gap: label of the vertical axis.
        until: a gap to mark with a line.
    """
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    gaps = [max(y, _FLOOR) for curves in panels.values() for c in curves.values() for _, y in c]
    low, high = _decades([*gaps, *([until] if until else [])])
    rows = _legend_rows(names, len(panels) * _WIDTH - _LEFT - _RIGHT)
    top = _TOP + 20.0 * len(rows)
    width, height = len(panels) * _WIDTH, top - 24 + _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" font-family="system-ui, sans-serif"'
        ' font-size="12" fill="#222">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="28" font-size="16" font-weight="600">{escape(title)}</text>',
    ]
    for r, row in enumerate(rows):
        parts += _legend(row, names, y=50.0 + 20.0 * r)
    for i, (label, curves) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({i * _WIDTH:g} {top - 24:g})">')
        parts += _panel(label, curves, names, low, high, gap if i == 0 else "", until)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Return whole powers of ten around the values, at least one apart."""
    known = [v for v in values if v > 0 and math.isfinite(v)] or [1.0]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return low, max(high, low + 1)


def _style(names: Sequence[str], name: str) -> str:
    at = names.index(name)
    dash = _DASHES[at // len(_COLOURS) % len(_DASHES)]
    return f'stroke="{_COLOURS[at % len(_COLOURS)]}"' + (
        f' stroke-dasharray="{dash}"' if dash else ""
    )


def _legend_rows(names: Sequence[str], width: float) -> list[list[str]]:
    """Break the legend into rows that fit the width."""
    rows: list[list[str]] = []
    room = 0.0
    for name in names:
        need = _entry_width(name)
        if not rows or need > room:
            rows.append([])
            room = width
        rows[-1].append(name)
        room -= need
    return rows


def _entry_width(name: str) -> float:
    return 46.0 + 7.0 * len(name)


def _legend(row: Sequence[str], names: Sequence[str], *, y: float) -> list[str]:
    parts, x = [], _LEFT
    for name in row:
        parts.append(
            f'<line x1="{x:g}" x2="{x + 22:g}" y1="{y:g}" y2="{y:g}" stroke-width="2.5"'
            f" {_style(names, name)}/>"
        )
        parts.append(f'<text x="{x + 28:g}" y="{y + 4:g}">{escape(name)}</text>')
        x += _entry_width(name)
    return parts


def _panel(
    label: str,
    curves: Mapping[str, Curve],
    names: Sequence[str],
    low: int,
    high: int,
    gap: str,
    until: float | None,
) -> list[str]:
    xs = [x for curve in curves.values() for x, _ in curve]
    left, right = _decades(xs)
    x0, x1, y0, y1 = _LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, 16.0

    def at_x(x: float) -> float:
        share = (math.log10(max(x, 10.0**left)) - left) / (right - left)
        return x0 + share * (x1 - x0)

    def at_y(y: float) -> float:
        share = (math.log10(max(y, _FLOOR)) - low) / (high - low)
        return y0 - share * (y0 - y1)

    parts = []
    for k in _ticks(left, right):
        x = at_x(10.0**k)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y0}" y2="{y1}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{x:.1f}" y="{y0 + 18}" text-anchor="middle">{_power(k)}</text>')
    for k in _ticks(low, high):
        y = at_y(10.0**k)
        parts.append(f'<line x1="{x0}" x2="{x1}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{x0 - 8}" y="{y + 4:.1f}" text-anchor="end">{_power(k)}</text>')
    if until:
        y = at_y(until)
        parts.append(
            f'<line x1="{x0}" x2="{x1}" y1="{y:.1f}" y2="{y:.1f}" stroke="#888"'
            ' stroke-dasharray="4 3"/>'
        )
    parts.append(f'<path d="M{x0} {y1}V{y0}H{x1}" fill="none" stroke="#555"/>')
    for name, curve in curves.items():
        points = [(at_x(x), at_y(y)) for x, y in curve if math.isfinite(y)]
        if not points:
            continue
        style = _style(names, name)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        x, y = points[-1]
        parts.append(
            f'<polyline points="{line}" fill="none" stroke-width="2" stroke-linejoin="round"'
            f" {style}><title>{escape(name)}</title></polyline>"
        )
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
    middle = (x0 + x1) / 2
    parts.append(f'<text x="{middle:g}" y="{y0 + 38}" text-anchor="middle">{escape(label)}</text>')
    if gap:
        y = (y0 + y1) / 2
        parts.append(
            f'<text x="18" y="{y:g}" text-anchor="middle"'
            f' transform="rotate(-90 18 {y:g})">{escape(gap)}</text>'
        )
    return parts


def _ticks(low: int, high: int) -> range:
    """Return powers of ten to label, eight at most."""
    return range(low, high + 1, max(1, math.ceil((high - low) / 8)))


def _power(k: int) -> str:
    if k in (0, 1):
        return str(10**k)
    digits = str(k).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits}"
