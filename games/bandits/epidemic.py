"""`bandits/epidemic`: an infection on a contact network, with treatment for few at a time.

Each arm is a node, healthy (state 0) or infected (1). With c infected neighbours a healthy node
catches the infection with probability 1 − (1 − ε)(1 − β_j)^c; acting on it shields it from most
of that for the step. An infected node recovers with probability δ_j by itself, ρ_j if it is
treated. A step pays the weights of the nodes that are healthy after it. At most `budget` nodes
are acted on in a step, on a network in which more than that fall ill: whom to treat depends on
who among the neighbours is infected now, and a treated node protects its neighbours later.

Source: Ganesh, Massoulié and Towsley 2005 (the process); Drakopoulos, Ozdaglar and Tsitsiklis
2014, IEEE TNSE 1(2) (curing under a budget); Ou, Siebenbrunner, Killian et al. 2022, AAMAS
(networked restless bandits).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.errors import ParameterError, UnknownNameError
from arena.rng import generator
from games.bandits.constraints import budget_set
from games.bandits.form import RestlessBandit
from games.bandits.influence import InfluencedBandit

__all__ = ["NETWORKS", "epidemic"]

NETWORKS = ("communities", "small_world", "grid")
"""Communities of four in a ring, each linked to the next; Watts and Strogatz; four rows."""

_IMPORT = 0.005
"""ε: an infection from outside."""
_SHIELD = 0.8
"""How much of the danger acting on a healthy node takes away."""


def epidemic(
    *,
    arms: int = 20,
    budget: int = 3,
    horizon: int = 30,
    instance: int = 0,
    network: str = "communities",
) -> RestlessBandit:
    """An infection on a contact network: treat or shield `budget` nodes a step."""
    if not 1 <= budget <= arms:
        raise ParameterError("budget", budget, f"1 to {arms}, the number of arms")
    rng = generator(instance, "bandits", "epidemic")
    graph = _graph(network, arms, rng)
    import networkx as nx

    near = nx.to_numpy_array(graph, nodelist=range(arms), weight=None).astype(np.int64)
    counted = int(near.sum(axis=1).max()) + 1
    catch, cure = rng.uniform(0.25, 0.45, arms), rng.uniform(0.7, 0.9, arms)
    heal, weight = rng.uniform(0.0, 0.1, arms), rng.uniform(0.5, 1.5, arms)
    chances = np.zeros((arms, 2 * counted, 2, 2))
    for count in range(counted):
        danger = 1.0 - (1.0 - _IMPORT) * (1.0 - catch) ** count
        chances[:, 2 * count, 0, 1] = danger
        chances[:, 2 * count + 1, 0, 1] = (1.0 - _SHIELD) * danger
        chances[:, 2 * count, 1, 0] = heal
        chances[:, 2 * count + 1, 1, 0] = cure
    chances[:, :, 0, 0] = 1.0 - chances[:, :, 0, 1]
    chances[:, :, 1, 1] = 1.0 - chances[:, :, 1, 0]
    reward = np.zeros_like(chances)
    reward[..., 0] = weight[:, None, None]
    return InfluencedBandit(
        chances,
        reward,
        budget_set(arms, budget),
        initial=np.full((arms, 2), 0.5),
        horizon=horizon,
        title=f"epidemic on {network}",
        link=np.eye(arms, dtype=np.int64),
        neighbours=near,
        counted=counted,
        extra={"network": graph},
    )


def _graph(network: str, arms: int, rng: np.random.Generator) -> Any:
    import networkx as nx

    if network not in NETWORKS:
        raise UnknownNameError("network", network, NETWORKS)
    least = 8 if network != "small_world" else 6
    if arms < least or (network != "small_world" and arms % 4):
        wanted = f"at least {least}" + ("" if network == "small_world" else ", a multiple of 4")
        raise ParameterError("arms", arms, wanted)
    if network == "communities":
        return nx.connected_caveman_graph(arms // 4, 4)
    if network == "grid":
        return nx.convert_node_labels_to_integers(nx.grid_2d_graph(4, arms // 4))
    return nx.connected_watts_strogatz_graph(arms, 4, 0.1, seed=int(rng.integers(2**31)))
