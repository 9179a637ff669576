"""Leagues: populations that grow, in which newcomers are placed by matches that tell most.

cup = league("runs/cup", games=["kuhn_poker"], agents={"random": "uniform"})
cup.join("mine", "bot.py:make")
cup.run()
cup.leaderboard()
"""

from tournaments.league.league import League
from tournaments.league.opening import league
from tournaments.league.opponents import Opponent, Opponents
from tournaments.league.playing import Played
from tournaments.league.settings import Member, Placement
from tournaments.league.status import LeagueStatus
from tournaments.league.table import LeagueTable, Row

__all__ = [
    "League",
    "LeagueStatus",
    "LeagueTable",
    "Member",
    "Opponent",
    "Opponents",
    "Placement",
    "Played",
    "Row",
    "league",
]
