"""The parts of the page that stand without scripts: leaderboards, warnings and forfeits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tournaments.report.data import Match, ReportData, Standing, Table
from tournaments.report.text import clean, escape, name, number

__all__ = ["forfeits", "leaderboard", "ticks"]

SHOWN_FORFEITS = 200
SHOWN_LOG = 8000

_WHAT = {
    "illegal": "illegal action",
    "exception": "exception",
    "move time": "out of time for a move",
    "game time": "out of time for the game",
    "cpu time": "out of CPU time",
    "memory": "too much memory",
    "exit": "process ended",
    "output": "too much output",
    "protocol": "broke the protocol",
}


def ticks(low: float, high: float, *, about: int = 4) -> list[float]:
    """Return round numbers between `low` and `high`, roughly `about` of them."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    raw = span / about
    base = 10.0 ** math.floor(math.log10(raw))
    step = next(m * base for m in (1, 2, 2.5, 5, 10) if m * base >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


class _Axis:
    """The common scale of all whiskers of one table, in per cent of the column."""

    def __init__(self, standings: Sequence[Standing]) -> None:
        values = [
            v for row in standings for v in (row.low, row.high, row.rating) if math.isfinite(v)
        ]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        margin = (high - low) * 0.06 or 1.0
        self.low, self.high = low - margin, high + margin
        self.ticks = ticks(self.low, self.high)
        self.digits = 0 if self.high - self.low >= 20 else 2

    def at(self, value: float) -> str:
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"


def leaderboard(data: ReportData, index: int) -> str:
    """Return the leaderboard of `data.tables[index]` with its warnings."""
    table = data.tables[index]
    axis = _Axis(table.standings)
    rows = "\n".join(_row(data, row, axis) for row in table.standings)
    hidden = "" if index == 0 else " data-later"
    scale = escape(table.scale)
    marks = "".join(
        f'<text x="{axis.at(t)}" y="11" text-anchor="middle">{number(t, axis.digits)}</text>'
        for t in axis.ticks
    )
    return f"""<div class="scope" data-scope="{index}"{hidden}>
{_warnings(table)}<div class="scroll" tabindex="0" role="region" \
aria-label="Leaderboard, {escape(table.label)}">
<table class="board">
<caption>{name(table.label)}: {len(table.standings)} agents, best first</caption>
<thead><tr>
<th scope="col" data-sort="rank" aria-sort="ascending" class="num">Rank</th>
<th scope="col" data-sort="agent" class="who">Agent</th>
<th scope="col" data-sort="rating" class="num" title="with its 95% interval"><bdi>{scale}</bdi></th>
<th scope="col" class="plot" aria-label="95% interval, drawn">\
<svg class="axis" aria-hidden="true">{marks}</svg></th>
<th scope="col" data-sort="score" title="wins and half the draws, of all comparisons">Score</th>
<th scope="col" data-sort="wins" class="num"><abbr title="wins">W</abbr></th>
<th scope="col" data-sort="draws" class="num"><abbr title="draws">D</abbr></th>
<th scope="col" data-sort="losses" class="num"><abbr title="losses">L</abbr></th>
<th scope="col" data-sort="games" class="num">Games</th>
<th scope="col" data-sort="forfeits" class="num">Forfeits</th>
<th scope="col" data-sort="payoff" class="num">Mean payoff</th>
</tr></thead>
<tbody>
{rows}
</tbody></table></div></div>"""


def _row(data: ReportData, row: Standing, axis: _Axis) -> str:
    compared = row.wins + row.draws + row.losses
    score = (row.wins + row.draws / 2) / compared if compared else float("nan")
    spread = "" if row.rank_low == row.rank_high else f"{row.rank_low}–{row.rank_high}"
    sub = f'<small title="the ranks that the data cannot exclude">{spread}</small>'
    interval = (
        f"<small>{number(row.low, axis.digits)} to {number(row.high, axis.digits)}</small>"
        if math.isfinite(row.low + row.high)
        else ""
    )
    values = {
        "rank": row.rank,
        "rating": _plain(row.rating),
        "score": _plain(score),
        "wins": row.wins,
        "draws": row.draws,
        "losses": row.losses,
        "games": row.games,
        "forfeits": row.forfeits,
        "payoff": _plain(row.mean_payoff),
    }
    attributes = " ".join(f'data-{key}="{value}"' for key, value in values.items())
    alarm = " alarm" if row.forfeits else ""
    return (
        f'<tr data-row="{row.agent}" {attributes}>'
        f'<td class="num rank"><b>{row.rank}</b>{sub if spread else ""}</td>'
        f'<th scope="row" class="who">{name(data.agents[row.agent])}</th>'
        f'<td class="num"><b>{number(row.rating, axis.digits)}</b>{interval}</td>'
        f'<td class="plot">{_whisker(row, axis)}</td>'
        f'<td class="score">{number(100 * score, 1)}{"%" if compared else ""}{_bar(row)}</td>'
        f'<td class="num">{row.wins:,}</td><td class="num">{row.draws:,}</td>'
        f'<td class="num">{row.losses:,}</td><td class="num">{row.games:,}</td>'
        f'<td class="num{alarm}">{row.forfeits:,}</td>'
        f'<td class="num">{number(row.mean_payoff, 3)}</td></tr>'
    )


def _plain(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _whisker(row: Standing, axis: _Axis) -> str:
    """Draw one interval on the table's common scale."""
    grid = "".join(
        f'<line class="grid" x1="{axis.at(t)}" x2="{axis.at(t)}" y1="0" y2="26"/>'
        for t in axis.ticks
    )
    if not math.isfinite(row.rating):
        return f'<svg class="whisker" role="img" aria-label="no rating">{grid}</svg>'
    said = f"rating {number(row.rating, axis.digits)}"
    drawn = ""
    if math.isfinite(row.low + row.high):
        said += f", 95% interval {number(row.low, axis.digits)} to {number(row.high, axis.digits)}"
        low, high = axis.at(row.low), axis.at(row.high)
        drawn = (
            f'<line class="stem" x1="{low}" x2="{high}" y1="13" y2="13"/>'
            f'<line class="stem" x1="{low}" x2="{low}" y1="8" y2="18"/>'
            f'<line class="stem" x1="{high}" x2="{high}" y1="8" y2="18"/>'
        )
    return (
        f'<svg class="whisker" role="img" aria-label="{said}">{grid}{drawn}'
        f'<circle cx="{axis.at(row.rating)}" cy="13" r="4.5"/></svg>'
    )


def _bar(row: Standing) -> str:
    """Draw wins, draws and losses as one stacked bar."""
    total = row.wins + row.draws + row.losses
    if not total:
        return ""
    wins, draws = 100 * row.wins / total, 100 * row.draws / total
    return (
        '<svg class="wdl" aria-hidden="true"><rect class="l" width="100%" height="6"/>'
        f'<rect class="d" width="{wins + draws:.2f}%" height="6"/>'
        f'<rect class="w" width="{wins:.2f}%" height="6"/></svg>'
    )


def _warnings(table: Table) -> str:
    if not table.warnings:
        return ""
    shown = list(table.warnings[:6])
    if len(table.warnings) > len(shown):
        shown.append(f"… and {len(table.warnings) - len(shown)} more of this kind.")
    items = "".join(f"<li><bdi>{escape(w)}</bdi></li>" for w in shown)
    return f'<div class="warn" role="note"><b>Read the order with care</b><ul>{items}</ul></div>\n'


def forfeits(data: ReportData) -> str:
    """Return the table of forfeits, agents' logs included."""
    all_of_them = [match for match in data.matches if match.offender >= 0]
    total = max(data.forfeits, len(all_of_them))
    if not total:
        return '<p class="good">No agent forfeited a match.</p>'
    counts = Counter((m.seating[m.offender], m.fault) for m in all_of_them)
    summary = "".join(
        f"<li>{name(data.agents[agent])}: {escape(_WHAT.get(fault, fault))} × {count:,}</li>"
        for (agent, fault), count in counts.most_common(12)
    )
    shown = all_of_them[:SHOWN_FORFEITS]
    rows = "\n".join(_forfeit(data, match) for match in shown)
    note = (
        f'<p class="muted">The first {len(shown):,} of {total:,} forfeits are shown.</p>'
        if total > len(shown)
        else ""
    )
    return f"""<ul class="tally">{summary}</ul>{note}
<div class="scroll" tabindex="0" role="region" aria-label="Forfeits">
<table class="forfeits"><caption>Forfeited matches</caption><thead><tr>
<th scope="col">Match</th><th scope="col">Agent</th><th scope="col">Game</th>
<th scope="col">Reason</th><th scope="col">What happened</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""


def _forfeit(data: ReportData, match: Match) -> str:
    log = clean(match.log)
    if len(log) > SHOWN_LOG:
        log = f"… {len(log) - SHOWN_LOG:,} characters before\n{log[-SHOWN_LOG:]}"
    shown = (
        f"<details><summary>the agent's log</summary><pre><bdi>{escape(log)}</bdi></pre></details>"
        if log.strip()
        else '<small class="muted">it wrote no log</small>'
    )
    return (
        f'<tr><td><a href="#match={match.number}&amp;step=end">#{match.number}</a></td>'
        f"<td>{name(data.agents[match.seating[match.offender]])}"
        f"<small><bdi>{escape(_seat(data, match))}</bdi></small></td>"
        f"<td>{name(data.games[match.game].label)}</td>"
        f"<td><bdi>{escape(_WHAT.get(match.fault, match.fault))}</bdi></td>"
        f'<td class="what"><bdi>{escape(match.detail[:2000])}</bdi>{shown}</td></tr>'
    )


def _seat(data: ReportData, match: Match) -> str:
    names = data.games[match.game].seat_names
    return names[match.offender] if match.offender < len(names) else f"seat {match.offender}"
