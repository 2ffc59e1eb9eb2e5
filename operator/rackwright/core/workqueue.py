"""The work queue and the schedule: one key is handled by one worker at a time, and is there once however often it is added.

Priorities: what a person changed goes before what is degraded, and that before periodic looks.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K")
REPLACED = 64  # entries of the schedule that may be out of date


class Priority(IntEnum):
    """Lower goes first."""

    USER = 0
    DEGRADED = 1
    PERIODIC = 2


class WorkQueue(Generic[K]):
    """Keys that are due, and keys that will be. Not thread-safe: it belongs to one event loop."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or asyncio.get_running_loop().time
        self._ready: list[tuple[Priority, int, K]] = []
        self._queued: dict[K, Priority] = {}
        self._due: dict[K, tuple[float, Priority]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._active: set[K] = set()
        self._again: dict[K, Priority] = {}
        self._order = count()
        self._wake = asyncio.Event()
        self._rest = asyncio.Event()

    def __len__(self) -> int:
        """Keys that are due and not in hand."""
        return len(self._queued)

    @property
    def idle(self) -> bool:
        """Nothing is due and nothing in hand."""
        return not self._queued and not self._active

    async def settled(self) -> None:
        """Wait until it is idle."""
        while not self.idle:
            self._rest.clear()
            await self._rest.wait()

    def add(self, key: K, priority: Priority) -> None:
        """Handle this as soon as a worker is free; once more after it, if it is in hand right now."""
        if key in self._active:
            self._again[key] = min(priority, self._again.get(key, priority))
            return
        known = self._queued.get(key)
        if known is not None and known <= priority:
            return
        self._queued[key] = priority
        heapq.heappush(self._ready, (priority, next(self._order), key))
        self._wake.set()

    def schedule(self, key: K, seconds: float, priority: Priority) -> None:
        """Handle this in so many seconds; replaces what was scheduled for it before."""
        when = self._now() + seconds
        self._due[key] = (when, priority)
        heapq.heappush(self._heap, (when, next(self._order), key))
        if len(self._heap) > 2 * len(self._due) + REPLACED:  # what was replaced would else lie there until its time
            self._heap = [item for item in self._heap if self._due.get(item[2], (None,))[0] == item[0]]
            heapq.heapify(self._heap)
        self._wake.set()

    def forget(self, key: K) -> None:
        """No more looks at this, unless it is added again."""
        self._due.pop(key, None)

    async def get(self) -> K:
        """The next key; it is in hand until `done`."""
        while True:
            wait = self._promote()
            while self._ready:
                priority, _, key = heapq.heappop(self._ready)
                if self._queued.get(key) == priority:
                    del self._queued[key]
                    self._active.add(key)
                    return key
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):  # wait_for of Python 3.11 loses a cancellation at the same moment
                    await self._wake.wait()

    def done(self, key: K) -> None:
        """The key is out of hand; it is due at once if it was added meanwhile."""
        self._active.discard(key)
        again = self._again.pop(key, None)
        if again is not None:
            self.add(key, again)
        if self.idle:
            self._rest.set()

    def _promote(self) -> float | None:
        """Move what has become due to the ready ones; seconds until the next, or None."""
        now = self._now()
        while self._heap:
            when, _, key = self._heap[0]
            due = self._due.get(key)
            if due is None or due[0] != when:
                heapq.heappop(self._heap)  # replaced or forgotten
            elif when <= now:
                heapq.heappop(self._heap)
                del self._due[key]
                self.add(key, due[1])
            else:
                return when - now
        return None
