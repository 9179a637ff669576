"""Text from outside, made fit for a page: agents, games and logs may hold anything."""

from __future__ import annotations

import html
import json
import math
import re
from typing import Any

__all__ = ["clean", "embed", "escape", "name", "number", "shorten"]

# C0 and C1 controls but tab and newline, and surrogates that no encoding can carry.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return `text` with characters that no page can hold replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n"))


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escape(text: str) -> str:
    """Return `text` for an element or a quoted attribute."""
    return html.escape(clean(text), quote=True)


def name(text: str) -> str:
    """Return the markup of an agent's or game's name.

    It is cut where it is very long, and isolated so that right-to-left marks in it
    cannot reorder its surroundings.
    """
    short = shorten(text, 60)
    full = f' title="{escape(shorten(text, 400))}"' if short != text else ""
    return f'<bdi class="name"{full}>{escape(short)}</bdi>'


def number(value: float, digits: int = 0) -> str:
    """Return a number as read by people: a true minus sign, a dash for NaN."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "\u2212") if float(text.replace(",", "")) else f"{0:.{digits}f}"


def embed(value: Any) -> str:
    """Return JSON that may stand inside a script element: no `<`, `>`, `&` or line separators."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
