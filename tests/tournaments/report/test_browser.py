"""The page in a browser: its script runs, replays advance, and the policy holds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sample

import arena
from tournaments.report import ReportData, build
from tournaments.report.match import build_match

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason=f"no Chromium is installed (looked for {', '.join(NAMES)})"
)


def opened(tmp_path: Path, text: str, fragment: str = "", *, size: str = "1280,900") -> str:
    """Return the document after its script has run."""
    page = tmp_path / "report.html"
    page.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={size}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            page.as_uri() + fragment,
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.stdout.decode("utf-8")


def body(document: str) -> str:
    found = re.search(r"<body[^>]*>", document)
    assert found, document[:500]
    return found[0]


def test_the_script_runs_without_errors(tmp_path: Path, played: ReportData) -> None:
    document = opened(tmp_path, build(played))
    assert 'data-ready="1"' in body(document)
    assert "data-errors" not in body(document)
    assert document.count("<path d=") >= len(played.agents)  # the lines of the curve
    assert len(re.findall(r'<td [^>]*data-at="', document)) == len(played.agents) ** 2
    assert len(re.findall(r"<tr[^>]* data-match=", document)) == 20


@pytest.mark.parametrize("step", [0, 5])
def test_a_link_opens_a_match_at_a_step(tmp_path: Path, played: ReportData, step: int) -> None:
    match = played.matches[2]
    assert match.replay is not None
    document = opened(tmp_path, build(played), f"#match={match.number}&step={step}")
    assert "data-errors" not in body(document)
    assert f'id="view" data-step="{step}"' in document
    assert f"{step} / {len(match.replay.steps) - 1}</output>" in document
    discs = sum(character in "xo" for character in match.replay.steps[step].text)
    view = document[document.index('id="view"') : document.index('id="event"')]
    assert len(re.findall(r'r="4" fill="var\(--s[01]\)"', view)) == discs


def test_one_match_is_a_page_of_its_own(tmp_path: Path) -> None:
    battle = arena.make("skirmish/3m", limit=12)
    match = arena.play(battle, ["skirmish/closest"] * 3, seed=5)
    document = opened(tmp_path, build_match(match), "#match=1&step=3")
    assert 'data-ready="1"' in body(document)
    assert "data-errors" not in body(document)
    assert f"3 / {len(match.steps)}</output>" in document
    view = document[document.index('id="view"') : document.index('id="event"')]
    assert "data:image/svg+xml" in view
    assert 'aria-label="Close the replay"' not in document


def test_a_match_that_is_not_there_is_said(tmp_path: Path, played: ReportData) -> None:
    document = opened(tmp_path, build(played, budget=0), "#match=1&step=0")
    assert "Match 1 cannot be replayed here" in document
    document = opened(tmp_path, build(played), "#match=999&step=0")
    assert "Match 999 is not listed" in document


DRIVER = """
const seen = {};
const key = (k, target = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true }));
const at = () => document.getElementById("view").dataset.step;
const press = (text, within = document) =>
  [...within.querySelectorAll("button")].find((b) => b.textContent.trim() === text).click();
const wait = (f) => new Promise((ok) => {
  const timer = setInterval(() => { if (f()) { clearInterval(timer); ok(); } }, 20);
});
(async () => {
  await wait(() => document.body.dataset.ready);
  document.querySelector('[data-match="3"] button').click();
  await wait(() => document.getElementById("view"));
  seen.opened = at();
  document.body.focus();
  for (const k of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"]) key(k);
  seen.keys = at();
  seen.hash = location.hash;
  const slider = document.querySelector("#replay input[type=range]");
  slider.value = 4; slider.dispatchEvent(new Event("input"));
  seen.slider = at();
  key("Home");
  seen.elsewhere = at();
  key("End", document.getElementById("replay"));
  seen.end = at();
  document.querySelector('#replay .moves li:nth-child(2) button').click();
  seen.move = at();
  press("Aa");
  seen.text = document.querySelector("#view pre").textContent.split("\\n").length;
  press("Close");
  seen.closed = document.getElementById("replay").hidden;
  press("kuhn_poker", document.getElementById("pairs"));
  seen.scope = [...document.querySelectorAll("[data-scope]")]
    .filter((n) => !n.hidden).map((n) => n.dataset.scope).join();
  press("Mean payoff", document.getElementById("views"));
  seen.heat = document.querySelector("#heat caption").textContent;
  press("Superiority", document.getElementById("views"));
  seen.superiority = document.querySelector("#heat td[data-at='0,1']").getAttribute("aria-label");
  const board = document.querySelector("[data-scope='3'] table");
  press("Agent", board);
  seen.sorted = [...board.tBodies[0].rows].map((r) => r.dataset.row).join();
  const game = document.getElementById("f-game");
  game.value = "1"; game.dispatchEvent(new Event("change"));
  seen.found = document.getElementById("found").textContent;
  document.querySelector("#legend button").click();
  seen.lines = document.querySelectorAll("#curve path").length;
  seen.csv = asCsv().split("\\r\\n")[0];
  seen.json = JSON.parse(asJson()).standings.length;
  document.body.dataset.seen = JSON.stringify(seen);
})();
"""


def test_everything_that_can_be_pressed(tmp_path: Path, played: ReportData) -> None:
    import html
    import json

    # The driver is not the page's own code, so this copy goes without the policy.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", build(played))
    text = text.replace("</body>", f"<script>{DRIVER}</script></body>")
    tag = body(opened(tmp_path, text))
    assert "data-errors" not in tag
    found = re.search(r'data-seen="([^"]*)"', tag)
    assert found, tag
    seen = json.loads(html.unescape(found[1]))
    replay = played.matches[2].replay
    assert replay is not None
    by_name = sorted(range(len(played.agents)), key=lambda k: played.agents[k].lower())
    assert seen == {
        "opened": "0",
        "keys": "2",
        "hash": "#match=3&step=2",
        "slider": "4",
        "elsewhere": "4",
        "end": str(len(replay.steps) - 1),
        "move": "1",
        "text": replay.steps[1].text.count("\n") + 1,
        "closed": True,
        "scope": "3",
        "heat": "Mean payoff, kuhn_poker",
        "superiority": seen["superiority"],
        "sorted": ",".join(map(str, by_name)),
        "found": f"{sum(m.game == 1 for m in played.matches)} matches",
        "lines": len(played.agents) - 1,
        "csv": "agent,rank,rank_low,rank_high,rating,low,high,games,wins,draws,losses,forfeits,"
        "mean_payoff",
        "json": len(played.agents),
    }
    assert "with probability" in seen["superiority"]


def test_foreign_code_does_not_run(tmp_path: Path) -> None:
    nasty = "</script><script>document.body.dataset.owned=1</script><img src=x onerror=owned()>"
    text = build(sample.tiny(agents=(nasty, "b"), log=nasty, move=nasty, text=nasty))
    tag = body(opened(tmp_path, text, "#match=1&step=1"))
    assert 'data-ready="1"' in tag and "data-owned" not in tag and "data-errors" not in tag
    # Even code that got into the file is stopped by the policy.
    planted = text.replace("</main>", "<script>document.body.dataset.owned=1</script></main>")
    tag = body(opened(tmp_path, planted))
    assert 'data-ready="1"' in tag and "data-owned" not in tag
