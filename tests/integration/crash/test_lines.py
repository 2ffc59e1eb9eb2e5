"""SIGKILL at every line of a build that reaches the chassis, before its effect and after it, and a new start each time.

A line that only reads, or moves between modes, has no effect: killed before it or after it with no reply sent, operator
and chassis know and are the same. It is tried once.
"""

from pathlib import Path

import pytest

from rackwright_sim.faults import Moment
from tests.integration.crash import dialogue
from tests.integration.crash.proof import Witness
from tests.integration.crash.rack import Rack, Template
from tests.integration.crash.trial import converges, life_until

_NAVIGATION = ("configure ", "server id ", "nic ", "interface ", "end", "exit")
_EVERY = list(enumerate(dialogue.lines(), 1))
_CHANGES = [(number, line) for number, line in _EVERY if not line.startswith(("show ", *_NAVIGATION))]


@pytest.mark.parametrize("number", [dialogue.point(*place) for place in _EVERY])
class TestBefore:
    """The chassis never took the line."""

    async def test_with_consent(self, rack: Rack, number: int) -> None:
        """What was consented to and not done is done without being asked for again."""
        witness = Witness(rack.server.model)
        await life_until(rack, number, "before")
        await converges(rack, witness, consents=1)


@pytest.mark.parametrize("number", [dialogue.point(*place) for place in _CHANGES])
class TestAfter:
    """The chassis did what the line says, and nobody heard of it."""

    async def test_with_consent(self, rack: Rack, number: int) -> None:
        """What was consented to and done is not done again, and the consent ends with it."""
        witness = Witness(rack.server.model)
        await life_until(rack, number, "after")
        await converges(rack, witness, consents=1)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [dialogue.point(*place) for place in _CHANGES])
async def test_with_everything_allowed(free_rack: Rack, number: int, moment: Moment) -> None:
    """Without consent on record there is nothing to go by but the chassis."""
    witness = Witness(free_rack.server.model)
    await life_until(free_rack, number, moment)
    await converges(free_rack, witness, consents=0)


@pytest.mark.parametrize("name", ["approved", "allowed"])
async def test_the_build_is_the_one_that_is_named_here(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Else lines of it were not tried: `python -m tests.integration.crash.dialogue` names them anew."""
    template: Template = request.getfixturevalue(name)
    sent, written = await dialogue.record(template, tmp_path / "rack")
    assert sent == dialogue.lines()
    if name == "approved":
        assert written == dialogue.writes()
