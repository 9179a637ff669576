"""`arena robustness`: what trained controllers withstand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, parse_params, print_json, print_table
from arena.cli.solving import busy
from arena.errors import ParameterError, UnknownNameError
from arena.registry import load_target

__all__ = ["EXAMPLES", "robustness"]

EXAMPLES = examples(
    "arena robustness adversarial/point_mass runs/wind/checkpoints/best.safetensors"
    " --grid mass=0.5,1,2 --grid gusts=0:2:5",
    "arena robustness adversarial/hopper qarl=a.safetensors qarl=b.safetensors sac=c.safetensors"
    " --grid mass=0.6:1.4:5 --grid friction=0.4,1,1.6 --attack 20000 --out robust",
)


def robustness(
    game: Annotated[str, typer.Argument(help="An adversarial control game.")],
    checkpoint: Annotated[
        list[str],
        typer.Argument(
            help="Controllers, PATH or NAME=PATH; those of one name are seeds of one method."
        ),
    ],
    grid: Annotated[
        list[str],
        typer.Option(
            help="A property and its values, NAME=1,2,4 or NAME=FIRST:LAST:COUNT; may be repeated."
        ),
    ],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A game parameter, key=value.")
    ] = None,
    episodes: Annotated[int, typer.Option(help="Episodes of each cell.", min=1)] = 5,
    attack: Annotated[
        int, typer.Option(help="Steps that a fresh adversary learns from; 0 for none.", min=0)
    ] = 0,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="A setting of the attacking learner, key=value."),
    ] = None,
    seed: Annotated[int, typer.Option(help="All randomness follows from it.", min=0)] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for robustness.json and heatmaps (SVG).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Test frozen controllers on other masses, frictions, gusts and noise, and attack them.

    Properties: mass, friction, gusts, action_noise, observation_noise. Intervals are 95%
    bootstrap intervals over the controllers of one name.
    """
    import arena

    made = arena.make(game, **parse_params(param or []))
    axes = _axes(grid)
    controllers = _controllers(checkpoint)
    with busy(f"testing on {made.key}", quiet=json) as say:
        found = load_target("solvers.qarl.examination:examine")(
            made,
            controllers,
            axes,
            episodes=episodes,
            seed=seed,
            attack_steps=attack,
            settings=parse_params(setting or [], option="--set"),
            progress=say,
        )
    written = [] if out is None else _write(found, out)
    if json:
        print_json(found.to_dict())
        return
    _show(found)
    for path in written:
        typer.echo(f"written: {path}")


def _axes(given: Sequence[str]) -> dict[str, list[float]]:
    from games.control.batch import SCALES

    # `strength` is the adversary's, and nobody plays it here.
    known = [name for name in SCALES if name != "strength"]
    axes: dict[str, list[float]] = {}
    for text in given:
        name, _, values = text.partition("=")
        if name not in known:
            hint = f"there are {', '.join(known)}"
            raise UnknownNameError("property", name, known, hint=hint)
        if name in axes:
            raise ParameterError("--grid", text, f"{name} once only")
        axes[name] = _values(text, values)
    return axes


def _values(text: str, values: str) -> list[float]:
    """Read `1,2,4` or `0:2:5` (first, last, how many)."""
    wanted = "NAME=1,2,4 or NAME=FIRST:LAST:COUNT, all numbers finite"
    try:
        if ":" in values:
            first, last, count = values.split(":")
            steps = int(count)
            span = float(last) - float(first)
            numbers = [float(first) + span * k / max(1, steps - 1) for k in range(steps)]
        else:
            numbers = [float(value) for value in values.split(",")]
    except ValueError as error:
        raise ParameterError("--grid", text, wanted) from error
    if not numbers or not all(math.isfinite(number) for number in numbers):
        raise ParameterError("--grid", text, wanted)
    return [float(f"{number:.12g}") for number in numbers]


def _controllers(given: Sequence[str]) -> dict[str, list[Any]]:
    from arena.solver import load_policy

    out: dict[str, list[Any]] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = "controller", text
        policy = load_policy(path)
        if getattr(policy, "kind", None) != "control":
            raise ParameterError("CHECKPOINT", path, "a checkpoint that the learner qarl wrote")
        out.setdefault(name, []).append(policy)
    return out


def _show(found: Any) -> None:
    titles = {"mean": "mean", "iqm": "interquartile mean", "worst": "worst decile"}
    if found.attacked:
        titles["attacked"] = "attacked"
    rows = [
        [name, seeds, *(_interval(figures[key], seeds) for key in titles)]
        for name, figures in found.figures().items()
        for seeds in [len(found.returns[name])]
    ]
    print_table(["controllers", "seeds", *titles.values()], rows)
    if len(found.axes) > 2:
        return
    names, values = list(found.axes), list(found.axes.values())
    for name, table in found.returns.items():
        mean = table.mean(axis=0).reshape(-1, len(values[-1]))
        labels = [f"{names[0]} {value:g}" for value in values[0]] if len(names) == 2 else [""]
        cells = [
            [label, *(f"{x:.4g}" for x in line)]
            for label, line in zip(labels, mean.tolist(), strict=True)
        ]
        typer.echo("")
        print_table([name, *(f"{names[-1]} {value:g}" for value in values[-1])], cells)


def _interval(figure: Any, seeds: int) -> str:
    """Write a figure; one controller says nothing about others, so it has no interval."""
    if seeds == 1:
        return f"{figure.value:.4g}"
    return f"{figure.value:.4g} [{figure.low:.4g}, {figure.high:.4g}]"


def _write(found: Any, folder: Path) -> list[Path]:
    """Write the figures, and a picture for each pair of properties, mean over the others."""
    from itertools import combinations
    from json import dumps

    from arena.files import write_atomic

    draw = load_target("tournaments.reproduce.heat:heat_maps")
    contents = {folder / "robustness.json": dumps(found.to_dict(), indent=1) + "\n"}
    names = list(found.axes)
    for pair in combinations(range(len(names)), 2):
        others = tuple(1 + k for k in range(len(names)) if k not in pair)
        first, second = (names[k] for k in pair)
        contents[folder / f"{first}-{second}.svg"] = draw(
            {name: table.mean(axis=(0, *others)) for name, table in found.returns.items()},
            rows=found.axes[first],
            columns=found.axes[second],
            row_label=first,
            column_label=second,
            title=f"Return, {found.game}",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in contents.items():
        with write_atomic(path) as file:
            file.write(text.encode("utf-8"))
    return list(contents)
