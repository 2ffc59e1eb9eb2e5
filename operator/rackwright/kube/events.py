"""Events for `kubectl describe`: posted in the background, the same sentence counted up instead of repeated.

They are of core/v1, which every server has. One that is lost is not a failure, so nothing here ever raises.
"""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from rackwright.core.clock import now as wall_clock
from rackwright.core.resource import API_VERSION, Resource
from rackwright.core.store import EventType, StoreConflictError, StoreUnavailableError
from rackwright.kube.client import ApiClient

log = structlog.get_logger(__name__)

COMPONENT = "rackwright"
REMEMBERED = 4096  # different events, the least recent is forgotten first
WAITING = 2048  # more than that at once, and the newest are dropped
MESSAGE_LENGTH = 1024  # what the API takes
_NAME_LENGTH = 253

Key = tuple[str, EventType, str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    path: str
    count: int


class EventPoster:
    """Posts what is handed to it while `run` runs."""

    def __init__(self, client: ApiClient, identity: str, now: Callable[[], str] = wall_clock) -> None:
        self._client = client
        self._identity = identity
        self._now = now
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._waiting: asyncio.Queue[tuple[Resource, EventType, str, str]] = asyncio.Queue(WAITING)

    def post(self, about: Resource, kind: EventType, reason: str, message: str) -> None:
        """Hand one over; it returns at once."""
        try:
            self._waiting.put_nowait((about, kind, reason, message))
        except asyncio.QueueFull:
            log.warning("too many events at once; one is dropped", object=str(about.ref), reason=reason)

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            about, kind, reason, message = await self._waiting.get()
            try:
                await self._write(about, kind, reason, message)
            except (StoreUnavailableError, StoreConflictError) as error:
                log.warning("an event is lost", object=str(about.ref), reason=reason, error=str(error))
            finally:
                self._waiting.task_done()

    async def flush(self) -> None:
        """Wait until all is posted."""
        await self._waiting.join()

    async def _write(self, about: Resource, kind: EventType, reason: str, message: str) -> None:
        key = (about.uid, kind, reason, message)
        known = self._known.get(key)
        if known is not None:
            count = known.count + 1
            patch = {"count": count, "lastTimestamp": self._now()}
            if await self._client.patch(known.path, patch) is not None:
                self._remember(key, _Known(known.path, count))
                return
        name = f"{about.ref.name[: _NAME_LENGTH - 33]}.{uuid.uuid4().hex}"
        path = f"/api/v1/namespaces/{about.ref.namespace}/events"
        await self._client.create(path, self._body(name, about, kind, reason, message))
        self._remember(key, _Known(f"{path}/{name}", 1))

    def _remember(self, key: Key, known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _body(self, name: str, about: Resource, kind: EventType, reason: str, message: str) -> dict[str, object]:
        now, ref = self._now(), about.ref
        involved = {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "uid": about.uid}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": ref.namespace},
            "involvedObject": {"apiVersion": API_VERSION, **involved, "resourceVersion": about.version},
            "type": str(kind),
            "reason": reason,
            "message": message[:MESSAGE_LENGTH],
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._identity,
        }
