"""A tournament's report: one HTML file that shows the table, the pairings and the games."""

from __future__ import annotations

from tournaments.report.data import ReportData
from tournaments.report.html import build, write

__all__ = ["ReportData", "build", "write"]
