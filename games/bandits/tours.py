"""Closed walks in a graph: which nodes fit on one of a given length.

f(S, v) is the length of a shortest walk from the source that visits S and ends in v ∈ S
(Held and Karp 1962, over shortest-path distances). S fits exactly when for some v
f(S, v) + d(v, source) ≤ length; parts of a set that fits fit too.
"""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.types import Mask

__all__ = ["Walks"]

_FAR = 1 << 20
_PERMUTED = 7


class Walks:
    """Closed walks from one source.

    Args:
        graph: `networkx.Graph` on 0 … J−1.
        source: where they start and end.
        budget: the greatest number of nodes acted on.
        steps: the greatest length.
    """

    def __init__(self, graph: Any, source: int, budget: int, steps: int) -> None:
        import networkx

        self._size, self._source = graph.number_of_nodes(), source
        self._budget, self._steps = budget, steps
        self.distance: NDArray[np.int64] = np.full((self._size, self._size), _FAR)
        for u, row in networkx.all_pairs_shortest_path_length(graph):
            for v, d in row.items():
                self.distance[u, v] = d
        self._known: dict[bytes, bool] = {}

    def allows(self, chosen: Mask) -> bool:
        """Return whether the chosen nodes lie on one walk, and are few enough."""
        if chosen.sum() > self._budget:
            return False
        nodes = [int(v) for v in np.flatnonzero(chosen) if v != self._source]
        if not nodes:
            return True
        if (2 * self.distance[self._source, nodes] > self._steps).any():
            return False
        if self._insertion(nodes) <= self._steps:
            return True
        key = chosen.tobytes()
        if key not in self._known:
            self._known[key] = self._exact(nodes)
        return self._known[key]

    def _insertion(self, nodes: list[int]) -> int:
        """Return the length of a walk through `nodes`, an upper bound on the shortest."""
        length, _ = self._extended(nodes)
        return length

    def _extended(self, nodes: list[int]) -> tuple[int, list[int]]:
        tour, length, d = [self._source], 0, self.distance
        for v in nodes:
            more, place = self._cheapest(tour, v)
            tour.insert(place, v)
            length += more
        improved = True
        while improved and len(tour) > 3:
            improved = False
            for i in range(1, len(tour) - 1):
                for k in range(i + 1, len(tour)):
                    a, b, c, e = tour[i - 1], tour[i], tour[k], tour[(k + 1) % len(tour)]
                    gain = int(d[a, b] + d[c, e] - d[a, c] - d[b, e])
                    if gain > 0:
                        tour[i : k + 1] = tour[i : k + 1][::-1]
                        length -= gain
                        improved = True
        return length, tour

    def _cheapest(self, tour: list[int], v: int) -> tuple[int, int]:
        d = self.distance
        after = tour[1:] + tour[:1]
        more = [int(d[a, v] + d[v, b] - d[a, b]) for a, b in zip(tour, after, strict=True)]
        place = int(np.argmin(more))
        return more[place], place + 1

    def _exact(self, nodes: list[int]) -> bool:
        """Decide by dynamic programming, dropping what cannot return in time."""
        d, source = self.distance, self._source
        full = (1 << len(nodes)) - 1
        layer = {(1 << k, k): int(d[source, v]) for k, v in enumerate(nodes)}
        for _ in range(len(nodes) - 1):
            after: dict[tuple[int, int], int] = {}
            for (mask, last), length in layer.items():
                for k, v in enumerate(nodes):
                    if mask >> k & 1:
                        continue
                    reach = length + int(d[nodes[last], v])
                    if reach + d[v, source] > self._steps:
                        continue
                    key = (mask | 1 << k, k)
                    if reach < after.get(key, _FAR):
                        after[key] = reach
            layer = after
        return any(
            mask == full and length + d[nodes[last], source] <= self._steps
            for (mask, last), length in layer.items()
        )

    def listed(self, limit: int) -> Mask | None:
        """Return all sets of nodes that fit, unless there are more than `limit`."""
        d, source = self.distance, self._source
        near = [v for v in range(self._size) if v != source and 2 * d[source, v] <= self._steps]
        sets: list[set[int]] = [{0}]
        layer: dict[tuple[int, int], int] = {(1 << v, v): int(d[source, v]) for v in near}
        for count in range(1, self._budget + 1):
            sets.append({mask for mask, _ in layer})
            if sum(map(len, sets)) > limit:
                return None
            if count == self._budget:
                break
            after: dict[tuple[int, int], int] = {}
            for (mask, last), length in layer.items():
                for v in near:
                    if mask >> v & 1:
                        continue
                    reach = length + int(d[last, v])
                    key = (mask | 1 << v, v)
                    if reach + d[v, source] <= self._steps and reach < after.get(key, _FAR):
                        after[key] = reach
            layer = after
        # The source is on every walk; acting on it only takes a place in the budget.
        masks = [mask for level in sets for mask in level]
        masks += [mask | 1 << source for level in sets[: self._budget] for mask in level]
        if len(masks) > limit:
            return None
        found = np.zeros((len(masks), self._size), dtype=np.bool_)
        for row, mask in enumerate(masks):
            found[row] = [mask >> v & 1 for v in range(self._size)]
        return found

    def sample(self, rng: np.random.Generator) -> Mask:
        """Return a random set: nodes in random order, each put on the walk where it fits."""
        chosen = np.zeros(self._size, dtype=np.bool_)
        tour, length = [self._source], 0
        for v in rng.permutation(self._size):
            if chosen.sum() == self._budget:
                break
            if v == self._source:
                chosen[v] = True
                continue
            more, place = self._cheapest(tour, int(v))
            if length + more <= self._steps:
                tour.insert(place, int(v))
                length += more
                chosen[v] = True
        return chosen

    def walk(self, chosen: Mask) -> list[int]:
        """Return the stops of a closed walk that visits what is chosen, for pictures.

        It is a shortest one up to seven nodes, beyond that a short one.
        """
        nodes = [int(v) for v in np.flatnonzero(chosen) if v != self._source]
        length, tour = self._extended(nodes)
        if length <= self._steps or len(nodes) > _PERMUTED:
            return tour

        def steps(order: tuple[int, ...]) -> int:
            stops = [self._source, *order, self._source]
            return sum(int(self.distance[a, b]) for a, b in pairwise(stops))

        return [self._source, *min(permutations(nodes), key=steps)]
