"""The API server away at the worst moments, objects restored from yesterday's backup, and a wall clock that jumps."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from rackwright.core.engine import BACKOFF_MOST_SECONDS
from rackwright.core.resource import Ref
from rackwright_drivers.contract.network import PortVlans, Uplink
from rackwright_drivers.contract.power import Power
from rackwright_sim.faults import Fault, FaultKind
from tests.chaos.scenes import changes, on_a_standing_rack, play
from tests.chaos.world import World

HOUR = 3600.0
OFF = "power-off server 1/0 force no-confirm"
UPLINK = Uplink("te 0/1")
MOVED = ("configure terminal", "interface te 0/1", "no untagged-vlan 150", "untagged-vlan 100", "end")


def _uplink(here: World) -> PortVlans:
    return here.sim.model.switch.ports[UPLINK]


def _cabled(here: World, since: int = 0) -> int:
    """How often an operator put the uplink to its VLAN."""
    lines = [entry for entry in list(here.sim.log)[since:] if entry.session.startswith("ssh")]
    places = [entry.text for entry in lines if entry.text.startswith(("interface", "untagged-vlan"))]
    return sum(before.startswith("interface") for before, _ in pairwise(places))


@pytest.mark.parametrize("operation", ["status", "secret", "everything"])
def test_an_hour_without_an_api_server(operation: str) -> None:
    """Told once a try and no more often, and then all goes on."""

    async def story(here: World) -> None:
        here.store.away = lambda asked: operation in (asked, "everything")
        await here.by_hand(OFF)
        with capture_logs() as logs:
            await asyncio.sleep(HOUR)
        assert len(logs) <= 35
        here.store.away = lambda asked: False
        await here.until(lambda: here.power("1/0") is Power.ON, BACKOFF_MOST_SECONDS + 60)

    on_a_standing_rack(story)


def test_what_needs_consent_is_not_done_while_its_use_cannot_be_written_down() -> None:
    """Approved, and then the API server is away: the uplink stays until it is back, and is moved once."""

    async def story(here: World) -> None:
        await here.by_hand(*MOVED)
        await here.until(lambda: bool(here.condition("AwaitingApproval").get("status") == "True"), HOUR)
        begun = len(here.sim.log)
        here.store.away = lambda asked: asked == "status"
        here.approve()
        await asyncio.sleep(HOUR / 2)
        assert _cabled(here, begun) == 0
        here.store.away = lambda asked: False
        await here.rests()
        assert _cabled(here, begun) == 1

    on_a_standing_rack(story)


@pytest.mark.parametrize("then", ["away", "killed"])
def test_nothing_answers_between_the_record_of_consent_and_the_command(then: str) -> None:
    """Consent that was recorded stays good for what it was given for, once."""

    async def story(here: World) -> None:
        await here.by_hand(*MOVED)
        await here.until(lambda: here.condition("AwaitingApproval").get("status") == "True", HOUR)
        begun = len(here.sim.log)

        def recorded(ref: Ref) -> None:
            if here.store.objects[ref].status.get("consent"):
                here.store.after_write = lambda ref: None
                here.say(f"consent of {ref} is recorded, and then: {then}")
                if then == "killed":
                    here.operators[-1].kill()
                else:
                    here.store.away = lambda asked: True

        here.store.after_write = recorded
        here.approve()
        await asyncio.sleep(HOUR / 2)
        here.store.away = lambda asked: False
        if then == "killed":
            assert _cabled(here, begun) == 0
            here.start()
        await here.rests(approving=False)
        assert _cabled(here, begun) == 1

    on_a_standing_rack(story)


@pytest.mark.parametrize("number", range(1, 40, 9))
def test_away_in_the_middle_of_a_build(number: int) -> None:
    """From one write on and for five minutes."""

    def spoil(here: World) -> None:
        here.store.away = _away(here, number)

    play("build", [], spoil)


def _away(here: World, number: int) -> Callable[[str], bool]:
    """From the write of this number on, for five minutes."""
    asked, until = 0, float("inf")

    def away(operation: str) -> bool:
        nonlocal asked, until
        asked += 1
        now = asyncio.get_running_loop().time()
        if asked == number:
            here.say(f"away from {operation} number {number}")
            until = now + 300
        return asked >= number and now < until

    return away


def _become(new: Mapping[str, Any], spec: dict[str, Any]) -> None:
    spec.clear()
    spec.update(new)


async def _a_day_with_a_change(here: World) -> None:
    """A person moves the uplink by the manifest, and approves."""
    here.store.change(here.chassis.ref, lambda spec: spec["uplinks"][0].update(untagged=100))
    await here.rests()
    assert _uplink(here).untagged == 100
    here.jump(24)


def test_restored_to_yesterday() -> None:
    """Specs and statuses of the day before on a chassis that moved on: what would be undone waits for a new consent."""

    async def story(here: World) -> None:
        backup = here.snapshot()
        await _a_day_with_a_change(here)
        begun = len(here.sim.log)
        here.operators[-1].kill()
        here.restore(backup)
        here.start()
        await asyncio.sleep(HOUR)
        assert _cabled(here, begun) == 0
        assert here.condition("AwaitingApproval")["status"] == "True"
        await here.rests()

    on_a_standing_rack(story)


def test_restored_to_yesterday_with_the_manifests_of_today() -> None:
    """As with manifests in Git: what is there is what is wanted, and nothing is done a second time."""

    async def story(here: World) -> None:
        backup = here.snapshot()
        await _a_day_with_a_change(here)
        specs = {ref: item.spec for ref, item in here.store.objects.items()}
        sent = len(changes(here))
        here.operators[-1].kill()
        here.restore(backup)
        for ref, spec in specs.items():
            here.store.change(ref, partial(_become, spec))
        here.start()
        await here.rests(approving=False)
        assert len(changes(here)) == sent
        assert _uplink(here).untagged == 100
        here.store.change(here.chassis.ref, lambda spec: spec["uplinks"][0].update(untagged=150))

    on_a_standing_rack(story)


def test_statuses_lost_on_a_rack_at_rest() -> None:
    """It is adopted as it is: nothing is sent, and afterwards every server still gets its own volume back."""

    async def story(here: World) -> None:
        sent = len(changes(here))
        for ref in here.store.objects:
            here.store.lose_status(ref)
        await here.rests(approving=False)
        assert len(changes(here)) == sent

    on_a_standing_rack(story)


@pytest.mark.parametrize("days", [-800, -1 / 24, 1 / 24, 800])
def test_the_wall_clock_jumps(days: float) -> None:
    """Waiting goes by another clock: a person's doing is healed at the next look, and pauses after failures are no longer."""

    async def story(here: World) -> None:
        here.jump(24 * days)
        await here.by_hand(OFF)
        await here.until(lambda: here.power("1/0") is Power.ON, here.resync * 1.2 + 10)
        here.sim.faults.replace([Fault(kind=FaultKind.DROP), Fault(kind=FaultKind.REFUSE, times=None)])
        await asyncio.sleep(HOUR / 2)
        here.jump(-48 * days)
        await here.by_hand(OFF)
        here.sim.faults.replace([])
        await here.until(lambda: here.power("1/0") is Power.ON, BACKOFF_MOST_SECONDS + 60)
        await here.rests()
        times = [item["lastTransitionTime"] for item in here.store.objects[here.chassis.ref].status["conditions"]]
        assert all(len(time) == len("2026-01-01T00:00:00Z") for time in times)

    on_a_standing_rack(story)
