"""Solvers turn a form of a game into a policy, and certify it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from arena.agent import Agent
from arena.errors import ArenaError, ParameterError
from arena.files import header_of, open_npz, write_atomic
from arena.game import Game
from arena.keys import join_key
from arena.policy import TabularPolicy
from arena.registry import GAMES, load_target
from arena.types import Params

__all__ = [
    "Certificate",
    "Gap",
    "Progress",
    "Solution",
    "Solver",
    "TracePoint",
    "load_policy",
    "saved_settings",
]

_FORMAT = "arena/solution/1"
_SAVED = "a saved policy or solution (.npz)"

_POLICIES = {
    "bandit_table": "solvers.bandits.policy:from_arrays",
    "bandit_values": "solvers.bandits.policy:from_arrays",
    "correlated": "solvers.markov.policy:from_arrays",
    "correlation_plan": "solvers.tree.mediators:from_arrays",
    "joint": "solvers.matrix.form:from_arrays",
    "joint_play": "solvers.tree.mediators:from_arrays",
    "mixture": "solvers.markov.policy:from_arrays",
    "observed": "solvers.markov.policy:from_arrays",
    "product": "solvers.markov.policy:from_arrays",
    "v_learning": "solvers.markov.policy:from_arrays",
}
"""How policies that are no `TabularPolicy` are read, by their `kind`: f(kind, game, arrays)."""

_NETWORK = "solvers.training.policy:from_header"
"""How policies computed by networks, which have a `header`, are read: f(game, header, arrays)."""

_CHECKPOINT = "solvers.training.checkpoint:load_policy"
"""How the policy in a checkpoint (`.safetensors`) is read: f(path)."""

_FILES = {
    "arena/joint-policy/1": "solvers.matrix.form:JointPolicy.load",
    "arena/markov-policy/1": "solvers.markov.policy:load_policy",
    "arena/tabular-policy/1": "arena.policy:TabularPolicy.load",
}
"""How files of other formats that hold one policy are read."""


@dataclass(frozen=True)
class Gap:
    """One certified quantity, such as NashConv or a CCE gap.

    Attributes:
        value: in payoff units.
        kind: `exact` up to rounding, or an `upper`/`lower` bound.
        interval: a confidence interval where the value is estimated, else None.
    """

    value: float
    kind: Literal["exact", "upper", "lower"] = "exact"
    interval: tuple[float, float] | None = None


Certificate = Mapping[str, Gap]
"""Gap name to gap, computed by code that the solver does not share."""


@dataclass(frozen=True)
class TracePoint:
    """Where a solver stood after some iterations: seconds of work and the gap then."""

    iteration: int
    seconds: float
    gap: float


Progress = Callable[[TracePoint], None]
"""Called by a solver now and then; may raise KeyboardInterrupt to stop it early.

Optional member, looked for with `getattr`:
    checkpoint(snapshot): called between pieces of work with a function that returns the
        `Solution` so far, its `state` included, for whoever wants to keep it (`Checkpoints`).
"""


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """What a solver found.

    Attributes:
        game: the game that was solved.
        solver: the solver's registry name.
        settings: all its settings, defaults included.
        policy: playable; its type depends on the form that was solved.
        certificate: named gaps.
        trace: the way there.
        status: `converged`, `iteration limit`, `time limit`, `interrupted`, `stalled above the
            wanted gap` or (in a checkpoint) `unfinished`, and why, for humans.
        state: what the solver needs to go on from here (`resume=`), as plain arrays.
    """

    game: Game
    solver: str
    settings: Params
    policy: Any
    certificate: Certificate = field(default_factory=dict)
    trace: Sequence[TracePoint] = ()
    status: str = "converged"
    state: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        gaps = ", ".join(f"{name} {gap.value:.3g}" for name, gap in self.certificate.items())
        return f"<Solution of {self.game.key} by {self.solver}: {self.status}; {gaps}>"

    def agent(self) -> Agent:
        """Return an agent that plays the policy."""
        made: Agent = load_target("agents.load:as_agent")(self)
        return made

    def save(self, path: str | Path) -> None:
        """Write an `.npz` file: a JSON header, the policy, the trace and the solver's state.

        Raises:
            ArenaError: the policy is neither a table nor of a kind that is known here, or the
                file cannot be written.
        """
        policy = self.policy
        kind = getattr(policy, "kind", None)
        network = hasattr(policy, "header")
        if not isinstance(policy, TabularPolicy) and kind not in _POLICIES and not network:
            raise ArenaError(
                f"a solution whose policy is a {type(policy).__name__} cannot be saved;"
                f" a TabularPolicy can, and the kinds {', '.join(_POLICIES)}"
            )
        header = {
            "format": _FORMAT,
            "game": {"id": self.game.id, "params": self.game.params, "version": self.game.version},
            "solver": self.solver,
            "settings": dict(self.settings),
            "certificate": {name: asdict(gap) for name, gap in self.certificate.items()},
            "status": self.status,
        }
        arrays: dict[str, Any] = {f"state.{name}": array for name, array in self.state.items()}
        if isinstance(policy, TabularPolicy):
            arrays |= {"keys": np.array(list(policy.keys)), "seats": policy.seats}
            arrays["table"] = policy.table
        else:
            described = {"network": policy.header()} if network else {}
            header["policy"] = {"kind": kind, "game": policy.game, **described}
            arrays |= {f"policy.{name}": array for name, array in policy.arrays().items()}
        text = np.array(json.dumps(header, default=_plain))
        trace = np.array([(p.iteration, p.seconds, p.gap) for p in self.trace])
        try:
            with write_atomic(path) as file:
                np.savez_compressed(file, header=text, trace=trace, **arrays)
        except OSError as error:
            raise ArenaError(f"{path} cannot be written: {error.strerror or error}") from error

    @staticmethod
    def load(path: str | Path, *, game: Game | None = None) -> Solution:
        """Read what `save` wrote.

        Args:
            path: the file.
            game: the game it is for; by default it is made again from its id and parameters.

        Raises:
            ParameterError: the file is something else, or for another game.
        """
        with open_npz(path, "solution file", f"a file of format {_FORMAT}") as data:
            header = header_of(data, _FORMAT)
            arrays = {name: data[name] for name in data.files}
        saved = header["game"]
        if game is None:
            game = GAMES.factory(saved["id"])(**saved["params"])
        if (game.id, dict(game.params)) != (saved["id"], saved["params"]):
            raise ParameterError("game", game.key, f"{saved['id']} with {saved['params']}")
        return Solution(
            game=game,
            solver=header["solver"],
            settings=header["settings"],
            policy=_policy(game.key, header.get("policy"), arrays),
            certificate={
                name: Gap(gap["value"], gap["kind"], gap["interval"] and tuple(gap["interval"]))
                for name, gap in header["certificate"].items()
            },
            trace=[TracePoint(int(t), float(s), float(g)) for t, s, g in arrays["trace"]],
            status=header["status"],
            state={n.removeprefix("state."): a for n, a in arrays.items() if n[:6] == "state."},
        )


def load_policy(path: str | Path) -> Any:
    """Read the policy in a file that `Solution.save` or a policy's own `save` wrote.

    Checkpoints of training runs (`.safetensors`) hold one too. The game is not made again,
    so that this is quick.

    Raises:
        ParameterError: the file is something else, or not there.
    """
    if Path(path).suffix == ".safetensors":
        return load_target(_CHECKPOINT)(path)
    with open_npz(path, "policy file", _SAVED) as data:
        header = header_of(data, _FORMAT, *_FILES)
        if header["format"] != _FORMAT:
            return load_target(_FILES[header["format"]])(path)
        saved = header["game"]
        if "policy" in header:
            arrays = {name: data[name] for name in data.files}
            return _policy("", header["policy"], arrays)
        key = join_key(saved["id"], saved["params"])
        return TabularPolicy(key, data["keys"].tolist(), data["seats"], data["table"])


def saved_settings(path: str | Path) -> Params:
    """Return the settings of the solver that made a file; none if no solver made it.

    Raises:
        ParameterError: as `load_policy`.
    """
    if Path(path).suffix == ".npz":
        with open_npz(path, "policy file", _SAVED) as data:
            settings: Params = header_of(data, _FORMAT, *_FILES).get("settings", {})
            return settings
    return {}


def _plain(value: Any) -> Any:
    """Return a numpy scalar among the settings as the JSON value that it is."""
    if isinstance(value, np.generic):
        return value.item()
    raise ArenaError(f"a setting of type {type(value).__name__} cannot be saved")


def _policy(game: str, kind: Mapping[str, Any] | None, arrays: Mapping[str, Any]) -> Any:
    if kind is None:
        return TabularPolicy(game, arrays["keys"].tolist(), arrays["seats"], arrays["table"])
    if "network" not in kind and kind["kind"] not in _POLICIES:
        raise ParameterError("kind of policy", kind["kind"], ", ".join(_POLICIES))
    own = {n.removeprefix("policy."): a for n, a in arrays.items() if n.startswith("policy.")}
    if "network" in kind:
        return load_target(_NETWORK)(kind["game"], kind["network"], own)
    return load_target(_POLICIES[kind["kind"]])(kind["kind"], kind["game"], own)


@runtime_checkable
class Solver(Protocol):
    """A registered solver: says what it can solve, and solves it.

    Optional members, looked for with `getattr`:
        gap: the name of the certified gap that `until` and the trace are about.
        misfit(tree) -> str | None: why it cannot handle a compiled tree; it compiles the game.
        looks: False if `misfit` has nothing to say about any tree.
        of(game) -> Solver: what it leaves a game to.
    """

    def obstacle(self, game: Game) -> str | None:
        """Return why this solver cannot handle `game`, in words, or None if it can."""

    def solve(
        self, game: Game, *, seed: int = 0, progress: Progress | None = None, **settings: Any
    ) -> Solution:
        """Solve `game`.

        Raises:
            NotApplicableError: `obstacle` names the reason.
            ParameterError: a setting of the wrong name, type or range.
        """
