"""The demo's own verdict: nothing to say about the finished rack, and one sentence about each thing that is not so."""

from collections.abc import Callable
from typing import Any

import pytest

from rackwright.cli.demo.asked import asked, by_hand
from rackwright.cli.demo.facts import Picture, shortfalls
from rackwright_drivers.contract.storage import PoolId, VolumeId
from rackwright_sim.startfile import Start, load
from tests.unit.demo.finished import FOUND, ROLES, STORAGE, chassis, finished, on, wanted

State = dict[str, Any]


def verdict(state: State, lines: tuple[str, ...] = ()) -> tuple[str, ...]:
    return shortfalls(wanted(), FOUND, chassis(state), lines)


def port(state: State, server: str, nic: int) -> dict[str, Any]:
    found: dict[str, Any] = next(
        item for item in state["switch"]["ports"] if (item.get("server"), item.get("nic")) == (server, nic)
    )
    return found


def volumes(state: State, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in state["volumes"] if item["name"] == name)
    return found


def test_the_manifests_ask_for_what_the_published_rack_has() -> None:
    want = wanted()
    assert len(want.servers) == 63
    assert want.protected == {"32/0"}
    assert want.roles == set(ROLES)
    assert [want.ports["12/0", nic] for nic in range(8)] == [100, 150, 150, 150, 200, 200, 200, 200]
    assert [want.ports["0/0", nic] for nic in range(3)] == [100, 0, None]
    assert [want.pools[PoolId(2, f"rootpool-{number}")] for number in range(1, 7)] == [
        f"JBOD2/{number}" for number in range(6, 12)
    ]
    assert len(want.of_pool(PoolId(2, "rootpool-1"))) == 11
    assert want.uplinks == {"te 0/1": 200, "te 7/1": 200}
    assert want.vlans == {100, 150, 200}


def test_the_manifests_ask_for_54_whole_disks_and_three_journals() -> None:
    want = wanted()
    capacity = {pool: disk for pool, disk in want.pools.items() if pool.name.startswith("jbod")}
    assert set(capacity) == {PoolId(2, f"jbodpool-{n}") for n in range(1, 25)} | {
        PoolId(5, f"jbodpool-{n}") for n in range(25, 55)
    }
    assert (capacity[PoolId(2, "jbodpool-1")], capacity[PoolId(5, "jbodpool-54")]) == ("JBOD2/12", "JBOD5/75")
    assert want.of_pool(PoolId(2, "jbodpool-7")) == {VolumeId(2, "jbodpool-7", "jbodvol-7")}
    journals = {volume: size for volume, size in want.volumes.items() if volume.pool == "RAIDPOOL"}
    assert journals == {VolumeId(7, "RAIDPOOL", f"Journal-{n}"): 500 for n in range(3)}
    root, data, journal = want.assigned
    assert (set(data.servers), data.vdisks) == (set(STORAGE), (4, *range(6, 23)))
    assert (set(journal.servers), journal.vdisks, journal.all_paths) == (set(STORAGE), (1, 2, 3, 5), True)
    assert (len(root.servers), root.vdisks, want.root) == (63, (0,), root)


def test_a_person_needs_so_many_commands_for_it() -> None:
    assert by_hand(wanted(), FOUND) == {
        "storage set mgmt-mode": 2,
        "storage clear-metadata disk": 2,
        "storage create pool": 6 + 54,
        "storage create volume-prefix": 6 + 1,
        "storage create volume": 54,
        "storage assign-range": 2,
        "storage assign": 3 * 4,
        "switch system-vlan": 2,
        "untagged-vlan": 63 + 3 * 7 + 2,
        "no untagged-vlan": 57 * 7 + 3 * 6,
        "power-on server": 1,
    }


def test_of_a_finished_rack_a_person_configures_neither_ports_nor_power() -> None:
    left = by_hand(wanted(), chassis(finished()))
    assert not left.keys() & {"untagged-vlan", "no untagged-vlan", "power-on server", "switch system-vlan"}


def test_a_port_in_another_vlan_takes_two_lines_by_hand_and_one_back_to_the_default() -> None:
    state = finished()
    port(state, "21/0", 0)["untagged"] = 200
    port(state, "0/0", 2)["untagged"] = 150
    state["switch"]["ports"].append({"server": "0/0", "nic": 1, "untagged": 100})
    left = by_hand(wanted(), chassis(state))
    assert left["untagged-vlan"] == 1
    assert left["no untagged-vlan"] == 1 + 2 + 1


def test_nothing_is_wrong_with_the_finished_rack() -> None:
    assert verdict(finished()) == ()


def test_the_chassis_as_found_falls_short_of_everything() -> None:
    wrong = shortfalls(wanted(), FOUND, FOUND, ())
    assert sum("should have a volume of root" in sentence for sentence in wrong) == 63
    assert sum("is off and should run" in sentence for sentence in wrong) == 63
    # All NICs are in the default VLAN, which is right for one of each controller.
    assert sum(" nic " in sentence for sentence in wrong) == 63 * 8 - 3
    assert sum(sentence.startswith("pool 2/rootpool-") and " is on none and " in sentence for sentence in wrong) == 6
    assert sum(sentence.startswith("te ") for sentence in wrong) == 2
    assert sum("should have a volume of capacity" in sentence for sentence in wrong) == 54
    assert sum("should have a volume of journal" in sentence for sentence in wrong) == 12
    assert {"VLAN 150 is not there and should be", "VLAN 200 is not there and should be"} <= set(wrong)


def _server_off(state: State) -> None:
    state["cards"]["running"].remove("20/0")


def _nic_moved(state: State) -> None:
    port(state, "21/0", 0)["untagged"] = 200


def _nic_tagged(state: State) -> None:
    port(state, "21/0", 0)["tagged"] = [150]


def _nic_bridged(state: State) -> None:
    state["switch"]["ports"].remove(port(state, "21/0", 7))


def _root_gone(state: State) -> None:
    state["attachments"].remove(on(state, "40/0"))


def _root_elsewhere(state: State) -> None:
    on(state, "40/0")["volume"] = "7/RAIDPOOL/RAIDVOL-0"


def _second_disk(state: State) -> None:
    state["attachments"].append({"server": "40/0", "vdisk": 5, "volume": "2/rootpool-6/rootvol-10"})


def _shared(state: State) -> None:
    on(state, "40/0")["volume"] = on(state, "41/0")["volume"]


def _roles_together(state: State) -> None:
    first, other = on(state, "0/0"), on(state, "3/0")
    first["volume"], other["volume"] = other["volume"], first["volume"]


def _lopsided(state: State) -> None:
    """A server goes from a pool of ten to the free volume of another."""
    at = next(item for item in reversed(state["attachments"]) if item["volume"].startswith("2/rootpool-5/"))
    at["volume"] = "2/rootpool-6/rootvol-10"


def _too_few_volumes(state: State) -> None:
    state["volumes"][6]["numbers"] = "0-9"


def _another_size(state: State) -> None:
    state["volumes"][6]["size_gib"] = 200


def _pool_on_another_disk(state: State) -> None:
    at = {pool["id"]: pool for pool in state["pools"]}
    one, other = at["2/rootpool-6"], at["2/jbodpool-1"]
    one["disks"], other["disks"] = other["disks"], one["disks"]


def _protected_off(state: State) -> None:
    state["cards"]["running"].remove("32/0")


def _protected_moved(state: State) -> None:
    port(state, "32/0", 0)["untagged"] = 150


def _old_volume_gone(state: State) -> None:
    state["volumes"][0]["name"] = "RAIDVOL-1"
    state["attachments"][0]["volume"] = "7/RAIDPOOL/RAIDVOL-1"


def _uplink(state: State) -> None:
    next(item for item in state["switch"]["ports"] if item.get("uplink") == "te 7/1")["untagged"] = 100


def _vlan_too_many(state: State) -> None:
    state["switch"]["vlans"].append(999)


def _journal_path(state: State) -> None:
    state["attachments"].remove(on(state, "12/0", 3))


def _journals_crossed(state: State) -> None:
    on(state, "12/0", 3)["volume"] = "7/RAIDPOOL/Journal-1"


def _journal_smaller(state: State) -> None:
    volumes(state, "Journal")["size_gib"] = 400


def _data_gone(state: State) -> None:
    state["attachments"].remove(on(state, "29/0", 22))


def _data_on_two(state: State) -> None:
    on(state, "29/0", 22)["volume"] = on(state, "12/0", 4)["volume"]


def _data_renamed(state: State) -> None:
    volumes(state, "jbodvol-54")["name"] = "jbodvol-0"
    on(state, "34/0", 22)["volume"] = "5/jbodpool-54/jbodvol-0"


def _pool_missing(state: State) -> None:
    state["pools"] = [pool for pool in state["pools"] if pool["id"] != "5/jbodpool-54"]
    state["volumes"] = [group for group in state["volumes"] if group["pool"] != "5/jbodpool-54"]
    state["attachments"].remove(on(state, "34/0", 22))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_server_off, "20/0 is off and should run"),
        (_nic_moved, "21/0 nic 0 is in VLAN 200 and should be in VLAN 100, untagged only"),
        (_nic_tagged, "21/0 nic 0 is in VLAN 100, tagged in 150 and should be in VLAN 100, untagged only"),
        (_nic_bridged, "21/0 nic 7 is in VLAN 0 and should be in no VLAN (isolated), untagged only"),
        (_root_gone, "40/0 vdisk 0 has nothing and should have a volume of root"),
        (_root_elsewhere, "40/0 vdisk 0 has 7/RAIDPOOL/RAIDVOL-0 and should have a volume of root"),
        (_second_disk, "40/0 vdisk 5 has 2/rootpool-6/rootvol-10 and should be empty"),
        (_shared, "is attached 2 times and should be 1 times at most"),
        (_roles_together, "2 of the servers 0/0, 1/0, 11/0, 12/0, 29/0, 34/0 are on disk JBOD2/7 and at most one"),
        (_lopsided, "2/rootpool-5 serves 9 servers and should serve 10 or 11"),
        (_too_few_volumes, "2/rootpool-6 holds 10 new volumes and should hold 11: 2/rootpool-6/rootvol-10"),
        (_another_size, "2/rootpool-6/rootvol-10 has 200 GiB and should have 254"),
        (_pool_on_another_disk, "pool 2/rootpool-6 is on JBOD2/12 and should be on JBOD2/11"),
        (_protected_off, "32/0 is protected and was changed"),
        (_protected_moved, "32/0 is protected and was changed"),
        (_old_volume_gone, "7/RAIDPOOL/RAIDVOL-0 was there before and should be as it was"),
        (_uplink, "te 7/1 is in VLAN 100 and should be in VLAN 200, untagged only"),
        (_vlan_too_many, "VLAN 999 is there and should not be"),
        (_journal_path, "12/0 vdisk 3 has nothing and should have a volume of journal"),
        (_journals_crossed, "12/0 has 7/RAIDPOOL/Journal-0, 7/RAIDPOOL/Journal-1 and should have one volume on vdisks"),
        (_journal_smaller, "7/RAIDPOOL/Journal-0 has 400 GiB and should have 500"),
        (_data_gone, "29/0 vdisk 22 has nothing and should have a volume of capacity"),
        (_data_on_two, "2/jbodpool-1/jbodvol-1 is attached 2 times and should be 1 times at most"),
        (_data_renamed, "34/0 vdisk 22 has 5/jbodpool-54/jbodvol-0 and should have a volume of capacity"),
        (_pool_missing, "pool 5/jbodpool-54 is on none and should be on JBOD5/75"),
    ],
)
def test_whatever_is_not_as_asked_for_is_said(spoil: Callable[[State], None], sentence: str) -> None:
    state = finished()
    spoil(state)
    assert any(sentence in found for found in verdict(state)), verdict(state)


def test_a_command_that_names_the_protected_server_is_told_even_if_nothing_changed() -> None:
    assert verdict(finished(), ("power-on server 132/0", "power-on server 32/00")) == ()
    (wrong,) = verdict(finished(), ("power-on server 0/0", "power-on server 32/0 no-confirm"))
    assert wrong == "32/0 is protected and was named in 'power-on server 32/0 no-confirm'"


def test_a_picture_does_not_depend_on_the_order_of_tables() -> None:
    state = finished()
    before = Picture.of(chassis(state))
    for table in (state["attachments"], state["switch"]["ports"], state["cards"]["running"], state["volumes"]):
        table.reverse()
    assert Picture.of(chassis(state)) == before
    _nic_moved(state)
    assert Picture.of(chassis(state)) != before


def test_a_raw_disk_is_no_root_volume() -> None:
    state = finished()
    on(state, "40/0").update(volume=None, disk="JBOD2/30")
    assert "40/0 vdisk 0 has disk JBOD2/30 and should have a volume of root" in verdict(state)


def test_ports_that_are_not_there_are_missed() -> None:
    small: Start = load("small")
    manifests = wanted()
    assert any(
        sentence == "3/0 nic 0 is not there and should be in VLAN 100, untagged only"
        for sentence in shortfalls(manifests, small, small, ())
    )


def test_a_set_of_all_remaining_servers_is_asked_for_by_what_the_chassis_has() -> None:
    chassis_spec = {
        "kind": "Chassis",
        "spec": {
            "vlans": [{"id": 7}],
            "storageSlots": [{"slot": 2, "managementMode": "Volume"}],
            "protectedServers": ["32/0"],
            "nodeSets": [
                {"name": "a", "remaining": {}, "template": {"nicGroups": [{"indexes": [0, 1], "untagged": 7}]}}
            ],
        },
    }
    backend = {
        "disks": {"names": ["JBOD2/6"]},
        "pools": {"prefix": "p", "firstNumber": 3},
        "volumes": {"prefix": "v", "perPool": 4, "size": "EqualShare"},
    }
    pool = {"kind": "StoragePool", "metadata": {"name": "p"}, "spec": {"backend": {"chassis": backend}}}
    want = asked([chassis_spec, pool], load("small"))
    assert want.servers == {"0/0", "1/0", "2/0"}
    assert [want.ports["2/0", nic] for nic in range(3)] == [7, 7, None]
    assert {str(pool): disk for pool, disk in want.pools.items()} == {"2/p-3": "JBOD2/6"}
