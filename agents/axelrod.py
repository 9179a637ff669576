"""Every strategy of the Axelrod library as an agent: `axelrod/<ClassName>`.

The library keeps each player's history itself; this agent feeds it what was executed in
the match, so that its strategies play any repeated 2×2 game here, noise included. Those
that read or change their opponent's code find only a mirror of its moves and are refused.

Source: Knight et al., "An open framework for the reproducible study of the iterated
prisoner's dilemma", J. Open Research Software 4 (2016).
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from functools import lru_cache
from pathlib import Path
from typing import Any

from agents.scripted.match import Match, form_of
from arena.errors import AgentError, MissingDependencyError, ParameterError, UnknownNameError
from arena.game import Game, Observation
from arena.registry import Info
from arena.types import Action
from games.repeated.form import last_joint

__all__ = ["FAMILY", "AxelrodFamily", "AxelrodPlayer"]

_HOW = "pip install 'arena-gametheory[axelrod]'"
_SEEDS = 2**32 - 1  # numpy's RandomState takes no more


def _library() -> Any:
    try:
        import axelrod
    except ImportError as error:
        raise MissingDependencyError("axelrod", _HOW, purpose="axelrod/ strategies") from error
    return axelrod


class AxelrodPlayer:
    """Plays a strategy class of the Axelrod library.

    Args:
        name: the class, such as `TitForTat`.
        params: arguments of its constructor.

    Raises:
        MissingDependencyError: the library is not installed.
        UnknownNameError: there is no such class or argument.
    """

    def __init__(self, name: str, **params: Any) -> None:
        library = _library()
        found = {cls.__name__: cls for cls in library.all_strategies}.get(name)
        if found is None:
            raise UnknownNameError("Axelrod strategy", name, FAMILY.names())
        known = [p for p in inspect.signature(found.__init__).parameters if p != "self"]
        for key in params:
            if key not in known:
                hint = f"there are: {', '.join(known) or 'none'}"
                raise UnknownNameError(f"parameter of axelrod/{name}", key, known, hint=hint)
        self.name, self.params, self._library = name, dict(params), library
        try:
            self._player = found(**params)
        except (ValueError, TypeError, AssertionError) as error:
            raise ParameterError(
                "parameters", params, f"what the library accepts: {error}", where=f"axelrod/{name}"
            ) from error
        self.version = f"axelrod {library.__version__}"
        self.stochastic = bool(library.Classifiers["stochastic"](self._player))

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Reset the strategy and tell it the game.

        Raises:
            AgentError: not a repeated 2×2 game, or a strategy that inspects its opponent.
        """
        axl, where = self._library, f"axelrod/{self.name}"
        match = Match(where, game, seat, seed)
        form = form_of(where, game)
        traits = axl.Classifiers
        if any(traits[t](self._player) for t in ("inspects_source", "manipulates_source")):
            raise AgentError(f"{where} reads or changes its opponent's code, which it has not got")
        (r, s), (t, p) = match.own
        player = self._player
        player.reset()
        player.set_match_attributes(
            length=float("inf") if form.horizon is None else form.horizon,
            game=axl.Game(r=r, s=s, t=t, p=p),
            noise=form.noise,
        )
        player.set_seed(seed % _SEEDS)
        self._mirror = axl.MockPlayer([axl.Action.C])
        self._mirror.set_seed(seed % _SEEDS)

    def act(self, observation: Observation) -> Action:
        """Show the strategy the last round and return its answer."""
        actions = self._library.Action
        moves = (actions.C, actions.D)
        joint = last_joint(observation)
        if joint is not None:
            mine, theirs = moves[joint[0]], moves[joint[1]]
            self._player.update_history(mine, theirs)
            self._mirror.update_history(theirs, mine)
        return 0 if self._player.strategy(self._mirror) == actions.C else 1

    def close(self) -> None:
        """Nothing to release."""


class AxelrodFamily:
    """The strategies of the installed library."""

    def names(self) -> list[str]:
        """Return their class names, none if the library is not installed.

        They are read from its source: importing it takes ten seconds and more.
        """
        return list(_class_names())

    def info(self, name: str) -> Info:
        """Describe one of them."""
        missing = "" if _class_names() else f"axelrod: {_HOW}"
        if not missing and name not in _class_names():
            raise UnknownNameError("Axelrod strategy", name, self.names())
        tags = {"plays": "2×2 games"}
        return Info(f"axelrod/{name}", "strategy of the Axelrod library", tags, "axelrod", missing)

    def make(self, name: str, **params: Any) -> AxelrodPlayer:
        """Make one of them.

        Raises:
            MissingDependencyError: the library is not installed.
            UnknownNameError: there is no such class or argument.
        """
        if _class_names() and name not in _class_names():
            raise UnknownNameError("Axelrod strategy", name, self.names())
        return AxelrodPlayer(name, **params)


@lru_cache(maxsize=1)
def _class_names() -> tuple[str, ...]:
    """Read the list `all_strategies` from the library's source, without importing it."""
    spec = importlib.util.find_spec("axelrod")
    if spec is None or spec.origin is None:
        return ()
    folder = Path(spec.origin).parent / "strategies"
    names: set[str] = set()
    for file in ("_strategies.py", "__init__.py"):
        tree = ast.parse((folder / file).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else ()
            target = node.target if isinstance(node, ast.AugAssign) else (*targets, None)[0]
            if (
                isinstance(node, ast.Assign | ast.AugAssign)
                and isinstance(target, ast.Name)
                and target.id == "all_strategies"
                and isinstance(node.value, ast.List)
            ):
                names.update(item.id for item in node.value.elts if isinstance(item, ast.Name))
    return tuple(sorted(names))


FAMILY = AxelrodFamily()
