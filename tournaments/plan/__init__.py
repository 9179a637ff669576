"""What is played, checked and resolved: the plain data that workers receive.

`make_plan` makes every game and every agent of a spec once, so that whatever is wrong with
them is said before anything is played.
"""

from tournaments.plan.forfeits import forfeit_payoffs
from tournaments.plan.making import check_copies, make_agent, make_game
from tournaments.plan.model import Board, Entry, Line, Plan, Segment, line_key, pairing_seed
from tournaments.plan.planning import make_plan

__all__ = [
    "Board",
    "Entry",
    "Line",
    "Plan",
    "Segment",
    "check_copies",
    "forfeit_payoffs",
    "line_key",
    "make_agent",
    "make_game",
    "make_plan",
    "pairing_seed",
]
