"""`arena list` and `arena make`: what there is, and what one game is like."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import typer

from arena.cli.output import examples, parse_params, print_json, print_table
from arena.errors import ParameterError
from arena.registry import AGENTS, GAMES, SOLVERS, Info, Registry, load_target

__all__ = ["LIST_EXAMPLES", "MAKE_EXAMPLES", "list_names", "make"]

LIST_EXAMPLES = examples(
    "arena list games --seats 3 --payoff general_sum",
    "arena list games --grep poker",
    "arena list agents --json",
    "arena list solvers --for leduc_poker",
    "arena list solvers --for kuhn_poker -p players=3",
)
MAKE_EXAMPLES = examples(
    "arena make leduc_poker",
    "arena make openspiel/goofspiel -p num_cards=4 -p imp_info=true",
    "arena make my_game.efg --json",
)


class Kind(str, Enum):
    """What can be listed."""

    games = "games"
    agents = "agents"
    solvers = "solvers"


_REGISTRIES: dict[Kind, Registry[Any]] = {
    Kind.games: GAMES,
    Kind.agents: AGENTS,
    Kind.solvers: SOLVERS,
}


def list_names(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    grep: Annotated[
        str, typer.Option("--grep", "-g", help="Keep names or summaries that contain this text.")
    ] = "",
    seats: Annotated[
        int | None, typer.Option("--seats", help="Keep games that this many seats can play.", min=1)
    ] = None,
    payoff: Annotated[
        str,
        typer.Option(help="Keep games of this kind: zero_sum, constant_sum, cooperative, …"),
    ] = "",
    turns: Annotated[
        str, typer.Option(help="Keep games of these turns: sequential, simultaneous.")
    ] = "",
    source: Annotated[
        str, typer.Option(help="Keep what this distribution brings: arena, open_spiel, …")
    ] = "",
    available: Annotated[
        bool, typer.Option("--available", help="Keep only what needs nothing more installed.")
    ] = False,
    for_: Annotated[
        str,
        typer.Option("--for", help="Of solvers: which can handle this game, and why not others."),
    ] = "",
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="With --for: a game parameter, key=value."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the games, agents or solvers that arena knows."""
    if for_:
        if kind is not Kind.solvers:
            raise ParameterError("--for", for_, f"nothing: it is for solvers, not {kind.value}")
        _solvers_for(for_, parse_params(param or []), grep=grep, json=json)
        return
    registry = _REGISTRIES[kind]
    infos = [registry.info(name) for name in registry.names()]
    if payoff:
        _check("--payoff", payoff, ("zero_sum", "constant_sum", "cooperative", "general_sum"))
    if turns:
        _check("--turns", turns, ("sequential", "simultaneous", "mean_field"))
    short = {full: alias for alias, full in registry.aliases().items()}
    kept = [
        info
        for info in infos
        if grep.lower() in f"{info.id} {short.get(info.id, '')} {info.summary}".lower()
        and (seats is None or _fits(seats, _tag(info, "seats")))
        and payoff in ("", _tag(info, "payoff"))
        and turns in ("", _tag(info, "turns"))
        and source in ("", info.source)
        and not (available and info.missing)
    ]
    if json:
        print_json(
            [
                {
                    "id": info.id,
                    "alias": short.get(info.id),
                    "summary": info.summary,
                    "tags": dict(info.tags or {}),
                    "source": info.source,
                    "missing": info.missing or None,
                }
                for info in kept
            ]
        )
        return
    columns = {Kind.games: ["seats", "payoff", "turns"]}.get(kind, [])
    print_table(
        [kind.value[:-1], *columns, "what it is", "from"],
        [
            [
                short.get(info.id, info.id),
                *(_tag(info, column) for column in columns),
                f"{info.summary} (needs {info.missing})" if info.missing else info.summary,
                info.source,
            ]
            for info in kept
        ],
    )
    typer.echo(f"{len(kept)} of {len(infos)} {kind.value}")


def _solvers_for(name: str, params: dict[str, Any], *, grep: str, json: bool) -> None:
    """Say for each solver whether it can handle the game, and why if it cannot."""
    import arena

    game = arena.make(name, **params)
    found = {
        solver: verdict
        for solver, verdict in load_target("solvers.dispatch:verdicts")(game).items()
        if grep.lower() in f"{solver} {SOLVERS.info(solver).summary}".lower()
    }
    if json:
        print_json(
            {
                "game": game.key,
                "solvers": [
                    {"id": solver, "applies": verdict.applies, "reason": verdict.reason or None}
                    for solver, verdict in found.items()
                ],
            }
        )
        return
    words = {True: "yes", None: "?", False: "no"}
    order = [s for applies in words for s in found if found[s].applies is applies]
    print_table(
        ["solver", "applies", "what it is, or why not"],
        [[s, words[found[s].applies], found[s].reason or SOLVERS.info(s).summary] for s in order],
        title=game.key,
    )
    able = sum(verdict.applies is True for verdict in found.values())
    perhaps = sum(verdict.applies is None for verdict in found.values())
    more = f", {perhaps} may" if perhaps else ""
    typer.echo(f"{able} of {len(found)} solvers apply{more}")


def _tag(info: Info, name: str) -> str:
    return (info.tags or {}).get(name, "")


def _fits(seats: int, text: str) -> bool:
    low, _, high = text.partition("-")
    return low.isdigit() and int(low) <= seats <= int(high or low)


def _check(option: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ParameterError(option, value, f"one of {', '.join(allowed)}")


def make(
    game: Annotated[str, typer.Argument(help="A name from `arena list games`, or a file.")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A parameter, key=value.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Make a game and describe it: seats, actions, payoffs, the forms it offers."""
    import arena

    made = arena.make(game, **parse_params(param or []))
    low, high = made.payoff_bounds
    facts: dict[str, Any] = {
        "id": made.id,
        "params": made.params,
        "summary": made.summary,
        "seats": made.seats,
        "actions": [str(space) for space in made.actions],
        "payoff": made.payoff,
        "payoff_bounds": [low, high],
        "turns": made.turns,
        "perfect_information": made.perfect_information,
        "chance": made.chance,
        "max_length": made.max_length,
        "teams": list(made.teams),
        "forms": sorted(made.forms),
        "version": made.version,
        "citation": made.citation,
    }
    if json:
        print_json(facts)
        return
    if len(set(facts["actions"])) == 1:
        facts["actions"] = f"{facts['actions'][0]} for each seat"
    print_table(["game", made.key], [[k, v] for k, v in facts.items() if v not in ("", {}, None)])
