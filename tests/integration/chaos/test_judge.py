"""The judge of the chaos tests itself: what must not pass unseen is seen, and what is allowed is not called wrong."""

from collections.abc import Awaitable, Callable

import pytest

from rackwright_sim.console import Console
from tests.chaos.scenes import clean, scene
from tests.chaos.world import World, in_a_world

ENTER = ("configure terminal",)
LOOK = ("show chassis | nomore", "show vlan | nomore")
UPLINK = ("configure terminal", "interface te 0/1", "no untagged-vlan 150", "untagged-vlan 100", "end")
BACK = ("configure terminal", "interface te 0/1", "no untagged-vlan 100", "untagged-vlan 150", "end")


def judged(story: Callable[[World], Awaitable[None]]) -> list[str]:
    """The offences of a story on the built rack, with nobody but the story at the wire."""
    built = clean("build").left

    async def main() -> list[str]:
        async with scene(built, spoilt=False) as here:
            await story(here)
            return [*(offence.partition(": ")[2] for offence in here.judge.offences), *here.judge.misplaced()]

    return in_a_world(main())


def sent(*lines: str, approved: tuple[str, ...] = ()) -> list[str]:
    """The offences of lines that an operator sent."""

    async def story(here: World) -> None:
        here.judge.approved(approved)
        await wire(here, *lines)

    return judged(story)


async def wire(here: World, *lines: str) -> None:
    """Type as an operator does."""
    console = Console(here.sim.model, here.sim.recorder, here.sim.faults, name=f"ssh-{len(here.sim.log)}")
    for line in lines:
        await console.run(line)


@pytest.mark.parametrize(
    "lines",
    [
        ("storage set mgmt-mode disk slot 7 no-confirm",),
        ("storage clear-metadata disk JBOD2/8 slot 2", "yes", "yes"),
        (*ENTER, "storage unassign 0/0 0"),
        (*ENTER, "storage unassign-range 0/0 0"),
        UPLINK,
        ("storage delete pool 2/rootpool-1",),
    ],
)
def test_what_could_destroy_something_needs_consent(lines: tuple[str, ...]) -> None:
    assert any("nobody consented" in offence for offence in sent(*lines))
    with_consent = sent(*lines, approved=tuple(line for line in lines if line != "yes"))
    assert not any("nobody consented" in offence for offence in with_consent)


def test_consent_is_to_one_thing_once() -> None:
    async def story(here: World) -> None:
        here.judge.approved(UPLINK)
        await wire(here, *UPLINK)
        assert here.judge.offences == []
        await here.by_hand(*BACK)
        await wire(here, *UPLINK)

    assert len(judged(story)) == 2, "one for each line that changed it"
    other = ("configure terminal", "interface te 7/1", "untagged-vlan 100", "end")
    assert len(sent(*other, approved=UPLINK)) == 1


def test_a_question_that_is_declined_and_a_detach_where_all_is_off_need_none() -> None:
    assert sent("storage clear-metadata disk JBOD2/8 slot 2", "yes", "no") == []
    assert sent(*ENTER, "storage unassign 2/0 0") == []


def test_at_most_so_many_running_servers_are_disturbed_between_two_looks() -> None:
    off = [f"power-off server {server} force no-confirm" for server in ("0/0", "1/0")]
    cabled = ("configure terminal", "server id 1/0", "nic 0", "tagged-vlan 150", "end")
    assert any("disturbed at one time" in offence for offence in sent(*off))
    assert any("disturbed at one time" in offence for offence in sent(off[0], *cabled))
    assert sent(off[0], *LOOK, off[1]) == []
    assert sent(off[0], "power-off server 2/0 force no-confirm") == []


@pytest.mark.parametrize("line", ["power-off server 32/0 force no-confirm", "power-on server 32/0 no-confirm"])
def test_a_protected_server_is_not_touched(line: str) -> None:
    assert any("protected server" in offence for offence in sent(line))
    assert any("protected server" in offence for offence in sent(*ENTER, "server id 32/0", "nic 1", "tagged-vlan 150"))


def test_a_volume_is_never_on_two_servers_and_data_stays_with_its_server() -> None:
    async def shared(here: World) -> None:
        await here.by_hand("power-off server 1/0 force no-confirm")
        ours = next(volume for vdisk, volume in here.judge.homes.items() if vdisk.server == "1/0")
        await wire(here, *ENTER, f"storage assign 2/0 3 volume {ours}")

    async def moved(here: World) -> None:
        await here.by_hand("power-off server 1/0 force no-confirm")
        ours = next(volume for vdisk, volume in here.judge.homes.items() if vdisk.server == "1/0")
        await wire(here, *ENTER, "storage unassign 1/0 0", f"storage assign 2/0 3 volume {ours}")

    assert any("is attached to ['1/0', '2/0']" in offence for offence in judged(shared))
    assert any("holds the data of 1/0" in offence for offence in judged(moved))
    assert any("lacks" in offence for offence in judged(moved))


def test_what_a_person_does_at_the_console_is_no_offence() -> None:
    async def story(here: World) -> None:
        await here.by_hand(*UPLINK)
        await here.by_hand("power-off server 0/0 force no-confirm", "power-off server 1/0 force no-confirm")
        await here.by_hand("power-off server 32/0 force no-confirm")

    assert judged(story) == []
