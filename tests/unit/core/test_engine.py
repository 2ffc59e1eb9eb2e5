"""The engine: what is news and what is an echo, who is looked at with whom, and when again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from rackwright.core.engine import Engine
from rackwright.core.reconcile import Next
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref, Resource
from rackwright.core.store import StoreUnavailableError
from rackwright.core.workqueue import Priority
from tests.unit.core.kit import MemoryStore, pool, small_chassis
from tests.unit.core.virtual import now, virtually

KEY = Ref(CHASSIS, "rack", "sm15k-01")
POOL = Ref(STORAGE_POOL, "rack", "root")
REST = Next(60.0)


@dataclass
class Scripted:
    """A reconciler that notes when it was called, and answers by a script; its last answer goes on."""

    answers: list[Next | Exception] = field(default_factory=lambda: [REST])
    calls: list[tuple[Ref, float]] = field(default_factory=list)
    seconds: float = 0.0
    during: Callable[[], None] = lambda: None

    async def reconcile(self, key: Ref) -> Next:
        self.calls.append((key, now()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.during()
        await asyncio.sleep(self.seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def times(self) -> list[float]:
        return [when for _, when in self.calls]


def engine(chassis: Scripted, others: Scripted | None = None, jitter: float = 1.0, workers: int = 8) -> Engine:
    """Over a store with a Chassis and a pool of it."""
    store = MemoryStore([small_chassis(), pool("root")])
    return Engine(store, chassis, others or Scripted(), jitter=lambda: jitter, workers=workers)


async def running(made: Engine, seconds: float) -> None:
    task = asyncio.create_task(made.run())
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def resource(made: Engine, ref: Ref) -> Resource:
    found = made._store.get(ref)
    assert found is not None
    return found


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.5), (1.0, 1.0)])
def test_failures_are_retried_ever_later_within_bounds_and_success_begins_anew(jitter: float, factor: float) -> None:
    async def main() -> None:
        failed = Next(60.0, Priority.DEGRADED, failed=True)
        chassis = Scripted([*[failed] * 12, REST, failed])
        made = engine(chassis, jitter=jitter)
        made.notify(resource(made, KEY))
        await running(made, 3000)
        waits = [after - before for before, after in zip(chassis.times, chassis.times[1:], strict=False)]
        assert waits[:12] == [pytest.approx(min(300, 2**n) * factor) for n in range(12)]
        assert waits[12] == pytest.approx(60 * (0.9 + jitter / 5))
        assert waits[13] == pytest.approx(factor), "after a success it begins anew"

    virtually(main())


def test_what_breaks_is_tried_again_and_nobody_else_waits_for_it() -> None:
    async def main() -> None:
        chassis, others = Scripted([RuntimeError("a bug")]), Scripted()
        made = engine(chassis, others)
        made.notify(resource(made, KEY))
        made.queue.add(POOL, Priority.USER)
        await running(made, 10)
        assert chassis.times == [0.0, 1.0, 3.0, 7.0]
        assert others.calls == [(POOL, 0.0)]

    virtually(main())


def test_a_store_that_is_away_is_waited_for() -> None:
    async def main() -> None:
        chassis = Scripted([StoreUnavailableError("no API server"), StoreUnavailableError("no API server"), REST])
        made = engine(chassis)
        made.notify(resource(made, KEY))
        await running(made, 50)
        assert chassis.times == [0.0, 1.0, 3.0]

    virtually(main())


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 54.0), (0.5, 60.0), (1.0, 66.0)])
def test_periodic_looks_are_spread(jitter: float, seconds: float) -> None:
    async def main() -> None:
        chassis = Scripted()
        made = engine(chassis, jitter=jitter)
        made.notify(resource(made, KEY))
        await running(made, 100)
        assert chassis.times == [0.0, pytest.approx(seconds)]

    virtually(main())


def test_only_what_a_person_did_is_news() -> None:
    async def main() -> None:
        made = engine(Scripted())
        known = resource(made, KEY)
        made.notify(known)
        echoes = [
            replace(known, status={"summary": "1/1"}),
            replace(known, version="77"),
            replace(known, annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        ]
        await made.queue.get()
        made.queue.done(KEY)
        for echo in echoes:
            made.notify(echo)
            assert len(made.queue) == 0
        news = [
            replace(known, generation=2),
            replace(known, labels={"a": "b"}),
            replace(known, annotations={"rackwright.dev/paused": "true"}),
            replace(known, annotations={"rackwright.dev/reconcile-at": "now"}),
            replace(known, deleting=True),
            replace(known, uid="another"),
        ]
        for new in news:
            made.notify(new)
            assert len(made.queue) == 1, new
            made.queue.done(await made.queue.get())

    virtually(main())


def test_a_change_in_the_middle_of_a_pass_is_looked_at_after_it() -> None:
    """The echo of our own write may carry somebody's newer spec: it must not be lost with the echo."""

    async def main() -> None:
        chassis = Scripted(seconds=5)
        made = engine(chassis)
        known = resource(made, KEY)
        made.notify(known)
        task = asyncio.create_task(made.run())
        await asyncio.sleep(1)
        made.notify(replace(known, status={"summary": "0/1"}))
        made.notify(replace(known, generation=2, status={"summary": "0/1"}))
        await asyncio.sleep(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert chassis.times == [0.0, 5.0]

    virtually(main())


def test_an_object_is_looked_at_with_its_chassis_and_by_itself_where_that_is_not_there() -> None:
    async def main() -> None:
        made = engine(Scripted())
        made.notify(resource(made, POOL))
        assert await made.queue.get() == KEY
        made.queue.done(KEY)
        store = made._store
        assert isinstance(store, MemoryStore)
        del store.objects[KEY]
        made.notify(replace(resource(made, POOL), generation=2))
        assert await made.queue.get() == POOL
        made.queue.done(POOL)

    virtually(main())


def test_a_chassis_that_comes_takes_over_who_waited_for_it() -> None:
    async def main() -> None:
        chassis, others = Scripted(), Scripted([Next(5.0)])
        store = MemoryStore([pool("root")])
        made = Engine(store, chassis, others, jitter=lambda: 0.5)
        made.notify(store.objects[POOL])
        task = asyncio.create_task(made.run())
        await asyncio.sleep(6)
        assert others.times == [0.0, 5.0]
        made.notify(store.put(small_chassis()))
        await asyncio.sleep(30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert others.times == [0.0, 5.0], "from then on it is looked at with its chassis"
        assert chassis.times == [6.0]

    virtually(main())


def test_a_chassis_that_goes_is_looked_at_once_more_and_never_again() -> None:
    async def main() -> None:
        chassis = Scripted([REST, Next(None)])
        made = engine(chassis)
        known = resource(made, KEY)
        made.notify(known)
        task = asyncio.create_task(made.run())
        await asyncio.sleep(1)
        store = made._store
        assert isinstance(store, MemoryStore)
        del store.objects[KEY]
        made.notify(known, deleted=True)
        await asyncio.sleep(1000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert chassis.calls == [(KEY, 0.0), (KEY, 1.0)]

    virtually(main())


def test_one_worker_a_key_and_as_many_keys_as_workers() -> None:
    async def main() -> None:
        chassis = Scripted(seconds=10)
        made = engine(chassis, workers=2)
        keys = [KEY._replace(name=f"sm-{number}") for number in range(3)]
        for key in keys:
            made.queue.add(key, Priority.USER)
        task = asyncio.create_task(made.run())
        await asyncio.sleep(1)
        made.queue.add(keys[0], Priority.USER)
        await asyncio.sleep(100)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert chassis.calls[:4] == [(keys[0], 0.0), (keys[1], 0.0), (keys[2], 10.0), (keys[0], 10.0)]

    virtually(main())


def test_draining_lets_a_pass_come_to_its_end_and_takes_no_other() -> None:
    async def main() -> None:
        chassis = Scripted(seconds=10)
        made = engine(chassis, workers=1)
        made.queue.add(KEY, Priority.USER)
        made.queue.add(KEY._replace(name="other"), Priority.USER)
        task = asyncio.create_task(made.run())
        await asyncio.sleep(1)
        await made.drain(30)
        await task
        assert chassis.calls == [(KEY, 0.0)]
        assert now() == 10.0

    virtually(main())


def test_settle_works_until_nothing_is_due_and_leaves_what_is_later() -> None:
    async def main() -> None:
        chassis = Scripted(seconds=3)
        made = engine(chassis)
        made.notify(resource(made, KEY))
        await made.settle()
        assert (chassis.times, now()) == ([0.0], 3.0)

    virtually(main())


def test_settling_comes_to_its_end_also_when_a_look_is_scheduled_at_that_very_moment() -> None:
    async def main() -> None:
        chassis = Scripted(seconds=1)
        made = engine(chassis)
        for _ in range(3):
            made.retry([KEY])
            async with asyncio.timeout(10):
                await made.settle()
        assert len(chassis.calls) == 3

    virtually(main())


def test_look_at_all_asks_for_each_chassis_once() -> None:
    async def main() -> None:
        made = engine(Scripted())
        made.look_at_all()
        assert len(made.queue) == 1
        assert await made.queue.get() == KEY
        made.queue.done(KEY)

    virtually(main())


def test_what_a_node_says_leads_to_its_chassis() -> None:
    async def main() -> None:
        made = engine(Scripted())
        ref = Ref(COMPUTE_NODE, "rack", "compute-1")
        made.notify(Resource(ref, "u", 1, "2026-01-01T00:00:00Z", {"chassisRef": {"name": "sm15k-01"}}))
        assert await made.queue.get() == KEY
        made.queue.done(KEY)

    virtually(main())
