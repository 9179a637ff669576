"""Every public module says what it exports, in order, and exports what it says."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("arena", "games", "agents", "solvers", "tournaments")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.stem not in ("_kernels", "__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", None)
    if exported is None:
        public = [n for n, v in vars(module).items() if getattr(v, "__module__", None) == name]
        assert not [n for n in public if not n.startswith("_")], f"{name} has no __all__"
        return
    upper_first = sorted(exported, key=lambda n: (not n.isupper(), not n[:1].isupper(), n))
    assert list(exported) == upper_first
    for attribute in exported:
        assert hasattr(module, attribute), f"{name}.__all__ names {attribute}, which is not there"


def test_importing_arena_is_light() -> None:
    heavy = {"torch", "ray", "pyspiel", "pettingzoo", "gymnasium", "matplotlib", "pyarrow"}
    heavy |= {"numba", "scipy", "typer", "rich", "openskill", "tensorboardX", "highspy"}
    code = f"import sys, arena; print(sorted({heavy!r} & set(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "[]"


def test_asking_for_help_is_light() -> None:
    heavy = {"torch", "ray", "pyspiel", "pettingzoo", "gymnasium", "matplotlib", "pyarrow"}
    heavy |= {"numba", "scipy", "openskill", "tensorboardX", "highspy"}
    code = (
        "import sys\nfrom arena.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.strip().splitlines()[-1] == "[]"
