"""Value learning for teams: IQL, VDN, QMIX and weighted QMIX.

One network plays all agents. Every update

1. plays whole episodes side by side, ε-greedily, into a replay of episodes;
2. some times: draws episodes, packs them in the order of time, and takes a step on the
   squared error against TD(λ) targets of a target network, with double Q-learning
   (van Hasselt et al. 2016): the online network picks, the target network judges.

What differs is the mixer (`solvers.qmix.mixers`). Weighted QMIX (OW-QMIX; Rashid et al. 2020,
eq. 8) learns an unbounded value Q̂* beside the monotone one; targets come from Q̂*, and where
the monotone value is above its target the error counts by `weight` only, so that what a
monotone function cannot represent does not hide the best joint action. Where two joint actions
are best, this leaves agents to choose each its part of either; the central weights (CW-QMIX,
eq. 9) hold on to the one that is greedy now. The settings are those
of Hu et al. 2021 as far as one core wants them: many episodes at once, Adam, TD(λ).

Nothing is carried from update to update but weights, moments, replay and counters: all
randomness follows from the seed and the number of the update.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.rng import derive, derive_many, generator
from solvers.loop import choice, flag, non_negative, positive, whole
from solvers.qmix.field import make_field, team_count
from solvers.qmix.policy import ValuePolicy
from solvers.training import Evaluation, LearnerState
from solvers.training.networks import (
    joined_parameters,
    load_module,
    module_arrays,
    quick_products,
    require_torch,
)

__all__ = ["DEFAULTS", "WEIGHTED", "ValueLearner"]

DEFAULTS: dict[str, Any] = {
    "network": "mlp",
    "hidden": 64,
    "last_action": True,
    "agent_id": True,
    "episodes": 32,
    "updates": 8,
    "batch": 32,
    "buffer": 100_000,
    "learning_rate": 1e-3,
    "anneal": 0,
    "max_norm": 10.0,
    "discount": 0.99,
    "trace": 0.6,
    "double": True,
    "target_every": 50,
    "epsilon_start": 1.0,
    "epsilon_end": 0.05,
    "epsilon_steps": 50_000,
    "embed": 32,
    "hyper": 64,
}
"""Settings.

network: `mlp`, or `gru` with memory of what was seen. hidden: width of its layers.
last_action, agent_id: whether agents are told their last action and which agent they are.
episodes: played side by side before the updates. updates: gradient steps then. batch: episodes
of a step. buffer: joint steps that the replay keeps. learning_rate: of Adam. anneal:
environment steps over which it falls linearly to a twentieth; 0 for never. max_norm: of a
gradient. discount: γ. trace: λ of the targets. double: whether the online network picks the
target's actions. target_every: updates between copies into the target network. epsilon_start,
epsilon_end, epsilon_steps: ε falls linearly over so many environment steps. embed: width of
the mixing layer. hyper: width of the hypernetworks' hidden layer.
"""

WEIGHTED: dict[str, Any] = {**DEFAULTS, "weighting": "optimistic", "weight": 0.1}
"""Settings of weighted QMIX. weighting: `optimistic`, errors count less where the value is above
its target, or `central`, where another joint action than the greedy one is not better than it by
Q̂*. weight: of those errors.
"""

_LEAST_RATE = 0.05


class ValueLearner:
    """See `solvers.training.Learner`.

    Args:
        game: see `solvers.qmix.field.unfit`.
        seed: everything random follows from it.
        settings: see `DEFAULTS`.
        mixer: `iql`, `vdn`, `qmix` or `wqmix`.
    """

    def __init__(self, game: Game, seed: int, settings: Mapping[str, Any], *, mixer: str) -> None:
        torch = require_torch(f"solver {mixer}")
        from solvers.qmix.mixers import Free, make_mixer
        from solvers.qmix.networks import AgentNet
        from solvers.qmix.replay import Replay
        from solvers.training.adam import Adam

        self._torch, self.game, self.seed, self.mixer = torch, game, seed, mixer
        self.settings = s = _checked(settings)
        self.steps = self.updates = self.rounds = 0
        self._field = field = make_field(game, s["episodes"])
        self._teams = team_count(game)
        _, agents, inputs = field.obs.shape
        actions, state = field.avail.shape[2], field.state.shape[1]
        longest = (game.max_length or 0) // game.seats + 1
        if s["buffer"] < longest * len(field.done):
            raise ParameterError(
                "buffer",
                s["buffer"],
                f"{longest * len(field.done)} or more, what {len(field.done)} episodes of"
                f" {game.key} may need",
            )
        shape = {"agents": agents, "state": state}
        self.replay = Replay(s["buffer"], inputs=inputs, actions=actions, **shape)
        start = torch.Generator().manual_seed(derive(seed, mixer, "weights") >> 1)

        def agent() -> Any:
            return AgentNet(
                inputs,
                actions,
                agents=agents,
                hidden=s["hidden"],
                recurrent=s["network"] == "gru",
                last_action=s["last_action"],
                agent_id=s["agent_id"],
                generator=start,
            )

        def network() -> Any:
            parts = {"agent": agent()}
            parts["mixer"] = make_mixer(
                mixer, embed=s["embed"], hyper=s["hyper"], generator=start, **shape
            )
            if mixer == "wqmix":
                parts["central_agent"] = agent()
                parts["central"] = Free(**shape, width=4 * s["hyper"], generator=start)
            return torch.nn.ModuleDict(parts)

        self.net, self.target = network(), network()
        self.target.load_state_dict(self.net.state_dict())
        self.target.requires_grad_(False)
        self._weights = joined_parameters(self.net)
        self.optimizer = Adam(self._weights, s["learning_rate"])

    # -- learning ----------------------------------------------------------------

    @property
    def epsilon(self) -> float:
        """ε of the next episodes."""
        s = self.settings
        share = min(1.0, self.steps / s["epsilon_steps"]) if s["epsilon_steps"] else 1.0
        low, high = s["epsilon_end"], s["epsilon_start"]
        return float(high + share * (low - high))

    def step(self) -> dict[str, float]:
        """Play episodes, learn from the replay, and return figures about both."""
        from solvers.qmix.play import play_episodes

        s, field, epsilon = self.settings, self._field, self.epsilon
        rng = generator(self.seed, self.mixer, "round", self.rounds)
        seeds = derive_many(
            derive(self.seed, self.mixer, "episodes", self.rounds), np.arange(s["episodes"])
        )
        played = play_episodes(
            field, self.net["agent"], seeds, epsilon=epsilon, rng=rng, replay=self.replay
        )
        steps = int(played.lengths.sum()) // self._teams
        self.steps += steps
        self.rounds += 1
        figures = {
            "return": float(played.returns[:: self._teams].mean()),
            "length": steps / s["episodes"],
            "epsilon": epsilon,
        }
        if field.winners:
            figures["win_rate"] = float(played.won[:: self._teams].mean())
        if self.replay.episodes < s["batch"]:
            return figures
        left = max(_LEAST_RATE, 1.0 - self.steps / s["anneal"]) if s["anneal"] else 1.0
        self.optimizer.rate = s["learning_rate"] * left
        totals = np.zeros(3)
        for _ in range(s["updates"]):
            with quick_products():
                totals += self._update(rng)
            self.updates += 1
            if self.updates % s["target_every"] == 0:
                self.target.load_state_dict(self.net.state_dict())
        names = ("loss", "value", "gradient")
        return {**figures, **dict(zip(names, (totals / s["updates"]).tolist(), strict=True))}

    def _update(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """Take a step; return the loss, the mean value of what was done, and the gradient."""
        torch, s, replay = self._torch, self.settings, self.replay
        packed = replay.sample(s["batch"], rng)
        rows, counts, follow = packed.rows, packed.counts, slice(packed.first, packed.count)
        acted = torch.from_numpy(packed.acted)
        obs = torch.from_numpy(replay.obs.take(rows, axis=0))
        last = torch.from_numpy(replay.last.take(rows, axis=0))
        taken = torch.from_numpy(~replay.avail.take(rows, axis=0))
        state = torch.from_numpy(replay.state.take(rows, axis=0))
        actions = torch.from_numpy(replay.action.take(rows, axis=0).astype(np.int64))
        values = self.net["agent"](obs, last, counts)
        weighted = self.mixer == "wqmix"
        judge, mixer = ("central_agent", "central") if weighted else ("agent", "mixer")
        with torch.no_grad():
            judged = self.target[judge](obs, last, counts)
            picks = values.detach() if s["double"] else judged
            picks = picks.masked_fill(taken, -torch.inf).argmax(dim=2)
            ahead = self.target[mixer](_at(judged, picks), state)[follow]
            goal = torch.from_numpy(self._targets(rows[packed.acted], ahead.numpy(), packed.counts))
        # Situations without decisions go through the mixer with the others, and out again here.
        found = self.net["mixer"](_at(values, actions), state).index_select(0, acted)
        error = found - goal
        if weighted:
            central = self.net["central_agent"](obs, last, counts)
            free = self.net["central"](_at(central, actions), state)[acted] - goal
            less = error.detach() > 0.0
            if s["weighting"] == "central":
                greedy = values.detach().masked_fill(taken, -torch.inf).argmax(dim=2)
                with torch.no_grad():
                    best = self.net["central"](_at(central, greedy), state)[acted]
                less = (goal <= best) & (actions != greedy)[acted].any(dim=1, keepdim=True)
            loss = (torch.where(less, s["weight"], 1.0) * error.square()).mean()
            loss = loss + free.square().mean()
        else:
            loss = error.square().mean()
        gradient = self._weights.grad.zero_()
        loss.backward()
        norm = float(torch.linalg.vector_norm(gradient))
        if norm > s["max_norm"]:
            gradient.mul_(s["max_norm"] / norm)
        self.optimizer.step()
        return loss.item(), found.mean().item(), norm

    def _targets(
        self, done: NDArray[np.int64], ahead: NDArray[np.float32], counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        from solvers.qmix._kernels import td_lambda

        s, replay = self.settings, self.replay
        out = np.empty_like(ahead)
        td_lambda(
            replay.reward[done], ahead, replay.ended[done], counts, s["discount"], s["trace"], out
        )
        return out

    def joint_values(
        self, obs: NDArray[np.float32], state: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Return the team's value of every joint action at the start of an episode, (A, …, A).

        Args:
            obs: of all agents, shape (n, D).
            state: shape (S,).

        Raises:
            NotApplicableError: independent learners have no value of the team.
        """
        torch = self._torch
        if self.mixer == "iql":
            raise NotApplicableError("iql has values of agents, none of the team")
        agents, agent = len(obs), self.net["agent"]
        with torch.inference_mode():
            last = torch.full((1, agents), agent.actions, dtype=torch.int32)
            memory = torch.zeros((agents, agent.hidden))
            values, _ = agent.act(torch.from_numpy(obs[None]), last, memory)
            grid = np.indices((agent.actions,) * agents).reshape(agents, -1).T
            joint = torch.from_numpy(np.ascontiguousarray(grid))
            each = values[0].expand(len(grid), -1, -1)
            shown = torch.from_numpy(state[None]).expand(len(grid), -1)
            found = self.net["mixer"](_at(each, joint), shown)
        out: NDArray[np.float64] = found.numpy().astype(np.float64)
        return out.reshape((agent.actions,) * agents)

    # -- keeping -----------------------------------------------------------------

    def state(self) -> LearnerState:
        """Return weights, moments, replay and counters."""
        arrays = module_arrays(self.net, "net.") | module_arrays(self.target, "target.")
        arrays |= self.optimizer.arrays("adam.")
        arrays |= {f"replay.{name}": a for name, a in self.replay.arrays().items()}
        counters = ("steps", "updates", "rounds")
        values = {name: getattr(self, name) for name in counters}
        return LearnerState(arrays, {**values, "rows": self.replay.total})

    def load(self, state: LearnerState) -> None:
        """Go on from what `state` returned.

        Raises:
            ParameterError: weights of another architecture, or moments of each of them, as
                earlier versions wrote.
        """
        load_module(self.net, state.arrays, "net.")
        load_module(self.target, state.arrays, "target.")
        self.optimizer.load(state.arrays, "adam.")
        kept = {
            name.removeprefix("replay."): array
            for name, array in state.arrays.items()
            if name.startswith("replay.")
        }
        self.replay.load(kept, state.values["rows"])
        for name in ("steps", "updates", "rounds"):
            setattr(self, name, state.values[name])

    def policy(self) -> ValuePolicy:
        """Return the agents' network."""
        return ValuePolicy(self.game.key, module_arrays(self.net["agent"]))

    def evaluate(self, episodes: int, seed: int) -> Evaluation:
        """Play greedily, against oneself where both teams learn."""
        from solvers.qmix.play import play_episodes

        seeds = derive_many(derive(seed, "evaluation"), np.arange(episodes))
        field = make_field(self.game, episodes)
        played = play_episodes(field, self.net["agent"], seeds)
        returns = played.returns[:: self._teams]
        extra = {"length": float(played.lengths.mean())}
        if field.winners:
            extra["win_rate"] = float(played.won[:: self._teams].mean())
        spread = float(returns.std(ddof=1)) if episodes > 1 else float("nan")
        return Evaluation(float(returns.mean()), spread / episodes**0.5, episodes, extra)


def _at(values: Any, actions: Any) -> Any:
    """Return the values of actions, shape (M, n), from those of all, shape (M, n, A)."""
    return values.gather(2, actions[:, :, None])[:, :, 0]


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    s = dict(settings)
    choice("network", s["network"], ("gru", "mlp"))
    if "weighting" in s:
        choice("weighting", s["weighting"], ("optimistic", "central"))
    for name in ("hidden", "episodes", "batch", "buffer", "target_every", "embed", "hyper"):
        s[name] = whole(name, s[name], least=1)
    for name in ("updates", "epsilon_steps", "anneal"):
        s[name] = whole(name, s[name], least=int(name == "updates"))
    for name in ("last_action", "agent_id", "double"):
        flag(name, s[name])
    for name in ("learning_rate", "max_norm"):
        positive(name, s[name])
    for name in ("discount", "trace", "epsilon_start", "epsilon_end", "weight"):
        if name in s and not 0.0 <= non_negative(name, s[name]) <= 1.0:
            raise ParameterError(name, s[name], "a number from 0 to 1")
    return s
