"""The page as a document: whole, alone, and the same without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sample
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.errors import ParameterError
from tournaments.report import ReportData, build, write
from tournaments.report.leaderboard import ticks

VOID = {"meta", "link", "br", "img", "input", "hr", "line", "rect", "circle", "path"}
NASTY = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "]]>",
    "\u202egnp.exe\u202d \u2067right\u2069 to left",
    "$script $$ ${name} @@facts@@ %s {0}",
    "\x00\x07\x1b[31m\ud800\udfff\ufffe",
    "x" * 10_000,
    "\u2028\u2029\\u003c/script\\u003e",
    "=HYPERLINK(1)",
    " ",
    "🂡 Zoë 北京 ﷽",
]


class Page(HTMLParser):
    """Tags in order, attributes, and the text of every element with an id."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, str] = {}
        self.visible: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        self.left_open = [tag for tag, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1][0] == tag, f"</{tag}> within <{self._open[-1][0]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.texts[name] = self.texts.get(name, "") + data
        if not {"script", "style"} & {tag for tag, _ in self._open}:
            self.visible.append(data)


def replays(page: Page) -> dict[int, list[Any]]:
    plain = zlib.decompress(base64.b64decode(page.texts["packed"])).decode()
    return {line[0]: line for line in map(json.loads, plain.splitlines())}


def test_nothing_is_asked_of_any_network(played: ReportData) -> None:
    text = build(played)
    page = Page(text)
    assert not page.left_open
    bare = text.replace("http://www.w3.org/2000/svg", "")  # the name of SVG, not an address
    assert not re.search(r"https?:|wss?:|//[a-z]+\.|@import|url\(|fetch\(|XMLHttpRequest", bare)
    for tag, key, value in page.attributes:
        assert key not in ("src", "srcset", "action", "data", "poster", "background", "style")
        assert not key.startswith("on")
        if key == "href":
            assert value.startswith("#"), (tag, value)


def test_the_policy_admits_exactly_the_inlined_code(played: ReportData) -> None:
    text = build(played)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(part.split(None, 1) for part in policy[1].replace("&#x27;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    for element, rule in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf"<{element}>(.*?)</{element}>", text, re.S)
        assert len(bodies) == 1
        digest = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_the_leaderboard_stands_without_scripts(played: ReportData) -> None:
    page = Page(build(played))
    shown = " ".join(page.visible)
    assert played.name in shown
    for agent in played.agents:
        assert agent in page.texts["leaderboard"]
    first = played.tables[0].standings[0]
    assert f"{first.rating:,.0f}" in page.texts["leaderboard"]
    assert f"{first.wins:,}" in page.texts["leaderboard"]
    for warning in played.tables[0].warnings:
        assert warning in page.texts["leaderboard"]
    assert page.texts["leaderboard"].count("Mean payoff") == len(played.tables)
    assert "ValueError: index 7" in page.texts["forfeits"]


def test_tables_are_read_out_well(played: ReportData) -> None:
    page = Page(build(played))
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    labelled = [value for _, key, value in page.attributes if key == "aria-labelledby"]
    assert labelled and set(labelled) <= set(ids)
    assert page.tags.count("caption") == page.tags.count("table")
    scopes = [key for tag, key, _ in page.attributes if tag == "th" and key == "scope"]
    assert len(scopes) == page.tags.count("th")


def test_every_stored_match_is_there_to_be_replayed(played: ReportData) -> None:
    page = Page(build(played))
    found = replays(page)
    assert sorted(found) == [match.number for match in played.matches]
    listed = json.loads(page.texts["facts"])["matches"]
    for match, row in zip(played.matches, listed, strict=True):
        assert row["n"] == match.number and row["r"] == 1 and int(row["seed"]) == match.seed
        assert match.replay is not None
        assert [step[0] for step in found[match.number][2]] == [s.text for s in match.replay.steps]


def test_what_does_not_fit_is_left_out_fairly_and_said(played: ReportData) -> None:
    page = Page(build(played, budget=6000))
    assert len(page.texts["packed"]) <= 6000
    found = replays(page)
    bad = {match.number for match in played.matches if match.offender >= 0}
    assert 0 < len(found) < len(played.matches) and bad <= set(found)
    assert f"{len(found)} of the {len(played.matches)} listed" in page.texts["matches"]
    page = Page(build(played, listed=10))
    numbers = [row["n"] for row in json.loads(page.texts["facts"])["matches"]]
    assert len(numbers) == 10 and numbers == sorted(numbers)
    assert bad <= set(numbers)
    assert f"10 of {played.played} matches are listed" in page.texts["matches"]
    with pytest.raises(ParameterError, match="budget"):
        build(played, budget=-1)


def test_the_assets_are_small_and_shipped() -> None:
    folder = files("tournaments.report")
    page = ["page.html", "style.css", "common.js", "replay.js", "app.js"]
    sizes = [
        len(folder.joinpath(name).read_bytes())
        for name in [*page, "frame.html", "match.html", "match.js"]
    ]
    assert min(sizes) > 0 and sum(sizes) < 60_000


def test_a_match_names_who_forfeited(tmp_path: Path) -> None:
    def late(observation: arena.Observation) -> int:
        raise RuntimeError("<b>lost</b>")

    match = arena.play("kuhn_poker", [late, "uniform"], seed=1)
    path = match.write_replay(tmp_path / "new" / "match.html")
    text = path.read_text(encoding="utf-8")
    row = json.loads(Page(text).texts["facts"])["matches"][0]
    assert row["o"] == 0 and "RuntimeError" in row["d"]
    assert "<b>lost" not in text


def test_writing(tmp_path: Path) -> None:
    data = sample.tiny(name="\ud800 lone surrogate")
    path = write(data, tmp_path / "deep" / "report.html")
    assert path.read_text(encoding="utf-8") == build(data)
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


BENIGN = Page(build(sample.tiny())).tags


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text[:12]))
def test_nasty_text_stays_text(text: str) -> None:
    _check_hostile(text, text + "2")


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_stays_text(first: str, second: str) -> None:
    # Distinct and not empty: what is empty or said twice is not shown twice.
    _check_hostile("a" + first, "b" + second)


def _check_hostile(first: str, second: str) -> None:
    data = sample.tiny(
        agents=(first, second),
        name=first,
        game=second,
        detail=first,
        log="log " + second,
        move=first,
        text=second,
    )
    text = build(data)
    page = Page(text)
    assert page.tags == BENIGN
    assert not page.left_open
    assert not any(key.startswith("on") for _, key, _ in page.attributes)
    facts = json.loads(page.texts["facts"])
    clean = [
        re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", s)
        for s in (first.replace("\r\n", "\n"), second.replace("\r\n", "\n"))
    ]
    assert facts["agents"] == clean
    assert replays(page)[1][2][1][0] == clean[1]
    assert "\u202e" not in re.sub(r"<(bdi|pre|title|h1)\b.*?</\1>|<[^>]*>|\"[^\"]*\"", "", text)


def test_missing_figures_are_dashes() -> None:
    data = sample.tiny()
    nan = float("nan")
    table = data.tables[0]
    row = replace(
        table.standings[0], rating=nan, low=nan, high=nan, mean_payoff=nan, wins=0, losses=0
    )
    hollow = replace(data, tables=[replace(table, standings=[row], superiority=None)], curve=None)
    text = build(hollow)
    assert "nan" not in Page(text).texts["leaderboard"].lower()
    facts = json.loads(Page(text).texts["facts"])
    assert facts["tables"][0]["rows"][0]["rating"] is None and facts["curve"] is None


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6))
def test_ticks_are_round_and_inside(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 1 <= len(found) <= 6
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= t <= low + span + slack for t in found)


def test_records_are_checked() -> None:
    data = sample.tiny()
    with pytest.raises(ParameterError, match="wins"):
        pairs = replace(data.tables[0].pairs, wins=np.zeros((3, 3), dtype=np.int64))
        replace(data, tables=[replace(data.tables[0], pairs=pairs)])
    with pytest.raises(ParameterError, match="match 1: agent = 7"):
        replace(data, matches=[replace(data.matches[0], seating=(7, 0))])
    with pytest.raises(ParameterError, match="offender"):
        replace(data, matches=[replace(data.matches[0], offender=2)])
    with pytest.raises(ParameterError, match="number"):
        replace(data, matches=[data.matches[0], data.matches[0]])


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(c * 2 for c in color[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_its_ground(scheme: str) -> None:
    """Contrast as WCAG 2.1 defines it: 4.5 for text, 3 for drawings."""
    style = files("tournaments.report").joinpath("style.css").read_text(encoding="utf-8")
    roots = re.findall(r":root\{([^}]*)\}", style)
    colors = dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", roots[scheme == "dark"]))

    def contrast(a: str, b: str) -> float:
        low, high = sorted((_luminance(colors[a]), _luminance(colors[b])))
        return (high + 0.05) / (low + 0.05)

    for ink in ("ink", "soft", "accent", "alarm"):
        for ground in ("card", "bg", "line2"):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast("accent", "accent-bg") >= 4.5
    assert contrast("warn", "warn-bg") >= 4.5
    for seat in range(6):
        assert contrast(f"s{seat}", "card") >= 4.5, seat
    for mark in ("w", "l"):
        assert contrast(mark, "card") >= 3.0, mark


def test_a_big_field_shows_its_best_in_matrices() -> None:
    k = 130
    data = sample.tiny()
    shape = (k, k)
    wins = np.arange(k * k).reshape(shape)
    pairs = replace(
        data.tables[0].pairs,
        wins=wins,
        draws=np.zeros(shape, dtype=np.int64),
        payoff=np.zeros(shape),
        payoff_error=np.zeros(shape),
        met=np.ones(shape, dtype=np.int64),
    )
    row = data.tables[0].standings[0]
    standings = [replace(row, agent=k - 1 - i, rank=i + 1) for i in range(k)]
    table = replace(data.tables[0], standings=standings, pairs=pairs, superiority=None)
    points = np.arange(1, 4)
    curve = replace(data.curve, matches=points, ratings=np.outer(points, np.arange(k)) * 1.0)  # type: ignore[type-var]  # the sample has one
    agents = [f"agent {i}" for i in range(k)]
    page = Page(build(replace(data, agents=agents, tables=[table], curve=curve)))
    facts = json.loads(page.texts["facts"])
    order = list(range(k - 1, k - 101, -1))
    assert facts["tables"][0]["order"] == order == facts["curve"]["agents"]
    assert facts["tables"][0]["wins"] == wins[np.ix_(order, order)].tolist()
    assert facts["curve"]["y"][1] == [128.0, 256.0, 384.0]
    assert "the 100 agents that stand highest" in page.texts["pairs"]
    assert "agent 0" in page.texts["leaderboard"]
