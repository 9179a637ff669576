"""Agents outside this process: the protocol, the child and its sandbox."""

from __future__ import annotations

from agents.process.agent import ProcessAgent
from agents.process.isolated import Isolated
from agents.process.sandbox import TIERS, active_tier, choose_tier, obstacle

__all__ = ["TIERS", "Isolated", "ProcessAgent", "active_tier", "choose_tier", "obstacle"]
