"""How the command line speaks: tables for people, JSON for machines, errors in one line."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.errors import ParameterError

__all__ = ["error_line", "examples", "parse_params", "print_json", "print_table"]


def examples(*commands: str) -> str:
    """Return the epilog that shows how a command is used."""
    lines = "\n\n".join(f"  [cyan]{command}[/cyan]" for command in commands)
    return f"[bold]Examples[/bold]\n\n{lines}"


def error_line(message: str) -> None:
    """Print an error as one line on stderr."""
    text = " ".join(message.split())
    colour = sys.stderr.isatty()
    print(f"\x1b[31merror:\x1b[0m {text}" if colour else f"error: {text}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print JSON for machines (NaN and infinities as null)."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def print_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
) -> None:
    """Print a table; columns named in `right` are aligned to the right.

    In a pipe the table keeps its whole width, so that nothing is cut.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in header:
        table.add_column(
            name, justify="right" if name in right else "left", header_style="bold", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=1000)
    console.print(table)


def parse_params(pairs: Sequence[str], *, option: str = "--param") -> dict[str, Any]:
    """Turn `["players=3", "name=x"]` into a dict; values are JSON where they parse as such.

    Args:
        pairs: as given, `key=value` each.
        option: named in errors.

    Raises:
        ParameterError: an item has no `=`.
    """
    params: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise ParameterError(option, pair, "key=value, such as players=3")
        try:
            params[key.strip()] = json.loads(text)
        except json.JSONDecodeError:
            params[key.strip()] = text
    return params
