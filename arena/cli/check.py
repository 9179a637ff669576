"""`arena check`: the conformance kits from the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.output import examples, parse_params
from arena.registry import load_target

__all__ = ["EXAMPLES", "check"]

EXAMPLES = examples(
    "arena check leduc_poker",
    "arena check my_game.efg --episodes 50",
    "arena check kuhn_poker --agent ./bot.py:make",
)


def check(
    game: Annotated[str, typer.Argument(help="The game to check, or to check the agent on.")],
    agent: Annotated[
        str, typer.Option("--agent", "-a", help="Check this agent on the game instead.")
    ] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A game parameter, key=value.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes to play.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the check.")] = 0,
) -> None:
    """Run the conformance kit on a game, or on an agent that plays it."""
    import arena

    made = arena.make(game, **parse_params(param or []))
    if agent:
        check_agent = load_target("arena.testing:check_agent")
        check_agent(lambda: arena.agent(agent), made, episodes=episodes, seed=seed)
        typer.echo(f"{agent} keeps the agent contract on {made.key} ({episodes} episodes)")
    else:
        load_target("arena.testing:check_game")(made, episodes=episodes, seed=seed)
        typer.echo(f"{made.key} keeps the game contract ({episodes} episodes)")
