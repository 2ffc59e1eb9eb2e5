"""SIGKILL at every line and at every write of a build, and a new start each time."""

from pathlib import Path

import pytest

from tests.crash.kills import Kill, kills, trial
from tests.crash.rack import Template


@pytest.mark.parametrize("kill", kills(), ids=str)
async def test_the_next_one_ends_what_was_begun(kill: Kill, template: Template, tmp_path: Path) -> None:
    async with template.rack(tmp_path / "rack") as rack:
        await trial(kill, rack)
