"""Figures that are known beforehand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import arena
from games.markov import MarkovGame
from solvers.markov.certificates import certify
from solvers.markov.policy import MixturePolicy, ProductPolicy
from solvers.markov.run import Problem
from solvers.markov.v_learning import VLearning
from tests.reference.markov import mixture_history_value

Plans = tuple[tuple[int, ...], tuple[int, ...]]


def matching_pennies(rounds: int) -> MarkovGame:
    """Paid 1 or 0: the first seat wants to agree."""
    agree = np.eye(2)
    return MarkovGame(
        np.ones((1, 2, 2, 1)), np.stack([agree, 1 - agree])[:, None], 0, horizon=rounds
    )


def pure(plans: Plans) -> ProductPolicy:
    """Both seats' sides of the coin, step by step."""
    return ProductPolicy("", tuple(np.eye(2)[list(plan)][:, None] for plan in plans))


def regrets(form: MarkovGame, mixed: MixturePolicy, deviations: str) -> tuple[float, float]:
    found = certify(form, mixed, deviations=deviations)  # type: ignore[arg-type]  # literals
    gaps = [found[f"cce_regret_{seat}"] for seat in (0, 1)]
    assert all(gap.kind == "exact" for gap in gaps)
    return gaps[0].value, gaps[1].value


# Repeated matching pennies, H rounds, a mixture (1/2, 1/2) of two pure product policies, each
# a row of coin sides for each seat, paid 1 or 0. Which seats have no Markov regret, and what
# is the history regret?
#
# A Markov deviation knows the step only, so at step h it is paid the larger marginal
# probability of the other's side: at least 1/2. Both seats' payoffs add up to H. So both
# Markov regrets are 0 exactly if at every step both seats' marginals are uniform, that is,
# both change sides between the components, and each seat is paid H/2. But if both change
# sides, the components agree in whether the coins match: each step pays the first seat 0 or
# 1, and H/2 of them pay 1. Hence:
#
# (a) for even H there are such mixtures: match at half of the steps. A deviator that
#     remembers knows the component after step 1 and wins all that is left: its history regret
#     is 1/2 + (H − 1) − H/2 = (H − 1)/2, for either seat.
# (b) for odd H there are none: at least one seat has Markov regret.
# (c) for any H, if one seat never changes and the other one does, the first (who faces the
#     mixture) has Markov regret 0 and history regret (H − 1)/2, as "(H − 1)/2 = 1 at H = 3"
#     says; the other one faces a fixed plan and has regret H/2, Markov or not.


@pytest.mark.parametrize("rounds", [2, 4])
def test_pennies_of_even_length(rounds: int) -> None:
    """(a): both seats, whichever half of the steps match."""
    form = matching_pennies(rounds)
    for match in product((0, 1), repeat=rounds):
        if 2 * sum(match) != rounds:
            continue
        one = (0,) * rounds
        other = tuple(0 if m else 1 for m in match)
        flipped = tuple(tuple(1 - side for side in plan) for plan in (one, other))
        mixed = MixturePolicy.of([pure((one, other)), pure((flipped[0], flipped[1]))])
        assert regrets(form, mixed, "markov") == (0.0, 0.0)
        half = (rounds - 1) / 2
        assert regrets(form, mixed, "history") == pytest.approx((half, half), abs=1e-12)
        found = certify(form, mixed)
        assert found["cce_gap"].value == pytest.approx(rounds - 1, abs=1e-12)
        assert found["n_product_components"].value == 2
        for seat in (0, 1):
            naive = mixture_history_value(form, mixed, seat) - rounds / 2
            assert naive == pytest.approx((rounds - 1) / 2, abs=1e-12)


def test_pennies_of_odd_length() -> None:
    """(b): of all pairs of pure policies at H = 3 none has Markov regret 0 for both seats."""
    rounds = 3
    plans = np.array(list(product((0, 1), repeat=rounds)))
    least = np.inf
    for x1, y1, x2, y2 in product(plans, repeat=4):
        agree = ((x1 == y1).sum() + (x2 == y2).sum()) / 2
        best_0 = (1 + (y1 == y2)).sum() / 2  # the other's likelier side, step by step
        best_1 = (1 + (x1 == x2)).sum() / 2
        least = min(least, (best_0 - agree) + (best_1 - (rounds - agree)))
        assert max(best_0 - agree, best_1 - (rounds - agree)) > 0
    assert least == 0  # regrets may be of opposite signs: mixtures that pay one seat more
    form = matching_pennies(rounds)
    mixed = MixturePolicy.of([pure(((0, 0, 0), (0, 0, 1))), pure(((1, 1, 1), (1, 1, 0)))])
    assert regrets(form, mixed, "markov") == (0.0, 0.5)


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
def test_pennies_of_any_length(rounds: int) -> None:
    """(c): the seat that faces the mixture has (H − 1)/2, the seat that is mixed H/2."""
    form = matching_pennies(rounds)
    same = (0,) * rounds
    for faces in (0, 1):
        parts = []
        for side in (0, 1):
            both = (same, (side,) * rounds)
            parts.append(pure(both if faces == 0 else (both[1], both[0])))
        mixed = MixturePolicy.of(parts)
        markov, history = (regrets(form, mixed, kind) for kind in ("markov", "history"))
        assert markov[faces] == 0.0 and markov[1 - faces] == pytest.approx(rounds / 2)
        assert history[faces] == pytest.approx((rounds - 1) / 2, abs=1e-12)
        assert history[1 - faces] == pytest.approx(rounds / 2)


def test_v_learning_at_the_size_that_is_known() -> None:
    """H = 2, S = 3, A = 2: the bound is about 0.5 after 100 episodes, 0.1 after 20 000."""
    early, late = [], []
    for seed in range(4):
        game = arena.make("markov/garnet", states=3, actions=2, horizon=2, seed=seed)
        learner = VLearning(Problem(game.form("markov"), "", seed, 20_000, {}), bonus=0.05)
        for count, kept in ((100, early), (19_900, late)):
            learner.advance(count)
            kept.append(certify(game.form("markov"), learner.answer())["cce_gap"].value)
    assert 0.3 < np.mean(early) < 0.65
    assert 0.05 < np.mean(late) < 0.15


def test_backward_induction_plays_few_joint_actions() -> None:
    """Vertices on 4³ joint actions: support at most Σ A_i + 1, in fact at most 8 here."""
    game = arena.make("markov/garnet", seats=3, actions=4, states=10, horizon=3, seed=1)
    assert arena.solve(game, "cce").certificate["support_size"].value <= 8
