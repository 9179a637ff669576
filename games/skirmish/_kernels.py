# ruff: noqa: PLR0917 - compiled: no keywords
"""One decision of an episode from the actions to the rewards, and loops over many episodes."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from games.skirmish._observe_kernels import (
    available,
    observe_state,
    observe_unit,
    reveal,
    sees,
)
from games.skirmish._opponent_kernels import attack_move, choose
from games.skirmish._smac_kernels import smac_decision, smac_decode
from games.skirmish._smax_kernels import smax_decision, smax_decode
from games.skirmish._start_kernels import start_one
from games.skirmish.layout import (
    ACTION,
    ATTACK_MOVE,
    COOLDOWN,
    CUT,
    FIGHTERS_0,
    FIGHTERS_1,
    HEAL,
    HEALTH,
    MEMORY,
    MOVE_X,
    MOVE_Y,
    OVER,
    PLAYED,
    R_ALLIES,
    R_DRAWN,
    R_LIMIT,
    R_MODE,
    R_OPPONENT,
    R_SPARSE,
    RETURN_0,
    RETURN_1,
    REWARD_0,
    REWARD_1,
    SCALE_0,
    SCALE_1,
    SHIELD,
    SHOT,
    SMAX,
    STEP,
    TARGET,
    TYPE,
    WINNER,
    X,
    Y,
)

__all__ = [
    "choose_all",
    "first_unavailable",
    "hide_all",
    "legal_all",
    "observe_all",
    "roll",
    "roll_parallel",
    "start_all",
    "state_all",
    "step_all",
    "step_one",
    "step_parallel",
    "unlawful",
    "view_all",
    "view_parallel",
]

_WIN_PAYS = 200.0


@njit(cache=True)
def _order(world, rules, k, i, action):  # type: ignore[no-untyped-def]  # compiled by numba
    if rules.numbers[R_MODE] == SMAX:
        smax_decode(world, rules, k, i, action)
    else:
        smac_decode(world, rules, k, i, action)


@njit(cache=True)
def _settle(world, rules, k):  # type: ignore[no-untyped-def]  # compiled by numba
    """Count who lives, end the episode if it is over, and pay."""
    units, heads, pays = world.units[k], world.heads[k], world.pays[k]
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    fighters_0 = fighters_1 = 0
    for i in range(count):
        if units[HEALTH, i] > 0.0 and stats[HEAL, i] <= 0.0:
            if i < allies:
                fighters_0 += 1
            else:
                fighters_1 += 1
    heads[FIGHTERS_0], heads[FIGHTERS_1] = fighters_0, fighters_1
    heads[STEP] += 1
    beaten_0, beaten_1 = fighters_0 == 0, fighters_1 == 0
    if beaten_0 or beaten_1:
        heads[OVER] = 1
        if beaten_0 != beaten_1:
            heads[WINNER] = 1 if beaten_0 else 0
    elif heads[STEP] >= rules.numbers[R_LIMIT]:
        heads[OVER] = heads[CUT] = 1
    won = 0.0
    if heads[WINNER] >= 0:
        won = 1.0 if heads[WINNER] == 0 else -1.0
    if rules.numbers[R_SPARSE]:
        pays[REWARD_0], pays[REWARD_1] = won, -won
    elif rules.numbers[R_MODE] == SMAX:
        pays[REWARD_0] += max(won, 0.0)
        pays[REWARD_1] += max(-won, 0.0)
    else:
        pays[REWARD_0] += max(won, 0.0) * _WIN_PAYS / pays[SCALE_0]
        pays[REWARD_1] += max(-won, 0.0) * _WIN_PAYS / pays[SCALE_1]
    pays[RETURN_0] += pays[REWARD_0]
    pays[RETURN_1] += pays[REWARD_1]


@njit(cache=True)
def step_one(world, rules, k, actions, noise):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one decision of episode `k`; one that is over pays nothing more.

    Args:
        world: modified in place.
        rules: of the battle.
        k: the episode.
        actions: of the seats, shape (N, n); those of the dead are not looked at.
        noise: see `smax_decision`.
    """
    if world.heads[k, OVER]:
        world.pays[k, REWARD_0] = world.pays[k, REWARD_1] = 0.0
        return
    units, marks = world.units[k], world.marks[k]
    stats = world.stats[k if world.stats.shape[0] > 1 else 0]
    allies, count = rules.numbers[R_ALLIES], units.shape[1]
    smax = rules.numbers[R_MODE] == SMAX
    opponent = rules.numbers[R_OPPONENT]
    for i in range(allies if opponent != PLAYED else count):
        if units[HEALTH, i] > 0.0:
            _order(world, rules, k, i, actions[k, i])
        else:
            _order(world, rules, k, i, 4 if smax else 0)
    if opponent != PLAYED:
        for i in range(allies, count):
            if units[HEALTH, i] <= 0.0:
                _order(world, rules, k, i, 4 if smax else 0)
            elif opponent == ATTACK_MOVE:
                attack_move(rules, units, marks, stats, i)
            else:
                action = choose(opponent, rules, units, marks, stats, i, world.streams, k)
                _order(world, rules, k, i, action)
    if smax:
        smax_decision(world, rules, k, noise)
    else:
        smac_decision(world, rules, k, noise)
    _settle(world, rules, k)
    reveal(world, rules, k)


@njit(cache=True)
def start_all(world, rules, episodes, streams):  # type: ignore[no-untyped-def]  # compiled by numba
    """Begin the episodes of these numbers, shape (M,), from the streams given, shape (M,)."""
    for at in range(len(episodes)):
        world.streams[episodes[at]] = streams[at]
        start_one(world, rules, episodes[at])


@njit(cache=True)
def unlawful(world, rules, actions, mask):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the first (episode, seat) whose action is not legal, (−1, −1) if all are.

    `mask` is scratch, shape (A,).
    """
    for k in range(actions.shape[0]):
        if world.heads[k, OVER]:
            continue
        for i in range(actions.shape[1]):
            if world.units[k, HEALTH, i] > 0.0:
                action = actions[k, i]
                available(world, rules, k, i, mask)
                if action < 0 or action >= len(mask) or not mask[action]:
                    return k, i
    return -1, -1


@njit(cache=True)
def step_all(world, rules, actions, noise):  # type: ignore[no-untyped-def]  # compiled by numba
    """Play one decision of every episode."""
    for k in range(actions.shape[0]):
        step_one(world, rules, k, actions, noise)


@njit(cache=True, parallel=True)
def step_parallel(world, rules, actions, noise):  # type: ignore[no-untyped-def]  # compiled by numba
    """The same on all threads."""
    for k in prange(actions.shape[0]):
        step_one(world, rules, k, actions, noise)


@njit(cache=True)
def legal_all(world, rules, i, live, legal):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write where unit `i` is to move, shape (N,), and its legal actions there, shape (N, A)."""
    for k in range(len(live)):
        live[k] = world.heads[k, OVER] == 0 and world.units[k, HEALTH, i] > 0.0
        if live[k]:
            available(world, rules, k, i, legal[k])
        else:
            legal[k] = False


@njit(cache=True)
def observe_all(world, rules, i, mask, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what unit `i` observes in every episode, shape (N, D); `mask` is scratch."""
    for k in range(len(out)):
        available(world, rules, k, i, mask)
        observe_unit(world, rules, k, i, mask, out[k])


@njit(cache=True)
def state_all(world, rules, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write the state vector of every episode, shape (N, S)."""
    for k in range(len(out)):
        observe_state(world, rules, k, out[k])


@njit(cache=True)
def hide_all(world, rules, i, hidden):  # type: ignore[no-untyped-def]  # compiled by numba
    """Blot out what unit `i` does not see in `hidden`, a copy of `world` (modified in place).

    Of units out of sight nothing is left (no health), of others what their observation shows:
    position, health and shield, in SMAX also cooldown, last move and last action.
    """
    hidden.streams[:] = 0
    hidden.pays[:] = 0.0
    hidden.seen[:] = 0
    smax = rules.numbers[R_MODE] == SMAX
    for k in range(len(world.heads)):
        units, marks = hidden.units[k], hidden.marks[k]
        stats = world.stats[k if world.stats.shape[0] > 1 else 0]
        alive = world.units[k, HEALTH, i] > 0.0
        for j in range(units.shape[1]):
            if j == i:
                continue
            for row in range(units.shape[0]):
                told = row in (X, Y, HEALTH, SHIELD)
                told |= smax and row in (COOLDOWN, MOVE_X, MOVE_Y)
                if not told:
                    units[row, j] = 0.0
            marks[MEMORY, j] = marks[TARGET, j] = marks[SHOT, j] = -1
            if not smax:
                marks[ACTION, j] = 1
            if not (alive and sees(world, rules, k, world.units[k], stats, i, j)):
                units[:, j] = 0.0
                marks[ACTION, j] = 0
                if rules.numbers[R_DRAWN]:
                    marks[TYPE, j] = 0
                    hidden.stats[k, :, j] = 0.0


@njit(cache=True)
def choose_all(kind, world, rules, i, live, streams, out):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write what a built-in player does as unit `i` where it is live, shape (N,)."""
    for k in range(len(live)):
        out[k] = 0
        if live[k]:
            stats = world.stats[k if world.stats.shape[0] > 1 else 0]
            units, marks = world.units[k], world.marks[k]
            out[k] = choose(kind, rules, units, marks, stats, i, streams, k)


# -- learners -----------------------------------------------------------------------------


@njit(cache=True)
def _view(world, rules, k, obs, state, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    for i in range(obs.shape[1]):
        available(world, rules, k, i, avail[k, i])
        observe_unit(world, rules, k, i, avail[k, i], obs[k, i])
    observe_state(world, rules, k, state[k])


@njit(cache=True)
def view_all(world, rules, obs, state, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    """Write observations (N, n, D), states (N, S) and available actions (N, n, A)."""
    for k in range(len(obs)):
        _view(world, rules, k, obs, state, avail)


@njit(cache=True, parallel=True)
def view_parallel(world, rules, obs, state, avail):  # type: ignore[no-untyped-def]  # compiled by numba
    """The same on all threads."""
    for k in prange(len(obs)):
        _view(world, rules, k, obs, state, avail)


@njit(cache=True)
def first_unavailable(heads, units, avail, actions):  # type: ignore[no-untyped-def]  # compiled by numba
    """Return the first (episode, seat) whose action is not in `avail`, (−1, −1) if all are."""
    for k in range(actions.shape[0]):
        for i in range(actions.shape[1]):
            action = actions[k, i]
            if 0 <= action < avail.shape[2] and avail[k, i, action]:
                continue
            if heads[k, OVER] == 0 and units[k, HEALTH, i] > 0.0:
                return k, i
    return -1, -1


@njit(cache=True, inline="always")
def _next_seed(state):  # type: ignore[no-untyped-def]  # compiled by numba
    """SplitMix64's mixing of a counter: the stream of the next episode."""
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def _roll_one(world, rules, k, actions, noise, now, last, told, restarts):  # type: ignore[no-untyped-def]  # compiled by numba
    """Step episode `k`, see what it looks like, and begin the next one if it is over."""
    obs, state, avail = now
    reward, done, cut, won, length = told
    heads = world.heads
    step_one(world, rules, k, actions, noise)
    reward[k, 0] = world.pays[k, REWARD_0]
    if reward.shape[1] > 1:
        reward[k, 1] = world.pays[k, REWARD_1]
    over = heads[k, OVER] == 1
    done[k] = over
    cut[k] = heads[k, CUT] == 1
    won[k] = heads[k, WINNER]
    length[k] = heads[k, STEP]
    if over and restarts.shape[0]:
        last_obs, last_state, last_avail = last
        _view(world, rules, k, last_obs, last_state, last_avail)
        restarts[k] += np.uint64(0x9E3779B97F4A7C15)
        world.streams[k] = _next_seed(restarts[k])
        start_one(world, rules, k)
    _view(world, rules, k, obs, state, avail)


@njit(cache=True)
def roll(world, rules, actions, noise, now, last, told, restarts):  # type: ignore[no-untyped-def]  # compiled by numba
    """Step every episode; see `games.skirmish.rollout.Rollout` for the arrays."""
    for k in range(actions.shape[0]):
        _roll_one(world, rules, k, actions, noise, now, last, told, restarts)


@njit(cache=True, parallel=True)
def roll_parallel(world, rules, actions, noise, now, last, told, restarts):  # type: ignore[no-untyped-def]  # compiled by numba
    """The same on all threads."""
    for k in prange(actions.shape[0]):
        _roll_one(world, rules, k, actions, noise, now, last, told, restarts)
