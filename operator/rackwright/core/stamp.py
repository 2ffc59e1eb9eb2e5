"""The ComputeNodes that a Chassis' node sets ask for. Pure: the caller makes, updates and deletes the objects.

A node that cannot be made is left out with a sentence that says why; the others are not held up by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from rackwright.api.chassis import ChassisSpec
from rackwright.api.nodeset import AddressRange, Member, NodeSet
from rackwright.api.validate import InvalidSpec, parse_spec
from rackwright.core.natural import natural
from rackwright.core.resource import API_VERSION, CHASSIS, CHASSIS_LABEL, COMPUTE_NODE, NODE_SET_LABEL, Ref

LABEL_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Stamped:
    """The manifests of the nodes, the sentences about those that could not be made, and the names of these.

    A node in `unmade` that exists already is to be left as it is: that it cannot be made now is no reason to delete it.
    """

    nodes: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    unmade: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A node that a set asks for. `problem` says why it cannot be made; `addresses` are what the set adds."""

    node_set: NodeSet
    server: str
    name: str
    addresses: Mapping[str, str]
    problem: str | None = None


def stamp(chassis: Ref, uid: str, spec: ChassisSpec, servers: Iterable[str]) -> Stamped:
    """The nodes of the chassis with this name and uid. `servers` are the ids of all that the chassis shows.

    Not to be called while the servers are unknown. Where two sets name a server, or two nodes a name, the first in the
    order of the spec has it. Specs have their defaults filled in: they compare equal to what an API server returns.
    """
    if len(chassis.name) > LABEL_LENGTH:
        problem = f"{chassis} has a name of more than {LABEL_LENGTH} characters, which cannot be a label; rename it."
        return Stamped((), (problem,), frozenset())
    nodes: list[dict[str, Any]] = []
    problems: list[str] = []
    unmade: set[str] = set()
    taken: set[str] = set()
    candidates = tuple(_candidates(spec, frozenset(servers)))
    for candidate in candidates:
        try:
            nodes.append(_node(chassis, uid, candidate, taken))
            taken.add(candidate.name)
        except InvalidSpec as error:
            problems += [f"spec.nodeSets[{candidate.node_set.name}]: {problem}" for problem in error.problems]
            unmade.add(candidate.name)
    problems += _idle_overrides(spec, {(candidate.node_set.name, candidate.server) for candidate in candidates})
    return Stamped(tuple(nodes), tuple(problems), frozenset(unmade - taken))


def merge_patch(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces. Neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _named(spec: ChassisSpec) -> set[str]:
    return {member.server for node_set in spec.node_sets for member in node_set.members}


def _candidates(spec: ChassisSpec, servers: frozenset[str]) -> Iterator[_Candidate]:
    """What the sets ask for, each server at most once without a problem; by set, then as listed or by card."""
    owner: dict[str, str] = {}
    for node_set in spec.node_sets:
        for member in node_set.members:
            problem = _misfit(spec, servers, member, owner.get(member.server))
            owner.setdefault(member.server, node_set.name)
            yield _Candidate(node_set, member.server, member.name, member.addresses, problem)
        if node_set.remaining is not None:
            rest = servers - _named(spec) - set(spec.protected_servers)
            yield from (_remaining(node_set, server) for server in sorted(rest, key=natural))


def _misfit(spec: ChassisSpec, servers: frozenset[str], member: Member, owner: str | None) -> str | None:
    server = member.server
    if server in spec.protected_servers:
        return f"server {server} is in protectedServers; take it out of one of the two."
    if server not in servers:
        return f"server {server} is not in the chassis; correct it or insert the card."
    if owner is not None:
        return f"server {server} is in spec.nodeSets[{owner}] as well; keep it in one of the two."
    return None


def _card(server: str) -> int | None:
    """The number of the card: 2 for `2/0`."""
    digits = server.partition("/")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _remaining(node_set: NodeSet, server: str) -> _Candidate:
    if node_set.remaining is None:
        raise ValueError(f"the set {node_set.name} has members, not remaining")
    card = _card(server)
    if card is None:
        name = f"{node_set.remaining.name_prefix}-{server}"
        return _Candidate(
            node_set, server, name, {}, f"server {server} has no card number; name it in members of a set."
        )
    name = f"{node_set.remaining.name_prefix}-{card}"
    addresses = {key: _address(item, card) for key, item in node_set.remaining.addresses.items()}
    for key, address in addresses.items():
        if address is None:
            network = node_set.remaining.addresses[key].network
            problem = f"card {card} has no address in {network} for {key}; take a larger network or name it in members."
            return _Candidate(node_set, server, name, {}, problem)
    return _Candidate(node_set, server, name, {key: item for key, item in addresses.items() if item is not None})


def _address(wanted: AddressRange, card: int) -> str | None:
    """The address of a card with its prefix length; None where it is outside, or the network's own or its broadcast."""
    network = ip_network(wanted.network)
    reserved = 0 if network.num_addresses <= 2 else 1
    if not reserved <= card < network.num_addresses - reserved:
        return None
    return f"{network[card]}/{network.prefixlen}"


def _node(chassis: Ref, uid: str, candidate: _Candidate, taken: set[str]) -> dict[str, Any]:
    """The manifest; InvalidSpec where it cannot be made."""
    if candidate.problem is not None:
        raise InvalidSpec([candidate.problem])
    if candidate.name in taken:
        raise InvalidSpec([f"server {candidate.server} would be a second {candidate.name}; give it another name."])
    try:
        spec = parse_spec(COMPUTE_NODE, _spec(chassis, candidate)).manifest()
    except InvalidSpec as error:
        raise InvalidSpec([f"{candidate.name} would not be valid: {problem}" for problem in error.problems]) from None
    labels = {NODE_SET_LABEL: candidate.node_set.name, CHASSIS_LABEL: chassis.name}
    owner = {"apiVersion": API_VERSION, "kind": CHASSIS, "name": chassis.name, "uid": uid, "controller": True}
    metadata = {
        "name": candidate.name,
        "namespace": chassis.namespace,
        "labels": labels,
        "ownerReferences": [owner],
    }
    return {"apiVersion": API_VERSION, "kind": COMPUTE_NODE, "metadata": metadata, "spec": spec}


def _spec(chassis: Ref, candidate: _Candidate) -> Mapping[str, Any]:
    """Template, then the addresses of the set, then the override of this server."""
    spec: Any = candidate.node_set.template.manifest()
    if candidate.addresses:
        spec = merge_patch(spec, {"network": {"addresses": candidate.addresses}})
    for override in candidate.node_set.overrides:
        if override.server == candidate.server:
            spec = merge_patch(spec, override.spec)
    return {**spec, "chassisRef": {"name": chassis.name}, "server": candidate.server}


def _idle_overrides(spec: ChassisSpec, known: set[tuple[str, str]]) -> list[str]:
    """Overrides of a `remaining` set for servers that it does not have (those of members are refused with the spec)."""
    return [
        f"spec.nodeSets[{node_set.name}]: the override for {override.server} applies to no node; correct the server."
        for node_set in spec.node_sets
        for override in node_set.overrides
        if (node_set.name, override.server) not in known
    ]
