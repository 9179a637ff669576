"""Records velocities of SMAClite's collision avoidance, as `orca.npz` beside this.

Run from the root of the repository where SMAClite (https://github.com/uoe-agents/smaclite,
version 0.0.1) is installed: `python -m tests.golden.smaclite.record`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

CASES, MOST = 1500, 8


def main() -> None:
    from smaclite.env.rvo2.rvo2 import compute_new_velocity

    rng = np.random.default_rng(7)
    shape = (CASES, MOST)
    crowd = rng.uniform(0.6, 3.0, (CASES, 1, 1))  # how far the units are spread
    cases = {
        "position": (16 + crowd * rng.normal(size=(*shape, 2))).astype(np.float32),
        "radius": rng.choice([0.375, 0.5, 0.5625, 0.625, 1.0], shape).astype(np.float32),
        "speed": rng.choice([2.25, 3.15, 3.5, 4.13], shape).astype(np.float32),
        "count": rng.integers(2, MOST + 1, CASES).astype(np.int32),
        "walks": rng.random(shape) < 0.7,
    }
    angle, share = rng.uniform(0, 2 * np.pi, (2, *shape)), rng.random(shape)
    cases["walks"][:, 0] = True
    goes = np.stack([np.cos(angle[0]), np.sin(angle[0])], axis=-1) * cases["speed"][..., None]
    goes *= cases["walks"][..., None]
    turned = np.stack([np.cos(angle[1]), np.sin(angle[1])], axis=-1)
    cases["velocity"] = (turned * (share * cases["speed"])[..., None]).astype(np.float32)
    cases["wanted"] = goes.astype(np.float32)
    answers = []
    for case in range(CASES):
        units = [
            SimpleNamespace(
                hp=1,
                pos=cases["position"][case, i].astype(float),
                radius=float(cases["radius"][case, i]),
                velocity=cases["velocity"][case, i].astype(float),
                pref_velocity=cases["wanted"][case, i].astype(float),
                max_velocity=float(cases["speed"][case, i]),
            )
            for i in range(cases["count"][case])
        ]
        first, *others = units
        near = [(one, float(np.hypot(*(one.pos - first.pos)))) for one in others]
        # Only who could be met within the second that is looked ahead.
        near = [
            (one, far)
            for one, far in near
            if far < first.radius + one.radius + first.max_velocity + one.max_velocity
        ]
        answers.append(compute_new_velocity(first, near, []))
    path = Path(__file__).with_name("orca.npz")
    np.savez_compressed(path, answer=np.array(answers), **cases)


if __name__ == "__main__":
    main()
