"""Where things are in the arrays of a battle.

N episodes of a map with U units (team 0 first) are the arrays of `World`; kernels take them
whole and an episode's number. A single `State` is a world of one episode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

__all__ = ["Ground", "Rules", "World"]

# World.units: float32, shape (N, UNIT_ROWS, U).
(
    X,  # position
    Y,
    HEALTH,  # 0: dead
    COOLDOWN,  # seconds until the weapon is ready
    SHIELD,
    ENERGY,
    QUIET,  # seconds since the last hit
    MOVE_X,  # SMAX: direction of the last move; SMAC: the point it was ordered to
    MOVE_Y,
    LOOK_X,  # direction of the field of view
    LOOK_Y,
    START_X,  # where it was placed
    START_Y,
    BEFORE,  # health (and shield) before this decision
    WORK_1,  # scratch of the kernels
    WORK_2,
    FAR,  # scratch: how far a unit wants to walk
    VEL_X,  # with collision='orca': distance a second of the last world step
    VEL_Y,
) = range(19)
UNIT_ROWS = 19

# World.marks: int32, shape (N, MARK_ROWS, U).
(
    TYPE,  # number of the unit type
    TARGET,  # unit that is attacked or healed, -1: none
    ACTION,  # action last played
    MEMORY,  # what the built-in opponent remembers: unit last attacked, -1: none
    MOVED,  # SMAC: 1 if ordered to move
    SHOT,  # unit that was hit or healed in this decision, -1: none; for drawings
) = range(6)
MARK_ROWS = 6

# World.heads: int32, shape (N, HEAD_SIZE).
(
    STEP,  # decisions made
    OVER,  # 1 when the episode is over
    WINNER,  # 0 or 1: the team that won; -1: none (yet)
    CUT,  # 1 when the time limit ended it
    FIGHTERS_0,  # living units of each team that are not healers
    FIGHTERS_1,
) = range(6)
HEAD_SIZE = 6

# World.pays: float64, shape (N, PAY_SIZE), by team: rewards of the last step, returns so far,
# what shaped rewards are divided by.
REWARD_0, REWARD_1, RETURN_0, RETURN_1, SCALE_0, SCALE_1 = range(6)
PAY_SIZE = 6

# World.stats: float32, shape (N, STAT_ROWS, U), or (1, STAT_ROWS, U) for a fixed army.
(
    SPEED,  # distance in a second
    DAMAGE,  # of one hit
    RANGE,  # of the weapon, from centre to centre (SMAX) or edge to edge (SMAC)
    SIGHT,
    SHOOT,  # farthest distance between centres at which a target may be named
    RADIUS,
    FULL_HEALTH,
    FULL_SHIELD,
    FULL_ENERGY,
    PERIOD,  # seconds between two shots
    HITS,  # of one shot
    ARMOUR,
    BONUS,  # damage added against units with one of BONUS_AGAINST
    BONUS_AGAINST,  # bits of attributes
    ATTRIBUTES,  # bits of attributes
    FLIES,
    CLIMBS,  # walls do not stop it
    REACH,  # bits: 1 hits the ground, 2 hits the air
    HEAL,  # health restored in a second; a unit with HEAL cannot attack
    SPLASH,  # 0 none, 1 a beam across the line of fire, 2 its own death
    REGENERATION,  # health gained in a second
) = range(21)
STAT_ROWS = 21

# Rules.numbers: int64.
(
    R_ALLIES,
    R_ENEMIES,
    R_MODE,  # SMAX or SMAC
    R_LIMIT,  # decisions of an episode
    R_ACTIONS_0,  # actions of a unit of each team
    R_ACTIONS_1,
    R_OBS_0,  # length of an observation of each team
    R_OBS_1,
    R_STATE,  # length of the state vector
    R_OPPONENT,  # who plays team 1, HUMAN: its seats do
    R_BOTH,  # 1 when both teams have seats
    R_SPARSE,  # 1 when only the outcome is paid
    R_TYPES,  # bits of the unit type in observations
    R_SHIELDS_0,  # 1 when the team's units show shields
    R_SHIELDS_1,
    R_START,  # how units are placed
    R_DRAWN,  # 1 when types are drawn
    R_LOOKS,  # look actions, 0: the field of view is a full circle
    R_OWN_POSITION,  # 1 when a unit observes where it is
    R_HEALERS,  # 1 when a team may have healers
    R_CHOICES,  # unit types that are drawn from
    R_ALONE,  # 1 + the type that cannot make up a team alone, 0: none
    R_STEPS,  # world steps of a decision
    R_AVOID,  # 1 when units walk around each other, 0 when they push each other apart
    # The rest is 0 or 1, see `games.skirmish.options`: what a unit observes,
    R_ALL_HEALTH,
    R_OWN_HEALTH,
    R_OBS_ACTIONS,
    R_OBS_PATHING,
    R_OBS_HEIGHT,
    R_OBS_CLOCK,
    # what the state vector has,
    R_OBS_STATE,
    R_STATE_ACTIONS,
    R_STATE_CLOCK,
    R_POSITIVE,  # and whether what happens to the own team costs nothing.
) = range(34)
R_SIZE = 34

SMAX, SMAC = range(2)
FACING, MIRRORED, GROUPS = range(3)
PLAYED, CLOSEST, RANDOM, FOCUS, ATTACK_MOVE, IDLE = range(6)

# Rules.reals: float32.
WIDTH, HEIGHT, REVEAL, VIEW, MOVE = range(5)
REAL_SIZE = 5

# Rules.rewards: float64.
PAY_DEATH, PAY_WIN, PAY_DEFEAT, PAY_NEGATIVE, PAY_RATE = range(5)

SCRATCH = 16

FIELD_SIZE = 32.0
"""Width and height of skirmish's maps."""

DECISION_STEPS = 8
"""World steps of one decision, unless `step_mul` says otherwise."""


class World(NamedTuple):
    """N episodes.

    Attributes:
        units: float32, shape (N, UNIT_ROWS, U).
        marks: int32, shape (N, MARK_ROWS, U).
        heads: int32, shape (N, HEAD_SIZE).
        pays: float64, shape (N, PAY_SIZE).
        streams: uint64, shape (N,): the chance of each episode.
        stats: float32, shape (N or 1, STAT_ROWS, U).
        seen: uint8, shape (N, U, U) or (N, 0, 0): who may see whom, where sight is drawn.
        scratch: float32, shape (N, U, SCRATCH): of the kernels.
    """

    units: NDArray[Any]
    marks: NDArray[Any]
    heads: NDArray[Any]
    pays: NDArray[Any]
    streams: NDArray[Any]
    stats: NDArray[Any]
    seen: NDArray[Any]
    scratch: NDArray[Any]


class Rules(NamedTuple):
    """What kernels need to know of a battle.

    Attributes:
        numbers: int64, shape (R_SIZE,).
        reals: float32, shape (REAL_SIZE,): size of the map, the probability that
            an enemy whom another unit saw first is seen, the cosine of half the field of view,
            how far a move order goes.
        rewards: float64, shape (5,): what a death, a win and a defeat pay, the share of the
            own team's losses that is taken off, and what all adds up to (0: not scaled).
        table: float32, shape (types, STAT_ROWS): statistics of the unit types.
        types: int32, shape (U,): types of a fixed army.
        starts: float32, shape (3, U): where a unit of a `FACING` start is placed, x, y ± spread.
        choices: float32, shape (types, 2): a drawn type and its cumulative probability.
    """

    numbers: NDArray[Any]
    reals: NDArray[Any]
    rewards: NDArray[Any]
    table: NDArray[Any]
    types: NDArray[Any]
    starts: NDArray[Any]
    choices: NDArray[Any]


class Ground(NamedTuple):
    """The ground of mode SMAC. Mode SMAX has none: kernels are compiled apart for `None`.

    Attributes:
        walls: uint8, shape (rows, columns) or (0, 0): squares that ground units cannot enter.
        routes: uint8, shape (squares, squares) or (0, 0): the direction (0-7) of the next
            square on a shortest way, 8 where there is none.
        heights: float32, shape (rows, columns) or (0, 0): of the ground, 0 to 1; flat if
            there are none.
    """

    walls: NDArray[Any]
    routes: NDArray[Any]
    heights: NDArray[Any]
