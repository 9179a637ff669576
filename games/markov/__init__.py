"""The form `markov`: tabular Markov (stochastic) games, and games made from it."""

from __future__ import annotations

from games.markov.explore import markov_of
from games.markov.form import MarkovGame
from games.markov.state import MarkovObservation, MarkovState, as_game

__all__ = ["MarkovGame", "MarkovObservation", "MarkovState", "as_game", "markov_of"]
