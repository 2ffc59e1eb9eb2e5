"""The operator as a process of its own that can be killed: forked from a server that has everything imported already."""

import asyncio
import gc
import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
# With `__main__` among them no child runs the test runner's start script again.
_CONTEXT.set_forkserver_preload(
    ["__main__", "rackwright.cli.main", "rackwright_drivers.chassis.seamicro.driver", "rackwright_sim.driver", __name__]
)
_PATIENCE_SECONDS = 20.0
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Renames:
    """What becomes of the files that the process renames into place: each is noted in `diary`, and at the `fatal`th it dies.

    There it ends itself by SIGKILL: `torn`, with the new file half written; `before`, with it whole and not yet renamed;
    `after`, with it in place.
    """

    diary: Path
    fatal: int = 0
    position: str = "before"


class Operator:
    """One `rackwright` command in a process of its own. `output` is what it printed, both streams together."""

    def __init__(self, arguments: Sequence[str | Path], output: Path, renames: Renames | None = None) -> None:
        self._output = output
        words = [str(argument) for argument in arguments]
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_main, args=(words, str(output), renames), daemon=True
        )
        self._process.start()

    @property
    def output(self) -> str:
        """What was printed so far."""
        return self._output.read_text("utf-8")

    def kill(self) -> None:
        """SIGKILL: it learns nothing and does nothing any more."""
        self._process.kill()

    async def ended(self) -> int:
        """Wait for its end; the exit status, negative where a signal ended it."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        sentinel = self._process.sentinel
        loop.add_reader(sentinel, gone.set)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await gone.wait()
        finally:
            loop.remove_reader(sentinel)
            if not gone.is_set():
                self._process.kill()
            self._process.join()
        status = self._process.exitcode
        assert status is not None
        self._process.close()
        return status


def _main(arguments: list[str], output: str, renames: Renames | None) -> None:
    """The child: the command line as the entry point runs it."""
    from rackwright.cli.main import main

    gc.freeze()  # what was imported lives as long as the process: not copied for the sake of looking through it
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if renames is not None:
        _watch(renames)
    sys.argv = ["rackwright", *arguments]
    main()


def _watch(renames: Renames) -> None:
    """Every file that must never be half there is renamed into place: that is where a crash is tried."""
    rename, numbers = os.replace, itertools.count(1)

    def replace(source: str | Path, target: str | Path) -> None:
        with renames.diary.open("a", encoding="utf-8") as diary:
            diary.write(f"{Path(target).name}\n")
        if next(numbers) != renames.fatal:
            rename(source, target)
            return
        if renames.position == "torn":
            os.truncate(source, Path(source).stat().st_size // 2)
        elif renames.position == "after":
            rename(source, target)
        os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]  # nobody here gives more than two arguments
