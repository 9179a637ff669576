"""Lower bounds on exploitability for games too large for a tree."""

from __future__ import annotations

from solvers.approximate.bound import RESPONDERS, Response, lower_bound, responses

__all__ = ["RESPONDERS", "Response", "lower_bound", "responses"]
