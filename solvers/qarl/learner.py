"""The learner `qarl`: controller and adversary learn in turn, each by soft actor-critic.

A step of the learner is a phase: `episodes` episodes side by side in which one seat learns.

1. Each episode draws the adversary's temperature, or with the force curriculum its force,
   from where the curriculum stands; with domain randomisation its mass and friction.
2. Both seats play; the transitions go into the replay memory that they share.
3. The seat whose phase it is makes an update for every `update_every` of them.
4. After every `lesson` episodes the curriculum moves on, told what they paid.

Phases of methods in which both learn alternate: adversary, controller, adversary, ….
Nothing is under way between phases, and the randomness of a phase follows from the seed and
its number, so a run is gone on with exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import NotApplicableError, ParameterError
from arena.game import Game
from arena.rng import derive, derive_many, generator
from arena.solver import load_policy
from solvers.qarl.curricula import Seen, curriculum
from solvers.qarl.methods import METHODS
from solvers.qarl.play import idle, play, seat_of
from solvers.qarl.policy import ControlPolicy
from solvers.qarl.replay import Replay
from solvers.qarl.sac import Sac
from solvers.qarl.settings import DEFAULTS, checked
from solvers.training import Evaluation, LearnerSolver, LearnerState, Schedule
from solvers.training.networks import require_torch

__all__ = ["DEFAULTS", "Qarl", "solver"]


class Qarl:
    """See `solvers.training.Learner`.

    Args:
        game: an adversarial control game.
        seed: everything random follows from it.
        settings: see `DEFAULTS`.
        target: for the method `attack`, the controller, in place of a file.

    Attributes:
        steps: environment steps done.
        taught: of those, for each seat, the ones in which it learned.
        phases: phases done.
        failures: episodes whose simulation broke down.
    """

    def __init__(
        self,
        game: Game,
        seed: int,
        settings: Mapping[str, Any],
        *,
        target: ControlPolicy | None = None,
    ) -> None:
        torch = self._torch = require_torch("solver qarl")
        self.game, self.seed = game, seed
        self.settings = s = checked(settings)
        self.method = METHODS[s["method"]]
        self._setup = game.form("control")
        self._lesson = curriculum(
            s["curriculum"] or self.method.curriculum,
            start=s["start"],
            end=s["start"] if s["method"] == "fixed" else s["end"],
            rate=s["rate"],
            level=-math.inf if s["level"] is None else s["level"],
            max_kl=s["max_kl"],
            settle=s["settle"],
        )
        self._now = self._lesson.schedule.start
        # Networks are shown temperatures as shares of the first one's mean.
        self._unit = s["start"] / s["rate"]
        self._drawn: list[float] = []
        self._paid: list[float] = []
        self.steps = self.phases = self.failures = 0
        self.taught = [0, 0]
        self._target = target
        if s["method"] == "attack" and target is None:
            self._target = _controller(s["target"], game)
        observed = self._setup.observed
        weights = torch.Generator().manual_seed(derive(seed, "qarl", "weights") >> 1)
        # Who is shown the temperature of the episode.
        self._told = (self.method.bounded and s["informed"], self.method.bounded)
        self.agents: dict[int, Sac] = {}
        for seat in sorted(self.method.learns):
            self.agents[seat] = Sac(
                observed + self._told[seat],
                self._setup.sizes[seat],
                hidden=s["hidden"],
                conditioned=seat == 1 and self.method.bounded,
                generator=weights,
                discount=s["discount"],
                tau=s["tau"],
                actor_rate=s["actor_rate"],
                critic_rate=s["critic_rate"],
                unit=self._unit,
            )
        columns = [("seen", observed), ("shown", observed), ("after", observed)]
        columns += [("after_shown", observed), ("temperature", 1), ("reward", 1), ("done", 1)]
        columns += [("action0", self._setup.sizes[0]), ("action1", self._setup.sizes[1])]
        self.replay = Replay(s["replay"], columns)
        # What observations are shifted and divided by.
        self._centre = np.zeros((2, observed), dtype=np.float32)
        self._centre[1] = 1.0

    # -- a phase -----------------------------------------------------------------

    def step(self) -> dict[str, float]:
        """Play and learn one phase; return figures about it."""
        s, torch = self.settings, self._torch
        learning = self.method.learns[self.phases % len(self.method.learns)]
        rng = generator(self.seed, "qarl", "phase", self.phases)
        noise = torch.Generator().manual_seed(derive(self.seed, "qarl", "noise", self.phases) >> 1)
        count = s["episodes"]
        warmth = self._lesson.draw(self._now, count, rng)
        seeds = derive_many(derive(self.seed, "qarl", "episodes", self.phases), np.arange(count))
        batch = self.game.form("batch", seeds=seeds, scales=self._scales(warmth, rng))
        shown = [batch.observe(seat).tensor for seat in (0, 1)]
        losses: list[tuple[Any, Any, Any]] = []
        begun = self.steps
        while (live := batch.actors()[:, 0]).any():
            rows = np.flatnonzero(live)
            joint = self._joint(shown, rows, warmth, rng, noise)
            batch.step(joint)
            later = [batch.observe(seat).tensor for seat in (0, 1)]
            ended = ~batch.actors()[:, 0] & ~batch.truncated
            self.replay.add(
                {
                    "seen": shown[1][rows],
                    "shown": shown[0][rows],
                    "after": later[1][rows],
                    "after_shown": later[0][rows],
                    "temperature": warmth[rows, None],
                    "reward": s["reward_scale"] * batch.rewards()[rows, :1],
                    "done": ended[rows, None],
                    "action0": joint[0][rows],
                    "action1": joint[1][rows],
                }
            )
            shown = later
            losses += self._updates(learning, self.steps, len(rows), noise)
            self.steps += len(rows)
        self.phases += 1
        self.taught[learning] += self.steps - begun
        self.failures += int(batch.failed.sum())
        returns = np.asarray(batch.returns()[:, 0], dtype=np.float64)
        self._learn_lesson(warmth, returns)
        figures = {
            "return": float(returns.mean()),
            "length": (self.steps - begun) / count,
            "failed": float(batch.failed.sum()),
            "temperature": self._lesson.mean(self._now),
            "curriculum": float(self._now),
        }
        who = self._setup.seat_names[learning]
        if losses:
            means = np.array([[float(x) for x in row] for row in losses[-50:]]).mean(axis=0)
            names = ("critic_loss", "entropy", "value")
            figures |= {f"{who}_{n}": float(m) for n, m in zip(names, means, strict=True)}
            if not self.agents[learning].conditioned:
                figures[f"{who}_alpha"] = math.exp(self.agents[learning].log_alpha)
        return figures

    def _scales(
        self, warmth: NDArray[np.float64], rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        if self.method.varied:
            most = math.log(self.settings["spread"])
            own = {"mass": self._setup.mass, "friction": self._setup.friction}
            return {
                name: value * np.exp(rng.uniform(-most, most, len(warmth)))
                for name, value in own.items()
            }
        if self.method.opponent == "learned":
            most = self.settings["strength"]
            most = self._setup.strength if most is None else most
            return {"strength": most * self._lesson.forces(warmth)}
        return {}

    def _joint(
        self,
        shown: list[NDArray[np.float32]],
        rows: NDArray[np.int64],
        warmth: NDArray[np.float64],
        rng: np.random.Generator,
        noise: Any,
    ) -> list[NDArray[np.float32]]:
        """Return what both seats do, shape (N, K) and (N, F)."""
        out = []
        for seat, size in enumerate(self._setup.sizes):
            whole = np.zeros((len(warmth), size), dtype=np.float32)
            agent = self.agents.get(seat)
            if agent is not None and self.steps < self.settings["warm_up"]:
                whole[rows] = rng.uniform(-1.0, 1.0, (len(rows), size))
            elif agent is not None:
                state = (shown[seat][rows] - self._centre[0]) / self._centre[1]
                if self._told[seat]:
                    unit = (warmth[rows, None] / self._unit).astype(np.float32)
                    state = np.hstack([state, unit])
                whole[rows] = agent.act(state, noise)
                if seat == 0 and self.method.opponent == "myopic":
                    whole[rows] = self._moved(agent, state, whole[rows])
            elif seat == 0 and self._target is not None:
                whole[rows] = self._target.act(shown[0][rows], seat=0)
            out.append(whole)
        return out

    def _moved(
        self, agent: Sac, state: NDArray[np.float32], action: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return actions moved by the myopic adversary, whose budget grows from 20% to 80%."""
        torch = self._torch
        share = min(1.0, max(0.0, (self.steps / self.settings["plan"] - 0.2) / 0.6))
        if share == 0.0:
            return action
        given = torch.from_numpy(action)
        push = agent.myopic(torch.from_numpy(state), given, self.settings["budget"] * share)
        out: NDArray[np.float32] = (given + push).clamp(-1.0, 1.0).numpy()
        return out

    def _updates(self, seat: int, before: int, new: int, noise: Any) -> list[tuple[Any, Any, Any]]:
        s, agent = self.settings, self.agents[seat]
        count = (before + new) // s["update_every"] - before // s["update_every"]
        if not count or before + new <= s["warm_up"] or self.replay.size < s["batch"]:
            return []
        if before <= s["warm_up"] and s["normalise"]:
            self._normalise()
        rows = self.replay.draw(count * s["batch"], noise)
        if seat == 0:
            state, after, reward = rows["shown"], rows["after_shown"], rows["reward"]
        else:
            state, after, reward = rows["seen"], rows["after"], -rows["reward"]
        if s["normalise"]:
            centre = self._torch.from_numpy(self._centre)
            state, after = ((x - centre[0]) / centre[1] for x in (state, after))
        if self._told[seat]:
            warm = rows["temperature"] / self._unit
            state, after = (self._torch.cat([x, warm], dim=1) for x in (state, after))
        parts = [state, rows[f"action{seat}"], reward, rows["done"], after]
        normal = self._torch.randn((count, 2, s["batch"], self._setup.sizes[seat]), generator=noise)
        blocks = zip(*(part.split(s["batch"]) for part in parts), strict=True)
        return [agent.update(*block, noise=normal[k]) for k, block in enumerate(blocks)]

    def _normalise(self) -> None:
        """Centre observations on those of the warm-up."""
        seen = self.replay.filled("seen")
        spread = seen.std(axis=0)
        self._centre = np.stack([seen.mean(axis=0), np.where(spread > 1e-6, spread, 1.0)])

    def _learn_lesson(self, warmth: NDArray[np.float64], returns: NDArray[np.float64]) -> None:
        self._drawn += warmth.tolist()
        self._paid += returns.tolist()
        if len(self._paid) < self.settings["lesson"]:
            return
        seen = Seen(
            performance=float(np.mean(self._paid)),
            share=self.steps / self.settings["plan"],
            drawn=self._drawn,
            returns=self._paid,
        )
        self._now = float(self._lesson.schedule.next(self._now, seen))
        self._drawn, self._paid = [], []

    # -- keeping -----------------------------------------------------------------

    def state(self) -> LearnerState:
        """Return weights, moments, the replay memory, the curriculum and counters."""
        arrays = {**self.replay.arrays("replay."), "centre": self._centre.copy()}
        for seat, agent in self.agents.items():
            arrays |= agent.arrays(f"seat{seat}.")
        values = {
            "steps": self.steps,
            "taught": list(self.taught),
            "phases": self.phases,
            "failures": self.failures,
            "now": self._now,
            "drawn": list(self._drawn),
            "paid": list(self._paid),
        }
        return LearnerState(arrays, values)

    def load(self, state: LearnerState) -> None:
        """Go on from what `state` returned.

        Raises:
            ParameterError: weights of another architecture.
        """
        for seat, agent in self.agents.items():
            agent.load(state.arrays, f"seat{seat}.")
        self.replay.load(state.arrays, "replay.")
        self._centre = np.array(state.arrays["centre"], dtype=np.float32)
        values = state.values
        self.steps, self.phases = values["steps"], values["phases"]
        self.taught = list(values["taught"])
        self.failures, self._now = values["failures"], values["now"]
        self._drawn, self._paid = list(values["drawn"]), list(values["paid"])

    def policy(self) -> ControlPolicy:
        """Return both seats' policies, told the curriculum's mean temperature.

        So an informed controller plays as against the adversaries that it met last: those who
        disturb it later do not say how rational they are.
        """
        networks: list[Any] = [None, None]
        warmth: list[float | None] = [None, None]
        for seat, agent in self.agents.items():
            (weight, bias), *rest = agent.actor.layers()
            # The policy is shown observations as they are: the first layer takes it in.
            middle, spread = self._centre
            count = len(middle)
            scaled = np.concatenate([weight[:count] / spread[:, None], weight[count:]])
            networks[seat] = [(scaled, bias - middle @ scaled[:count]), *rest]
            if self._told[seat]:
                warmth[seat] = self._lesson.mean(self._now) / self._unit
        if self._target is not None:
            networks[0] = self._target.layers(0)
        return ControlPolicy(self.game.key, networks, sizes=self._setup.sizes, temperatures=warmth)

    def evaluate(self, episodes: int, seed: int) -> Evaluation:
        """Play the mean actions, undisturbed (`extra`: against the learned adversary).

        For the method `attack` the mean is what the adversary gains: minus the return.
        """
        policy, extra = self.policy(), {}
        quiet = play(
            self.game, seat_of(policy, 0), idle(self.game, 1), episodes=episodes, seed=seed
        )
        returns = quiet.returns
        if 1 in self.agents:
            pressed = play(
                self.game, seat_of(policy, 0), seat_of(policy, 1), episodes=episodes, seed=seed
            )
            if self.settings["method"] == "attack":
                extra = {"undisturbed": float(returns.mean())}
                returns = 0.0 - pressed.returns
            else:
                extra = {"attacked": float(pressed.returns.mean())}
        spread = float(returns.std(ddof=1)) if episodes > 1 else float("nan")
        return Evaluation(float(returns.mean()), spread / episodes**0.5, episodes, extra)


def _controller(path: str, game: Game) -> ControlPolicy:
    if not path:
        raise ParameterError("target", path, "a checkpoint with the controller to attack")
    policy = load_policy(path)
    if not isinstance(policy, ControlPolicy):
        raise ParameterError("target", path, "a checkpoint that the learner qarl wrote")
    if policy.game != game.key:
        raise ParameterError("target", path, f"a controller of {game.key}, not {policy.game}")
    return policy


def _unfit(game: Game) -> str | None:
    if "control" in game.forms:
        return None
    return (
        f"{game.key} is no adversarial control game (form 'control'), which qarl learns;"
        " those are adversarial/…"
    )


def _start(game: Game, seed: int, settings: Mapping[str, Any]) -> Qarl:
    method = METHODS.get(settings["method"])
    if method is not None and method.varied and "mass" not in game.form("control").varies:
        raise NotApplicableError(f"mass and friction of {game.key} cannot be varied")
    return Qarl(game, seed, settings)


def solver() -> LearnerSolver:
    """Return the solver `qarl`."""
    return LearnerSolver(
        name="qarl",
        start=_start,
        defaults=DEFAULTS,
        unfit=_unfit,
        steps=100_000,
        schedule=Schedule(eval_every=20_000, eval_episodes=20),
    )
