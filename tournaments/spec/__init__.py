"""The description of a tournament: frozen dataclasses, and the TOML file they come from.

    [tournament]   name, seed, schedule, repetitions, rounds, challengers, max_seatings,
                   max_steps, record
    [[games]]      id, params, label, seats
    [[agents]]     name, ref, params, isolation, limits
    [clock]        move, game, cpu, begin                     (seconds)
    [limits]       memory, output (bytes, or "512 MB"), processes
    [forfeit]      offender, others                           (payoffs)
    [executor]     kind, workers

Reading a file finds everything that is wrong with its text; `tournaments.plan` then makes
the games and agents and finds what is wrong with those, before anything is played.
"""

from tournaments.spec.model import (
    AgentSpec,
    ExecutorKind,
    ExecutorSpec,
    ForfeitSpec,
    GameSpec,
    Isolation,
    Record,
    ScheduleKind,
    ScheduleSpec,
    Spec,
    check_names,
)
from tournaments.spec.reading import parse_spec, read_spec
from tournaments.spec.writing import spec_data

__all__ = [
    "AgentSpec",
    "ExecutorKind",
    "ExecutorSpec",
    "ForfeitSpec",
    "GameSpec",
    "Isolation",
    "Record",
    "ScheduleKind",
    "ScheduleSpec",
    "Spec",
    "check_names",
    "parse_spec",
    "read_spec",
    "spec_data",
]
