"""The rules of VLANs, ports and power, settling, and the fabric's numbers."""

import pytest

from rackwright_drivers.contract.network import Nic, Port, PortVlans, Uplink
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import RawDisk, VDisk, VolumeId
from rackwright_sim.fabric import FABRIC_ORDER, mac
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Refusal

PORT = Nic("0/0", 0)


@pytest.fixture
def model() -> ChassisModel:
    return ChassisModel.load("as-found")


def test_all_ports_but_one_start_untagged_in_the_default_vlan(model: ChassisModel) -> None:
    others = {port: vlans for port, vlans in model.switch.ports.items() if vlans != PortVlans(0)}
    assert others == {Nic("32/0", 0): PortVlans(100)}
    assert len(model.switch.ports) == 64 * 8 + 2


def test_a_port_moves_from_the_default_vlan_and_back(model: ChassisModel) -> None:
    for port in (PORT, Uplink("te 0/1")):
        model.switch.add_untagged(port, 100)
        assert model.switch.ports[port] == PortVlans(100)
        model.switch.remove_untagged(port, 100)
        assert model.switch.ports[port] == PortVlans(0)


def test_a_port_in_another_vlan_must_be_taken_out_first(model: ChassisModel) -> None:
    model.switch.create_vlan(150)
    model.switch.add_untagged(PORT, 100)
    with pytest.raises(Refusal, match="srv 0/0/0 is untagged in VLAN 100"):
        model.switch.add_untagged(PORT, 150)


def test_taken_out_of_the_default_vlan_a_port_drops_and_can_join_from_there(model: ChassisModel) -> None:
    model.switch.remove_untagged(PORT, 0)
    assert model.switch.ports[PORT] == PortVlans(None)
    model.switch.add_untagged(PORT, 100)
    assert model.switch.ports[PORT] == PortVlans(100)


def test_tagged_vlans_come_and_go_beside_the_untagged_one(model: ChassisModel) -> None:
    model.switch.add_tagged(PORT, 100)
    assert model.switch.ports[PORT] == PortVlans(0, frozenset({100}))
    with pytest.raises(Refusal, match="is tagged in VLAN 100"):
        model.switch.add_untagged(PORT, 100)
    model.switch.remove_tagged(PORT, 100)
    with pytest.raises(Refusal, match="not tagged in VLAN 100"):
        model.switch.remove_tagged(PORT, 100)
    with pytest.raises(Refusal, match="is untagged in VLAN 0"):
        model.switch.add_tagged(PORT, 0)


@pytest.mark.parametrize(
    ("port", "vlan", "text"),
    [(PORT, 150, "VLAN 150 does not exist"), (Nic("64/0", 0), 100, "No port"), (Uplink("te 9/9"), 100, "No port")],
)
def test_ports_and_vlans_that_are_not_there_refuse(model: ChassisModel, port: Port, vlan: int, text: str) -> None:
    with pytest.raises(Refusal, match=text):
        model.switch.add_untagged(port, vlan)


def test_creating_a_vlan_again_keeps_it_and_odd_numbers_refuse(model: ChassisModel) -> None:
    model.switch.create_vlan(100)
    assert model.switch.ports[Nic("32/0", 0)] == PortVlans(100)
    for number in (0, 4095):
        with pytest.raises(Refusal, match="Invalid VLAN"):
            model.switch.create_vlan(number)


def test_power_is_set_and_a_missing_card_refuses() -> None:
    model = ChassisModel.load("small")
    model.servers.set_power(["0/0", "1/0"], Power.ON)
    assert {s for s, power in model.servers.power.items() if power is Power.ON} == {"0/0", "1/0", "32/0"}
    with pytest.raises(Refusal, match="No server '3/0'"):
        model.servers.set_power(["2/0", "3/0"], Power.ON)
    assert model.servers.power["2/0"] is Power.OFF


def test_reads_show_the_old_value_until_it_has_settled() -> None:
    now = 100.0
    model = ChassisModel.load("as-found", settle_seconds=5, clock=lambda: now)
    volume = VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
    model.servers.set_power(["0/0"], Power.ON)
    model.storage.assign(VDisk("0/0", 0), volume)
    model.storage.unassign(VDisk("32/0", 0))
    assert model.servers.power["0/0"] is Power.ON
    assert model.servers.power.shown()["0/0"] is Power.OFF
    assert model.storage.attachments.shown() == {VDisk("32/0", 0): volume}
    now += 4
    model.servers.set_power(["0/0"], Power.OFF)
    now += 1
    assert model.storage.attachments.shown() == {VDisk("0/0", 0): volume}
    model.servers.set_power(["0/0"], Power.ON)
    assert model.servers.power.shown()["0/0"] is Power.OFF, "each change starts the settling again"
    now += 5
    assert model.servers.power.shown()["0/0"] is Power.ON


def test_what_changes_again_before_it_settled_goes_on_showing_the_first_value() -> None:
    now = 0.0
    model = ChassisModel.load("as-found", settle_seconds=5, clock=lambda: now)
    for start in (0.0, 4.0):
        now = start
        model.storage.assign(VDisk("0/0", 0), VolumeId(7, "RAIDPOOL", "RAIDVOL-0"))
        model.storage.unassign(VDisk("0/0", 0))
        model.storage.assign(VDisk("0/0", 0), RawDisk("JBOD2/6"))
        assert VDisk("0/0", 0) not in model.storage.attachments.shown()
        model.storage.unassign(VDisk("0/0", 0))
    now = 8.9
    assert VDisk("0/0", 0) not in model.storage.attachments.shown()


def test_macs_follow_the_fabric() -> None:
    assert mac("0/0", 0) == "00:22:99:ec:00:00"
    assert mac("12/0", 3) == "00:22:99:ec:05:03"
    assert sorted(FABRIC_ORDER) == list(range(64))
    assert len({mac(f"{card}/0", nic) for card in range(64) for nic in range(8)}) == 512


def test_the_description_is_kept_and_taken_away(model: ChassisModel) -> None:
    model.servers.describe("12/0", "storage one")
    assert ChassisModel(model.saved()).servers.descriptions == {"12/0": "storage one"}
    model.servers.describe("12/0", "")
    assert model.servers.descriptions == {}
