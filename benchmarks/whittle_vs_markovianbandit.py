"""Whittle indices of one arm with n states against markovianbandit-pkg, same indices checked."""

from __future__ import annotations

import numpy as np
from harness import Claim, alternate, parse, report

from solvers.bandits.whittle import whittle_indices


def main() -> None:
    options = parse(__doc__)
    try:
        import markovianbandit
    except ImportError:
        report([Claim("whittle-seconds", None, 0.75, False, "markovianbandit-pkg is missing")])
        return
    table, worst, seconds, ratio = [], 0.0, None, None
    for n in (50, 200) if options.quick else (100, 200, 500, 1000):
        rng = np.random.default_rng(n)
        chances, pay = rng.dirichlet(np.ones(n), (2, n)), rng.random((2, n))

        def ours(chances: np.ndarray = chances, pay: np.ndarray = pay) -> np.ndarray:
            return whittle_indices(chances, pay, discount=0.95).indices

        def peer(chances: np.ndarray = chances, pay: np.ndarray = pay) -> np.ndarray:
            arm = markovianbandit.restless_bandit_from_P0P1_R0R1(
                chances[0], chances[1], pay[0], pay[1]
            )
            return np.array(arm.whittle_indices(discount=0.95, check_indexability=True))

        worst = max(worst, float(np.abs(ours() - peer()).max()))
        measured = alternate(ours, peer)
        seconds, ratio = float(np.median(measured.ours)), measured.ratio
        table.append([n, seconds, float(np.median(measured.peer)), ratio])
    report(
        [
            Claim("whittle-difference", worst, 1e-8, False),
            Claim("whittle-vs-markovianbandit", ratio, 1.0),
            Claim("whittle-seconds", seconds, 0.75, False, "CPU s at the largest n"),
        ],
        table=table,
        header=["n", "ours (CPU s)", "peer (CPU s)", "ratio"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
