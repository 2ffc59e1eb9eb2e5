"""SIGKILL at every write of the state folder: half written, whole but not yet in place, and in place."""

import shutil

import pytest

from tests.integration.crash import dialogue
from tests.integration.crash.operator_process import KILLED, Renames
from tests.integration.crash.proof import Witness
from tests.integration.crash.rack import Rack
from tests.integration.crash.trial import converges

_POSITIONS = ("torn", "before", "after")


async def _die(rack: Rack, number: int, position: str) -> None:
    fate = Renames(rack.folder / "diary.txt", number, position)
    assert await rack.operator("apply", renames=fate).ended() == KILLED, rack.output


@pytest.mark.parametrize("position", _POSITIONS)
@pytest.mark.parametrize("number", [dialogue.point(*place) for place in enumerate(dialogue.writes(), 1)])
async def test_at_every_write(rack: Rack, number: int, position: str) -> None:
    """Statuses, stamped nodes, and the record that consent is being used."""
    witness = Witness(rack.server.model)
    await _die(rack, number, position)
    await converges(rack, witness, consents=1)


@pytest.mark.parametrize("position", _POSITIONS)
@pytest.mark.parametrize("number", [1, 2])
async def test_at_the_first_writes_of_all(free_rack: Rack, number: int, position: str) -> None:
    """A folder that nobody kept before: the identities of its objects are being made."""
    shutil.rmtree(free_rack.state)
    witness = Witness(free_rack.server.model)
    await _die(free_rack, number, position)
    await converges(free_rack, witness, consents=0)
