"""`arena evaluate`: how far a policy, an agent or a bot is from equilibrium."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from arena.cli.output import examples, parse_params, print_json
from arena.cli.solving import busy, certificate_json, show_certificate
from arena.errors import NotApplicableError

__all__ = ["EXAMPLES", "evaluate"]

EXAMPLES = examples(
    "arena evaluate kuhn_poker uniform",
    "arena evaluate leduc_poker nash.npz --json",
    "arena evaluate kuhn_poker nash.npz first_legal",
    "arena evaluate markov_soccer cce.npz --deviations history --horizon 20",
    "arena evaluate kuhn_poker bot.py:make --samples 200",
    "arena evaluate connect_four uniform --approximate --episodes 2000",
)


def evaluate(
    game: Annotated[str, typer.Argument(help="A name from `arena list games`, or a file.")],
    policy: Annotated[
        list[str],
        typer.Argument(help="A policy file or an agent: one for all seats, or one a seat."),
    ],
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="A game parameter.", metavar="KEY=VALUE"),
    ] = None,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate", help="Lower bounds by learned best responses, for large games."
        ),
    ] = False,
    episodes: Annotated[
        int | None,
        typer.Option(help="With --approximate: episodes each learner gets.", min=1, metavar="N"),
    ] = None,
    test_episodes: Annotated[
        int | None,
        typer.Option(help="With --approximate: episodes of the final test.", min=2, metavar="N"),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="How often to ask an agent that does not tell probabilities.", min=1, metavar="N"
        ),
    ] = None,
    deviations: Annotated[
        str | None, typer.Option(help="Of Markov policies: markov or history.", metavar="KIND")
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            help="Of policies of Markov games: steps. Default: what the file was solved for.",
            min=1,
            metavar="N",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of agents and sampling.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Certify how far a policy is from equilibrium.

    Exact where the game's tree can be compiled; elsewhere --approximate bounds it from below.
    """
    import arena

    made = arena.make(game, **parse_params(param or []))
    options: dict[str, Any] = {"seed": seed}
    given: dict[str, Any] = {"episodes": episodes, "test_episodes": test_episodes}
    if approximate:
        options["approximate"] = True
    else:
        given |= {"samples": samples, "deviations": deviations, "horizon": horizon}
    options.update({name: value for name, value in given.items() if value is not None})
    judged: Any = policy[0] if len(policy) == 1 else policy
    try:
        with busy(f"evaluating on {made.key}", quiet=json) as say:
            if approximate:
                options["progress"] = say
            certificate = arena.evaluate(made, judged, **options)
    except NotApplicableError as error:
        if approximate or "large" not in str(error):
            raise
        raise NotApplicableError(f"{error}; --approximate gives lower bounds") from error
    if json:
        print_json(
            {"game": made.key, "policy": judged, "certificate": certificate_json(certificate)}
        )
    else:
        show_certificate(certificate, title=f"{', '.join(policy)} on {made.key}")
