"""The same program for SCIP or Gurobi, where they are installed.

The program goes to them as an MPS file, so that all three solve the very same rows; the start
from local search as a partial solution, of the actions alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import ArenaError, MissingDependencyError
from games.bandits.constraints import FeasibleSet
from solvers.sequoia.branch import Found
from solvers.sequoia.encode import ActionNet
from solvers.sequoia.program import NetProgram, embed

__all__ = ["ExternalProgram"]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_PACKAGES = {
    "scip": ("pyscipopt", "pip install 'arena-gametheory[scip]'"),
    "gurobi": ("gurobipy", "pip install gurobipy"),
}


class ExternalProgram:
    """Another solver on one feasible set; see `NetProgram`.

    Args:
        chosen: the set.
        solver: `scip` or `gurobi`.

    Attributes:
        program: the same in HiGHS, which writes it down.

    Raises:
        MissingDependencyError: it is not installed.
    """

    def __init__(self, chosen: FeasibleSet, solver: str) -> None:
        import importlib

        package, how = _PACKAGES[solver]
        try:
            self._library: Any = importlib.import_module(package)
        except ImportError as error:
            raise MissingDependencyError(package, how, purpose=f"the method {solver}") from error
        self.chosen, self._solver = chosen, solver
        self.program = NetProgram(chosen)

    def solve(
        self,
        net: ActionNet,
        start: Ints | None,
        *,
        bounds: tuple[Reals, Reals],
        gap: float,
        seconds: float | None = None,
    ) -> Found | None:
        """Return the best action; see `NetProgram.solve`."""
        part = embed(net, *bounds)
        model = self.program.model(part)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "program.mps"
            self.program.write(model, path)
            run = self._scip if self._solver == "scip" else self._gurobi
            point, bound, nodes, done = run(str(path), start, gap, seconds)
        if point is None:
            return None
        action = (point[self.chosen.actions] > 0.5).astype(np.int64)
        value = float(net.values(action[None])[0])
        return Found(action, value, max(bound + part.constant, value), nodes, done)

    def _point(self, values: dict[str, float]) -> Reals:
        """Return the set's own columns; the file leaves out those that are in no row."""
        least = self.chosen.lower
        return np.array([values.get(f"c{k}", least[k]) for k in range(len(least))])

    def _scip(
        self, path: str, start: Ints | None, gap: float, seconds: float | None
    ) -> tuple[Reals | None, float, int, bool]:
        model = self._library.Model()
        model.hideOutput()
        model.readProblem(path)
        model.setParam("limits/gap", 0.5 * gap)
        model.setParam("limits/absgap", 0.5 * gap)
        if seconds is not None:
            model.setParam("limits/time", seconds)
        columns = {v.name: v for v in model.getVars()}
        if start is not None:
            partial = model.createPartialSol()
            for column, on in zip(self.chosen.actions, start, strict=True):
                if f"c{column}" in columns:
                    model.setSolVal(partial, columns[f"c{column}"], float(on))
            model.addSol(partial)
        model.optimize()
        status = model.getStatus()
        if status == "infeasible":
            raise ArenaError(f"no action is feasible: {', '.join(self.chosen.conflict())}")
        if not model.getNSols():
            return None, np.inf, 0, False
        best = model.getBestSol()
        point = self._point({name: model.getSolVal(best, v) for name, v in columns.items()})
        done = status in ("optimal", "gaplimit")
        return point, -model.getDualbound(), int(model.getNTotalNodes()), done

    def _gurobi(
        self, path: str, start: Ints | None, gap: float, seconds: float | None
    ) -> tuple[Reals | None, float, int, bool]:
        library = self._library
        with library.Env(params={"OutputFlag": 0}) as env, library.read(path, env) as model:
            model.Params.Threads = 1
            model.Params.MIPGap, model.Params.MIPGapAbs = 0.5 * gap, 0.5 * gap
            if seconds is not None:
                model.Params.TimeLimit = seconds
            if start is not None:
                for column, on in zip(self.chosen.actions, start, strict=True):
                    variable = model.getVarByName(f"c{column}")
                    if variable is not None:
                        variable.Start = float(on)
            model.optimize()
            codes = library.GRB
            if model.Status in (codes.INFEASIBLE, codes.INF_OR_UNBD):
                raise ArenaError(f"no action is feasible: {', '.join(self.chosen.conflict())}")
            if not model.SolCount:
                return None, np.inf, 0, False
            columns = {v.VarName: v.X for v in model.getVars()}
            point = self._point(columns)
            done = model.Status == codes.OPTIMAL
            return point, -float(model.ObjBound), int(model.NodeCount), done
