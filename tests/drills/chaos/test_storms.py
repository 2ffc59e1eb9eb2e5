"""Two hundred storms over the golden rack, ten a test. One seed again: `python -m tests.drills.chaos.seeds SEED`."""

import pytest

from tests.chaos import storm

SEEDS = 200
A_TEST = 10


@pytest.mark.parametrize("first", range(0, SEEDS, A_TEST))
def test_ten_storms_and_all_comes_right_after_each(first: int) -> None:
    failed: list[str] = []
    for seed in range(first, first + A_TEST):
        try:
            storm.ride(storm.schedule(seed))
        except AssertionError as error:
            failed.append(str(error))
    assert failed == [], "\n\n".join(failed)


def test_a_storm_goes_the_same_way_every_time() -> None:
    """Else a failing seed could not be replayed."""
    one, two = (storm.ride(storm.schedule(7)) for _ in range(2))
    assert one.plot == two.plot
    assert [(entry.session, entry.text) for entry in one.sim.log] == [
        (entry.session, entry.text) for entry in two.sim.log
    ]
