"""The token bucket: the mean rate holds, a burst goes in one piece, and no test waits for a clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright_drivers.transports.pace import Pace
from tests.unit.core.virtual import now, virtually


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_a_full_bucket_lets_one_seconds_worth_through_at_once() -> None:
    clock = Clock()
    pace = Pace(5, clock, clock.sleep)
    await pace.take(5)
    assert clock.slept == []
    await pace.take(1)
    assert clock.slept == [pytest.approx(0.2)]


async def test_a_batch_larger_than_the_bucket_goes_in_one_piece_and_is_paid_for_afterwards() -> None:
    clock = Clock()
    pace = Pace(5, clock, clock.sleep)
    await pace.take(15)
    assert clock.slept == []
    await pace.take(5)
    assert sum(clock.slept) == pytest.approx(3.0)


async def test_less_than_one_a_second_still_lets_the_first_go() -> None:
    clock = Clock()
    pace = Pace(0.5, clock, clock.sleep)
    await pace.take(1)
    await pace.take(1)
    assert clock.slept == [pytest.approx(2.0)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.floats(0.5, 50))
async def test_the_mean_rate_holds_but_for_one_bucket_and_the_last_batch(batches: list[int], rate: float) -> None:
    clock = Clock()
    pace = Pace(rate, clock, clock.sleep)
    for batch in batches:
        await pace.take(batch)
    assert sum(batches[:-1]) <= rate * (clock.now - 100.0) + max(1.0, rate) + 1e-6


def test_it_goes_by_the_clock_of_the_event_loop() -> None:
    async def main() -> float:
        pace = Pace(2)
        for _ in range(12):
            await pace.take(1)
        return now()

    assert virtually(main()) == pytest.approx(5)
