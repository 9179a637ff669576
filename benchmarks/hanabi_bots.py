"""Scores of the Hanabi bots in self-play, against what was published of them.

The value is how many of the published means lie within 2.6 standard errors of ours, errors
of both sides counted, and half of the last digit printed. The last life lost, the fireworks
count, as in all of the sources. Not a speed claim: it takes a minute.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from harness import Claim, parse, report

import arena
from agents.hanabi import BOTS, HanabiBot
from arena.rng import derive_many

NAME = "hanabi-bots-published"
ROUNDING = 0.005


def scores(name: str, players: int, games: int) -> np.ndarray:
    """Return the scores of `games` games of one bot in every seat."""
    game = arena.make("hanabi", players=players, lost_score="fireworks")
    agents = [HanabiBot(name) for _ in range(players)]
    played = agents[0].play_batch(game, agents, derive_many(7, np.arange(games)))
    assert played is not None
    return played[:, 0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison."""
    options = parse(__doc__, argv)
    games = 1000 if options.quick else 20_000
    table, inside, total = [], 0, 0
    for name, bot in BOTS.items():
        for players in (2, 3, 4, 5):
            found = scores(name, players, games)
            error = float(found.std() / np.sqrt(games))
            published = bot.published.get(players)
            verdict = "-"
            if published is not None:
                total += 1
                wide = 2.6 * float(np.hypot(error, bot.error)) + ROUNDING
                near = abs(found.mean() - published) <= wide
                inside += near
                verdict = "yes" if near else f"{found.mean() - published:+.3f}"
            interval = f"{found.mean():.3f} ± {1.96 * error:.3f}"
            perfect = f"{np.mean(found == 25):.1%}"
            table.append((name, players, interval, perfect, published or "-", verdict))
    print(f"{games} games each, 95% intervals")
    report(
        [Claim(NAME, float(inside), float(total), note=f"{inside} of {total} within error")],
        table=table,
        header=("bot", "players", "mean score", "perfect", "published", "agrees"),
        path=options.json,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
