"""Extensive-form (coarse) correlated equilibria of any tree, by regret over deviations.

Each seat guards against every trigger k with told sequence σ_k: for EFCE each sequence
(I, a), told by the recommendation of a; for EFCCE each infoset I, told by getting there. Let
q_k be a policy from I on, and φ_k the change that plays q_k instead once k is triggered:

1. x with x = Σ_k λ_k φ_k(x): infoset by infoset, from the root,

       EFCCE  x(Jb) Σ_{I ≤ J} λ_I = Σ_{I ≤ J} λ_I x(σ(I)) q_I(Jb)                          (1)
       EFCE   x(Jb) Σ_{Ia ≤ Jb} λ_{Ia} = Σ_{I ≤ J, a} λ_{Ia} x(Ia) q_{Ia}(Jb)               (2)

2. all seats play their x; g is each sequence's payoff against the others;
3. each q_k follows regret matching+ at the infosets from I on, payoffs times x(σ_k);
4. λ follows regret matching+ on what φ_k adds.

The regret of never having used the best φ_k vanishes, so the joint play, averaged, is an
equilibrium in the limit, for any number of seats.

Source: Farina, Celli, Marchesi and Gatti 2022, "Simple uncoupled no-regret learning dynamics
for extensive-form correlated equilibrium", sections 4 and 5; Farina, Bianchi and Sandholm
2020, "Coarse correlation in extensive-form games", section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.tree import Tree

__all__ = ["TriggerPlay"]

Reals = NDArray[np.float64]


@dataclass
class _Trigger:
    """One trigger of a seat, its regrets and its policy, by sequence from its infoset on."""

    told: int
    infosets: list[int]
    policy: dict[int, float]
    regret: dict[int, float]
    plan: dict[int, float]


class TriggerPlay:
    """The joint play of seats that guard against triggers.

    Args:
        tree: of perfect recall.
        coarse: EFCCE rather than EFCE.
    """

    def __init__(self, tree: Tree, *, coarse: bool) -> None:
        self._tree, self._coarse = tree, coarse
        self._ends = [
            range(f, f + n)
            for f, n in zip(tree.info_first.tolist(), tree.info_actions.tolist(), strict=True)
        ]
        self._parent = tree.info_parent.tolist()
        self._paid = tree.payoffs * tree.terminal_chance
        self._later: dict[int, list[int]] = {}
        for infoset, parent in enumerate(self._parent):
            self._later.setdefault(parent, []).append(infoset)
        self._own = [
            range(int(tree.seat_infoset[p]), int(tree.seat_infoset[p + 1]))
            for p in range(tree.seats)
        ]
        self._triggers = [self._start(own) for own in self._own]
        # For each infoset: the triggers at or before it, and whether they are told on the way.
        self._at: dict[int, list[tuple[int, bool]]] = {}
        for triggers in self._triggers:
            for k, trigger in enumerate(triggers):
                for infoset in trigger.infosets:
                    led = coarse or self._leads(trigger.told, infoset)
                    self._at.setdefault(infoset, []).append((k, led))
        self._gain = [np.zeros(len(triggers)) for triggers in self._triggers]
        self._behaviour = tree.uniform()
        self._plan = np.ones(tree.n_sequences)
        self._settle()

    def behaviour(self) -> Reals:
        """Return the current policies of all seats, shape (Q,)."""
        return self._behaviour.copy()

    def advance(self) -> None:
        """Play once and learn from it."""
        tree = self._tree
        reach = self._plan[tree.terminal_sequences]
        for p in range(tree.seats):
            others = np.prod(np.delete(reach, p, axis=0), axis=0)
            worth = np.bincount(
                tree.terminal_sequences[p],
                weights=self._paid[p] * others,
                minlength=tree.n_sequences,
            ).tolist()
            self._learn(p, worth)
        self._settle()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all regrets; policies and plans follow from them."""
        regrets = [[*t.regret.values()] for triggers in self._triggers for t in triggers]
        return {
            "regret": np.array([r for row in regrets for r in row]),
            "gain": np.concatenate(self._gain),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `arrays`."""
        left = iter(arrays["regret"].tolist())
        for triggers in self._triggers:
            for trigger in triggers:
                for i in trigger.infosets:
                    for s in self._ends[i]:
                        trigger.regret[s] = next(left)
                    self._match(trigger, i)
                self._realize(trigger)
        cut = np.cumsum([len(triggers) for triggers in self._triggers])[:-1]
        self._gain = [part.copy() for part in np.split(arrays["gain"], cut)]
        self._settle()

    def _match(self, trigger: _Trigger, infoset: int) -> None:
        """Bring the trigger's policy at an infoset in line with its regrets."""
        ends = self._ends[infoset]
        total = sum(trigger.regret[s] for s in ends)
        for s in ends:
            trigger.policy[s] = trigger.regret[s] / total if total > 0 else 1.0 / len(ends)

    def _start(self, own: range) -> list[_Trigger]:
        triggers = []
        for infoset in own:
            below = self._below(infoset)
            sequences = [s for i in below for s in self._ends[i]]
            for told in [self._parent[infoset]] if self._coarse else self._ends[infoset]:
                policy = {s: 1.0 / len(self._ends[i]) for i in below for s in self._ends[i]}
                triggers.append(_Trigger(told, below, policy, dict.fromkeys(sequences, 0.0), {}))
                self._realize(triggers[-1])
        return triggers

    def _below(self, infoset: int) -> list[int]:
        """Return the infoset and those after it, in topological order."""
        found = [infoset]
        for i in found:  # grows while it is read
            for sequence in self._ends[i]:
                found += self._later.get(sequence, [])
        return found

    def _realize(self, trigger: _Trigger) -> None:
        """Bring the trigger's plan in line with its policy; it has 1 to give at its infoset."""
        for i in trigger.infosets:
            before = trigger.plan[self._parent[i]] if i != trigger.infosets[0] else 1.0
            for s in self._ends[i]:
                trigger.plan[s] = before * trigger.policy[s]

    def _learn(self, seat: int, worth: list[float]) -> None:
        """Steps 3 and 4 for one seat, given its g."""
        followed = self._followed(seat, worth)
        for k, trigger in enumerate(self._triggers[seat]):
            scale = float(self._plan[trigger.told])
            value: dict[int, float] = {}
            for i in reversed(trigger.infosets):
                each = [
                    worth[s] + sum(value[j] for j in self._later.get(s, ())) for s in self._ends[i]
                ]
                mean = sum(v * trigger.policy[s] for v, s in zip(each, self._ends[i], strict=True))
                value[i] = mean
                for v, s in zip(each, self._ends[i], strict=True):
                    trigger.regret[s] = max(0.0, trigger.regret[s] + scale * (v - mean))
                self._match(trigger, i)
            first = trigger.infosets[0]
            kept = (
                sum(followed[s] for s in self._ends[first])
                if self._coarse
                else followed[trigger.told]
            )
            added = scale * value[first] - kept
            self._gain[seat][k] = max(0.0, self._gain[seat][k] + added)
            self._realize(trigger)

    def _followed(self, seat: int, worth: list[float]) -> dict[int, float]:
        """Return what following earns at and after each sequence."""
        out: dict[int, float] = {}
        for i in reversed(self._own[seat]):
            for s in self._ends[i]:
                later = (out[r] for j in self._later.get(s, ()) for r in self._ends[j])
                out[s] = float(self._plan[s]) * worth[s] + sum(later)
        return out

    def _settle(self) -> None:
        """Step 1 for every seat."""
        for p, own in enumerate(self._own):
            total = float(self._gain[p].sum())
            count = max(1, len(self._gain[p]))
            weight = self._gain[p] / total if total > 0 else np.full(count, 1.0 / count)
            for infoset in own:
                self._fix(p, infoset, weight)

    def _fix(self, seat: int, infoset: int, weight: Reals) -> None:
        """Solve (1) or (2) at one infoset; those before it are done."""
        ends = self._ends[infoset]
        first, size = ends[0], len(ends)
        given = float(self._plan[self._parent[infoset]])
        inflow = np.zeros(size)
        system = np.zeros((size, size))  # of the unknowns x(Jb)
        for k, led in self._at[infoset]:
            trigger, share = self._triggers[seat][k], float(weight[k])
            plan = np.array([trigger.plan[s] for s in ends])
            if not self._coarse and trigger.told in ends:
                system[trigger.told - first, trigger.told - first] += share
                system[:, trigger.told - first] -= share * plan
                continue
            inflow += share * float(self._plan[trigger.told]) * plan
            if led:
                system[np.diag_indices(size)] += share
        if given <= 0.0:
            share_of = np.full(size, 1.0 / size)
        else:
            # Columns of the system add up to the share from above; if that is nothing the
            # solutions form a line or more, of which the one that adds up is taken.
            rows = np.vstack([system, np.ones(size)])
            found = np.linalg.lstsq(rows, np.append(inflow / given, 1.0), rcond=None)[0]
            found = np.maximum(found, 0.0)
            share_of = found / found.sum()
        self._behaviour[first : first + size] = share_of
        self._plan[first : first + size] = given * share_of

    def _leads(self, sequence: int, infoset: int) -> bool:
        """Whether a sequence is on the way to an infoset."""
        at = self._parent[infoset]
        while at > sequence:
            at = self._parent[self._tree_infoset(at)] if self._played(at) else -1
        return bool(at == sequence)

    def _played(self, sequence: int) -> bool:
        return bool(self._tree.sequence_action[sequence] >= 0)

    def _tree_infoset(self, sequence: int) -> int:
        return int(np.searchsorted(self._tree.info_first, sequence, side="right")) - 1
