"""SIGKILL in the middle of a build, and a new start: a fixed share of the places, with each kind of place among them."""

from pathlib import Path

import pytest

from tests.crash import dialogue
from tests.crash.kills import Kill, kills, share, trial
from tests.crash.rack import Template

NTH = 24


@pytest.mark.parametrize("kill", share(NTH), ids=str)
async def test_the_next_one_ends_what_was_begun(kill: Kill, template: Template, tmp_path: Path) -> None:
    async with template.rack(tmp_path / "rack") as rack:
        await trial(kill, rack)


def test_the_share_has_every_kind_of_place() -> None:
    chosen, every = share(NTH), kills()
    for kind in (lambda kill: kill.approved, lambda kill: (kill.at, kill.moment), lambda kill: kill.words):
        assert set(map(kind, chosen)) == set(map(kind, every))
    assert len(chosen) < len(every) / 4


async def test_the_build_with_consent_is_the_one_that_is_named_here(approved: Template, tmp_path: Path) -> None:
    """Else lines of it were not tried: `python -m tests.crash.dialogue` names them anew."""
    assert await dialogue.record(approved, tmp_path / "rack") == (dialogue.lines(), dialogue.writes())


async def test_the_build_with_everything_allowed_sends_the_same(allowed: Template, tmp_path: Path) -> None:
    sent, _ = await dialogue.record(allowed, tmp_path / "rack")
    assert sent == dialogue.lines()
