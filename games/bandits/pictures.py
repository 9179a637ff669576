"""Pictures of bandits: arms over time, a chosen walk or matching, returns of policies.

Each function draws into a matplotlib figure of its own and returns it; `figure.savefig(path)`
writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import MissingDependencyError, ParameterError
from games.bandits.form import RestlessBandit

__all__ = ["draw_action", "draw_arms", "draw_returns"]


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure and its axes that need no display.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "matplotlib", "pip install matplotlib", purpose="pictures of bandits"
        ) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def draw_arms(
    levels: NDArray[np.integer[Any]],
    actions: NDArray[np.integer[Any]] | None = None,
    *,
    title: str = "",
) -> Any:
    """Draw the states of the arms over time, and a dot where an arm was acted on.

    Args:
        levels: shape (T, J).
        actions: whether arms were acted on, shape (T, J), T or T − 1 rows.
        title: above the picture.
    """
    shown = np.asarray(levels)
    if shown.ndim != 2 or not shown.size:
        raise ParameterError("levels.shape", shown.shape, "(T, J)")
    figure, axes = _figure(max(5.0, 0.28 * len(shown)), max(2.5, 0.2 * shown.shape[1]))
    top = int(shown.max())
    image = axes.imshow(
        shown.T, aspect="auto", cmap="viridis", vmin=0, vmax=max(top, 1), interpolation="nearest"
    )
    if actions is not None:
        step, arm = np.nonzero(np.asarray(actions))
        axes.scatter(step, arm, s=22, c="white", edgecolors="black", linewidths=0.7)
    axes.locator_params(integer=True)
    axes.set(xlabel="step (dot: acted on)", ylabel="arm", title=title)
    bar = figure.colorbar(image, ax=axes, label="state")
    if top <= 12:
        bar.set_ticks(range(top + 1))
    return figure


def draw_action(
    form: RestlessBandit,
    action: Sequence[int] | Any,
    *,
    levels: Sequence[int] | Any = None,
    title: str = "",
) -> Any:
    """Draw a chosen action: the walk of a path bandit, the matching of a schedule, a network.

    Args:
        form: the bandit.
        action: shape (N,).
        levels: the arms' states, which colour a network's nodes, shape (J,).
        title: above the picture.

    Raises:
        ParameterError: the bandit has neither a graph nor slots.
        IllegalActionError: the action is not feasible.
    """
    chosen = form.feasible.check(action)
    if "graph" in form.extra:
        return _walk(form, chosen, title)
    if "network" in form.extra:
        return _network(form, chosen, levels, title)
    if "arm_slots" in form.extra:
        return _matching(form, chosen, title)
    raise ParameterError("bandit", form.title or "this", "one with a graph or slots to draw")


def _walk(form: RestlessBandit, chosen: NDArray[np.bool_], title: str) -> Any:
    import networkx

    from games.bandits.tours import Walks

    graph, source = form.extra["graph"], form.extra["source"]
    where = networkx.get_node_attributes(graph, "pos")
    names = networkx.get_node_attributes(graph, "name")
    figure, axes = _figure(9.0, 6.5)
    networkx.draw_networkx_edges(graph, where, ax=axes, edge_color="0.75")
    budget = int(chosen.sum())
    tour = Walks(graph, source, budget, 2 * budget).walk(chosen)
    for a, b in zip(tour, [*tour[1:], tour[0]], strict=True):
        way = networkx.shortest_path(graph, a, b)
        links = list(pairwise(way))
        networkx.draw_networkx_edges(graph, where, links, ax=axes, edge_color="tab:red", width=2.5)
    colours = [
        "tab:orange" if chosen[v] else "tab:blue" if v == source else "white" for v in graph.nodes
    ]
    networkx.draw_networkx_nodes(
        graph,
        where,
        ax=axes,
        node_color=colours,
        node_size=130,
        edgecolors=["tab:blue" if v == source else "0.3" for v in graph.nodes],
    )
    near = {v: (x, y) for v, (x, y) in where.items()}
    labels = {v: names.get(v, str(v)) for v in graph.nodes} if form.arms <= 40 else names
    shift = 0.012 * (max(y for _, y in near.values()) - min(y for _, y in near.values()))
    for v, (x, y) in near.items():
        axes.annotate(
            labels.get(v, str(v)),
            (x, y + 2.2 * shift),
            ha="center",
            fontsize=7 if form.arms <= 40 else 4.5,
            color="black" if chosen[v] or v == source else "0.45",
        )
    axes.set_title(title or "acted on (orange) along a walk from the source (blue)")
    axes.set_axis_off()
    return figure


def _network(form: RestlessBandit, chosen: NDArray[np.bool_], levels: Any, title: str) -> Any:
    """Draw a contact network: nodes by their states, thick rings where they are acted on."""
    import networkx

    network = form.extra["network"]
    where = networkx.kamada_kawai_layout(network)
    shown = np.zeros(form.arms) if levels is None else np.asarray(levels, dtype=float)
    if shown.shape != (form.arms,):
        raise ParameterError("levels.shape", shown.shape, f"({form.arms},)")
    figure, axes = _figure(7.0, 5.5)
    networkx.draw_networkx_edges(network, where, ax=axes, edge_color="0.7")
    networkx.draw_networkx_nodes(
        network,
        where,
        ax=axes,
        node_color=shown,
        cmap="YlOrRd",
        vmin=0,
        vmax=1.6 * max(form.states - 1, 1),  # so that the numbers can be read
        node_size=330,
        edgecolors=["tab:blue" if on else "0.3" for on in chosen],
        linewidths=[4.0 if on else 0.8 for on in chosen],
    )
    networkx.draw_networkx_labels(network, where, ax=axes, font_size=8)
    axes.set_title(title or "infected (red), acted on (blue rings)")
    axes.set_axis_off()
    return figure


def _matching(form: RestlessBandit, chosen: NDArray[np.bool_], title: str) -> Any:
    """Draw arms on the left, worker-slots on the right, and who serves whom."""
    import networkx

    arm_slots, worker_slots = form.extra["arm_slots"], form.extra["worker_slots"]
    acted = np.flatnonzero(chosen).tolist()
    places = [(i, s) for i, own in enumerate(worker_slots) for s in own]
    # Two units of flow from each acted arm to worker-slots that suit it.
    flow = networkx.DiGraph()
    for j in acted:
        flow.add_edge("start", ("arm", j), capacity=2)
        for place in places:
            if place[1] in arm_slots[j]:
                flow.add_edge(("arm", j), place, capacity=1)
    for place in places:
        flow.add_edge(place, "end", capacity=1)
    served = networkx.maximum_flow(flow, "start", "end")[1] if acted else {}
    figure, axes = _figure(7.0, max(3.0, 0.3 * max(form.arms, len(places))))
    left = {j: 1.0 - j / max(form.arms - 1, 1) for j in range(form.arms)}
    right = {place: 1.0 - k / max(len(places) - 1, 1) for k, place in enumerate(places)}
    for j in range(form.arms):
        for place in places:
            if place[1] in arm_slots[j]:
                axes.plot([0, 1], [left[j], right[place]], color="0.9", linewidth=0.6, zorder=1)
    for j in acted:
        for place, units in served[("arm", j)].items():
            if units:
                axes.plot([0, 1], [left[j], right[place]], color="tab:red", linewidth=2, zorder=2)
    colours = ["tab:orange" if chosen[j] else "white" for j in left]
    axes.scatter([0] * len(left), list(left.values()), c=colours, edgecolors="0.3", zorder=3)
    axes.scatter([1] * len(right), list(right.values()), c="white", edgecolors="0.3", zorder=3)
    for j, y in left.items():
        axes.annotate(f"arm {j}", (-0.03, y), ha="right", va="center", fontsize=7)
    for (i, s), y in right.items():
        axes.annotate(f"worker {i}, slot {s}", (1.03, y), va="center", fontsize=7)
    axes.set(xlim=(-0.25, 1.4), title=title or "acted on (orange) and who serves them, twice each")
    axes.set_axis_off()
    return figure


def draw_returns(
    returns: Mapping[str, NDArray[np.floating[Any]]], *, bound: float | None = None, title: str = ""
) -> Any:
    """Draw mean returns so far, step by step, with a band of 95%.

    Args:
        returns: policy to returns so far, shape (N, T): N episodes.
        bound: what any policy earns at most in a whole episode, as a line.
        title: above the picture.
    """
    figure, axes = _figure(7.5, 4.5)
    for name, table in returns.items():
        rows = np.atleast_2d(np.asarray(table, dtype=np.float64))
        step = np.arange(1, rows.shape[1] + 1)
        mean = rows.mean(axis=0)
        axes.plot(step, mean, label=name)
        if len(rows) > 1:
            half = 1.96 * rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
            axes.fill_between(step, mean - half, mean + half, alpha=0.2)
    if bound is not None:
        axes.axhline(bound, color="black", linestyle="--", linewidth=1, label="bound")
    axes.locator_params(axis="x", integer=True)
    axes.set(xlabel="step", ylabel="return so far", title=title)
    axes.legend()
    return figure
