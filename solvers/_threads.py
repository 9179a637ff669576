"""One thread for dense linear algebra on small matrices.

Up to a few thousand rows, more threads gain little on an idle machine, lose a factor of
ten on a busy one, and change the last digits of a result.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache, wraps
from typing import Any, TypeVar

__all__ = ["one_thread", "single_threaded"]

Function = TypeVar("Function", bound=Callable[..., Any])


@lru_cache(maxsize=1)
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  its BLAS must be loaded before it can be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS and LAPACK use one thread."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited


def single_threaded(function: Function) -> Function:
    """Run `function` with BLAS held to one thread."""

    @wraps(function)
    def held(*args: Any, **settings: Any) -> Any:
        with one_thread():
            return function(*args, **settings)

    return held  # type: ignore[return-value]  # the same signature, which wraps cannot say
