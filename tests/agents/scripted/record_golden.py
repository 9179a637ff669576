"""Records what the Axelrod library's strategies choose, for tests that run without it.

Run it from the project's root when a twin is added: `python -m
tests.agents.scripted.record_golden`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.reference.axelrod_twin import TWINS, twin_choices

GOLDEN = Path(__file__).parents[2] / "golden" / "axelrod_choices.json"

SETTINGS: tuple[tuple[str, dict[str, Any], float, int], ...] = (
    ("random", {"p": 0.8}, 0.0, 101),
    ("tester", {}, 0.05, 102),
    ("gradual", {}, 0.02, 103),
)


def main() -> None:
    import axelrod

    rows = [
        {
            "strategy": name,
            "opponent": opponent,
            "parameters": params,
            "noise": noise,
            "seed": seed,
            "choices": twin_choices(name, (opponent, params), noise=noise, seed=seed),
        }
        for name in sorted(TWINS)
        for opponent, params, noise, seed in SETTINGS
    ]
    header = {"made by": f"axelrod {axelrod.__version__}", "rounds": 200}
    GOLDEN.write_text(json.dumps({**header, "rows": rows}, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
