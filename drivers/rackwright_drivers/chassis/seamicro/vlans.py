"""The page of `show vlan`: which VLANs exist and which port is in which. Pure.

The page has no count of its members; it is whole when its rows are as many as it says, every line is complete and no
line that announces another (by ending in a comma) is the last. The row of the default VLAN (ports that drop untagged
traffic) is not in that number; it stands first, so that a page cut short has lost others too, where there are others.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rackwright_drivers.chassis.seamicro.tables import TableError
from rackwright_drivers.contract.network import Network, Nic, Port, PortVlans, Uplink
from rackwright_drivers.contract.power import Server

_HEADER = re.compile(r"\s*vlan\s+port members\s*", re.IGNORECASE)
_COUNT = re.compile(r"\s*(default vlan|number of user configured vlans)\s*:\s*(\d+)\s*", re.IGNORECASE)
_ROW = re.compile(r"(\d+)?(?:\s+(\S.*?))?\s*")
_MEMBER = re.compile(r"(?:srv (?P<server>\d+/\d+)/(?P<nic>\d+)|(?P<uplink>[a-z]+ \d+/\d+))\s*\((?P<flags>[A-Z ]+)\)")


@dataclass(slots=True)
class _Port:
    untagged: set[int] = field(default_factory=set)
    tagged: set[int] = field(default_factory=set)
    dropped: bool = False


def parse_network(text: str, servers: Mapping[str, Server]) -> Network:
    """VLANs and the ports in them. NICs of `servers` that no row names are untagged in the default VLAN.

    TableError where the page is not whole, names a NIC that no server has, or says of a port what cannot be.
    """
    head, body = _split(text)
    default, count = head["default vlan"], head["number of user configured vlans"]
    members = dict(_rows(body))
    if len(members.keys() - {default}) != count:
        raise TableError(
            f"The page of VLANs shows {len(members.keys() - {default})} VLANs and says that it has {count}"
        )
    ports: dict[Port, _Port] = {
        Nic(server.id, index): _Port() for server in servers.values() for index in range(len(server.macs))
    }
    for vlan, named in members.items():
        for member in named:
            _place(ports, vlan, member)
    vlans = {port: _vlans(port, found, default) for port, found in ports.items()}
    return Network(default, frozenset({default, *members}), vlans)


def _split(text: str) -> tuple[dict[str, int], list[str]]:
    """The numbers of the head by name, and the lines below the header."""
    if not text.endswith("\n"):
        raise TableError("The page of VLANs is cut off in the middle of a line")
    lines = [line for line in text.split("\n") if line.strip()]
    place = next((place for place, line in enumerate(lines) if _HEADER.fullmatch(line)), None)
    if place is None:
        raise TableError("The page of VLANs lacks its header Vlan, Port Members: it is cut off or was refused")
    counts = (_COUNT.fullmatch(line) for line in lines[:place])
    head = {count[1].lower(): int(count[2]) for count in counts if count is not None}
    if len(head) != 2:
        raise TableError("The page of VLANs does not say the default VLAN and how many VLANs there are")
    return head, lines[place + 1 :]


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[re.Match[str]]]]:
    """Each VLAN with its members, whose list may run over several lines."""
    seen: set[int] = set()
    vlan: int | None = None
    members = ""
    for line in lines:
        found = _ROW.fullmatch(line)
        continues = members.endswith(",")
        if found is None or (found[1] is None) != continues:
            raise TableError(f"The page of VLANs has a line that fits neither above nor below: {line.strip()[:80]!r}")
        if found[1] is not None:
            if vlan is not None:
                yield vlan, _members(members)
            vlan, members = int(found[1]), ""
            if vlan in seen:
                raise TableError(f"The page of VLANs shows VLAN {vlan} twice")
            seen.add(vlan)
        members += " " + (found[2] or "")
    if members.endswith(","):
        raise TableError("The page of VLANs is cut off after a line that goes on")
    if vlan is not None:
        yield vlan, _members(members)


def _members(text: str) -> list[re.Match[str]]:
    found = []
    for part in text.split(",") if text.strip() else ():
        member = _MEMBER.fullmatch(part.strip())
        if member is None:
            raise TableError(f"The page of VLANs has a member that makes no sense: {part.strip()[:80]!r}")
        found.append(member)
    return found


def _place(ports: dict[Port, _Port], vlan: int, member: re.Match[str]) -> None:
    """Note what one row says of one port. `I`, an unequal bond, says nothing of the VLANs."""
    port: Port = Nic(member["server"], int(member["nic"])) if member["server"] else Uplink(member["uplink"])
    if isinstance(port, Nic) and port not in ports:
        raise TableError(f"The page of VLANs names {port}, which the summary of servers does not show")
    found = ports.setdefault(port, _Port())
    flags = set(member["flags"]) - {" ", "I"}
    if flags == {"U"}:
        found.untagged.add(vlan)
    elif flags == {"T"}:
        found.tagged.add(vlan)
    elif flags == {"D"}:
        found.dropped = True
    else:
        raise TableError(
            f"The page of VLANs shows {port} with the flags {member['flags']!r}, whose meaning is not known"
        )


def _vlans(port: Port, found: _Port, default: int) -> PortVlans:
    if len(found.untagged) + found.dropped > 1:
        raise TableError(f"The page of VLANs shows {port} untagged in more than one VLAN, or there and dropped")
    untagged = None if found.dropped else next(iter(found.untagged), default)
    return PortVlans(untagged, frozenset(found.tagged))
