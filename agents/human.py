"""A human at the terminal: sees the observation, picks a legal action by number or name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

from arena.errors import AgentError, ResignError
from arena.game import Game, Observation
from arena.types import Action, Discrete

__all__ = ["Human"]

_HELP = "Type the number or the name of an action; ? shows this, q resigns."


class Human:
    """Asks for each move at the terminal.

    Args:
        name: how the player is addressed.
        read: reads one line after showing a prompt; by default the terminal, which must be one.
    """

    version = "1"

    def __init__(self, name: str = "you", *, read: Callable[[str], str] | None = None) -> None:
        from rich.console import Console

        self.name = name
        self._read = read
        self._console = Console(highlight=False)
        self._game: Game | None = None
        self._seat = 0

    def begin(self, game: Game, seat: int, seed: int) -> None:
        """Announce the game.

        Raises:
            AgentError: standard input is no terminal, or the actions are not discrete.
        """
        if self._read is None and (sys.stdin is None or not sys.stdin.isatty()):
            raise AgentError("human needs a terminal: standard input is not one")
        if not isinstance(game.actions[seat], Discrete):
            raise AgentError(f"human needs discrete actions, {game.key} has {game.actions[seat]}")
        self._game, self._seat = game, seat
        self._console.rule(f"{game.key}: {self.name} in {game.seat_names[seat]}", style="bold")

    def act(self, observation: Observation) -> Action:
        """Show what the seat knows and ask until the answer is a legal action.

        Raises:
            ResignError: `q`, Ctrl-C or the end of the input.
        """
        game, actions = self._game, observation.actions
        if game is None or actions is None:
            raise AgentError("human was asked to act before a game began")
        # `markup=False`: a board may be full of square brackets.
        self._console.print(observation.view.rstrip() or observation.key or "", markup=False)
        named = getattr(observation, "action_name", partial(game.describe_action, observation.seat))
        names = {action: named(action) for action in actions}
        self._show(names)
        while True:
            said = self._ask()
            if said in ("q", "quit", "resign") and said not in names.values():
                raise ResignError(f"{self.name} resigned")
            if said == "?":
                self._console.print(_HELP)
                self._show(names)
                continue
            found = _match(said, names)
            if len(found) == 1:
                return found[0]
            if found:
                which = ", ".join(f"{names[action]} ({action})" for action in found)
                self._console.print(f"{said!r} could be {which}", markup=False)
            else:
                self._console.print(f"{said!r} is no legal action. {_HELP}", markup=False)

    def _show(self, names: dict[int, str]) -> None:
        from rich.columns import Columns
        from rich.text import Text

        cells = [
            Text.assemble((f"{action:>3}", "bold cyan"), "" if name == str(action) else f" {name}")
            for action, name in names.items()
        ]
        self._console.print(Columns(cells, padding=(0, 2)))

    def _ask(self) -> str:
        prompt = f"{self.name}> "
        try:
            said = input(prompt) if self._read is None else self._read(prompt)
        except (EOFError, KeyboardInterrupt):
            self._console.print()
            raise ResignError(f"{self.name} left the game") from None
        return said.strip()

    def end(self, returns: Sequence[float]) -> None:
        """Show the result."""
        shown = ", ".join(f"{value:g}" for value in returns)
        self._console.print(f"Over: payoffs {shown}; yours {returns[self._seat]:g}")

    def close(self) -> None:
        """Nothing to release."""


def _match(said: str, names: dict[int, str]) -> list[int]:
    """Return the actions that an answer may mean: by number, name, or the start of a name."""
    if not said:
        return []
    exact = [action for action, name in names.items() if name == said]
    if len(exact) == 1:
        return exact
    if said.isdecimal():
        return [int(said)] if int(said) in names else exact
    folded = said.casefold()
    same = [action for action, name in names.items() if name.casefold() == folded]
    return same or [a for a, name in names.items() if name.casefold().startswith(folded)]
