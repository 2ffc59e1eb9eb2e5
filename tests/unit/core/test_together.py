"""Many small things side by side: a few at a time, all of them ended, and none left behind by a cancellation."""

import asyncio
import inspect

import pytest

from rackwright.core.together import AT_A_TIME, together
from tests.unit.core.virtual import virtually


def test_it_gives_the_results_in_order_and_raises_the_first_error_after_all_have_ended() -> None:
    ended: list[int] = []

    async def work(number: int) -> int:
        await asyncio.sleep(10 - number)
        ended.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    async def main() -> None:
        assert await together(work(number) for number in (0, 1, 2)) == [0, 1, 2]
        ended.clear()
        with pytest.raises(ValueError, match="three"):
            await together(work(number) for number in range(5))
        assert sorted(ended) == [0, 1, 2, 3, 4]

    virtually(main())


def test_what_was_cancelled_before_its_turn_came_is_closed() -> None:
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(100)

    async def main() -> None:
        works = [work(number) for number in range(AT_A_TIME + 4)]
        task = asyncio.create_task(together(works))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert begun == list(range(AT_A_TIME))
        closed = [inspect.getcoroutinestate(item) for item in works]
        assert set(closed) == {inspect.CORO_CLOSED}, "none waits to be collected with a warning"

    virtually(main())
