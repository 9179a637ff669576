"""League play: an agent of your own learns against a population that grows with it.

Each generation the learner trains against members drawn by how hard they are for it, then a
frozen copy joins as the next version, is placed, and becomes an opponent itself:

    python examples/league_loop.py runs/dice --generations 8

The learner is a table with regret matching by outcome sampling (Lanctot et al. 2009, "Monte
Carlo sampling for regret minimization in extensive games"). Nothing here knows that: a
network or a planner takes its place by having `begin`, `act` and `close`.
"""

from __future__ import annotations

import argparse
import copy
import math

import numpy as np

import arena

GAME = "liars_dice(dice_sides=3)"


class Table:
    """Plays by a table of regrets, and learns from what an episode paid."""

    explore = 0.2  # share of random moves while learning

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.regret: dict[tuple[int, str], np.ndarray] = {}
        self.average: dict[tuple[int, str], np.ndarray] = {}
        self.learning = True

    # What the league needs ---------------------------------------------------------

    def begin(self, game: arena.Game, seat: int, seed: int) -> None:
        self.path: list[tuple] = []
        if not self.learning:
            self.rng = np.random.default_rng(seed)  # the same match, the same moves

    def act(self, observation: arena.Observation) -> int:
        actions = observation.actions
        spot = observation.seat, observation.key
        if not self.learning:
            return actions[self.draw(shares(self.average.get(spot, np.zeros(len(actions)))))]
        regret = self.regret.setdefault(spot, np.zeros(len(actions)))
        policy = shares(np.maximum(regret, 0.0))
        sampling = (1 - self.explore) * policy + self.explore / len(actions)
        choice = self.draw(sampling)
        self.path.append((spot, policy, sampling[choice], choice))
        return actions[choice]

    def close(self) -> None:
        pass

    def draw(self, policy: np.ndarray) -> int:
        return min(int(policy.cumsum().searchsorted(self.rng.random())), len(policy) - 1)

    # What learning needs -----------------------------------------------------------

    def learn(self, payoff: float) -> None:
        """Update the table by the episode that was just played."""
        sampled = math.prod(chance for _, _, chance, _ in self.path)
        tail = 1.0
        for spot, policy, _, choice in reversed(self.path):
            value = payoff * tail / sampled
            self.regret[spot] -= value * policy[choice]
            self.regret[spot][choice] += value
            tail *= policy[choice]
        reach = 1.0  # of the table's own policy, over that of sampling
        for spot, policy, chance, choice in self.path:
            total = self.average.setdefault(spot, np.zeros(len(policy)))
            total += reach * policy
            reach *= policy[choice] / chance

    def frozen(self) -> Table:
        """Return a copy that plays the average policy and learns no more."""
        twin = copy.deepcopy(self)
        twin.learning, twin.regret, twin.path = False, {}, []
        twin.rng = np.random.default_rng(0)
        return twin


def shares(weights: np.ndarray) -> np.ndarray:
    """Return weights as probabilities, equal ones if there are none."""
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), 1 / len(weights))


def doubter(observation: arena.Observation) -> int:
    """Call every bid a lie: a plain function is an agent, too."""
    return observation.actions[-1]


def train(learner: Table, game: arena.Game, opponents, episodes: int, seed: int) -> None:
    """Play the learner, in both seats in turn, against members drawn by their weights."""
    rng = np.random.default_rng(seed)
    agents = {opponent.label: opponent.agent() for opponent in opponents}
    for episode in range(episodes):
        rival = agents[opponents.sample(rng).label]
        seat = episode % 2
        players = [learner, rival] if seat == 0 else [rival, learner]
        key = int(rng.integers(2**62))
        state = game.state(key)
        for place, player in enumerate(players):
            player.begin(game, place, key + place)
        while actors := state.actors():
            state.step({s: players[s].act(state.observe(s)) for s in actors})
        learner.learn(float(state.returns()[seat]))
    for agent in agents.values():
        agent.close()


def main(folder: str, *, generations: int = 6, episodes: int = 4000, seed: int = 1):
    """Run the loop and return the league and the learner."""
    league = arena.league(
        folder,
        games=[GAME],
        agents={"random": "uniform", "cautious": "first_legal", "doubter": doubter},
        seed=seed,
    )
    game = arena.make(GAME)
    learner = Table(seed)
    league.run()
    latest = ""  # has not joined yet
    for generation in range(generations):
        opponents = league.opponents(latest, weights="prioritised")
        train(learner, game, opponents, episodes, seed=seed + generation)
        latest = league.join("learner", learner.frozen()).label
        played = league.run()
        row = league.leaderboard()[latest]
        hardest = max(opponents, key=lambda opponent: opponent.weight)
        print(
            f"{latest}: rating {row.standing.rating:+.0f} ± {row.margin:.0f} after "
            f"{played.matches} matches; trained most against {hardest.label}"
        )
    league.run(until_interval=40)
    print()
    for row in league.leaderboard().rows:
        print(f"{row.standing.rank:3} {row.member.label:12} {row.standing.rating:+5.0f}")
    return league, learner


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where the league lives; a new folder")
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--episodes", type=int, default=4000, help="of training a generation")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    main(
        chosen.folder,
        generations=chosen.generations,
        episodes=chosen.episodes,
        seed=chosen.seed,
    )
