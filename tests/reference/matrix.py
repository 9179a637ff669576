"""Slow, obvious twins of the normal-form kernels."""

from __future__ import annotations

import itertools

import numpy as np


def action_values(payoffs, profile):
    """Sum over all joint actions, one at a time."""
    out = [np.zeros(len(row)) for row in profile]
    for joint in itertools.product(*(range(len(row)) for row in profile)):
        for seat in range(len(profile)):
            weight = 1.0
            for other, action in enumerate(joint):
                if other != seat:
                    weight *= profile[other][action]
            out[seat][joint[seat]] += weight * payoffs[(seat, *joint)]
    return out


def joint_gaps(payoffs, sigma):
    """CCE and CE gaps straight from their definitions."""
    coarse = swap = 0.0
    seats, actions = payoffs.shape[0], payoffs.shape[1:]
    joints = list(itertools.product(*(range(a) for a in actions)))
    for seat in range(seats):

        def pay(joint, instead, seat=seat):
            moved = list(joint)
            moved[seat] = instead
            return payoffs[(seat, *moved)]

        best = max(
            sum(sigma[j] * (pay(j, b) - payoffs[(seat, *j)]) for j in joints)
            for b in range(actions[seat])
        )
        coarse += max(best, 0.0)
        for told in range(actions[seat]):
            swap += max(
                sum(sigma[j] * (pay(j, b) - payoffs[(seat, *j)]) for j in joints if j[seat] == told)
                for b in range(actions[seat])
            )
    return coarse, swap


def _positive_part(score):
    kept = np.maximum(score, 0.0)
    return kept / kept.sum() if kept.sum() > 0 else np.full(len(score), 1.0 / len(score))


def onto_simplex(v, total=1.0):
    """Bisect for the shift."""
    low, high = v.min() - total, v.max()
    for _ in range(200):
        middle = 0.5 * (low + high)
        if np.maximum(v - middle, 0.0).sum() > total:
            low = middle
        else:
            high = middle
    return np.maximum(v - 0.5 * (low + high), 0.0)


def _onto_chopped(v):
    kept = np.maximum(v, 0.0)
    return kept if kept.sum() >= 1.0 else onto_simplex(v)


def match_regrets(payoffs, kind, alternating, power, eta, iterations):
    """Regret matching as in the papers, seat by seat; returns (last, weighted sum)."""
    actions = payoffs.shape[1:]
    smooth = kind in ("exrm+", "sprm+")
    policy = [np.full(a, 1.0 / a) for a in actions]
    regret = [np.full(a, 1.0 / a) if smooth else np.zeros(a) for a in actions]
    ahead = [np.zeros(a) for a in actions]
    total = [np.zeros(a) for a in actions]
    for t in range(1, iterations + 1):
        turns = [[p] for p in range(len(actions))] if alternating else [list(range(len(actions)))]
        for movers in turns:
            for p in movers:
                if kind == "prm+":
                    policy[p] = _positive_part(regret[p] + ahead[p])
                elif kind == "sprm+":
                    policy[p] = _positive_part(_onto_chopped(regret[p] + eta * ahead[p]))
                else:
                    policy[p] = _positive_part(regret[p])
            if kind == "exrm+":
                worth = action_values(payoffs, policy)
                for p in movers:
                    now = worth[p] - worth[p] @ policy[p]
                    policy[p] = _positive_part(_onto_chopped(regret[p] + eta * now))
            worth = action_values(payoffs, policy)
            for p in movers:
                now = worth[p] - worth[p] @ policy[p]
                if smooth:
                    regret[p] = _onto_chopped(regret[p] + eta * now)
                else:
                    regret[p] = regret[p] + now
                    if kind != "rm":
                        regret[p] = np.maximum(regret[p], 0.0)
                ahead[p] = now
        for p in range(len(actions)):
            total[p] += float(t) ** power * policy[p]
    return policy, total


def mirror(a, settings, eta, iterations):
    """The mirror family by powers and products, on the zero-sum game that pays a."""
    m, n = a.shape
    beta = settings.beta
    policy = [np.full(m, 1.0 / m), np.full(n, 1.0 / n)]
    if not isinstance(settings.magnet, str):
        magnet = [np.array(row, dtype=float) for row in settings.magnet]
    else:
        magnet = [row.copy() for row in policy]
    guess, total = [np.zeros(m), np.zeros(n)], [np.zeros(m), np.zeros(n)]

    def slope(at):
        return [a @ at[1], -a.T @ at[0]]

    def step(base, g, h):
        out = []
        for pi, rho, grad in zip(base, magnet, g, strict=True):
            if settings.prox == "implicit":
                new = (pi * rho ** (h * beta) * np.exp(h * grad)) ** (1.0 / (1.0 + h * beta))
            else:
                new = pi ** (1.0 - h * beta) * rho ** (h * beta) * np.exp(h * grad)
            out.append(new / new.sum())
        return out

    for t in range(iterations):
        h = 2.0 / (beta * (t + 2.0)) if settings.eta == "decreasing" else eta
        if settings.lookahead == "none":
            g = slope(policy)
        elif settings.lookahead == "extragradient":
            g = slope(step(policy, slope(policy), h))
        elif settings.lookahead == "optimistic":
            g = guess = slope(step(policy, guess, h))
        else:
            g = slope(step(policy, [np.zeros(m), np.zeros(n)], h))
        policy = step(policy, g, h)
        for seat in (0, 1):
            total[seat] += policy[seat]
        if settings.magnet_refresh and (t + 1) % settings.magnet_refresh == 0:
            magnet = [row.copy() for row in policy]
    return policy, total


def playable(body):
    """Columns left once rows without negative entries have forced out their positive ones."""
    alive = np.ones(body.shape[1], dtype=bool)
    while True:
        before = alive.sum()
        for row in body:
            if not (row[alive] < 0).any():
                alive &= ~(row > 0)
        if alive.sum() == before:
            return alive


def _product(profile):
    joint = np.ones(())
    for row in profile:
        joint = np.multiply.outer(joint, row)
    return joint


def coarse_play(payoffs, iterations):
    """Predictive regret matching+ by all seats at once; returns Σ t × the joint play."""
    actions = payoffs.shape[1:]
    regret, ahead = [np.zeros(a) for a in actions], [np.zeros(a) for a in actions]
    joint = np.zeros(actions)
    for t in range(1, iterations + 1):
        policy = [_positive_part(r + g) for r, g in zip(regret, ahead, strict=True)]
        for p, worth in enumerate(action_values(payoffs, policy)):
            ahead[p] = worth - worth @ policy[p]
            regret[p] = np.maximum(regret[p] + ahead[p], 0.0)
        joint += t * _product(policy)
    return joint


def swap_play(payoffs, iterations):
    """A predictive regret-matching+ learner for each recommended action, and the play they keep."""
    actions = payoffs.shape[1:]
    regret, ahead = [np.zeros((a, a)) for a in actions], [np.zeros((a, a)) for a in actions]
    joint = np.zeros(actions)
    for t in range(1, iterations + 1):
        rows, policy = [], []
        for p, a in enumerate(actions):
            chain = np.array([_positive_part(regret[p][k] + ahead[p][k]) for k in range(a)])
            rows.append(chain)
            # The stationary distribution: πᵀ(P − 1) = 0, Σπ = 1, of a chain in one piece.
            mixed = chain * (1.0 - 1e-12) + 1e-12 / a
            system = np.vstack([(mixed - np.eye(a)).T, np.ones(a)])
            found = np.linalg.lstsq(system, np.append(np.zeros(a), 1.0), rcond=None)[0]
            policy.append(found / found.sum())
        for p, worth in enumerate(action_values(payoffs, policy)):
            for k in range(actions[p]):
                ahead[p][k] = policy[p][k] * (worth - rows[p][k] @ worth)
                regret[p][k] = np.maximum(regret[p][k] + ahead[p][k], 0.0)
        joint += t * _product(policy)
    return joint
