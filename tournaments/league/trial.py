"""The first match of a newcomer, which it must not forfeit."""

from __future__ import annotations

from dataclasses import replace

from arena.errors import AgentError
from tournaments.league.settings import HERE, Settings
from tournaments.plan import make_game
from tournaments.single import play
from tournaments.spec import AgentSpec

__all__ = ["try_out"]


def try_out(settings: Settings, spec: AgentSpec, *, source: str) -> None:
    """Play one match of every game with `spec` in the first seat.

    Raises:
        AgentError: it forfeits one.
    """
    limits = settings.spec([spec], source=source, executor=HERE).limits_of(spec)
    rival = AgentSpec("the rest", "uniform")
    tried = replace(spec, limits=limits, name=spec.name)
    if spec.name == rival.name:
        rival = replace(rival, name="the others")
    for game in settings.games:
        made = game.spec
        seats = make_game(made).seats
        match = play(
            made.id,
            [tried, *[rival] * (seats - 1)],
            params=made.params,
            seed=settings.seed,
            forfeit=settings.forfeit,
            max_steps=settings.max_steps or 10_000,
        )
        if match.fault is not None and match.fault.seat == 0:
            fault = match.fault
            raise AgentError(
                f"{spec.name} cannot join: it forfeits its first match of {made.label} "
                f"({fault.kind}: {fault.detail})"
            )
