"""Classic restless bandits: families of arms under a budget, and arms of one's own.

Rewards are between 0 and 1 a step and arm; parameters of the arms are drawn from the seed
`instance`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import FormatError, ParameterError, UnknownNameError
from arena.rng import generator
from games.bandits.constraints import budget_set, linear_set
from games.bandits.form import RestlessBandit
from games.bandits.instances import chain

__all__ = ["ARMS", "from_csv", "own", "restless"]

Reals = NDArray[np.float64]
Arms = tuple[Reals, Reals]


def _random(rng: np.random.Generator, arms: int, states: int) -> Arms:
    """Rows of transitions uniform on the simplex, rewards uniform."""
    chances = rng.dirichlet(np.ones(states), size=(arms, 2, states))
    return chances, np.repeat(rng.random((arms, 2, states))[..., None], states, axis=3)


def _maintenance(rng: np.random.Generator, arms: int, states: int) -> Arms:
    """Machines wear down; acting repairs all of it, and pays nothing in that step.

    Source: Glazebrook, Mitchell and Ansell 2005 (machine maintenance as a restless bandit).
    """
    wear = rng.uniform(0.1, 0.6, arms)
    chances = np.zeros((arms, 2, states, states))
    for s in range(states):
        chances[:, 0, s, min(s + 1, states - 1)] += wear
        chances[:, 0, s, s] += 1.0 - wear
    chances[:, 1, :, 0] = 1.0
    value = np.linspace(1.0, 0.0, states)[None, :] * rng.uniform(0.5, 1.0, arms)[:, None]
    reward = np.zeros((arms, 2, states))
    reward[:, 0] = value
    return chances, np.repeat(reward[..., None], states, axis=3)


def _health_visit(rng: np.random.Generator, arms: int, states: int) -> Arms:
    """Patients adhere to a treatment or not; a visit makes both staying and returning likelier.

    Source: Mate, Killian, Xu, Perrault and Tambe 2020, section 6 (two states).
    """
    if states != 2:
        raise ParameterError("states", states, "2 for the family health_visit")
    stay, come = rng.uniform(0.4, 0.8, arms), rng.uniform(0.05, 0.3, arms)
    more = rng.uniform(0.1, 0.2, (2, arms))
    return_too = rng.uniform(0.2, 0.6, arms)
    chances = np.zeros((arms, 2, 2, 2))
    chances[:, 0, 0, 1], chances[:, 1, 0, 1] = come, np.minimum(come + return_too, 0.99)
    chances[:, 0, 1, 1], chances[:, 1, 1, 1] = stay, np.minimum(stay + more[0] + more[1], 0.99)
    chances[..., 0] = 1.0 - chances[..., 1]
    reward = np.zeros((arms, 2, 2, 2))
    reward[..., 1] = 1.0
    return chances, reward


def _deteriorating(rng: np.random.Generator, arms: int, states: int) -> Arms:
    """Levels fall unless acted on; a step pays the level that is reached."""
    up = np.stack([rng.uniform(0.02, 0.2, arms), rng.uniform(0.6, 0.95, arms)], axis=1)
    chances = chain(up, states)
    level = np.linspace(0.0, 1.0, states)[None, :] ** rng.uniform(0.5, 2.0, arms)[:, None]
    return chances, np.array(np.broadcast_to(level[:, None, None, :], chances.shape))


def _recovering(rng: np.random.Generator, arms: int, states: int) -> Arms:
    """Stocks grow when left alone; acting harvests them and pays for their level."""
    grow = rng.uniform(0.2, 0.9, arms)
    chances = np.zeros((arms, 2, states, states))
    for s in range(states):
        chances[:, 0, s, min(s + 1, states - 1)] += grow
        chances[:, 0, s, s] += 1.0 - grow
    chances[:, 1, :, 0] = 1.0
    worth = rng.uniform(0.3, 1.0, arms)[:, None] * np.sqrt(np.linspace(0.0, 1.0, states))
    reward = np.zeros((arms, 2, states))
    reward[:, 1] = worth
    return chances, np.repeat(reward[..., None], states, axis=3)


ARMS: dict[str, Callable[[np.random.Generator, int, int], Arms]] = {
    "deteriorating": _deteriorating,
    "health_visit": _health_visit,
    "maintenance": _maintenance,
    "random": _random,
    "recovering": _recovering,
}
"""Family to the function that draws transitions and rewards."""


def restless(
    family: str = "random",
    *,
    arms: int = 10,
    states: int = 0,
    budget: int = 2,
    horizon: int = 50,
    discount: float = 1.0,
    instance: int = 0,
) -> RestlessBandit:
    """Arms of a family, any `budget` of which may be acted on (states=0: the family's own)."""
    if family not in ARMS:
        raise UnknownNameError("family of arms", family, ARMS, hint=f"there are {', '.join(ARMS)}")
    if arms < 1:
        raise ParameterError("arms", arms, "at least 1")
    count = states or (2 if family == "health_visit" else 4)
    if count < 2:
        raise ParameterError("states", states, "at least 2, or 0 for the family's own")
    chosen = budget_set(arms, budget)
    chances, reward = ARMS[family](generator(instance, "bandits", "restless", family), arms, count)
    initial = np.full((arms, count), 1.0 / count)
    return RestlessBandit(
        chances, reward, chosen, initial=initial, horizon=horizon, discount=discount,
        title=f"{family} arms",
    )  # fmt: skip


def own(
    file: str = "",
    *,
    budget: int = 1,
    horizon: int = 50,
    discount: float = 1.0,
    rows: list[list[float]] | None = None,
    lo: list[float] | None = None,
    hi: list[float] | None = None,
) -> RestlessBandit:
    """Your own arms, from a CSV file, under a budget or linear rows lo ≤ rows·a ≤ hi."""
    if not file:
        raise ParameterError("file", file, "a CSV file of transitions, see docs/bandits.md")
    chances, reward, sizes = from_csv(file)
    arms = len(sizes)
    if rows:
        chosen = linear_set(rows, lo=lo or None, hi=hi or None)
        if chosen.size != arms:
            raise ParameterError("rows", f"{chosen.size} columns", f"{arms} columns, one an arm")
    else:
        chosen = budget_set(arms, budget)
    return RestlessBandit(
        chances, reward, chosen, horizon=horizon, discount=discount, sizes=sizes,
        title=f"arms of {Path(file).name}",
    )  # fmt: skip


_COLUMNS = ("arm", "mode", "state", "next", "probability", "reward")


def from_csv(path: str | Path) -> tuple[Reals, Reals, NDArray[np.int64]]:
    """Read arms from a CSV file with the columns arm, mode, state, next, probability, reward.

    Each row is one transition; those that are not listed have probability 0. Numbers count
    from 0, mode 0 is passive.

    Returns:
        transition (J, M, S, S), reward (J, M, S, S), and the number of states of each arm.

    Raises:
        FormatError: naming the line.
        ParameterError: there is no such file.
    """
    entries: dict[tuple[int, int, int, int], tuple[float, float]] = {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [c for c in _COLUMNS if c not in (reader.fieldnames or ())]
            if missing:
                raise FormatError(f"{path}, line 1: no column {', '.join(missing)}")
            for line, row in enumerate(reader, start=2):
                place, values = _entry(path, line, row)
                if place in entries:
                    raise FormatError(f"{path}, line {line}: the transition {place} again")
                entries[place] = values
    except OSError as error:
        raise ParameterError("file", str(path), "a CSV file that is there") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not a CSV text file") from error
    if not entries:
        raise FormatError(f"{path} has no transitions")
    places = np.array(list(entries))
    arms, modes = int(places[:, 0].max()) + 1, int(places[:, 1].max()) + 1
    sizes = np.zeros(arms, dtype=np.int64)
    np.maximum.at(sizes, places[:, 0], places[:, 2:].max(axis=1) + 1)
    if not sizes.all():
        raise FormatError(f"{path}: arm {int(np.argmin(sizes))} has no transitions")
    shape = (arms, max(modes, 2), int(sizes.max()), int(sizes.max()))
    chances, reward = np.zeros(shape), np.zeros(shape)
    for place, (chance, pay) in entries.items():
        chances[place], reward[place] = chance, pay
    return chances, reward, sizes


def _entry(
    path: Any, line: int, row: dict[str, Any]
) -> tuple[tuple[int, int, int, int], tuple[float, float]]:
    for name, kind in zip(_COLUMNS, (int, int, int, int, float, float), strict=True):
        try:
            value = kind(row[name])
        except (TypeError, ValueError) as error:
            raise FormatError(
                f"{path}, line {line}: {name} is {row[name]!r}, not a number"
            ) from error
        if kind is int and value < 0:
            raise FormatError(f"{path}, line {line}: {name} is {value}; numbers count from 0")
    arm, mode, state, after = (int(row[name]) for name in _COLUMNS[:4])
    return (arm, mode, state, after), (float(row["probability"]), float(row["reward"]))
