"""The chassis away, slow, talking nonsense, or cut off in the middle of a table: on a virtual clock, with the true driver."""

import asyncio

import pytest
from structlog.testing import capture_logs

from rackwright.core.engine import BACKOFF_MOST_SECONDS
from rackwright_drivers.contract.power import Power
from rackwright_sim.faults import Fault, FaultKind
from tests.chaos.racks import LIMITS
from tests.chaos.scenes import changes, on_a_standing_rack
from tests.chaos.sweep import NONSENSE
from tests.chaos.world import World

HOUR = 3600.0
TIMEOUT = LIMITS["commandTimeoutSeconds"]
OFF = "power-off server 1/0 force no-confirm"
A_PASS = 60.0  # longer than one takes here


async def _heals(here: World, within: float) -> None:
    """What a person switched off meanwhile comes back."""
    here.sim.faults.replace([])
    await here.until(lambda: here.power("1/0") is Power.ON, within)


@pytest.mark.parametrize("how", ["refuses", "hangs", "drops"])
def test_away_for_an_hour(how: str) -> None:
    """Asked ever more seldom, never with a second login, without a flood of logs or writes; healed within one back-off."""
    faults = {
        "refuses": [Fault(kind=FaultKind.DROP), Fault(kind=FaultKind.REFUSE, times=None)],
        "hangs": [Fault(kind=FaultKind.HANG, times=None)],
        "drops": [Fault(kind=FaultKind.DROP, times=None)],
    }

    async def story(here: World) -> None:
        counters = here.sim.counters
        before = counters.connections + counters.connections_refused
        sent = len(changes(here))
        here.sim.faults.replace(faults[how])
        await here.by_hand(OFF)
        with capture_logs() as logs:
            await asyncio.sleep(HOUR / 2)
            writes = here.store.writes
            await asyncio.sleep(HOUR / 2)
        tries = counters.connections + counters.connections_refused - before
        assert 12 <= tries <= 35
        assert len(logs) <= tries + 1
        assert counters.authentications_failed == 0
        assert here.store.writes == writes, "an hour away is said once"
        assert (here.condition("Reachable")["status"], here.condition("Ready")["reason"]) == (
            "False",
            "DeviceUnavailable",
        )
        assert len(changes(here)) == sent
        await _heals(here, BACKOFF_MOST_SECONDS + A_PASS)

    on_a_standing_rack(story)


def test_a_wrong_password_is_tried_once_however_long_it_takes() -> None:
    async def story(here: World) -> None:
        secret = next(iter(here.store.secrets.values()))
        secret["password"] = b"wrong"
        await here.by_hand(OFF)
        await asyncio.sleep(HOUR)
        assert here.sim.counters.authentications_failed == 1
        assert here.condition("Ready")["reason"] == "CredentialsRefused"
        secret["password"] = b"admin"
        await _heals(here, 120)

    on_a_standing_rack(story)


@pytest.mark.parametrize(("seconds", "reachable"), [(TIMEOUT - 1, "True"), (TIMEOUT + 1, "False")])
def test_slow_at_every_table(seconds: float, reachable: str) -> None:
    """Just below the time-out of a command the rack is kept all the same; just above it nothing is done."""

    async def story(here: World) -> None:
        here.sim.faults.replace([Fault(kind=FaultKind.LATENCY, match="^show ", seconds=seconds, times=None)])
        await here.by_hand(OFF)
        await asyncio.sleep(HOUR / 2)
        assert here.condition("Reachable")["status"] == reachable
        assert (here.power("1/0") is Power.ON) == (reachable == "True")
        await _heals(here, BACKOFF_MOST_SECONDS + A_PASS)

    on_a_standing_rack(story)


def test_too_slow_at_every_command() -> None:
    """A burst that changes something ends with the time-out of one command: it is broken off, told, and tried again."""

    async def story(here: World) -> None:
        here.sim.faults.replace([Fault(kind=FaultKind.LATENCY, match="^power-on", seconds=TIMEOUT + 1, times=None)])
        await here.by_hand(OFF)
        await asyncio.sleep(HOUR / 2)
        assert here.power("1/0") is Power.OFF
        assert "did not answer `power-on server 1/0" in here.condition("Ready")["message"]
        await _heals(here, BACKOFF_MOST_SECONDS + A_PASS)

    on_a_standing_rack(story)


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_for_a_while(what: str) -> None:
    """Whatever it says to a question, nothing is done on the strength of it."""

    async def story(here: World) -> None:
        sent = len(changes(here))
        nonsense = Fault(kind=FaultKind.ERROR, when="after", text=NONSENSE[what], times=None)
        here.sim.faults.replace([nonsense])
        await here.by_hand(OFF)
        await asyncio.sleep(HOUR / 4)
        assert len(changes(here)) == sent
        assert here.condition("Ready")["status"] != "True"
        await _heals(here, BACKOFF_MOST_SECONDS + A_PASS)

    on_a_standing_rack(story)


@pytest.mark.parametrize("kind", [FaultKind.CUT_OUTPUT, FaultKind.LOSE_ROWS])
@pytest.mark.parametrize("table", ["server summary", "storage assign", "storage volume", "vlan", "storage"])
def test_cut_in_the_middle_of_a_table(table: str, kind: FaultKind) -> None:
    """What is not known is not switched on, not detached, and not said to be right."""

    async def story(here: World) -> None:
        sent = len(changes(here))
        here.sim.faults.replace([Fault(kind=kind, match=f"^show {table}", times=None)])
        await here.by_hand(OFF)
        await here.by_hand("configure terminal", "storage unassign 1/0 0")
        await asyncio.sleep(HOUR / 4)
        risky = [line for line in changes(here)[sent:] if not line.startswith("storage assign")]
        assert risky == []
        assert here.power("1/0") is Power.OFF
        assert not here.content()
        await _heals(here, BACKOFF_MOST_SECONDS + A_PASS)

    on_a_standing_rack(story)
