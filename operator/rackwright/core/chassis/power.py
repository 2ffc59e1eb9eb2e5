"""Which servers should run, and which parts must be right before one is switched on."""

from dataclasses import replace

from rackwright.core.chassis.doubt import doubts
from rackwright.core.chassis.rack import Rack
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.step import Part, PartKind
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.unknown import Unknown


def lay_out_power(wanted: Wanted, rack: Rack, observed: ChassisState) -> None:
    """Add the power of every node that declares one."""
    servers = observed.servers
    if isinstance(servers, Unknown):
        for node in rack.nodes:
            wanted.problem(node.ref, "Unknown", f"The servers of the chassis cannot be told: {servers.reason}.")
        return
    unsure = doubts(observed, "identity")
    if unsure:
        wanted.unsure.update(node.server for node in rack.nodes)
    for node in rack.nodes:
        found = servers.get(node.server)
        if found is None:
            wanted.problem(
                node.ref,
                "UnknownServer",
                f"spec.server is {node.server}, which the chassis does not list. Look whether the card is seated, or "
                "name one that it has.",
            )
        elif isinstance(found.power, Unknown):
            wanted.problem(node.ref, "Unknown", f"The power of {node.server} cannot be told: {found.power.reason}.")
        elif node.spec.power_state != "Unmanaged":
            power = Power.ON if node.spec.power_state == "Running" else Power.OFF
            if unsure and power is Power.ON and found.power is Power.OFF:
                wanted.problem(node.ref, "Unknown", f"{node.server} stays off for now, as {unsure[0]}.")
            wanted.servers[node.server] = replace(found, power=power)
            wanted.own(Part(PartKind.POWER, node.server), node.ref)
