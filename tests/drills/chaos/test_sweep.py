"""The whole sweep: every knob at every kind of command on a rack of four cards."""

import pytest

from tests.chaos import sweep


@pytest.mark.parametrize("trial", sweep.trials(), ids=str)
def test_one_fault_and_all_comes_right_again(trial: sweep.Trial) -> None:
    sweep.run(trial)
