"""The proof itself: what must not pass unseen is seen."""

import pytest

from rackwright_drivers.contract.network import Nic
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import RawDisk, VDisk, VolumeId
from rackwright_sim.console import Console
from rackwright_sim.faults import Faults
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Recorder
from tests.crash.proof import PROTECTED, Witness, effects, repeated, unmet

LOOK = (
    "show chassis | nomore",
    "show server summary all | nomore",
    "show storage slot brief | nomore",
    "show storage disk brief | nomore",
    "show storage pool brief | nomore",
    "show storage volume brief | nomore",
    "show storage assign brief | nomore",
    "show vlan | nomore",
)
PORT_0 = ("configure terminal", "server id 0/0", "nic 0", "tagged-vlan 100", "end")
PORT_1 = ("configure terminal", "server id 0/0", "nic 1", "tagged-vlan 100", "end")
CLEAR = ("storage clear-metadata disk JBOD2/6 slot 2", "yes", "yes")


async def typed(*lines: str) -> Recorder:
    """The log of these lines on a chassis as found."""
    recorder = Recorder()
    console = Console(ChassisModel.load("small"), recorder, Faults(), name="test")
    for line in lines:
        await console.run(line)
    return recorder


@pytest.mark.parametrize("change", [PORT_0, CLEAR])
async def test_a_change_that_is_sent_again_needs_a_whole_look_between(change: tuple[str, ...]) -> None:
    """One table less is no look."""
    assert len(repeated((await typed(*change, *change)).log)) == 1
    assert len(repeated((await typed(*change, *LOOK[1:], *change)).log)) == 1
    assert repeated((await typed(*change, *LOOK, *change)).log) == []
    assert len(effects((await typed(*change, *LOOK, *change)).log)) == 2


async def test_the_same_words_at_two_ports_are_two_changes() -> None:
    """Nor is a refused line or one whose question was declined a change."""
    assert repeated((await typed(*PORT_0, *PORT_1)).log) == []
    assert len(set(effects((await typed(*PORT_0, *PORT_1)).log))) == 2
    assert effects((await typed("storage create pool 5/p disk JBOD5/0", CLEAR[0], "yes", "no")).log) == []


def test_the_witness_sees_what_is_lost_shared_moved_or_touched() -> None:
    """After each single change."""
    model = ChassisModel.load("small")
    witness, volume = Witness(model), VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
    model.servers.set_power(["0/0"], Power.ON)
    model.switch.add_untagged(Nic("0/0", 0), 100)
    assert witness.offences == []
    model.storage.assign(VDisk("0/0", 0), volume)
    assert [text for text in witness.offences if "on two vdisks" in text]
    witness.offences.clear()
    model.storage.unassign(VDisk("0/0", 0))
    assert witness.offences == [f"{VDisk('0/0', 0)} had {volume} and has None"]
    model.storage.assign(VDisk("1/0", 0), RawDisk("JBOD2/6"))
    witness.offences.clear()
    model.switch.add_tagged(Nic(PROTECTED, 1), 100)
    assert [text for text in witness.offences if text.startswith("the protected server changed")]
    witness.offences.clear()
    model.storage.volumes.pop(volume)
    model.servers.set_power(["1/0"], Power.ON)
    assert [text for text in witness.offences if text.endswith("vanished")]


def test_a_chassis_as_found_is_not_as_wanted() -> None:
    """Every kind of thing that the manifests declare is missed."""
    found = [text.partition(" are ")[0] for text in unmet(ChassisModel.load("small"))]
    assert found == ["slots", "disks", "pools", "volumes", "VLANs", "ports", "power", "the root volumes"]
