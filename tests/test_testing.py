"""The conformance kits pass what is right and catch what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import arena
from arena.errors import ConformanceError, IllegalActionError, NotApplicableError, ParameterError
from arena.game import Game, Snapshot
from arena.policy import TabularPolicy
from arena.registry import GAMES
from arena.rng import Stream
from arena.solver import Gap, Solution, TracePoint
from arena.testing import check_agent, check_game, check_solver
from arena.types import CHANCE, Box, Discrete, MultiDiscrete
from games.normal_form import NormalForm, as_game


class Race:
    """Two seats in turn add 1 or 2 to a pile; a coin adds 0 or 1; who reaches 5 wins."""

    goal = 5

    def __init__(self, seed: int | None) -> None:
        self.chance = None if seed is None else Stream(seed)
        self.pile = 0
        self.turn = 0
        self.coin = False
        self.past: list[int] = []
        self.last = np.zeros(2)

    def actors(self) -> tuple[int, ...]:
        if self.coin:
            return (CHANCE,)
        return () if self.pile >= self.goal else (self.turn,)

    def legal(self, seat: int) -> list[int]:
        if self.actors() != (seat,):
            return []
        return [1] if self.pile == self.goal - 1 else [1, 2]

    def observe(self, seat: int) -> Snapshot:
        legal = self.legal(seat)
        mask = np.zeros(3, dtype=np.bool_)
        mask[legal] = True
        tensor = np.array([self.pile, self.turn], dtype=np.float32)
        key = f"{self.pile} {self.turn}"
        return Snapshot(seat, legal, mask, tensor, key, f"pile {self.pile}")

    def chance_outcomes(self) -> list[tuple[int, float]]:
        return [(0, 0.5), (1, 0.5)]

    def step(self, actions: Mapping[int, Any]) -> None:
        if tuple(sorted(actions)) != self.actors() or not actions:
            raise IllegalActionError("not to move")
        ((seat, action),) = actions.items()
        if seat == CHANCE:
            if action not in (0, 1):
                raise IllegalActionError("a coin has two sides")
        else:
            self.check(seat, action)
        self.past.append(int(action))
        before = self.returns()
        self.pile += int(action)
        if seat == CHANCE:
            self.coin = False
        elif self.pile < self.goal:
            self.turn = 1 - self.turn
            self.coin = self.pile < self.goal - 1
        if self.coin and self.chance is not None:
            self.coin = False
            drawn = self.draw()
            self.past.append(drawn)
            self.pile += drawn
        self.last = self.returns() - before

    def check(self, seat: int, action: Any) -> None:
        if type(action) is not int or action not in self.legal(seat):
            raise IllegalActionError("not legal")

    def draw(self) -> int:
        assert self.chance is not None
        return self.chance.below(2)

    def rewards(self) -> np.ndarray:
        return self.last.copy()

    def returns(self) -> np.ndarray:
        out = np.zeros(2)
        if self.pile >= self.goal:
            out[:] = -1.0
            out[self.turn] = 1.0
        return out

    def history(self) -> list[int]:
        return list(self.past)

    def clone(self) -> Race:
        twin = type(self)(None)
        twin.chance = None if self.chance is None else self.chance.copy()
        twin.pile, twin.turn, twin.coin = self.pile, self.turn, self.coin
        twin.past = list(self.past)
        twin.last = self.last.copy()
        return twin

    def render(self) -> str:
        return f"pile {self.pile}, seat {self.turn} to move"


def race(kind: type[Race] = Race, **facts: Any) -> Game:
    told: dict[str, Any] = {
        "id": "race",
        "seats": 2,
        "actions": (Discrete(3), Discrete(3)),
        "payoff": "zero_sum",
        "turns": "sequential",
        "forms": {"state": kind},
        "perfect_information": True,
        "chance": True,
        "payoff_bounds": (-1.0, 1.0),
        "max_length": 5,
        "rebuildable": False,
    }
    return Game(**{**told, **facts})


def test_the_sound_game_passes() -> None:
    check_game(race(), episodes=20)


class DealsOne(Race):
    """Coins that ignore the seed."""

    fair = Stream(0)

    def draw(self) -> int:
        return self.fair.below(2)


class SharedClone(Race):
    def clone(self) -> Race:
        return self


class ForgetsChanceInClone(Race):
    def clone(self) -> Race:
        twin = super().clone()
        if twin.chance is not None:
            twin.chance = Stream(id(twin))
        return twin


class TakesAnything(Race):
    def check(self, seat: int, action: Any) -> None:
        if type(action) is not int or not 0 <= action <= 2:
            raise IllegalActionError("not a number")


class TakesBools(Race):
    def check(self, seat: int, action: Any) -> None:
        if action not in self.legal(seat):
            raise IllegalActionError("not legal")


class WrongException(Race):
    def check(self, seat: int, action: Any) -> None:
        if type(action) is not int or action not in self.legal(seat):
            raise ValueError("no")


class ChangesOnRefusal(Race):
    def check(self, seat: int, action: Any) -> None:
        if type(action) is not int or action not in self.legal(seat):
            self.pile += 1
            raise IllegalActionError("not legal")


class WrongMask(Race):
    def observe(self, seat: int) -> Snapshot:
        seen = super().observe(seat)
        return replace(seen, legal=np.ones(3, dtype=np.bool_))


class WrongMaskShape(Race):
    def observe(self, seat: int) -> Snapshot:
        return replace(super().observe(seat), legal=np.zeros(2, dtype=np.bool_))


class UnsortedActions(Race):
    def legal(self, seat: int) -> list[int]:
        return super().legal(seat)[::-1]


class LegalDisagrees(Race):
    def observe(self, seat: int) -> Snapshot:
        seen = super().observe(seat)
        mask = np.zeros(3, dtype=np.bool_)
        mask[:1] = bool(seen.actions)
        return replace(seen, actions=[0] if seen.actions else [], legal=mask)


class WrongSeat(Race):
    def observe(self, seat: int) -> Snapshot:
        return replace(super().observe(seat), seat=0)


class CoarseKey(Race):
    def observe(self, seat: int) -> Snapshot:
        return replace(super().observe(seat), key="always the same")


class DoubleTensor(Race):
    def observe(self, seat: int) -> Snapshot:
        return replace(super().observe(seat), tensor=np.zeros(2))


class GrowingTensor(Race):
    def observe(self, seat: int) -> Snapshot:
        return replace(super().observe(seat), tensor=np.zeros(1 + self.pile, dtype=np.float32))


class LooksMatter(Race):
    def observe(self, seat: int) -> Snapshot:
        self.pile += 1
        return super().observe(seat)


class LostRewards(Race):
    def rewards(self) -> np.ndarray:
        return np.zeros(2)


class OwnArray(Race):
    def rewards(self) -> np.ndarray:
        return self.last


class NotZeroSum(Race):
    def returns(self) -> np.ndarray:
        return super().returns().clip(min=0.0)


class BeyondBounds(Race):
    def returns(self) -> np.ndarray:
        return super().returns() * 2


class Undead(Race):
    def step(self, actions: Mapping[int, Any]) -> None:
        if not self.actors():
            return
        super().step(actions)


class HalfAHistory(Race):
    def history(self) -> list[int]:
        return self.past[::2]


class BlankRender(Race):
    def render(self) -> str:
        return ""


class BadOdds(Race):
    def chance_outcomes(self) -> list[tuple[int, float]]:
        return [(0, 0.5), (1, 0.4)]


class TakesAnyOutcome(Race):
    def step(self, actions: Mapping[int, Any]) -> None:
        if self.coin and CHANCE in actions and len(actions) == 1:
            super().step({CHANCE: actions[CHANCE] % 2})
        else:
            super().step(actions)


class DriveCheats(Race):
    def drive(self, choose: Any) -> None:
        while actors := self.actors():
            seat = actors[0]
            choose[seat](self.observe(seat))
            self.step({seat: 1})


class DriveForgives(Race):
    def drive(self, choose: Any) -> None:
        while actors := self.actors():
            seat = actors[0]
            action = choose[seat](self.observe(seat))
            self.step({seat: action if action in self.legal(seat) else 1})


class Peeks(Race):
    """Resamples to a state that its seat can tell apart."""

    def resample(self, seat: int, seed: int) -> Race:
        twin = self.clone()
        twin.pile = (twin.pile + 1) % 3
        return twin


class ListActors(Race):
    def actors(self) -> Any:
        return list(super().actors())


FAULTS: list[tuple[type[Race], str]] = [
    (BadOdds, "add to 1"),
    (BeyondBounds, "payoff_bounds"),
    (BlankRender, "render"),
    (ChangesOnRefusal, "leave the state unchanged"),
    (CoarseKey, "infoset"),
    (DealsOne, "same"),
    (DoubleTensor, "float32"),
    (DriveCheats, "drive"),
    (DriveForgives, "drive to refuse"),
    (ForgetsChanceInClone, "clone"),
    (GrowingTensor, "shape"),
    (HalfAHistory, "history"),
    (LegalDisagrees, "legal"),
    (ListActors, "tuple"),
    (LooksMatter, ""),
    (LostRewards, "sum of rewards"),
    (NotZeroSum, "zero-sum"),
    (OwnArray, "array of the caller's own"),
    (Peeks, "cannot tell apart"),
    (SharedClone, ""),
    (TakesAnyOutcome, "outcome"),
    (TakesAnything, "to be refused"),
    (TakesBools, "True"),
    (Undead, "after the end"),
    (UnsortedActions, "increasing"),
    (WrongException, "IllegalActionError"),
    (WrongMask, "mask"),
    (WrongMaskShape, "mask"),
    (WrongSeat, "seat"),
]


@pytest.mark.parametrize(("kind", "message"), FAULTS, ids=lambda x: getattr(x, "__name__", ""))
def test_planted_faults_are_caught(kind: type[Race], message: str) -> None:
    with pytest.raises(ConformanceError, match=f"(?s)race.*expected.*{message}"):
        check_game(race(kind), episodes=20, close_ups=20)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"seats": 3}, "3 action spaces"),
        ({"payoff": "cooperative"}, "equal returns"),
        ({"payoff": "nonsense"}, "payoff"),
        ({"chance": False}, "chance"),
        ({"max_length": 2}, "max_length"),
        ({"payoff_bounds": (1.0, -1.0)}, "payoff_bounds"),
        ({"payoff_bounds": (-1.0, 0.5)}, "payoff_bounds"),
        ({"seat_names": ("a", "a")}, "seat names"),
        ({"params": {"x": (1, 2)}}, "JSON"),
        ({"params": {"x": object()}}, "JSON"),
        ({"forms": {}}, "form `state`"),
        ({"actions": (Discrete(2), Discrete(2))}, "below 2"),
        ({"rebuildable": True}, "arena.make"),
        ({"turns": "at will"}, "turns"),
        ({"teams": (0,)}, "team"),
    ],
)
def test_false_claims_are_caught(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_game(race(**facts), episodes=20)


def test_a_rebuilt_game_must_be_the_same() -> None:
    counter = iter(range(100))
    GAMES.register(
        "shifty", lambda: race(id="shifty", version=str(next(counter)), rebuildable=True)
    )
    try:
        with pytest.raises(ConformanceError, match="version"):
            check_game(arena.make("shifty"))
    finally:
        GAMES.unregister("shifty")


def test_constant_sum_is_checked_over_episodes() -> None:
    form = NormalForm([[[1, 3]], [[2, 1]]])
    check_game(as_game(form, id="x", rebuildable=False), episodes=10)
    with pytest.raises(ConformanceError, match="one sum"):
        check_game(as_game(form, id="x", rebuildable=False, payoff="constant_sum"), episodes=10)


class Guess:
    """One seat names numbers that need not be discrete; closer to 1 is better."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.told: np.ndarray | None = None

    def actors(self) -> tuple[int, ...]:
        return (0,) if self.told is None else ()

    def legal(self, seat: int) -> None:
        return None

    def observe(self, seat: int) -> Snapshot:
        return Snapshot(seat, view="name numbers")

    def step(self, actions: Mapping[int, Any]) -> None:
        if set(actions) != {0} or self.told is not None:
            raise IllegalActionError("not to move")
        if not isinstance(actions[0], np.ndarray) or actions[0].shape != (self.size,):
            raise IllegalActionError("an array is wanted")
        self.told = actions[0].copy()

    def rewards(self) -> np.ndarray:
        return self.returns()

    def returns(self) -> np.ndarray:
        return np.array([0.0 if self.told is None else -float(np.abs(self.told - 1).sum())])

    def clone(self) -> Guess:
        twin = Guess(self.size)
        twin.told = self.told
        return twin

    def render(self) -> str:
        return f"told {self.told}"


@pytest.mark.parametrize(
    "space",
    [
        MultiDiscrete((3, 4)),
        Box(np.array([-1.0, -np.inf]), np.array([1.0, np.inf]), (2,)),
    ],
)
def test_other_action_spaces(space: Any) -> None:
    game = race(
        seats=1,
        actions=(space,),
        payoff="general_sum",
        chance=False,
        payoff_bounds=(-np.inf, 0.0),
        forms={"state": lambda seed: Guess(2)},
    )
    check_game(game)
    check_agent(lambda: arena.agent("uniform"), game)


# -- agents ---------------------------------------------------------------------------------


class Sound:
    stochastic: Any = True

    def begin(self, game: Game, seat: int, seed: int) -> None:
        self.stream = Stream(seed)

    def act(self, observation: Any) -> Any:
        return self.stream.choice(observation.actions)

    def close(self) -> None:
        pass


class Illegal(Sound):
    def act(self, observation: Any) -> Any:
        return 0


class Unseeded(Sound):
    world = Stream(1)

    def act(self, observation: Any) -> Any:
        return self.world.choice(observation.actions)


class NeverForgets(Sound):
    def __init__(self) -> None:
        self.stream = Stream(5)

    def begin(self, game: Game, seat: int, seed: int) -> None:
        pass


class FalselyPure(Sound):
    stochastic = False


class BadPolicy(Sound):
    def policy(self, observation: Any) -> Any:
        return np.ones(3) / 3


class OtherPolicy(Sound):
    def policy(self, observation: Any) -> Any:
        row = np.zeros(3)
        row[observation.actions[0]] = 1.0
        return row


class Scribbles(Sound):
    def act(self, observation: Any) -> Any:
        action = super().act(observation)
        observation.actions.clear()
        return action


class ClosesOnce(Sound):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class FloatAction(Sound):
    def act(self, observation: Any) -> Any:
        return float(super().act(observation))


class OtherInBatches(Sound):
    def play_batch(self, game: Game, agents: Any, seeds: Any) -> Any:
        return np.zeros((len(seeds), game.seats))


class Refuses(Sound):
    def begin(self, game: Game, seat: int, seed: int) -> None:
        raise RuntimeError("no")


class Mute:
    pass


class KeptList(Race):
    """Hands out its own list of actions, so that a scribbling agent does harm."""

    def __init__(self, seed: int | None) -> None:
        super().__init__(seed)
        self.lists: dict[tuple[int, int], list[int]] = {}

    def legal(self, seat: int) -> list[int]:
        return self.lists.setdefault((len(self.past), seat), super().legal(seat))


def test_sound_agents_pass() -> None:
    for agent in ("uniform", "first_legal"):
        check_agent(lambda agent=agent: arena.agent(agent), race())  # type: ignore[misc]
    check_agent(Sound, race())


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (Illegal, "one of the legal actions"),
        (Unseeded, "same actions"),
        (NeverForgets, "afresh"),
        (FalselyPure, "stochastic=False"),
        (BadPolicy, "0 where illegal"),
        (OtherPolicy, "some probability"),
        (ClosesOnce, "twice|close"),
        (FloatAction, "action number"),
        (OtherInBatches, "payoffs"),
        (Refuses, "begin"),
        (Mute, "begin"),
    ],
)
def test_faulty_agents_are_caught(factory: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_agent(factory, race())


def test_an_agent_that_scribbles_on_its_observation_is_caught() -> None:
    with pytest.raises(ConformanceError, match="unchanged"):
        check_agent(Scribbles, race(KeptList))


# -- solvers --------------------------------------------------------------------------------


class Uniformly:
    """Solves nothing, but keeps the contract."""

    status = "iteration limit"
    gap = Gap(0.5)
    refuses = True

    def obstacle(self, game: Game) -> str | None:
        return None if game.id == "race" else "it knows the race only"

    def solve(
        self, game: Game, *, seed: int = 0, progress: Any = None, steps: int = 3, **rest: Any
    ) -> Solution:
        obstacle = self.obstacle(game)
        if obstacle is not None:
            raise NotApplicableError(obstacle)
        if rest and self.refuses:
            raise ParameterError(next(iter(rest)), None, "steps")
        status, trace = self.status, []
        try:
            for i in range(steps):
                trace.append(TracePoint(i, 0.1 * i, 1.0))
                if progress is not None:
                    progress(trace[-1])
        except KeyboardInterrupt:
            status = "interrupted"
        rows = {}
        for seat in (0, 1):
            for pile in range(5):
                legal = [0.0, 1.0, 0.0] if pile == 4 else [0.0, 0.5, 0.5]
                rows[seat, f"{pile} {seat}"] = self.row(legal)
        policy = TabularPolicy.from_mapping("race", rows)
        return Solution(
            game, "uniformly", {"steps": steps}, policy, {"gap": self.gap}, trace, status
        )

    def row(self, legal: list[float]) -> list[float]:
        return legal


class NoCertificate(Uniformly):
    gap = Gap(float("nan"))


class Negative(Uniformly):
    gap = Gap(-1.0)


class OddStatus(Uniformly):
    status = "dunno"


class Swallows(Uniformly):
    refuses = False


class PlaysIllegally(Uniformly):
    def row(self, legal: list[float]) -> list[float]:
        return [1.0, 0.0, 0.0]


class Solves(Uniformly):
    def solve(self, game: Game, **settings: Any) -> Solution:
        return super().solve(race() if game.id != "race" else game, **settings)


class Wanders(Uniformly):
    count = 0.0

    def solve(self, game: Game, **settings: Any) -> Solution:
        Wanders.count += 1.0
        return replace(super().solve(game, **settings), certificate={"gap": Gap(self.count)})


class DropsSettings(Uniformly):
    def solve(self, game: Game, **settings: Any) -> Solution:
        return replace(super().solve(game, **settings), settings={})


def test_a_sound_solver_passes() -> None:
    check_solver(Uniformly(), race(), steps=2)
    check_solver(Uniformly(), arena.make("kuhn_poker"))


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (NoCertificate(), "finite"),
        (Negative(), "at least 0"),
        (OddStatus(), "status"),
        (Swallows(), "unknown setting"),
        (PlaysIllegally(), "distribution over the legal actions"),
        (Wanders(), "same gap"),
        (DropsSettings(), "settings"),
    ],
)
def test_faulty_solvers_are_caught(solver: Uniformly, message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_solver(solver, race(), steps=2)


def test_a_solver_must_refuse_what_it_cannot_handle() -> None:
    with pytest.raises(ConformanceError, match="NotApplicableError"):
        check_solver(Solves(), arena.make("kuhn_poker"))
