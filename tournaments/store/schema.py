"""The tables of a result file."""

__all__ = ["APPLICATION_ID", "SCHEMA", "SCHEMA_VERSION"]

APPLICATION_ID = 0x4152454E
SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE game (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    game_id TEXT NOT NULL, params TEXT NOT NULL, version TEXT NOT NULL,
    seats INTEGER NOT NULL, teams TEXT NOT NULL, payoff TEXT NOT NULL,
    digest TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE agent (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    digest TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE line (
    key INTEGER PRIMARY KEY, game INTEGER NOT NULL REFERENCES game(id),
    seating TEXT NOT NULL, seed INTEGER NOT NULL,
    stage INTEGER NOT NULL, position INTEGER NOT NULL);
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY, payoffs TEXT NOT NULL, offender INTEGER NOT NULL,
    fault TEXT NOT NULL, truncated INTEGER NOT NULL);
CREATE TABLE block (
    line INTEGER NOT NULL REFERENCES line(key), first INTEGER NOT NULL,
    count INTEGER NOT NULL, outcomes TEXT NOT NULL, seconds REAL NOT NULL, clocks TEXT,
    PRIMARY KEY (line, first)) WITHOUT ROWID;
CREATE TABLE fault (
    line INTEGER NOT NULL, repetition INTEGER NOT NULL, seat INTEGER NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL, log TEXT NOT NULL, forfeit INTEGER NOT NULL,
    PRIMARY KEY (line, repetition, seat)) WITHOUT ROWID;
CREATE TABLE episode (
    line INTEGER NOT NULL, repetition INTEGER NOT NULL, steps TEXT NOT NULL,
    PRIMARY KEY (line, repetition)) WITHOUT ROWID;
CREATE TRIGGER block_once BEFORE INSERT ON block WHEN (
    SELECT first + count FROM block
    WHERE line = NEW.line AND first < NEW.first + NEW.count
    ORDER BY first DESC LIMIT 1) > NEW.first
BEGIN SELECT RAISE(IGNORE); END;
CREATE VIEW matches AS
SELECT line.stage, line.position, block.first + entry.key AS repetition, line.key AS line,
       game.label AS game,
       (SELECT json_group_array(agent.label) FROM json_each(line.seating) AS seat
        JOIN agent ON agent.id = seat.value) AS agents,
       outcome.payoffs, outcome.offender, outcome.fault, outcome.truncated
FROM block JOIN line ON line.key = block.line JOIN game ON game.id = line.game,
     json_each(block.outcomes) AS entry JOIN outcome ON outcome.id = entry.value;
"""
