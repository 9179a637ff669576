"""Results on disk: one SQLite file a tournament, written by one runner, read by anyone.

Tables (version 1; `PRAGMA application_id` is 0x4152454E, `user_version` the version):

    meta(key, value)         name, seed, spec (JSON), created (UTC), arena (version)
    game(id, label, …)       games with their parameters, version and digest
    agent(id, label, …)      agents with reference, parameters, limits and digest; `name` is
                             the spec's, `label` tells versions apart
    line(key, …)             one seating of one game: game, agents by seat (JSON), chance
                             seed, stage and position in the schedule
    outcome(id, …)           payoffs by seat (JSON), offender (−1: none), fault, truncated
    block(line, first, …)    results of `count` consecutive repetitions of a line from
                             `first`: outcome ids (JSON), seconds, seconds a match (JSON)
    fault(line, repetition, seat, …)    kind, detail, the end of the agent's log
    episode(line, repetition, steps)    moves that were kept: [{seat: action}, …] (JSON)
    matches                  a view with a row a match, for other tools

A block is written in one statement, so a match is in the file once or not at all; a
trigger ignores a block that overlaps one that is there. Commits are made by the caller:
what is committed survives the death of the process (WAL, synchronous NORMAL), and with
`durable` a power failure too (FULL).
"""

from tournaments.store.reader import StoredEpisode, StoredFault
from tournaments.store.rows import plan_rows
from tournaments.store.schema import APPLICATION_ID, SCHEMA_VERSION
from tournaments.store.store import Store

__all__ = [
    "APPLICATION_ID",
    "SCHEMA_VERSION",
    "Store",
    "StoredEpisode",
    "StoredFault",
    "plan_rows",
]
