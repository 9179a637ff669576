"""The form `markov`: tabular Markov (stochastic) games, and games made from it."""

from __future__ import annotations

from games.markov.explore import markov_of
from games.markov.form import MarkovGame
from games.markov.game import as_game
from games.markov.observation import MarkovObservation
from games.markov.state import MarkovState

__all__ = ["MarkovGame", "MarkovObservation", "MarkovState", "as_game", "markov_of"]
