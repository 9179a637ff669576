"""All two-action strategies in one loop: a whole match without Python.

Each branch below is the rule of the same name in this package, written for integers
and shift registers; `agents.scripted.table` gives the numbers. A seat's memory is a row of
floats: counters and flags, zero at the start of a match.

They stand in one file because numba's cache watches only the file of the function called.

`mine` and `theirs` hold executed actions as bits, the latest lowest; before the first
round they read as cooperation.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from games._stream import stream_below, stream_unit

__all__ = ["MEMORY", "play_matches"]

MEMORY = 8
"""Length of a seat's memory."""

_CHI_SQUARED_05 = 3.841458820694124
_NYDEGGER = np.zeros(64, dtype=np.bool_)
_NYDEGGER[[1, 6, 7, 17, 22, 23, 26, 29, 30, 31, 33, 38, 39, 45, 49, 54, 55, 58, 61]] = True


@njit(cache=True, inline="always")
def _coin(p, streams, i):  # type: ignore[no-untyped-def]  # compiled by numba
    if p <= 0.0:
        return 1
    if p >= 1.0:
        return 0
    return 0 if stream_unit(streams, i) < p else 1


@njit(cache=True, inline="always")
def _like_a_coin(cooperations, defections):  # type: ignore[no-untyped-def]  # compiled by numba
    off = cooperations - defections
    return off * off / (cooperations + defections) <= _CHI_SQUARED_05


@njit(cache=True, inline="always")
def _ones(bits):  # type: ignore[no-untyped-def]  # compiled by numba
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@njit(cache=True)
def _echo(code, par, t, mine, theirs, their_d, streams, i):  # type: ignore[no-untyped-def]  # noqa: PLR0911, PLR0912, PLR0917 - compiled: one flat switch
    """Strategies without a memory of their own."""
    last = theirs & 1
    own = mine & 1
    if code == 0:  # always_cooperate
        return 0
    if code == 1:  # always_defect
        return 1
    if code == 2:  # random
        return _coin(par[0], streams, i)
    if code == 3:  # alternator
        return 0 if t == 0 else 1 - own
    if code == 4:  # tit_for_tat
        return last
    if code == 5:  # suspicious_tit_for_tat
        return 1 if t == 0 else last
    if code == 6:  # anti_tit_for_tat
        return 0 if t == 0 else 1 - last
    if code == 7:  # bully
        return 1 - last
    if code == 8:  # tit_for_two_tats
        return 1 if theirs & 3 == 3 else 0
    if code == 9:  # two_tits_for_tat
        return 1 if theirs & 3 else 0
    if code == 10:  # hard_tit_for_tat
        return 1 if theirs & 7 else 0
    if code == 11:  # hard_tit_for_two_tats
        return 1 if theirs & 2 and theirs & 5 else 0
    if code == 12:  # slow_tit_for_tat
        if t < 2:
            return 0
        return last if (theirs >> 1) & 1 == last else own
    if code == 13:  # grim_trigger
        return 1 if their_d > 0 else 0
    if code == 14:  # soft_majority
        return 0 if 2 * their_d <= t else 1
    if code == 15:  # hard_majority
        return 0 if 2 * their_d < t else 1
    if code == 16:  # forgiver
        return 1 if their_d > t / 10 else 0
    if code == 17:  # appeaser
        return 0 if t == 0 else (own if last == 0 else 1 - own)
    if code == 18:  # memory_one
        if t == 0:
            return _coin(par[4], streams, i)
        return _coin(par[2 * own + last], streams, i)
    if code == 19:  # davis
        return 1 if t >= par[0] and their_d > 0 else 0
    if code == 20:  # nydegger
        if t < 3:
            return 1 if t == 2 and theirs & 3 == 2 else last
        a = 0
        weight = 16
        for k in range(3):
            a += weight * (2 * ((theirs >> k) & 1) + ((mine >> k) & 1))
            weight //= 4
        return 1 if _NYDEGGER[a] else 0
    if code == 21:  # grofman
        return 0 if t == 0 or own == last else _coin(2 / 7, streams, i)
    if code == 22:  # feld
        if t == 0:
            return 0
        slope = (par[1] - par[0]) / par[2]
        return 1 if last else _coin(max(par[0] + slope * t, par[1]), streams, i)
    if code == 23:  # tullock
        if t < 11:
            return 0
        return _coin(max(0.0, (10 - _ones(theirs & 1023)) / 10 - 0.10), streams, i)
    if code == 24:  # anonymous
        return _coin((3 + 4 * stream_unit(streams, i)) / 10, streams, i)
    if code == 25:  # naive_prober
        if t == 0:
            return 0
        return 1 if last else _coin(1 - par[0], streams, i)
    if code == 26:  # champion
        if t < 10:
            return 0
        if t < 25:
            return last
        if last:
            return 1 if their_d / t >= max(0.4, stream_unit(streams, i)) else 0
        return 0
    # eatherley (27)
    if t == 0 or last == 0:
        return 0
    return _coin(1 - their_d / t, streams, i)


@njit(cache=True)
def _recall(code, par, t, mine, theirs, streams, i, mem, meant, own_pay):  # type: ignore[no-untyped-def]  # noqa: PLR0911, PLR0912, PLR0915, PLR0917 - compiled: one flat switch
    """Strategies with a memory of their own; `mem` is modified in place."""
    last = theirs & 1
    own = mine & 1
    if code == 40:  # spiteful_tit_for_tat
        if theirs & 3 == 3:
            mem[0] = 1.0
        return 1 if mem[0] else last
    if code == 41:  # contrite_tit_for_tat; 0 contrite
        if t == 0:
            return 0
        if mem[0] and own == 0:
            mem[0] = 0.0
            return 0
        if meant != own and own == 1 and last == 0:
            mem[0] = 1.0
        return last
    if code == 42:  # adaptive_tit_for_tat; 0 world
        if t == 0:
            mem[0] = par[0]
            return 0
        world = mem[0]
        mem[0] = world + par[0] * (1.0 - world) if last == 0 else world - par[0] * world
        return 0 if mem[0] >= 0.5 else 1
    if code == 43:  # omega_tit_for_tat; 0 stuck, 1 strange
        if t < 2:
            return last
        if mem[0] >= par[0]:
            mem[0] = mem[0] + 1 if mem[0] == par[0] else 0.0
            return 0
        changed = (theirs >> 1) & 1 != last
        if changed:
            mem[1] += 1
        if own != last:
            mem[1] += 1
        if theirs & 3 == 0:
            mem[1] -= 1
        if mem[1] >= par[1]:
            return 1
        mem[0] = mem[0] + 1 if changed else 0.0
        return last
    if code == 44:  # gradual; 0 offences, 1 defections to come, 2 cooperations to come
        if mem[1] > 0:
            mem[1] -= 1
            return 1
        if mem[2] > 0:
            mem[2] -= 1
            return 0
        if last:
            mem[0] += 1
            mem[1] = mem[0] - 1
            mem[2] = 2
        return last
    if code == 45:  # soft_grim; 0 defections to come, 1 cooperations to come
        if mem[0] > 0:
            mem[0] -= 1
            return 1
        if mem[1] > 0:
            mem[1] -= 1
            return 0
        if last:
            mem[0] = 3
            mem[1] = 2
        return last
    if code == 46:  # n_pavlov; 0 k
        if t == 0:
            mem[0] = par[0]
        elif own == last:
            mem[0] = min(mem[0] + 1, par[0])
        else:
            mem[0] = max(mem[0] - 1, 0.0)
        return _coin(mem[0] / par[0], streams, i)
    if code == 47:  # tester; 0 plays tit for tat
        if t == 0:
            return 1
        if mem[0]:
            return last
        if last:
            mem[0] = 1.0
            return 0
        return 0 if t <= 2 else 1 - own
    if code == 48:  # handshake; 0 stranger
        if t < 2:
            return t
        if t == 2:
            mem[0] = 0.0 if theirs & 3 == 1 else 1.0
        return 1 if mem[0] else 0
    if code == 49:  # adaptive; 0, 1 earned by each action
        if t > 0:
            mem[own] += own_pay[own, last]
        if t < 11:
            return 0 if t < 6 else 1
        return 0 if mem[0] > mem[1] else 1
    if code == 50:  # prober; 0 the other bore it
        if t < 3:
            return 1 if t == 0 else 0
        if t == 3 and theirs & 3 == 0:
            mem[0] = 1.0
        return 1 if mem[0] else last
    if code == 51:  # remorseful_prober; 0 probing
        if t == 0:
            return 0
        if last:
            move = 0 if mem[0] else 1
            mem[0] = 0.0
            return move
        move = _coin(1 - par[0], streams, i)
        mem[0] = move
        return move
    if code == 52:  # adaptive_pavlov_2006; 0 kind: 1 cooperative, 2 random, 3 suspicious, 4 Pavlov
        if t < 6:
            return last
        if t % 6 == 0:
            seen = theirs & 63
            if seen == 0:
                mem[0] = 1
            elif seen == 63:
                mem[0] = 2
            elif seen == 42:  # DCDCDC
                mem[0] = 3
            elif seen == 54:  # DDCDDC
                mem[0] = 4
            elif mem[0] == 0:
                mem[0] = 2
        if mem[0] == 2:
            return 1
        if mem[0] == 3:
            return 0 if t % 6 < 2 else last
        if mem[0] == 4:
            return 1 if t % 6 == 0 else 0
        return last
    if code == 53:  # adaptive_pavlov_2011; 0 kind: 1 cooperative, 2 random, 3 suspicious
        if t < 6:
            return last
        if t % 6 == 0:
            defections = _ones(theirs & 63)
            if defections == 0:
                mem[0] = 1
            elif defections >= 4:
                mem[0] = 2
            elif defections == 3:
                mem[0] = 3
            elif mem[0] == 0:
                mem[0] = 2
        if mem[0] == 2:
            return 1
        if mem[0] == 3:
            return 1 if theirs & 3 == 3 else 0
        return last
    # shubik (54); 0 length, 1 defections to come
    if mem[1] > 0:
        mem[1] -= 1
        return 1
    if t > 0 and last and own == 0:
        mem[0] += 1
        mem[1] = mem[0] - 1
        return 1
    return 0


@njit(cache=True)
def _entry(code, t, horizon, mine, theirs, their_d, streams, i, mem, own_pay, other_pay):  # type: ignore[no-untyped-def]  # noqa: PLR0911, PLR0912, PLR0915, PLR0917 - compiled: one flat switch
    """The longer entries of the first tournament; `mem` is modified in place."""
    last = theirs & 1
    own = mine & 1
    ending = horizon > 0 and horizon - t <= 2
    if code == 60:  # stein_rapoport; 0 seems random
        if t >= 14 and (t + 1) % 15 == 0:
            mem[0] = 1.0 if _like_a_coin(t - their_d, their_d) else 0.0
        if ending:
            return 1
        if t < 4:
            return 0
        return 1 if mem[0] else last
    if code == 61:  # downing; 0, 1 cooperations after C and D, 2, 3 own C and D
        if t == 0:
            return 1
        mem[2 + own] += 1
        if t == 1:
            mem[0] = 1 - last
            return 1
        if last == 0:
            mem[(mine >> 1) & 1] += 1
        alpha = mem[0] / (mem[2] + 1)
        beta = mem[1] / max(mem[3], 2.0)
        cooperating = alpha * own_pay[0, 0] + (1 - alpha) * own_pay[0, 1]
        defecting = beta * own_pay[1, 0] + (1 - beta) * own_pay[1, 1]
        if cooperating > defecting:
            return 0
        return 1 if cooperating < defecting else 1 - own
    if code == 62:  # graaskamp; 0 random, 1 no copy, 2 not equal, 3 probe (0: none yet)
        if t == 0:
            return 0
        if t > 1 and last != (mine >> 1) & 1:
            mem[1] = 1.0
        if last != own:
            mem[2] = 1.0
        if t < 56:
            return 1 if last or t == 50 else 0
        if _like_a_coin(t - their_d, their_d):
            mem[0] = 1.0
        if mem[0]:
            return 1
        if mem[1] == 0.0 or mem[2] == 0.0:
            return last
        if mem[3] == 0.0:
            mem[3] = 5 + stream_below(streams, i, 10) + t
        if t == mem[3]:
            mem[3] = 5 + stream_below(streams, i, 10) + t
            return 1
        return 0
    # tideman_chieruzzi (63); 0 retaliating, 1 length, 2 remembered, 3 fresh_at, 4 pardon, 5 lead
    if t == 0:
        return 1 if ending else 0
    mem[2] += last
    mem[5] += own_pay[own, last] - other_pay[own, last]
    this = t + 1
    move = 0
    if mem[4]:
        mem[4] = 0.0
    elif (
        (mem[3] == 0 or this - mem[3] >= 20)
        and mem[5] >= 10
        and (horizon <= 0 or horizon - this >= 10)
        and last == 0
        and abs(mem[2] - t / 2) >= 3 * math.sqrt(t) / 2
    ):
        mem[3] = this
        mem[4] = 1.0
        mem[0] = mem[1] = mem[2] = 0.0
    elif mem[0] > 0:
        mem[0] -= 1
        move = 1
    elif last:
        mem[1] += 1
        mem[0] = mem[1] - 1
        move = 1
    return 1 if ending else move


@njit(cache=True)
def play_matches(  # type: ignore[no-untyped-def]  # noqa: PLR0912, PLR0915, PLR0917 - compiled: no keywords
    codes,
    params,
    seating,
    streams,
    pay,
    rounds,
    continuation,
    noise,
    mean,
    out,
    record,
):
    """Play M matches of K strategies.

    Args:
        codes: int64, shape (K,).
        params: float64, shape (K, 2, P): a strategy's parameters in each seat.
        seating: int64, the strategy in each seat, shape (M, 2).
        streams: uint64, of both seats and of the match's chance, shape (M, 3); modified
            in place.
        pay: payoffs, shape (2, 2, 2): seat, action of seat 0, action of seat 1.
        rounds: greatest number of rounds, −1 if there is none.
        continuation: probability of another round, −1 if only `rounds` counts.
        noise: probability that an action is executed as the other.
        mean: whether `out` is the mean over the rounds, else the sum.
        out: float64, shape (M, 2); modified in place.
        record: int8, executed joint actions 2·a + b, shape (M, T) with T = 0 for none;
            modified in place.
    """
    horizon = rounds if continuation < 0.0 else -1
    mem = np.zeros((2, MEMORY))
    own_pay = np.empty((2, 2, 2))
    other_pay = np.empty((2, 2, 2))
    for a in range(2):
        for b in range(2):
            own_pay[0, a, b] = other_pay[1, b, a] = pay[0, a, b]
            other_pay[0, a, b] = own_pay[1, b, a] = pay[1, a, b]
    bits = np.zeros(2, dtype=np.int64)
    defections = np.zeros(2, dtype=np.int64)
    meant = np.zeros(2, dtype=np.int64)
    for k in range(seating.shape[0]):
        mem[:] = 0.0
        bits[:] = 0
        defections[:] = 0
        meant[:] = 0
        own = streams[k]
        total_0 = 0.0
        total_1 = 0.0
        t = 0
        while True:
            first = 0
            second = 0
            for i in range(2):
                code = codes[seating[k, i]]
                par = params[seating[k, i], i]
                mine = bits[i]
                theirs = bits[1 - i]
                their_d = defections[1 - i]
                if code < 40:
                    move = _echo(code, par, t, mine, theirs, their_d, own, i)
                elif code < 60:
                    move = _recall(code, par, t, mine, theirs, own, i, mem[i], meant[i], own_pay[i])
                else:
                    move = _entry(
                        code,
                        t,
                        horizon,
                        mine,
                        theirs,
                        their_d,
                        own,
                        i,
                        mem[i],
                        own_pay[i],
                        other_pay[i],
                    )
                if i == 0:
                    first = move
                else:
                    second = move
            meant[0] = first
            meant[1] = second
            if noise > 0.0:
                if stream_unit(own, 2) < noise:
                    first = 1 - first
                if stream_unit(own, 2) < noise:
                    second = 1 - second
            bits[0] = (bits[0] << 1 | first) & 0xFFFF
            bits[1] = (bits[1] << 1 | second) & 0xFFFF
            defections[0] += first
            defections[1] += second
            total_0 += pay[0, first, second]
            total_1 += pay[1, first, second]
            if t < record.shape[1]:
                record[k, t] = 2 * first + second
            t += 1
            if rounds >= 0 and t >= rounds:
                break
            if continuation >= 0.0 and not stream_unit(own, 2) < continuation:
                break
        out[k, 0] = total_0 / t if mean else total_0
        out[k, 1] = total_1 / t if mean else total_1
