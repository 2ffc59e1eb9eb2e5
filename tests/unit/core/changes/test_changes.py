"""Changes that are more than one field: racks that are given away, exchanged, renamed, stopped, freed, and put back."""

from dataclasses import replace
from typing import Any

import pytest

from rackwright.core.resource import COMPUTE_NODE, STORAGE_POOL
from rackwright_drivers.contract.network import Nic, PortVlans, SetPort
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import ManagementMode, RawDisk, SetManagementMode, VDisk, VolumeId
from tests.unit.core.changes.bench import golden_rack, ready, reasons
from tests.unit.core.changes.case import held_of, stages_of
from tests.unit.core.changes.fields import add, drop, put
from tests.unit.core.kit import Bench, assign, on, pool, running, small_chassis

STORAGE = ("12/0", "29/0", "34/0")


def small(*pools: dict[str, Any], **changes: Any) -> Bench:
    """A small rack that is as declared."""
    bench = Bench.of("small", [small_chassis(**changes), *pools])
    bench.settle()
    bench.applied.clear()
    return bench


def change(bench: Bench, name: str, *edits: Any) -> None:
    """A person edits one object."""
    ref = next(ref for ref in bench.store.objects if str(ref) == name)
    for edit in edits:
        bench.store.change(ref, edit)


def done(bench: Bench) -> list[str]:
    """What was done to the device, by kind."""
    return [type(action).__name__ for action in bench.applied]


def test_a_pool_of_named_disks_grows_by_one_and_what_is_there_stays() -> None:
    bench = small(pool("root"))
    before = dict(bench.model.storage.volumes)
    change(bench, "StoragePool/root", add("backend.chassis.disks.names", "JBOD2/7"))
    first = bench.decide()
    assert stages_of(first) == [
        ["ClearMetadata disk JBOD2/7: Destructive"],
        ["CreatePool pool 2/rootpool-2: Safe"],
        ["CreateVolumes 2/rootpool-2/rootvol: Safe"],
    ]
    bench.settle()
    assert reasons(bench) == []
    assert before.items() <= bench.model.storage.volumes.items()
    assert set(bench.model.storage.volumes) - set(before) == {
        VolumeId(2, "rootpool-2", f"rootvol-{n}") for n in range(4)
    }


def test_a_pool_that_counts_its_disks_grows_by_one_and_shrinks_again_and_nothing_is_removed() -> None:
    disks = {"selector": {"slots": [2]}, "count": 2}
    bench = small(pool("root", disks=disks))
    change(bench, "StoragePool/root", put("backend.chassis.disks.count", 3))
    bench.settle()
    assert done(bench) == ["ClearMetadata", "CreatePool", "CreateVolumes"]
    bench.applied.clear()
    change(bench, "StoragePool/root", put("backend.chassis.disks.count", 2))
    last = bench.settle()
    assert (bench.applied, reasons(bench)) == ([], [])
    assert [item for item in last.undeclared if "root" in item] == [
        "pool 2/rootpool-3",
        *(f"volume 2/rootpool-3/rootvol-{n}" for n in range(4)),
    ]


def test_volumes_of_a_given_size_are_added_to_every_pool_where_there_is_room() -> None:
    bench = small(pool("root", volumes={"prefix": "rootvol", "perPool": 4, "size": "100Gi"}))
    change(bench, "StoragePool/root", put("backend.chassis.volumes.perPool", 6))
    assert stages_of(bench.decide()) == [["CreateVolumes 2/rootpool-1/rootvol: Safe"]]
    bench.settle()
    assert {size for name, size in bench.model.storage.volumes.items() if name.name.startswith("rootvol")} == {100}
    assert reasons(bench) == []


def test_equal_shares_are_fixed_once_they_are_made_and_a_new_disk_has_shares_of_its_own() -> None:
    """One disk more and one volume more a pool: the old pools are full, the new one is divided by the new number."""
    bench = small(pool("root"))
    change(
        bench,
        "StoragePool/root",
        add("backend.chassis.disks.names", "JBOD2/7"),
        put("backend.chassis.volumes.perPool", 5),
    )
    bench.settle()
    sizes = {str(name): size for name, size in bench.model.storage.volumes.items() if name.name.startswith("rootvol")}
    assert [sizes[f"2/rootpool-1/rootvol-{n}"] for n in range(4)] == [698] * 4
    assert [sizes[f"2/rootpool-2/rootvol-{n}"] for n in range(5)] == [558] * 5
    assert "2/rootpool-1/rootvol-4" not in sizes
    assert reasons(bench) == ["StoragePool/root: NoCapacity"]


def test_two_pools_that_exchange_disks_are_both_refused_and_lose_nothing() -> None:
    bench = small(pool("root"), pool("data", assign("data", 1), disks={"names": ["JBOD2/7"]}))
    before = {server: on(bench.model, server) for server in ("0/0", "1/0", "2/0")}
    change(bench, "StoragePool/root", put("backend.chassis.disks.names", ["JBOD2/7"]))
    change(bench, "StoragePool/data", put("backend.chassis.disks.names", ["JBOD2/6"]))
    last = bench.settle()
    assert bench.applied == []
    assert {server: on(bench.model, server) for server in before} == before
    assert {reason for reason in reasons(bench) if "Pool" in reason} == {
        "StoragePool/root: DiskInUse",
        "StoragePool/data: DiskInUse",
    }
    assert {"pool 2/rootpool-1", "pool 2/datapool-1"} <= set(last.undeclared)
    change(bench, "StoragePool/root", put("backend.chassis.disks.names", ["JBOD2/6"]))
    change(bench, "StoragePool/data", put("backend.chassis.disks.names", ["JBOD2/7"]))
    bench.settle()
    assert (bench.applied, reasons(bench)) == ([], [])


@pytest.mark.parametrize(
    "field", ["pools.prefix", "pools.firstNumber", "volumes.prefix", "volumes.numbering", "existingPool"]
)
def test_what_lives_on_the_device_cannot_be_renamed_also_after_a_restart_and_goes_on_when_it_is_taken_back(
    field: str,
) -> None:
    name = "journal" if field == "existingPool" else "capacity"
    bench = golden_rack().copy()
    before = bench.resource(STORAGE_POOL, name)
    values = {"pools.firstNumber": 9, "volumes.numbering": "FromZero", "existingPool": "7/OTHER"}
    change(bench, f"StoragePool/{name}", put(f"backend.chassis.{field}", values.get(field, "other")))
    bench.restart()
    bench.report()
    said = ready(bench.resource(STORAGE_POOL, name))
    assert said is not None
    assert said[0] == "InvalidSpec"
    assert f"{field.rpartition('.')[2]} can" in said[1]
    assert "make another StoragePool" in said[1]
    assert bench.decide().stages == ()
    assert bench.resource(STORAGE_POOL, name).status["immutable"] == before.status["immutable"]
    bench.store.objects[before.ref] = replace(bench.store.objects[before.ref], spec=before.spec, generation=9)
    bench.report()
    assert reasons(bench) == []


def test_a_pool_under_another_name_is_another_pool_and_the_older_has_the_volumes() -> None:
    """The name of an object is not changed but given to a new one; the old one is there until somebody deletes it."""
    bench = small(pool("root"))
    twin = {**pool("root"), "metadata": {"name": "boot", "namespace": "rack"}}
    bench.store.put(twin)
    bench.settle()
    assert reasons(bench) == ["StoragePool/boot: Conflict"]
    del bench.store.objects[bench.resource(STORAGE_POOL, "root").ref]
    bench.settle()
    assert (bench.applied, reasons(bench)) == ([], []), "it takes over what is there"


def test_nics_that_nobody_lists_go_from_isolated_to_default_one_server_after_another_and_stay_when_unmanaged() -> None:
    bench = small(pool("root"), defaultNIC={"vlan": "Isolated"})
    disturbed: list[str] = []
    bench.after_action = lambda _bench, step: disturbed.append(step.target.partition(" ")[0])
    change(bench, "Chassis/sm15k-01", put("defaultNIC.vlan", "Default"))
    first = bench.decide()
    assert (stages_of(first), held_of(first)) == ([["24 SetPort: Disruptive"]], "Budget")
    bench.settle()
    assert disturbed == [server for server in ("0/0", "1/0", "2/0") for _ in range(8)]
    assert {bench.model.switch.ports[Nic(server, 3)] for server in ("0/0", "1/0", "2/0")} == {PortVlans(0)}
    bench.applied.clear()
    change(bench, "Chassis/sm15k-01", put("defaultNIC.vlan", "Unmanaged"))
    bench.settle()
    assert (bench.applied, reasons(bench)) == ([], [])
    change(bench, "Chassis/sm15k-01", put("defaultNIC.vlan", "Isolated"))
    bench.settle()
    assert done(bench) == ["SetPort"] * 24
    assert all(isinstance(action, SetPort) and action.after == PortVlans(None) for action in bench.applied)


def test_a_set_is_stopped_one_server_after_another_and_started_again_at_once() -> None:
    bench = golden_rack().copy()
    most: list[int] = []
    bench.before_action = lambda bench, _step: most.append(len(set(STORAGE) & running(bench.model)))
    change(bench, "Chassis/sm15k-01", put("nodeSets[storage].template.powerState", "Stopped"))
    for left in (2, 1, 0):
        assert [step.action for step in bench.decide().verdict.allowed] == [SetPower(STORAGE[2 - left], Power.OFF)]
        assert bench.round()
        assert len(set(STORAGE) & running(bench.model)) == left
    change(bench, "Chassis/sm15k-01", put("nodeSets[storage].template.powerState", "Running"))
    first = bench.decide()
    assert len(first.verdict.allowed) == 3, "to switch on disturbs nobody"
    bench.settle()
    assert set(STORAGE) <= running(bench.model)
    assert most == [3, 2, 1, 0, 1, 2]


def test_a_running_node_that_becomes_protected_is_left_alone_for_good() -> None:
    """Its node goes as an object. What it has is not given to others, however many ask, and it may come back."""
    bench = small(pool("root", volumes={"prefix": "rootvol", "perPool": 3, "size": "EqualShare"}))
    mine = on(bench.model, "1/0")
    change(bench, "Chassis/sm15k-01", add("protectedServers", "1/0"))
    bench.settle()
    assert [node.ref.name for node in bench.store.list(COMPUTE_NODE)] == ["compute-0", "compute-2"]
    change(bench, "StoragePool/root", add("assign", assign("more", 1)))
    bench.model.servers.set_power(["1/0"], Power.OFF)
    last = bench.settle()
    assert (last.stages, last.blocked) == ((), ()), "nobody even plans to take it"
    assert "StoragePool/root: NoVolume" in reasons(bench)
    assert on(bench.model, "1/0") == mine
    assert "1/0" not in running(bench.model), "nobody switches it on"
    assert mine[0] not in {*on(bench.model, "0/0").values(), *on(bench.model, "2/0").values()}
    change(bench, "StoragePool/root", drop("assign[more]"))
    change(bench, "Chassis/sm15k-01", drop("protectedServers[1/0]"))
    first = bench.decide()
    assert (held_of(first), [change.clause for found in first.verdict.changes.values() for change in found]) == (
        "CardChanged",
        ["1/0 was in spec.protectedServers"],
    )
    bench.settle()
    assert on(bench.model, "1/0") == mine
    assert "1/0" in running(bench.model)
    assert reasons(bench) == []


def test_a_renamed_node_gets_back_what_was_taken_from_it_before() -> None:
    """What a server had is the server's, under whatever name, also where others are free: here of a card that left."""
    members = [{"server": f"{card}/0", "name": f"compute-{card}"} for card in range(3)]
    sets = [{"name": "compute", "members": members, "template": {"powerState": "Running"}}]
    bench = small(pool("root"), nodeSets=sets)
    mine = on(bench.model, "2/0")
    change(bench, "Chassis/sm15k-01", drop("nodeSets[compute].members[0/0]"))
    bench.settle()
    change(bench, "Chassis/sm15k-01", put("policy.mode", "Plan"))
    for server in ("0/0", "2/0"):
        bench.model.servers.set_power([server], Power.OFF)
        bench.model.storage.unassign(VDisk(server, 0))
    bench.report()
    change(
        bench, "Chassis/sm15k-01", put("nodeSets[compute].members[2/0].name", "other"), put("policy.mode", "Enforce")
    )
    bench.settle()
    assert bench.node("2/0").ref.name == "other"
    assert on(bench.model, "2/0") == mine
    assert reasons(bench) == []


def test_a_card_that_moves_to_another_set_and_back_before_anybody_approved_it_needs_no_approval() -> None:
    bench = golden_rack().copy()
    before = bench.chassis.spec
    change(bench, "Chassis/sm15k-01", drop("nodeSets[storage].members[34/0]"))
    for _ in range(3):
        assert held_of(bench.report()) == "CardChanged"
    bench.store.objects[bench.chassis.ref] = replace(bench.chassis, spec=before, generation=9)
    assert bench.report().verdict.changes == {}
    bench.settle()
    assert (bench.applied, reasons(bench)) == ([], [])


def test_an_inserted_card_is_stamped_and_not_touched_before_it_is_approved() -> None:
    bench = golden_rack().copy()
    known = [card for card in bench.chassis.status["cards"] if card["server"] != "5/0"]
    status = {**bench.chassis.status, "cards": known}
    bench.store.objects[bench.chassis.ref] = replace(bench.chassis, status=status)
    bench.model.servers.set_power(["5/0"], Power.OFF)
    first = bench.report()
    assert (stages_of(first), held_of(first)) == ([["SetPower server 5/0: Safe"]], "CardChanged")
    assert reasons(bench)[0] == "Chassis/sm15k-01: AwaitingApproval"
    bench.settle()
    assert done(bench) == ["SetPower"]
    assert reasons(bench) == []


def test_the_mode_of_a_slot_that_nobody_uses_is_destructive_and_held() -> None:
    bench = small(storageSlots=[{"slot": 2, "managementMode": "Volume"}], policy={"mode": "Enforce"})
    change(bench, "Chassis/sm15k-01", put("storageSlots[2].managementMode", "Disk"))
    first = bench.decide()
    assert (stages_of(first), held_of(first)) == ([["SetManagementMode slot 2: Destructive"]], "ApprovalRequired")
    bench.settle()
    assert bench.applied == [SetManagementMode(2, ManagementMode.DISK)]
    assert reasons(bench) == []


def test_a_slot_in_disk_mode_with_a_raw_disk_in_use_is_not_turned() -> None:
    bench = small(storageSlots=[])
    bench.model.storage.assign(VDisk("32/0", 5), RawDisk("JBOD2/30"))
    change(bench, "Chassis/sm15k-01", add("storageSlots", {"slot": 2, "managementMode": "Volume"}))
    bench.settle()
    assert (bench.applied, reasons(bench)) == ([], ["Chassis/sm15k-01: SlotInUse"])


def test_from_enforce_to_observe_to_plan_and_back_nothing_is_done_meanwhile_and_all_of_it_after() -> None:
    bench = golden_rack().copy()
    name = "Chassis/sm15k-01"
    change(bench, name, put("policy.mode", "Observe"), add("vlans", {"id": 300}), put("uplinks[te 0/1].untagged", 100))
    for mode, reason, plan in (("Observe", "ObserveOnly", False), ("Plan", "PlanOnly", True)):
        change(bench, name, put("policy.mode", mode))
        decision = bench.settle()
        assert (bench.applied, held_of(decision)) == ([], reason)
        assert reasons(bench) == [f"{name}: {reason}"]
        assert ("plan" in bench.chassis.status) is plan, "Observe reports drift, Plan also what would be done"
        assert bench.chassis.status["driftCount"] == 2
        assert decision.verdict.digests == {}, "nobody is asked to approve what would not be done"
    change(bench, name, put("policy.mode", "Enforce"))
    bench.settle()
    assert sorted(done(bench)) == ["CreateVlan", "SetPort"]
    assert reasons(bench) == []


@pytest.mark.parametrize(
    ("destructive", "held"), [("Never", "DestructiveNever"), ("RequireApproval", "ApprovalRequired"), ("Allow", "")]
)
def test_how_far_destructive_goes(destructive: str, held: str) -> None:
    bench = golden_rack().copy()
    change(bench, "Chassis/sm15k-01", put("policy.destructive", destructive), put("uplinks[te 0/1].untagged", 100))
    first = bench.decide()
    assert (stages_of(first), held_of(first)) == ([["SetPort te 0/1: Destructive"]], held)
    assert bool(first.verdict.allowed) is (destructive == "Allow")


def test_an_approval_fits_its_plan_and_no_other() -> None:
    """Given for one VLAN of the uplink, it does nothing for another, and nothing a second time."""
    bench = golden_rack().copy()
    name = "Chassis/sm15k-01"
    change(bench, name, put("uplinks[te 0/1].untagged", 100))
    assert bench.approve(bench.report())
    change(bench, name, put("uplinks[te 0/1].untagged", 150))
    assert held_of(bench.report()) == "ApprovalRequired"
    assert bench.applied == []
    change(bench, name, put("uplinks[te 0/1].untagged", 100))
    assert held_of(bench.report()) == "", "it is the very plan that was approved"
    while bench.round():
        continue
    assert done(bench) == ["SetPort"]
    change(bench, name, put("uplinks[te 0/1].untagged", 200))
    bench.settle()
    change(bench, name, put("uplinks[te 0/1].untagged", 100))
    assert held_of(bench.report()) == "ApprovalRequired", "it was used before"


def test_what_a_person_makes_beside_the_manifests_stays_and_is_reported() -> None:
    bench = golden_rack().copy()
    storage, switch = bench.model.storage, bench.model.switch
    switch.create_vlan(777)
    mine = VolumeId(7, "RAIDPOOL", "mine-0")
    storage.create_volumes(mine.pool_id, [mine.name], 10)
    storage.assign(VDisk("3/0", 9), mine)
    before = bench.model.saved()
    last = bench.settle()
    assert (bench.applied, bench.model.saved()) == ([], before)
    assert {"VLAN 777", "volume 7/RAIDPOOL/mine-0", "3/0 vdisk 9 has 7/RAIDPOOL/mine-0"} <= set(last.undeclared)
    assert set(bench.chassis.status["undeclared"]["items"]) == set(last.undeclared)
    assert reasons(bench) == []
