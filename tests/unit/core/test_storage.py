"""Slots, disks, pools and volumes: what is planned, and what is refused with a sentence instead of by the device."""

import pytest

from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL
from rackwright_drivers.contract.storage import (
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    ManagementMode,
    PoolId,
    RawDisk,
    SetManagementMode,
    VDisk,
    VolumeId,
)
from rackwright_sim.startfile import Start
from tests.unit.core.kit import Bench, assign, condition, on, pool, running, small_chassis


def message(bench: Bench, kind: str, name: str) -> str:
    found = bench.resource(kind, name).status["conditions"]
    return str(next(item["message"] for item in found if item["type"] == "Ready"))


def ready(bench: Bench, name: str) -> tuple[str, str]:
    return condition(bench.resource(STORAGE_POOL, name), "Ready")


def existing(name: str, count: int, size: str, prefix: str | None = None) -> dict[str, object]:
    volumes = {"prefix": prefix or name, "count": count, "size": size}
    return pool(name, assign(name, 7), existingPool="7/RAIDPOOL", volumes=volumes)


def test_two_objects_never_use_the_same_names() -> None:
    """Whose a pool is, its name says: the second object would take the first one's for its own."""
    twin = pool("second", assign("b", 1), disks={"names": ["JBOD2/7"]}, pools={"prefix": "rootpool"})
    bench = Bench.of(
        "small", [small_chassis(), pool("root"), twin, existing("one", 3, "10Gi"), existing("two", 1, "10Gi", "one")]
    )
    bench.settle()
    assert ready(bench, "root") == ready(bench, "one") == ("True", "InSync")
    assert ready(bench, "second") == ready(bench, "two") == ("False", "Conflict")
    assert "StoragePool/root has the pools named rootpool-N" in message(bench, STORAGE_POOL, "second")
    assert bench.resource(STORAGE_POOL, "two").status["blockedOn"]["name"] == "one"
    assert [action.pool for action in bench.applied if isinstance(action, CreatePool)] == [PoolId(2, "rootpool-1")]


def test_a_pool_that_somebody_made_over_the_disk_is_not_cleared_away() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root", disks={"names": ["7/0"]}, pools={"prefix": "RAIDPOOL"})])
    bench.settle()
    assert ready(bench, "root") == ("False", "DiskInUse")
    assert not any(isinstance(action, ClearMetadata) for action in bench.applied)


def test_not_even_where_its_name_looks_like_ours() -> None:
    start = Bench.of("small", []).model.saved().model_dump()
    start["pools"][0]["id"], start["volumes"][0]["pool"] = "7/rootpool-1", "7/rootpool-1"
    start["attachments"] = ()
    bench = Bench.of(Start.model_validate(start), [small_chassis(), pool("root", disks={"names": ["7/0"]})])
    bench.settle()
    assert ready(bench, "root") == ("False", "DiskInUse")
    assert bench.applied == [SetManagementMode(2, ManagementMode.VOLUME)], "no disk of it is touched"


def test_a_disk_in_a_slot_that_shall_be_in_disk_mode_says_so() -> None:
    chassis = small_chassis(storageSlots=[{"slot": 2, "managementMode": "Disk"}])
    bench = Bench.of("small", [chassis, pool("root")])
    bench.settle()
    assert ready(bench, "root") == ("False", "SlotInDiskMode")
    assert bench.applied == []


def test_the_mode_of_a_slot_is_not_changed_under_what_is_attached_from_it() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.model.storage.assign(VDisk("32/0", 5), RawDisk("JBOD2/30"))
    bench.settle()
    assert condition(bench.chassis, "Ready") == ("False", "SlotInUse")
    assert "32/0 vdisk 5 has raw disk JBOD2/30" in message(bench, CHASSIS, "sm15k-01")
    assert bench.applied == []
    assert ready(bench, "root")[1] == "Waiting"
    bench.model.storage.unassign(VDisk("32/0", 5))
    bench.settle()
    assert condition(bench.chassis, "Ready") == ("True", "InSync")


def test_volumes_in_a_slot_whose_mode_must_not_change_go_on_being_declared() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    done = len(bench.applied)
    bench.store.change(bench.chassis.ref, lambda spec: spec["storageSlots"][0].update(managementMode="Disk"))
    last = bench.settle()
    assert condition(bench.chassis, "Ready") == ("False", "SlotInUse")
    assert ready(bench, "root") == ("True", "InSync"), "it is the mode that is wrong, and nothing of the pool"
    assert {condition(node, "ChassisReady")[1] for node in bench.store.list(COMPUTE_NODE)} == {"InSync"}
    assert not any("root" in item for item in last.undeclared)
    assert bench.applied[done:] == []


def test_two_objects_share_what_is_free_in_a_pool_and_not_more() -> None:
    """3080 GiB are free: either of the two would fit alone."""
    bench = Bench.of("small", [small_chassis(nodeSets=[]), existing("one", 1, "2000Gi"), existing("two", 1, "2000Gi")])
    bench.settle()
    assert [action.prefix for action in bench.applied if isinstance(action, CreateVolumes)] == ["one"]
    assert ready(bench, "one") == ("True", "InSync")
    assert ready(bench, "two") == ("False", "NoCapacity")


def test_what_others_declared_does_not_count_as_undeclared() -> None:
    manifests = [small_chassis(nodeSets=[]), existing("zebra", 1, "2000Gi")]
    bench = Bench.of("small", manifests)
    bench.settle()
    bench.store.put(existing("ant", 1, "2000Gi"))
    bench.settle()
    assert "In it are 7/RAIDPOOL/RAIDVOL-0 (48 GiB), which nobody declared" in message(bench, STORAGE_POOL, "ant")


def test_volumes_that_cannot_fit_into_a_new_pool_are_not_tried() -> None:
    volumes = {"prefix": "rootvol", "perPool": 4, "size": "1Ti"}
    bench = Bench.of("small", [small_chassis(), pool("root", volumes=volumes)])
    bench.settle()
    assert ready(bench, "root") == ("False", "NoCapacity")
    assert "asks for 4 volumes of 1024 GiB in pool 2/rootpool-1, which has only 2794 GiB free" in message(
        bench, STORAGE_POOL, "root"
    )
    assert not any(isinstance(action, CreateVolumes) for action in bench.applied)


def test_a_name_that_a_stranger_has_is_passed_over() -> None:
    bench = Bench.of("small", [small_chassis()])
    bench.settle()
    bench.model.storage.clear_metadata(2, [30])
    bench.model.storage.create_pool(PoolId(2, "rootpool-1"), ["JBOD2/30"])
    bench.store.put(pool("root"))
    bench.settle()
    assert ready(bench, "root") == ("True", "InSync")
    assert bench.model.storage.pools[PoolId(2, "rootpool-2")].disks == ("JBOD2/6",)


def selected(count: int) -> dict[str, object]:
    return {"selector": {"slots": [2]}, "count": count}


@pytest.mark.parametrize("disks", [{"names": ["JBOD2/6", "JBOD2/7"]}, selected(2)])
def test_a_failed_disk_keeps_what_is_on_it_and_gets_nothing_new(disks: dict[str, object]) -> None:
    bench = Bench.of("small", [small_chassis(), pool("root", disks=disks)])
    bench.settle()
    before = dict(bench.model.storage.attachments.items())
    failed = bench.model.storage.attachments[VDisk("0/0", 0)]
    assert isinstance(failed, VolumeId)
    disk = bench.model.storage.pools[failed.pool_id].disks[0]
    bench.model.storage.fail_disk(disk)
    bench.store.put(pool("root", assign("root", 0), assign("more", 1), disks=disks))
    done = len(bench.applied)
    bench.settle()
    assert ready(bench, "root") == ("False", "DiskFailed")
    after = dict(bench.model.storage.attachments.items())
    assert {vdisk: after[vdisk] for vdisk in before} == before
    new = [what for vdisk, what in after.items() if vdisk not in before]
    assert new
    assert all(isinstance(what, VolumeId) and what.pool_id != failed.pool_id for what in new)
    assert not any(isinstance(action, ClearMetadata | CreatePool) for action in bench.applied[done:]), "no replacement"


def test_a_pool_with_too_few_volumes_says_how_many_are_missing() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root"), existing("one", 2, "10Gi")])
    bench.settle()
    assert ready(bench, "one") == ("False", "NoVolume")
    assert "spec.assign[one] wants 1 more and 1 are missing" in message(bench, STORAGE_POOL, "one")
    assert running(bench.model) == {"0/0", "1/0", "32/0"}, "one server waits for its volume"


def test_more_disks_than_there_are_say_so_and_those_that_are_there_are_used() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root", disks=selected(31))])
    bench.settle()
    assert ready(bench, "root") == ("False", "NoCapacity")
    assert "asks for 31 disks, but only 30" in message(bench, STORAGE_POOL, "root")
    assert sum(isinstance(action, CreatePool) for action in bench.applied) == 30
    assert running(bench.model) == {"0/0", "1/0", "2/0", "32/0"}


def test_a_disk_that_a_selector_took_is_kept_from_whoever_names_it_later_until_it_is_given_up() -> None:
    capacity = pool("capacity", assign("data", 1), disks=selected(3))
    bench = Bench.of("small", [small_chassis(), capacity])
    bench.settle()
    bench.store.put(pool("root", disks={"names": ["JBOD2/7"]}))
    bench.settle()
    assert ready(bench, "capacity") == ("True", "InSync")
    assert condition(bench.resource(STORAGE_POOL, "capacity"), "Contested")[0] == "True"
    assert ready(bench, "root") == ("False", "Conflict")
    assert "names JBOD2/7, which StoragePool/capacity has already" in message(bench, STORAGE_POOL, "root")
    bench.store.put(pool("capacity", assign("data", 1), disks=selected(2)))
    bench.settle()
    assert ready(bench, "root") == ("False", "DiskInUse"), "given up, but its volumes are there: a person removes them"
    capacity_pools = [pool for pool in bench.model.storage.pools if pool.name.startswith("capacity")]
    assert len(capacity_pools) == 3


def test_a_pool_that_is_not_there_and_a_disk_that_is_not_there() -> None:
    nowhere = pool("one", assign("one", 5), existingPool="7/NOPOOL", volumes={"prefix": "v", "count": 1, "size": "1Gi"})
    bench = Bench.of("small", [small_chassis(), pool("root", disks={"names": ["JBOD2/99"]}), nowhere])
    bench.settle()
    assert ready(bench, "one") == ("False", "UnknownPool")
    assert "it has 7/RAIDPOOL" in message(bench, STORAGE_POOL, "one")
    assert ready(bench, "root") == ("False", "UnknownDisk")
    assert running(bench.model) == {"32/0"}


def test_a_size_that_was_changed_is_said_and_touches_nothing() -> None:
    bench = Bench.of("small", [small_chassis(), existing("one", 3, "10Gi"), pool("root")])
    bench.settle()
    before = {server: on(bench.model, server) for server in ("0/0", "1/0", "2/0")}
    bench.store.put(existing("one", 3, "20Gi"))
    done = len(bench.applied)
    bench.settle()
    assert ready(bench, "one") == ("False", "CannotChange")
    assert bench.applied[done:] == []
    assert {server: on(bench.model, server) for server in before} == before


def test_volumes_in_half_a_pool_take_their_equal_share() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    while not any(isinstance(action, CreatePool) for action in bench.applied):
        bench.round()
    bench.model.storage.create_volumes(PoolId(2, "rootpool-1"), ["rootvol-2"], 698)
    bench.settle()
    made = next(action for action in bench.applied if isinstance(action, CreateVolumes))
    assert (made.numbers, made.size) == ((0, 1, 3), 698)
    assert bench.resource(STORAGE_POOL, "root").status["summary"] == "9/9", "a disk, a pool, 4 volumes, 3 attachments"
