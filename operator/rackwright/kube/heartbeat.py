"""Whether what we write still comes back to us: an operator that writes and no longer sees is to be started anew.

The Lease is the heart: each renewal is a write, and a watch of its own has to bring it back.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import structlog

from rackwright.core.store import StoreUnavailableError
from rackwright.kube.client import WatchExpiredError
from rackwright.kube.objects import newer

log = structlog.get_logger(__name__)

LATE_SECONDS = 60.0
RECONNECT_SECONDS = 1.0


class WatchApi(Protocol):
    """What is needed of the API client."""

    async def version(self, path: str) -> str:
        """The version of a collection as it is now."""

    def watch(self, path: str, version: str, selector: str = "") -> AsyncIterator[dict[str, Any]]:
        """Events from a version on."""


class Heartbeat:
    """Writes that went out and have not come back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._out: tuple[str, float] | None = None  # the oldest version that is not back yet, and when it was written
        self._wrote = clock()  # the latest
        self._newest = "0"  # seen
        self._back = clock()

    def wrote(self, version: str) -> None:
        """A write was acknowledged with this version."""
        self._wrote = self._clock()
        if self._out is None and newer(version, self._newest):
            self._out = (version, self._wrote)

    def saw(self, version: str) -> None:
        """The watch brought this version."""
        self._newest = version if newer(version, self._newest) else self._newest
        self._back = self._clock()
        if self._out is not None and not newer(self._out[0], version):
            self._out = None

    @property
    def age(self) -> float:
        """Seconds since a write last came back."""
        return self._clock() - self._back

    @property
    def late(self) -> bool:
        """Whether writes have gone on for too long since one that has not come back.

        While no write succeeds either, it is the server that is away, and a new process would see no more than this one.
        """
        return self._out is not None and self._wrote - self._out[1] > LATE_SECONDS


async def listen(client: WatchApi, heartbeat: Heartbeat, namespace: str, name: str) -> None:
    """Watch the one Lease until cancelled, and tell the heartbeat what comes."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    version = ""
    while True:
        try:
            if not version:
                version = await client.version(path)
            async for event in client.watch(path, version, f"metadata.name={name}"):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    heartbeat.saw(version)
        except WatchExpiredError:
            version = ""
        except StoreUnavailableError as error:
            log.warning("the watch of the Lease broke off; it is made anew", lease=name, error=str(error))
        await asyncio.sleep(RECONNECT_SECONDS * (0.5 + random.random()))  # noqa: S311  not a secret
