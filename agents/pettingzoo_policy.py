"""Policies written for PettingZoo as arena agents.

A policy is called in one of these ways; which one is told by `convention`, or seen from
the policy itself:

    convention               what is called, and what it returns
    observation_and_mask     `policy(observation, action_mask)` -> action
    observation_and_agent    `policy(observation, agent)` -> action
    observation              `policy(observation)` -> action
    act                      `policy.act(…)`, with any of the three argument lists above
    predict                  `policy.predict(observation, …)` -> (action, state): Stable-Baselines3
                             and sb3-contrib; `action_masks`, `state` and `episode_start` are
                             passed if it takes them, `deterministic` as set
    compute_action           `policy.compute_action(observation)` -> action: Tianshou
    compute_single_action    `policy.compute_single_action(observation)` -> action or (action, …):
                             RLlib

A policy that takes the mask as an argument, or as `action_masks`, gets the bare
observation; every other one gets what PettingZoo gives: the whole
`{"observation", "action_mask"}` dictionary where there is a mask. In games that came from
PettingZoo these are the environment's own observations, in others those of
`arena.to_pettingzoo`. A torch module is passed through a function of one line that
chooses an action from its output.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from arena.errors import AgentError, ParameterError
from arena.game import Game, Observation
from arena.registry import load_target
from arena.types import Action, Discrete

__all__ = ["Convention", "PettingZooPolicy", "load"]

Convention = Literal[
    "observation_and_mask",
    "observation_and_agent",
    "observation",
    "act",
    "predict",
    "compute_action",
    "compute_single_action",
]
_METHODS = ("act", "predict", "compute_action", "compute_single_action")


def load(
    policy: str, *, convention: Convention | None = None, deterministic: bool = False
) -> PettingZooPolicy:
    """Make an agent of the policy at `package.module:name`.

    Raises:
        AgentError: there is nothing there.
    """
    if ":" not in policy:
        raise ParameterError("policy", policy, "a reference such as 'package.module:name'")
    try:
        found = load_target(policy)
    except (ImportError, AttributeError) as error:
        raise AgentError(f"cannot load the policy {policy!r}: {error}") from error
    return PettingZooPolicy(found, convention=convention, deterministic=deterministic)


class PettingZooPolicy:
    """Plays what a PettingZoo-style policy chooses.

    Before each game the policy's `seed(int)` and `reset()` are called if it has them.

    Args:
        policy: a function, or an object with one of the methods above.
        convention: how it is called; by default seen from its methods and the names of
            its arguments.
        deterministic: for `predict`.

    Raises:
        ParameterError: `convention` is none of the above, or cannot be seen.
    """

    def __init__(
        self, policy: Any, *, convention: Convention | None = None, deterministic: bool = False
    ) -> None:
        if convention is not None and convention not in get_args(Convention):
            raise ParameterError(
                "convention", convention, f"one of {', '.join(get_args(Convention))}"
            )
        method: str | None = convention if convention in _METHODS else None
        if convention is None:
            # A bare function may well have attributes; a class may well be callable too.
            method = next((name for name in _METHODS if hasattr(policy, name)), None)
        function = policy if method is None else getattr(policy, method, None)
        if not callable(function):
            raise ParameterError(
                "policy", policy, f"a function or an object with {' or '.join(_METHODS)}"
            )
        self._function: Callable[..., Any] = function
        self._names = _arguments(function)
        self._deterministic = deterministic
        self.convention = convention or method or self._seen()
        self._ask: Callable[[Any, Any], Any] = {
            "predict": self._predict,
            "compute_action": self._plain,
            "compute_single_action": self._first,
        }.get(self.convention, self._call)
        self._list = self._seen() if self.convention == "act" else self.convention

    def _seen(self) -> str:
        """Tell the argument list from its names; a sole argument is the observation."""
        second = self._names[1] if len(self._names) > 1 else ""
        if not second:
            return "observation"
        if "mask" in second:
            return "observation_and_mask"
        if "agent" in second:
            return "observation_and_agent"
        raise ParameterError(
            "convention",
            None,
            f"one of {', '.join(get_args(Convention))}, since the arguments"
            f" ({', '.join(self._names)}) do not tell",
        )

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Take the seat, and start the policy afresh if it can be."""
        self._agent = game.seat_names[seat]
        self._discrete = isinstance(game.actions[seat], Discrete)
        self._memory: Any = None
        self._fresh = True
        policy = getattr(self._function, "__self__", self._function)
        for name, arguments in (("seed", (seed,)), ("reset", ())):
            tell = getattr(policy, name, None)
            if callable(tell):
                tell(*arguments)

    def act(self, observation: Observation) -> Action:
        """Return what the policy chooses, counted from 0 as arena does.

        Raises:
            AgentError: it chose nothing that could be an action, or the game's
                observations have no tensor to show it.
        """
        whole, mask = self._as_pettingzoo(observation)
        action = self._ask(whole, mask)
        self._fresh = False
        if not self._discrete:
            return np.asarray(action) - getattr(observation, "start", 0)
        number = np.asarray(action)
        if number.size != 1 or not np.issubdtype(number.dtype, np.integer):
            raise AgentError(f"the policy answered {action!r}, not an action number")
        return int(number.item()) - int(getattr(observation, "start", 0))

    def close(self) -> None:
        """Nothing to release."""

    def _as_pettingzoo(self, observation: Observation) -> tuple[Any, Any]:
        """Return the observation as PettingZoo would give it, and the mask if there is one."""
        legal = observation.legal
        mask = None if legal is None else legal.astype(np.int8)
        native = getattr(observation, "native", None)
        if native is not None:
            return native, mask
        tensor = observation.tensor
        if tensor is None:
            raise AgentError("the game's observations have no tensor for a PettingZoo policy")
        return (tensor if mask is None else {"observation": tensor, "action_mask": mask}), mask

    def _call(self, whole: Any, mask: Any) -> Any:
        if self._list == "observation_and_mask":
            return self._function(_bare(whole), mask)
        if self._list == "observation_and_agent":
            return self._function(whole, self._agent)
        return self._function(whole)

    def _predict(self, whole: Any, mask: Any) -> Any:
        options: dict[str, Any] = {}
        if "deterministic" in self._names:
            options["deterministic"] = self._deterministic
        if "action_masks" in self._names and mask is not None:
            options["action_masks"] = mask.astype(np.bool_)
            whole = _bare(whole)
        if "state" in self._names:
            options["state"] = self._memory
        if "episode_start" in self._names:
            options["episode_start"] = np.array([self._fresh])
        answer = self._function(whole, **options)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise AgentError(f"predict answered {answer!r}, not (action, state)")
        action, self._memory = answer
        return action

    def _plain(self, whole: Any, mask: Any) -> Any:
        return self._function(whole)

    def _first(self, whole: Any, mask: Any) -> Any:
        answer = self._function(whole)
        return answer[0] if isinstance(answer, tuple) else answer


def _bare(whole: Any) -> Any:
    return whole["observation"] if isinstance(whole, dict) and "observation" in whole else whole


def _arguments(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []  # a builtin: called with the observation alone
    return [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
