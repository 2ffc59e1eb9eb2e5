"""kopf's settings, all of them in one place: it watches and dispatches, and writes nothing.

Finalizers, queue, backoff, schedule, leadership, events and health are the operator's own.
"""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import kopf

PAGE = 500
CONNECTIONS = 32  # one for each kind and namespace, and some for discovery
CONNECT_SECONDS = 10
REQUEST_SECONDS = 60
WATCH_SECONDS = 290  # the server ends a watch after so long, and kopf goes on from where it was
SILENT_SECONDS = 75  # bookmarks come every minute: without them the connection is dead
BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_MOST_SECONDS = 30.0


class Backoffs(Iterable[float]):
    """Longer and longer, with jitter, and for ever: an API server that is away for an hour comes back, too."""

    def __iter__(self) -> Iterator[float]:
        seconds = BACKOFF_FIRST_SECONDS
        while True:
            yield seconds * (0.5 + random.random())  # noqa: S311  not a secret
            seconds = min(BACKOFF_MOST_SECONDS, seconds * 2)


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps no earlier state and builds none: nothing here works by differences, and building costs on every event."""

    def build(self, **_: Any) -> Any:
        """None: kopf then compares nothing with nothing."""
        return None

    def fetch(self, **_: Any) -> None:
        """Nothing is kept."""

    def store(self, **_: Any) -> None:
        """Nothing is kept."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress: handlers only hand over, and are done."""

    def fetch(self, **_: Any) -> None:
        """Nothing is kept."""

    def store(self, **_: Any) -> None:
        """Nothing is kept."""

    def purge(self, **_: Any) -> None:
        """Nothing is kept."""

    def touch(self, **_: Any) -> None:
        """Nothing is written."""

    def clear(self, *, essence: Any) -> Any:
        """There is nothing to clear away."""
        return essence


def settings() -> kopf.OperatorSettings:
    """Settings for `kopf.spawn_tasks`."""
    chosen = kopf.OperatorSettings()
    chosen.persistence.diffbase_storage = NoDiffBase()
    chosen.persistence.progress_storage = NoProgress()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    # The kinds are there before kopf starts, and namespaces are named: no watch of CRDs, of which a cluster has megabytes.
    chosen.scanning.disabled = True
    chosen.watching.server_timeout = WATCH_SECONDS
    chosen.watching.client_timeout = WATCH_SECONDS + 20
    chosen.watching.connect_timeout = CONNECT_SECONDS
    chosen.watching.inactivity_timeout = SILENT_SECONDS
    chosen.watching.reconnect_backoff = 0.5
    chosen.watching.chunk_size = PAGE
    chosen.networking.connect_timeout = CONNECT_SECONDS
    chosen.networking.request_timeout = REQUEST_SECONDS
    chosen.networking.error_backoffs = Backoffs()
    chosen.queueing.idle_timeout = 0.1  # a worker a changed object, gone again as soon as it has nothing to do
    chosen.queueing.exit_timeout = 1.0
    chosen.process.ultimate_exiting_timeout = None  # how long stopping takes is for the operator to bound
    return chosen
