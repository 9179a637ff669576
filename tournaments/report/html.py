"""One HTML file out of a `ReportData`: no network, no framework, nothing beside it.

Style and script are inlined; a Content-Security-Policy lets exactly these two run (by
digest) and forbids every request. Leaderboards and forfeits are plain tables that need
no script; the script adds the rest from JSON embedded in the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from string import Template

from arena.errors import ParameterError
from arena.files import write_atomic
from tournaments.report.data import Match, ReportData
from tournaments.report.fair import by_need
from tournaments.report.leaderboard import forfeits, leaderboard
from tournaments.report.payload import MOST_AGENTS, facts, pack_replays
from tournaments.report.teamwork import teamwork_section
from tournaments.report.text import escape, name

__all__ = ["build", "fill", "write"]

LISTED = 5000
"""Matches listed at most."""

BUDGET = 4_000_000
"""Bytes that the packed replays may take at most."""


def build(data: ReportData, *, listed: int = LISTED, budget: int = BUDGET) -> str:
    """Return the report as one HTML document.

    Args:
        data: what to show.
        listed: matches listed at most; `tournaments.report.fair` says which.
        budget: bytes that the replays may take at most; the page says what it left out.

    Raises:
        ParameterError: `listed` or `budget` is negative.
    """
    for key, value in (("listed", listed), ("budget", budget)):
        if value < 0:
            raise ParameterError(key, value, "0 or more")
    shown = _listed(data.matches, listed)
    replays, replayed = pack_replays(shown, budget=budget)
    return fill(
        "page.html",
        "app.js",
        title=escape(data.name),
        name=f"<bdi>{escape(data.name)}</bdi>",
        summary=_summary(data),
        settings=_settings(data),
        notes=_notes(data, len(shown), replayed),
        leaderboards="\n".join(leaderboard(data, i) for i in range(len(data.tables))),
        cut=_cut(data),
        teamwork=teamwork_section(data.teamwork),
        team_link='<a href="#teamwork">Teamwork</a>' if data.teamwork else "",
        forfeits=forfeits(data),
        version=escape(data.version),
        facts=facts(data, shown=shown, replayed=replayed),
        replays=replays,
    )


def write(
    data: ReportData, path: str | Path, *, listed: int = LISTED, budget: int = BUDGET
) -> Path:
    """Write the report to `path` (atomically) and return the path."""
    text = build(data, listed=listed, budget=budget)
    with write_atomic(path) as file:
        file.write(text.encode("utf-8"))
    return Path(path)


def fill(template: str, script: str, **fields: str) -> str:
    """Return a page with its style and script inlined, and nothing else allowed to run.

    Args:
        template: the file of what stands in the frame that all pages have.
        script: the file with what this page does beside showing replays.
        fields: what else the template names.
    """
    style = _asset("style.css")
    code = "\n".join(_asset(file) for file in ("common.js", "replay.js", script))
    policy = (
        f"default-src 'none'; script-src '{_digest(code)}'; style-src '{_digest(style)}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    whole = Template(_asset("frame.html").replace("$body", _asset(template)))
    return whole.substitute(policy=policy, style=style, script=code, **fields)


def _listed(matches: Sequence[Match], limit: int) -> list[Match]:
    """Return the matches to list, in schedule order."""
    wanted = [matches[place] for place in by_need(matches)[:limit]]
    return sorted(wanted, key=lambda match: match.number)


@lru_cache(maxsize=8)
def _asset(file: str) -> str:
    return files("tournaments.report").joinpath(file).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """Return the policy's name for an inline element of exactly this content."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode()


def _summary(data: ReportData) -> str:
    """Return the figures under the title."""
    games = ", ".join(name(game.label) for game in data.games[:8])
    if len(data.games) > 8:
        games += f" and {len(data.games) - 8} more"
    total = max(data.forfeits, sum(match.offender >= 0 for match in data.matches))
    figures = [
        ("Matches played", f"{data.played:,}"),
        ("Agents", f"{len(data.agents):,}"),
        ("Games", f"{len(data.games):,}"),
        ("Forfeits", f"{total:,}"),
    ]
    cells = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in figures)
    return f'<p class="games">{games}</p><dl class="figures">{cells}</dl>'


def _settings(data: ReportData) -> str:
    """Return the list of settings, seed and version first."""
    rows = {
        "When": data.when,
        "Seed": str(data.seed),
        "arena": data.version,
        **{game.key: game.summary for game in data.games if game.summary},
        **data.settings,
    }
    return "".join(
        f"<div><dt><bdi>{escape(key)}</bdi></dt><dd><bdi>{escape(value)}</bdi></dd></div>"
        for key, value in rows.items()
    )


def _cut(data: ReportData) -> str:
    """Return the note above matrices that are too big to be shown whole."""
    if max((len(table.standings) for table in data.tables), default=0) <= MOST_AGENTS:
        return ""
    return (
        f'<p class="muted">The matrices and the curve show the {MOST_AGENTS} agents that stand'
        " highest; the leaderboard shows all.</p>"
    )


def _notes(data: ReportData, shown: int, replayed: set[int]) -> str:
    """Return one sentence for everything that the page leaves out."""
    notes = [f"<bdi>{escape(note)}</bdi>" for note in data.notes]
    if shown < data.played:
        notes.append(f"{shown:,} of {data.played:,} matches are listed here.")
    if len(replayed) < shown:
        notes.append(
            f"{len(replayed):,} of the {shown:,} listed matches can be replayed here;"
            " the others were left out or were stored without their moves."
        )
    return "".join(f'<p class="muted">{note}</p>' for note in notes)
