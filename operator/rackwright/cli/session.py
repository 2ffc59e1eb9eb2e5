"""One run over a folder of manifests: store, engine, journal and lock, put together and taken apart."""

import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from rackwright.core.assembly import Assembly, assemble
from rackwright.core.chassis.reconciler import Watcher
from rackwright.core.journal import FileSink, Journal
from rackwright.core.leadership import Always
from rackwright.core.natural import natural
from rackwright.core.resource import CHASSIS, KINDS, Ref, Resource
from rackwright.core.store import EventType
from rackwright.local.state import StateFolder, StateLockedError
from rackwright.local.store import LocalStore

STATE_FOLDER = ".rackwright"


class FolderError(Exception):
    """The folder of manifests cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    store: LocalStore
    assembly: Assembly

    @staticmethod
    def all_of(store: LocalStore) -> Iterator[Resource]:
        """All objects of a store, kinds in the order people read them, names in natural order."""
        for kind in KINDS:
            yield from sorted(store.list(kind), key=lambda item: (item.ref.namespace, natural(item.ref.name)))

    def resources(self) -> Iterator[Resource]:
        """All objects."""
        return self.all_of(self.store)

    def chassis(self) -> tuple[Ref, ...]:
        """The chassis of the folder."""
        return tuple(item.ref for item in self.resources() if item.ref.kind == CHASSIS)


def state_of(folder: Path, state: Path | None) -> StateFolder:
    """Where the state of a folder is kept: beside the manifests, unless told otherwise."""
    return StateFolder(state or (folder if folder.is_dir() else folder.parent) / STATE_FOLDER)


def _identify(folder: Path, where: StateFolder) -> None:
    """Give new objects their uid before they are looked at: a plan that is shown can then be approved.

    Where another rackwright keeps the folder, it has done so.
    """
    with suppress(StateLockedError):
        where.lock()
        try:
            LocalStore(folder, where, writable=True)
        finally:
            where.unlock()


def open_store(folder: Path, state: Path | None) -> LocalStore:
    """The store for reading. FolderError where the folder has nothing for us, or something that cannot be read."""
    return _checked(LocalStore(folder, state_of(folder, state), writable=False), folder)


def _checked(store: LocalStore, folder: Path) -> LocalStore:
    if store.folder.problems:
        raise FolderError("\n".join(store.folder.problems))
    if not store.folder.manifests and not any(item.deleting for item in Session.all_of(store)):
        raise FolderError(f"{folder} has no manifest of Rackwright in it. Name a folder or file that has.")
    return store


@asynccontextmanager
async def session(
    folder: Path,
    state: Path | None,
    *,
    writing: bool,
    watcher: Watcher | None = None,
    on_event: Callable[[Ref, EventType, str, str], None] = lambda *_: None,
) -> AsyncIterator[Session]:
    """A session over a folder; `writing` takes the folder's lock, keeps state and writes the journal."""
    where = state_of(folder, state)
    sink = None
    if not writing:
        _identify(folder, where)
    else:
        where.lock()
        sink = FileSink(where.root / "journal.jsonl")
    try:
        store = _checked(LocalStore(folder, where, writable=writing, on_event=on_event), folder)
        assembly = assemble(store, Journal(*([sink] if sink else [])), Always(), watcher=watcher)
        try:
            yield Session(store, assembly)
        finally:
            await assembly.endpoints.aclose()
    finally:
        if sink is not None:
            sink.close()
        where.unlock()


def quiet_logs() -> None:
    """For commands that talk to a person themselves: logs only of errors, on standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
