"""The runner, storage on, against the bare Python loop over pyspiel, uniform agents.

Ours: a whole tournament of one seating, in this process, every result in a result file.
Peer: new_initial_state, legal_actions, apply_action and returns in a loop, chance drawn
by the same cheap generator; no agents, no seeds, no storage. CPU time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import harness
import pyspiel

import arena
from arena.episode import drive
from arena.rng import Stream, derive_many, seat_seed
from tournaments.api import load_results, run
from tournaments.plan import make_plan, pairing_seed
from tournaments.spec import AgentSpec, ExecutorSpec, GameSpec, ScheduleSpec, Spec

BARS = {"connect_four": 1.5, "kuhn_poker": 2.5}


def _tournament(name: str, matches: int) -> Spec:
    return Spec(
        name="bare",
        games=(GameSpec(name),),
        agents=(AgentSpec("a", "uniform"), AgentSpec("b", "uniform")),
        seed=1,
        schedule=ScheduleSpec("round_robin", repetitions=matches // 2),
        executor=ExecutorSpec("in_process"),
    )


def _bare(game: object, matches: int) -> list[float]:
    stream = Stream(1)
    choice, uniform = stream.choice, stream.random
    total = [0.0, 0.0]
    for _ in range(matches):
        state = game.new_initial_state()  # type: ignore[attr-defined] # pyspiel has no types
        while not state.is_terminal():
            if state.is_chance_node():
                left = uniform()
                outcome = 0
                for outcome, probability in state.chance_outcomes():  # noqa: B007 - kept below
                    left -= probability
                    if left < 0.0:
                        break
                state.apply_action(outcome)
            else:
                state.apply_action(choice(state.legal_actions()))
        for seat, payoff in enumerate(state.returns()):
            total[seat] += payoff
    return total


def _check(name: str) -> None:
    """The tournament's results are those of its matches, played one by one."""
    spec = _tournament(name, 200)
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "check.db"
        run(spec, db=db)
        results = load_results(db, ordered=True)
    plan, game = make_plan(spec, seed=1), arena.make(name)
    players = [arena.agent("uniform"), arena.agent("uniform")]
    seeds = derive_many(pairing_seed(plan, 0, (0, 1)), range(100)).tolist()
    for index, seed in enumerate(seeds):
        state = game.state(seed)
        for seat, player in enumerate(players):
            player.begin(game, seat, seat_seed(seed, seat))
        drive(state, [player.act for player in players])
        for row in (2 * index, 2 * index + 1):  # both seat orders: the agents are alike
            assert results.payoffs[row].tolist() == state.returns().tolist()


def main() -> None:
    """Measure and report."""
    options = harness.parse(__doc__)
    claims, table = [], []
    for name, bar in BARS.items():
        _check(name)
        matches = (20_000 if options.quick else 40_000) * (1 if name == "connect_four" else 4)
        spec, raw = _tournament(name, matches), pyspiel.load_game(name)
        measured = harness.alternate(
            lambda spec=spec: run(spec),
            lambda raw=raw, matches=matches: _bare(raw, matches),
            rounds=5 if options.quick else 9,
        )
        slower = [1 / r for r in measured.ratios]
        value = sorted(slower)[len(slower) // 2]
        ours, peer = min(measured.ours) / matches * 1e6, min(measured.peer) / matches * 1e6
        table.append([name, matches, ours, peer, value, min(slower), max(slower)])
        claims.append(harness.Claim(f"runner-over-bare-{name}", value, bar, False))
    harness.report(
        claims,
        table=table,
        header=["game", "matches", "ours µs", "bare µs", "ratio", "least", "most"],
        path=options.json,
    )


if __name__ == "__main__":
    main()
