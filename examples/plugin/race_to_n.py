"""A whole plug-in in one file: the race to n as a game, its best agent, and its solver.

Two players add 1 … `step` to a common sum in turn; whoever reaches `target` wins. Each
residue modulo (step + 1) is either won or lost, so optimal play is one line.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import arena
from arena import Discrete, Game, Observation, Snapshot, Solution


class Race:
    """One episode: the sum so far and who is to move."""

    def __init__(self, target: int, step: int) -> None:
        self.target, self.step_size = target, step
        self.sum, self.turn = 0, 0
        self.paid = np.zeros(2)

    def actors(self) -> tuple[int, ...]:
        return () if self.sum == self.target else (self.turn,)

    def legal(self, seat: int) -> list[int]:
        if self.actors() != (seat,):
            return []
        return list(range(min(self.step_size, self.target - self.sum)))

    def observe(self, seat: int) -> Snapshot:
        actions = self.legal(seat)
        mask = np.zeros(self.step_size, dtype=np.bool_)
        mask[actions] = True
        return Snapshot(
            seat,
            actions,
            mask,
            tensor=np.array([self.sum / self.target], dtype=np.float32),
            key=f"{self.sum} of {self.target}, seat {self.turn} to move",
            view=f"{self.sum} of {self.target}",
        )

    def step(self, actions: Mapping[int, arena.Action]) -> None:
        action = actions.get(self.turn)
        legal = self.legal(self.turn)
        whole = isinstance(action, int | np.integer) and not isinstance(action, bool)
        if tuple(actions) != self.actors() or not whole or action not in legal:
            raise arena.errors.IllegalActionError(f"{dict(actions)} at {self.render()}")
        self.sum += int(action) + 1
        if self.sum == self.target:
            self.paid[:] = -1.0
            self.paid[self.turn] = 1.0
        self.turn = 1 - self.turn

    def rewards(self) -> np.ndarray:
        return self.paid.copy()

    def returns(self) -> np.ndarray:
        return self.paid.copy()

    def clone(self) -> Race:
        twin = Race(self.target, self.step_size)
        twin.sum, twin.turn, twin.paid = self.sum, self.turn, self.paid.copy()
        return twin

    def render(self) -> str:
        return f"sum {self.sum}, seat {self.turn} to move"


def race(target: int = 21, step: int = 3) -> Game:
    """The race to `target` by steps of 1 … `step`."""
    for name, value in {"target": target, "step": step}.items():
        if not isinstance(value, int) or value < 1:
            raise arena.errors.ParameterError(name, value, "a positive integer", where="race")
    return Game(
        id="race",
        params={"target": target, "step": step},
        seats=2,
        actions=(Discrete(step),) * 2,
        payoff="zero_sum",
        turns="sequential",
        forms={"state": lambda seed: Race(target, step)},
        perfect_information=True,
        payoff_bounds=(-1.0, 1.0),
        max_length=target,
        summary="two players count to n in small steps",
        action_name=lambda seat, action: f"+{action + 1}",
    )


def best(total: int, step: int, legal: list[int]) -> int:
    """Return the action that leaves a multiple of (step + 1) to go, or the least one."""
    wanted = total % (step + 1) - 1
    return wanted if wanted in legal else legal[0]


class Optimal:
    """Plays the race perfectly."""

    def begin(self, game: Game, seat: int, seed: int) -> None:
        if game.id != "race":
            raise arena.errors.AgentError(f"race_optimal cannot play {game.id}")
        self.step = game.params["step"]
        self.target = game.params["target"]

    def act(self, observation: Observation) -> int:
        done = int(observation.view.split()[0])
        return best(self.target - done, self.step, list(observation.actions))

    def close(self) -> None:
        pass


class ByHand:
    """Solves the race in closed form and certifies the policy by backward induction."""

    def obstacle(self, game: Game) -> str | None:
        return None if game.id == "race" else "it solves only the race"

    def solve(self, game: Game, *, seed: int = 0, progress: object = None) -> Solution:
        if (reason := self.obstacle(game)) is not None:
            raise arena.errors.NotApplicableError(f"race_by_hand: {reason}")
        target, step = game.params["target"], game.params["step"]
        rows, value = {}, {target: -1.0}  # value to the player who is to move
        for total in range(target - 1, -1, -1):
            options = [-value[total + 1 + a] for a in range(min(step, target - total))]
            value[total] = max(options)
            row = np.zeros(step)
            row[best(target - total, step, list(range(len(options))))] = 1.0
            for seat in range(2):
                rows[seat, f"{total} of {target}, seat {seat} to move"] = row
        gap = max(
            value[t] + value[t + 1 + int(np.argmax(rows[0, f"{t} of {target}, seat 0 to move"]))]
            for t in range(target)
        )
        return Solution(
            game=game,
            solver="race_by_hand",
            settings={},
            policy=arena.TabularPolicy.from_mapping(game.key, rows),
            certificate={"one_step_gap": arena.Gap(gap)},
        )
