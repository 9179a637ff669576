"""Games per CPU second of uniformly random play, against PettingZoo's own loop.

1. connect four: arena's loop and agents on `openspiel/connect_four` against PettingZoo's
   `agent_iter` loop on `classic/connect_four_v3`, actions drawn with `action_space.sample`.
2. what arena adds: the imported `pettingzoo/classic/connect_four_v3` through arena's loop
   against the bare environment, both choosing from the mask with the same stream, so that
   both play the very same games.

    python benchmarks/play_vs_pettingzoo.py [--quick] [--json FILE]
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from statistics import median
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402 - the path comes first
from harness import Claim, Measured, alternate, parse, report  # noqa: E402

import arena  # noqa: E402
from arena.episode import drive  # noqa: E402
from arena.game import Game  # noqa: E402
from arena.rng import Stream, derive  # noqa: E402


def play_arena(game: Game, games: int) -> list[list[float]]:
    """Play with two uniform agents; return the payoffs of each game."""
    played = []
    agents = [arena.agent("uniform") for _ in range(2)]
    for index in range(games):
        state = game.state(index)
        for seat, agent in enumerate(agents):
            agent.begin(game, seat, derive(index, "agent", seat))
        drive(state, [agent.act for agent in agents])
        played.append(state.returns().tolist())
    return played


def play_sampling(env: Any, games: int) -> list[list[float]]:
    """Play as PettingZoo's documentation does: `action_space(agent).sample(mask)`."""
    played = []
    for index in range(games):
        env.reset(seed=index)
        returns = dict.fromkeys(env.possible_agents, 0.0)
        for agent in env.agent_iter():
            observation, reward, terminated, truncated, _ = env.last()
            returns[agent] += reward
            if terminated or truncated:
                action = None
            else:
                action = env.action_space(agent).sample(observation["action_mask"])
            env.step(action)
        played.append(list(returns.values()))
    return played


def play_stream(env: Any, games: int) -> list[list[float]]:
    """Play the bare environment, choosing as arena's uniform agents do."""
    played = []
    for index in range(games):
        env.reset(seed=index)
        returns = dict.fromkeys(env.possible_agents, 0.0)
        streams = {
            agent: Stream(derive(index, "agent", seat))
            for seat, agent in enumerate(env.possible_agents)
        }
        for agent in env.agent_iter():
            observation, reward, terminated, truncated, _ = env.last()
            returns[agent] += reward
            if terminated or truncated:
                action = None
            else:
                action = streams[agent].choice(np.flatnonzero(observation["action_mask"]).tolist())
            env.step(action)
        played.append(list(returns.values()))
    return played


def check_rules(games: int) -> None:
    """The same columns lead to the same masks and the same payoffs on both sides."""
    ours, theirs = arena.make("connect_four"), arena.make("pettingzoo/classic/connect_four_v3")
    for index in range(games):
        a, b, stream = ours.state(index), theirs.state(index), Stream(index)
        while actors := a.actors():
            seat = actors[0]
            if b.actors() != actors or list(a.legal(seat) or ()) != list(b.legal(seat) or ()):
                raise SystemExit(f"the two connect fours disagree in game {index}")
            action = stream.choice(a.legal(seat) or ())
            a.step({seat: action})
            b.step({seat: action})
        if b.actors() or a.returns().tolist() != b.returns().tolist():
            raise SystemExit(f"the two connect fours end game {index} differently")


def row(name: str, games: int, seconds: Measured) -> list[object]:
    """One line of the table."""
    ratios = seconds.ratios
    return [
        name,
        round(games / median(seconds.ours)),
        round(games / median(seconds.peer)),
        seconds.ratio,
        f"{min(ratios):.3g}-{max(ratios):.3g}",
    ]


def main() -> None:
    """Check, measure, report."""
    options = parse(__doc__)
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        from pettingzoo.classic import connect_four_v3
    except ImportError as error:
        why = f"{error.name or error} is missing: pip install 'pettingzoo[classic]'"
        report([Claim("play-vs-pettingzoo", None, 25, note=why)], path=options.json)
        return
    check_rules(20 if options.quick else 200)
    env = connect_four_v3.env()
    fast, slow = arena.make("connect_four"), arena.make("pettingzoo/classic/connect_four_v3")
    n = 40 if options.quick else 300
    if play_arena(slow, n) != play_stream(env, n):
        raise SystemExit("the imported environment does not play as the bare one")
    # Each side is timed over its own number of games, large enough for the clock.
    many = 25 * n
    timed = alternate(lambda: play_arena(fast, many), lambda: play_sampling(env, n))
    first = Measured([t / many for t in timed.ours], [t / n for t in timed.peer])
    second = alternate(lambda: play_arena(slow, n), lambda: play_stream(env, n))
    overhead = median(1 / ratio for ratio in second.ratios)
    report(
        [
            Claim(
                "pettingzoo-import-overhead",
                overhead,
                1.3,
                higher_is_better=False,
                note="CPU time through arena over that of the bare loop, same games",
            ),
            Claim(
                "play-vs-pettingzoo",
                first.ratio,
                25,
                note="games per CPU second, arena over PettingZoo, uniform connect four",
            ),
        ],
        table=[row("connect four", 1, first), row("imported connect four", n, second)],
        header=["play", "arena games/s", "peer games/s", "ratio", "spread"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
