"""PPO in self-play on the form `batch`, for cooperative and adversarial games alike.

One network plays all seats and sees what a seat sees: no recurrence. Every update

1. plays whole episodes with the network as it is (`play_episodes`),
2. takes advantages by GAE along each seat's own decisions, or along those of the whole team
   in games that are cooperative and sequential,
3. makes a few passes over the decisions in minibatches of the clipped loss (`ppo_loss`).

Critics: `own`, from the seat's observation alone (IPPO; de Witt et al. 2020, "Is independent
learning all you need in the StarCraft multi-agent challenge?"); `central`, a network of its
own on the latest observations of all seats (MAPPO; Yu et al. 2022, "The surprising
effectiveness of PPO in cooperative multi-agent games"); `sum`, the sum over seats of a value
from each one's latest observation (Sunehag et al. 2018, value decomposition, as a critic).

Other-play (Hu et al. 2020, "Other-play for zero-shot coordination"): each seat sees every
episode through a relabelling drawn from the game's symmetries, so that conventions cannot
rest on labels that a stranger may use otherwise.

Nothing is carried from update to update but weights, moments and counters: all randomness
follows from the seed and the number of the update.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.registry import load_target
from arena.rng import derive, derive_many, generator
from solvers.loop import choice, flag, non_negative, positive, whole
from solvers.ppo.episodes import Episodes, minibatches
from solvers.ppo.loss import imitation_loss, ppo_loss
from solvers.ppo.network import actor_policy, build, masked_log_softmax
from solvers.ppo.rollout import Symmetries, play_episodes
from solvers.training import Evaluation, LearnerSolver, LearnerState, Schedule, evaluate_policy
from solvers.training.networks import (
    load_module,
    load_optimizer,
    module_arrays,
    optimizer_arrays,
    require_torch,
)
from solvers.training.policy import MlpPolicy
from solvers.training.seats import unlike_seats

__all__ = ["DEFAULTS", "Ppo", "ppo"]

DEFAULTS: dict[str, Any] = {
    "episodes": 256,
    "epochs": 2,
    "minibatch": 1024,
    "hidden": [256, 256],
    "activation": "relu",
    "learning_rate": 5e-4,
    "anneal": 0,
    "ease": 0,
    "discount": 0.99,
    "trace": 0.95,
    "clip": 0.2,
    "entropy": 0.01,
    "value_weight": 0.5,
    "max_norm": 0.5,
    "scale": 0.0,
    "critic": "own",
    "chain": "auto",
    "precision": "float32",
    "seat_input": True,
    "features": False,
    "other_play": False,
    "teacher": "",
    "teacher_steps": 2_000_000,
}
"""Settings.

episodes: played for an update. epochs: passes over them. minibatch: decisions in one.
hidden: widths of the layers. activation: `relu` or `tanh`. learning_rate: of Adam.
anneal: environment steps over which the learning rate and the entropy's weight fall linearly
to a twentieth; 0 for never. ease: environment steps over which negative rewards grow from
nothing to what they are, so that a learner dares to try what fails at first; 0 for full ones
at once. discount: γ, for each decision. trace: λ of GAE. clip: ε. entropy: its weight.
value_weight: of the critic's error. max_norm: of a gradient. critic: `own`, `central` or
`sum`. chain: `own` or `team` (see above), `auto` for team where it is possible. precision:
`float32`, or `bfloat16` for the products inside the hidden layers, about three times as fast
on processors that have it (AVX512-BF16, AMX) and slower on others. seat_input: whether the
network is told which seat it plays. features: whether what the form `features` derives from an
observation is added to it. other_play: whether seats see the game relabelled.
teacher: an agent to imitate at first, and teacher_steps: for so many environment steps.
"""

_LEAST_RATE = 0.05


class Ppo:
    """See `solvers.training.Learner`."""

    def __init__(self, game: Game, seed: int, settings: Mapping[str, Any]) -> None:
        torch = require_torch("solver ppo")
        self._torch, self.game, self.seed = torch, game, seed
        self.settings = s = _checked(game, settings)
        self.steps = self.updates = 0
        first = game.form("batch", seeds=[0]).observe(0)
        self._seats = game.seats if s["seat_input"] else 0
        self._features = _form(game, "features") if s["features"] else None
        inputs = first.tensor.shape[1] + self._seats
        if self._features is not None:
            inputs += self._features(first.tensor).shape[1]
        actions = first.legal.shape[1]
        self._joint = s["critic"] != "own"
        start = torch.Generator().manual_seed(derive(seed, "ppo", "weights") >> 1)
        self.net = build(
            inputs,
            actions,
            s["hidden"],
            joint_inputs=inputs * game.seats if s["critic"] == "central" else 0,
            generator=start,
            activation=s["activation"],
        )
        self.optimizer = torch.optim.Adam(
            self.net.parameters(), lr=s["learning_rate"], eps=1e-5, fused=True
        )
        self._teachers = _teachers(game, s["teacher"]) if s["teacher"] else ()
        self._symmetries = Symmetries(*_form(game, "symmetries")) if s["other_play"] else None
        self._scale = s["scale"] or _scale(game)

    # -- acting ------------------------------------------------------------------

    def _forward(self, tensor: Any, joint: Any, which: Any) -> tuple[Any, Any]:
        """Return logits, shape (M, A), and values, shape (M,); see `rollout.Think`."""
        features = self._wide("trunk", tensor)
        logits = self.net["actor"](features)
        critic = self.settings["critic"]
        if critic == "own":
            return logits, self.net["critic"](features)[:, 0]
        if critic == "central":
            return logits, self._wide("critic", joint)[which, 0]
        each = self._wide("trunk", joint.reshape(len(joint) * self.game.seats, -1))
        return logits, self.net["critic"](each).reshape(len(joint), -1).sum(dim=1)[which]

    def _wide(self, part: str, inputs: Any) -> Any:
        """Run a part of the network in the precision that was asked for; float32 comes out."""
        torch, half = self._torch, self.settings["precision"] == "bfloat16"
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            return self.net[part](inputs).float()

    def _think(
        self,
        tensor: NDArray[np.float32],
        legal: NDArray[np.bool_],
        joint: NDArray[np.float32] | None,
        which: NDArray[np.int64],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        torch = self._torch
        whole = None if joint is None else torch.from_numpy(joint)
        with torch.inference_mode():
            logits, values = self._forward(torch.from_numpy(tensor), whole, which)
            # Who only asks for values may show situations in which nothing is legal.
            chances = masked_log_softmax(logits, torch.from_numpy(legal)).exp()
        return chances.numpy(), values.numpy()

    # -- learning ----------------------------------------------------------------

    def step(self) -> dict[str, float]:
        """Play episodes, learn from them, and return figures about both."""
        s = self.settings
        rng = generator(self.seed, "ppo", "update", self.updates)
        seeds = derive_many(
            derive(self.seed, "ppo", "episodes", self.updates), np.arange(s["episodes"])
        )
        teachers = self._teachers if self.steps < s["teacher_steps"] else ()
        played = play_episodes(
            self.game,
            self._think,
            seeds,
            rng,
            seat_input=s["seat_input"],
            joint=self._joint,
            team=s["chain"] == "team",
            symmetries=self._symmetries,
            features=self._features,
            loss_weight=min(1.0, self.steps / s["ease"]) if s["ease"] else 1.0,
            fade=s["discount"] if self.game.turns == "simultaneous" else 1.0,
            teachers=teachers,
        )
        taught = bool(teachers)
        left = max(_LEAST_RATE, 1.0 - self.steps / s["anneal"]) if s["anneal"] else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = s["learning_rate"] * left
        figures = self._learn(played, rng, entropy=s["entropy"] * left, taught=taught)
        self.steps += played.moments
        self.updates += 1
        return {
            "return": float(played.returns[:, 0].mean()),
            "length": played.moments / len(seeds),
            "learning_rate": s["learning_rate"] * left,
            **figures,
        }

    def _learn(
        self, played: Episodes, rng: np.random.Generator, *, entropy: float, taught: bool
    ) -> dict[str, float]:
        from solvers.ppo._kernels import advantages

        s, torch = self.settings, self._torch
        gained = advantages(
            played.gain * self._scale,
            played.value.astype(np.float64),
            played.chain,
            played.beyond,
            s["discount"],
            s["trace"],
        )
        target = torch.from_numpy((gained + played.value).astype(np.float32))
        advantage = torch.from_numpy(
            ((gained - gained.mean()) / (gained.std() + 1e-8)).astype(np.float32)
        )
        old_log = torch.from_numpy(np.log(played.chance))
        tensor, legal = self._stored(played.tensor), torch.from_numpy(played.legal)
        actions = torch.from_numpy(played.action)
        joint = None if played.joint is None else self._stored(played.joint)
        totals, batches = np.zeros(5), 0
        for _ in range(s["epochs"]):
            for rows, shown, which in minibatches(played, s["minibatch"], rng):
                whole = None if joint is None else joint[shown]
                logits, values = self._forward(tensor[rows], whole, which)
                shared = {"legal": legal[rows], "actions": actions[rows], "target": target[rows]}
                shared["value_weight"] = s["value_weight"]
                if taught:
                    terms = imitation_loss(logits, values, **shared)
                else:
                    terms = ppo_loss(
                        logits,
                        values,
                        old_log=old_log[rows],
                        advantage=advantage[rows],
                        clip=s["clip"],
                        entropy_weight=entropy,
                        **shared,
                    )
                self.optimizer.zero_grad(set_to_none=True)
                terms.loss.backward()
                torch.nn.utils.clip_grad_norm_(self.net.parameters(), s["max_norm"])
                self.optimizer.step()
                totals += [x.item() for x in terms[1:]]
                batches += 1
        last = "agreement" if taught else "clipped"
        names = ("policy_loss", "value_loss", "entropy", "kl", last)
        figures = dict(zip(names, (totals / batches).tolist(), strict=True))
        spread = float(target.var(unbiased=False))
        if spread > 0:
            wrong = float((target - torch.from_numpy(played.value)).var(unbiased=False))
            figures["explained_variance"] = 1.0 - wrong / spread
        return figures

    def _stored(self, inputs: NDArray[np.float32]) -> Any:
        """Return inputs as the network's products will take them: rounded once, not each pass."""
        whole = self._torch.from_numpy(inputs)
        half = self.settings["precision"] == "bfloat16"
        return whole.to(self._torch.bfloat16) if half else whole

    # -- keeping -----------------------------------------------------------------

    def state(self) -> LearnerState:
        """Return weights, moments and counters."""
        arrays = module_arrays(self.net, "net.") | optimizer_arrays(self.optimizer, "adam.")
        return LearnerState(arrays, {"steps": self.steps, "updates": self.updates})

    def load(self, state: LearnerState) -> None:
        """Go on from what `state` returned.

        Raises:
            ParameterError: weights of another architecture.
        """
        load_module(self.net, state.arrays, "net.")
        load_optimizer(self.optimizer, state.arrays, "adam.")
        self.steps, self.updates = state.values["steps"], state.values["updates"]

    def policy(self) -> MlpPolicy:
        """Return the actor."""
        return actor_policy(
            self.net,
            self.game.key,
            activation=self.settings["activation"],
            greedy=self.game.payoff == "cooperative",
            seats=self._seats,
            features=self._features is not None,
        )

    def evaluate(self, episodes: int, seed: int) -> Evaluation:
        """Play in self-play: greedily in cooperative games, else by the probabilities."""
        return evaluate_policy(self.game, self.policy(), episodes=episodes, seed=seed)


def _scale(game: Game) -> float:
    """Return what makes targets about as large as one, of which critics learn best."""
    low, high = game.payoff_bounds
    return 5.0 / (high - low) if math.isfinite(high - low) and high > low else 1.0


def _checked(game: Game, settings: Mapping[str, Any]) -> dict[str, Any]:
    s = dict(settings)
    for name in ("episodes", "epochs", "minibatch"):
        whole(name, s[name], least=1)
    for name in ("anneal", "ease"):
        whole(name, s[name])
    hidden = s["hidden"]
    if not isinstance(hidden, list | tuple) or not hidden:
        raise ParameterError("hidden", hidden, "a list of widths, such as [256,256]")
    s["hidden"] = [whole("hidden", width, least=1) for width in hidden]
    for name in ("learning_rate", "clip", "max_norm"):
        positive(name, s[name])
    for name in ("entropy", "scale", "value_weight"):
        non_negative(name, s[name])
    for name in ("discount", "trace"):
        if not 0.0 <= non_negative(name, s[name]) <= 1.0:
            raise ParameterError(name, s[name], "a number from 0 to 1")
    choice("activation", s["activation"], ("relu", "tanh"))
    choice("critic", s["critic"], ("own", "central", "sum"))
    choice("chain", s["chain"], ("auto", "own", "team"))
    choice("precision", s["precision"], ("float32", "bfloat16"))
    for name in ("seat_input", "features", "other_play"):
        flag(name, s[name])
    if not isinstance(s["teacher"], str):
        raise ParameterError("teacher", s["teacher"], "a reference to an agent, or nothing")
    whole("teacher_steps", s["teacher_steps"])
    team = game.payoff == "cooperative" and game.turns == "sequential"
    if s["chain"] == "team" and not team:
        raise ParameterError(
            "chain",
            "team",
            f"own: {game.key} is {game.payoff} and {game.turns}, and a team's"
            " decisions follow one another in cooperative sequential games only",
        )
    if s["chain"] == "auto":
        s["chain"] = "team" if team else "own"
    if s["critic"] == "sum" and game.payoff != "cooperative":
        raise ParameterError("critic", "sum", f"own or central: {game.key} is not cooperative")
    return s


def _teachers(game: Game, ref: str) -> list[Any]:
    """Return the teacher, an object for each seat."""
    load = load_target("agents.load:load")
    made = [load(ref) for _ in range(game.seats)]
    for agent in made:
        if not all(hasattr(agent, name) for name in ("begin_batch", "act_batch")):
            raise ParameterError(
                "teacher", ref, "an agent that plays batches (begin_batch and act_batch)"
            )
    return made


def _form(game: Game, form: str) -> Any:
    if form not in game.forms:
        setting = "other_play" if form == "symmetries" else form
        raise NotApplicableError(
            f"{game.key} has no form {form!r}, which {setting} = true needs; hanabi has it"
        )
    return game.form(form)


def _unfit(game: Game) -> str | None:
    if "batch" not in game.forms:
        return f"{game.key} has no form 'batch', and ppo plays episodes by batches"
    if game.max_length is None:
        return f"episodes of {game.key} may go on for ever, and ppo plays whole ones"
    return unlike_seats(game, "ppo's")


def ppo() -> LearnerSolver:
    """Return the solver `ppo`."""
    return LearnerSolver(
        name="ppo",
        start=Ppo,
        defaults=DEFAULTS,
        unfit=_unfit,
        steps=1_000_000,
        schedule=Schedule(eval_every=500_000, eval_episodes=1000),
    )
