"""Nodes as the chassis stamps them: made, kept in step, and deleted as objects only."""

from dataclasses import replace
from typing import Any

from rackwright.core.resource import COMPUTE_NODE, Ref
from rackwright_drivers.contract.storage import VDisk
from rackwright_drivers.contract.unknown import Unknown
from tests.unit.core.kit import Bench, condition, manifest, observed, on, pool, small_chassis

RUNNING = {"powerState": "Running"}


def members(*pairs: tuple[str, str], **template: Any) -> list[dict[str, Any]]:
    made = [{"server": server, "name": name} for server, name in pairs]
    return [{"name": "compute", "members": made, "template": {**RUNNING, **template}}]


def nodes(bench: Bench) -> dict[str, str]:
    return {item.ref.name: item.spec["server"] for item in bench.store.list(COMPUTE_NODE)}


def message(bench: Bench) -> str:
    return str(next(c["message"] for c in bench.chassis.status["conditions"] if c["type"] == "Ready"))


def test_every_card_but_the_protected_ones_gets_a_node_that_is_its_chassis() -> None:
    bench = Bench.of("small", [small_chassis()])
    bench.decide()
    assert nodes(bench) == {"compute-0": "0/0", "compute-1": "1/0", "compute-2": "2/0"}
    node = bench.node("0/0")
    assert node.owner_uid == bench.chassis.uid
    assert node.labels == {"rackwright.dev/node-set": "compute", "rackwright.dev/chassis": "sm15k-01"}
    writes = bench.store.writes
    bench.decide()
    assert bench.store.writes == writes, "the same again writes nothing"


def test_a_card_that_is_pulled_keeps_its_node_and_what_it_remembers() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    remembered = bench.node("1/0").status["assignments"]
    state = observed(bench.model)
    assert not isinstance(state.servers, Unknown)
    without = replace(state, servers={key: value for key, value in state.servers.items() if key == "32/0"})
    decision = bench.report(without)
    assert set(nodes(bench)) == {"compute-0", "compute-1", "compute-2"}, "mass absence is a fault of the enclosure"
    assert bench.node("1/0").status["assignments"] == remembered
    assert condition(bench.node("1/0"), "ChassisReady") == ("False", "UnknownServer")
    assert decision.verdict.allowed == ()
    bench.settle()
    assert condition(bench.node("1/0"), "ChassisReady") == ("True", "InSync")


def test_servers_that_cannot_be_told_change_no_object() -> None:
    bench = Bench.of("small", [small_chassis()])
    bench.decide()
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(nodeSets=[]))
    bench.look(replace(observed(bench.model), servers=Unknown("cut off")))
    assert len(nodes(bench)) == 3
    bench.decide()
    assert nodes(bench) == {}


def test_a_node_that_is_asked_for_no_more_goes_as_an_object_and_its_server_stays_as_it_is() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    before = on(bench.model, "1/0"), bench.model.servers.power["1/0"]
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(nodeSets=members(("0/0", "zero"))))
    bench.settle()
    assert nodes(bench) == {"zero": "0/0"}
    assert (on(bench.model, "1/0"), bench.model.servers.power["1/0"]) == before
    assert "1/0 vdisk 0 has" in str(bench.chassis.status["undeclared"]["items"])


def test_a_changed_template_reaches_the_nodes_and_a_hand_made_change_does_not_last() -> None:
    bench = Bench.of("small", [small_chassis()])
    bench.decide()
    node = bench.node("0/0")
    bench.store.change(node.ref, lambda spec: spec.update(powerState="Stopped"))
    bench.store.objects[node.ref] = replace(bench.store.objects[node.ref], labels={})
    bench.decide()
    assert bench.node("0/0").spec["powerState"] == "Running"
    assert bench.node("0/0").labels["rackwright.dev/node-set"] == "compute"
    bench.store.change(bench.chassis.ref, lambda spec: spec["nodeSets"][0]["template"].update(powerState="Stopped"))
    bench.decide()
    assert bench.node("0/0").spec["powerState"] == "Stopped"
    assert bench.node("0/0").uid == node.uid


def test_a_node_that_moves_to_another_card_is_another_node() -> None:
    """The server of a node cannot change: what it remembers is the old card's."""
    bench = Bench.of("small", [small_chassis(nodeSets=members(("0/0", "left"), ("1/0", "right"))), pool("root")])
    bench.settle()
    uids = {bench.node(server).ref.name: bench.node(server).uid for server in ("0/0", "1/0")}
    had = {server: on(bench.model, server) for server in ("0/0", "1/0")}
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(nodeSets=members(("1/0", "left"), ("0/0", "right"))))
    bench.settle()
    assert nodes(bench) == {"left": "1/0", "right": "0/0"}
    assert bench.node("1/0").uid not in uids.values()
    assert {server: on(bench.model, server) for server in had} == had, "data belongs to its server"
    assert condition(bench.node("0/0"), "ChassisReady") == ("True", "InSync")


def test_what_somebody_else_made_under_that_name_is_left_alone_and_told() -> None:
    spec = {"chassisRef": {"name": "sm15k-01"}, "server": "1/0", "powerState": "Unmanaged"}
    own = manifest(COMPUTE_NODE, "compute-0", spec)
    bench = Bench.of("small", [small_chassis(), own])
    bench.settle()
    assert nodes(bench)["compute-0"] == "1/0"
    assert bench.store.objects[Ref(COMPUTE_NODE, "rack", "compute-0")].spec == spec
    assert condition(bench.chassis, "Ready") == ("False", "Conflict")
    assert "would stamp ComputeNode/compute-0, which exists" in message(bench)


def test_two_nodes_of_one_card_the_older_has_it() -> None:
    own = manifest(COMPUTE_NODE, "mine", {"chassisRef": {"name": "sm15k-01"}, "server": "0/0", "powerState": "Stopped"})
    bench = Bench.of("small", [small_chassis(), own])
    bench.settle()
    assert condition(bench.resource(COMPUTE_NODE, "mine"), "ChassisReady") == ("True", "InSync")
    assert condition(bench.resource(COMPUTE_NODE, "compute-0"), "ChassisReady") == ("False", "Conflict")


def test_a_pool_without_nodes_is_built_and_attached_to_nobody() -> None:
    bench = Bench.of("small", [small_chassis(nodeSets=[]), pool("root")])
    bench.settle()
    assert VDisk("0/0", 0) not in bench.model.storage.attachments
    assert condition(bench.resource("StoragePool", "root"), "Ready") == ("True", "InSync")
