"""What the chassis prints, as parts of the contract's ChassisState. Pure: text in, a whole part or TableError out.

Layouts are those of docs/seamicro-cli.md; columns may come in any order and width, and others may stand between them.
"""

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rackwright_drivers.chassis.seamicro.ranges import expand_disks
from rackwright_drivers.chassis.seamicro.tables import Column, Layout, Row, TableError, parse_table
from rackwright_drivers.contract.chassis import Identity
from rackwright_drivers.contract.power import Power, Server
from rackwright_drivers.contract.storage import (
    Attached,
    Disk,
    ManagementMode,
    Media,
    Metadata,
    Pool,
    PoolId,
    RawDisk,
    Slot,
    VDisk,
    Volume,
    VolumeId,
)
from rackwright_drivers.contract.unknown import Unknown

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def _column(header: str, cell: str) -> Column:
    return Column(header, re.compile(cell))


_NAME = r"[^\s/()]+"
_SERVER_ID = _column("server", r"\d+/\d+")
_SLOT = _column("slot", r"\d+")
_POOL_NAME = _column("pool name", _NAME)
_GIB = r"(\d+)(?:\.\d+)?GB"

_ASSIGNMENTS = Layout(
    "The table of assignments",
    (
        _SERVER_ID,
        _column("vdisk", r"\d+"),
        _column("type", r"volume|disk"),
        _column("id", rf"(?:{_NAME}\((\d+)/({_NAME})/({_NAME})\))|((?:JBOD)?\d+/\d+)"),
    ),
)
_VOLUMES = Layout(
    "The table of volumes",
    (_SLOT, _POOL_NAME, _column("volume name", _NAME), _column("prov. size", _GIB)),
    ("actual size",),
)
_POOLS = Layout(
    "The table of pools",
    (
        _SLOT,
        _POOL_NAME,
        _column("disks", r"(?:JBOD)?\d+/[\w,/-]+"),
        _column("size", _GIB),
        _column("free size", _GIB),
    ),
)
_DISKS = Layout(
    "The table of disks",
    (
        _SLOT,
        _column("disk", r"(?:JBOD)?\d+/\d+"),
        _column("type", r"HDD|SSD"),
        _column("size", _GIB),
        _column("serial", r"[^\s-]\S*"),
        _column("metadata", r"none|foreign|pool"),
        _column("state", r"online|failed"),
    ),
)
_SLOTS = Layout("The table of storage slots", (_SLOT, _column("mgmt-mode", r"disk|volume")))
_MAC = r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}"
_SERVERS = Layout(
    "The summary of servers",
    (_SERVER_ID, _column("nic", r"\d+"), _column("mac", _MAC), _column("status", r"up|down|-")),
)
_BONDS = Layout(
    "The table of bonds",
    (
        _column("bond id", r"\d+"),
        _column("slave id", r"\d+"),
        _column("slave-state", r"[a-z-]+"),
        _column("vlan-id", r"\d+"),
    ),
    counted=False,
)
_CHASSIS_LINE = re.compile(r"\s*([^:]+?)\s*:\s*(\S.*?)\s*")
_POWER = {"up": Power.ON, "down": Power.OFF}


def parse_assignments(text: str) -> dict[VDisk, Attached]:
    """What is attached where, of `show storage assign brief`."""
    rows = parse_table(text, _ASSIGNMENTS)
    found = [(VDisk(row["server"][0], int(row["vdisk"][0])), _attached(row)) for row in rows]
    return _unique(found, _ASSIGNMENTS)


def parse_volumes(text: str) -> dict[VolumeId, Volume]:
    """All volumes, of `show storage volume brief`."""
    rows = parse_table(text, _VOLUMES)
    ids = [(VolumeId(int(row["slot"][0]), row["pool name"][0], row["volume name"][0]), row) for row in rows]
    return _unique([(name, Volume(name, _gib(row, "prov. size"))) for name, row in ids], _VOLUMES)


def parse_pools(text: str) -> dict[PoolId, Pool]:
    """All pools, of `show storage pool brief`."""
    found = []
    for row in parse_table(text, _POOLS):
        pool = PoolId(int(row["slot"][0]), row["pool name"][0])
        try:
            disks = expand_disks(row["disks"][0])
        except ValueError as error:
            raise TableError(f"The disks of pool {pool} make no sense: {error}") from error
        found.append((pool, Pool(pool, disks, _gib(row, "size"), _gib(row, "free size"))))
    return _unique(found, _POOLS)


def parse_disks(text: str) -> dict[str, Disk]:
    """All disks, of `show storage disk brief`."""
    found = []
    for row in parse_table(text, _DISKS):
        disk = Disk(
            name=row["disk"][0],
            slot=int(row["slot"][0]),
            size_gib=_gib(row, "size"),
            media=Media(row["type"][0]),
            serial=row["serial"][0],
            metadata=Metadata(row["metadata"][0].capitalize()),
            healthy=row["state"][0] == "online",
        )
        found.append((disk.name, disk))
    return _unique(found, _DISKS)


def parse_slots(text: str) -> dict[int, Slot]:
    """All storage slots, of `show storage slot brief`."""
    found = []
    for row in parse_table(text, _SLOTS):
        slot = int(row["slot"][0])
        found.append((slot, Slot(slot, ManagementMode(row["mgmt-mode"][0].capitalize()))))
    return _unique(found, _SLOTS)


def parse_servers(text: str) -> dict[str, Server]:
    """All servers with their MACs and power, of `show server summary all`, by any of its three layouts."""
    rows = parse_table(text, _SERVERS)
    _unique([(_mac(row), None) for row in rows], _SERVERS)
    of_server: dict[str, list[Row]] = {}
    for row in rows:
        of_server.setdefault(row["server"][0], []).append(row)
    return {server: _server(server, nics) for server, nics in of_server.items()}


def parse_identity(text: str) -> Identity:
    """Who the chassis is, of `show chassis`."""
    if not text.endswith("\n"):
        raise TableError("The description of the chassis is cut off in the middle of a line")
    lines = (_CHASSIS_LINE.fullmatch(line) for line in text.split("\n"))
    found = {line[1].lower(): line[2] for line in lines if line is not None}
    missing = [name for name in ("Chassis Type", "Serial Number") if name.lower() not in found]
    if missing:
        raise TableError(f"The description of the chassis lacks {' and '.join(missing)}")
    return Identity(serial=found["serial number"], model=found["chassis type"])


@dataclass(frozen=True, slots=True)
class Slave:
    """One NIC of a bond that a server's host runs, as the fabric sees it."""

    bond: int
    nic: int
    state: str
    vlan: int


def parse_lacp(text: str) -> tuple[Slave, ...]:
    """The bonds of one server, of `show lacp info server`. It has no count: an empty answer proves nothing."""
    rows = parse_table(text, _BONDS)
    return tuple(
        Slave(int(row["bond id"][0]), int(row["slave id"][0]), row["slave-state"][0], int(row["vlan-id"][0]))
        for row in rows
    )


def _attached(row: Row) -> Attached:
    slot, pool, volume, disk = row["id"].groups()
    if (row["type"][0] == "disk") != (disk is not None):
        raise TableError(f"{_ASSIGNMENTS.name} calls {row['id'][0]} a {row['type'][0]}")
    return RawDisk(disk) if disk is not None else VolumeId(int(slot), pool, volume)


def _server(server: str, rows: Sequence[Row]) -> Server:
    nics = {int(row["nic"][0]): _mac(row) for row in rows}
    if sorted(nics) != list(range(len(nics))):
        raise TableError(f"{_SERVERS.name} shows the NICs {sorted(nics)} of server {server}, and not all from 0 on")
    said = sorted({row["status"][0] for row in rows} - {"-"})
    power: Power | Unknown = Unknown(f"The chassis shows the status {' and '.join(said) or '-'} for server {server}")
    if len(said) == 1:
        power = _POWER[said[0]]
    return Server(server, tuple(nics[index] for index in sorted(nics)), power)


def _mac(row: Row) -> str:
    digits = re.sub(r"[.:]", "", row["mac"][0]).lower()
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def _gib(row: Row, header: str) -> int:
    return int(row[header][1])


def _unique(pairs: Sequence[tuple[K, V]], layout: Layout) -> dict[K, V]:
    twice = [str(key) for key, times in Counter(key for key, _ in pairs).items() if times > 1]
    if twice:
        raise TableError(f"{layout.name} has {', '.join(twice[:3])} more than once")
    return dict(pairs)
