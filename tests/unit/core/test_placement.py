"""Who gets which volume: nobody loses one, nobody gets one that is another's, and a range never takes too much."""

from collections import Counter
from dataclasses import replace
from typing import Any

from rackwright.core.resource import COMPUTE_NODE, STORAGE_POOL
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Attach, AttachRange, Detach, RawDisk, VDisk, VolumeId
from tests.unit.core.kit import Bench, assign, condition, manifest, on, pool, running, shared, small_chassis


def attached(bench: Bench, server: str, vdisk: int) -> str | None:
    return on(bench.model, server).get(vdisk)


def message(bench: Bench, kind: str, name: str) -> str:
    found = bench.resource(kind, name).status["conditions"]
    return str(next(item["message"] for item in found if item["type"] == "Ready"))


def test_one_range_for_all_where_any_volume_will_do() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    assert [action for action in bench.applied if isinstance(action, Attach | AttachRange)] == [
        AttachRange(("0/0", "1/0", "2/0"), (0,), "rootvol")
    ]


def test_two_assigns_of_one_pool_never_take_each_others_volumes() -> None:
    """A range may take any free volume: also the one that a single attach of the same stage is about to give."""
    bench = Bench.of("small", [small_chassis(), pool("root", assign("a", 0), assign("b", 1), volumes=volumes(8))])
    bench.settle()
    assert shared(bench.model) == {}
    assert not any(isinstance(action, AttachRange) for action in bench.applied)
    assert Counter(len(on(bench.model, server)) for server in ("0/0", "1/0", "2/0")) == {2: 3}


def volumes(count: int, prefix: str = "rootvol") -> dict[str, object]:
    return {"prefix": prefix, "perPool": count, "size": "EqualShare"}


def test_servers_with_different_vdisks_are_all_ranged_or_none_is() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root", assign("a", 0, 1), volumes=volumes(8))])
    while not any(isinstance(action, AttachRange) for action in bench.applied):
        assert bench.round()
    bench.model.storage.unassign(VDisk("0/0", 1))
    bench.model.storage.unassign(VDisk("2/0", 0))
    bench.model.storage.unassign(VDisk("2/0", 1))
    for node in bench.store.list(COMPUTE_NODE):
        bench.store.lose_status(node.ref)
    attaches = [step.action for step in bench.decide().verdict.allowed if isinstance(step.action, Attach | AttachRange)]
    assert attaches == [
        AttachRange(("0/0",), (1,), "rootvol"),
        AttachRange(("2/0",), (0, 1), "rootvol"),
    ]


def test_no_range_while_another_pool_makes_volumes_of_the_same_prefix() -> None:
    other = pool("other", assign("b", 1), disks={"names": ["JBOD2/7"]}, volumes=volumes(4))
    bench = Bench.of("small", [small_chassis(), pool("root"), other])
    bench.settle()
    assert not any(isinstance(action, AttachRange) for action in bench.applied)
    for server in ("0/0", "1/0", "2/0"):
        assert "rootpool" in str(attached(bench, server, 0))
        assert "otherpool" in str(attached(bench, server, 1))


def test_something_foreign_on_one_of_several_paths_stays_and_is_told() -> None:
    journal = pool(
        "journal",
        assign("j", 1, 2, attach="AllPaths"),
        existingPool="7/RAIDPOOL",
        volumes={"prefix": "Journal", "count": 3, "size": "10Gi"},
    )
    bench = Bench.of("small", [small_chassis(), journal])
    bench.settle()
    mine = attached(bench, "0/0", 1)
    bench.model.storage.unassign(VDisk("0/0", 2))
    bench.model.storage.assign(VDisk("0/0", 2), VolumeId(7, "RAIDPOOL", "RAIDVOL-0"))
    bench.model.servers.set_power(["0/0"], Power.OFF)
    bench.settle()
    assert (attached(bench, "0/0", 1), attached(bench, "0/0", 2)) == (mine, "7/RAIDPOOL/RAIDVOL-0")
    assert condition(bench.node("0/0"), "ChassisReady") == ("False", "VDiskTaken")
    assert "0/0" not in running(bench.model), "it would come up with what is not its own"


def test_a_raw_disk_on_the_vdisk_stays() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.model.storage.assign(VDisk("0/0", 0), RawDisk("JBOD5/0"))
    bench.settle()
    assert attached(bench, "0/0", 0) == "JBOD5/0"
    assert condition(bench.node("0/0"), "ChassisReady") == ("False", "VDiskTaken")
    drift = bench.node("0/0").status["drift"]
    found = [item["found"] for item in drift if item["path"] == "0/0 vdisk 0"]
    assert found == ["raw disk JBOD5/0"]


def doubled(*assigns: dict[str, object]) -> Bench:
    """Two servers have one volume of ours, and nobody remembers whose it is."""
    bench = Bench.of("small", [small_chassis(), pool("root", *assigns, volumes=volumes(8))])
    bench.settle()
    bench.model.servers.set_power(["0/0", "1/0", "2/0"], Power.OFF)
    storage = bench.model.storage
    volume = storage.attachments[VDisk("0/0", 0)]
    there = [vdisk for vdisk in storage.attachments if vdisk.server == "1/0"]
    for vdisk in there:
        storage.unassign(vdisk)
    storage.assign(max(there), volume)
    for node in list(bench.store.list(COMPUTE_NODE)):
        bench.store.lose_status(node.ref)
    bench.applied.clear()
    return bench


def test_whose_volume_it_is_where_two_have_it_is_for_a_person_to_say() -> None:
    bench = doubled(assign("a", 0))
    before = dict(bench.model.storage.attachments.items())
    bench.settle()
    assert dict(bench.model.storage.attachments.items()) == before
    for server in ("0/0", "1/0"):
        assert condition(bench.node(server), "ChassisReady") == ("False", "VDiskTaken")
        assert server not in running(bench.model)


def test_so_it_is_where_the_two_are_on_vdisks_of_different_assigns() -> None:
    bench = doubled(assign("a", 0), assign("b", 1))
    volume = bench.model.storage.attachments[VDisk("0/0", 0)]
    bench.settle()
    assert bench.model.storage.attachments[VDisk("1/0", 1)] == volume
    assert bench.model.storage.attachments[VDisk("0/0", 0)] == volume
    assert not any(isinstance(action, Detach) for action in bench.applied)
    assert not {"0/0", "1/0"} & running(bench.model)


def test_memory_says_whose_volume_it_is() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    bench.model.servers.set_power(["1/0"], Power.OFF)
    storage = bench.model.storage
    mine, others = storage.attachments[VDisk("0/0", 0)], storage.attachments[VDisk("1/0", 0)]
    storage.unassign(VDisk("1/0", 0))
    storage.assign(VDisk("1/0", 0), mine)
    bench.settle()
    assert (storage.attachments[VDisk("0/0", 0)], storage.attachments[VDisk("1/0", 0)]) == (mine, others)
    assert "1/0" in running(bench.model)


def test_a_nic_is_not_a_vdisk() -> None:
    """A foreign volume on vdisk 3 is nothing that a node remembers, though it declares its NIC 3."""
    chassis = small_chassis(defaultNIC={"vlan": "Isolated"})
    bench = Bench.of("small", [chassis, pool("root")])
    bench.settle()
    bench.model.storage.assign(VDisk("0/0", 3), VolumeId(7, "RAIDPOOL", "RAIDVOL-0"))
    bench.settle()
    assert [item["vdisk"] for item in bench.node("0/0").status["assignments"]] == [0]


def own_node(card: int) -> dict[str, Any]:
    """A node that a person wrote."""
    spec = {"chassisRef": {"name": "sm15k-01"}, "server": f"{card}/0", "powerState": "Running"}
    made = manifest(COMPUTE_NODE, f"mine-{card}", spec)
    made["metadata"]["labels"] = {"rackwright.dev/node-set": "compute"}
    return made


def test_what_a_node_remembers_that_cannot_be_planned_is_given_to_nobody() -> None:
    nodes = [own_node(card) for card in range(3)]
    bench = Bench.of("small", [small_chassis(nodeSets=[]), pool("root", volumes=volumes(3)), *nodes])
    bench.settle()
    broken, other = bench.node("0/0"), bench.node("1/0")
    volume = bench.model.storage.attachments[VDisk("0/0", 0)]
    bench.model.servers.set_power(["0/0", "1/0"], Power.OFF)
    bench.model.storage.unassign(VDisk("0/0", 0))
    bench.model.storage.unassign(VDisk("1/0", 0))
    bench.store.change(broken.ref, lambda spec: spec.update(powerState="Sideways"))
    bench.store.lose_status(other.ref)
    bench.settle()
    assert condition(bench.node("0/0"), "Ready") == ("False", "InvalidSpec")
    assert volume not in bench.model.storage.attachments.values()
    assert bench.node("0/0").status["assignments"] == [{"vdisk": 0, "volume": str(volume)}]
    assert "1/0" in running(bench.model), "it got the one that was free"


def test_a_pool_that_cannot_be_planned_takes_no_memory_with_it() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    remembered = {node.ref: node.status["assignments"] for node in bench.store.list(COMPUTE_NODE)}
    ref = bench.resource(STORAGE_POOL, "root").ref
    bench.store.change(ref, lambda spec: spec.update(onDiskFailure="Perhaps"))
    bench.settle()
    assert {node.ref: node.status["assignments"] for node in bench.store.list(COMPUTE_NODE)} == remembered
    assert condition(bench.store.objects[ref], "Ready") == ("False", "InvalidSpec")
    bench.store.change(ref, lambda changed: changed.update(onDiskFailure="None"))
    bench.settle()
    assert condition(bench.store.objects[ref], "Ready") == ("True", "InSync")


def test_a_server_stays_off_while_a_stranger_of_its_is_anothers_too() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.model.storage.assign(VDisk("1/0", 9), VolumeId(7, "RAIDPOOL", "RAIDVOL-0"))
    bench.settle()
    assert running(bench.model) == {"0/0", "2/0", "32/0"}
    assert condition(bench.node("1/0"), "ChassisReady") == ("False", "VolumeShared")
    assert "32/0 vdisk 0" in message(bench, COMPUTE_NODE, "compute-1")
    bench.model.storage.unassign(VDisk("1/0", 9))
    bench.settle()
    assert "1/0" in running(bench.model)


def test_a_vdisk_that_waits_does_not_keep_another_from_its_own_volume() -> None:
    """A volume of one pool hangs where another pool, which has none to give, wants its own."""
    second = pool("data", assign("d", 5), volumes=volumes(1, "datavol"), disks={"names": ["JBOD2/7"]})
    bench = Bench.of("small", [small_chassis(), pool("root"), second])
    bench.settle()
    mine = bench.model.storage.attachments[VDisk("0/0", 0)]
    empty = next(s for s in ("1/0", "2/0") if attached(bench, s, 5) is None)
    bench.model.servers.set_power([empty], Power.OFF)
    bench.model.storage.unassign(VDisk("0/0", 0))
    bench.model.storage.assign(VDisk(empty, 5), mine)
    bench.settle()
    assert bench.model.storage.attachments.shown().get(VDisk("0/0", 0)) == mine
    assert attached(bench, empty, 5) is None


def test_a_vdisk_that_two_pools_want_is_one_pools_alone() -> None:
    """Who has it keeps it; else the older object has it; the other says so and takes nothing."""
    rival = pool("rival", assign("r", 0, 1), disks={"names": ["JBOD2/7"]}, volumes=volumes(8, "rivalvol"))
    bench = Bench.of("small", [small_chassis(), pool("root"), rival])
    bench.settle()
    for server in ("0/0", "1/0", "2/0"):
        assert "rootvol" in str(attached(bench, server, 0))
        assert "rivalvol" in str(attached(bench, server, 1))
    assert condition(bench.resource(STORAGE_POOL, "rival"), "Ready") == ("False", "Conflict")
    assert "wants 0/0 vdisk 0 and 2 more, which StoragePool/root" in message(bench, STORAGE_POOL, "rival")
    root = bench.resource(STORAGE_POOL, "root")
    bench.store.objects[root.ref] = replace(root, created="2027-01-01T00:00:00Z")
    before = dict(bench.model.storage.attachments.items())
    bench.settle()
    assert dict(bench.model.storage.attachments.items()) == before, "younger now, but it has them"
    assert running(bench.model) == {"0/0", "1/0", "2/0", "32/0"}


def test_two_assigns_of_one_pool_are_rivals_too() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root", assign("a", 0), assign("b", 0, 1), volumes=volumes(8))])
    bench.settle()
    assert "wants 0/0 vdisk 0 and 2 more, which StoragePool/root spec.assign[a]" in message(bench, STORAGE_POOL, "root")
    assert shared(bench.model) == {}
    assert {len(on(bench.model, server)) for server in ("0/0", "1/0", "2/0")} == {2}
