"""α-Rank on one population of 500 agents, against OpenSpiel's."""

from __future__ import annotations

import numpy as np
from harness import Claim, alternate, parse, report

from tournaments.ratings.alpharank import single_population


def main() -> None:
    """Run the benchmark."""
    options = parse(__doc__)
    try:
        from open_spiel.python.egt import alpharank
    except ImportError:
        note = "open_spiel is not installed (pip install open_spiel)"
        report([Claim("alpharank-vs-openspiel", None, 5.0, note=note)], path=options.json)
        return
    size = 150 if options.quick else 500
    payoff = np.random.default_rng(0).normal(size=(size, size))
    alpha = 0.5

    def peer() -> np.ndarray:
        return np.asarray(alpharank.compute([payoff], alpha=alpha)[2])

    gap = float(np.abs(single_population(payoff, alpha=alpha) - peer()).max())
    if gap > 1e-8:
        raise SystemExit(f"the two distributions differ by {gap:.2g}")
    timed = alternate(lambda: single_population(payoff, alpha=alpha), peer, rounds=5)
    low, high = min(timed.ratios), max(timed.ratios)
    report(
        [
            Claim(
                "alpharank-vs-openspiel",
                timed.ratio,
                5.0,
                note=f"{size} agents, rounds from {low:.0f} to {high:.0f}, distributions differ by "
                f"at most {gap:.1g}",
            )
        ],
        table=[("ours", float(np.median(timed.ours))), ("OpenSpiel", float(np.median(timed.peer)))],
        header=("α-Rank", "CPU s"),
        path=options.json,
    )


if __name__ == "__main__":
    main()
