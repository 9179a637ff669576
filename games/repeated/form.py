"""What a repeated matrix game is: a stage game, how often it is played, and how reliably.

Each round all seats choose at once. With probability `noise` a chosen action is then
executed as another one (each of the others equally likely), independently for every
seat; everybody sees, and is paid for, what was executed. After a round the match goes on
if the fixed number of rounds is not reached and, in the geometric form, with probability
`continuation`.

Sources: Fudenberg and Tirole 1991, "Game Theory", ch. 5; noise as in Axelrod and Dion
1988, "The further evolution of cooperation", Science 242.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from arena.errors import FormError, ParameterError
from arena.game import Game, Observation
from arena.types import Discrete, Payoff
from games.normal_form import NormalForm

__all__ = ["DEFAULT_ROUNDS", "RepeatedForm", "last_joint", "repeat"]

DEFAULT_ROUNDS = 200
"""Rounds of a match when neither `rounds` nor `continuation` is given, as in Axelrod 1980."""


@dataclass(frozen=True, eq=False)
class RepeatedForm:
    """The form `repeated`: all that a seat may know about a repeated game beforehand.

    Attributes:
        stage: the game of one round.
        rounds: the greatest number of rounds, or None.
        continuation: the probability that another round follows, or None.
        noise: the probability that a chosen action is executed as another one.
        payoff: whether a match pays the `mean` or the `sum` of its rounds.
        memory: how many rounds the tensor of an observation shows.
    """

    stage: NormalForm
    rounds: int | None = DEFAULT_ROUNDS
    continuation: float | None = None
    noise: float = 0.0
    payoff: Literal["mean", "sum"] = "mean"
    memory: int = 3

    def __post_init__(self) -> None:
        _check_count("rounds", self.rounds, optional=True)
        _check_count("memory", self.memory, optional=False)
        _check_probability("noise", self.noise, "a probability in [0, 1]", closed=True)
        if self.continuation is not None:
            _check_probability(
                "continuation", self.continuation, "a probability in [0, 1)", closed=False
            )
        if self.rounds is None and self.continuation is None:
            raise ParameterError("rounds", None, "a number of rounds, or a continuation")
        if self.payoff not in ("mean", "sum"):
            raise ParameterError("payoff", self.payoff, "'mean' or 'sum'")

    @property
    def horizon(self) -> int | None:
        """The number of rounds, where it is known beforehand."""
        return self.rounds if self.continuation is None else None


def _check_count(name: str, value: object, *, optional: bool) -> None:
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(name, value, "an integer, at least 1")


def _check_probability(name: str, value: object, allowed: str, *, closed: bool) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0.0 <= value <= 1.0
        or (value == 1.0 and not closed)
    ):
        raise ParameterError(name, value, allowed)


def repeat(
    game: Game,
    *,
    rounds: int | None = None,
    continuation: float | None = None,
    noise: float = 0.0,
    payoff: Literal["mean", "sum"] = "mean",
    memory: int = 3,
    id: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Game:
    """Return the repeated game of a matrix game.

    Args:
        game: any game with the form `normal_form`; it is the stage game.
        rounds: the number of rounds; 200 if `continuation` is not given either. With
            `continuation` it is the greatest number.
        continuation: the probability that another round follows, for matches of
            geometric length.
        noise: the probability that a chosen action is executed as another one.
        payoff: whether a match pays the `mean` or the `sum` of its rounds.
        memory: how many rounds the tensor of an observation shows.
        id: the registry name; made from the stage game's by default.
        params: what the registry makes it from.

    Returns:
        A game with the forms `state`, `batch` and `repeated`.

    Raises:
        FormError: the game has no normal form.
        ParameterError: a value out of range.
    """
    from games.repeated.batch import RepeatedBatch
    from games.repeated.state import RepeatedState, Shared

    if "normal_form" not in game.forms:
        raise FormError(game.key, "normal_form", list(game.forms))
    if rounds is None and continuation is None:
        rounds = DEFAULT_ROUNDS
    form = RepeatedForm(game.form("normal_form"), rounds, continuation, noise, payoff, memory)
    shared = Shared(form, game.seat_names)
    chance = noise > 0.0 or continuation is not None
    made = {k: v for k, v in _given(form).items() if v != _given(RepeatedForm(form.stage))[k]}
    return Game(
        id=id or f"repeated/{game.name}",
        seats=game.seats,
        actions=tuple(Discrete(a) for a in form.stage.actions),
        payoff=_payoff_kind(game.payoff, form),
        turns="simultaneous",
        forms={
            "state": lambda seed: RepeatedState(shared, seed),
            "batch": lambda seeds: RepeatedBatch(form, seeds),
            "repeated": lambda: form,
        },
        params=dict(params) if params is not None else {**game.params, **made},
        chance=chance,
        payoff_bounds=_bounds(form),
        max_length=None if rounds is None else rounds * game.seats,
        teams=game.teams,
        seat_names=game.seat_names,
        summary=f"{game.summary}, {_length(form)}",
        citation=game.citation,
        action_name=game.action_name,
        rebuildable=game.rebuildable and id is not None,
    )


def _given(form: RepeatedForm) -> dict[str, Any]:
    return {
        "rounds": form.rounds,
        "continuation": form.continuation,
        "noise": form.noise,
        "payoff": form.payoff,
        "memory": form.memory,
    }


def _length(form: RepeatedForm) -> str:
    if form.continuation is None:
        text = f"{form.rounds} rounds"
    else:
        text = f"another round with probability {form.continuation:g}"
        text += "" if form.rounds is None else f", at most {form.rounds}"
    return text + (f", noise {form.noise:g}" if form.noise else "")


def _payoff_kind(stage: Payoff, form: RepeatedForm) -> Payoff:
    # The sum over a random number of constant-sum rounds is itself random.
    if stage == "constant_sum" and form.payoff == "sum" and form.horizon is None:
        return "general_sum"
    return stage


def _bounds(form: RepeatedForm) -> tuple[float, float]:
    low, high = float(form.stage.payoffs.min()), float(form.stage.payoffs.max())
    if form.payoff == "mean":
        return low, high
    most = float("inf") if form.rounds is None else float(form.rounds)
    least = 1.0 if form.horizon is None else most
    return (
        low * (most if low < 0 else least) if low else 0.0,
        high * (most if high > 0 else least) if high else 0.0,
    )


def last_joint(observation: Observation) -> tuple[int, ...] | None:
    """Return what was executed last, one's own action first, or None before the first round.

    The other seats follow in turn order, from the next one round the table. Observations
    of `RepeatedState` know it; of any other copy it is read from the key.

    Raises:
        ParameterError: the observation is not one of a matrix game.
    """
    if hasattr(observation, "last"):
        last: tuple[int, ...] | None = observation.last
        return last
    key = observation.key
    if key is None:
        raise ParameterError("observation", observation, "one of a (repeated) matrix game")
    if not key:
        return None
    text = key.rsplit(" ", 1)[-1].rsplit(">", 1)[-1]
    return tuple(int(a) for a in (text.split(",") if "," in text else text))
