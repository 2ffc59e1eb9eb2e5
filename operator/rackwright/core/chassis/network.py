"""Which VLANs exist and which ports are in them, by Chassis and ComputeNodes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rackwright.api.ports import PortVlans as DeclaredVlans
from rackwright.core.chassis.rack import NodeObject, Rack
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.resource import Ref
from rackwright.core.step import Part, PartKind
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.network import Network, Nic, Port, PortVlans, Uplink
from rackwright_drivers.contract.unknown import Unknown


def lay_out_network(wanted: Wanted, rack: Rack, observed: ChassisState) -> None:
    """Add VLANs, uplinks and the NICs of every node."""
    network = observed.network
    if isinstance(network, Unknown):
        for ref in (rack.ref, *(node.ref for node in rack.nodes)):
            wanted.problem(ref, "Unknown", f"The VLANs of the chassis cannot be told: {network.reason}.")
        return
    if not rack.chassis.resource.deleting:
        for vlan in rack.chassis.spec.vlans:
            wanted.vlans.add(vlan.id)
            wanted.own(Part(PartKind.VLAN, vlan.id), rack.ref)
        _uplinks(wanted, rack, network)
    nics: dict[str, list[int]] = defaultdict(list)
    for port in network.ports:
        if isinstance(port, Nic):
            nics[port.server].append(port.index)
    for node in rack.nodes:
        if nics[node.server] or not _is_absent(node.server, observed):  # an absent card is told of with its power
            _node(wanted, rack, node, network, sorted(nics[node.server]))
    for node in rack.leaving_nodes:
        vlans = _default(rack, network)
        if vlans is None:
            continue  # nobody manages NICs that no node lists
        for index in sorted(nics[node.server]):
            _port(wanted, Nic(node.server, index), vlans, node.ref, network, "spec.defaultNIC")


def _is_absent(server: str, observed: ChassisState) -> bool:
    return not isinstance(observed.servers, Unknown) and server not in observed.servers


def _uplinks(wanted: Wanted, rack: Rack, network: Network) -> None:
    for item in rack.chassis.spec.uplinks:  # one that is not shown may be there all the same: see Network
        _port(wanted, Uplink(item.port), _declared(item, network), rack.ref, network, "spec.uplinks")


def _node(wanted: Wanted, rack: Rack, node: NodeObject, network: Network, there: Sequence[int]) -> None:
    grouped = {index: group for group in node.spec.nic_groups for index in group.indexes}
    for index in sorted(set(grouped) - set(there)):
        wanted.problem(
            node.ref,
            "UnknownNIC",
            f"spec.nicGroups names NIC {index} of {node.server}, which has only NICs {_span(there)}. Name one of those.",
        )
    for index in there:
        group = grouped.get(index)
        vlans = _declared(group, network) if group is not None else _default(rack, network)
        if vlans is not None:
            _port(wanted, Nic(node.server, index), vlans, node.ref, network, "spec.nicGroups")


def _span(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "none"


def _declared(item: DeclaredVlans, network: Network) -> PortVlans:
    """A port's VLANs as the API says them."""
    tagged = frozenset(item.tagged)
    if item.untagged is not None:
        return PortVlans(item.untagged, tagged)
    return PortVlans(None if item.vlan == "Isolated" else network.default_vlan, tagged)


def _default(rack: Rack, network: Network) -> PortVlans | None:
    """What a NIC that nobody lists should be in; None where nobody manages it."""
    match rack.chassis.spec.default_nic.vlan:
        case "Default":
            return PortVlans(network.default_vlan)
        case "Isolated":
            return PortVlans(None)
        case _:
            return None


def _port(wanted: Wanted, port: Port, vlans: PortVlans, owner: Ref, network: Network, field: str) -> None:
    named = vlans.tagged | ({vlans.untagged} if vlans.untagged is not None else set())
    unknown = sorted(named - wanted.vlans - network.vlans - {network.default_vlan})
    if unknown:
        wanted.problem(
            owner,
            "UnknownVLAN",
            f"{field} puts {port} in VLAN {_span(unknown)}, which the Chassis does not declare. Add it to spec.vlans "
            "there, or correct its number.",
        )
        return
    wanted.ports[port] = vlans
    wanted.own(Part(PartKind.PORT, port), owner)
