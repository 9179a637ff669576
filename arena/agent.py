"""Agents: whatever can act, behind three methods."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Protocol, runtime_checkable

from arena.game import Game, Observation
from arena.types import Action

__all__ = ["Agent", "Limits"]


@dataclass(frozen=True)
class Limits:
    """What an agent may use; whoever goes beyond is at fault and forfeits the game.

    Attributes:
        move: wall-clock seconds for one `act`.
        game: wall-clock seconds for all of an agent's moves in one game.
        cpu: CPU seconds for all of an agent's moves in one game.
        begin: wall-clock seconds to start up and for each `begin`.
        memory: bytes of private memory of each process (agents in processes of their own only).
        output: bytes that the agent may write to its log in one game.
        processes: processes that the agent may have at once, its own included.
    """

    move: float = inf
    game: float = inf
    cpu: float = inf
    begin: float = 30.0
    memory: int | None = None
    output: int = 1 << 20
    processes: int = 32


@runtime_checkable
class Agent(Protocol):
    """Something that plays one seat of a game.

    One agent object plays many games, one after the other: `begin` starts each.

    Optional members, looked for with `getattr`:
        policy(observation) -> probabilities, shape (A,): the distribution `act` draws from.
        begin_batch(game, seat, seeds), act_batch(observation) -> actions, shape (N,): the
            same choices as `begin` and `act`, for N episodes at once; see `games.batch`.
        play_batch(game, agents, seeds) -> payoffs, shape (N, n), or None: plays whole
            episodes among agents of its own kind; see `games.batch.play_batch`.
        follow(observation, action): told what the seat did at a decision where `act` was not
            asked, or not obeyed; for agents that remember their own moves, where somebody else
            plays some of them (learned best responses do).
        signal(seed): called before `begin` with a number that all seats of the episode share
            and that tells nothing about its chance: a public correlation device.
        end(returns): called after each game with the payoffs of all seats, shape (n,).
        version: str: told apart in results; the registry adds a digest of the code.
        stochastic: bool: False promises the same action for the same observations.
    """

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Prepare to play `seat` of one episode of `game`; all randomness follows `seed`.

        Raises:
            AgentError: the agent cannot play this game; the message says why.
        """

    def act(self, observation: Observation) -> Action:
        """Return a legal action."""

    def close(self) -> None:
        """Release what the agent holds (processes, files, memory)."""
