"""Playing matches: one `Player` in each worker turns segments into blocks of results.

Most matches run through a loop with nothing in it but the agents and the game: seeds are
derived for a whole run at once, payoffs become small codes, and no clock is read. A match
goes the careful way instead (every decision passes through a `Chooser`) when clocks are
set or agents sit in processes of their own, when its moves are kept, when the length is
capped, when several seats move at once (so that a fault finds its seat), or when an earlier
try ended the worker.
"""

from tournaments.match.blocks import Block, Episode, Fault, Outcome, forfeit_block
from tournaments.match.faults import LOG_TAIL
from tournaments.match.player import Player
from tournaments.match.slot import Slot

__all__ = ["LOG_TAIL", "Block", "Episode", "Fault", "Outcome", "Player", "Slot", "forfeit_block"]
