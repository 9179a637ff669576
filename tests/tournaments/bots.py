"""Agents that behave and misbehave, for the tests of the runner."""

from __future__ import annotations

import os
import sys
import time

from arena.rng import Stream


class Plain:
    """Uniform, but not optimised in any way; the base of all below."""

    version = "1"

    def begin(self, game, seat, seed):
        self.game, self.seat, self.stream, self.moves = game, seat, Stream(seed), 0

    def act(self, observation):
        self.moves += 1
        if self.wants_trouble():
            return self.trouble(observation)
        return self.stream.choice(observation.actions)

    def wants_trouble(self):
        return self.moves == 2

    def trouble(self, observation):
        return self.stream.choice(observation.actions)

    def close(self):
        pass


class Raising(Plain):
    def trouble(self, observation):
        raise ValueError("I do not like this position")


class Illegal(Plain):
    def trouble(self, observation):
        return 10_000


class NotANumber(Plain):
    def trouble(self, observation):
        return "centre"


class Quitting(Plain):
    def trouble(self, observation):
        sys.exit(3)


class Ending(Plain):
    """Ends its whole process."""

    def trouble(self, observation):
        os._exit(7)


class Hanging(Plain):
    def trouble(self, observation):
        while True:
            time.sleep(1.0)


class Spinning(Plain):
    def trouble(self, observation):
        while True:
            pass


class Slow(Plain):
    """Takes a twentieth of a second, then answers."""

    def trouble(self, observation):
        time.sleep(0.05)
        return self.stream.choice(observation.actions)


class FailsToBegin(Plain):
    def begin(self, game, seat, seed):
        if getattr(self, "begun", 0) > 5:
            raise RuntimeError("not today")
        self.begun = getattr(self, "begun", 0) + 1
        super().begin(game, seat, seed)


class Talkative(Plain):
    """Says something before it fails."""

    def trouble(self, observation):
        print("thinking hard", file=sys.stderr)
        raise KeyError("lost")


class FailsAtEnd(Plain):
    def end(self, returns):
        raise RuntimeError("sore loser")


def chooser(observation):
    return observation.actions[-1]
