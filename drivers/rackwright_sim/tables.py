"""What the chassis prints of itself: its tables with their trailers, and the few single pages. Pure, from the model."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rackwright_drivers.contract.network import Nic, Port, Uplink
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import RawDisk, VDisk, VolumeId
from rackwright_sim.fabric import card_of, node
from rackwright_sim.model import ChassisModel
from rackwright_sim.storage import prefix_of
from rackwright_sim.switch import port_name

_WIDTH = 79
_VLAN_HEAD = """\
Flags : T = Tagged              U = Untagged
      : I = Incomplete bond state because of difference in the bond member configuration.
      : D = interface configured for untagged traffic drop
      : P = Vlan pass through enabled
"""


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], gap: str = "  ") -> str:
    """Columns as wide as their widest cell, and the trailer that counts the rows."""
    cells = list(rows)
    widths = [max(len(row[i]) for row in (headers, *cells)) for i in range(len(headers))]
    lines = [
        gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *cells)
    ]
    return "".join(f"{line}\n" for line in lines) + f"* {len(cells)} entries\n"


def storage_assign(model: ChassisModel) -> str:
    """Which volume or raw disk is on which vdisk."""
    shown = model.storage.attachments.shown()
    rows = []
    for vdisk in sorted(shown, key=_vdisk_order):
        what = shown[vdisk]
        kind, name = ("disk", what.name) if isinstance(what, RawDisk) else ("volume", _volume_cell(what))
        rows.append((vdisk.server, str(vdisk.number), kind, name, "active RW"))
    # The two headers over PREFIX(SLOT/POOL/VOLUME) stand over one cell.
    return table(("server", "vdisk", "type", "id      assignment", "property"), rows, gap=" ")


def storage_volume(model: ChassisModel) -> str:
    """All volumes, assigned or not."""
    storage = model.storage
    taken = set(storage.attachments.shown().values())
    rows = [
        (
            str(volume.slot),
            volume.pool,
            volume.name,
            f"{size}GB",
            f"{size}.00GB",
            ("A" if volume in taken else "U") + _layout(model, volume.slot),
        )
        for volume, size in sorted(storage.volumes.items())
    ]
    head = "A = Assigned, U = Unassigned, L = Linear, S = Stripe\n"
    return head + table(("slot", "pool name", "volume name", "prov. size", "actual size", "attr"), rows)


def storage_pool(model: ChassisModel) -> str:
    """All pools with their disks and what is free."""
    storage, free = model.storage, model.storage.free()
    rows = [
        (
            str(pool.slot),
            pool.name,
            ",".join(state.disks),
            f"{state.size_gib}GB",
            f"{free[pool]}.00GB",
            "Mounted",
            _layout(model, pool.slot),
        )
        for pool, state in sorted(storage.pools.items())
    ]
    return table(("slot", "pool name", "disks", "size", "free size", "state", "attr"), rows)


def storage_disk(model: ChassisModel) -> str:
    """All disks with serial and what is written on them."""
    rows = [
        (
            str(disk.slot),
            disk.name,
            disk.media.value,
            f"{disk.size_gib}GB",
            disk.serial,
            disk.metadata.value.lower(),
            "online" if disk.healthy else "failed",
        )
        for disk in sorted(model.storage.disks.values(), key=lambda disk: (disk.slot, disk.number))
    ]
    return table(("slot", "disk", "type", "size", "serial", "metadata", "state"), rows)


def storage_slot(model: ChassisModel) -> str:
    """All storage slots and how they are managed."""
    storage = model.storage
    rows = [
        (
            str(slot.number),
            slot.kind,
            slot.mode.value.lower(),
            str(sum(disk.slot == slot.number for disk in storage.disks.values())),
            "online",
        )
        for slot in storage.slots.values()
    ]
    return table(("slot", "type", "mgmt-mode", "disks", "state"), rows)


def vlan(model: ChassisModel) -> str:
    """All VLANs with their members in the order of the fabric; no trailer, but a count in its head."""
    switch = model.switch
    user = sorted(switch.vlans - {switch.default_vlan})
    head = (
        f"Default Vlan                    : {switch.default_vlan}\n"
        f"Number of User Configured Vlans : {len(user)}\n"
        f"Number of Default Vlans         : 1\n"
    )
    rows = [_vlan_row(switch.default_vlan, _dropped(model))] if _dropped(model) else []
    rows += [_vlan_row(number, _members(model, number)) for number in user]
    return head + _VLAN_HEAD + "Vlan  Port Members\n" + "".join(rows)


def server_summary(model: ChassisModel, servers: Sequence[str]) -> str:
    """One row a NIC; what belongs to the card stands on its first."""
    power = model.servers.power.shown()
    count: dict[str, int] = {}
    for vdisk in model.storage.attachments.shown():
        count[vdisk.server] = count.get(vdisk.server, 0) + 1
    rows = []
    for server in servers:
        status = "up" if power[server] is Power.ON else "down"
        first = (str(count.get(server, 0)), status, model.servers.cpu, model.servers.memory)
        for nic, mac in enumerate(model.servers.macs[server]):
            rows.append((server, str(nic), mac, *(first if nic == 0 else ("-", status, "-", "-"))))
    return table(("Server", "NIC", "MAC", "#VDisks", "Status", "CPU", "Memory"), rows)


def server_description(model: ChassisModel) -> str:
    """What people wrote beside the servers."""
    notes = model.servers.descriptions
    return table(("Server", "Description"), [(server, notes[server]) for server in sorted(notes, key=card_of)])


def chassis(model: ChassisModel) -> str:
    """Who the chassis is."""
    about = model.about
    return f"Chassis Type  : {about.type}\nSerial Number : {about.serial}\nHostname      : {about.hostname}\n"


def version(model: ChassisModel) -> str:
    """Which software it runs, with a word that it is simulated."""
    return f"{model.about.type} software, version {model.about.firmware}\nSimulated by Rackwright\n"


def lacp(model: ChassisModel, server: str) -> str:
    """The bonds that the host of a server runs; a slave is bundled where all members are in the same VLANs."""
    lines = [
        f"Server ID {server}",
        "Bond ID  Slave ID  Slave-State  Actor-state  Partner-state  VLAN-id  Bond-MAC",
    ]
    if model.servers.power.shown()[server] is Power.ON:
        bonds = [bond for bond in model.servers.bonds if bond.server == server]
        for place, bond in enumerate(bonds):
            ports = [model.switch.ports[Nic(server, nic)] for nic in bond.nics]
            state, bits = ("bundled", "3d") if len(set(ports)) == 1 else ("individual", "5")
            tail = f"{model.servers.macs[server][bond.nics[-1]]}"
            for nic, port in zip(bond.nics, ports, strict=True):
                number = "-" if port.untagged is None else str(port.untagged)
                cells = (str(node(server) + 2 * place), str(nic), state, bits, bits, number)
                widths = (7, 8, 11, 11, 13, 7)
                lines.append(
                    "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + f"  {tail}"
                )
    return "".join(f"{line}\n" for line in lines)


def _vdisk_order(vdisk: VDisk) -> tuple[int, int]:
    return card_of(vdisk.server), vdisk.number


def _volume_cell(volume: VolumeId) -> str:
    return f"{prefix_of(volume.name)}({volume})"


def _layout(model: ChassisModel, slot: int) -> str:
    return "S" if model.storage.slots[slot].kind == "RAID" else "L"


def _fabric_order(port: Port) -> tuple[bool, int, str]:
    return (False, 0, port.port) if isinstance(port, Uplink) else (True, node(port.server) + port.index, "")


def _dropped(model: ChassisModel) -> list[str]:
    ports = [port for port, vlans in model.switch.ports.items() if vlans.untagged is None]
    return [f"{port_name(port)} (D )" for port in sorted(ports, key=_fabric_order)]


def _members(model: ChassisModel, number: int) -> list[str]:
    broken = _unequal_bond_members(model)
    members: list[tuple[Port, str]] = []
    for port, vlans in model.switch.ports.items():
        flag = "U" if vlans.untagged == number else "T" if number in vlans.tagged else ""
        if flag:
            members.append((port, flag + ("I" if port in broken else " ")))
    return [f"{port_name(port)} ({flags})" for port, flags in sorted(members, key=lambda m: _fabric_order(m[0]))]


def _unequal_bond_members(model: ChassisModel) -> set[Port]:
    broken: set[Port] = set()
    for bond in model.servers.bonds:
        nics = [Nic(bond.server, nic) for nic in bond.nics]
        if len({model.switch.ports[nic] for nic in nics}) > 1:
            broken.update(nics)
    return broken


def _vlan_row(number: int, members: Sequence[str]) -> str:
    """Members wrapped to the width of a terminal; the number stands on the first line only."""
    room = _WIDTH - 6
    # No member is broken across lines, so each line takes as many as fit: groupby over a running line number.
    line, used, numbered = 0, 0, []
    for member in members:
        if used and used + len(member) + 2 > room:
            line, used = line + 1, 0
        used += len(member) + 2
        numbered.append((line, member))
    lines = [", ".join(member for _, member in group) for _, group in groupby(numbered, key=lambda pair: pair[0])]
    body = ",\n      ".join(lines)
    return f"{number:<6}{body}".rstrip() + "\n"
