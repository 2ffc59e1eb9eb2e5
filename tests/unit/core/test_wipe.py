"""Objects that are being deleted with policy Wipe: what is their own is destroyed, if that was approved before."""

from collections.abc import Callable
from typing import Any

import pytest

from rackwright.core.resource import STORAGE_POOL, Ref
from rackwright.core.step import Step
from rackwright_drivers.contract.storage import (
    ClearMetadata,
    CreatePool,
    DeletePool,
    DeleteVolumes,
    Detach,
    Metadata,
    PoolId,
    VDisk,
    VolumeId,
)
from tests.unit.core.kit import Bench, golden, pool
from tests.unit.core.test_release import ASKING, ROOT, attached, built, free, released, stopped, told

POOL = PoolId(2, "rootpool-1")
NAMES = [f"rootvol-{n}" for n in range(4)]
DESTROYERS = (DeleteVolumes, DeletePool, ClearMetadata)


def wiped(*manifests: dict[str, Any]) -> Bench:
    """A pool with policy Wipe on servers that are off, converged."""
    return built(stopped(), released(pool("root"), "Wipe"), *manifests)


def approve(bench: Bench, ref: Ref = ROOT) -> str:
    """A person approves what the status says that a wipe would destroy."""
    digest: str = bench.store.objects[ref].status["wipe"]["digest"]
    bench.store.change(ref, lambda spec: spec.update(approvals=[{"plan": digest}]))
    bench.report()
    return digest


def _without_spare(bench: Bench) -> str:
    """A person deletes a volume of ours that nobody has: its name."""
    taken = set(attached(bench).values())
    spare = next(name for name in bench.model.storage.volumes if name.pool_id == POOL and name not in taken)
    bench.model.storage.delete_volumes([spare])
    return spare.name


def ours(bench: Bench) -> list[str]:
    return [str(name) for name in bench.model.storage.volumes if name.pool_id == POOL]


def untouched(bench: Bench) -> None:
    """The object went and the device is as it was."""
    assert ROOT not in bench.store.objects
    assert len(ours(bench)) == 4
    assert free(bench) == set()
    assert bench.applied == []


def test_the_status_shows_what_a_wipe_would_destroy() -> None:
    bench = wiped()
    disk = bench.model.storage.disks["JBOD2/6"]
    wipe = bench.store.objects[ROOT].status["wipe"]
    assert wipe["pools"] == [
        {
            "pool": "2/rootpool-1",
            "disks": [{"name": "JBOD2/6", "serial": disk.serial}],
            "volumes": NAMES,
        }
    ]
    assert "kept" not in wipe
    writes = bench.store.writes
    bench.report()
    assert bench.store.writes == writes
    bench.store.change(ROOT, lambda spec: spec.update(deletionPolicy="Release"))
    bench.report()
    assert "wipe" not in bench.store.objects[ROOT].status


def test_without_consent_it_ends_as_retain() -> None:
    bench = wiped()
    bench.store.remove(ROOT)
    bench.settle()
    untouched(bench)
    assert any(event[:2] == (ROOT, "Retained") and "status.wipe.digest" in event[2] for event in bench.store.events)


@pytest.mark.parametrize("destructive", ["Never", "RequireApproval"])
def test_never_ends_as_retain_whatever_was_approved(destructive: str) -> None:
    bench = wiped()
    approve(bench)
    bench.store.change(ROOT, lambda spec: spec.update(policy={"destructive": destructive}))
    bench.store.remove(ROOT)
    bench.settle()
    if destructive == "Never":
        untouched(bench)
    else:
        assert ours(bench) == []


def test_with_consent_volumes_pools_and_metadata_go_and_nothing_else() -> None:
    other = pool("other", disks={"names": ["JBOD2/7"]})
    other["spec"]["assign"][0]["vdisks"] = [5]
    bench = wiped(other)
    others = [name for name in bench.model.storage.volumes if name.pool_id != POOL]
    approve(bench)
    assert bench.applied == [], "consent is to the deletion; nothing is done before"
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert list(bench.model.storage.volumes) == others
    assert POOL not in bench.model.storage.pools
    assert bench.model.storage.disks["JBOD2/6"].metadata is Metadata.NONE
    assert bench.model.storage.disks["JBOD2/7"].metadata is Metadata.POOL
    assert [type(action) for action in bench.applied] == [Detach, DeleteVolumes, DeletePool, ClearMetadata]
    assert "storage delete volume-prefix 2/rootpool-1/rootvol count 4" in bench.commands
    assert len([at for at in attached(bench) if at.number == 5]) == 3
    assert bench.decide().differences == ()


def test_allow_needs_no_approval() -> None:
    bench = wiped()
    bench.store.change(ROOT, lambda spec: spec.update(policy={"destructive": "Allow"}))
    bench.store.lose_status(ROOT)
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert ours(bench) == []
    assert bench.model.storage.disks["JBOD2/6"].metadata is Metadata.NONE


def test_consent_to_a_wipe_is_none_to_detach_from_a_server_that_runs() -> None:
    bench = wiped()
    approve(bench)
    bench.model.servers.set_power(("1/0",), bench.model.servers.power["32/0"])
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(nodeSets=[]))
    bench.store.remove(ROOT)
    while bench.round():
        pass
    bench.report()
    assert told(bench, ROOT)[0] == "AwaitingApproval"
    assert free(bench) == {"0/0", "2/0"}
    assert len(ours(bench)) == 4, "no volume goes while one of them is in use"
    bench.settle()
    assert ours(bench) == []


@pytest.mark.parametrize("change", ["a volume more", "another uid", "a nonsense digest", "the status is lost"])
def test_consent_fits_what_it_was_given_for_and_nothing_else(change: str) -> None:
    bench = wiped()
    approve(bench)
    if change == "a volume more":
        bench.store.change(ROOT, lambda spec: spec.update(policy={"mode": "Plan"}))
        spare = _without_spare(bench)
        bench.report()
        bench.model.storage.create_volumes(POOL, [spare, "rootvol-4"], 1)
        bench.report()
    elif change == "another uid":
        known = bench.store.objects.pop(ROOT)
        bench.store.put({"kind": "StoragePool", "metadata": {"name": "root", "namespace": "rack"}, "spec": known.spec})
        bench.report()
    elif change == "a nonsense digest":
        bench.store.change(ROOT, lambda spec: spec.update(approvals=[{"plan": f"sha256:{'0' * 64}"}]))
    else:
        bench.store.lose_status(ROOT)
    before = ours(bench)
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert ours(bench) == before
    assert bench.applied == []


def test_a_foreign_volume_keeps_its_pool_and_is_said_before() -> None:
    roomy = pool("root", volumes={"prefix": "rootvol", "perPool": 4, "size": "10Gi"})
    bench = built(stopped(), released(roomy, "Wipe"))
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(policy={**ASKING, "mode": "Plan"}))
    bench.model.storage.create_volumes(POOL, ["mine", "rootvol-old-1"], 10)
    bench.report()
    wipe = bench.store.objects[ROOT].status["wipe"]
    assert wipe["pools"] == [{"pool": "2/rootpool-1", "disks": [], "volumes": NAMES}]
    assert wipe["kept"] == ["Pool 2/rootpool-1 stays: 2/rootpool-1/mine in it is not this object's."]
    approve(bench)
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(policy=ASKING))
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert ours(bench) == ["2/rootpool-1/mine", "2/rootpool-1/rootvol-old-1"]
    assert not any("volume-prefix" in line for line in bench.commands), "another with that prefix is in the pool"
    assert bench.model.storage.disks["JBOD2/6"].metadata is Metadata.POOL


def _volume(bench: Bench) -> None:
    _without_spare(bench)
    bench.model.storage.create_volumes(POOL, ["rootvol-9"], 10)


def _disk(bench: Bench) -> None:
    bench.model.storage.disks["JBOD2/6"].serial = "another"


def _failed(bench: Bench) -> None:
    bench.model.storage.fail_disk("JBOD2/6")


@pytest.mark.parametrize(
    ("change", "said", "left"),
    [
        (_volume, "2/rootpool-1/rootvol-9 in it was not there", ["2/rootpool-1/rootvol-9"]),
        (_disk, "it is on other disks", []),
        (_failed, "disk JBOD2/6 of it has failed", []),
    ],
)
def test_what_is_not_as_it_was_approved_is_not_destroyed(
    change: Callable[[Bench], None], said: str, left: list[str]
) -> None:
    bench = wiped()
    approve(bench)
    bench.store.annotate(ROOT, paused="true")
    bench.store.remove(ROOT)
    bench.settle()
    for vdisk in [vdisk for vdisk in attached(bench) if vdisk.server != "32/0"]:
        bench.model.storage.unassign(vdisk)
    change(bench)
    bench.store.annotate(ROOT)
    bench.settle()
    reason, message = told(bench, ROOT)
    assert reason == "WipeBlocked"
    assert said in message
    assert "deletionPolicy: Retain" in message
    assert ours(bench) == left
    assert POOL in bench.model.storage.pools
    bench.store.change(ROOT, lambda spec: spec.update(deletionPolicy="Retain"))
    bench.report()
    assert ROOT not in bench.store.objects


@pytest.mark.parametrize("taken", ["exchanged", "used by another", "raw"])
def test_a_disk_that_is_another_or_anothers_by_now_is_not_cleared(taken: str) -> None:
    bench = wiped()
    approve(bench)
    bench.store.remove(ROOT)
    disk = bench.model.storage.disks["JBOD2/6"]

    def interfere(bench: Bench, step: Step) -> None:
        if not isinstance(step.action, DeletePool):
            return
        if taken == "exchanged":
            disk.serial = "another"
        elif taken == "used by another":
            disk.metadata = Metadata.NONE
            bench.model.storage.create_pool(PoolId(2, "elsewhere"), ["JBOD2/6"])
        else:
            bench.store.change(bench.chassis.ref, lambda spec: spec.update(storageSlots=[]))
            bench.model.storage.slots[2].mode = type(bench.model.storage.slots[2].mode)("Disk")

    bench.after_action = interfere
    bench.settle()
    assert ROOT not in bench.store.objects
    assert not any(isinstance(action, ClearMetadata) for action in bench.applied)


def test_in_a_pool_that_was_there_only_volumes_go() -> None:
    journal = pool("journal", existingPool="7/RAIDPOOL", volumes={"prefix": "Journal", "count": 3, "size": "10Gi"})
    bench = built(stopped(), released(journal, "Wipe"))
    ref = Ref(STORAGE_POOL, "rack", "journal")
    assert bench.store.objects[ref].status["wipe"]["pools"] == [
        {"pool": "7/RAIDPOOL", "disks": [], "volumes": ["Journal-0", "Journal-1", "Journal-2"]}
    ]
    approve(bench, ref)
    bench.store.remove(ref)
    bench.settle()
    assert ref not in bench.store.objects
    assert [str(name) for name in bench.model.storage.volumes] == ["7/RAIDPOOL/RAIDVOL-0"]
    assert PoolId(7, "RAIDPOOL") in bench.model.storage.pools
    assert attached(bench) == {VDisk("32/0", 0): next(iter(bench.model.storage.volumes))}


def test_killed_after_every_action_it_goes_on_without_a_second_consent() -> None:
    bench = wiped()
    approve(bench)
    bench.store.remove(ROOT)
    while bench.round(stop_after=1):
        bench.restart()
    bench.report()
    assert ROOT not in bench.store.objects
    assert ours(bench) == []
    assert bench.model.storage.disks["JBOD2/6"].metadata is Metadata.NONE
    assert len([action for action in bench.applied if isinstance(action, DESTROYERS)]) == 3


def test_a_deletion_that_was_cut_in_half_is_brought_to_its_end() -> None:
    bench = wiped()
    approve(bench)
    bench.store.remove(ROOT)
    while not any(isinstance(step.action, DeleteVolumes) for step in bench.decide().verdict.allowed):
        bench.round()
    bench.model.storage.delete_volumes([VolumeId(*POOL, NAMES[0]), VolumeId(*POOL, NAMES[2])])
    bench.restart()
    bench.settle()
    assert ROOT not in bench.store.objects
    assert ours(bench) == []
    assert [line for line in bench.commands if "delete" in line] == [
        "storage delete volume 2/rootpool-1/rootvol-1",
        "storage delete volume 2/rootpool-1/rootvol-3",
        "storage delete pool 2/rootpool-1",
    ]


def test_its_disks_are_nobody_elses_while_it_is_being_wiped() -> None:
    bench = wiped()
    bench.store.change(
        ROOT, lambda spec: spec["backend"]["chassis"].update(disks={"selector": {"slots": [2]}, "count": 1})
    )
    bench.settle()
    approve(bench)
    bench.store.remove(ROOT)

    by: list[Ref] = []

    def rival(bench: Bench, step: Step) -> None:
        if isinstance(step.action, DeletePool):
            bench.store.put(pool("late", disks={"selector": {"slots": [2]}, "count": 30}))
            bench.store.put(pool("named", disks={"names": ["JBOD2/6"]}))
        if isinstance(step.action, ClearMetadata | CreatePool) and "JBOD2/6" in step.action.disks:
            by.append(step.owners[0])

    bench.after_action = rival
    bench.settle()
    assert ROOT not in bench.store.objects
    assert by[0] == ROOT, "it clears the disk first; whoever comes then makes a pool on it"
    assert by[1:] == [Ref(STORAGE_POOL, "rack", "named")]


def test_the_golden_rack_is_wiped_of_its_own_and_of_nothing_else() -> None:
    chassis, *pools = golden("sm15k-01", "root", "journal", "capacity")
    for made in pools:
        released(made, "Wipe")
    chassis["spec"]["policy"] |= {"mode": "Enforce", "destructive": "RequireApproval"}
    bench = Bench.of("as-found", [chassis, *pools])
    start = {name: disk.serial for name, disk in bench.model.storage.disks.items()}
    bench.settle()
    for made in pools:
        approve(bench, Ref(STORAGE_POOL, chassis["metadata"]["namespace"], made["metadata"]["name"]))
    for item in list(bench.store.list(STORAGE_POOL)):
        bench.store.remove(item.ref)
    bench.settle(rounds=400)
    assert list(bench.store.list(STORAGE_POOL)) == []
    storage = bench.model.storage
    assert [str(name) for name in storage.pools] == ["7/RAIDPOOL"]
    assert [str(name) for name in storage.volumes] == ["7/RAIDPOOL/RAIDVOL-0"]
    assert {str(found) for found in attached(bench).values()} == {"7/RAIDPOOL/RAIDVOL-0"}
    assert {name: disk.serial for name, disk in storage.disks.items()} == start
