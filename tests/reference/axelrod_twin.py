"""Plays the Axelrod library's strategies on arena's streams, to compare move by move.

A native strategy meets a native opponent in arena's own state. Beside it sits its twin
from the library, which is told what was executed and tosses its coins from a stream of
the same seed; the two must choose alike in every round.
"""

from __future__ import annotations

from typing import Any

import arena
from agents.scripted import Scripted
from arena.rng import Stream, seat_seed

# native name: (class of the library, its arguments, the native parameters)
TWINS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "adaptive": ("Adaptive", {}, {}),
    "adaptive_pavlov_2006": ("APavlov2006", {}, {}),
    "adaptive_pavlov_2011": ("APavlov2011", {}, {}),
    "adaptive_tit_for_tat": ("AdaptiveTitForTat", {}, {}),
    "alternator": ("Alternator", {}, {}),
    "always_cooperate": ("Cooperator", {}, {}),
    "always_defect": ("Defector", {}, {}),
    "anonymous": ("FirstByAnonymous", {}, {}),
    "anti_tit_for_tat": ("AntiTitForTat", {}, {}),
    "appeaser": ("Appeaser", {}, {}),
    "bully": ("Bully", {}, {}),
    "champion": ("SecondByChampion", {}, {}),
    "contrite_tit_for_tat": ("ContriteTitForTat", {}, {}),
    "davis": ("FirstByDavis", {}, {}),
    "downing": ("FirstByDowning", {}, {}),
    "eatherley": ("SecondByEatherley", {}, {}),
    "feld": ("FirstByFeld", {}, {}),
    "firm_but_fair": ("FirmButFair", {}, {}),
    "forgiver": ("Forgiver", {}, {}),
    "generous_tit_for_tat": ("GTFT", {}, {}),
    "graaskamp": ("FirstByGraaskamp", {}, {}),
    "gradual": ("OriginalGradual", {}, {}),
    "grim_trigger": ("Grudger", {}, {}),
    "grofman": ("FirstByGrofman", {}, {}),
    "handshake": ("Handshake", {}, {}),
    "hard_majority": ("HardGoByMajority", {}, {}),
    "hard_tit_for_tat": ("HardTitForTat", {}, {}),
    "hard_tit_for_two_tats": ("HardTitFor2Tats", {}, {}),
    "joss": ("FirstByJoss", {}, {}),
    "memory_one": (
        "MemoryOnePlayer",
        {"four_vector": (0.9, 0.2, 0.6, 0.4)},
        {"p_cc": 0.9, "p_cd": 0.2, "p_dc": 0.6, "p_dd": 0.4},
    ),
    "naive_prober": ("NaiveProber", {}, {}),
    "nydegger": ("FirstByNydegger", {}, {}),
    "omega_tit_for_tat": ("OmegaTFT", {}, {}),
    "prober": ("Prober", {}, {}),
    "random": ("Random", {"p": 0.3}, {"p": 0.3}),
    "reactive": ("ReactivePlayer", {"probabilities": (0.8, 0.3)}, {"p_c": 0.8, "p_d": 0.3}),
    "remorseful_prober": ("RemorsefulProber", {}, {}),
    "shubik": ("FirstByShubik", {}, {}),
    "slow_tit_for_tat": ("SlowTitForTwoTats2", {}, {}),
    "soft_grim": ("SoftGrudger", {}, {}),
    "soft_joss": ("SoftJoss", {}, {}),
    "soft_majority": ("GoByMajority", {}, {}),
    "spiteful_tit_for_tat": ("SpitefulTitForTat", {}, {}),
    "stein_rapoport": ("FirstBySteinAndRapoport", {}, {}),
    "stochastic_win_stay_lose_shift": ("StochasticWSLS", {}, {}),
    "suspicious_tit_for_tat": ("SuspiciousTitForTat", {}, {}),
    "tester": ("SecondByTester", {}, {}),
    "tideman_chieruzzi": ("FirstByTidemanAndChieruzzi", {}, {}),
    "tit_for_tat": ("TitForTat", {}, {}),
    "tit_for_two_tats": ("TitFor2Tats", {}, {}),
    "tullock": ("FirstByTullock", {}, {}),
    "two_tits_for_tat": ("TwoTitsForTat", {}, {}),
    "win_stay_lose_shift": ("WinStayLoseShift", {}, {}),
    "zd_extort_2": ("ZDExtort2", {}, {}),
    "zd_generous_2": ("ZDGTFT2", {}, {}),
    "zd_set_2": ("ZDSet2", {}, {}),
    "zero_determinant": ("ZDExtortion", {}, {}),
}

OPPONENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tit_for_tat", {}),
    ("always_defect", {}),
    ("always_cooperate", {}),
    ("alternator", {}),
    ("tester", {}),
    ("gradual", {}),
    ("random", {"p": 0.5}),
    ("random", {"p": 0.9}),
    ("joss", {}),
)


def choices(name: str, opponent: tuple[str, dict[str, Any]], *, noise: float, seed: int) -> str:
    """What the native strategy in seat 0 chose and what was executed, as text."""
    return _play(name, opponent, noise=noise, seed=seed, twin=None)


def twin_choices(
    name: str, opponent: tuple[str, dict[str, Any]], *, noise: float, seed: int
) -> str:
    """The same with the library's twin in seat 0."""
    import axelrod as axl

    label, arguments, _ = TWINS[name]
    player = getattr(axl, label)(**arguments)
    player.set_match_attributes(length=200, game=axl.DefaultGame, noise=noise)
    player._random = _Coins(seat_seed(seed, 0), axl)
    mirror = axl.MockPlayer([axl.Action.C])
    moves = (axl.Action.C, axl.Action.D)

    def choose(last: tuple[int, ...] | None) -> int:
        if last is not None:
            player.update_history(moves[last[0]], moves[last[1]])
            mirror.update_history(moves[last[1]], moves[last[0]])
        return 0 if player.strategy(mirror) == axl.Action.C else 1

    return _play(name, opponent, noise=noise, seed=seed, twin=choose)


def _play(
    name: str, opponent: tuple[str, dict[str, Any]], *, noise: float, seed: int, twin: Any
) -> str:
    game = arena.make("repeated/prisoners_dilemma", rounds=200, noise=noise)
    state = game.state(seed)
    own, other = Scripted(name, **TWINS[name][2]), Scripted(opponent[0], **opponent[1])
    own.begin(game, 0, seat_seed(seed, 0))
    other.begin(game, 1, seat_seed(seed, 1))
    chosen = []
    while state.actors():
        look: Any = state.observe(0)
        move = twin(look.last) if twin else int(own.act(look))
        chosen.append(move)
        state.step({0: move, 1: other.act(state.observe(1))})
    return "".join("CD"[move] for move in chosen)


class _Coins:
    """The library's random generator, read from an arena stream."""

    def __init__(self, seed: int, axl: Any) -> None:
        self._stream, self._axl = Stream(seed), axl

    def random(self) -> float:
        return self._stream.random()

    def randint(self, low: int, high: int) -> int:
        return low + self._stream.below(high - low)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._stream.random()

    def random_choice(self, p: float = 0.5) -> Any:
        moves = self._axl.Action
        if p == 0:
            return moves.D
        if p == 1:
            return moves.C
        return moves.C if self._stream.random() < p else moves.D
