"""The daemon over a folder of manifests: keeps the rack as the files say until it is stopped. `rackwright watch`."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from rackwright.cli import show
from rackwright.cli.progress import Progress
from rackwright.cli.session import Session, quiet_logs, state_of
from rackwright.core.assembly import assemble
from rackwright.core.chassis.reconciler import Watcher
from rackwright.core.journal import FileSink, Journal
from rackwright.core.leadership import Always
from rackwright.core.resource import Ref, Resource
from rackwright.core.store import EventType
from rackwright.local.store import POLL_SECONDS, LocalStore

JOURNAL = "journal.jsonl"
DRAIN_SECONDS = 75.0  # more than one device command may take


@click.command()
@click.option(
    "-f",
    "--filename",
    "folder",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="The folder (or file) of manifests. It may be empty: what is put into it later counts from then on.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where statuses and journal are kept. Not given: .rackwright beside the manifests.",
)
def watch(folder: Path, state: Path | None) -> None:
    """Keep the rack as a folder of manifests says, until interrupted.

    Changed files are seen at once, and the device is looked at every `policy.resyncSeconds`. Every device command goes
    to journal.jsonl in the folder of the state.
    """
    quiet_logs()
    console = show.console()
    progress = Progress(console)
    problems = _Problems(console)
    asyncio.run(_until_stopped(folder, state, progress, problems.show))


async def _until_stopped(
    folder: Path, state: Path | None, progress: Progress, on_problems: Callable[[Iterable[str]], None]
) -> None:
    """SIGTERM and Ctrl-C let the batch under way come to its end; a second one does not wait for it."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    await run_folder(folder, state, stop=stop, watcher=progress.stage, on_event=progress.event, on_problems=on_problems)


async def run_folder(
    folder: Path,
    state: Path | None = None,
    *,
    stop: asyncio.Event,
    watcher: Watcher | None = None,
    on_event: Callable[[Ref, EventType, str, str], None] = lambda *_: None,
    on_problems: Callable[[Iterable[str]], None] = lambda _: None,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Keep the rack of a folder until `stop` is set. StateLockedError where another process keeps it already.

    `on_problems` is told, after every change of the files, the sentences about those that cannot be read.
    """
    async with _daemon(folder, state, watcher, on_event) as run, asyncio.TaskGroup() as group:
        working = group.create_task(run.assembly.engine.run())
        following = group.create_task(_follow(run, on_problems, poll_seconds))
        await stop.wait()
        following.cancel()
        await run.assembly.engine.drain(DRAIN_SECONDS)
        working.cancel()


async def _follow(run: Session, on_problems: Callable[[Iterable[str]], None], poll_seconds: float) -> None:
    """Tell the engine what is there, and from then on what changes."""
    on_problems(run.store.folder.problems)
    _notify(run, ())
    async for gone in _changes(run, poll_seconds):
        on_problems(run.store.folder.problems)
        _notify(run, gone)


@asynccontextmanager
async def _daemon(
    folder: Path, state: Path | None, watcher: Watcher | None, on_event: Callable[[Ref, EventType, str, str], None]
) -> AsyncIterator[Session]:
    where = state_of(folder, state).lock()
    try:
        sink = FileSink(where.root / JOURNAL)
        try:
            store = LocalStore(folder, where, writable=True, on_event=on_event)
            assembly = assemble(store, Journal(sink), Always(), watcher=watcher)
            try:
                yield Session(store, assembly)
            finally:
                await assembly.endpoints.aclose()
        finally:
            sink.close()
    finally:
        where.unlock()


async def _changes(run: Session, poll_seconds: float) -> AsyncIterator[tuple[Resource, ...]]:
    """Objects that are gone, after every change of the files. A changed Secret is a reason to look at every chassis."""
    secrets = run.store.folder.secrets
    async for gone in run.store.watch(poll_seconds):
        if run.store.folder.secrets != secrets:
            secrets = run.store.folder.secrets
            run.assembly.engine.retry(run.chassis())
        yield gone


def _notify(run: Session, gone: Iterable[Resource]) -> None:
    for resource in gone:
        run.assembly.engine.notify(resource, deleted=True)
    for resource in run.resources():
        run.assembly.engine.notify(resource)


class _Problems:
    """Shows what is wrong with the files, and says once that all is well again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, ...] = ()

    def show(self, problems: Iterable[str]) -> None:
        """Print sentences that are new."""
        now = tuple(problems)
        for problem in now:
            if problem not in self._last:
                self._console.print(Text(problem, "yellow"))
        if self._last and not now:
            self._console.print("All files are readable again.")
        self._last = now
