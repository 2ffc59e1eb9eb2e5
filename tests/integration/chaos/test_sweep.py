"""Faults at every kind of command: a fixed share of the sweep, in which each knob and each command has its turn."""

import pytest

from tests.chaos import sweep

SHARE = 12


@pytest.mark.parametrize("trial", sweep.share(SHARE), ids=str)
def test_one_fault_and_all_comes_right_again(trial: sweep.Trial) -> None:
    sweep.run(trial)


def test_the_sweep_knows_every_kind_of_command_that_is_sent() -> None:
    assert sweep.sent_kinds() == set(sweep.KINDS)


def test_the_share_has_every_knob_and_every_kind() -> None:
    share, every = sweep.share(SHARE), sweep.trials()
    assert {trial.knob for trial in share} == {trial.knob for trial in every}
    assert {trial.kind for trial in share} == {trial.kind for trial in every}
