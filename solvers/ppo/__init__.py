"""Proximal policy optimisation for games: independent, with a central or an additive critic."""

from __future__ import annotations

from solvers.ppo.learner import Ppo, ppo

__all__ = ["Ppo", "ppo"]
