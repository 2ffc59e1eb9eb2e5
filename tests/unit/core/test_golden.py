"""The golden rack, built from as it was found: in the right order, in the fewest commands, and exactly as it should be."""

from collections import Counter
from typing import Any

import pytest

from rackwright.core.resource import COMPUTE_NODE, STORAGE_POOL
from rackwright.core.risk import Risk
from rackwright_drivers.contract.network import Nic, PortVlans, SetPort, Uplink
from rackwright_drivers.contract.storage import VDisk, VolumeId
from tests.unit.core.kit import Bench, condition, golden, on, running

ROLES = ("0/0", "1/0", "11/0", "12/0", "29/0", "34/0")
STORAGE = ("12/0", "29/0", "34/0")


def without_spread(*names: str) -> list[dict[str, Any]]:
    manifests = golden(*names)
    for manifest in manifests:
        for assign in manifest["spec"].get("assign", ()):
            assign.pop("spread", None)
    return manifests


def counted(bench: Bench) -> Counter[str]:
    return Counter(type(action).__name__ for action in bench.applied)


@pytest.fixture(scope="module")
def built() -> Bench:
    bench = Bench.of("as-found", golden("sm15k-01", "root", "capacity", "journal", "array"))
    bench.settle()
    return bench


@pytest.fixture(scope="module")
def root() -> Bench:
    bench = Bench.of("as-found", golden("sm15k-01", "root"))
    bench.settle()
    return bench


def test_the_plan_has_its_stages_in_the_order_of_a_build() -> None:
    stages = Bench.of("as-found", golden("sm15k-01", "root")).decide().stages
    without_ports = [{step.name for step in stage if step.name != "SetPort"} for stage in stages]
    assert without_ports == [
        {"SetManagementMode", "CreateVlan"},
        {"ClearMetadata"},
        {"CreatePool"},
        {"CreateVolumes"},
        {"Attach"},
        {"SetPower"},
    ]
    ports = [[step for step in stage if isinstance(step.action, SetPort)] for stage in stages]
    later = {step.action.after.untagged for step in ports[1] if isinstance(step.action, SetPort)}
    assert later == {150, 200}, "ports wait for the VLANs that are not there yet, and only those"
    assert not any(ports[2:])


def test_nothing_that_could_destroy_is_allowed_before_somebody_consents() -> None:
    bench = Bench.of("as-found", golden("sm15k-01", "root"))
    decision = bench.decide()
    assert {step.name for step in decision.verdict.allowed} == {"CreateVlan", "SetPort"}
    assert {(item.step.name, item.step.target) for item in decision.verdict.held} == {
        ("SetManagementMode", "slot 2"),
        ("SetManagementMode", "slot 5"),
    }
    assert set(decision.verdict.digests) == {bench.chassis.ref}
    destructive = {step.name for stage in decision.stages for step in stage if step.risk is Risk.DESTRUCTIVE}
    assert destructive == {"SetManagementMode", "ClearMetadata", "SetPort"}
    uplinks = {
        str(step.action.port)
        for stage in decision.stages
        for step in stage
        if step.risk is Risk.DESTRUCTIVE and isinstance(step.action, SetPort)
    }
    assert uplinks == {"te 0/1", "te 7/1"}


def test_with_a_spread_there_is_one_assign_a_server(root: Bench) -> None:
    assert counted(root) == {
        "SetManagementMode": 2,
        "ClearMetadata": 1,
        "CreatePool": 6,
        "CreateVolumes": 6,
        "Attach": 63,
        "CreateVlan": 2,
        "SetPort": 503,
        "SetPower": 63,
    }
    assert "storage clear-metadata disk JBOD2/6-11 slot 2" in root.commands


def test_without_a_spread_no_more_commands_than_a_person_needed() -> None:
    bench = Bench.of("as-found", without_spread("sm15k-01", "root"))
    last = bench.settle()
    storage = [command for command in bench.commands if command.startswith("storage")]
    assert storage[-1] == "storage assign-range 0/0-31/0,33/0-63/0 0 volume rootvol uuid"
    assert Counter(" ".join(command.split()[:3]) for command in storage) == {
        "storage set mgmt-mode": 2,
        "storage clear-metadata disk": 1,
        "storage create pool": 6,
        "storage create volume-prefix": 6,
        "storage assign-range 0/0-31/0,33/0-63/0": 1,
    }
    assert last.differences == ()
    assert {len(on(bench.model, f"{card}/0")) for card in range(64)} == {1}


def test_the_rack_is_as_expected(built: Bench) -> None:
    storage, switch = built.model.storage, built.model.switch
    assert running(built.model) == {f"{card}/0" for card in range(64)}
    assert on(built.model, "32/0") == {0: "7/RAIDPOOL/RAIDVOL-0"}
    assert sum(1 for vdisk in storage.attachments if vdisk.number == 0) == 64
    assert storage.volumes[VolumeId(2, "rootpool-1", "rootvol-0")] == 254
    for card in range(64):
        assert switch.ports[Nic(f"{card}/0", 0)] == PortVlans(100)
    for server in STORAGE:
        assert [switch.ports[Nic(server, nic)].untagged for nic in range(8)] == [100, 150, 150, 150, 200, 200, 200, 200]
    assert switch.ports[Nic("0/0", 1)] == PortVlans(0)
    assert switch.ports[Nic("2/0", 1)] == PortVlans(None)
    assert switch.ports[Nic("32/0", 1)] == PortVlans(0), "the protected server stays as it was found"
    assert switch.ports[Uplink("te 0/1")] == switch.ports[Uplink("te 7/1")] == PortVlans(200)


def test_the_roles_are_on_six_disks_and_pools_hold_ten_or_eleven(root: Bench) -> None:
    attachments = root.model.storage.attachments
    pools = Counter(str(what.pool_id) for what in attachments.values() if isinstance(what, VolumeId) and what.slot == 2)
    assert set(pools) == {f"2/rootpool-{number}" for number in range(1, 7)}
    assert set(pools.values()) <= {10, 11}
    of_roles = [attachments[VDisk(server, 0)] for server in ROLES]
    assert len({what.pool_id for what in of_roles if isinstance(what, VolumeId)}) == 6


def test_capacity_takes_54_disks_that_the_root_pool_does_not_name(built: Bench) -> None:
    pools = {
        str(pool): state.disks for pool, state in built.model.storage.pools.items() if pool.name.startswith("jbod")
    }
    root_disks = {f"JBOD2/{number}" for number in range(6, 12)}
    assert set(pools) == {f"2/jbodpool-{n}" for n in range(1, 25)} | {f"5/jbodpool-{n}" for n in range(25, 55)}
    assert not root_disks & {disk for disks in pools.values() for disk in disks}
    sizes = {volume: size for volume, size in built.model.storage.volumes.items() if volume.name.startswith("jbodvol")}
    assert {str(volume) for volume in sizes} == {f"{pool}/jbodvol-{pool.rpartition('-')[2]}" for pool in pools}
    assert set(sizes.values()) == {2794}
    slots = []
    for server in STORAGE:
        mine = {number: name for number, name in on(built.model, server).items() if "jbodvol" in name}
        assert set(mine) == {4, *range(6, 23)}
        assert len(mine) == 18
        slots.append(sorted(Counter(name[0] for name in mine.values()).values()))
    assert slots == [[9, 9], [9, 9], [6, 12]], "over both slots alike, until slot 2 with its 24 has no more to give"


def test_each_journal_is_on_all_four_paths_of_one_server(built: Bench) -> None:
    journals = set()
    for server in STORAGE:
        paths = {on(built.model, server)[number] for number in (1, 2, 3, 5)}
        assert len(paths) == 1
        journals |= paths
    assert journals == {f"7/RAIDPOOL/Journal-{number}" for number in range(3)}
    assert {built.model.storage.volumes[VolumeId.parse(name)] for name in journals} == {500}


def test_a_second_pass_plans_nothing_and_writes_nothing(built: Bench) -> None:
    writes, done = built.store.writes, len(built.applied)
    built.restart()
    built.seconds += 3600
    decision = built.report()
    assert decision.stages == ()
    assert (built.store.writes, len(built.applied)) == (writes, done)


def test_all_say_that_they_are_as_declared(built: Bench) -> None:
    assert condition(built.chassis, "Ready") == ("True", "InSync")
    for name in ("root", "capacity", "journal"):
        assert condition(built.resource(STORAGE_POOL, name), "Ready") == ("True", "InSync")
    nodes = list(built.store.list(COMPUTE_NODE))
    assert len(nodes) == 63
    assert {condition(node, "ChassisReady") for node in nodes} == {("True", "InSync")}
    assert {condition(node, "HostReady")[0] for node in nodes} == {"Unknown"}
    assert built.chassis.status["servers"] == 64
    undeclared = built.chassis.status["undeclared"]
    assert undeclared["count"] == 2
    assert set(undeclared["items"]) == {"32/0 vdisk 0 has 7/RAIDPOOL/RAIDVOL-0", "volume 7/RAIDPOOL/RAIDVOL-0"}
    assert "conditions" not in built.resource(STORAGE_POOL, "array").status, (
        "no backend of the chassis: somebody else's"
    )


def test_a_crowded_pool_says_what_fills_it_and_the_rest_is_built() -> None:
    bench = Bench.of("crowded", golden("sm15k-01", "root", "journal"))
    last = bench.settle()
    journal = bench.resource(STORAGE_POOL, "journal")
    assert condition(journal, "Ready") == ("False", "NoCapacity")
    message = next(c["message"] for c in journal.status["conditions"] if c["type"] == "Ready")
    assert "in pool 7/RAIDPOOL, which has only " in message
    assert "63 more" in message or "and 61 more (" in message
    assert "which nobody declared and which stay" in message
    assert {problem.reason for problem in last.problems} == {"NoCapacity", "NoVolume"}
    assert condition(bench.resource(STORAGE_POOL, "root"), "Ready") == ("True", "InSync")
    running_now = running(bench.model)
    assert not set(STORAGE) & running_now, "a server is not switched on without all of its volumes"
    assert len(running_now) == 61
    assert bench.chassis.status["undeclared"]["count"] >= 64


def test_a_manifest_with_an_empty_status_adopts_a_live_rack(built: Bench) -> None:
    """Restored from a backup without statuses: the device is looked at first, and nothing is done again."""
    again = Bench(built.model, type(built.store)(golden("sm15k-01", "root", "capacity", "journal")))
    before = dict(built.model.storage.attachments.items())
    decision = again.settle()
    assert again.applied == []
    assert decision.differences == ()
    assert dict(built.model.storage.attachments.items()) == before
    node = again.node("12/0")
    assert {item["vdisk"]: item["volume"] for item in node.status["assignments"]} == on(built.model, "12/0")
