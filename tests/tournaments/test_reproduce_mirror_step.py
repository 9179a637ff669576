"""Which step magnetic mirror descent search is given, and the chart of intervals."""

from __future__ import annotations

from xml.etree import ElementTree

import arena
from games.tree import tree_of
from tournaments.reproduce import _mirror_step as steps
from tournaments.reproduce._zero_sum import exploitabilities
from tournaments.reproduce.plot import interval_chart


def test_the_best_pair_is_best_in_its_worst_case() -> None:
    games = steps.GAMES[:2]
    found = steps.choose(games)
    assert len(found) == len(steps.STEPS) * len(steps.TEMPERATURES)
    assert [c.worst for c in found] == sorted(c.worst for c in found)
    best, ratios = found[0], []
    for name, params in games:
        game = arena.make(name, **params)
        tree = tree_of(game)
        low, high = game.payoff_bounds
        for behaviour in steps.blueprints(game, tree).values():
            after = steps.search_everywhere(
                tree,
                behaviour,
                step=best.step / (high - low),
                temperature=best.temperature * (high - low),
            )
            ratios.append(
                steps.exploitability(tree, after.behaviour) / steps.exploitability(tree, behaviour)
            )
    assert best.worst == max(ratios) < 1.0


def test_it_is_not_chosen_on_what_is_reported(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    chosen = {arena.make(name, **params).key for name, params in steps.GAMES}
    monkeypatch.setattr(
        "tournaments.reproduce._zero_sum._bounded",
        lambda game, *_: {"game": game.key, "blueprint": "uniform"},
    )
    step, gaps = exploitabilities(quick=False, folder=tmp_path)
    assert step.worst < 1.0
    assert len(gaps) == 10
    assert not chosen & {gap["game"] for gap in gaps}
    assert all(gap["search"] < gap["base"] for gap in gaps if "kind" in gap)


def test_a_chart_of_intervals_has_a_point_for_each() -> None:
    rows = {
        "a & b": {"before": (1.0, 0.5, 1.5), "after": (2.0, 1.8, 2.2)},
        "c": {"after": (3.0, 3.0, 3.0)},
    }
    chart = ElementTree.fromstring(interval_chart(rows, title="t < u", x_label="x"))
    names = [text.text for text in chart.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a & b", "c", "before", "after", "t < u"} <= set(names)
    assert len(list(chart.iter("{http://www.w3.org/2000/svg}circle"))) == 3 + 2
    assert interval_chart({}, title="", x_label="").startswith("<svg")
