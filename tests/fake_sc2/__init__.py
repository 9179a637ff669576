"""A stand-in for the StarCraft II binary, for tests."""
