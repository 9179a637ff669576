"""A tournament's report: one HTML file that shows the table, the pairings and the games.

A single match has a page of its own: `tournaments.report.match`.
"""

from __future__ import annotations

from tournaments.report.data import ReportData
from tournaments.report.html import build, write

__all__ = ["ReportData", "build", "write"]
