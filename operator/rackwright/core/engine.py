"""The engine: events in, passes out. One queue, a few workers, one schedule of periodic looks.

An event only says "look at this object". Which key that is, how soon it is looked at, and when again, is decided here;
what a look does is a reconciler's.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping

import structlog

from rackwright.core import metrics
from rackwright.core.chassis.inputs import chassis_of
from rackwright.core.reconcile import Next, Reconciler
from rackwright.core.resource import CHASSIS, KINDS, RECONCILE_AT, Ref, Resource
from rackwright.core.store import Store, StoreUnavailableError
from rackwright.core.workqueue import Priority, WorkQueue

log = structlog.get_logger(__name__)

BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MOST_SECONDS = 300.0
LAG_SECONDS = 1.0


class Engine:
    """Runs reconcilers over the objects of a store."""

    def __init__(
        self,
        store: Store,
        chassis: Reconciler,
        others: Reconciler,
        *,
        workers: int = 8,
        jitter: Callable[[], float] = random.random,
        forget: Callable[[Ref], None] = lambda _: None,
    ) -> None:
        """`forget` is told of objects that are gone."""
        self._store = store
        self._chassis = chassis
        self._others = others
        self._workers = workers
        self._jitter = jitter
        self._forget = forget
        self._failures: dict[Ref, int] = {}
        self._seen: dict[Ref, tuple[object, ...]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._draining = False
        self.queue: WorkQueue[Ref] = WorkQueue()

    def notify(self, resource: Resource, *, deleted: bool = False) -> None:
        """An object is new, changed or gone. What changed only in what we write ourselves is no news."""
        ref = resource.ref
        mark = _mark(resource)
        if deleted:
            self._seen.pop(ref, None)
            metrics.forget(*ref)
            self._forget(ref)
        elif self._seen.get(ref) == mark:
            return
        else:
            self._seen[ref] = mark
        self.queue.add(self._key(resource), Priority.USER)
        if ref.kind == CHASSIS:
            self._adopt_orphans(ref)

    def retry(self, keys: Iterable[Ref]) -> None:
        """Look at these again now."""
        for key in keys:
            self.queue.add(key, Priority.DEGRADED)

    def look_at_all(self) -> None:
        """Look at everything: what others did, or what was cut short, is not known."""
        self.retry({self._key(item) for kind in KINDS for item in self._store.list(kind)})

    def _key(self, resource: Resource) -> Ref:
        """An object on a chassis is looked at with its chassis; one whose chassis is not there, by itself."""
        chassis = chassis_of(resource)
        return chassis if chassis is not None and self._store.get(chassis) is not None else resource.ref

    def _adopt_orphans(self, chassis: Ref) -> None:
        """A Chassis that came takes over those that waited for it: they are no longer looked at by themselves."""
        for kind in KINDS:
            for item in self._store.list(kind):
                if item.ref != chassis and chassis_of(item) == chassis:
                    self.queue.forget(item.ref)

    async def run(self) -> None:
        """Work until cancelled or drained."""
        self._draining = False
        async with asyncio.TaskGroup() as group:
            self._tasks = {group.create_task(self._work()) for _ in range(self._workers)}
            self._tasks.add(group.create_task(self._watch_lag()))

    async def drain(self, seconds: float) -> None:
        """Take no more keys and let the passes under way come to their end, for so long; `run` returns after it."""
        self._draining = True
        for task in self._tasks - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    async def settle(self) -> None:
        """Work until every key had its look and none is due; what is scheduled for later is left."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._work()) for _ in range(self._workers)]
            await self.queue.settled()
            for task in tasks:
                task.cancel()

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # it is one
        while not self._draining:
            key = await self.queue.get()
            self._busy.add(task)
            try:
                await self._handle(key)
            finally:
                self._busy.discard(task)
                self.queue.done(key)
                metrics.QUEUE.set(len(self.queue))

    async def _handle(self, key: Ref) -> None:
        reconciler = self._chassis if key.kind == CHASSIS else self._others
        try:
            following = await reconciler.reconcile(key)
        except StoreUnavailableError as error:
            log.warning("a pass broke off; it is tried again", object=str(key), error=str(error))
            following = Next(BACKOFF_MOST_SECONDS, Priority.DEGRADED, failed=True)
        except Exception:
            log.exception("a pass broke; it is tried again", object=str(key))
            following = Next(BACKOFF_MOST_SECONDS, Priority.DEGRADED, failed=True)
        self._schedule(key, following)

    def _schedule(self, key: Ref, following: Next) -> None:
        if following.seconds is None:
            self._failures.pop(key, None)
            self.queue.forget(key)
        elif following.failed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            most = min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(failures, 16))
            self.queue.schedule(key, most * (0.5 + self._jitter() / 2), following.priority)
        else:
            self._failures.pop(key, None)
            spread = 0.9 + self._jitter() / 5  # so that racks do not fall into step
            self.queue.schedule(key, following.seconds * spread, following.priority)

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_SECONDS)
            metrics.LOOP_LAG.set(max(0.0, loop.time() - before - LAG_SECONDS))


def _mark(resource: Resource) -> tuple[object, ...]:
    """What of an object is a person's: a change of anything else is our own echo."""
    annotations: Mapping[str, str] = resource.annotations
    return (
        resource.uid,
        resource.generation,
        resource.deleting,
        resource.paused,
        annotations.get(RECONCILE_AT),
        tuple(sorted(resource.labels.items())),
    )
