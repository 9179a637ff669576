"""Hypothesis without a clock: that a machine is busy is no failure."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("arena", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("arena")
