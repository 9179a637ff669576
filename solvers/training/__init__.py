"""What every learner shares: networks, evaluation, checkpoints, run folders and the loop.

1. A learner is a `Learner`: it steps, tells its state as arrays and JSON values, and
   gives a policy.
2. `LearnerSolver` makes a registered solver of it, for `arena.solve` and `arena train`.
3. `train` runs a learner in a `RunFolder`: checkpoints, metrics, evaluations, and exact
   resumption.
"""

from __future__ import annotations

from solvers.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from solvers.training.evaluate import evaluate_policy
from solvers.training.folder import RunFolder
from solvers.training.learner import Evaluation, Learner, LearnerState, Report
from solvers.training.loop import Schedule, train
from solvers.training.solver import LearnerSolver

__all__ = [
    "Checkpoint",
    "Evaluation",
    "Learner",
    "LearnerSolver",
    "LearnerState",
    "Report",
    "RunFolder",
    "Schedule",
    "evaluate_policy",
    "read_checkpoint",
    "train",
    "write_checkpoint",
]
