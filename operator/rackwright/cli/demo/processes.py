"""Processes of the demo: started in sessions of their own, ended by their process id, and gone when the demo is."""

import asyncio
import ctypes
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rackwright.cli.demo.errors import DemoError

RACKWRIGHT = (sys.executable, "-m", "rackwright.cli.main")
GRACE_SECONDS = 10.0
START_SECONDS = 60.0
POLL_SECONDS = 0.05
TAIL_LINES = 12
_PR_SET_PDEATHSIG = 1


def typed() -> str:
    """The command `rackwright` as a person would type it here."""
    if shutil.which("rackwright"):
        return "rackwright"
    beside = Path(sys.executable).parent / "rackwright"
    return min(str(beside), os.path.relpath(beside), key=len)


@dataclass(frozen=True)
class Child:
    """A process that goes on beside us; all it prints is in `log`."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def check(self) -> None:
        """DemoError where it has ended, with the end of its log."""
        if self.process.returncode is not None:
            raise DemoError(f"{self.name} ended with {self.process.returncode}. Its log ends with:\n{self.tail()}")

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The end of its log."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:]) or "(nothing)"

    async def announced(self, pattern: str) -> re.Match[str]:
        """The first match in its log; waits for it. DemoError where it ends, or takes too long."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            self.check()
            found = re.search(pattern, self.log.read_text("utf-8", "replace"), re.MULTILINE)
            if found:
                return found
            await asyncio.sleep(POLL_SECONDS)
        raise DemoError(f"{self.name} did not start within {START_SECONDS:.0f} s. Its log ends with:\n{self.tail()}")

    async def stop(self) -> None:
        """End it: asked first, and made to after a while."""
        if self.process.returncode is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), GRACE_SECONDS)
                return


async def start(name: str, argv: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start a process; Ctrl-C at the terminal reaches us alone, and we decide the order of the end."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *map(str, argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            start_new_session=True,
            preexec_fn=_with_us(),
        )
    return Child(name, process, log)


def _with_us() -> Callable[[], None]:
    """For the child between fork and exec: SIGTERM when we die, whichever way we die (Linux)."""
    parent, library = os.getpid(), ctypes.CDLL(None)

    def in_child() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl: the signal would never come
            os._exit(1)

    return in_child


async def run(argv: Sequence[str | Path], codes: Sequence[int] = (0,)) -> str:
    """Run a command to its end; what it printed. DemoError where it ends with another exit status than these."""
    process = await asyncio.create_subprocess_exec(
        *map(str, argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_with_us(),
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode not in codes:
        said = (errors or output).decode("utf-8", "replace").strip()
        raise DemoError(f"`{' '.join(map(str, argv))}` ended with {process.returncode}: {said}")
    return output.decode("utf-8", "replace")
