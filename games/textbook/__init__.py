"""Builders of the textbook matrix games that `games.catalog` registers."""
