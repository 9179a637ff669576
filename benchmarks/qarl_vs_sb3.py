"""Steps a second of the learner `qarl` (method `sac`), environment and updates together.

Against Stable-Baselines3's SAC, and against a plain loop over one environment with the same
learner: the same game (an undisturbed InvertedPendulum-v5), networks, batches and updates, one
update for each environment step, one thread. Stable-Baselines3 needs an environment of its own
(`pip install stable-baselines3`); without it that claim is skipped.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import torch
from harness import Claim, Measured, alternate, parse, report

import arena
from solvers.qarl.learner import DEFAULTS, Qarl
from solvers.qarl.replay import Replay
from solvers.qarl.sac import Sac

WARM_UP, BATCH, HIDDEN = 200, 128, [64, 64]
RATES = {"actor_rate": 3e-4, "critic_rate": 3e-4}


def ours(steps: int) -> int:
    """Train until `steps` are done; return the updates that were made."""
    settings = {**DEFAULTS, **RATES, "method": "sac", "hidden": HIDDEN, "batch": BATCH}
    settings |= {"warm_up": WARM_UP, "update_every": 1, "episodes": 16}
    learner = Qarl(arena.make("adversarial/inverted_pendulum"), 0, settings)
    while learner.steps < steps:
        learner.step()
    return learner.steps - WARM_UP


def plain(steps: int) -> int:
    """The same learner, one environment, one transition at a time."""
    env = gymnasium.make("InvertedPendulum-v5")
    noise = torch.Generator().manual_seed(0)
    agent = Sac(4, 1, hidden=HIDDEN, conditioned=False, generator=noise, **RATES)
    replay = Replay(100_000, [("seen", 4), ("action", 1), ("reward", 1), ("done", 1), ("after", 4)])
    rng, updates = np.random.default_rng(0), 0
    seen, _ = env.reset(seed=0)
    for step in range(steps):
        if step < WARM_UP:
            action = rng.uniform(-1.0, 1.0, 1).astype(np.float32)
        else:
            action = agent.act(seen.astype(np.float32)[None], noise)[0]
        after, paid, over, cut, _ = env.step(3.0 * action)
        row = {"seen": seen, "action": action, "reward": [paid], "done": [over], "after": after}
        replay.add({name: np.asarray(part, np.float32)[None] for name, part in row.items()})
        seen = env.reset()[0] if over or cut else after
        if step >= WARM_UP:
            rows = replay.draw(BATCH, noise)
            agent.update(
                rows["seen"], rows["action"], rows["reward"], rows["done"], rows["after"],
                noise=torch.randn(2, BATCH, 1, generator=noise),
            )  # fmt: skip
            updates += 1
    return updates


def peer(steps: int) -> int:
    """Stable-Baselines3's SAC."""
    from stable_baselines3 import SAC

    model = SAC(
        "MlpPolicy",
        gymnasium.make("InvertedPendulum-v5"),
        learning_rate=RATES["actor_rate"],
        buffer_size=100_000,
        learning_starts=WARM_UP,
        batch_size=BATCH,
        train_freq=1,
        gradient_steps=1,
        policy_kwargs={"net_arch": HIDDEN},
        seed=0,
        device="cpu",
    )
    model.learn(steps)
    return int(model._n_updates)


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(1)
    steps = 600 if options.quick else 2500
    # Ours stops at the end of a phase, so it makes more updates than it was asked for.
    done, wanted = ours(steps), plain(steps)
    if wanted != steps - WARM_UP or done < wanted:
        raise SystemExit(f"{done} and {wanted} updates, where {steps - WARM_UP} were to be made")
    loop = alternate(lambda: ours(steps), lambda: plain(steps))
    ratio = loop.ratio * done / wanted
    rows = [
        ["qarl, 16 episodes side by side", done / float(np.median(loop.ours)), 1.0],
        ["plain loop, one environment", wanted / float(np.median(loop.peer)), ratio],
    ]
    note = "by updates made, one for each step"
    claims = [Claim("qarl-vs-plain-loop", ratio, 1.0, note=note)]
    name, bar = "qarl-vs-sb3", 1.5
    try:
        import stable_baselines3
    except ImportError:
        how = "Stable-Baselines3 is not installed: pip install stable-baselines3"
        claims.append(Claim(name, None, bar, note=how))
    else:
        asked = peer(steps)
        if abs(asked - wanted) > 1:
            raise SystemExit(f"the two sides make {wanted} and {asked} updates")
        both: Measured = alternate(lambda: ours(steps), lambda: peer(steps))
        ratio = both.ratio * done / asked
        rows.append(
            [f"SB3 {stable_baselines3.__version__}", asked / float(np.median(both.peer)), ratio]
        )
        claims.append(Claim(name, ratio, bar, note=note))
    report(claims, table=rows, header=["side", "steps a CPU second", "ours/it"], path=options.json)


if __name__ == "__main__":
    main()
