"""A deterministic agent, as a class: the sum of the letters of what it knows picks the move.

Three ways to play it, with the same moves:

    examples/agents/keyed.py:Keyed            in arena's own process
    cmd:python examples/agents/keyed.py       as a program, through arena's Python side
    cmd:node examples/agents/keyed.js         as a program in another language
"""

import arena


class Keyed:
    """Plays legal action number (letters of the infoset key + moves so far) mod the number."""

    version = "1"
    stochastic = False

    def begin(self, game, seat, seed):
        """Start counting."""
        self.moves = 0

    def act(self, observation):
        """Pick by the key."""
        total = sum(map(ord, observation.key)) + self.moves
        self.moves += 1
        return observation.actions[total % len(observation.actions)]

    def close(self):
        """Nothing to release."""


if __name__ == "__main__":
    arena.serve(Keyed)
