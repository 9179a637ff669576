"""The table for people: text for the terminal, SVG for replays."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from games.hanabi import layout as at
from games.hanabi.variant import COLORS, Variant

__all__ = ["svg", "table"]

_PAINT = {
    "R": "#d1495b",
    "Y": "#e3b505",
    "G": "#3a9d5d",
    "W": "#e9e7df",
    "B": "#3d6fb6",
    "?": "#b8bcc4",
}
_CARD, _HIGH, _GAP, _LEFT = 46, 62, 8, 92


def table(variant: Variant, row: NDArray[np.int16], seat: int | None) -> str:
    """Return the table as text, as `seat` sees it or (None) with all cards open.

    Args:
        variant: what is played.
        row: the episode; cards of −1 are shown as `??`.
        seat: who looks.
    """
    fireworks = row[at.FIREWORKS : at.FIREWORKS + variant.colors].tolist()
    lines = [
        f"score {row[at.SCORE]}/{variant.max_score}"
        f"  information {row[at.INFORMATION]}/{variant.max_information_tokens}"
        f"  lives {row[at.LIVES]}/{variant.max_life_tokens}"
        f"  deck {variant.deck_size - int(row[at.DEALT])}",
        "fireworks  " + " ".join(f"{COLORS[c]}{height}" for c, height in enumerate(fireworks)),
        "discards   " + (" ".join(_discards(variant, row)) or "none"),
    ]
    if int(row[at.DEALT]) == variant.deck_size and row[at.LIVE]:
        lines.append(f"last round: {row[at.LEFT]} turns left")
    for other in range(variant.players):
        mark = "to move" if row[at.LIVE] and row[at.TURN] == other else ""
        you = " (you)" if other == seat else ""
        cards = [
            f"{variant.card_name(card)} [{_told(variant, known)}]"
            for card, known in _hand(variant, row, other)
        ]
        lines.append(f"seat {other}{you}: {'  '.join(cards) or 'no card'}  {mark}".rstrip())
    last = _last(variant, row)
    if last:
        lines.append(last)
    return "\n".join(lines)


def _hand(variant: Variant, row: NDArray[np.int16], seat: int) -> list[tuple[int, int]]:
    """Return card and knowledge of each card held, oldest first."""
    base = at.HANDS + seat * variant.cards_held
    held = row[base : base + int(row[at.SIZES + seat])].tolist()
    return [(int(row[at.DECK + i]), int(row[at.KNOWN + i])) for i in held]


def _told(variant: Variant, known: int) -> str:
    """Return the colours and ranks that hints leave."""
    colors = "".join(COLORS[c] for c in range(variant.colors) if known >> c & 1)
    ranks = "".join(str(r + 1) for r in range(variant.ranks) if known >> (5 + r) & 1)
    return f"{colors} {ranks}"


def _discards(variant: Variant, row: NDArray[np.int16]) -> list[str]:
    counts = row[at.DISCARDS : at.DISCARDS + 40].tolist()
    return [variant.card_name(card) for card, count in enumerate(counts) for _ in range(count)]


def _last(variant: Variant, row: NDArray[np.int16]) -> str:
    """Return the last move in words."""
    length = int(row[at.LENGTH])
    if length == 0:
        return ""
    action, note = row[at.LOG + 2 * length - 2 : at.LOG + 2 * length].tolist()
    seat = (int(row[at.TURN]) - 1) % variant.players
    told = f"seat {seat}: {variant.action_name(seat, action)}"
    if action >= 2 * variant.cards_held:
        slots = [str(i) for i in range(variant.cards_held) if note >> i & 1]
        return f"{told} (slots {', '.join(slots)})"
    card = variant.card_name(int(row[at.DECK + note]))
    if action < variant.cards_held:
        return f"{told} ({card})"
    return f"{told} ({card}, {'played' if row[at.OUTCOME] & 1 else 'misplayed'})"


# -- drawing --------------------------------------------------------------------------------


def svg(variant: Variant, row: NDArray[np.int16]) -> str:
    """Return the table with all cards open as an SVG document."""
    wide = max(variant.cards_held, variant.colors) * (_CARD + _GAP) + _LEFT + _GAP
    wide = max(wide, 420)
    parts: list[str] = []
    y = 24
    head = table(variant, row, None).splitlines()[0]
    parts.append(_text(12, y, head))
    y += 14
    parts.append(_text(12, y + 36, "fireworks"))
    for color in range(variant.colors):
        height = int(row[at.FIREWORKS + color])
        label = f"{COLORS[color]}{height}"
        parts.append(_draw_card(_LEFT + color * (_CARD + _GAP), y, label, "", faded=height == 0))
    y += _HIGH + 14
    for seat in range(variant.players):
        turn = bool(row[at.LIVE]) and int(row[at.TURN]) == seat
        parts.append(_text(12, y + 36, f"seat {seat}" + (" ▸" if turn else ""), bold=turn))
        for slot, (card, known) in enumerate(_hand(variant, row, seat)):
            label = variant.card_name(card)
            told = _shown(variant, known)
            parts.append(_draw_card(_LEFT + slot * (_CARD + _GAP), y, label, told))
        y += _HIGH + 12
    y += 8
    for line in (f"discards: {' '.join(_discards(variant, row)) or 'none'}", _last(variant, row)):
        for start in range(0, len(line), 64):
            parts.append(_text(12, y, line[start : start + 64]))
            y += 18
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {y}" width="{wide}"'
        f' height="{y}" font-family="sans-serif" font-size="13">'
        f'<rect width="{wide}" height="{y}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def _shown(variant: Variant, known: int) -> str:
    """Return what was told of a card: its colour and its rank, or nothing."""
    color = next((COLORS[c] for c in range(variant.colors) if known >> c & 1), "")
    rank = next((str(r + 1) for r in range(variant.ranks) if known >> (5 + r) & 1), "")
    return (color if known & at.COLOR_TOLD else "") + (rank if known & at.RANK_TOLD else "")


def _text(x: int, y: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="#22252b"{weight}>{escape(text)}</text>'


def _draw_card(x: int, y: int, label: str, told: str, *, faded: bool = False) -> str:
    ink = "#22252b" if label[0] in "WY?" else "#ffffff"
    opacity = ' opacity="0.35"' if faded else ""
    under = (
        f'<text x="{x + _CARD / 2:g}" y="{y + 54}" fill="{ink}" font-size="11"'
        f' text-anchor="middle">{escape(told)}</text>'
    )
    return (
        f'<g{opacity}><rect x="{x}" y="{y}" width="{_CARD}" height="{_HIGH}" rx="6"'
        f' fill="{_PAINT[label[0]]}" stroke="#555a63"/>'
        f'<text x="{x + _CARD / 2:g}" y="{y + 32}" fill="{ink}" font-size="20"'
        f' text-anchor="middle">{escape(label)}</text>{under if told else ""}</g>'
    )
