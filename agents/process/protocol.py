"""The words of the protocol: what arena's side and an agent's side say, as JSON lines.

docs/protocol.md is the specification; this module is its two halves: requests are made
and answers read by arena, requests read and answers made by the Python side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii as _quote
from math import inf, isfinite
from typing import Any

import numpy as np

from arena.errors import AgentError
from arena.game import Game, Observation
from arena.types import Action, ActionSpace, Box, Discrete, MultiDiscrete, Params

__all__ = [
    "FIELDS",
    "PROTOCOL",
    "act_line",
    "begin_line",
    "describe",
    "line",
    "read_action",
    "rebuild",
    "to_action",
]

PROTOCOL = 1
"""The version of the protocol that this arena speaks."""

FIELDS = ("key", "view", "tensor")
"""The fields of an observation that are sent to those who want them."""


def line(message: dict[str, Any]) -> bytes:
    """Encode one message."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


# -- the game ------------------------------------------------------------------


def describe(game: Game) -> dict[str, Any]:
    """Return a game as JSON values; infinite numbers become null.

    Raises:
        AgentError: its actions cannot be written as JSON.
    """
    return {
        "key": game.key,
        "id": game.id,
        "params": game.params,
        "seats": game.seats,
        "actions": [_describe_space(game, space) for space in game.actions],
        "payoff": game.payoff,
        "turns": game.turns,
        "perfect_information": game.perfect_information,
        "chance": game.chance,
        "payoff_bounds": [_finite(bound) for bound in game.payoff_bounds],
        "max_length": game.max_length,
        "teams": list(game.teams),
        "seat_names": list(game.seat_names),
        "version": game.version,
        "forms": sorted(game.forms) if game.rebuildable else [],
    }


def _describe_space(game: Game, space: ActionSpace) -> dict[str, Any]:
    if isinstance(space, Discrete):
        return {"type": "discrete", "n": space.n}
    if isinstance(space, MultiDiscrete):
        return {"type": "multi_discrete", "sizes": list(space.sizes)}
    if isinstance(space, Box):
        bounds = {
            name: [_finite(float(v)) for v in np.asarray(bound).ravel()]
            for name, bound in (("low", space.low), ("high", space.high))
        }
        return {"type": "box", "shape": list(space.shape), "dtype": space.dtype, **bounds}
    raise AgentError(f"the actions of {game.key} ({space}) cannot be sent to another process")


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _unlimited(value: float | None, sign: float) -> float:
    return sign * inf if value is None else value


def rebuild(told: dict[str, Any]) -> Game:
    """Return the game of a description; its forms are made on first use."""
    made: list[Game] = []

    def real() -> Game:
        if not made:
            from arena.api import make

            made.append(make(told["id"], **told["params"]))
        return made[0]

    def maker(name: str) -> Callable[..., Any]:
        return lambda **options: real().form(name, **options)

    rebuildable = bool(told["forms"])
    low, high = told["payoff_bounds"]
    return Game(
        id=told["id"],
        seats=told["seats"],
        actions=tuple(_rebuild_space(space) for space in told["actions"]),
        payoff=told["payoff"],
        turns=told["turns"],
        forms={name: maker(name) for name in told["forms"]},
        params=told["params"],
        perfect_information=told["perfect_information"],
        chance=told["chance"],
        payoff_bounds=(_unlimited(low, -1.0), _unlimited(high, 1.0)),
        max_length=told["max_length"],
        teams=tuple(told["teams"]),
        seat_names=tuple(told["seat_names"]),
        version=told["version"],
        action_name=(lambda seat, action: real().describe_action(seat, action))
        if rebuildable
        else None,
        rebuildable=rebuildable,
    )


def _rebuild_space(told: dict[str, Any]) -> ActionSpace:
    if told["type"] == "discrete":
        return Discrete(told["n"])
    if told["type"] == "multi_discrete":
        return MultiDiscrete(tuple(told["sizes"]))
    shape = tuple(told["shape"])
    low, high = (
        np.array([_unlimited(v, sign) for v in told[name]], dtype=told["dtype"]).reshape(shape)
        for name, sign in (("low", -1.0), ("high", 1.0))
    )
    return Box(low, high, shape, told["dtype"])


# -- requests ------------------------------------------------------------------


def begin_line(game: str, seat: int, seed: int, limits: Params) -> bytes:
    """Encode the start of an episode; `game` is its description, encoded once for many."""
    return (
        f'{{"type":"begin","seat":{int(seat)},"seed":{int(seed)},'
        f'"limits":{json.dumps(limits, separators=(",", ":"))},"game":{game}}}\n'
    ).encode()


def act_line(observation: Observation, want: Sequence[str], clock: str) -> bytes:
    """Encode a request to act.

    Args:
        observation: what the seat knows.
        want: the fields that the agent asked for, of `FIELDS`.
        clock: the clock, encoded.
    """
    actions = observation.actions
    # Plain text instead of `json.dumps` of a dict: a third of the time.
    if actions is None:
        listed = "null"
    elif actions and type(actions[0]) is int:
        listed = str([*actions])
    else:
        listed = str([int(action) for action in actions])
    text = f'{{"type":"act","seat":{observation.seat},"actions":{listed},"clock":{clock}'
    for field in want:
        value = getattr(observation, field)
        if value is None:
            text += f',"{field}":null'
        elif isinstance(value, str):
            text += f',"{field}":{_quote(value)}'
        else:
            text += f',"{field}":{json.dumps(_numbers(value), separators=(",", ":"))}'
    return text.encode() + b"}\n"


def _numbers(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return [_finite(v) for v in array.ravel().tolist()]
    return array.tolist()


# -- answers -------------------------------------------------------------------


def read_action(raw: bytes) -> int | None:
    """Return N if the line is exactly `{"action": N}` (the answer nearly every time)."""
    if raw.startswith(b'{"action":') and raw.endswith(b"}\n"):
        digits = raw[10:-2].strip()
        if digits.isdigit():
            return int(digits)
    return None


def to_action(value: Any, space: ActionSpace) -> Action | None:
    """Return the action that a JSON value stands for, or None if it is none of that space."""
    if isinstance(space, Discrete):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return value if whole else None
    try:
        if isinstance(space, MultiDiscrete):
            vector = np.array(value)
            sizes = np.array(space.sizes)
            fits = vector.shape == sizes.shape and vector.dtype.kind == "i"
            return vector if fits and ((vector >= 0) & (vector < sizes)).all() else None
        if isinstance(space, Box):
            point = np.array(value, dtype=space.dtype)
            inside = point.shape == space.shape and np.isfinite(point).all()
            inside = inside and (point >= space.low).all() and (point <= space.high).all()
            return point if inside else None
    except (TypeError, ValueError):
        return None
    return None
