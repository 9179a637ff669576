"""Solvers of compiled extensive forms."""

from __future__ import annotations

from solvers.tree.run import Method, TreeSolver

__all__ = ["Method", "TreeSolver"]
