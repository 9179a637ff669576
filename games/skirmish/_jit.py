"""How the kernels are compiled.

Division follows numpy (no check that would keep loops from being vectorised), small helpers
are always inlined: passing whole arrays by value costs more than what they do. Nothing may be
reassociated or contracted, so every caller of a kernel gets the same bits.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["inlined", "kernel", "lend"]

kernel = njit(cache=True, error_model="numpy", nogil=True)
inlined = njit(cache=True, error_model="numpy", forceinline=True)


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def lend(typing_context: Any, lent: Any) -> Any:
    """Return a tuple of arrays whose references are not counted.

    Counting them is an atomic operation at every use of one, on a memory line that all
    threads share. The caller of the outermost kernel holds the arrays while it runs.
    """
    del typing_context

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        del signature
        (value,) = args
        for index, kind in enumerate(lent.types):
            array = context.make_array(kind)(
                context, builder, value=builder.extract_value(value, index)
            )
            for name in ("meminfo", "parent"):
                pointer = getattr(array, name)
                setattr(array, name, cgutils.get_null_value(pointer.type))
            value = builder.insert_value(value, array._getvalue(), index)
        return value

    return lent(lent), codegen
