"""What in a device's own log could destroy something, told from the lines alone: a judgement that owes the operator nothing.

A line is taken apart into atoms, the smallest things that a person consents to: one slot's mode, one disk's metadata, one
vdisk, one uplink.
"""

import re
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rackwright_drivers.contract.network import Nic, Uplink
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import VDisk
from rackwright_sim import ranges
from rackwright_sim.model import ChassisModel

_MODE = re.compile(r"storage set mgmt-mode (\w+) slot (\d+)")
_CLEAR = re.compile(r"storage clear-metadata disk (\S+) slot (\d+)")
_DETACH = re.compile(r"storage unassign(?:-range)? (\S+) (\S+)")
_VLAN = re.compile(r"(?:no )?(?:un)?tagged-vlan \d+")
_POWER_OFF = re.compile(r"power-off server (\S+)")
_REMOVES = re.compile(r"\b(?:delete|destroy|remove|erase|format|reload|reset)\b")


class Atom(NamedTuple):
    """One thing that a line would do to a slot, a disk, a vdisk or an uplink. `what` says it where there is a choice."""

    kind: str  # mode, clear, detach, uplink, removal
    target: Hashable
    what: str = ""


@dataclass
class Place:
    """Where a session stands: the server, NIC or uplink that its next line is about."""

    server: str = ""
    nic: int | None = None
    uplink: str = ""

    def follow(self, line: str) -> None:
        """A line that leads somewhere was taken."""
        words = line.split()
        if words[:2] == ["server", "id"]:
            self.server, self.nic, self.uplink = words[2], None, ""
        elif words[0] == "nic":
            self.nic = int(words[1])
        elif words[0] == "interface":
            self.server, self.nic, self.uplink = "", None, " ".join(words[1:])
        elif line == "exit" and self.nic is not None:
            self.nic = None
        elif words[0] in ("exit", "end", "configure"):
            self.server, self.nic, self.uplink = "", None, ""


def atoms(line: str, place: Place, model: ChassisModel) -> Iterator[Atom]:
    """What of a line needs consent wherever it is done. A detach needs it where the server runs."""
    if found := _MODE.match(line):
        yield Atom("mode", int(found[2]), found[1])
    elif found := _CLEAR.match(line):
        slot = int(found[2])
        numbers = ranges.disk_numbers(found[1], slot)
        disks = model.storage.disks.items()
        yield from (Atom("clear", name) for name, disk in disks if disk.slot == slot and disk.number in numbers)
    elif found := _DETACH.match(line):
        for server in ranges.servers(found[1], model.servers.macs):
            yield from (Atom("detach", VDisk(server, number)) for number in ranges.vdisks(found[2]))
    elif place.uplink and _VLAN.match(line):
        yield Atom("uplink", Uplink(place.uplink), line)
    elif _REMOVES.search(line):
        yield Atom("removal", line)


def needs_consent(atom: Atom, model: ChassisModel) -> bool:
    """As the device really is: whether nobody may do this unasked."""
    return not isinstance(atom.target, VDisk) or model.servers.power[atom.target.server] is Power.ON


def state(atom: Atom, model: ChassisModel) -> object:
    """What an atom is about, as it is: an atom took effect where this changed."""
    match atom.target:
        case VDisk() as vdisk:
            return dict(model.storage.attachments.items()).get(vdisk)
        case Uplink() as port:
            return model.switch.ports.get(port)
        case int() as slot:
            return model.storage.slots[slot].mode
        case disk:
            found = model.storage.disks.get(str(disk))
            return found and found.metadata


def of_lines(lines: Iterable[str], model: ChassisModel) -> Iterator[Atom]:
    """The atoms of commands that a plan shows, typed one after the other."""
    place = Place()
    for line in lines:
        yield from atoms(line, place, model)
        place.follow(line)


def disturbed(line: str, place: Place, model: ChassisModel, running: Collection[str]) -> set[str]:
    """Of the servers that ran before a line, those that would stop serving, or serve less, by it."""
    servers: set[str] = set()
    if found := _POWER_OFF.match(line):
        servers = set(ranges.servers(found[1], model.servers.macs))
    elif place.nic is not None and _VLAN.match(line):
        servers = {Nic(place.server, place.nic).server}
    return servers & set(running)
