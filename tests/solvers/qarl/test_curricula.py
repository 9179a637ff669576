from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.optimize import brentq

from arena.errors import ParameterError
from arena.rng import generator
from solvers.qarl.curricula import CURRICULA, Linear, Seen, Teacher, curriculum, gamma_kl


@settings(max_examples=25, deadline=None)
@given(k=st.floats(1.0, 60.0), other=st.floats(1.0, 60.0))
def test_divergence_is_the_integral(k: float, other: float) -> None:
    p, q = stats.gamma(k), stats.gamma(other)
    low, high = p.ppf([1e-13, 1 - 1e-13])
    found, _ = integrate.quad(
        lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), low, high, limit=300
    )
    assert gamma_kl(k, other) == pytest.approx(found, abs=1e-6)


def test_with_slack_returns_the_teacher_needs_thirteen_updates() -> None:
    """From k = 50 to 1, each lesson at most 0.5 away, near enough at 0.01."""
    for level in (-math.inf, -1e9):
        teacher, k, path = Teacher(level=level), 50.0, []
        rng = generator(1)
        while k != 1.0 and len(path) < 40:
            drawn = rng.gamma(k, 1 / 1000, 30)
            k = teacher.next(k, Seen(drawn=drawn.tolist(), returns=[0.0] * 30))
            path.append(k)
        assert len(path) == 13
        assert path == sorted(path, reverse=True)


@settings(max_examples=30, deadline=None)
@given(now=st.floats(1.5, 50.0))
def test_a_slack_lesson_goes_as_far_as_it_may(now: float) -> None:
    found = Teacher().next(now, Seen())
    if gamma_kl(1.0, now) <= 0.5:
        assert found == 1.0
        return
    exact = brentq(lambda k: gamma_kl(k, now) - 0.5, 0.5, now)
    # Near the end the lesson snaps to it.
    assert found == pytest.approx(exact, rel=1e-2) or (found == 1.0 and gamma_kl(exact, 1.0) < 0.02)


def test_the_returns_constraint_holds_the_teacher_back() -> None:
    """Returns fall as temperatures fall: the lesson stops where the mean return is the level."""
    rng = generator(2)
    drawn = rng.gamma(20.0, 1 / 1000, 400)
    returns = 1000.0 * drawn  # mean about 20 at k = 20
    seen = Seen(drawn=drawn.tolist(), returns=returns.tolist())
    free = Teacher().next(20.0, seen)
    held = Teacher(level=18.0).next(20.0, seen)
    assert free < held < 20.0
    weights = np.exp((held - 20.0) * np.log(1000 * drawn))
    assert float((weights * returns).sum() / weights.sum()) == pytest.approx(18.0, abs=0.05)
    # Not good enough: back to what pays better, within the step that is allowed.
    back = Teacher(level=25.0).next(20.0, seen)
    assert back > 20.0
    assert gamma_kl(back, 20.0) <= 0.5 * (1 + 1e-5)


def test_a_teacher_that_does_not_settle_goes_back_from_the_end() -> None:
    drawn = generator(3).gamma(1.0, 1 / 1000, 200)
    seen = Seen(drawn=drawn.tolist(), returns=(1000.0 * drawn).tolist())
    assert Teacher(level=5.0).next(1.0, seen) == 1.0
    back = Teacher(level=5.0, settle=False).next(1.0, seen)
    assert back > 1.0
    assert gamma_kl(back, 1.0) <= 0.5 * (1 + 1e-5)
    assert Teacher(level=-5.0, settle=False).next(1.0, seen) == 1.0
    assert 1.0 <= Teacher(level=-5.0, settle=False).next(back, seen) < back


def test_never_above_the_start() -> None:
    seen = Seen(drawn=[0.04, 0.06], returns=[0.0, 1.0])
    assert Teacher(level=9.0).next(50.0, seen) <= 50.0


def test_linear_follows_the_share_of_training() -> None:
    line = Linear(50.0, 1.0)
    values = [line.next(0.0, Seen(share=share)) for share in (0.0, 0.5, 1.0, 2.0)]
    assert values == [50.0, 25.5, 1.0, 1.0]


@pytest.mark.parametrize("name", CURRICULA)
def test_episodes_of_every_curriculum(name: str) -> None:
    made = curriculum(name, start=50.0, end=1.0, rate=1000.0, level=-math.inf, max_kl=0.5)
    first = made.schedule.start
    warm = made.draw(first, 4000, generator(0))
    force = made.forces(warm)
    assert warm.shape == force.shape == (4000,)
    assert (warm > 0).all()
    assert warm.mean() == pytest.approx(0.001 if name == "fixed" else 0.05, rel=0.02)
    assert (warm.std() > 0.001) == (name in ("force", "linear", "self_paced"))
    if name == "force":
        assert force.mean() < 0.1
        late = made.forces(made.draw(1.0, 4000, generator(0)))
        assert late.mean() == pytest.approx(0.993, abs=0.005)
    else:
        assert (force == 1.0).all()


def test_bad_numbers() -> None:
    for bad in ({"start": 0.5}, {"rate": 0.0}, {"max_kl": -1.0}):
        with pytest.raises(ParameterError):
            Teacher(**bad)
    with pytest.raises(ParameterError, match="self_paced"):
        curriculum("selfpaced", start=50.0, end=1.0, rate=1.0, level=0.0, max_kl=0.5)
