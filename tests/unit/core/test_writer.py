"""Statuses of a whole rack: who is told what, when consent ends, and what is said of what cannot be looked after."""

from dataclasses import replace
from typing import Any

import pytest

from rackwright.api.status import CONSENT_STEPS
from rackwright.core.chassis.writer import HOST_NOT_YET
from rackwright.core.loop import Pass
from rackwright.core.resource import COMPUTE_NODE, NODE_SET_LABEL, STORAGE_POOL
from rackwright.core.step import Problem
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.errors import CredentialsRefusedError, PermanentError, TransientError, UnsafeError
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import VDisk
from rackwright_drivers.contract.unknown import Unknown
from tests.unit.core.kit import Bench, assign, condition, finish, golden, manifest, observed, on, pool, small_chassis

ASK = {"mode": "Enforce", "destructive": "RequireApproval"}


def rack(**changes: Any) -> Bench:
    return Bench.of("small", [small_chassis(**{"policy": ASK, **changes}), pool("root")])


def told(bench: Bench, kind: str, name: str, what: str = "Ready") -> tuple[str, str]:
    return condition(bench.resource(kind, name), what)


@pytest.mark.parametrize(
    ("error", "reachable"),
    [
        (None, ("True", "Answered")),
        (TransientError("no route"), ("False", "DeviceUnavailable")),
        (CredentialsRefusedError("admin"), ("False", "CredentialsRefused")),
        (PermanentError("spec.hardware"), ("Unknown", "DeviceError")),
    ],
)
def test_reachable_says_whether_it_answered(error: Any, reachable: tuple[str, str]) -> None:
    bench = rack()
    state, inputs, decision = bench.look()
    seen = Pass(state, decision) if error is None else Pass[ChassisState](error=error)
    finish(bench.writer.report(inputs, seen, {}))
    assert condition(bench.chassis, "Reachable") == reachable


def test_an_object_that_cannot_be_planned_says_nothing_of_what_nobody_looked_at() -> None:
    bench = rack()
    bench.settle()
    finish(bench.writer.refuse(bench.chassis, Problem(bench.chassis.ref, "InvalidSpec", "spec.vlans: no.")))
    assert condition(bench.chassis, "Reachable") == ("Unknown", "NotAsked")
    assert condition(bench.chassis, "Drifted") == ("Unknown", "NotObserved")
    assert "summary" not in bench.chassis.status
    assert bench.chassis.status["identity"]["serial"] == "SM15K00042", "what was once known of it stands"


def test_what_an_object_waited_for_is_forgotten_when_it_is_refused_for_another_reason() -> None:
    bench = rack()
    ref = bench.resource(STORAGE_POOL, "root").ref
    finish(bench.writer.refuse(bench.store.objects[ref], Problem(ref, "ReferenceNotFound", "none.", bench.chassis.ref)))
    assert bench.store.objects[ref].status["blockedOn"]["name"] == "sm15k-01"
    finish(bench.writer.refuse(bench.store.objects[ref], Problem(ref, "InvalidSpec", "wrong.")))
    assert "blockedOn" not in bench.store.objects[ref].status


def test_events_are_told_when_the_reason_changes_and_only_then() -> None:
    bench = rack()
    bench.settle()
    bench.report()
    pool_events = [reason for ref, reason, _ in bench.store.events if ref.kind == STORAGE_POOL]
    assert pool_events == ["Waiting", "AwaitingApproval", "Applying", "ConsentUsed", "InSync"]


def test_a_node_is_ready_as_far_as_the_chassis_goes_and_says_what_is_not_known() -> None:
    bench = rack()
    bench.settle()
    node = bench.node("0/0")
    assert condition(node, "ChassisReady") == ("True", "InSync")
    assert condition(node, "HostReady") == ("Unknown", "NotReconciled")
    assert condition(node, "Ready") == ("Unknown", "HostNotReconciled")
    message = next(item["message"] for item in node.status["conditions"] if item["type"] == "Ready")
    assert message == HOST_NOT_YET


def asked() -> Bench:
    """It waits for consent to a clear-metadata of two disks."""
    bench = Bench.of("small", [small_chassis(), {**pool("root", disks={"names": ["JBOD2/6", "JBOD2/8"]})}])
    bench.store.change(bench.resource(STORAGE_POOL, "root").ref, lambda spec: spec.update(policy=ASK))
    while bench.round():
        pass
    assert [item.step.name for item in bench.decide().verdict.held] == ["ClearMetadata", "ClearMetadata"]
    return bench


def test_consent_is_used_once_recorded_by_step_and_ends_with_what_it_was_for() -> None:
    bench = asked()
    ref = bench.resource(STORAGE_POOL, "root").ref
    bench.approve(bench.decide())
    bench.round(stop_after=1)
    status = bench.store.objects[ref].status
    assert (status["consentsUsed"], len(status["consent"]["steps"]), len(status["approvalsUsed"])) == (1, 2, 1)
    bench.restart()
    decision = bench.report()
    assert "ClearMetadata" in {step.name for step in decision.verdict.allowed}, "after a crash no second consent"
    assert len(bench.store.objects[ref].status["consent"]["steps"]) == 1, "what is done needs none any more"
    bench.settle()
    assert "consent" not in bench.store.objects[ref].status
    assert bench.store.objects[ref].status["consentsUsed"] == 1


def test_used_consent_is_not_used_again_when_the_same_comes_back() -> None:
    bench = asked()
    ref = bench.resource(STORAGE_POOL, "root").ref
    bench.approve(bench.decide())
    bench.settle()
    before = dict(bench.store.objects[ref].spec)
    start = Bench.of("small", []).model
    bench.model, old = start, bench.model
    assert old is not start
    decision = bench.decide()
    while bench.round():
        decision = bench.decide()
    assert bench.store.objects[ref].spec == before
    assert [item.step.name for item in decision.verdict.held] == ["ClearMetadata", "ClearMetadata"]


def test_consent_is_not_stretched_to_what_was_held_for_another_reason() -> None:
    """The other owner of one step is paused: it was not among what was approved, and is not let through later."""
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    for server in ("0/0", "1/0"):
        bench.model.storage.unassign(VDisk(server, 0))
    mine = {server: bench.node(server).status["assignments"][0]["volume"] for server in ("0/0", "1/0")}
    volumes = {str(volume): volume for volume in bench.model.storage.volumes}
    bench.model.storage.assign(VDisk("0/0", 0), volumes[mine["1/0"]])
    bench.model.storage.assign(VDisk("1/0", 0), volumes[mine["0/0"]])
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(policy=ASK))
    bench.store.annotate(bench.node("1/0").ref, paused="true")
    assert bench.approve(bench.decide())
    while bench.round():
        pass
    given = {
        ref.name: len((item.status.get("consent") or {}).get("steps", ())) for ref, item in bench.store.objects.items()
    }
    assert given["compute-1"] == 0
    bench.store.annotate(bench.node("1/0").ref, paused="false")
    decision = bench.decide()
    held = {item.step.target for item in decision.verdict.held}
    assert held == {"1/0 vdisk 0"}, "it asks for itself now"


def test_consent_stays_while_the_device_cannot_be_read() -> None:
    bench = asked()
    ref = bench.resource(STORAGE_POOL, "root").ref
    bench.approve(bench.decide())
    bench.round(stop_after=1)
    bench.report(replace(observed(bench.model), pools=Unknown("cut off")))
    assert bench.store.objects[ref].status["consent"]["steps"]
    bench.settle()
    assert condition(bench.store.objects[ref], "Ready") == ("True", "InSync")


def test_consent_is_recorded_or_nothing_is_done() -> None:
    bench = asked()
    ref = bench.resource(STORAGE_POOL, "root").ref
    bench.approve(bench.decide())
    state, inputs, decision = bench.look()
    del bench.store.objects[ref]
    with pytest.raises(UnsafeError, match="vanished before its consent was recorded"):
        finish(bench.writer.use_consent(inputs, state, decision))


def test_one_consent_is_to_no_more_actions_than_a_status_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rackwright.core.guard.CONSENT_STEPS", 2)
    disks = {"selector": {"slots": [2]}, "count": 5}
    bench = Bench.of("small", [small_chassis(), pool("root", disks=disks)])
    bench.store.change(bench.resource(STORAGE_POOL, "root").ref, lambda spec: spec.update(policy=ASK))
    bench.settle()
    status = bench.resource(STORAGE_POOL, "root").status
    assert condition(bench.resource(STORAGE_POOL, "root"), "Ready") == ("True", "InSync")
    assert status["consentsUsed"] == 3, "five disks, two at a time"
    assert CONSENT_STEPS == 1024


def test_own_nodes_consent_for_themselves_and_stamped_ones_by_their_chassis() -> None:
    bench = rack()
    bench.settle()
    other = bench.model.storage.attachments[VDisk("1/0", 0)]
    bench.model.storage.unassign(VDisk("0/0", 0))
    bench.model.storage.assign(VDisk("0/0", 0), other)
    decision = bench.decide()
    owner = bench.node("0/0").ref
    assert set(decision.verdict.digests) == {owner}
    message = next(item.message for item in decision.verdict.held)
    assert "of Chassis/sm15k-01" in message or "Chassis" in message
    bench.store.change(
        bench.chassis.ref, lambda spec: spec.update(approvals=[{"plan": decision.verdict.digests[owner]}])
    )
    assert set(bench.decide().verdict.granted) == {owner}


def test_a_pool_of_another_backend_is_left_to_others() -> None:
    bench = Bench.of("small", [small_chassis(), *golden("array")])
    bench.settle()
    assert bench.resource(STORAGE_POOL, "array").status == {}


def test_a_node_of_a_card_that_another_has_says_with_whom() -> None:
    spec = {"chassisRef": {"name": "sm15k-01"}, "server": "0/0"}
    made = {"metadata": {"name": "a-rival", "namespace": "rack"}, "kind": COMPUTE_NODE, "spec": spec}
    bench = rack()
    bench.settle()
    bench.store.put(made)
    bench.settle()
    assert told(bench, COMPUTE_NODE, "a-rival") == ("False", "Conflict"), "younger, though first by name"
    assert bench.resource(COMPUTE_NODE, "a-rival").status["blockedOn"]["name"] == "compute-0"
    assert condition(bench.node("1/0"), "ChassisReady") == ("True", "InSync")
    protected = {**made, "metadata": {"name": "forbidden", "namespace": "rack"}, "spec": {**spec, "server": "32/0"}}
    bench.store.put(protected)
    bench.model.servers.set_power(["32/0"], Power.ON)
    bench.settle()
    assert told(bench, COMPUTE_NODE, "forbidden") == ("False", "Protected")


def test_slots_that_cannot_be_told_are_told_by_the_chassis() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root", assign("root", 0))])
    bench.report(replace(observed(bench.model), slots=Unknown("cut off")))
    assert condition(bench.chassis, "Ready") == ("Unknown", "Unknown")
    assert told(bench, STORAGE_POOL, "root") == ("Unknown", "Unknown")


def test_a_node_that_a_person_made_takes_consent_from_its_own_spec() -> None:
    """What its Chassis stamped takes it from the Chassis: nobody edits such a node."""
    own = manifest(COMPUTE_NODE, "own", {"chassisRef": {"name": "sm15k-01"}, "server": "2/0", "powerState": "Running"})
    own["metadata"]["labels"] = {NODE_SET_LABEL: "compute"}
    members = [{"server": "0/0", "name": "compute-0"}]
    sets = [{"name": "compute", "members": members, "template": {"powerState": "Running"}}]
    paths = {"existingPool": "7/RAIDPOOL", "volumes": {"prefix": "data", "count": 4, "size": "10Gi"}}
    data = pool("data", assign("data", 1, 2), **paths)
    bench = Bench.of("small", [small_chassis(policy=ASK, nodeSets=sets), own, data])
    bench.settle()
    bench.store.put(pool("data", assign("data", 1, 2, attach="AllPaths"), **paths))
    decision = bench.decide()
    assert {str(ref) for ref in decision.verdict.digests} == {"ComputeNode/own", "ComputeNode/compute-0"}
    asked = {str(item.step.owners[0]): item.message for item in decision.verdict.held}
    assert "to spec.approvals of ComputeNode/own." in asked["ComputeNode/own"]
    assert "to spec.approvals of Chassis/sm15k-01." in asked["ComputeNode/compute-0"]
    bench.settle()
    assert on(bench.model, "2/0")[1] == on(bench.model, "2/0")[2]
    assert bench.resource(COMPUTE_NODE, "own").status["consentsUsed"] == 1
