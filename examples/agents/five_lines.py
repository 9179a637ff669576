import arena  # noqa: D100  # five lines are the point


def choose(observation):  # noqa: D103
    return observation.actions[-1]


arena.serve(choose)
