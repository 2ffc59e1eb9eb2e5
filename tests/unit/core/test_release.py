"""Objects that are being deleted with policy Release: what is theirs is detached, by the rules of every plan, and they go."""

from dataclasses import replace
from typing import Any

import pytest

from rackwright.core.resource import CHASSIS, COMPUTE_NODE, RELEASE, STORAGE_POOL, Ref
from rackwright.core.step import Step
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Attach, Detach, VDisk, VolumeId
from rackwright_drivers.contract.unknown import Unknown
from tests.unit.core.kit import Bench, assign, condition, manifest, observed, on, pool, running, small_chassis

ROOT = Ref(STORAGE_POOL, "rack", "root")
ASKING = {"mode": "Enforce", "destructive": "RequireApproval", "maxDisrupted": 3}


def released(made: dict[str, Any], policy: str = "Release") -> dict[str, Any]:
    """The same with this deletionPolicy."""
    made["spec"]["deletionPolicy"] = policy
    return made


def stopped(**changes: Any) -> dict[str, Any]:
    """A Chassis whose nodes are off."""
    template = {"powerState": "Stopped", **changes.pop("template", {})}
    sets = [{"name": "compute", "remaining": {"namePrefix": "compute"}, "template": template}]
    return small_chassis(nodeSets=sets, policy=ASKING, **changes)


def built(*manifests: dict[str, Any]) -> Bench:
    """Converged, with every consent given."""
    bench = Bench.of("small", manifests)
    bench.settle()
    bench.applied.clear()
    bench.commands.clear()
    return bench


def told(bench: Bench, ref: Ref) -> tuple[str, str]:
    """Reason and message of Ready."""
    found = next(item for item in bench.store.objects[ref].status["conditions"] if item["type"] == "Ready")
    return found["reason"], found["message"]


def attached(bench: Bench) -> dict[VDisk, Any]:
    return dict(bench.model.storage.attachments.items())


def free(bench: Bench) -> set[str]:
    """Servers without anything on vdisk 0."""
    return {server for server in bench.model.servers.macs if 0 not in on(bench.model, server)}


def node(server: str, name: str, **spec: Any) -> dict[str, Any]:
    """A ComputeNode that a person made, in the set that pools of these tests serve."""
    made = manifest(COMPUTE_NODE, name, {"chassisRef": {"name": "sm15k-01"}, "server": server, **spec})
    made["metadata"]["labels"] = {"rackwright.dev/node-set": "compute"}
    return made


def test_retain_has_no_finalizer_and_its_end_touches_nothing() -> None:
    bench = built(stopped(), pool("root"))
    before = bench.model.saved()
    assert [item.finalizers for item in bench.store.objects.values()] == [()] * 5
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert bench.model.saved() == before


def test_the_finalizer_is_there_before_anything_is_done_for_the_object() -> None:
    bench = Bench.of("small", [released(stopped(template={"deletionPolicy": "Release"})), released(pool("root"))])
    seen = set()

    def look(bench: Bench, step: Step) -> None:
        for owner in step.owners:
            seen.add(owner.kind)
            assert bench.store.objects[owner].finalizers == (RELEASE,)

    bench.before_action = look
    bench.settle()
    assert seen == {CHASSIS, STORAGE_POOL, COMPUTE_NODE}
    writes = bench.store.writes
    bench.report()
    assert bench.store.writes == writes


def test_the_finalizer_follows_the_policy() -> None:
    bench = built(stopped(), released(pool("root")))
    bench.store.change(ROOT, lambda spec: spec.update(deletionPolicy="Retain"))
    bench.report()
    assert bench.store.objects[ROOT].finalizers == ()
    bench.store.change(ROOT, lambda spec: spec.update(deletionPolicy="Wipe"))
    bench.report()
    assert bench.store.objects[ROOT].finalizers == (RELEASE,)


def test_from_servers_that_are_off_all_is_detached_and_the_data_stays() -> None:
    bench = built(stopped(), released(pool("root")))
    volumes, network = dict(bench.model.storage.volumes), bench.model.switch
    assert free(bench) == set()
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert free(bench) == {"0/0", "1/0", "2/0"}
    assert bench.model.storage.volumes == volumes
    assert bench.model.switch is network
    assert {type(action) for action in bench.applied} == {Detach}
    assert (ROOT, "Released") in [event[:2] for event in bench.store.events]
    assert bench.decide().differences == ()


def test_from_servers_that_run_it_is_detached_by_consent_alone() -> None:
    bench = built(small_chassis(policy=ASKING), released(pool("root")))
    before = attached(bench)
    bench.store.remove(ROOT)
    while bench.round():
        pass
    asked = bench.report()
    assert attached(bench) == before
    reason, message = told(bench, ROOT)
    assert reason == "AwaitingApproval"
    assert "deletionPolicy: Retain" in message
    assert asked.verdict.digests[ROOT] in message
    assert len(bench.store.objects[ROOT].status["plan"]["stages"][0]["steps"]) == 3
    assert bench.approve(asked)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert free(bench) == {"0/0", "1/0", "2/0"}
    assert running(bench.model) >= {"0/0", "1/0", "2/0"}, "power is nobody's business here"


def test_retain_lets_go_of_what_is_being_deleted() -> None:
    bench = built(small_chassis(policy=ASKING), released(pool("root")))
    before = bench.model.saved()
    bench.store.remove(ROOT)
    bench.report()
    bench.store.change(ROOT, lambda spec: spec.update(deletionPolicy="Retain"))
    bench.report()
    assert ROOT not in bench.store.objects
    assert bench.model.saved() == before


@pytest.mark.parametrize("how", ["Observe", "Plan", "paused", "chassis paused"])
def test_what_may_not_act_does_not_and_says_so(how: str) -> None:
    bench = built(stopped(), released(pool("root")))
    before = bench.model.saved()
    if how in ("Observe", "Plan"):
        bench.store.change(ROOT, lambda spec: spec.update(policy={"mode": how}))
    else:
        bench.store.annotate(ROOT if how == "paused" else bench.chassis.ref, paused="true")
    bench.store.remove(ROOT)
    bench.settle()
    assert bench.model.saved() == before
    assert bench.store.objects[ROOT].leaving
    reason, message = told(bench, ROOT)
    assert reason == {"Observe": "ObserveOnly", "Plan": "PlanOnly"}.get(how, "Paused")
    assert "deletionPolicy: Retain" in message


def test_a_protected_server_keeps_what_it_has_and_the_pool_says_so() -> None:
    bench = built(stopped(), released(pool("root")))
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(protectedServers=["32/0", "1/0"]))
    bench.store.remove(ROOT)
    bench.settle()
    assert free(bench) == {"0/0", "2/0"}
    assert told(bench, ROOT)[0] == "Protected"
    bench.model.storage.unassign(VDisk("1/0", 0))
    bench.settle()
    assert ROOT not in bench.store.objects


def test_what_is_not_ours_stays_attached() -> None:
    other = pool("other", assign("data", 5), disks={"names": ["JBOD2/7"]})
    bench = built(stopped(), released(pool("root")), other)
    foreign = VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
    bench.model.storage.assign(VDisk("0/0", 9), foreign)
    bench.model.storage.assign(VDisk("0/0", 8), attached(bench)[VDisk("0/0", 5)])  # the other's, a second time
    bench.store.remove(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    left = attached(bench)
    assert left[VDisk("0/0", 9)] == foreign
    assert {vdisk.number for vdisk in left if vdisk.server != "32/0"} == {5, 8, 9}
    assert len([vdisk for vdisk in left if vdisk.number == 5]) == 3


def test_nobody_gets_its_vdisks_or_disks_before_it_is_gone() -> None:
    late = pool("late", assign("root", 0), disks={"selector": {"slots": [2]}, "count": 1})
    bench = built(small_chassis(policy=ASKING), released(pool("root")), late)
    before = attached(bench)
    bench.store.remove(ROOT)
    while bench.round():
        pass
    bench.report()
    assert attached(bench) == before
    assert {name for found in bench.model.storage.pools.values() for name in found.disks if name == "JBOD2/6"}
    detached = []

    def look(bench: Bench, step: Step) -> None:
        if isinstance(step.action, Detach):
            detached.append(step)
        else:
            assert ROOT not in bench.store.objects, f"{step.action} while the pool is not gone"

    bench.before_action = look
    bench.settle()
    assert detached
    assert free(bench) == set()
    assert all(found.pool.startswith("latepool") for at, found in attached(bench).items() if at.server != "32/0")


def test_a_pool_that_lost_its_names_to_another_goes_at_once_and_takes_nothing_along() -> None:
    twin = pool("twin")
    twin["spec"]["backend"] = pool("root")["spec"]["backend"]
    bench = built(stopped(), pool("root"), released(twin))
    before = bench.model.saved()
    bench.store.remove(Ref(STORAGE_POOL, "rack", "twin"))
    bench.settle()
    assert Ref(STORAGE_POOL, "rack", "twin") not in bench.store.objects
    assert bench.model.saved() == before


def test_its_names_are_its_own_until_it_is_gone_and_then_the_next_takes_them_over() -> None:
    twin, ref = pool("twin", assign("data", 5)), Ref(STORAGE_POOL, "rack", "twin")
    twin["spec"]["backend"] = pool("root")["spec"]["backend"]
    bench = built(stopped(), released(pool("root")), twin)
    bench.store.annotate(ROOT, paused="true")
    bench.store.remove(ROOT)
    bench.settle()
    assert told(bench, ROOT)[0] == "Paused"
    assert told(bench, ref)[0] == "Conflict"
    bench.store.annotate(ROOT)
    bench.settle()
    assert ROOT not in bench.store.objects
    assert condition(bench.store.objects[ref], "Ready") == ("True", "InSync")
    assert len(bench.model.storage.volumes) == 5
    assert {vdisk.number for vdisk in attached(bench) if vdisk.server != "32/0"} == {5}


@pytest.mark.parametrize("part", ["identity", "servers", "pools", "volumes", "attachments", "network"])
def test_while_anything_is_unknown_nothing_is_let_go_of(part: str) -> None:
    bench = built(stopped(), released(pool("root")))
    for vdisk in [vdisk for vdisk in attached(bench) if vdisk.server != "32/0"]:
        bench.model.storage.unassign(vdisk)  # else it is known that there is something to do
    bench.store.remove(ROOT)
    decision = bench.report(replace(observed(bench.model), **{part: Unknown("cut off")}))
    assert decision.verdict.allowed == ()
    assert bench.store.objects[ROOT].leaving
    reason, message = told(bench, ROOT)
    assert reason == "Unknown"
    assert "cut off" in message
    bench.report()
    assert ROOT not in bench.store.objects


def test_one_that_cannot_be_read_says_so_and_how_to_let_it_go() -> None:
    bench = built(stopped(), released(pool("root")))
    bench.store.change(ROOT, lambda spec: spec.update(nonsense=1))
    bench.store.remove(ROOT)
    bench.settle()
    reason, message = told(bench, ROOT)
    assert reason == "InvalidSpec"
    assert "deletionPolicy: Retain" in message
    assert free(bench) == set()
    bench.store.change(ROOT, lambda spec: spec.update(deletionPolicy="Retain"))
    bench.report()
    assert ROOT not in bench.store.objects


def test_a_node_gives_back_its_volumes_and_nics_and_keeps_its_power() -> None:
    mine = released(
        node("1/0", "mine", powerState="Running", nicGroups=[{"name": "one", "indexes": [0], "untagged": 100}])
    )
    chassis = small_chassis(
        nodeSets=[], defaultNIC={"vlan": "Isolated"}, vlans=[{"id": 100}], policy={**ASKING, "destructive": "Allow"}
    )
    bench = built(chassis, pool("root"), mine)
    assert on(bench.model, "1/0")
    ref = Ref(COMPUTE_NODE, "rack", "mine")
    bench.store.remove(ref)
    bench.settle()
    assert ref not in bench.store.objects
    assert on(bench.model, "1/0") == {}
    ports = observed(bench.model).network.ports  # type: ignore[union-attr]
    assert {vlans.untagged for port, vlans in ports.items() if getattr(port, "server", "") == "1/0"} == {None}
    assert bench.model.servers.power.shown()["1/0"] is Power.ON
    assert len(bench.model.storage.volumes) == 5
    assert bench.decide().differences == ()


def test_a_card_has_its_old_node_until_that_is_gone_and_the_loser_of_a_card_lets_go_of_nothing() -> None:
    bench = built(small_chassis(nodeSets=[], policy=ASKING), pool("root"), released(node("1/0", "mine")))
    bench.store.put(released(node("1/0", "late", nicGroups=[{"name": "one", "indexes": [0], "vlan": "Isolated"}])))
    bench.settle()
    late, mine = Ref(COMPUTE_NODE, "rack", "late"), Ref(COMPUTE_NODE, "rack", "mine")
    before = bench.model.saved()
    bench.store.remove(late)
    bench.settle()
    assert late not in bench.store.objects
    assert bench.model.saved() == before
    bench.store.put(node("1/0", "late"))
    bench.store.remove(mine)
    while bench.round():
        pass
    bench.report()
    assert condition(bench.store.objects[late], "ChassisReady") == ("False", "Conflict")
    bench.settle()
    assert mine not in bench.store.objects
    assert list(on(bench.model, "1/0")) == [0], "the next node of the card has a volume of its own"


def test_what_a_node_remembers_is_given_to_nobody_before_it_is_gone() -> None:
    two = pool("root", assign("root", 0, 1), volumes={"prefix": "rootvol", "perPool": 2, "size": "EqualShare"})
    bench = built(small_chassis(nodeSets=[], policy=ASKING), two, released(node("1/0", "mine")))
    ref = Ref(COMPUTE_NODE, "rack", "mine")
    bench.store.annotate(ref, paused="true")
    bench.store.remove(ref)
    bench.report()
    bench.model.storage.unassign(VDisk("1/0", 0))
    bench.store.put(node("2/0", "next"))
    bench.settle()
    assert bench.store.objects[ref].leaving
    assert on(bench.model, "2/0") == {}
    bench.store.annotate(ref)
    bench.settle()
    assert ref not in bench.store.objects
    assert on(bench.model, "1/0") == {}
    assert list(on(bench.model, "2/0")) == [0, 1]


def test_a_node_on_a_protected_card_goes_when_there_is_nothing_to_do() -> None:
    bench = built(small_chassis(nodeSets=[], policy=ASKING), pool("root"), released(node("1/0", "mine")))
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(protectedServers=["1/0"]))
    ref, before = Ref(COMPUTE_NODE, "rack", "mine"), bench.model.saved()
    bench.store.remove(ref)
    bench.settle()
    assert told(bench, ref)[0] == "Protected"
    assert bench.model.saved() == before
    bench.model.storage.unassign(VDisk("1/0", 0))
    bench.settle()
    assert ref not in bench.store.objects


def test_a_pool_that_cannot_be_planned_keeps_a_node_from_going() -> None:
    bench = built(small_chassis(nodeSets=[], policy=ASKING), pool("root"), released(node("1/0", "mine")))
    ref = Ref(COMPUTE_NODE, "rack", "mine")
    bench.store.change(ROOT, lambda spec: spec.update(nonsense=1))
    bench.store.remove(ref)
    bench.settle()
    assert on(bench.model, "1/0")
    assert told(bench, ref)[0] == "Waiting"
    assert bench.store.objects[ref].status["blockedOn"]["name"] == "root"


def test_a_stamped_node_whose_set_is_gone_is_released_by_its_template() -> None:
    bench = built(stopped(template={"deletionPolicy": "Release"}), pool("root"))
    ref = bench.node("1/0").ref
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(nodeSets=[]))
    bench.decide()
    assert bench.store.objects[ref].leaving
    bench.settle()
    assert list(bench.store.list(COMPUTE_NODE)) == []
    assert free(bench) == {"0/0", "1/0", "2/0"}
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(nodeSets=stopped()["spec"]["nodeSets"]))
    bench.settle()
    assert free(bench) == set()


def test_a_card_that_moves_to_another_set_gets_its_own_volume_back() -> None:
    bench = built(stopped(template={"deletionPolicy": "Release"}), pool("root"))
    had = on(bench.model, "1/0")

    def move(spec: dict[str, Any]) -> None:
        other = {"name": "other", "members": [{"server": "1/0", "name": "other-1"}], "template": {}}
        spec["nodeSets"] = [other, *spec["nodeSets"]]

    bench.store.change(ROOT, lambda spec: spec["assign"][0]["nodeSelector"].update(_any_set()))
    bench.store.change(bench.chassis.ref, move)
    bench.settle()
    assert {item.ref.name for item in bench.store.list(COMPUTE_NODE)} == {"compute-0", "other-1", "compute-2"}
    assert on(bench.model, "1/0") == had


def _any_set() -> dict[str, Any]:
    return {"matchLabels": {}, "matchExpressions": [{"key": "rackwright.dev/node-set", "operator": "Exists"}]}


def test_a_chassis_goes_after_its_nodes_and_pools_and_says_for_whom_it_waits() -> None:
    bench = built(released(stopped(vlans=[{"id": 100}])), released(pool("root")))
    chassis = bench.chassis.ref
    network = observed(bench.model).network
    bench.store.remove(chassis)
    bench.settle()
    assert [item.ref for item in bench.store.list(COMPUTE_NODE)] == []
    assert free(bench) == set(), "the nodes were to be retained"
    status = bench.store.objects[chassis].status
    assert (status["blockedOn"]["kind"], status["blockedOn"]["name"]) == ("StoragePool", "root")
    assert told(bench, chassis)[0] == "InUse"
    assert not bench.store.objects[ROOT].deleting
    bench.store.remove(ROOT)
    bench.settle()
    assert bench.store.objects == {}
    assert free(bench) == {"0/0", "1/0", "2/0"}
    assert observed(bench.model).network == network, "VLANs and uplinks stay"
    assert not any(isinstance(action, Attach) for action in bench.applied)


def test_a_chassis_that_is_being_deleted_changes_nothing_of_its_own() -> None:
    bench = built(released(stopped(storageSlots=[])), pool("root"))
    slots = [{"slot": 2, "managementMode": "Volume"}]
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(vlans=[{"id": 300}], storageSlots=slots))
    bench.store.remove(bench.chassis.ref)
    bench.settle()
    assert bench.applied == []


def test_stamped_nodes_of_a_retained_chassis_are_let_go_of_with_it() -> None:
    bench = built(stopped(template={"deletionPolicy": "Release"}), pool("root"))
    chassis, before = bench.chassis, bench.model.saved()
    bench.store.remove(chassis.ref)
    assert {item.leaving for item in bench.store.list(COMPUTE_NODE)} == {True}
    bench.store.put(stopped(template={"deletionPolicy": "Release"}))
    bench.settle()
    assert {item.owner_uid for item in bench.store.list(COMPUTE_NODE)} == {bench.chassis.uid}
    assert bench.model.saved() == before
    assert bench.applied == []


def test_an_object_of_another_finalizer_is_left_to_that() -> None:
    bench = built(stopped(), released(pool("root")))
    known = bench.store.objects[ROOT]
    bench.store.objects[ROOT] = replace(known, finalizers=("somebody/else", RELEASE))
    bench.store.remove(ROOT)
    bench.settle()
    assert bench.store.objects[ROOT].finalizers == ("somebody/else",)
    assert free(bench) == {"0/0", "1/0", "2/0"}
    applied = len(bench.applied)
    bench.settle()
    assert len(bench.applied) == applied
