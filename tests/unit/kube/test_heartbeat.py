"""When liveness fails: only when writes go on and none of them comes back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from rackwright.core.store import StoreUnavailableError
from rackwright.kube.client import WatchExpiredError
from rackwright.kube.heartbeat import LATE_SECONDS, Heartbeat, listen
from tests.unit.kube.test_lease import Clock


def test_a_write_that_comes_back_is_not_late() -> None:
    clock = Clock()
    heart = Heartbeat(clock)
    for version in range(5, 100, 5):
        heart.wrote(str(version))
        clock.now += 5
        assert heart.age <= 10
        heart.saw(str(version))
        assert not heart.late
        assert heart.age == 0


def test_writes_that_do_not_come_back_are_late_in_the_end() -> None:
    clock = Clock()
    heart = Heartbeat(clock)
    for version in range(5, 65, 5):
        heart.wrote(str(version))
        clock.now += 5
    assert not heart.late
    heart.wrote("65")
    clock.now += 5
    heart.wrote("70")
    assert heart.late
    assert heart.age > LATE_SECONDS


def test_while_no_write_succeeds_nothing_is_late() -> None:
    clock = Clock()
    heart = Heartbeat(clock)
    heart.wrote("5")
    clock.now += 3600
    assert not heart.late


def test_what_comes_back_before_the_reply_counts() -> None:
    clock = Clock()
    heart = Heartbeat(clock)
    heart.saw("10")
    heart.wrote("9")
    heart.wrote("10")
    clock.now += 3600
    heart.wrote("10")
    assert not heart.late


class Wire:
    """Plays a script of watches: each is what comes until it ends."""

    def __init__(self, *watches: list[Any]) -> None:
        self.watches = list(watches)
        self.asked: list[str] = []
        self.versions = 0
        self.over = asyncio.Event()

    async def version(self, path: str) -> str:
        self.versions += 1
        return "100"

    async def watch(self, path: str, version: str, selector: str = "") -> AsyncIterator[dict[str, Any]]:
        self.asked.append(version)
        if not self.watches:
            self.over.set()
            await asyncio.Event().wait()
        for item in self.watches.pop(0):
            if isinstance(item, Exception):
                raise item
            yield {"type": item[0], "object": {"metadata": {"resourceVersion": item[1]}}}


async def test_the_watch_goes_on_where_it_broke_off_and_begins_anew_where_that_is_too_old(monkeypatch: Any) -> None:
    monkeypatch.setattr("rackwright.kube.heartbeat.RECONNECT_SECONDS", 0.0)
    wire = Wire([("MODIFIED", "101"), ("BOOKMARK", "150")], [StoreUnavailableError("cut")], [WatchExpiredError()], [])
    heart = Heartbeat()
    heart.wrote("101")
    task = asyncio.create_task(listen(wire, heart, "home", "rackwright"))
    async with asyncio.timeout(5):
        await wire.over.wait()
    task.cancel()
    await asyncio.wait({task})
    assert wire.asked == ["100", "150", "150", "100", "100"]
    assert wire.versions == 2
    assert heart._out is None
