"""SIGKILL in the middle of a build, and a new start: a fixed share of the places, with each kind of place among them."""

from pathlib import Path

import pytest

from tests.crash import dialogue
from tests.crash.kills import Kill, kills, share, trial
from tests.crash.rack import Template

NTH = 16


@pytest.mark.parametrize("kill", share(NTH), ids=str)
async def test_the_next_one_ends_what_was_begun(kill: Kill, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    template: Template = request.getfixturevalue("approved" if kill.approved else "allowed")
    async with template.rack(tmp_path / "rack") as rack:
        await trial(kill, rack)


def test_the_share_has_every_kind_of_place() -> None:
    chosen, every = share(NTH), kills()
    assert {(kill.approved, kill.at, kill.moment) for kill in chosen} == {
        (kill.approved, kill.at, kill.moment) for kill in every
    }
    assert len(chosen) < len(every) / 2


@pytest.mark.parametrize("name", ["approved", "allowed"])
async def test_the_build_is_the_one_that_is_named_here(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Else lines of it were not tried: `python -m tests.crash.dialogue` names them anew."""
    template: Template = request.getfixturevalue(name)
    sent, written = await dialogue.record(template, tmp_path / "rack")
    assert sent == dialogue.lines()
    if name == "approved":
        assert written == dialogue.writes()
