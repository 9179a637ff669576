# ruff: noqa: PLR0912, PLR0915, PLR0917 - compiled: no keywords, many fields to set
"""How episodes begin: armies drawn where a map draws them, units placed, all else reset."""

from __future__ import annotations

import numpy as np

from games._stream import stream_below, stream_unit
from games.skirmish._jit import inlined, kernel
from games.skirmish._smac_kernels import smac_push
from games.skirmish._smac_observe_kernels import reveal
from games.skirmish._smax_kernels import smax_push
from games.skirmish.layout import (
    ACTION,
    COOLDOWN,
    ENERGY,
    FACING,
    FIGHTERS_0,
    FIGHTERS_1,
    FULL_ENERGY,
    FULL_HEALTH,
    FULL_SHIELD,
    GROUPS,
    HEAL,
    HEALTH,
    HEIGHT,
    LOOK_X,
    MEMORY,
    PAY_DEATH,
    PAY_RATE,
    PAY_WIN,
    QUIET,
    R_ALLIES,
    R_ALONE,
    R_DRAWN,
    R_START,
    RADIUS,
    SCALE_0,
    SCALE_1,
    SHIELD,
    SHOT,
    START_X,
    START_Y,
    TARGET,
    TYPE,
    WIDTH,
    WINNER,
    X,
    Y,
)

__all__ = ["start_one"]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_PUSHES = 12  # of an SMAC start: enough to clear the heap that a drawn place may be


@inlined
def _uniform(streams, k, low, high):  # type: ignore[no-untyped-def]  # compiled by numba
    return low + (high - low) * np.float32(stream_unit(streams, k))


@inlined
def _draw_team(marks, rules, streams, k, first, last):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw the types of units `first` to `last`, again while all are of the kind named."""
    alone = rules.numbers[R_ALONE] - 1
    while last > first:
        fine = alone < 0
        for i in range(first, last):
            drawn = np.float32(stream_unit(streams, k))
            kind = 0
            while kind + 1 < rules.choices.shape[0] and drawn >= rules.choices[kind]:
                kind += 1
            marks[TYPE, i] = kind
            fine |= kind != alone
        if fine:
            return


@inlined
def _draw_types(marks, rules, streams, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Draw team 0; team 1 is its copy, as far as it goes, and what it has more is drawn."""
    allies, count = rules.numbers[R_ALLIES], marks.shape[1]
    _draw_team(marks, rules, streams, k, 0, allies)
    copied = min(count - allies, allies)
    for i in range(copied):
        marks[TYPE, allies + i] = marks[TYPE, i]
    _draw_team(marks, rules, streams, k, allies + copied, count)


@inlined
def _place_mirrored(units, rules, ground, streams, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Team 0 anywhere in its half, team 1 opposite; the rest of it anywhere in its own."""
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    # SMACv2 keeps a strip free in the middle, where units would start on one another.
    gap = _ZERO if ground is None else _ONE
    for i in range(count):
        if i < allies:
            units[X, i] = _uniform(streams, k, _ZERO, width * _HALF - gap)
            units[Y, i] = _uniform(streams, k, _ZERO, height)
        elif i - allies < allies:
            units[X, i] = width - units[X, i - allies]
            units[Y, i] = units[Y, i - allies]
        else:
            units[X, i] = _uniform(streams, k, width * _HALF, width)
            units[Y, i] = _uniform(streams, k, _ZERO, height)


@inlined
def _place_surrounded(units, rules, ground, streams, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """One team in the middle, the other in up to four groups on the diagonals.

    In SMACv2 team 0 is always in the middle and there are 1 to 4 groups; in SMAX either team
    is, and there are 4.
    """
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
    two = np.float32(2.0)
    smax = ground is None
    inside = stream_below(streams, k, 2) if smax else 0
    groups = 4 if smax else 1 + stream_below(streams, k, 4)
    # Corners and shares of the diagonals are picked by a shuffle of what is left.
    free = 15
    corners = 0
    for group in range(groups):
        left = stream_below(streams, k, 4 - group)
        for corner in range(4):
            if free >> corner & 1:
                if left == 0:
                    free &= ~(1 << corner)
                    corners |= corner << (2 * group)
                    break
                left -= 1
    share_0 = np.float32(stream_unit(streams, k))
    share_1 = np.float32(stream_unit(streams, k))
    share_2 = np.float32(stream_unit(streams, k))
    share_3 = np.float32(stream_unit(streams, k))
    for i in range(count):
        if (i >= allies) == inside:
            x, y = width * _HALF, height * _HALF
        else:
            group = stream_below(streams, k, groups)
            corner = corners >> (2 * group) & 3
            share = share_0 if group == 0 else share_1
            if group > 1:
                share = share_2 if group == 2 else share_3
            x = share * width * _HALF + (_ONE - share) * (width if corner & 1 else _ZERO)
            y = share * height * _HALF + (_ONE - share) * (height if corner & 2 else _ZERO)
        units[X, i] = x + _uniform(streams, k, -two, two)
        units[Y, i] = y + _uniform(streams, k, -two, two)


@kernel
def start_one(world, rules, ground, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Begin episode `k` with the chance that its stream gives; its arrays are overwritten."""
    units, marks, heads = world.units[k], world.marks[k], world.heads[k]
    s = k if world.stats.shape[0] > 1 else 0
    stats = world.stats[s]
    streams = world.streams
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    units[:] = _ZERO
    marks[:] = 0
    heads[:] = 0
    world.pays[k] = 0.0
    if rules.numbers[R_DRAWN]:
        _draw_types(marks, rules, streams, k)
        for i in range(count):
            stats[:, i] = rules.table[marks[TYPE, i]]
    else:
        marks[TYPE] = rules.types
    start = rules.numbers[R_START]
    if start == FACING:
        for i in range(count):
            spread = rules.starts[2, i]
            units[X, i] = rules.starts[0, i] + _uniform(streams, k, -spread, spread)
            units[Y, i] = rules.starts[1, i] + _uniform(streams, k, -spread, spread)
    elif start == GROUPS and stream_below(streams, k, 2) == 0:
        _place_surrounded(units, rules, ground, streams, k)
    else:
        _place_mirrored(units, rules, ground, streams, k)
    heads[WINNER] = -1
    totals_0 = totals_1 = 0.0
    for i in range(count):
        units[HEALTH, i] = stats[FULL_HEALTH, i]
        units[SHIELD, i] = stats[FULL_SHIELD, i]
        units[ENERGY, i] = stats[FULL_ENERGY, i] * np.float32(0.25)
        units[QUIET, i] = np.float32(10.0)
        units[COOLDOWN, i] = _ZERO
        units[LOOK_X, i] = _ONE
        marks[TARGET, i] = marks[MEMORY, i] = marks[SHOT, i] = -1
        marks[ACTION, i] = 0 if ground is None else -1
        total = float(stats[FULL_HEALTH, i] + stats[FULL_SHIELD, i])
        fights = 0 if stats[HEAL, i] > _ZERO else 1
        if i < allies:
            totals_0 += total
            heads[FIGHTERS_0] += fights
        else:
            totals_1 += total
            heads[FIGHTERS_1] += fights
    # What an episode pays at most, shields that regenerate aside.
    death, win, rate = rules.rewards[PAY_DEATH], rules.rewards[PAY_WIN], rules.rewards[PAY_RATE]
    paid_0 = totals_1 + death * (count - allies) + win
    paid_1 = totals_0 + death * allies + win
    world.pays[k, SCALE_0] = paid_0 / rate if rate > 0.0 else 1.0
    world.pays[k, SCALE_1] = paid_1 / rate if rate > 0.0 else 1.0
    if ground is None:
        smax_push(world.units, world.stats, k, s)
    else:
        width, height = rules.reals[WIDTH], rules.reals[HEIGHT]
        for i in range(count):
            radius = stats[RADIUS, i]
            units[X, i] = max(min(units[X, i], width - radius), radius)
            units[Y, i] = max(min(units[Y, i], height - radius), radius)
        for _ in range(_PUSHES):
            smac_push(world.units, world.stats, k, s, ground.walls, width, height)
    for i in range(count):
        units[START_X, i] = units[X, i]
        units[START_Y, i] = units[Y, i]
    if world.seen.shape[1]:
        world.seen[k] = 0
        numbers, reals = rules.numbers, rules.reals
        reveal(world.units, world.stats, k, s, world.seen, streams, numbers, reals)
