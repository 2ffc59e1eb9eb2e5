"""What is not as wanted: one entry a part, in the order in which a rack is built. Pure and blind to owners."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from rackwright.core.natural import natural
from rackwright.core.step import Difference, Part, PartKind
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.network import PortVlans
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Attached, RawDisk
from rackwright_drivers.contract.unknown import Unknown

T = TypeVar("T")
K = TypeVar("K")


def differences(wanted: ChassisState, observed: ChassisState) -> tuple[Difference, ...]:
    """Everything declared that was observed otherwise. Parts that are Unknown on either side are not compared."""
    return (
        *_slots(wanted, observed),
        *_disks(wanted, observed),
        *_pools(wanted, observed),
        *_volumes(wanted, observed),
        *_attachments(wanted, observed),
        *_network(wanted, observed),
        *_power(wanted, observed),
    )


def _both(wanted: Mapping[K, T] | Unknown, observed: Mapping[K, T] | Unknown) -> Iterator[tuple[K, T, T | None]]:
    """Pairs by key in natural order; nothing where one of the two cannot be told."""
    if isinstance(wanted, Unknown) or isinstance(observed, Unknown):
        return
    for key in sorted(wanted, key=natural):
        yield key, wanted[key], observed.get(key)


def _slots(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    for number, want, found in _both(wanted.slots, observed.slots):
        if found is None or want.mode is not found.mode:
            yield Difference(
                Part(PartKind.SLOT, number), f"mode {want.mode}", f"mode {found.mode}" if found else "no slot"
            )


def _disks(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    for name, want, found in _both(wanted.disks, observed.disks):
        if found is None or want.metadata is not found.metadata:
            seen = f"metadata {found.metadata}" if found else "no disk"
            yield Difference(Part(PartKind.DISK, name), f"metadata {want.metadata}", seen)


def _pools(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    for name, want, found in _both(wanted.pools, observed.pools):
        if found is None or set(want.disks) != set(found.disks):
            seen = f"disks {', '.join(found.disks)}" if found else "no pool"
            yield Difference(Part(PartKind.POOL, name), f"disks {', '.join(want.disks)}", seen)


def _volumes(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    for name, want, found in _both(wanted.volumes, observed.volumes):
        if found is None or want.size_gib != found.size_gib:
            seen = f"{found.size_gib} GiB" if found else "no volume"
            yield Difference(Part(PartKind.VOLUME, name), f"{want.size_gib} GiB", seen)


def _attachments(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    places = (
        {} if isinstance(wanted.attachments, Unknown) else {held: at for at, held in wanted.attachments.items() if held}
    )
    for vdisk, want, found in _both(wanted.attachments, observed.attachments):
        if want is None and found in places:
            whose = f"nothing, as {shown(found)} is for {places[found]}"
            yield Difference(Part(PartKind.ATTACHMENT, vdisk), whose, shown(found))
        elif want != found:
            yield Difference(Part(PartKind.ATTACHMENT, vdisk), shown(want), shown(found))


def shown(value: Attached | None) -> str:
    """What is on a vdisk, for people."""
    match value:
        case None:
            return "nothing"
        case RawDisk(name=name):
            return f"raw disk {name}"
    return str(value)


def _network(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    if isinstance(wanted.network, Unknown) or isinstance(observed.network, Unknown):
        return
    for vlan in sorted(wanted.network.vlans - observed.network.vlans):
        yield Difference(Part(PartKind.VLAN, vlan), "exists", "no VLAN")
    for port in sorted(wanted.network.ports, key=natural):
        want, found = wanted.network.ports[port], observed.network.of(port)
        if want != found:
            yield Difference(Part(PartKind.PORT, port), _vlans(want), _vlans(found) if found else "no port")


def _vlans(vlans: PortVlans) -> str:
    words = [f"untagged {vlans.untagged}" if vlans.untagged is not None else "isolated"]
    if vlans.tagged:
        words.append("tagged " + ", ".join(str(vlan) for vlan in sorted(vlans.tagged)))
    return ", ".join(words)


def _power(wanted: ChassisState, observed: ChassisState) -> Iterator[Difference]:
    for server, want, found in _both(wanted.servers, observed.servers):
        if found is None:
            yield Difference(Part(PartKind.POWER, server), _word(want.power), "no server")
        elif isinstance(found.power, Power) and want.power is not found.power:
            yield Difference(Part(PartKind.POWER, server), _word(want.power), _word(found.power))


def _word(power: Power | Unknown) -> str:
    return "unknown" if isinstance(power, Unknown) else f"power {power}"
