"""The feasible action that a network values most, with a certified gap.

`Maximiser` takes the first that applies:

1. `enumeration`: where at most `listed` actions are feasible, all are valued;
2. `branching`: branch and bound over actions (`solvers.sequoia.branch`), with a node limit;
3. `highs`: the mixed-integer program (`solvers.sequoia.program`), begun with the best action
   that is known; `scip` and `gurobi` solve the same program where they are asked for.

Bounds of neurons come from linear relaxation over the number of actions that may be on;
`tighten` improves them by linear programs. An answer is valued again by the network itself,
and one that differs from what the method said is an error.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, ParameterError
from games.bandits.constraints import FeasibleSet
from solvers.loop import choice, positive, whole
from solvers.sequoia.branch import Brancher, Found
from solvers.sequoia.encode import ActionNet, ReluNet
from solvers.sequoia.local import climb, dense_rows, feasible_rows
from solvers.sequoia.program import NetProgram, tighten

__all__ = ["METHODS", "Decision", "Maximiser"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

METHODS = ("auto", "enumeration", "branching", "highs", "scip", "gurobi")

_BLOCK = 4_000_000
"""Numbers in a block of actions that are valued together."""

_MISMATCH = 1e-6


@dataclass(frozen=True, eq=False)
class Decision:
    """An answer.

    Attributes:
        action: zeros and ones, shape (N,).
        value: Q of it, by the network itself.
        bound: no feasible action is worth more.
        gap: certified: (bound − value) / max(1, |value|).
        status: `optimal` (within the gap), `time limit` or `node limit`.
        method: which of `METHODS` answered.
        nodes: of its search.
        seconds: wall time.
        fallback: whether the program had nothing better than the start when time was up.
    """

    action: Ints
    value: float
    bound: float
    gap: float
    status: str
    method: str
    nodes: int
    seconds: float
    fallback: bool = False


class Maximiser:
    """Maximises networks over one feasible set; what depends on the set is built once.

    Args:
        chosen: the set.
        method: one of `METHODS`.
        gap: relative to the value (absolute below one) at which an answer is `optimal`.
        seconds: time limit of a program's decision; None: none.
        listed: feasible actions up to which `auto` values them all.
        nodes: limit of `branching`; `auto` leaves the rest to HiGHS.
        tighten: whether neuron bounds are tightened by linear programs before a program.

    Attributes:
        counts: how many decisions each method made, and `fallback`, how many of them were no
            more than the start of the local search.

    Raises:
        ArenaError: the set is empty.
        ParameterError: a setting out of range, or `enumeration` of a set too large.
        MissingDependencyError: the solver is not installed.
    """

    def __init__(
        self,
        chosen: FeasibleSet,
        *,
        method: str = "auto",
        gap: float = 1e-4,
        seconds: float | None = None,
        listed: int = 20_000,
        nodes: int = 5_000,
        tighten: bool = False,
    ) -> None:
        self.chosen = chosen
        self.method = choice("method", method, METHODS)
        self.gap = positive("gap", gap)
        self.seconds = None if seconds is None else positive("seconds", seconds)
        self._tighten = tighten
        whole("listed", listed)
        whole("nodes", nodes, least=1)
        self.counts = dict.fromkeys((*METHODS[1:], "fallback"), 0)
        self._rows = dense_rows(chosen)
        found = chosen.listed(listed) if method == "auto" and listed else None
        if method == "enumeration":
            found = chosen.listed(10_000_000)
            if found is None:
                raise ParameterError("method", method, "another: too many actions are feasible")
        if found is not None and not len(found):
            raise _empty(chosen)
        self.listed = None if found is None else found.astype(np.float64)
        self._brancher: Brancher | None = None
        self._first: Ints | None = None
        if self.listed is None:
            self._brancher = Brancher(chosen, most_nodes=nodes)
            self._program = self._prepared()

    def _prepared(self) -> Any:
        if self.method in ("scip", "gurobi"):
            from solvers.sequoia.external import ExternalProgram

            return ExternalProgram(self.chosen, self.method)
        return NetProgram(self.chosen)

    # -- answering ---------------------------------------------------------------------

    def best(
        self,
        net: ReluNet,
        *,
        base: Any = None,
        effect: Any = None,
        start: Any = None,
        bounds: Any = None,
        module: Any = None,
    ) -> Decision:
        """Return the feasible action that the network values most.

        Args:
            net: with N inputs, or with more and `base`, `effect` (see `ReluNet.fix`).
            base: what the inputs are without any action.
            effect: what actions do to the inputs.
            start: a feasible action to begin with, shape (N,).
            bounds: your own (lower, upper) of all pre-activations, shape (T,) each.
            module: the torch module that `net` was read from; the answer is valued by it too.

        Raises:
            ParameterError: sizes that do not fit, or bounds that no action meets.
            IllegalActionError: `start` is not feasible.
            ArenaError: the answer's value is not what the method said.
        """
        begun = time.perf_counter()
        fixed = self._fixed(net, base, effect)
        if start is not None:
            start = self.chosen.check(start).astype(np.int64)
        if self.listed is not None:
            found, method, fallback = self._enumerated(fixed), "enumeration", False
        else:
            found, method, fallback = self._searched(fixed, start, bounds)
        self.counts[method] += 1
        self.counts["fallback"] += fallback
        again = self._checked(net, found, base=base, effect=effect, module=module)
        scale = max(1.0, abs(again))
        gap = max(0.0, found.bound - again) / scale
        status = "node limit" if method == "branching" else "time limit"
        return Decision(
            found.action,
            again,
            max(found.bound, again),
            gap,
            "optimal" if found.done else status,
            method,
            found.nodes,
            time.perf_counter() - begun,
            fallback,
        )

    def limit(self, nodes: int) -> None:
        """Stop at so many nodes of branch and bound, where it suits, and leave it at that."""
        if self._brancher is not None and self._brancher.suits:
            self.method = "branching"
            self._brancher.most_nodes = whole("nodes", nodes, least=1)

    def forget(self) -> None:
        """Drop the rows that branch and bound has found so far about a set."""
        if self._brancher is not None:
            self._brancher.forget()

    def _fixed(self, net: ReluNet, base: Any, effect: Any) -> ActionNet:
        n = self.chosen.size
        if base is None and effect is None:
            base, effect = np.zeros(net.inputs), np.arange(net.inputs)
        elif base is None or effect is None:
            raise ParameterError("base, effect", "one of them", "both or none")
        fixed = net if isinstance(net, ActionNet) else net.fix(base, effect)
        if fixed.inputs != n:
            raise ParameterError("actions of the network", fixed.inputs, f"{n}, as the set has")
        return fixed

    def _enumerated(self, net: ActionNet) -> Found:
        listed: Any = self.listed
        values = values_in_blocks(net, listed)
        k = int(values.argmax())
        best = float(values[k])
        return Found(listed[k].astype(np.int64), best, best, len(listed), True)

    def _searched(self, net: ActionNet, start: Ints | None, given: Any) -> tuple[Found, str, bool]:
        brancher: Any = self._brancher
        first = self._any() if start is None else start
        bounds = brancher.bounds(net, given)
        branches = self.method == "branching" or (self.method == "auto" and brancher.suits)
        known: Found | None = None
        if branches:
            if not brancher.suits:
                raise ParameterError(
                    "method", "branching", "highs: refused actions of this set make no rows"
                )
            known = brancher.search(net, first, gap=self.gap, bounds=bounds)
            if known.done or self.method == "branching":
                return known, "branching", False
            first = known.action
        first = climb(net, self.chosen, first, rows=self._rows)[0]
        if self._tighten:
            bounds, _ = tighten(self._tightener(), net, bounds)
        method = "highs" if self.method == "auto" else self.method
        answer = self._program.solve(net, first, bounds=bounds, gap=self.gap, seconds=self.seconds)
        value = float(net.values(first[None])[0])
        ceiling = np.inf if known is None else known.bound
        if answer is None:
            ceiling = min(ceiling, self._ceiling(net, bounds))
            return Found(first, value, ceiling, 0, False), method, True
        if answer.value < value:
            answer = Found(first, value, answer.bound, answer.nodes, answer.done)
        bound = min(answer.bound, ceiling)
        found = Found(answer.action, answer.value, bound, answer.nodes, answer.done)
        return found, method, not answer.done and bool((answer.action == first).all())

    def _tightener(self) -> NetProgram:
        own: NetProgram = getattr(self._program, "program", self._program)
        return own

    def _ceiling(self, net: ActionNet, bounds: tuple[Reals, Reals]) -> float:
        from solvers.sequoia import _bound_kernels as kernels

        brancher: Any = self._brancher
        n = net.inputs
        return float(
            kernels.output_bound(
                net.starts, net.weight, net.bias, net.out, net.constant, brancher.fixed,
                *brancher.free(), *bounds, np.empty(n + len(net.bias)), np.empty(n),
            )
        )  # fmt: skip

    def _any(self) -> Ints:
        """Return some feasible action: nothing where that is allowed."""
        if self._first is None:
            nothing = np.zeros(self.chosen.size, dtype=np.int64)
            if self.chosen.allows(nothing):
                self._first = nothing
            else:
                self._first = self.chosen.sample(np.random.Generator(np.random.PCG64(0))).astype(
                    np.int64
                )
        return self._first

    def _checked(self, net: ReluNet, found: Found, *, base: Any, effect: Any, module: Any) -> float:
        """Return the answer's value by the whole network, which has to be what was said."""
        if not feasible_rows(found.action[None], self._rows, self.chosen)[0]:
            raise ArenaError(f"the maximiser returned {found.action.tolist()}, not feasible")
        x = found.action.astype(np.float64)
        if base is not None and not isinstance(net, ActionNet):
            whole_x = np.array(base, dtype=np.float64)
            by = np.asarray(effect)
            if by.ndim == 1:
                np.add.at(whole_x, by, x)
            else:
                whole_x += by @ x
            x = whole_x
        value = float(net.values(x[None])[0])
        scale = max(1.0, abs(value))
        if abs(value - found.value) > _MISMATCH * scale:
            raise ArenaError(f"the network values the answer {value}, the method {found.value}")
        if module is not None:
            import torch

            with torch.no_grad():
                parameter = next(module.parameters())
                told = float(module(torch.as_tensor(x[None], dtype=parameter.dtype))[0, 0])
            room = _MISMATCH if parameter.dtype == torch.float64 else 1e-3
            if abs(told - value) > room * scale:
                raise ArenaError(f"the module values the answer {told}, what was read {value}")
        return value


def values_in_blocks(net: ReluNet, actions: NDArray[Any]) -> Reals:
    """Return values of many actions, shape (K, N), a block at a time, shape (K,)."""
    width = net.weight.shape[1]
    block = max(1, _BLOCK // max(width, 1))
    if len(actions) <= block:
        return net.values(actions)
    parts = [net.values(actions[k : k + block]) for k in range(0, len(actions), block)]
    return np.concatenate(parts)


def _empty(chosen: FeasibleSet) -> ArenaError:
    return ArenaError(
        f"no action is feasible: {', '.join(chosen.conflict())} contradict each other"
    )
