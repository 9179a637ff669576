"""Planners for restless bandits, with bounds on what any policy can earn."""
