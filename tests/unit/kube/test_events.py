"""Events: one for each thing there is to say, counted up when it is said again, and never an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rackwright.core.resource import CHASSIS as CHASSIS_KIND
from rackwright.core.resource import Ref, Resource
from rackwright.core.store import EventType, StoreUnavailableError
from rackwright.kube import events as events_module
from rackwright.kube.events import EventPoster
from tests.unit.kube.fake_api import FakeApi

RACK = Resource(Ref(CHASSIS_KIND, "lab", "rack"), "uid-1", 1, "2026-01-01T00:00:00Z", {}, version="7")
EVENTS = "/api/v1/namespaces/lab/events"


@asynccontextmanager
async def _poster(api: FakeApi) -> AsyncIterator[EventPoster]:
    poster = EventPoster(api, "me", lambda: "2026-01-01T00:00:01Z")
    task = asyncio.create_task(poster.run())
    try:
        yield poster
        await poster.flush()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_what_an_event_says() -> None:
    api = FakeApi()
    async with _poster(api) as poster:
        poster.post(RACK, EventType.WARNING, "Unsafe", "Look at it. " + "x" * 2000)
    ((method, path, body),) = api.written
    assert (method, path) == ("POST", EVENTS)
    assert body["involvedObject"] == {
        "apiVersion": "rackwright.dev/v1alpha1",
        "kind": "Chassis",
        "namespace": "lab",
        "name": "rack",
        "uid": "uid-1",
        "resourceVersion": "7",
    }
    assert (body["type"], body["reason"], body["count"]) == ("Warning", "Unsafe", 1)
    assert len(body["message"]) == 1024
    assert body["reportingInstance"] == "me"


async def test_the_same_again_is_counted() -> None:
    api = FakeApi()
    async with _poster(api) as poster:
        for _ in range(3):
            poster.post(RACK, EventType.NORMAL, "InSync", "")
        poster.post(RACK, EventType.NORMAL, "InSync", "another sentence")
    assert [method for method, _, _ in api.written] == ["POST", "PATCH", "PATCH", "POST"]
    assert sorted(body["count"] for body in api.objects.values()) == [1, 3]


async def test_one_that_the_server_forgot_is_made_anew() -> None:
    api = FakeApi()
    async with _poster(api) as poster:
        poster.post(RACK, EventType.NORMAL, "InSync", "")
        await poster.flush()
        api.objects.clear()  # events expire
        poster.post(RACK, EventType.NORMAL, "InSync", "")
    assert [body["count"] for body in api.objects.values()] == [1]


async def test_a_server_that_is_away_loses_events_and_nothing_else() -> None:
    api = FakeApi()
    async with _poster(api) as poster:
        api.problem = StoreUnavailableError("away")
        poster.post(RACK, EventType.NORMAL, "InSync", "")
        await poster.flush()
        api.problem = None
        poster.post(RACK, EventType.NORMAL, "InSync", "")
    assert len(api.objects) == 1


async def test_too_many_at_once_are_dropped() -> None:
    api = FakeApi()
    poster = EventPoster(api, "me")
    for number in range(events_module.WAITING + 10):
        poster.post(RACK, EventType.NORMAL, "InSync", str(number))
    task = asyncio.create_task(poster.run())
    await poster.flush()
    task.cancel()
    await asyncio.wait({task})
    assert len(api.objects) == events_module.WAITING
