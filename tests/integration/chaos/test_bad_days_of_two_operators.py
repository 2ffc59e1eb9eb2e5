"""Two operators at once over one Lease: whatever becomes of the one that leads, never do both send commands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from rackwright.core.store import StoreUnavailableError
from rackwright.kube.lease import Lease, Timing
from rackwright_drivers.contract.power import Power
from rackwright_sim.commands import Kind
from tests.chaos.scenes import clean, faultless, scene
from tests.chaos.world import Operator, World, in_a_world
from tests.unit.core.virtual import now
from tests.unit.kube.fake_api import FakeApi

TIMING = Timing(duration=60.0, renew=5.0, attempt=10.0)


def _way_to(shared: FakeApi) -> FakeApi:
    """The API server as one process reaches it."""
    found = FakeApi()
    found.objects, found._versions, found._uids = shared.objects, shared._versions, shared._uids
    return found


class Contender:
    """An operator that works while it holds the Lease, as the daemon does."""

    def __init__(self, here: World, shared: FakeApi, name: str) -> None:
        self.api = _way_to(shared)
        self.lease = Lease(self.api, "system", "rack", name, timing=TIMING, changed=self._leads, clock=now)
        self._here = here
        self.operator: Operator | None = None
        self.renewing = asyncio.create_task(self.lease.run())

    def _leads(self, leading: bool) -> None:
        if leading:
            self.operator = self._here.start(self.lease)
        elif self.operator is not None and self.operator.alive:
            self.operator.dismiss()

    def kill(self) -> None:
        """SIGKILL: its Lease stays behind."""
        self.renewing.cancel()
        if self.operator is not None and self.operator.alive:
            self.operator.kill()


@asynccontextmanager
async def _two(here: World) -> AsyncIterator[tuple[Contender, Contender]]:
    shared = FakeApi()
    one = Contender(here, shared, "one")
    await asyncio.sleep(1)
    two = Contender(here, shared, "two")
    try:
        yield one, two
    finally:
        one.kill()
        two.kill()


def _turns(here: World) -> list[str]:
    """Whose commands changed the chassis, in turns: a session that comes back after another's turn is there twice."""
    sent = [entry for entry in here.sim.log if entry.kind is Kind.CONFIGURATION]
    sessions = [entry.session for entry in sent if entry.session.startswith("ssh")]
    return sessions[:1] + [after for before, after in pairwise(sessions) if after != before]


def _killed(one: Contender) -> None:
    one.kill()


def _cut_off(one: Contender) -> None:
    """It goes on, and cannot renew."""
    one.api.problem = StoreUnavailableError("no way to the API server")


@pytest.mark.parametrize("fate", [_killed, _cut_off])
@pytest.mark.parametrize("line", ["storage create pool", "power-on server 0/0"])
def test_the_one_that_leads_is_lost_in_the_middle_of_a_build(fate: Callable[[Contender], None], line: str) -> None:
    """The other begins when the Lease has run out and one command's time-out has passed, and finishes the build."""
    clean("build")

    async def main() -> None:
        async with scene(None) as here, _two(here) as (one, two):
            lost: list[float] = []

            async def strike(text: str, moment: str) -> None:
                if text.startswith(line) and not lost:
                    lost.append(now())
                    here.say(f"{fate.__name__} at `{text}`")
                    fate(one)

            here.hooks.append(strike)
            await here.rests()
            assert lost
            assert two.lease.held
            assert not one.lease.held or not one.renewing.done()
            assert len(_turns(here)) == len(set(_turns(here))), "each had its turn, and only one"
            assert faultless(here) == [], here.story()

    in_a_world(main())


def test_a_lease_goes_by_no_wall_clock() -> None:
    """Hours and years forth and back: who leads goes on leading, and the other does not begin."""
    clean("build")

    async def main() -> None:
        async with scene(clean("build").left, spoilt=False) as here, _two(here) as (one, two):
            await here.rests()
            for hours in (-10_000, 10_000, -1, 1):
                here.jump(hours)
                await here.by_hand("power-off server 1/0 force no-confirm")
                await here.until(lambda: here.power("1/0") is Power.ON, 200)
                here.store.annotate(here.chassis.ref, reconcile_at=str(hours))
            assert one.lease.held
            assert two.operator is None
            assert len(set(_turns(here))) == 1

    in_a_world(main())


def test_who_can_renew_no_longer_and_does_not_know_it_sends_nothing_more() -> None:
    """Its engine goes on and looks, and wants to heal what the other heals: only the fence is between."""
    clean("build")

    async def main() -> None:
        async with scene(clean("build").left, spoilt=False) as here, _two(here) as (one, two):
            await here.rests()
            one.renewing.cancel()
            await here.until(lambda: two.lease.held, 2 * TIMING.duration)
            begun = len(here.sim.log)
            for turn in range(4):
                await here.by_hand("power-off server 1/0 force no-confirm")
                here.store.annotate(here.chassis.ref, reconcile_at=str(turn))
                await here.until(lambda: here.power("1/0") is Power.ON, 200)
            assert one.operator is not None
            assert one.operator.alive
            assert [line for line in one.operator.journal if line["journal"] == "apply"] == []
            sent = list(here.sim.log)[begun:]
            assert {entry.session for entry in sent if entry.kind is Kind.SHOW} == {"ssh-1", "ssh-2"}
            assert {entry.session for entry in sent if entry.kind is Kind.CONFIGURATION} == {"ssh-2", "control"}
            assert faultless(here) == [], here.story()

    in_a_world(main())
