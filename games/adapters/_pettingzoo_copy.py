"""Copies of running PettingZoo environments, and whether two things are the same."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from pettingzoo import AECEnv, ParallelEnv

__all__ = ["copy_env", "same"]


def copy_env(env: Any) -> Any:
    """Return a deep copy of an environment as it runs, layer by layer of its wrappers.

    `copy.deepcopy` alone would rebuild classes that derive from gymnasium's `EzPickle` from
    their constructor's arguments and lose the episode.

    Raises:
        Exception: whatever something in it raises that cannot be copied.
    """
    layers: list[Any] = []
    queue = [env]
    while queue:
        layer = queue.pop()
        if all(layer is not known for known in layers):
            layers.append(layer)
            queue += [value for value in vars(layer).values() if _is_env(value)]
    twins = [object.__new__(type(layer)) for layer in layers]
    memo = {id(layer): twin for layer, twin in zip(layers, twins, strict=True)}
    for layer, twin in zip(layers, twins, strict=True):
        for name, value in vars(layer).items():
            twin.__dict__[name] = copy.deepcopy(value, memo)
    return twins[0]


def _is_env(value: Any) -> bool:
    return isinstance(value, AECEnv | ParallelEnv)


def same(a: Any, b: Any) -> bool:
    """Whether two nested values agree bit for bit."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return (
            isinstance(b, tuple | list)
            and len(a) == len(b)
            and all(same(x, y) for x, y in zip(a, b, strict=True))
        )
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and (a.tobytes() == b.tobytes() if a.dtype != object else bool(np.all(a == b)))
        )
    return bool(a == b)
