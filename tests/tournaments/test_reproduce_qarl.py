from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from arena.errors import ParameterError
from tournaments.reproduce import _qarl_cells, qarl
from tournaments.reproduce._qarl_cells import Plan, Task, cell, tasks
from tournaments.reproduce.heat import heat_maps


def tiny() -> Task:
    point = tasks(quick=True)[0]
    settings = {**point.settings, "hidden": [8], "batch": 16, "warm_up": 50, "update_every": 5}
    return replace(
        point, game="adversarial/point_mass(horizon=15)", steps=300, attack_steps=150,
        axes={"mass": (0.5, 2.0), "friction": (0.5, 1.0, 2.0), "gusts": (0.0, 1.0)},
        settings=settings,
    )  # fmt: skip


def test_a_cell_is_made_once_and_read_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(tiny(), "qarl", 4)
    found = cell(plan, tmp_path)
    assert np.array(found["grid"]).shape == (2, 3, 2)
    assert found["attacked"] <= 0.0
    policy = _qarl_cells.controller(plan, tmp_path)
    assert policy.layers(0) is not None
    assert policy.layers(1) is not None
    with monkeypatch.context() as patch:
        patch.setattr(_qarl_cells, "Qarl", None)  # nothing is trained again
        assert cell(plan, tmp_path) == found
    with pytest.raises(ParameterError, match="same settings"):
        cell(replace(plan, task=replace(plan.task, steps=400)), tmp_path)
    again = cell(plan, tmp_path / "other")
    for name in ("grid", "attacked", "observation_noise", "nominal"):
        assert again[name] == found[name]


def fake(task: Task, method: str, seed: int, level: float) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shape = tuple(len(values) for values in task.axes.values())
    return {
        "made_from": {"seed": seed},
        "grid": (level + rng.normal(size=shape)).tolist(),
        "nominal": level,
        "action_noise": [level] * len(task.noises),
        "observation_noise": [level] * len(task.noises),
        "attacked": level - 5.0,
        "failed": 0,
        "seconds": 1.0,
    }


@pytest.mark.parametrize(("ahead", "holds"), [(3.0, True), (-3.0, False), (0.0, False)])
def test_the_statements_follow_the_figures(
    ahead: float, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny()
    chosen = [replace(base, name=name) for name in ("point_mass", "inverted_pendulum", "hopper")]
    monkeypatch.setattr(qarl, "_league", lambda *_: {})
    found: dict[str, Any] = {}
    for task in chosen:
        found[task.name] = {
            method: [
                fake(task, method, seed, -30.0 + (ahead if method == "qarl" else 0.0))
                for seed in range(5)
            ]
            for method in ("sac", "rarl", "qarl")
        }
    report = qarl.report(chosen, found, out=tmp_path, quick=False)
    claims = [c for c in report.checks if "intervals apart" in c.text]
    assert [c.holds for c in claims] == [holds] * 7
    assert report.reproduced == holds
    assert len(report.rows) == 9
    kept = json.loads((tmp_path / "qarl.json").read_text())
    assert kept["tasks"]["hopper"]["qarl"]["seeds"] == 5
    ElementTree.parse(tmp_path / "qarl-hopper-gusts.svg")
    quick = qarl.report(chosen, found, out=tmp_path, quick=True)
    assert {c.holds for c in quick.checks} == {None}


def test_every_method_gets_every_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Plan] = []

    def remember(plan: Plan, folder: Path) -> dict[str, Any]:
        made.append(plan)
        return fake(plan.task, plan.method, plan.seed, -30.0)

    monkeypatch.setattr(qarl, "cell", remember)
    monkeypatch.setattr(qarl, "_league", lambda *_: {})
    chosen = [
        replace(tiny(), name="hopper"),
        replace(tiny(), seeds=range(20, 26), own={"rarl": {}}),
    ]
    monkeypatch.setattr(qarl, "tasks", lambda *, quick: chosen)
    report = qarl.CLAIM.run(quick=False, out=tmp_path)
    assert len(made) == 2 * 3 + 6 * 3 + 5 * 8  # the long task has the first methods only
    assert [plan.method for plan in made[:6]] == ["sac", "rarl", "qarl"] * 2
    assert {plan.seed for plan in made} == set(range(20, 26))
    assert {plan.seed for plan in made if plan.method == "mas"} == set(range(20, 25))
    assert len(report.rows) == 3 + 11
    assert sum("twice the steps" in check.text for check in report.checks) == 1
    assert sum("as strong an adversary" in check.text for check in report.checks) == 1


def test_methods_have_their_own_settings() -> None:
    task = replace(tiny(), own={"qarl": {"level": -9.0}, "rarl": {"strength": 0.1}})
    names = ("sac", "sac_double", "rarl", "rarl_same", "qarl", "linear")
    told = [task.settings_of(name) for name in names]
    assert [s["level"] for s in told] == [None] * 4 + [-9.0] * 2
    assert [s["strength"] for s in told] == [None, None, 0.1, None, None, None]
    assert [s["method"] for s in told] == ["sac", "sac", "rarl", "rarl", "qarl", "linear"]
    assert [s["hidden"] for s in told] == [[8]] * 6


def test_a_cell_does_not_depend_on_other_methods_settings() -> None:
    task = tiny()
    other = replace(task, own={"qarl": {"level": -9.0}}, seeds=(7,))
    assert Plan(task, "sac", 1).facts() == Plan(other, "sac", 1).facts()
    assert Plan(task, "qarl", 1).facts() != Plan(other, "qarl", 1).facts()


def test_heat_maps_draw_every_cell() -> None:
    tables = {f"m{k} <&>": np.arange(6.0).reshape(2, 3) + k for k in range(4)}
    drawn = heat_maps(
        tables, rows=[1, 2], columns=[1, 2, 3], row_label="r", column_label="c", title="t"
    )
    root = ElementTree.fromstring(drawn)
    rects = [e for e in root.iter() if e.tag.endswith("rect")]
    assert len(rects) == 1 + 4 * 6
    assert rects[1].get("fill") == "rgb(68,1,84)"


def test_every_task_names_a_game_that_exists() -> None:
    assert [t.name for t in tasks(quick=False)] == ["point_mass", "inverted_pendulum", "hopper"]
    for task in tasks(quick=False) + tasks(quick=True):
        assert task.game.startswith("adversarial/")
        assert list(task.axes) == ["mass", "friction", "gusts"]
