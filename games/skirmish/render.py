"""The battlefield for people: text for the terminal, SVG for replays."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from games.skirmish import layout as at
from games.skirmish.battle import Battle

__all__ = ["svg", "table", "unit_view"]

_COLUMNS, _LINES = 64, 32  # a character is half as wide as it is high
_SCALE = 16  # pixels for one unit of length
_TEAM = ("#2f6fde", "#d1493f")
_INK, _GROUND, _WALL = "#22252b", "#f4f1e8", "#8f8a7d"


def _head(battle: Battle, world: at.World) -> str:
    heads, pays = world.heads[0], world.pays[0]
    alive = world.units[0, at.HEALTH] > 0
    text = (
        f"{battle.map}  decision {heads[at.STEP]}/{battle.decisions}"
        f"  allies {int(alive[: battle.allies].sum())}/{battle.allies}"
        f"  enemies {int(alive[battle.allies :].sum())}/{battle.enemies}"
        f"  return {pays[at.RETURN_0]:.2f}"
    )
    if battle.both:
        text += f" : {pays[at.RETURN_1]:.2f}"
    if heads[at.OVER]:
        winner = int(heads[at.WINNER])
        text += "  " + ("the allies win", "the enemies win", "nobody wins")[winner]
    return text


def _line(battle: Battle, world: at.World, unit: int) -> str:
    """Return one unit in words: `ally_0 marine 45/45 at 8.1, 16.4`."""
    units, stats = world.units[0, :, unit], world.stats[0, :, unit]
    kind = battle.kinds[int(world.marks[0, at.TYPE, unit])].name
    text = f"{battle.unit_name(unit)} {kind} {units[at.HEALTH]:g}/{stats[at.FULL_HEALTH]:g}"
    if stats[at.FULL_SHIELD] > 0:
        text += f" shield {units[at.SHIELD]:g}/{stats[at.FULL_SHIELD]:g}"
    if stats[at.FULL_ENERGY] > 0:
        text += f" energy {units[at.ENERGY]:g}"
    return f"{text} at {units[at.X]:.1f}, {units[at.Y]:.1f}"


def table(battle: Battle, world: at.World) -> str:
    """Return the battlefield as text: allies in capitals as `A`, enemies as `e`, and a list.

    Args:
        battle: what is played.
        world: one episode.
    """
    field = [[" "] * _COLUMNS for _ in range(_LINES)]
    walls = battle.walls
    for line in range(_LINES):
        for column in range(_COLUMNS):
            y, x = _LINES - 1 - line, column // 2
            field[line][column] = "#" if walls.size and walls[y, x] else " "
    units = world.units[0]
    rows = []
    for unit in range(battle.units):
        if units[at.HEALTH, unit] <= 0:
            continue
        column = min(max(int(units[at.X, unit] * 2), 0), _COLUMNS - 1)
        line = min(max(_LINES - 1 - int(units[at.Y, unit]), 0), _LINES - 1)
        number = unit if unit < battle.allies else unit - battle.allies
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        letter = letters[number % 26]
        field[line][column] = letter if unit < battle.allies else letter.lower()
        rows.append(
            f"{field[line][column]} {_line(battle, world, unit)}{_doing(battle, world, unit)}"
        )
    border = "+" + "-" * _COLUMNS + "+"
    drawn = [border, *("|" + "".join(line) + "|" for line in field), border]
    return "\n".join([_head(battle, world), *drawn, *rows])


def _doing(battle: Battle, world: at.World, unit: int) -> str:
    target = int(world.marks[0, at.SHOT, unit])
    if target < 0:
        return ""
    heals = world.stats[0, at.HEAL, unit] > 0
    return f", {'heals' if heals else 'shoots'} {battle.unit_name(target)}"


def unit_view(battle: Battle, world: at.World, seat: int) -> str:
    """Return what a unit sees, in words; `world` shows nothing else."""
    alive = world.units[0, at.HEALTH] > 0
    if not alive[seat]:
        return f"{battle.unit_name(seat)} is dead"
    others = [_line(battle, world, u) for u in np.flatnonzero(alive).tolist() if u != seat]
    return "\n".join([f"you: {_line(battle, world, seat)}", *(others or ["nobody in sight"])])


# -- drawing --------------------------------------------------------------------------------


def svg(battle: Battle, world: at.World) -> str:
    """Return the battlefield as an SVG document.

    Units are circles of their size, lighter the less health they have, with bars of health
    and shield; thin circles are weapon ranges, lines are shots, crosses the dead.
    """
    width = float(battle.rules.reals[at.WIDTH])
    height = float(battle.rules.reals[at.HEIGHT])
    wide, high = width * _SCALE, height * _SCALE
    parts = [f'<rect y="28" width="{wide:g}" height="{high:g}" fill="{_GROUND}"/>']
    rows, columns = battle.walls.shape
    for row in range(rows):
        for column in range(columns):
            if battle.walls[row, column]:
                parts.append(
                    f'<rect x="{column * _SCALE}" y="{28 + high - (row + 1) * _SCALE:g}"'
                    f' width="{_SCALE}" height="{_SCALE}" fill="{_WALL}"/>'
                )
    units = world.units[0]
    order = np.argsort(units[at.HEALTH] > 0, kind="stable").tolist()
    parts += [_reach(battle, world, u, high) for u in order if units[at.HEALTH, u] > 0]
    parts += [_shot(battle, world, u, high) for u in order]
    parts += [_unit(battle, world, u, high) for u in order]
    head = escape(_head(battle, world))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high + 28:g}"'
        f' width="{wide:g}" height="{high + 28:g}" font-family="sans-serif" font-size="12">'
        f'<rect width="{wide:g}" height="{high + 28:g}" fill="#ffffff"/>'
        f'<text x="8" y="19" fill="{_INK}">{head}</text>{"".join(parts)}</svg>'
    )


def _at(world: at.World, unit: int, high: float) -> tuple[float, float]:
    units = world.units[0]
    return units[at.X, unit] * _SCALE, 28 + high - units[at.Y, unit] * _SCALE


def _team(battle: Battle, unit: int) -> str:
    return _TEAM[int(unit >= battle.allies)]


def _reach(battle: Battle, world: at.World, unit: int, high: float) -> str:
    x, y = _at(world, unit, high)
    stats = world.stats[0]
    far = stats[at.RANGE, unit] + (0 if battle.smax else stats[at.RADIUS, unit])
    cone = ""
    if battle.looks:
        sight = stats[at.SIGHT, unit] * _SCALE
        look = math.atan2(world.units[0, at.LOOK_Y, unit], world.units[0, at.LOOK_X, unit])
        ends = [look - math.pi / battle.looks, look + math.pi / battle.looks]
        points = [f"{x + sight * math.cos(a):.1f},{y - sight * math.sin(a):.1f}" for a in ends]
        cone = (
            f'<polygon points="{x:.1f},{y:.1f} {" ".join(points)}"'
            f' fill="{_team(battle, unit)}" opacity="0.08"/>'
        )
    return (
        f'{cone}<circle cx="{x:.1f}" cy="{y:.1f}" r="{far * _SCALE:.1f}" fill="none"'
        f' stroke="{_team(battle, unit)}" stroke-width="0.6" opacity="0.35"/>'
    )


def _shot(battle: Battle, world: at.World, unit: int, high: float) -> str:
    target = int(world.marks[0, at.SHOT, unit])
    if target < 0:
        return ""
    x, y = _at(world, unit, high)
    to_x, to_y = _at(world, target, high)
    heals = world.stats[0, at.HEAL, unit] > 0
    paint = "#2f9e63" if heals else _team(battle, unit)
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{paint}"'
        f' stroke-width="1.6" stroke-dasharray="5 3"/>'
    )


def _unit(battle: Battle, world: at.World, unit: int, high: float) -> str:
    x, y = _at(world, unit, high)
    units, stats = world.units[0, :, unit], world.stats[0, :, unit]
    paint = _team(battle, unit)
    radius = stats[at.RADIUS] * _SCALE
    if units[at.HEALTH] <= 0:
        d = radius * 0.6
        return (
            f'<path d="M{x - d:.1f} {y - d:.1f}L{x + d:.1f} {y + d:.1f}M{x - d:.1f} {y + d:.1f}'
            f'L{x + d:.1f} {y - d:.1f}" stroke="{paint}" stroke-width="1.2" opacity="0.5"/>'
        )
    kind = battle.kinds[int(world.marks[0, at.TYPE, unit])]
    share = float(units[at.HEALTH] / stats[at.FULL_HEALTH])
    bars = _bar(x, y - radius - 7, share, "#2f9e63" if share > 0.35 else "#d9822b")
    if stats[at.FULL_SHIELD] > 0:
        bars += _bar(x, y - radius - 11, float(units[at.SHIELD] / stats[at.FULL_SHIELD]), "#5aa9e6")
    if stats[at.FULL_ENERGY] > 0:
        bars += _bar(x, y - radius - 11, float(units[at.ENERGY] / stats[at.FULL_ENERGY]), "#9b6dd6")
    return (
        f"<g><title>{escape(_line(battle, world, unit))}</title>"
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{paint}"'
        f' fill-opacity="{0.35 + 0.65 * share:.2f}" stroke="{_INK}" stroke-width="0.8"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" fill="#ffffff" font-size="11" font-weight="bold"'
        f' text-anchor="middle">{kind.letter}</text>{bars}</g>'
    )


def _bar(x: float, y: float, share: float, paint: str) -> str:
    return (
        f'<rect x="{x - 9:.1f}" y="{y:.1f}" width="18" height="3" fill="#d8d4c8"/>'
        f'<rect x="{x - 9:.1f}" y="{y:.1f}" width="{18 * share:.1f}" height="3" fill="{paint}"/>'
    )
