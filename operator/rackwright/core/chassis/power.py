"""Which servers should run, and which parts must be right before one is switched on."""

from collections.abc import Sequence
from dataclasses import replace

from rackwright.core.chassis.difference import shown
from rackwright.core.chassis.doubt import doubts
from rackwright.core.chassis.rack import NodeObject, Rack
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
    unsure = (*doubts(observed, "identity"), *(f"{pool} cannot be planned" for pool in rack.doubtful))
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
            if power is Power.ON and found.power is Power.OFF:
                _hold_off(wanted, node, observed, unsure)
            wanted.servers[node.server] = replace(found, power=power)
            wanted.own(Part(PartKind.POWER, node.server), node.ref)


def _hold_off(wanted: Wanted, node: NodeObject, observed: ChassisState, unsure: Sequence[str]) -> None:
    """A server stays off while it is not known what it would come up with, or while that is another's too."""
    reason = unsure[0] if unsure else _shared(wanted, node.server, observed)
    if reason is not None:
        wanted.unsure.add(node.server)
        word = "Unknown" if unsure else "VolumeShared"
        wanted.problem(node.ref, word, f"{node.server} stays off for now, as {reason}.")


def _shared(wanted: Wanted, server: str, observed: ChassisState) -> str | None:
    """What nobody declared for this server and another server has as well; what is declared is put right before."""
    attachments = {} if isinstance(observed.attachments, Unknown) else observed.attachments
    for vdisk, found in attachments.items():
        if vdisk.server != server or found is None or vdisk in wanted.attachments:
            continue
        other = next((at for at, what in attachments.items() if what == found and at.server != server), None)
        if other is not None:
            return f"{vdisk} and {other} both have {shown(found)}. Detach it from the wrong one by hand"
    return None
