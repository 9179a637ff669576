"""SEQUOIA: deep Q-learning with a program as arg-max (Xu, Wilder, Khalil and Tambe 2025).

A learner's step is one round:

1. act: play episodes, each action the network's exact maximiser, or, with a chance ε, a
   random feasible action or the maximiser with one arm swapped; none while pre-training,
   which learns from random states and from random, myopic and changed myopic actions;
2. draw a working set of transitions by priority, and find the exact maximiser a* of the
   online network in each next state; answers are remembered for states that come again;
3. fit Q(s, a) to r + γ Q⁻(s', a*), where Q⁻ is the target network (van Hasselt et al. 2016),
   in a few passes of minibatches, and set priorities to the errors;
4. move the target network towards the online one.

Every few rounds the network plays selection episodes, the same ones each time and apart from
all others; `policy` is the one that did best in them, so that a bad turn of learning is not
kept. The network has ReLUs only, so that it can be embedded (`solvers.sequoia.encode`).

With `inputs: plain`, `skip: false` the network is the paper's; `choose: iterative` and
`choose: sampled` give its baselines iterative and sampled-action DQN.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ParameterError
from arena.game import Game
from arena.rng import derive, derive_many, generator
from games.bandits.form import RestlessBandit
from solvers.bandits.episodes import play
from solvers.loop import choice, flag, non_negative, positive, whole
from solvers.sequoia.choose import RULES, Chooser
from solvers.sequoia.encode import ReluNet, encode, residual
from solvers.sequoia.features import INPUTS, Features
from solvers.sequoia.policy import QPolicy
from solvers.sequoia.replay import Replay
from solvers.training import Evaluation, LearnerSolver, LearnerState, Schedule
from solvers.training.networks import (
    load_module,
    load_optimizer,
    mlp,
    module_arrays,
    optimizer_arrays,
    require_torch,
)

__all__ = ["DEFAULTS", "Sequoia", "sequoia"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

DEFAULTS: dict[str, Any] = {
    "choose": "exact",
    "inputs": "gated",
    "skip": True,
    "hidden": [32, 32],
    "discount": 0.9,
    "timed": False,
    "reward": "expected",
    "warm": 20_000,
    "pretrain": 14,
    "episodes": 8,
    "epsilon": 0.1,
    "working": 1000,
    "passes": 4,
    "minibatch": 64,
    "learning_rate": 2e-3,
    "decay": 0.97,
    "least_rate": 2e-4,
    "target": 1.0,
    "capacity": 30_000,
    "priority": 0.4,
    "correction": 0.5,
    "samples": 100,
    "decision_seconds": 10.0,
    "select_every": 4,
    "select_episodes": 40,
}


_NODES = 500
"""Where a search for a maximiser stops in learning: the best so far is good enough there."""


class Sequoia:
    """See `solvers.training.Learner`."""

    def __init__(self, game: Game, seed: int, settings: Mapping[str, Any]) -> None:
        self._torch = torch = require_torch("solver sequoia")
        self.game, self.seed = game, seed
        self.settings = s = checked(settings)
        self.form: RestlessBandit = game.form("bandit")
        self.features = Features(self.form, s["inputs"])
        start = torch.Generator().manual_seed(derive(seed, "sequoia", "weights") >> 1)
        self.net = _network(self.features.size, s["hidden"], start, skip=s["skip"])
        self.target = copy.deepcopy(self.net)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=s["learning_rate"])
        self.replay = Replay(s["capacity"], self.form.arms, self.features.actions)
        self.chooser = Chooser(
            self.form,
            self.features,
            rule=s["choose"],
            samples=s["samples"],
            seconds=s["decision_seconds"],
            nodes=_NODES,
        )
        self.steps = self.rounds = 0
        self.best: dict[str, Any] = module_arrays(self.net)
        self.best_value: float | None = None
        expected = self.form.expected
        # Rewards are learned in units of what the arms differ by.
        self._unit = float(max(expected.max() - expected.min(), 1e-6))

    # -- a round -------------------------------------------------------------------------

    def step(self) -> dict[str, float]:
        """Make one round, and return figures about it."""
        s = self.settings
        rng = generator(self.seed, "sequoia", "round", self.rounds)
        figures: dict[str, float] = {}
        if not self.rounds:
            self._warm(rng)
        elif self.rounds >= s["pretrain"]:
            figures["return"] = self._act(rng)
        figures |= self._learn(rng)
        self.rounds += 1
        if self.rounds % s["select_every"] == 0 and s["select_episodes"]:
            figures["selection"] = self._select()
        figures["solved"] = float(self.chooser.solved)
        figures["uncertified"] = float(self.chooser.uncertified)
        return figures

    def _warm(self, rng: np.random.Generator) -> None:
        """Fill the replay with single steps from random states."""
        count, form = self.settings["warm"], self.form
        seeds = derive_many(derive(self.seed, "sequoia", "warm"), np.arange(count))
        batch: Any = self.game.form("batch", seeds=seeds)
        # Arms at even levels in some states, mostly low or high in others.
        tilt = rng.uniform(-1.5, 1.5, size=(count, 1, 1))
        weights = np.exp(tilt * np.arange(form.states)) * np.ones((1, form.arms, 1))
        weights *= np.arange(form.states) < form.sizes[:, None]
        edges = np.cumsum(weights, axis=2)
        draws = rng.random((count, form.arms, 1)) * edges[:, :, -1:]
        levels = np.minimum((draws >= edges).sum(axis=2), form.sizes - 1)
        batch.levels[:] = levels
        actions = warm_actions(form, self.chooser, levels, rng)
        batch.step_arms(actions, check=False)
        when = rng.integers(form.horizon, size=count)
        self.replay.add(levels, when, actions, self._paid(batch, 0, levels, actions), batch.levels)
        self.steps += count

    def _act(self, rng: np.random.Generator) -> float:
        s, form = self.settings, self.form
        seeds = derive_many(
            derive(self.seed, "sequoia", "episodes", self.rounds), np.arange(s["episodes"])
        )
        batch: Any = self.game.form("batch", seeds=seeds)
        net = self._encoded()
        pool = self.chooser.pool()
        while batch.actors().any():
            levels, step = batch.levels.copy(), batch.step_number
            actions = self.chooser.choose(net, levels, self._time(step), rng)
            odd = np.flatnonzero(rng.random(len(levels)) < s["epsilon"])
            actions[odd] = pool[rng.integers(len(pool), size=len(odd))]
            batch.step_arms(actions, check=False)
            rewards = self._paid(batch, step, levels, actions)
            self.replay.add(levels, step, actions, rewards, batch.levels)
        self.steps += len(seeds) * form.horizon
        return float(batch.returns()[:, 0].mean())

    def _paid(self, batch: Any, step: int, levels: Ints, actions: Ints) -> Reals:
        """Return the rewards to learn from, shape (K,): what was paid, or its expectation."""
        form = self.form
        if self.settings["reward"] == "expected":
            arms, modes = np.arange(form.arms), form.modes_at(levels, actions)
            expected: Reals = form.expected[arms, modes, levels].sum(axis=1)
            return expected
        paid: Reals = batch.rewards()[:, 0] / form.discount**step
        return paid

    def _time(self, steps: Any) -> Any:
        """Return what the network is told of the time: the step, if it is told at all."""
        return steps if self.settings["timed"] else np.zeros_like(steps)

    def _encoded(self) -> ReluNet:
        self.chooser.forget()
        return encode(self.net, self.features.size)

    def _learn(self, rng: np.random.Generator) -> dict[str, float]:
        s, torch = self.settings, self._torch
        at, weight = self.replay.draw(
            s["working"], rng, power=s["priority"], correction=s["correction"]
        )
        goals = self._goals(at, rng)
        r = self.replay
        inputs = self.features.whole(
            r.levels[at].astype(np.int64), self._time(r.steps[at]), r.actions[at]
        )
        x, y = (torch.from_numpy(a.astype(np.float32)) for a in (inputs, goals))
        w = torch.from_numpy(weight.astype(np.float32))
        rate = max(s["least_rate"], s["learning_rate"] * s["decay"] ** self.rounds)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        total = 0.0
        for _ in range(s["passes"]):
            order = torch.from_numpy(rng.permutation(len(at)))
            for rows in order.split(s["minibatch"]):
                wrong = self.net(x[rows])[:, 0] - y[rows]
                loss = (
                    w[rows]
                    * torch.nn.functional.smooth_l1_loss(
                        wrong, torch.zeros_like(wrong), reduction="none"
                    )
                ).mean()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += float(loss.detach()) * len(rows)
        with torch.no_grad():
            r.priority[at] = (self.net(x)[:, 0] - y).abs().numpy()
            for old, new in zip(self.target.parameters(), self.net.parameters(), strict=True):
                old.lerp_(new, s["target"])
        return {"loss": total / (len(at) * s["passes"]), "rate": rate, "goal": float(goals.mean())}

    def _goals(self, at: Ints, rng: np.random.Generator) -> Reals:
        """Return r + γ Q⁻(s', a*) of transitions, shape (K,), in units of reward."""
        s, r = self.settings, self.replay
        rewards = r.rewards[at] / self._unit
        going = np.ones(len(at), dtype=np.bool_)
        if s["timed"]:
            going = r.steps[at] + 1 < self.form.horizon
        ahead = np.zeros(len(at))
        if self.rounds and going.any():  # before, the target network knows nothing
            after = r.after[at[going]].astype(np.int64)
            when = self._time(r.steps[at[going]] + 1)
            best = self.chooser.choose(self._encoded(), after, when, rng)
            inputs = self.features.whole(after, when, best)
            with self._torch.no_grad():
                x = self._torch.from_numpy(inputs.astype(np.float32))
                ahead[going] = self.target(x)[:, 0].double().numpy()
        goals: Reals = rewards + s["discount"] * self.form.discount * ahead
        return goals

    def _select(self) -> float:
        """Play selection episodes; remember the network if it did best."""
        seeds = derive_many(
            derive(self.seed, "sequoia", "selection"), np.arange(self.settings["select_episodes"])
        )
        value = float(play(self.game, self._policy(self.net), seeds).mean())
        if self.best_value is None or value > self.best_value:
            self.best_value, self.best = value, module_arrays(self.net)
        return value

    # -- keeping -------------------------------------------------------------------------

    def state(self) -> LearnerState:
        """Return weights, moments, transitions and counters."""
        arrays = module_arrays(self.net, "net.") | module_arrays(self.target, "target.")
        arrays |= optimizer_arrays(self.optimizer, "adam.")
        arrays |= {f"best.{name}": array for name, array in self.best.items()}
        arrays |= {f"replay.{name}": array for name, array in self.replay.arrays().items()}
        values = {
            "steps": self.steps,
            "rounds": self.rounds,
            "next": self.replay.next,
            "best_value": self.best_value,
        }
        return LearnerState(arrays, values)

    def load(self, state: LearnerState) -> None:
        """Go on from what `state` returned.

        Raises:
            ParameterError: weights of another architecture.
        """
        load_module(self.net, state.arrays, "net.")
        load_module(self.target, state.arrays, "target.")
        load_optimizer(self.optimizer, state.arrays, "adam.")
        self.best = {n[5:]: a for n, a in state.arrays.items() if n.startswith("best.")}
        own = {n[7:]: a for n, a in state.arrays.items() if n.startswith("replay.")}
        self.replay.load(own, state.values["next"])
        self.steps, self.rounds = state.values["steps"], state.values["rounds"]
        self.best_value = state.values["best_value"]

    def policy(self) -> QPolicy:
        """Return the network that did best in selection, or the present one before any."""
        if self.best_value is None:
            return self._policy(self.net)
        chosen = copy.deepcopy(self.net)
        load_module(chosen, self.best)
        return self._policy(chosen)

    def _policy(self, net: Any) -> QPolicy:
        return QPolicy(
            self.game.key,
            encode(net, self.features.size),
            inputs=self.settings["inputs"],
            rule=self.settings["choose"],
            timed=self.settings["timed"],
        )

    def evaluate(self, episodes: int, seed: int) -> Evaluation:
        """Play the policy without exploring."""
        seeds = derive_many(derive(seed, "evaluation"), np.arange(episodes))
        returns = play(self.game, self.policy(), seeds)
        spread = float(returns.std(ddof=1)) if episodes > 1 else float("nan")
        return Evaluation(float(returns.mean()), spread / episodes**0.5, episodes)


def warm_actions(
    form: RestlessBandit, chooser: Chooser, levels: Ints, rng: np.random.Generator
) -> Ints:
    """Return actions to learn from first, shape (K, N): random, and myopic ones changed.

    A third each: random feasible actions; the best of some random ones for the next step; the
    same with a random part of them left out, where that is feasible.
    """
    pool = chooser.pool()
    count = len(levels)
    actions = pool[rng.integers(len(pool), size=count)]
    kind = rng.integers(3, size=count)
    arms = np.arange(form.arms)
    expected = form.expected
    for k in np.flatnonzero(kind > 0):
        tried = pool[rng.integers(len(pool), size=30)]
        worth = expected[arms, form.modes_at(levels[k], tried), levels[k]].sum(axis=1)
        actions[k] = tried[int(worth.argmax())]
    for k in np.flatnonzero(kind == 2):
        fewer = actions[k] * (rng.random(form.feasible.size) < rng.random())
        if form.feasible.allows(fewer):
            actions[k] = fewer
    return actions


def _network(inputs: int, hidden: list[int], start: Any, *, skip: bool) -> Any:
    torch = require_torch("solver sequoia")
    body = mlp([inputs, *hidden, 1], generator=start, last_gain=0.1)
    if not skip:
        return body
    line = torch.nn.utils.skip_init(torch.nn.Linear, inputs, 1, bias=False)
    torch.nn.init.zeros_(line.weight)
    return residual(body, line)


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, checked.

    Raises:
        ParameterError: one is out of range.
    """
    s = dict(settings)
    choice("choose", s["choose"], RULES)
    choice("inputs", s["inputs"], INPUTS)
    choice("reward", s["reward"], ("expected", "paid"))
    flag("skip", s["skip"])
    flag("timed", s["timed"])
    hidden = s["hidden"]
    if not isinstance(hidden, list | tuple) or not hidden:
        raise ParameterError("hidden", hidden, "a list of widths, such as [32,32]")
    s["hidden"] = [whole("hidden", width, least=1) for width in hidden]
    for name in (
        "warm", "episodes", "working", "passes", "minibatch", "capacity", "samples", "select_every",
    ):  # fmt: skip
        whole(name, s[name], least=1)
    for name in ("pretrain", "select_episodes"):
        whole(name, s[name])
    for name in ("learning_rate", "decay", "least_rate", "decision_seconds"):
        positive(name, s[name])
    for name in ("discount", "epsilon", "target", "priority", "correction"):
        if not 0.0 <= non_negative(name, s[name]) <= 1.0:
            raise ParameterError(name, s[name], "a number from 0 to 1")
    if s["capacity"] < s["warm"]:
        raise ParameterError("capacity", s["capacity"], f"at least warm, {s['warm']}")
    return s


def _unfit(game: Game) -> str | None:
    if "bandit" not in game.forms:
        return f"{game.key} has no form 'bandit', and sequoia learns bandits: bandits/… have it"
    return None


def sequoia() -> LearnerSolver:
    """Return the solver `sequoia`."""
    return LearnerSolver(
        name="sequoia",
        start=Sequoia,
        defaults=DEFAULTS,
        unfit=_unfit,
        steps=21_000,
        schedule=Schedule(eval_every=0, eval_episodes=100),
    )
