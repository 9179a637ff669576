"""Line and interval charts as self-contained SVG, for the figures of reproductions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["interval_chart", "line_chart"]

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 170, 40, 50
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which colour-blind readers tell apart."""

Points = Sequence[tuple[float, float]]


def line_chart(
    series: Mapping[str, Points],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
) -> str:
    """Return an SVG document with a line a series.

    Args:
        series: name to points; of a logarithmic axis, points above zero only are drawn.
        title: above the chart.
        x_label: below it.
        y_label: beside it.
        log_x: logarithmic scale.
        log_y: logarithmic scale.
    """
    kept = {
        name: [(x, y) for x, y in points if (x > 0 or not log_x) and (y > 0 or not log_y)]
        for name, points in series.items()
    }
    xs = [x for points in kept.values() for x, _ in points] or [0.0, 1.0]
    ys = [y for points in kept.values() for _, y in points] or [0.0, 1.0]
    if not log_y:
        ys = [*ys, 0.0]
    across, up = _Axis(min(xs), max(xs), log_x), _Axis(min(ys), max(ys), log_y)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + across.share(x) * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - up.share(y) * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">{escape(title)}</text>',
    ]
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in across.ticks():
        x, _ = place(tick, up.low)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in up.ticks():
        _, y = place(across.low, tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>'
    )
    parts.append(
        f'<text transform="translate(16 {(_TOP + bottom) / 2}) rotate(-90)"'
        f' text-anchor="middle">{escape(y_label)}</text>'
    )
    for number, (name, points) in enumerate(kept.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(points) <= 40:
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                for x, y in (place(*point) for point in points)
            ]
        line = _TOP + 12 + 18 * number
        parts.append(f'<path d="M{right + 10} {line - 4}h18" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{right + 33}" y="{line}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def interval_chart(
    rows: Mapping[str, Mapping[str, tuple[float, float, float]]], *, title: str, x_label: str
) -> str:
    """Return an SVG document with a row a case, and in it a point with its interval a series.

    Args:
        rows: case to series to (value, lower end, upper end).
        title: above the chart.
        x_label: below it.
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    ends = [v for row in rows.values() for point in row.values() for v in point] or [0.0, 1.0]
    axis = _Axis(min(ends), max(ends), False)
    left, step = 30 + 6.6 * max((len(name) for name in rows), default=0), 16 * len(series) + 10
    bottom, right = _TOP + 10 + step * len(rows), left + 420
    width = right + 40 + 6.6 * max((len(name) for name in series), default=0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {bottom + 50}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width:.0f}" height="{bottom + 50}" fill="white"/>',
        f'<text x="16" y="22" font-size="14">{escape(title)}</text>',
    ]

    def place(x: float) -> float:
        return left + 10 + axis.share(x) * (right - left - 20)

    for tick in axis.ticks():
        x = place(tick)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    middle = (left + right) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{bottom + 38}" text-anchor="middle">{escape(x_label)}</text>'
    )
    for number, (case, row) in enumerate(rows.items()):
        top = _TOP + 10 + step * number
        parts.append(
            f'<text x="{left - 8:.1f}" y="{top + step / 2:.1f}" text-anchor="end">'
            f"{escape(case)}</text>"
        )
        for name, (value, low, high) in row.items():
            y, colour = top + 10 + 16 * series.index(name), _COLOURS[series.index(name) % 6]
            parts.append(
                f'<path d="M{place(low):.1f} {y}H{place(high):.1f}" stroke="{colour}"'
                ' stroke-width="2"/>'
            )
            parts.append(f'<circle cx="{place(value):.1f}" cy="{y}" r="4" fill="{colour}"/>')
    for number, name in enumerate(series):
        y, colour = _TOP + 20 + 18 * number, _COLOURS[number % 6]
        parts.append(f'<circle cx="{right + 16:.1f}" cy="{y - 4}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{right + 26:.1f}" y="{y}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """One scale."""

    def __init__(self, low: float, high: float, log: bool) -> None:
        self.log = log
        self.low, self.high = low, high if high > low else low + (abs(low) or 1.0)

    def share(self, value: float) -> float:
        """Return how far along the axis a value is, 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values within the axis."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return [10.0**k for k in range(first, last + 1)] or [self.low, self.high]
        rough = (self.high - self.low) / 5
        unit = 10.0 ** math.floor(math.log10(rough))
        step = unit * next(m for m in (1, 2, 5, 10) if m * unit >= rough)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [round(step * (first + k), 12) for k in range(count)]
