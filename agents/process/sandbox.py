"""What an agent's process may see and use: three tiers, and the choice between them.

`bubblewrap`: namespaces of its own. No network, no other processes, no home, no project;
    the system, the interpreter and the agent's own folder read-only; an empty, bounded
    /tmp. Resource limits too. The tier for code that nobody has read.
`rlimits`: resource limits (private memory, number of processes, no core files).
`none`: a process of its own, and nothing more.

In every tier arena watches the clocks, the memory in use and the number of processes, and
removes all descendants at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from arena.agent import Limits
from arena.errors import AgentError, ParameterError, nearest

__all__ = ["TIERS", "active_tier", "choose_tier", "obstacle", "resource_limits", "wrap"]

TIERS = ("bubblewrap", "rlimits", "none")
"""From the strictest to the loosest."""

_SCRATCH = 256 << 20
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
)
_KEPT_VARIABLES = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "PATH", "PYTHONPATH", "TERM", "TZ")
_ONE_THREAD = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def active_tier() -> str:
    """Return the tier that `tier="auto"` means on this machine."""
    return next(tier for tier in TIERS if obstacle(tier) is None)


@lru_cache(maxsize=8)
def obstacle(tier: str) -> str | None:
    """Return why `tier` does not work here and what would help, or None if it works."""
    if tier == "bubblewrap":
        if not sys.platform.startswith("linux"):
            return "bubblewrap exists on Linux only"
        if shutil.which("bwrap") is None:
            return "bwrap is not installed; get it with: apt install bubblewrap (or dnf, pacman)"
        trial = subprocess.run(
            wrap(["true"], visible=(), cwd="/"), capture_output=True, check=False, text=True
        )
        if trial.returncode != 0:
            said = trial.stderr.strip().splitlines()
            return (
                f"bwrap does not work here ({said[-1] if said else 'no message'});"
                " it needs unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1,"
                " or an AppArmor profile for bwrap)"
            )
    elif tier == "rlimits":
        try:
            import resource  # noqa: F401  # only whether it is there matters
        except ImportError:
            return "this system has no setrlimit"
    return None


def choose_tier(asked: str) -> str:
    """Return the tier to use for `auto` or the name of one.

    `process` and `sandbox`, as tournament files say, stand for `rlimits` and `bubblewrap`.

    Raises:
        ParameterError: there is no such tier.
        AgentError: it does not work here; the message says why and what would help.
    """
    if asked == "auto":
        return active_tier()
    asked = {"process": "rlimits", "sandbox": "bubblewrap"}.get(asked, asked)
    if asked not in TIERS:
        close = nearest(asked, [*TIERS, "auto"])
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ParameterError("tier", asked, f"auto, {', '.join(TIERS)}{hint}")
    problem = obstacle(asked)
    if problem is not None:
        raise AgentError(f"sandbox tier {asked!r} is not available: {problem}")
    return asked


def resource_limits(limits: Limits, tier: str) -> str:
    """Return the rlimits of an agent's process, as the supervisor reads them."""
    if tier == "none":
        return ""
    chosen = {"CORE": 0}
    if limits.memory is not None:
        # Not the address space: V8 and others reserve gigabytes of it that they never touch.
        chosen["DATA"] = limits.memory
    if hasattr(os, "getuid") and os.getuid() != 0:
        # The system counts all threads of the user against this limit (and exempts root),
        # so it is a backstop far above; arena itself counts the agent's processes.
        chosen["NPROC"] = _threads_of_user() + 4 * limits.processes
    return ",".join(f"{name}={value}" for name, value in chosen.items())


def _threads_of_user() -> int:
    from agents.process.supervise import processes

    owner = os.getuid()
    total = 0
    for process in processes().values():
        try:
            if os.stat(f"/proc/{process.pid}").st_uid != owner:
                continue
        except OSError:
            if os.path.exists("/proc/self"):
                continue  # it has just ended
        total += process.threads
    return total


def environment(tier: str) -> dict[str, str]:
    """Return the agent's environment: everything, or in bubblewrap what is harmless.

    Numerical libraries get one thread each unless the environment says otherwise: matches
    run side by side already.
    """
    if tier == "bubblewrap":
        kept = {k: v for k, v in os.environ.items() if k in (*_KEPT_VARIABLES, *_ONE_THREAD)}
        kept.update(HOME="/tmp", TMPDIR="/tmp")
    else:
        kept = dict(os.environ)
    for name in _ONE_THREAD:
        kept.setdefault(name, "1")
    return kept


def wrap(words: Sequence[str], *, visible: Iterable[str], cwd: str) -> list[str]:
    """Return the command that runs `words` under bubblewrap.

    Args:
        words: the agent's command.
        visible: files and folders that it may read, at their own paths.
        cwd: its working directory; empty but for what is visible.
    """
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL", "--die-with-parent"]
    for path in _SYSTEM:
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            command += ["--ro-bind", path, path]
    for path in _SETTINGS:
        command += ["--ro-bind-try", path, path]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for scratch in ("/tmp", "/dev/shm"):
        command += ["--size", str(_SCRATCH), "--tmpfs", scratch]
    # Outer folders first: an inner one that is mounted before would be covered.
    for path in sorted(set(visible)):
        if not _within(path, _SYSTEM):
            command += ["--ro-bind", path, path]
    if cwd != "/":
        command += ["--dir", cwd]
    return [*command, "--chdir", cwd, "--", *map(_straight, words)]


def _straight(word: str) -> str:
    """Return a path without detours (`a/../b`), whose folders the agent may not see."""
    straight = os.path.abspath(word)
    detour = os.pardir in word.split(os.sep) and os.path.exists(word)
    return straight if detour and os.path.exists(straight) else word


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def own_folder(path: str) -> str:
    """Return what an agent sees of the folder of its file: the folder, or the file alone.

    An agent that lies directly in the working directory, in a home or at the root is shown
    only its own file: the rest there is not the agent's.
    """
    folder = os.path.dirname(os.path.abspath(path))
    return os.path.abspath(path) if folder in _private() else folder


def _private() -> set[str]:
    return {os.getcwd(), os.path.expanduser("~"), "/", "/tmp", "/home"}


def files_of_command(words: Sequence[str]) -> list[str]:
    """Return the files among the words of a command, the executable first."""
    found = []
    executable = shutil.which(words[0])
    if executable is not None:
        found.append(os.path.abspath(executable))
    for word in words[1:]:
        if os.path.isfile(word):
            found.append(os.path.abspath(word))
    return found


def seen_by_command(words: Sequence[str]) -> list[str]:
    """Return the paths that a command needs to see, outside the system's own folders."""
    seen = []
    for place, file in enumerate(files_of_command(words)):
        for path in dict.fromkeys((file, os.path.realpath(file))):
            seen.append(own_folder(path))
            folder = os.path.dirname(path)
            above = os.path.dirname(folder)
            if place == 0 and os.path.basename(folder) == "bin" and above not in _private():
                seen.append(above)  # an interpreter needs its library
    return seen


def seen_by_python() -> list[str]:
    """Return the paths that a Python child needs: interpreter, libraries, arena itself."""
    import arena

    root = Path(arena.__file__).resolve().parent.parent
    own = [str(root / name) for name in ("arena", "games", "solvers", "agents")]
    installed = [
        entry
        for entry in sys.path
        if Path(entry).name in ("site-packages", "dist-packages", "lib-dynload")
    ]
    interpreter = str(Path(sys.executable).parent)
    paths = [sys.prefix, sys.base_prefix, interpreter, *own, *installed]
    paths += [os.path.realpath(path) for path in paths]
    return [path for path in dict.fromkeys(paths) if path and os.path.exists(path)]
