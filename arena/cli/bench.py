"""`arena bench`: every speed claim is a script, and this lists and runs them."""

from __future__ import annotations

import ast
import json as json_module
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, print_json, print_table
from arena.errors import ArenaError, UnknownNameError

__all__ = ["EXAMPLES", "bench", "scripts"]

EXAMPLES = examples(
    "arena bench",
    "arena bench runner_vs_bare_loop --quick",
    "arena bench --all --json",
)

_NOT_CLAIMS = {"harness", "__init__"}


def folder() -> Path:
    """Return the folder of the benchmark scripts, of the checkout or of the installed wheel.

    Raises:
        ArenaError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for candidate in (package.parent / "benchmarks", package / "_benchmarks"):
        if (candidate / "harness.py").is_file():
            return candidate
    raise ArenaError("the benchmark scripts are not installed; they come with the source checkout")


def scripts() -> dict[str, str]:
    """Return claim name to the first line of its script's docstring."""
    found = {}
    for path in sorted(folder().glob("*.py")):
        if path.stem not in _NOT_CLAIMS and not path.stem.startswith("_"):
            doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            found[path.stem] = doc.split("\n")[0]
    return found


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Claims to measure.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Measure every claim.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller work: seconds, not minutes.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the speed claims, or measure some against their peers on this machine."""
    known = scripts()
    for name in names or []:
        if name not in known:
            raise UnknownNameError("benchmark", name, known, hint="`arena bench` lists them")
    wanted = list(known) if all_ else list(names or [])
    if not wanted:
        if json:
            print_json(known)
        else:
            print_table(["benchmark", "what it claims"], list(known.items()))
            typer.echo("run one with `arena bench NAME`, all with `arena bench --all`")
        return
    results: dict[str, Any] = {}
    failed = []
    for name in wanted:
        if not json:
            typer.secho(f"\n{name}: {known[name]}", bold=True)
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "figures.json"
            command = [sys.executable, str(folder() / f"{name}.py"), "--json", str(target)]
            done = subprocess.run(
                [*command, *(["--quick"] if quick else [])],
                stdout=subprocess.DEVNULL if json else None,
                check=False,
            )
            if done.returncode != 0:
                failed.append(name)
            elif target.is_file():
                results[name] = json_module.loads(target.read_text(encoding="utf-8"))
    if json:
        print_json(results)
    elif len(wanted) > 1:
        print_table(
            ["claim", "measured", "bar", "verdict"],
            [
                [claim["name"], claim["value"], claim["bar"], claim["verdict"]]
                for figures in results.values()
                for claim in figures["claims"]
            ],
            right=["measured", "bar"],
        )
    if failed:
        raise ArenaError(f"these benchmarks did not run to their end: {', '.join(failed)}")
