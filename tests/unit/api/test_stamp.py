"""Stamping ComputeNodes: who gets one, with which spec, and what is said about the rest."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.api.chassis import ChassisSpec
from rackwright.api.validate import parse, parse_spec
from rackwright.core.resource import CHASSIS, Ref
from rackwright.core.stamp import Stamped, merge_patch, stamp
from tests.unit.api.cases import EXAMPLES, documents, manifests

REF = Ref(CHASSIS, "rack", "sm15k-01")
UID = "5e3c1f0a-7d1e-4a52-9a2e-0a4d1f6f2c11"
CARDS = [f"{card}/0" for card in range(64)]


def golden() -> ChassisSpec:
    """The spec of the golden rack's chassis."""
    return parse("Chassis", manifests()["Chassis/sm15k-01"]).spec


def sets(*node_sets: dict[str, Any], protected: tuple[str, ...] = ()) -> ChassisSpec:
    """A small chassis with these node sets."""
    hardware = {"type": "External", "external": {"driver": "Simulator"}}
    spec = {"hardware": hardware, "credentialsRef": {"name": "x"}, "nodeSets": list(node_sets)}
    return parse_spec("Chassis", spec | {"protectedServers": list(protected)})


def members(name: str, *servers: str, **more: Any) -> dict[str, Any]:
    """A node set of these servers, named by set and server."""
    listed = [{"server": server, "name": f"{name}-{server.replace('/', '-')}"} for server in servers]
    return {"name": name, "members": listed, "template": {}} | more


def run(spec: ChassisSpec, *servers: str) -> Stamped:
    return stamp(REF, UID, spec, servers)


def by_name(found: Stamped) -> dict[str, dict[str, Any]]:
    return {node["metadata"]["name"]: node for node in found.nodes}


def test_the_golden_rack() -> None:
    found = run(golden(), *CARDS)
    assert found.problems == ()
    assert found.unmade == frozenset()
    assert len(found.nodes) == 63
    assert "32/0" not in {node["spec"]["server"] for node in found.nodes}
    nodes = by_name(found)
    assert nodes["compute-2"]["spec"]["server"] == "2/0"
    assert nodes["compute-2"]["spec"]["network"]["addresses"] == {"management": "10.10.1.2/24"}
    assert sum(node["metadata"]["labels"]["rackwright.dev/node-set"] == "compute" for node in found.nodes) == 57


def test_the_example_of_a_stamped_node_is_what_is_stamped() -> None:
    [example] = documents(EXAMPLES / "stamped-compute-node.yaml")
    node = by_name(run(golden(), *CARDS))["storage-0"]
    assert node["metadata"] == example["metadata"]
    assert node["spec"] == parse_spec("ComputeNode", example["spec"]).manifest()


def test_stamped_specs_have_their_defaults_filled_in() -> None:
    for node in run(golden(), *CARDS).nodes:
        assert parse("ComputeNode", node).spec.manifest() == node["spec"]
        assert json.loads(json.dumps(node)) == node


def test_an_override_merges_and_removes() -> None:
    override = {"server": "0/0", "spec": {"powerState": "Stopped", "network": {"mtu": None}}}
    template = {"powerState": "Running", "network": {"mtu": 9000, "management": "eth0"}}
    spec = sets(members("a", "0/0", "1/0", template=template, overrides=[override]))
    first, second = run(spec, "0/0", "1/0").nodes
    assert first["spec"]["powerState"] == "Stopped"
    assert first["spec"]["network"] == {"management": "eth0"}
    assert second["spec"]["network"] == {"mtu": 9000, "management": "eth0"}


def remaining(network: str) -> dict[str, Any]:
    """A node set of all other servers, with addresses on eth1."""
    return {"name": "a", "remaining": {"namePrefix": "n", "addresses": {"eth1": {"network": network}}}, "template": {}}


@pytest.mark.parametrize(
    ("node_set", "protected", "problem", "unmade"),
    [
        (members("a", "9/0"), (), "server 9/0 is not in the chassis; correct it or insert the card.", "a-9-0"),
        (
            members("a", "0/0"),
            ("0/0",),
            "server 0/0 is in protectedServers; take it out of one of the two.",
            "a-0-0",
        ),
        (
            remaining("10.0.0.0/30"),
            (),
            "card 3 has no address in 10.0.0.0/30 for eth1; take a larger network or name it in members.",
            "n-3",
        ),
        (
            remaining("10.0.0.0/24"),
            (),
            "card 0 has no address in 10.0.0.0/24 for eth1; take a larger network or name it in members.",
            "n-0",
        ),
        (
            members("a", "0/0", overrides=[{"server": "0/0", "spec": {"powerState": "On"}}]),
            (),
            "a-0-0 would not be valid: spec.powerState: \"On\" is not known; use 'Running', 'Stopped' or 'Unmanaged'.",
            "a-0-0",
        ),
    ],
    ids=["not-there", "protected", "outside-the-network", "the-network-itself", "invalid"],
)
def test_what_cannot_be_made_is_said(
    node_set: dict[str, Any], protected: tuple[str, ...], problem: str, unmade: str
) -> None:
    found = run(sets(node_set, protected=protected), "0/0", "3/0")
    assert f"spec.nodeSets[a]: {problem}" in found.problems
    assert unmade in found.unmade
    assert unmade not in by_name(found)


def test_a_problem_holds_up_nobody_else() -> None:
    found = run(sets(members("a", "0/0", "9/0", "1/0")), "0/0", "1/0")
    assert set(by_name(found)) == {"a-0-0", "a-1-0"}
    assert found.unmade == {"a-9-0"}


def test_a_server_in_two_sets_goes_to_the_first() -> None:
    found = run(sets(members("a", "0/0"), members("b", "0/0")), "0/0")
    assert set(by_name(found)) == {"a-0-0"}
    assert found.problems == (
        "spec.nodeSets[b]: server 0/0 is in spec.nodeSets[a] as well; keep it in one of the two.",
    )


def test_a_name_goes_to_the_first_that_can_have_it() -> None:
    rest = {"name": "rest", "remaining": {"namePrefix": "n"}, "template": {}}
    named = {"name": "a", "members": [{"server": "0/0", "name": "n-1"}], "template": {}}
    found = run(sets(named, rest), "0/0", "1/0", "2/0")
    assert {name: node["spec"]["server"] for name, node in by_name(found).items()} == {"n-1": "0/0", "n-2": "2/0"}
    assert found.problems == ("spec.nodeSets[rest]: server 1/0 would be a second n-1; give it another name.",)
    assert found.unmade == frozenset()


def test_remaining_leaves_out_servers_that_another_set_names_even_in_vain() -> None:
    rest = {"name": "rest", "remaining": {"namePrefix": "n"}, "template": {}}
    found = run(sets(rest, members("a", "0/0", template={"network": {"addresses": {}}})), "0/0", "1/0")
    assert set(by_name(found)) == {"a-0-0", "n-1"}


def test_a_server_without_a_card_number_needs_a_member() -> None:
    found = run(sets({"name": "a", "remaining": {"namePrefix": "n"}, "template": {}}), "Blade1")
    assert found.nodes == ()
    assert found.problems == ("spec.nodeSets[a]: server Blade1 has no card number; name it in members of a set.",)


def test_an_override_for_a_server_of_another_set_is_said() -> None:
    overrides = [{"server": "0/0", "spec": {"powerState": "Stopped"}}]
    rest = {"name": "rest", "remaining": {"namePrefix": "n"}, "template": {}, "overrides": overrides}
    found = run(sets(members("a", "0/0"), rest), "0/0", "1/0")
    assert found.problems == ("spec.nodeSets[rest]: the override for 0/0 applies to no node; correct the server.",)


def test_a_chassis_whose_name_cannot_be_a_label_stamps_nothing() -> None:
    found = stamp(Ref(CHASSIS, "rack", "c" * 64), UID, golden(), CARDS)
    assert found.nodes == ()
    assert "63 characters" in found.problems[0]


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_by_the_examples_of_the_standard(target: Any, patch: Any, expected: Any) -> None:
    before = json.dumps(target)
    assert merge_patch(target, patch) == expected
    assert json.dumps(target) == before


SERVERS = st.sampled_from([f"{card}/{cpu}" for card in range(5) for cpu in range(2)])


@st.composite
def chassis(draw: st.DrawFn) -> ChassisSpec:
    """Small chassis whose sets overlap, repeat names and name what is protected or not there."""
    node_sets: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 3))):
        servers = draw(st.lists(SERVERS, min_size=1, max_size=4, unique=True))
        names = draw(st.lists(st.integers(0, 5), min_size=len(servers), max_size=len(servers), unique=True))
        listed = [{"server": server, "name": f"n-{name}"} for server, name in zip(servers, names, strict=True)]
        node_sets.append({"name": f"s{number}", "members": listed, "template": {}})
    if draw(st.booleans()):
        network = draw(st.sampled_from(["10.0.0.0/24", "10.0.0.0/30", "10.0.0.0/31", "2001:db8::/64"]))
        addresses = {"eth1": {"network": network}}
        rest = {"name": "rest", "remaining": {"namePrefix": "n", "addresses": addresses}, "template": {}}
        node_sets.insert(draw(st.integers(0, len(node_sets))), rest)
    protected = tuple(draw(st.lists(SERVERS, max_size=3, unique=True)))
    return sets(*node_sets, protected=protected)


@settings(max_examples=300, deadline=None)
@given(chassis(), st.lists(SERVERS, max_size=10, unique=True))
def test_each_server_and_name_at_most_once_and_what_is_protected_never(spec: ChassisSpec, present: list[str]) -> None:
    found = run(spec, *present)
    servers = [node["spec"]["server"] for node in found.nodes]
    names = [node["metadata"]["name"] for node in found.nodes]
    assert len(set(servers)) == len(servers)
    assert len(set(names)) == len(names)
    assert not set(servers) & set(spec.protected_servers)
    assert set(servers) <= set(present)
    assert not found.unmade & set(names)
    assert run(spec, *reversed(present)) == found
    if not found.problems:
        wanted = {member.server for node_set in spec.node_sets for member in node_set.members}
        if any(node_set.remaining for node_set in spec.node_sets):
            wanted |= set(present) - set(spec.protected_servers)
        assert set(servers) == wanted
