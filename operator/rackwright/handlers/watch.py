"""The registration of kopf's handlers: every event of our kinds goes to the sink, and nothing else happens."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

import kopf

from rackwright.core.resource import API_VERSION, GROUP, KINDS
from rackwright.handlers.settings import CONNECTIONS, settings
from rackwright.kube.access import Access

Sink = Callable[[str, str | None, Mapping[str, Any]], None]  # kind, type of the event, the object


def registry_of(sink: Sink, access: Access) -> kopf.OperatorRegistry:
    """Handlers that only hand over."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=access.server, aiohttp_session=access.session(CONNECTIONS))

    for kind in KINDS:
        _watch(registry, kind, sink)
    return registry


def _watch(registry: kopf.OperatorRegistry, kind: str, sink: Sink) -> None:
    @kopf.on.event(group=GROUP, version=API_VERSION.partition("/")[2], kind=kind, registry=registry, id=kind.lower())
    async def saw(event: Mapping[str, Any], **_: Any) -> None:
        sink(kind, event["type"], event["object"])


async def watch(sink: Sink, access: Access, namespaces: Sequence[str]) -> Collection[asyncio.Task[Any]]:
    """Start kopf in this event loop. Its tasks run for ever: one that ends means that it watches no more.

    kopf takes SIGINT and SIGTERM for itself; whoever wants them sets their handlers after this.
    """
    tasks: Collection[asyncio.Task[Any]] = await kopf.spawn_tasks(
        registry=registry_of(sink, access),
        settings=settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        identity=cast(Any, "rackwright"),  # for peering, which is off; kopf would ask DNS and passwd for one
    )
    return tasks
