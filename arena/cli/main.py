"""The application object and the one place where errors become messages."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated, Any, NoReturn

import typer

from arena.cli import (
    bench,
    check,
    compare,
    doctor,
    evaluate,
    league,
    listing,
    play,
    populations,
    reproduce,
    robustness,
    solve,
    tournament,
    train,
)
from arena.cli.output import error_line, examples
from arena.errors import ArenaError

__all__ = ["app", "main"]

# Typer's errors derive from click's, which some versions of typer bring along privately:
# bad parameter → usage error → command error.
_CommandError: type[Any] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="arena",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "arena list games --seats 2 --payoff zero_sum",
        "arena play connect_four uniform openspiel/mcts --seed 7",
        "arena tournament run cup.toml",
        "arena solve leduc_poker --solver pcfr+ --until 1e-4 --save nash.npz",
        "arena doctor",
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        import arena

        typer.echo(f"arena {arena.__version__}")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, too.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Games, solvers that certify what they claim, and tournaments that rank agents."""


app.command("list", epilog=listing.LIST_EXAMPLES)(listing.list_names)
app.command("make", epilog=listing.MAKE_EXAMPLES)(listing.make)
app.command("play", epilog=play.EXAMPLES)(play.play)
app.add_typer(tournament.app, name="tournament")
app.add_typer(league.app, name="league")
app.command("populations", epilog=populations.EXAMPLES)(populations.populations)
app.command("solve", epilog=solve.EXAMPLES)(solve.solve)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("bench", epilog=bench.EXAMPLES)(bench.bench)
app.command("reproduce", epilog=reproduce.EXAMPLES)(reproduce.reproduce)
app.command("robustness", epilog=robustness.EXAMPLES)(robustness.robustness)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line; errors of arena become one line and exit code 2."""
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments
    # `--debug` is accepted anywhere, as people add it to the end of a failing command.
    arguments = [*(["--debug"] if debug else []), *(a for a in arguments if a != "--debug")]
    # What a library's own spaces lose in precision is no news to whoever plays.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"gymnasium\.")
    command = typer.main.get_command(app)
    try:
        code = command.main(args=arguments, prog_name="arena", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except ArenaError as error:
        if debug:
            raise
        error_line(str(error))
        sys.exit(2)
    except _CommandError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.format_message())
            sys.exit(2)
        error_line(error.format_message())
        context = getattr(error, "ctx", None)
        if context is not None:
            typer.echo(f"see `{context.command_path} --help`", err=True)
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        error_line("interrupted")
        sys.exit(130)
    except MemoryError:
        if debug:
            raise
        error_line("there is not enough memory for this")
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe (`| head`) went away: that is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
