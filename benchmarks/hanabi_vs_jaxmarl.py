"""Hanabi steps with observations of both seats a CPU second, against JaxMARL's Hanabi.

Two players, the full deck, random legal play. Ours: the batch form stepped from Python.
JaxMARL's: `step_env`, `get_legal_moves` and a categorical draw under `vmap`, `scan` and
`jit` on the CPU, at the best of several batch sizes; it is timed without its dealing (with
`step`, which deals at every step as its learners run it, it is shown too), ours with it.
Both build the encodings of both seats at every step. Compilation is left out on both sides.

Before timing, games with the same deck and the same actions are compared: legal moves,
rewards, ends and observations, but for its 25 numbers a card that say how likely each card
is where the canonical encoding says which cards hints leave.

JAX brings versions of its own, so it stays in an environment of its own: JAXMARL_PYTHON
names that environment's interpreter.

    python -m venv jaxmarl && jaxmarl/bin/pip install "jax[cpu]" jaxmarl
    JAXMARL_PYTHON=jaxmarl/bin/python python benchmarks/hanabi_vs_jaxmarl.py [--quick]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from harness import Claim, parse, report

import arena
from arena.rng import derive_many, stream_states
from games.hanabi import layout as at

NAME, BAR = "hanabi-vs-jaxmarl", 5.0
WIDTH = 1024  # episodes at once, ours
BATCHES = (64, 256, 1024, 4096)

CHILD = """
import json, os, sys, time
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print goes to the log
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax, jax.numpy as jnp, numpy as np
from jaxmarl import make

env = make("hanabi", num_agents=2)
names = env.agents


def column(actions):
    return {name: actions for name in names}


def follow(path):
    given = np.load(path)
    decks, actions = jnp.asarray(given["decks"]), jnp.asarray(given["actions"])
    reset = jax.jit(jax.vmap(env.reset_from_deck_of_pairs))
    step = jax.jit(jax.vmap(env.step_env))
    legal_moves = jax.jit(jax.vmap(env.get_legal_moves))
    seen, state = reset(decks)
    keys = jax.random.split(jax.random.PRNGKey(0), len(decks))
    found = {"tensor": [], "legal": [], "reward": [], "done": []}
    for t in range(actions.shape[1]):
        found["tensor"].append(np.stack([seen[name] for name in names], 1))
        legal = legal_moves(state)
        found["legal"].append(np.stack([legal[name] for name in names], 1))
        seen, state, reward, done, _ = step(keys, state, column(actions[:, t]))
        found["reward"].append(np.asarray(reward["__all__"]))
        found["done"].append(np.asarray(done["__all__"]))
    np.savez(path, **{key: np.stack(value, 1) for key, value in found.items()})


def runner(batch, steps, deals):
    advance = jax.vmap(env.step if deals else env.step_env)

    def one(carry, _):
        key, state, total = carry
        key, pick, move = jax.random.split(key, 3)
        legal = jax.vmap(env.get_legal_moves)(state)
        mover = jnp.argmax(state.cur_player_idx, axis=-1)
        own = jnp.where(mover[:, None] == 0, legal[names[0]], legal[names[1]])
        actions = jax.random.categorical(pick, jnp.where(own > 0, 0.0, -1e9))
        keys = jax.random.split(move, batch)
        seen, state, reward, _, _ = advance(keys, state, column(actions))
        # Every number is used, or the compiler would leave it out.
        total += sum(jnp.sum(seen[name]) for name in names) + jnp.sum(reward["__all__"])
        return (key, state, total), None

    @jax.jit
    def run(key):
        state = jax.vmap(env.reset)(jax.random.split(key, batch))[1]
        carry, _ = jax.lax.scan(one, (key, state, 0.0), None, steps)
        return carry[2]

    return run


runners = {}
for line in sys.stdin:
    task = json.loads(line)
    if task["what"] == "follow":
        follow(task["path"])
        answer = 0.0
    else:
        setting = (task["batch"], task["steps"], task["deals"])
        if setting not in runners:
            runners[setting] = runner(*setting)
            runners[setting](jax.random.PRNGKey(0)).block_until_ready()
        start = time.process_time()
        runners[setting](jax.random.PRNGKey(task["seed"])).block_until_ready()
        answer = time.process_time() - start
    print(json.dumps(answer), file=answers, flush=True)
"""


class Peer:
    """The child that runs JaxMARL."""

    def __init__(self, python: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the child lives
        self._child = subprocess.Popen(
            [python, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, **task: Any) -> float:
        """Send a task and return the answer."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(task) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(self._log.read().decode()[-2000:])
        return float(json.loads(line))

    def close(self) -> None:
        """End the child."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


def ours(game: Any, steps: int, seed: int) -> float:
    """Make `steps` moves in each of `WIDTH` episodes; return CPU seconds."""
    batch = game.form("batch", seeds=derive_many(seed, np.arange(WIDTH)))
    streams = stream_states(derive_many(seed + 1, np.arange(WIDTH)))
    start = time.process_time()
    for step in range(steps):
        batch.step(batch.sample(streams))
        batch.tensors()
        batch.renew(seed + 2 + step)
    return time.process_time() - start


def differences(game: Any, peer: Peer, games: int) -> str:
    """Play the same games on both sides; return the first difference, "" if there is none."""
    variant = game.form("hanabi")
    batch = game.form("batch", seeds=np.arange(games))
    streams = stream_states(derive_many(3, np.arange(games)))
    cards = batch.rows[:, at.DECK : at.DECK + variant.deck_size]
    decks = np.stack([cards >> 3, cards & 7], axis=2).astype(np.int64)
    actions, mine = [], []
    while (acting := batch.actors()).any():
        legal = batch.observe_mover().legal.copy()
        tensors = batch.tensors().copy()
        actions.append(batch.sample(streams)[:, 0])
        batch.step(actions[-1][:, None])
        over = ~batch.actors().any(axis=1)
        mine.append((acting, legal, tensors, batch.rewards()[:, 0].copy(), over))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "games.npz")
        np.savez(path, decks=decks, actions=np.stack(actions, 1))
        peer.ask(what="follow", path=path)
        theirs = dict(np.load(path))
    cards_known = np.ones(variant.tensor_size, dtype=np.bool_)
    width = variant.max_score + variant.colors + variant.ranks
    first = variant.tensor_size - game.seats * variant.cards_held * width
    for start in range(first, variant.tensor_size, width):
        cards_known[start : start + variant.max_score] = False
    for t, (acting, legal, tensors, paid, over) in enumerate(mine):
        for k in np.flatnonzero(acting.any(axis=1)):
            seat = int(acting[k].argmax())
            if (theirs["legal"][k, t, seat, :-1].astype(bool) != legal[k]).any():
                return f"legal moves in game {k}, move {t}"
            if (theirs["tensor"][k, t] != tensors[k])[:, cards_known].any():
                return f"observations in game {k}, move {t}"
            ruled_out = tensors[k][:, ~cards_known] == 0
            if (theirs["tensor"][k, t][:, ~cards_known][ruled_out] != 0).any():
                return f"cards that hints rule out in game {k}, move {t}"
            if theirs["reward"][k, t] != paid[k] or bool(theirs["done"][k, t]) != bool(over[k]):
                return f"reward or end in game {k}, move {t}"
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(__doc__, argv)
    python = os.environ.get("JAXMARL_PYTHON")
    if not python:
        note = "JaxMARL is not installed; the docstring says how to get it"
        report([Claim(NAME, None, BAR, note=note)], path=options.json)
        return 0
    game, peer = arena.make("hanabi"), Peer(python)
    try:
        if wrong := differences(game, peer, 20 if options.quick else 100):
            print(f"the two sides differ: {wrong}")
            return 1
        print("legal moves, rewards, ends and observations agree")
        rounds, steps, moves = (2, 300, 1 << 15) if options.quick else (5, 1500, 1 << 17)
        ours(game, 5, 0)
        speeds: dict[Any, list[float]] = {}
        for turn in range(rounds):
            speeds.setdefault("ours", []).append(WIDTH * steps / ours(game, steps, turn + 1))
            for batch in BATCHES:
                for deals in (False, True):
                    count = max(moves // batch, 16)
                    seconds = peer.ask(
                        what="time", batch=batch, steps=count, deals=deals, seed=turn
                    )
                    speeds.setdefault((batch, deals), []).append(batch * count / seconds)
    finally:
        peer.close()
    middle = {key: float(np.median(values)) for key, values in speeds.items()}
    best = max((key for key in middle if key != "ours"), key=middle.__getitem__)
    ratios = [a / b for a, b in zip(speeds["ours"], speeds[best], strict=True)]
    table = [(f"arena, batch {WIDTH}, deals", f"{middle['ours']:,.0f}")]
    table += [
        (f"JaxMARL, batch {batch}{', deals' if deals else ''}", f"{middle[batch, deals]:,.0f}")
        for batch in BATCHES
        for deals in (False, True)
    ]
    note = f"against its best, rounds from {min(ratios):.3g} to {max(ratios):.3g}"
    report(
        [Claim(NAME, float(np.median(ratios)), BAR, note=note)],
        table=table,
        header=("side", "steps per CPU second, both seats observed"),
        path=options.json,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
