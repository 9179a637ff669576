"""One thread for dense linear algebra.

Matrices here have at most a few thousand rows: more threads gain little on an idle
machine, lose a factor of ten on a busy one, and change the last digits of a result.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

__all__ = ["single_threaded"]

Function = TypeVar("Function", bound=Callable[..., Any])


@lru_cache(maxsize=1)
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  its BLAS must be loaded before it can be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def single_threaded(function: Function) -> Function:
    """Run `function` with BLAS held to one thread."""

    @wraps(function)
    def held(*args: Any, **settings: Any) -> Any:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **settings)

    return held  # type: ignore[return-value]  # the same signature, which wraps cannot say
