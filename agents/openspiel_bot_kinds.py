"""The kinds of OpenSpiel's bots: how each is made, with what parameters, and what it can play."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.errors import ParameterError, UnknownNameError
from arena.rng import Stream
from games.adapters.openspiel_load import facts, may_resample, pyspiel, quiet

__all__ = ["KINDS", "Builder", "Kind", "kind_of", "with_defaults"]

_MOST_THROWS = 1000  # the RoShamBo bots keep tables of this size

_UNBOUNDED = -1

Builder = Callable[[Any, int, int, Mapping[str, Any]], Any]
"""(pyspiel.Game, seat, seed of 31 bits, parameters) to a pyspiel.Bot."""


@dataclass(frozen=True)
class Kind:
    """How one kind of bot is made.

    Attributes:
        summary: one line.
        build: makes the bot.
        defaults: its parameters.
        obstacle: why it cannot play a `pyspiel.Game`, or None.
        stochastic: whether its actions depend on the seed.
        reproducible: whether the same seed gives the same actions. IS-MCTS walks hash
            tables whose order differs from one table to the next, whatever the seed.
        c_random: whether it draws from the C library, and so must be seeded at each move.
        games: what it can play, for lists.
    """

    summary: str
    build: Builder
    defaults: Mapping[str, Any]
    obstacle: Callable[[Any], str | None]
    stochastic: bool = True
    reproducible: bool = True
    c_random: bool = False
    games: str = "any"


def _mcts(raw: Any, seat: int, seed: int, p: Mapping[str, Any]) -> Any:
    evaluator = pyspiel.RandomRolloutEvaluator(p["rollouts"], seed)
    selection = pyspiel.ChildSelectionPolicy.__members__[p["selection"]]
    return pyspiel.MCTSBot(
        raw,
        evaluator,
        p["uct_c"],
        p["simulations"],
        p["memory_mb"],
        p["solve"],
        seed,
        False,
        selection,
    )


def _is_mcts(raw: Any, seat: int, seed: int, p: Mapping[str, Any]) -> Any:
    about = raw.get_type()
    return pyspiel.ISMCTSBot(
        seed,
        pyspiel.RandomRolloutEvaluator(p["rollouts"], seed),
        p["uct_c"],
        p["simulations"],
        p["world_samples"],
        pyspiel.ISMCTSFinalPolicyType.__members__[p["final_policy"]],
        not about.provides_information_state_string,
        False,
    )


def _registered(name: str) -> Builder:
    def build(raw: Any, seat: int, seed: int, p: Mapping[str, Any]) -> Any:
        return pyspiel.load_bot(name, raw, seat, dict(p))

    return build


def _uniform(raw: Any, seat: int, seed: int, p: Mapping[str, Any]) -> Any:
    return pyspiel.make_uniform_random_bot(seat, seed)


def _gin_rummy(raw: Any, seat: int, seed: int, p: Mapping[str, Any]) -> Any:
    specification = facts("gin_rummy").parameter_specification
    return pyspiel.make_simple_gin_rummy_bot({**specification, **raw.get_parameters()}, seat)


def _roshambo(name: str) -> Builder:
    def build(raw: Any, seat: int, seed: int, p: Mapping[str, Any]) -> Any:
        return pyspiel.make_roshambo_bot(seat, name, _MOST_THROWS)

    return build


def _any_game(raw: Any) -> str | None:
    if raw.get_type().dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
        return "it is a mean-field game"
    return None


def _searchable(raw: Any) -> str | None:
    about = raw.get_type()
    if about.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        return "the search needs seats that move one at a time"
    if about.reward_model != pyspiel.GameType.RewardModel.TERMINAL:
        return "the search needs payoffs at the end only"
    if about.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        return "the search needs chance that can be enumerated"
    return None


def _for_mcts(raw: Any) -> str | None:
    if raw.get_type().information != pyspiel.GameType.Information.PERFECT_INFORMATION:
        return "the search needs perfect information (openspiel/is_mcts does not)"
    return _searchable(raw)


def _for_is_mcts(raw: Any) -> str | None:
    obstacle = _searchable(raw)
    if obstacle is not None:
        return obstacle
    about = raw.get_type()
    if about.information != pyspiel.GameType.Information.IMPERFECT_INFORMATION:
        return "the search is for imperfect information (openspiel/mcts is for perfect)"
    if not (about.provides_information_state_string or about.provides_observation_string):
        return "the search needs information-state or observation strings"
    if not may_resample(raw):
        return "the search needs to resample hidden information, which fails for so many seats"
    state = raw.new_initial_state()
    stream = Stream(0)
    while state.is_chance_node():
        outcomes = state.chance_outcomes()
        state.apply_action(outcomes[stream.index([p for _, p in outcomes])][0])
    try:
        with quiet():
            state.resample_from_infostate(state.current_player(), stream.random)
    except (pyspiel.SpielError, RuntimeError) as error:
        return f"the search needs to resample hidden information ({error})"
    return None


def _for_poker(raw: Any) -> str | None:
    name = raw.get_type().short_name
    return None if name == "universal_poker" else "it plays universal_poker only"


def _for_gin_rummy(raw: Any) -> str | None:
    name = raw.get_type().short_name
    return None if name == "gin_rummy" else "it plays gin_rummy only"


def _for_roshambo(raw: Any) -> str | None:
    about = raw.get_type()
    rounds = raw.max_game_length()
    if about.short_name == "repeated_game":
        stage = raw.get_parameters().get("stage_game", {})
        if stage.get("name") in ("matrix_rps", "matrix_brps") and rounds <= _MOST_THROWS:
            return None
    return (
        "it plays repeated rock-paper-scissors of two seats and at most"
        f" {_MOST_THROWS} rounds, such as"
        " openspiel/repeated_game(num_repetitions=1000,stage_game=matrix_rps)"
    )


_SEARCH = {"simulations": 1000, "uct_c": 2.0, "rollouts": 1}

KINDS: dict[str, Kind] = {
    "mcts": Kind(
        "Monte Carlo tree search with UCT and random rollouts",
        _mcts,
        {**_SEARCH, "memory_mb": 1000, "solve": True, "selection": "UCT"},
        _for_mcts,
        games="sequential, perfect information, payoffs at the end",
    ),
    "is_mcts": Kind(
        "information-set Monte Carlo tree search; not reproducible: hash order breaks ties",
        _is_mcts,
        {**_SEARCH, "world_samples": _UNBOUNDED, "final_policy": "NORMALIZED_VISIT_COUNT"},
        _for_is_mcts,
        reproducible=False,
        games="sequential, can resample hidden information",
    ),
    "uniform_random": Kind("every legal action equally often", _uniform, {}, _any_game),
    "fixed_action_preference": Kind(
        "the legal action of least number among 0 to 8; fails where there is none",
        _registered("fixed_action_preference"),
        {},
        _any_game,
        stochastic=False,
    ),
    "uniform_restricted_actions": Kind(
        "poker with few actions, such as always calling",
        _registered("uniform_restricted_actions"),
        {"policy_name": "AlwaysCall"},
        _for_poker,
        games="universal_poker",
    ),
    "simple_gin_rummy": Kind(
        "knocks as soon as it can",
        _gin_rummy,
        {},
        _for_gin_rummy,
        stochastic=False,
        games="gin_rummy",
    ),
}

_CHOICES: dict[str, Callable[[], Sequence[str]]] = {
    "selection": lambda: list(pyspiel.ChildSelectionPolicy.__members__),
    "final_policy": lambda: list(pyspiel.ISMCTSFinalPolicyType.__members__),
}

_LEAST = {"simulations": 1, "rollouts": 1, "memory_mb": 1, "world_samples": -1, "uct_c": 0.0}


def kind_of(name: str) -> Kind | None:
    """Return the kind of the bot of that name, or None."""
    found = KINDS.get(name)
    if found is not None:
        return found
    prefix, _, rest = name.partition("/")
    if prefix == "roshambo" and rest in pyspiel.roshambo_bot_names():
        return Kind(
            "an entry of the RoShamBo programming competition",
            _roshambo(rest),
            {},
            _for_roshambo,
            c_random=True,
            games="repeated rock-paper-scissors",
        )
    if name in pyspiel.registered_bots():
        return Kind("a registered bot", _registered(name), {}, _any_game)
    return None


def with_defaults(name: str, kind: Kind, params: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameters and add the defaults of the others.

    Raises:
        UnknownNameError: there is no such parameter.
        ParameterError: a value of the wrong type or range.
    """
    where = f"openspiel/{name}"
    checked = dict(kind.defaults)
    for key, value in params.items():
        if key not in checked:
            raise UnknownNameError(
                f"parameter of {where}",
                key,
                checked,
                hint=f"it has {', '.join(sorted(checked)) or 'none'}",
            )
        wanted = type(checked[key])
        if wanted is float and type(value) is int:
            value = float(value)  # noqa: PLW2901 # an integer where a float is wanted
        if key in _CHOICES and value not in _CHOICES[key]():
            raise ParameterError(key, value, f"one of {_CHOICES[key]()}", where=where)
        if type(value) is not wanted:
            raise ParameterError(key, value, wanted.__name__, where=where)
        # World samples may be −1 (no bound), but not 0.
        if key in _LEAST and (value < _LEAST[key] or (key == "world_samples" and value == 0)):
            raise ParameterError(key, value, f"at least {_LEAST[key]}, not nothing", where=where)
        checked[key] = value
    return checked
