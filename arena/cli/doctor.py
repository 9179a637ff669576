"""`arena doctor`: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from arena.cli.output import examples, print_json, print_table
from arena.registry import load_target

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES = examples("arena doctor", "arena doctor --json")

_LIBRARIES = (
    # distribution, what it is for, how to get it
    ("numpy", "arrays", ""),
    ("scipy", "optimisation", ""),
    ("numba", "compiled kernels", ""),
    ("highspy", "linear and integer programs", ""),
    ("open_spiel", "extensive-form games and bots", ""),
    ("pettingzoo", "multi-agent environments", ""),
    ("gymnasium", "action and observation spaces", ""),
    ("openskill", "ratings for many players and teams", ""),
    ("pyarrow", "Parquet export", ""),
    ("tensorboardX", "scalars under runs/", ""),
    ("typer", "this command line", ""),
    ("rich", "tables and progress", ""),
    ("ray", "more machines", 'pip install "arena-gametheory[ray]"'),
    ("axelrod", "the strategies of the axelrod library", 'pip install "arena-gametheory[axelrod]"'),
    ("pygame-ce/pygame", "PettingZoo's classic environments", 'pip install "pettingzoo[classic]"'),
    ("torch", "learners and network policies", "pip install torch==2.13.0"),
    ("mujoco", "adversarial control tasks", 'pip install "arena-gametheory[mujoco]"'),
    ("tensorboard", "looking at runs/ in a browser", "pip install tensorboard"),
)
_PROGRAMS = (
    ("bwrap", "the strongest sandbox for agents (bubblewrap)", "apt install bubblewrap"),
    ("chromium", "testing the HTML report", "apt install chromium"),
)
_PACKAGES = ("arena", "games", "agents", "solvers", "tournaments")


@dataclass(frozen=True)
class Finding:
    """One line of the check-up."""

    what: str
    state: str
    purpose: str
    get_it: str = ""


def _libraries() -> list[Finding]:
    found = []
    for name, purpose, how in _LIBRARIES:
        versions = [_version(alternative) for alternative in name.split("/")]
        version = next(filter(None, versions), None)
        if version is None:
            found.append(Finding(name, "missing", purpose, how or f"pip install {name}"))
        else:
            found.append(Finding(name, version, purpose))
    return found


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _programs() -> list[Finding]:
    return [
        Finding(name, "found" if shutil.which(name) else "missing", purpose, how)
        for name, purpose, how in _PROGRAMS
    ]


def _collisions() -> list[Finding]:
    """Name distributions that install a package of the same name as one of arena's."""
    owners = importlib.metadata.packages_distributions()
    found = []
    for package in _PACKAGES:
        others = sorted({o for o in owners.get(package, []) if o != "arena-gametheory"})
        if others:
            found.append(
                Finding(
                    package,
                    f"also installed by {', '.join(others)}",
                    "a package of arena",
                    "install arena into an environment of its own",
                )
            )
    return found


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Check the installation: versions, optional parts, sandbox; exit code 1 if it is broken."""
    import arena

    tier = str(load_target("agents.process.sandbox:active_tier")())
    findings = [
        Finding("arena", arena.__version__, "this platform"),
        Finding("python", platform.python_version(), sys.executable),
        *_libraries(),
        *_programs(),
        Finding("sandbox tier", tier, "how agents in processes of their own are confined"),
        *_collisions(),
    ]
    required = {name for name, _, how in _LIBRARIES if not how}
    broken = [f for f in findings if f.what in required and f.state == "missing"]
    broken += [f for f in findings if f.what in _PACKAGES and f.state.startswith("also")]
    if json:
        print_json({"ok": not broken, "findings": [vars(f) for f in findings]})
    else:
        print_table(
            ["part", "state", "what it is for", "get it with"],
            [
                [f.what, f.state, f.purpose, f.get_it if f.state != "found" else ""]
                for f in findings
            ],
        )
        optional = sum(f.state == "missing" for f in findings) - len(broken)
        verdict = "broken: see above" if broken else f"all well; {optional} optional parts missing"
        typer.echo(verdict)
    if broken:
        raise typer.Exit(1)
