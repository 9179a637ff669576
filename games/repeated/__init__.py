"""Repeated matrix games: `repeated/<matrix game>`, finite or geometric, with or without noise."""

from __future__ import annotations

from games.repeated.form import RepeatedForm, last_joint, repeat
from games.repeated.state import RepeatedObservation, RepeatedState

__all__ = ["RepeatedForm", "RepeatedObservation", "RepeatedState", "last_joint", "repeat"]
