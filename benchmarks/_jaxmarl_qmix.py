"""JaxMARL's own QMIX on SMAX, run by JAXMARL_PYTHON: a line of JSON whenever it has been tested.

    python _jaxmarl_qmix.py SOURCES MAP STEPS

SOURCES is a copy of https://github.com/FLAIROx/JaxMARL. Its training script is used as it is;
of its settings for SMAX those are changed that make it quicker here: widths, learning rate and
exploration as in PyMARL, so that one CPU core suffices.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

EVERY = 20_000
SMALLER = {
    **{"HIDDEN_SIZE": 64, "MIXER_EMBEDDING_DIM": 32, "MIXER_HYPERNET_HIDDEN_DIM": 64},
    **{"LR": 5e-4, "TEST_NUM_ENVS": 100, "WANDB_MODE": "in our hands"},
}


def main() -> None:
    source, name, steps = Path(sys.argv[1]) / "baselines" / "QLearning", sys.argv[2], sys.argv[3]
    import jax
    import yaml

    spec = importlib.util.spec_from_file_location("qmix_rnn", source / "qmix_rnn.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    config = yaml.safe_load((source / "config" / "alg" / "ql_rnn_smax.yaml").read_text())
    config |= SMALLER | {"MAP_NAME": name, "TOTAL_TIMESTEPS": int(steps)}
    config |= {"EPS_DECAY": 50_000 / int(steps), "TEST_INTERVAL": EVERY / int(steps)}
    begun, tested = 0.0, 0

    def log(metrics: dict[str, Any]) -> None:
        nonlocal tested
        at = int(metrics["env_step"])
        if at // EVERY > tested:
            tested = at // EVERY
            won = float(metrics["test_returned_won_episode"])
            print(json.dumps([time.process_time() - begun, at, won]), flush=True)

    script.wandb.log = log
    env, _ = script.env_from_config(config)
    train = jax.jit(script.make_train(config, env)).lower(jax.random.PRNGKey(1)).compile()
    begun = time.process_time()
    print(json.dumps([0.0, 0, 0.0]), flush=True)
    jax.block_until_ready(train(jax.random.PRNGKey(1)))


if __name__ == "__main__":
    main()
