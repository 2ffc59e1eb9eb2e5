"""People at the console: everything off at once, and one who will not give in."""

import random

from rackwright_drivers.contract.power import Power
from tests.chaos import storm
from tests.chaos.hands import most_off
from tests.chaos.likeness import differences, likeness
from tests.chaos.racks import whole
from tests.chaos.scenes import changes, faultless, on_a_standing_rack
from tests.chaos.world import World, in_a_world, world

OFF = "power-off server 1/0 force no-confirm"
PUT_RIGHT = 3


class _Everyone(random.Random):
    """Takes all there are."""

    def randint(self, a: int, b: int) -> int:
        return b


def test_sixty_three_servers_switched_off_at_once() -> None:
    """Drift like any other: every server comes back, once each, and nothing that runs is disturbed for it."""
    before = storm.clean()

    async def main() -> None:
        async with world(whole, before.left.chassis) as here:
            here.restore(before.left)
            here.start()
            await here.rests()
            begun = len(here.sim.log)
            await most_off(here, _Everyone())
            running = [server for server, power in here.sim.model.servers.power.items() if power is Power.ON]
            assert running == ["32/0"]
            await here.rests(approving=False)
            sent = [entry.text for entry in list(here.sim.log)[begun:] if entry.session.startswith("ssh")]
            switched = [line for line in sent if line.startswith("power-on")]
            assert len(switched) == len(set(switched)) == 63
            assert len(changes(here)) == 63
            assert [*faultless(here), *differences(likeness(here.sim.model), before.likeness)] == []

    in_a_world(main())


def test_somebody_who_will_not_give_in() -> None:
    """Put right three times, then held and said, over a restart too; a person's word sets it free."""

    async def story(here: World) -> None:
        for _ in range(PUT_RIGHT):
            await here.by_hand(OFF)
            await here.rests()
        sent = len(changes(here))
        await here.by_hand(OFF)
        await here.until(lambda: any(_came_back(here)), here.resync * 2)
        here.operators[-1].kill()
        here.start()
        await here.until(lambda: len(here.sim.log) > sent, here.resync)
        assert not here.content()
        assert len(changes(here)) == sent
        assert here.power("1/0") is Power.OFF
        here.store.annotate(here.chassis.ref, reconcile_at="now")
        await here.until(lambda: here.power("1/0") is Power.ON, here.resync)

    on_a_standing_rack(story)


def _came_back(here: World) -> list[str]:
    reasons = (here.condition("Ready", ref).get("reason") for ref in here.store.objects)
    return [reason for reason in reasons if reason == "CameBack"]
