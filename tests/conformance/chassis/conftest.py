"""One chassis for each driver under test, by name: every test of the suite runs on all of them."""

from collections.abc import AsyncIterator

import pytest

from rackwright_drivers.contract.chassis import ChassisDriver
from tests.conformance.chassis.rigs import RIGS, Rig


@pytest.fixture(params=list(RIGS))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """A rack of four cards as found."""
    async with RIGS[request.param]("small") as made:
        yield made


@pytest.fixture
async def driver(rig: Rig) -> AsyncIterator[ChassisDriver]:
    """A driver of that rack."""
    made = rig.connect()
    yield made
    await made.aclose()
