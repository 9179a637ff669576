"""The section on teams: with oneself, with kin, with strangers. It stands without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tournaments.report.text import escape, name, number
from tournaments.teamwork import Mean, Teamwork

__all__ = ["teamwork_section"]

_MOST_GROUPS = 30


def teamwork_section(reports: Sequence[Teamwork]) -> str:
    """Return the whole section, or nothing where no game is cooperative."""
    if not reports:
        return ""
    parts = "\n".join(_report(report, several=len(reports) > 1) for report in reports)
    return f"""<section id="teamwork" aria-labelledby="h-team">
<h2 id="h-team">Teamwork</h2>
<p class="muted">Mean payoff with copies of itself, with the others of its group, and with \
the agents of other groups: strangers, met for the first time here. Every partner counts \
equally; below each mean stands its 95% interval.</p>
{parts}
</section>
"""


def _report(report: Teamwork, *, several: bool) -> str:
    grouped = len(report.groups) < len(report.rows)
    rows = "\n".join(
        f'<tr><th scope="row" class="who">{name(row.agent)}</th>'
        + (f"<td>{name(row.group)}</td>" if grouped else "")
        + _cell(row.alone)
        + (_cell(row.kin) if grouped else "")
        + _cell(row.strangers)
        + f'<td class="num">{number(row.loss, 2)}</td></tr>'
        for row in report.rows
    )
    heads = "".join(
        f'<th scope="col" class="num">{head}</th>'
        for head in (
            "With itself",
            *(["With its group"] if grouped else []),
            "With strangers",
            "Lost with strangers",
        )
    )
    label = f"{name(report.game)}: " if several else ""
    group = '<th scope="col">Group</th>' if grouped else ""
    table = f"""<div class="scroll" tabindex="0" role="region" \
aria-label="Teamwork, {escape(report.game)}"><table class="board">
<caption>{label}the best partners of strangers first</caption>
<thead><tr><th scope="col" class="who">Agent</th>{group}{heads}</tr></thead>
<tbody>
{rows}
</tbody></table></div>"""
    return table + (_between(report) if grouped and len(report.groups) > 1 else "")


def _between(report: Teamwork) -> str:
    groups = report.groups[:_MOST_GROUPS]
    heads = "".join(f'<th scope="col" class="num">{name(group)}</th>' for group in groups)
    rows = "\n".join(
        f'<tr><th scope="row" class="who">{name(group)}</th>'
        + "".join(_cell(mean) for mean in line[: len(groups)])
        + "</tr>"
        for group, line in zip(groups, report.between, strict=False)
    )
    return f"""<h3>Group with group</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Groups">\
<table class="board">
<caption>Group with group: mean over pairs of different agents</caption>
<thead><tr><th scope="col" class="who">Group</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table></div>"""


def _cell(mean: Mean) -> str:
    if not math.isfinite(mean.value):
        return '<td class="num">–</td>'
    interval = (
        f"<small>{number(mean.low, 2)} to {number(mean.high, 2)}</small>"
        if math.isfinite(mean.low)
        else ""
    )
    partners = f"{mean.matches:,} matches"
    return f'<td class="num" title="{partners}"><b>{number(mean.value, 2)}</b>{interval}</td>'
