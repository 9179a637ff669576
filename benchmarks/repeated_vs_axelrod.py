"""Turns per second of repeated games against the Axelrod library.

A round robin of the same ten strategies, 200 turns, five repetitions, twins included:
ours through `games.batch.play_batch`, pairing by pairing, as the runner plays it; theirs
through `axelrod.Tournament.play` without its result set (which would slow it further).
Before timing, the mean scores of all 55 pairings are compared. Ours batched against ours
turn by turn, and the whole tournament in one kernel call, are shown beside it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from harness import Claim, alternate, parse, report

import arena
from agents.scripted import Scripted
from agents.scripted.fast import play_pairs
from arena.episode import drive
from arena.rng import derive_many, seat_seed
from games.batch import play_batch

BAR = 20.0
TURNS, REPETITIONS = 200, 5
STRATEGIES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("tit_for_tat", {}, "TitForTat"),
    ("always_cooperate", {}, "Cooperator"),
    ("always_defect", {}, "Defector"),
    ("grim_trigger", {}, "Grudger"),
    ("win_stay_lose_shift", {}, "WinStayLoseShift"),
    ("tit_for_two_tats", {}, "TitFor2Tats"),
    ("random", {}, "Random"),
    ("joss", {}, "FirstByJoss"),
    ("generous_tit_for_tat", {}, "GTFT"),
    ("zd_extort_2", {}, "ZDExtort2"),
)
PAIRS = [(i, j) for i in range(len(STRATEGIES)) for j in range(i, len(STRATEGIES))]


def scripted() -> list[Scripted]:
    """Return the ten native agents."""
    return [Scripted(name, **params) for name, params, _ in STRATEGIES]


def batched(game: Any, repetitions: int, seed: int = 0) -> np.ndarray:
    """Play every pairing through the seam of the runner; return payoffs, shape (pairs, R, 2)."""
    out = []
    for k, (i, j) in enumerate(PAIRS):
        agents = scripted()
        pair = [agents[i], agents[j] if i != j else Scripted(STRATEGIES[j][0])]
        seeds = derive_many(seed + k, np.arange(repetitions))
        out.append(play_batch(game, pair, seeds))
    return np.array(out)


def turn_by_turn(game: Any, repetitions: int, seed: int = 0) -> np.ndarray:
    """Do the same with agents asked in every turn."""
    out = np.empty((len(PAIRS), repetitions, 2))
    for k, (i, j) in enumerate(PAIRS):
        pair = [scripted()[i], scripted()[j]]
        for r, match in enumerate(derive_many(seed + k, np.arange(repetitions)).tolist()):
            for seat, agent in enumerate(pair):
                agent.begin(game, seat, seat_seed(match, seat))
            state = game.state(match)
            drive(state, [agent.act for agent in pair])
            out[k, r] = state.returns()
    return out


def one_call(game: Any, repetitions: int) -> None:
    """Play the whole tournament in one kernel call."""
    seatings = np.repeat(np.array(PAIRS), repetitions, axis=0)
    play_pairs(game, scripted(), seatings, derive_many(0, np.arange(len(seatings))))


def theirs(axl: Any, repetitions: int, folder: str, seed: int = 0) -> None:
    """Play the round robin with the library, its interactions written to a file as it does."""
    players = [getattr(axl, name)() for _, _, name in STRATEGIES]
    tournament = axl.Tournament(players, turns=TURNS, repetitions=repetitions, seed=seed)
    file = str(Path(folder) / "interactions.csv")
    tournament.play(processes=None, progress_bar=False, build_results=False, filename=file)


def disagreements(axl: Any, game: Any, repetitions: int) -> list[str]:
    """Return the pairings whose mean scores differ beyond chance (4.5 standard errors)."""
    own = batched(game, 400, seed=10_000)
    out = []
    for k, (i, j) in enumerate(PAIRS):
        scores = []
        for r in range(repetitions):
            pair = [getattr(axl, STRATEGIES[e][2])() for e in (i, j)]
            match = axl.Match(pair, turns=TURNS, seed=1000 * k + r)
            match.play()
            scores.append(match.final_score_per_turn())
        error = own[k].std(axis=0) * np.sqrt(1 / len(own[k]) + 1 / repetitions)
        off = np.abs(own[k].mean(axis=0) - np.mean(scores, axis=0))
        if (off > 4.5 * error + 1e-9).any():
            out.append(f"{STRATEGIES[i][0]} - {STRATEGIES[j][0]}: {off.max():.3f}")
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(__doc__, argv)
    game = arena.make("repeated/prisoners_dilemma", rounds=TURNS)
    name = "repeated-vs-axelrod"
    started = time.process_time()
    first = batched(game, REPETITIONS)
    compile_seconds = time.process_time() - started
    if not (first == turn_by_turn(game, REPETITIONS)).all():
        print("batched and turn-by-turn play differ")
        return 1
    try:
        started = time.process_time()
        import axelrod as axl

        import_seconds = time.process_time() - started
    except ImportError:
        note = "axelrod is not installed: pip install 'arena-gametheory[axelrod]'"
        report([Claim(name, None, BAR, note=note)], path=options.json)
        return 0
    if wrong := disagreements(axl, game, 5 if options.quick else 20):
        print("mean scores differ:", *wrong, sep="\n  ")
        return 1
    print(f"mean scores of all {len(PAIRS)} pairings agree")
    print(f"first batched call, compiling or loading: {compile_seconds:.2f} s CPU")
    print(f"importing axelrod: {import_seconds:.2f} s CPU")
    rounds, times = 5, 4 if options.quick else 40
    turns = len(PAIRS) * REPETITIONS * TURNS
    with tempfile.TemporaryDirectory() as folder:
        measured = alternate(
            lambda: [batched(game, REPETITIONS, seed=s) for s in range(times)],
            lambda: theirs(axl, REPETITIONS, folder),
            rounds=rounds,
        )
    ratios = sorted(ratio * times for ratio in measured.ratios)
    inner = alternate(
        lambda: [batched(game, REPETITIONS, seed=s) for s in range(times)],
        lambda: turn_by_turn(game, REPETITIONS),
        rounds=rounds,
    )
    whole = alternate(
        lambda: [one_call(game, REPETITIONS) for _ in range(times)],
        lambda: None,
        rounds=rounds,
    )
    seconds = float(np.median(measured.ours)) / times
    table = [
        ("ours, batched by pairing", turns / seconds),
        ("ours, whole tournament in one call", turns * times / float(np.median(whole.ours))),
        ("ours, turn by turn", turns / float(np.median(inner.peer))),
        ("axelrod, without its result set", turns / float(np.median(measured.peer))),
    ]
    claims = [
        Claim("repeated-batched-vs-unbatched", inner.ratio * times, 1.0),
        Claim(
            name,
            float(np.median(ratios)),
            BAR,
            note=f"rounds from {ratios[0]:.3g} to {ratios[-1]:.3g}, {turns} turns a tournament",
        ),
    ]
    rows = [(label, f"{speed:,.0f}") for label, speed in table]
    report(claims, table=rows, header=("side", "turns per CPU second"), path=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
