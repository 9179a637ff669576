"""The command line: `arena …`, one module a command group.

Nothing heavy is imported before a command runs, so `arena --help` stays quick.
"""

from __future__ import annotations

from arena.cli.main import main

__all__ = ["main"]
