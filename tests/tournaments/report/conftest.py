"""The sample tournament, played once for all tests of the report."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample

from tournaments.report.data import ReportData


@pytest.fixture(scope="session")
def played() -> ReportData:
    return sample.play()
