"""Tournaments: who meets whom, playing it without losing a result, and what the results say."""
