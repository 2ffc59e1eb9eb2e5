"""Child processes that never outlive us: they get SIGKILL when we die, whichever way we die.

The kernel's parent-death signal follows the *thread* that started the child, so only the main thread may start one.
"""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.kubelab.console import KubelabError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_HEARTBEAT_SECONDS = 30.0
_TAIL_LINES = 20


@dataclass(frozen=True)
class Process:
    """A child with its log, which holds all that it prints."""

    name: str
    log: Path
    popen: subprocess.Popen[bytes]

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.popen.poll()


def spawn(
    argv: Sequence[str | Path], log: Path, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Process:
    """Start a command in a session of its own, so that Ctrl-C reaches us alone and we decide the order of the end."""
    name = Path(argv[0]).name
    if threading.current_thread() is not threading.main_thread():
        raise KubelabError(f"{name} must be started from the main thread: a child dies with its thread")
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [str(argument) for argument in argv],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    return Process(name, log, popen)


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the child gets this signal when the thread that makes it is gone."""
    parent = os.getpid()

    def in_child() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl: the signal would never come
            os._exit(1)

    return in_child


def stop(process: Process) -> None:
    """Kill it and what it started in its session; nothing of the lab needs a slow end. Safe to call twice."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()


def run(
    argv: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    heartbeat: Callable[[], None] = lambda: None,
) -> None:
    """Run a command to its end with its output in `log`; `heartbeat` is called every half minute meanwhile.

    KubelabError tells how it failed, with the end of its output.
    """
    try:
        process = spawn(argv, log, cwd=cwd, env=env)
    except FileNotFoundError as error:
        raise KubelabError(f"{argv[0]} is not installed: install it, or set KUBEBUILDER_ASSETS") from error
    try:
        _wait(process, heartbeat)
    finally:
        stop(process)
    if process.poll() != 0:
        raise KubelabError(f"{process.name} ended with {process.poll()}; its output ends with:\n{tail(log)}")


def _wait(process: Process, heartbeat: Callable[[], None]) -> None:
    due = time.monotonic() + _HEARTBEAT_SECONDS
    while True:
        try:
            process.popen.wait(max(due - time.monotonic(), 0.0))
            return
        except subprocess.TimeoutExpired:
            heartbeat()
            due += _HEARTBEAT_SECONDS


def tail(log: Path) -> str:
    """The last lines of a log, or a word for an empty or missing one."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:]) or "(nothing)"
