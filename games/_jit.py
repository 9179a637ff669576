"""How kernels are compiled that allocate nothing.

Numba counts references to arrays with atomic operations, also when a kernel only takes a row
of an array or passes it on; in a loop over short games that costs more than the games.
`kernel` leaves the counting out. What it compiles may not allocate: such code is refused by
the compiler, so a kernel cannot leak.
"""

from __future__ import annotations

from numba import njit

__all__ = ["kernel"]

kernel = njit(cache=True, _nrt=False)
"""Decorator: compile, keep the result on disk, count no references."""
