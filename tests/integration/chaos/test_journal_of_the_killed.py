"""Killed with commands on their way: the journal has them all the same, as they were written down before they were sent."""

import asyncio

from rackwright_sim.faults import Moment
from tests.chaos.scenes import play
from tests.chaos.world import World


def test_what_was_on_its_way_is_in_the_journal() -> None:
    """The chassis took these lines, and nobody was left to hear of it."""
    sent: list[str] = []

    def prepare(here: World) -> None:
        async def reap(line: str, moment: Moment) -> None:
            if line.startswith("tagged-vlan") and moment == "after" and not sent:
                killed = here.operators[-1]
                killed.kill()
                sent.extend(line["command"] for line in killed.journal if line["journal"] == "send")
                assert line not in [item["command"] for item in killed.journal]
                asyncio.get_running_loop().call_later(5, here.start)
                await asyncio.Event().wait()

        here.hooks.append(reap)

    play("build", [], prepare)
    assert sent[-1].split("; ").count("tagged-vlan 100") == 1
