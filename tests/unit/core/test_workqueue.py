"""The queue and the schedule: one key once, in one pair of hands, and none forgotten."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from rackwright.core.workqueue import Priority, WorkQueue
from tests.unit.core.kit import PROPERTY
from tests.unit.core.virtual import now, virtually

USER, DEGRADED, PERIODIC = Priority


async def take(queue: WorkQueue[str], count: int) -> list[str]:
    taken = []
    for _ in range(count):
        taken.append(await queue.get())
        queue.done(taken[-1])
    return taken


def test_a_key_is_there_once_however_often_it_is_added_and_goes_by_its_best_priority() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for key, priority in (("late", PERIODIC), ("a", PERIODIC), ("b", DEGRADED), ("a", USER), ("a", DEGRADED)):
            queue.add(key, priority)
        assert len(queue) == 3
        assert await take(queue, 3) == ["a", "b", "late"]
        assert queue.idle

    virtually(main())


def test_keys_of_one_priority_go_in_the_order_in_which_they_came() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for key in "zyx":
            queue.add(key, USER)
        assert await take(queue, 3) == ["z", "y", "x"]

    virtually(main())


def test_what_is_added_while_it_is_in_hand_comes_once_more_and_not_before() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a", PERIODIC)
        assert await queue.get() == "a"
        queue.add("a", PERIODIC)
        queue.add("a", USER)
        queue.add("b", DEGRADED)
        assert await queue.get() == "b", "nobody else gets what is in hand"
        queue.done("b")
        assert not queue.idle
        queue.done("a")
        assert await queue.get() == "a"
        queue.done("a")
        assert queue.idle

    virtually(main())


def test_a_schedule_is_kept_replaced_and_forgotten() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.schedule("a", 60, PERIODIC)
        queue.schedule("b", 50, PERIODIC)
        queue.schedule("c", 5, PERIODIC)
        queue.schedule("a", 10, PERIODIC)
        queue.schedule("b", 90, PERIODIC)
        queue.forget("c")
        seen = []
        for _ in range(2):
            key = await queue.get()
            seen.append((key, now()))
            queue.done(key)
        assert seen == [("a", 10.0), ("b", 90.0)]

    virtually(main())


def test_an_earlier_time_wakes_whoever_waits_for_a_later_one() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.schedule("later", 100, PERIODIC)
        getting = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        queue.schedule("soon", 2, PERIODIC)
        assert await getting == "soon"
        assert now() == 3.0

    virtually(main())


def test_what_is_due_by_schedule_yields_to_what_a_person_did() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.schedule("resync", 1, PERIODIC)
        await asyncio.sleep(2)
        queue.add("person", USER)
        assert await take(queue, 2) == ["person", "resync"]

    virtually(main())


def test_settled_waits_for_what_is_due_and_in_hand_and_not_for_what_is_later() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.schedule("later", 1000, PERIODIC)
        queue.add("a", USER)
        waiting = asyncio.create_task(queue.settled())
        key = await queue.get()
        await asyncio.sleep(5)
        assert not waiting.done()
        queue.add("a", USER)
        queue.done(key)
        await asyncio.sleep(5)
        assert not waiting.done()
        queue.done(await queue.get())
        await waiting
        assert now() == 10.0

    virtually(main())


def test_a_schedule_that_is_replaced_all_day_does_not_grow() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for second in range(5000):
            queue.schedule("abc"[second % 3], 86400 + second, PERIODIC)
        assert len(queue._heap) < 200
        assert await take(queue, 3) == ["c", "a", "b"]
        assert now() == 86400 + 4999

    virtually(main())


KEYS = st.sampled_from("abc")
WORK = st.lists(
    st.one_of(
        st.tuples(st.just("add"), KEYS, st.sampled_from(Priority)),
        st.tuples(st.just("schedule"), KEYS, st.integers(0, 5)),
        st.tuples(st.just("take"), st.just(""), st.just(0)),
        st.tuples(st.just("done"), KEYS, st.just(0)),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 3)),
    ),
    max_size=40,
)


@PROPERTY
@given(WORK)
def test_no_key_is_in_two_hands_and_none_that_was_added_is_lost(work: list[tuple[str, str, int]]) -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        owed: set[str] = set()
        hands: set[str] = set()
        for what, key, number in work:
            if what == "add":
                queue.add(key, Priority(number))
                owed.add(key)
            elif what == "schedule":
                queue.schedule(key, number, PERIODIC)
            elif what == "wait":
                await asyncio.sleep(number)
            elif what == "done" and key in hands:
                hands.discard(key)
                queue.done(key)
            elif what == "take" and len(queue):
                taken = await queue.get()
                assert taken not in hands
                hands.add(taken)
                owed.discard(taken)
        for key in sorted(hands):
            queue.done(key)
        while owed:
            taken = await asyncio.wait_for(queue.get(), 100)
            queue.done(taken)
            owed.discard(taken)

    virtually(main())
