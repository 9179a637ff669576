"""Error rates of the sequential test over simulated tests, at the two hypotheses.

Single games (three outcomes) and pairs of games on shared luck (five), many and few draws,
both scales of Elo. Each rate should be at most the nominal 5%.
"""

from __future__ import annotations

import math

import numpy as np
from harness import Claim, parse, report
from scipy.optimize import brentq

from tournaments.sprt import Sprt, log_likelihood_ratio


def outcomes(gap: float, nu: float, luck: float, *, paired: bool) -> np.ndarray:
    """Return probabilities of the outcomes; luck favours one side in one game, then the other."""

    def one(x: float) -> np.ndarray:
        w = np.array([math.exp(-x / 2), nu, math.exp(x / 2)])
        return w / w.sum()

    if not paired:
        return one(gap)
    z, weight = np.polynomial.hermite_e.hermegauss(21)
    return sum(
        w * np.convolve(one(gap + luck * x), one(gap - luck * x))
        for x, w in zip(z, weight / weight.sum(), strict=True)
    )


def elo_of(p: np.ndarray, model: str) -> float:
    """Return the strength that a distribution of outcomes has on the scale of a model."""
    points = np.linspace(0, 1, len(p))
    mean = float(p @ points)
    if model == "logistic":
        return -400 * math.log10(1 / mean - 1)
    game = math.sqrt(float(p @ (points - mean) ** 2)) * (math.sqrt(2) if len(p) == 5 else 1)
    return 800 / math.log(10) * (mean - 0.5) / game


def error_rate(
    test: Sprt, p: np.ndarray, runs: int, *, truth: int, seed: int
) -> tuple[float, float]:
    """Return how often the wrong hypothesis is accepted, and the mean length in outcomes."""
    rng = np.random.default_rng(seed)
    counts, active = np.zeros((runs, len(p))), np.arange(runs)
    wrong = 0
    while len(active):
        counts[active] += rng.multinomial(1, p, size=len(active))
        llr = log_likelihood_ratio(counts[active], elo0=test.elo0, elo1=test.elo1, model=test.model)
        wrong += int(((llr <= test.lower) if truth else (llr >= test.upper)).sum())
        active = active[(llr > test.lower) & (llr < test.upper)]
    return wrong / runs, float(counts.sum() / runs)


def main() -> None:
    """Run the benchmark."""
    options = parse(__doc__)
    runs = 1000 if options.quick else 10_000
    cases = [
        (True, 1.0, 0.5, "logistic", 60.0),
        (True, 0.5, 2.0, "logistic", 60.0),
        (True, 4.0, 0.0, "logistic", 60.0),
        (False, 1.0, 0.0, "logistic", 60.0),
        (False, 0.0, 0.0, "logistic", 80.0),
        (True, 1.0, 0.5, "normalized", 90.0),
    ]
    table = []
    for paired, nu, luck, model, elo1 in cases:
        test = Sprt(0.0, elo1, model=model)  # type: ignore[arg-type]
        gap = brentq(
            lambda x, a=(nu, luck, paired, model, elo1): (
                elo_of(outcomes(x, a[0], a[1], paired=a[2]), a[3]) - a[4]
            ),
            0.0,
            8.0,
        )
        for truth, x in ((0, 0.0), (1, gap)):
            p = outcomes(x, nu, luck, paired=paired)
            rate, length = error_rate(test, p, runs, truth=truth, seed=truth)
            kind = "pairs" if paired else "games"
            table.append((kind, model, float(p[len(p) // 2]), f"H{truth}", rate, length))
    worst = max(row[4] for row in table)
    noise = 3 * math.sqrt(0.05 * 0.95 / runs)
    report(
        [
            Claim(
                "sprt-error-rate",
                worst,
                0.05,
                False,
                note=f"largest of {len(table)} rates over {runs} tests each (±{noise:.3f})",
            )
        ],
        table=table,
        header=("outcomes", "scale", "middle share", "truth", "error rate", "mean length"),
        path=options.json,
    )


if __name__ == "__main__":
    main()
