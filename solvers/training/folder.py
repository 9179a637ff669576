"""The folder of a training run: what it is, how it went, and where to go on from.

    run.json              game, solver, settings, seed, schedule (versioned)
    metrics.jsonl         a line for each report: steps, seconds, figures, evaluations
    checkpoints/
        step-N.safetensors    policy and learner's state after N steps; the latest few
        best.safetensors      the policy that did best in an evaluation
    events.out.tfevents…  the same figures for TensorBoard

Files are replaced as a whole, so that a run that is killed can be resumed from the latest
checkpoint; what the metrics say beyond it is dropped then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from arena.errors import ParameterError, StoreError
from arena.files import write_atomic
from arena.lock import Lock
from solvers.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint

__all__ = ["RunFolder"]

_FORMAT = "arena/run/1"
_NAME = re.compile(r"step-(\d+)\.safetensors")


class RunFolder:
    """A folder that this process alone writes to, from `create` or `open` until `close`.

    Attributes:
        path: the folder.
        facts: what `run.json` says.
        keep: how many of the latest checkpoints stay.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any], lock: Lock, *, keep: int) -> None:
        self.path, self.facts, self.keep = path, dict(facts), keep
        self._lock = lock
        self._writer: Any = None

    @staticmethod
    def create(path: str | Path, facts: Mapping[str, Any], *, keep: int = 3) -> RunFolder:
        """Begin a new run.

        Raises:
            StoreError: there is a run in that folder already.
        """
        folder = Path(path)
        if (folder / "run.json").exists():
            raise StoreError(
                f"{folder} holds a run already; go on with: arena train --resume {folder},"
                " or choose another folder with --out"
            )
        folder.mkdir(parents=True, exist_ok=True)
        lock = Lock(folder / "run.json")
        whole = {"format": _FORMAT, **facts}
        with write_atomic(folder / "run.json") as file:
            file.write((json.dumps(whole, indent=2) + "\n").encode())
        return RunFolder(folder, whole, lock, keep=keep)

    @staticmethod
    def open(path: str | Path, *, keep: int = 3) -> RunFolder:
        """Open a run to go on with it.

        Raises:
            ParameterError: there is no run there.
            StoreError: another process is at it.
        """
        folder = Path(path)
        facts = RunFolder.read(folder)
        return RunFolder(folder, facts, Lock(folder / "run.json"), keep=keep)

    @staticmethod
    def read(path: str | Path) -> dict[str, Any]:
        """Return what the `run.json` of a folder says.

        Raises:
            ParameterError: there is no run there, or one of another format.
        """
        file = Path(path) / "run.json"
        try:
            facts: dict[str, Any] = json.loads(file.read_text())
            if facts["format"] != _FORMAT:
                raise KeyError("format")
        except FileNotFoundError as error:
            raise ParameterError("run", str(path), "a folder with a run.json") from error
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise ParameterError("run", str(file), f"a file of format {_FORMAT}") from error
        return facts

    # -- checkpoints -------------------------------------------------------------

    def checkpoints(self) -> dict[int, Path]:
        """Return the checkpoints that are there, by steps, in increasing order."""
        found = {}
        for file in (self.path / "checkpoints").glob("step-*.safetensors"):
            if match := _NAME.fullmatch(file.name):
                found[int(match.group(1))] = file
        return dict(sorted(found.items()))

    def latest(self) -> Checkpoint | None:
        """Read the latest checkpoint, or return None if there is none yet.

        Raises:
            ParameterError: it is damaged; its name is told, so that it can be removed.
        """
        found = self.checkpoints()
        return read_checkpoint(found[max(found)]) if found else None

    def save(
        self,
        steps: int,
        header: Mapping[str, Any],
        policy: Mapping[str, NDArray[Any]],
        state: Mapping[str, NDArray[Any]],
    ) -> Path:
        """Write the checkpoint after `steps`, and remove those too old to keep."""
        file = self.path / "checkpoints" / f"step-{steps}.safetensors"
        write_checkpoint(file, header, policy, state)
        for old in list(self.checkpoints().values())[: -self.keep]:
            old.with_suffix(".json").unlink(missing_ok=True)
            old.unlink()
        return file

    def save_best(self, header: Mapping[str, Any], policy: Mapping[str, NDArray[Any]]) -> None:
        """Write the policy that did best so far."""
        write_checkpoint(self.path / "checkpoints" / "best.safetensors", header, policy)

    # -- figures -----------------------------------------------------------------

    def log(self, row: Mapping[str, Any]) -> None:
        """Append a row to the metrics and write its numbers as scalars."""
        with (self.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        if self._writer is None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(self.path), purge_step=row["steps"])
        for name, value in row.items():
            if name != "steps":
                group = name if "/" in name else f"train/{name}"
                self._writer.add_scalar(group, value, row["steps"])

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the metrics; a last line that was cut off is left out."""
        file = self.path / "metrics.jsonl"
        rows = []
        for line in file.read_text().splitlines() if file.exists() else ():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows

    def forget_after(self, steps: int) -> None:
        """Drop the rows of the metrics beyond `steps`, which will be made again."""
        kept = [row for row in self.rows() if row["steps"] <= steps]
        with write_atomic(self.path / "metrics.jsonl") as file:
            file.write("".join(json.dumps(row) + "\n" for row in kept).encode())

    # -- end ---------------------------------------------------------------------

    def close(self) -> None:
        """Write what is left and let others at the folder."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
