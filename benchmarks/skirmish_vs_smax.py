"""Battle decisions per CPU second against JaxMARL's SMAX, at batch sizes 1, 64 and 1024.

Both sides play the allies with random legal actions against SMAX's heuristic enemy and build,
at every decision, the observations and masks of all allies and the state vector; episodes
that end are begun anew. The engine here runs in mode `smax`, which reproduces recorded SMAX
trajectories, on one thread. Before anything is timed, returns and lengths of episodes are
compared. The figure is the best batch size here against the best one there; compilation is
shown apart.

JAX and JaxMARL stay in an environment of their own, named by JAXMARL_PYTHON:

    python -m venv smax && smax/bin/pip install "jax[cpu]" jaxmarl==0.2.0
    JAXMARL_PYTHON=smax/bin/python python benchmarks/skirmish_vs_smax.py [--quick]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import fmean, median, stdev

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from _skirmish import Ours, Peer  # noqa: E402 - the path comes first
from harness import Claim, parse, report  # noqa: E402

BARS = {"3m": 15.0, "2s3z": 15.0, "5m_vs_6m": 15.0, "8m": 15.0, "27m_vs_30m": 30.0}

CHILD = """
import json, sys, time
import jax, jax.numpy as jnp
import jaxmarl
from jaxmarl.environments.smax import map_name_to_scenario

runs = {}

def build(name, envs, steps):
    env = jaxmarl.make("HeuristicEnemySMAX", scenario=map_name_to_scenario(name),
                       enemy_shoots=True, attack_mode="closest")
    agents = env.agents

    def step(carry, _):
        key, state, obs, running, total, squares, length, ended, lengths = carry
        key, act_key, step_key = jax.random.split(key, 3)
        avail = jax.vmap(env.get_avail_actions)(state)
        avail = jnp.stack([avail[a] for a in agents], axis=1)
        actions = jax.random.categorical(act_key, jnp.where(avail, 0.0, -jnp.inf))
        actions = {a: actions[:, i] for i, a in enumerate(agents)}
        keys = jax.random.split(step_key, envs)
        obs, state, reward, done, _ = jax.vmap(env.step)(keys, state, actions)
        over = done["__all__"]
        running = running + reward[agents[0]]
        length = length + 1
        total = total + jnp.where(over, running, 0.0).sum()
        squares = squares + jnp.where(over, running ** 2, 0.0).sum()
        lengths = lengths + jnp.where(over, length, 0).sum()
        ended = ended + over.sum()
        running = jnp.where(over, 0.0, running)
        length = jnp.where(over, 0, length)
        return (key, state, obs, running, total, squares, length, ended, lengths), None

    @jax.jit
    def run(carry):
        return jax.lax.scan(step, carry, None, steps)[0]

    key = jax.random.PRNGKey(0)
    obs, state = jax.vmap(env.reset)(jax.random.split(key, envs))
    zero = jnp.zeros(envs)
    carry = (key, state, obs, zero, jnp.float32(0), jnp.float32(0), zero.astype(int), 0, 0)
    return run, carry

for line in sys.stdin:
    asked = json.loads(line)
    place = (asked["map"], asked["envs"], asked["steps"])
    start = time.process_time()
    if place not in runs:
        runs[place] = list(build(*place))
        runs[place][1] = jax.block_until_ready(runs[place][0](runs[place][1]))
    run, carry = runs[place]
    compiled = time.process_time() - start
    start = time.process_time()
    carry = jax.block_until_ready(run(carry))
    spent = time.process_time() - start
    runs[place][1] = carry
    told = {"spent": spent, "compiled": compiled, "total": float(carry[4]),
            "squares": float(carry[5]), "ended": int(carry[7]), "lengths": int(carry[8])}
    print(json.dumps({"answer": told}), file=sys.stderr, flush=True)
"""


def same_play(name: str, peer: Peer, envs: int, steps: int) -> str:
    """Compare returns and lengths of episodes; return what differs, "" if nothing does."""
    ours = Ours(name, 256, mode="smax")
    ours.play(400, note=True)
    told = peer.ask(map=name, envs=envs, steps=steps)
    while told["ended"] < 200:
        told = peer.ask(map=name, envs=envs, steps=steps)
    mean, length = told["total"] / told["ended"], told["lengths"] / told["ended"]
    spread = max(told["squares"] / told["ended"] - mean**2, 1e-6) ** 0.5
    error = 5 * (spread / told["ended"] ** 0.5 + stdev(ours.returns) / len(ours.returns) ** 0.5)
    far = abs(fmean(ours.returns) - mean) > error or abs(fmean(ours.lengths) / length - 1) > 0.1
    seen = f"returns {fmean(ours.returns):.3f} and {mean:.3f}, lengths {fmean(ours.lengths):.1f}"
    return f"{name}: {seen} and {length:.1f}" if far else ""


def measure(name: str, peer: Peer, *, quick: bool) -> tuple[float, list[tuple[object, ...]]]:
    """Return the ratio of the best batch sizes, and a row for each batch size."""
    batches = (64,) if quick else (1, 64, 1024)
    rounds = 2 if quick else 5
    rows: list[tuple[object, ...]] = []
    best: dict[str, list[float]] = {"ours": [], "theirs": []}
    for envs in batches:
        steps = max(8, 512 // envs)
        start = time.process_time()
        ours = Ours(name, envs, mode="smax")
        ours.play(2)
        compiled = time.process_time() - start
        compiled_there = peer.ask(map=name, envs=envs, steps=steps)["compiled"]
        if difference := same_play(name, peer, envs, steps) if envs == batches[0] else "":
            raise SystemExit(difference)
        work = max(20_000 // envs, 4) if not name.startswith("27") else max(4_000 // envs, 2)
        speeds: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            start = time.process_time()
            ours.play(work)
            speeds[0].append(envs * work / (time.process_time() - start))
            speeds[1].append(envs * steps / peer.ask(map=name, envs=envs, steps=steps)["spent"])
        best["ours"].append(median(speeds[0]))
        best["theirs"].append(median(speeds[1]))
        spread = f"{min(speeds[0]):.0f}-{max(speeds[0]):.0f}"
        rows.append(
            (name, envs, median(speeds[0]), spread, median(speeds[1]), compiled, compiled_there)
        )
    return max(best["ours"]) / max(best["theirs"]), rows


def main() -> None:
    options = parse(__doc__)
    python = os.environ.get("JAXMARL_PYTHON")
    names = ["3m"] if options.quick else list(BARS)
    if not python:
        note = "JaxMARL is not installed; the docstring says how to get it"
        report(
            [Claim(f"skirmish-vs-smax-{n}", None, BARS[n], note=note) for n in names],
            path=options.json,
        )
        return
    claims, table = [], []
    for name in names:
        peer = Peer(python, CHILD)
        ratio, rows = measure(name, peer, quick=options.quick)
        peer.close()
        table += rows
        claims.append(Claim(f"skirmish-vs-smax-{name}", ratio, BARS[name]))
    header = ("map", "batch", "ours/CPU s", "spread", "SMAX/CPU s", "compile s", "SMAX compile s")
    report(claims, header=header, table=table, path=options.json)


if __name__ == "__main__":
    main()
