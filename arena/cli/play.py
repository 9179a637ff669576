"""`arena play`: one match, shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.output import examples, parse_params, print_json
from arena.registry import load_target

__all__ = ["EXAMPLES", "play"]

EXAMPLES = examples(
    "arena play connect_four uniform openspiel/mcts --seed 7 --show",
    "arena play kuhn_poker human first_legal",
    "arena play repeated/prisoners_dilemma tit_for_tat grim_trigger -p rounds=20 --json",
    "arena play skirmish/2s3z skirmish/closest skirmish/closest skirmish/focus_fire"
    " skirmish/focus_fire skirmish/focus_fire --replay fight.html",
    "arena play leduc_poker ./bot.py:make 'cmd:node bot.js' --move-time 1",
)


def play(
    game: Annotated[str, typer.Argument(help="A name from `arena list games`, or a file.")],
    agents: Annotated[
        list[str], typer.Argument(help="One agent a seat: a name, file.py:factory or cmd:….")
    ],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A game parameter, key=value.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of chance and agents; a fresh one by default.", min=0)
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", "-s", help="Draw the state after every step.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(help="Write a page with every state, to be opened in a browser."),
    ] = None,
    move_time: Annotated[
        float | None, typer.Option(help="Seconds for one move; beyond it the seat forfeits.", min=0)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Play one match and show how it went."""
    from arena.agent import Limits

    def draw(state: Any, joint: Mapping[int, Any]) -> None:
        typer.echo(f"{state.render()}\n")

    match = load_target("tournaments.api:play")(
        game,
        agents,
        params=parse_params(param or []),
        seed=seed,
        limits=None if move_time is None else Limits(move=move_time),
        on_step=draw if show and not json else None,
    )
    if replay is not None:
        match.write_replay(replay)
    if not json:
        typer.echo(match.transcript())
        if replay is not None:
            typer.echo(f"replay in {replay}")
        return
    print_json(
        {
            "game": match.game.key,
            "agents": list(match.agents),
            "seed": match.seed,
            "steps": [dict(step) for step in match.steps],
            "payoffs": list(match.payoffs),
            "truncated": match.truncated,
            "fault": None
            if match.fault is None
            else {
                "seat": match.fault.seat,
                "kind": match.fault.kind,
                "detail": match.fault.detail,
                "log": match.fault.log,
            },
        }
    )
