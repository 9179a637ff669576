"""Rows of catalogues: a builder says by its signature and docstring what a list shows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Built"]


Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Built(Generic[Thing]):
    """Something that keyword parameters build.

    Attributes:
        build: keyword parameters to the thing.
    """

    build: Callable[..., Thing]

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (self.build.__doc__ or "").strip().split("\n")[0]

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter names and their defaults."""
        return {n: p.default for n, p in inspect.signature(self.build).parameters.items()}
