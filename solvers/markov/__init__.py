"""Solvers of the form `markov`: equilibria of Markov games, and exact gaps of policies."""
