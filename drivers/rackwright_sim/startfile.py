"""The file a simulated chassis starts from, and the one it saves itself to: one format, YAML or JSON.

Short forms (ranges of cards, disks and volumes) make a start readable; a saved state is the same, written out.
"""

from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rackwright_drivers.contract.errors import PermanentError
from rackwright_drivers.contract.storage import ManagementMode, Media, Metadata, PoolId
from rackwright_sim.fabric import CARDS, NICS
from rackwright_sim.ranges import numbers

ServerId = Annotated[str, StringConstraints(pattern=r"^\d{1,2}/0$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,63}$")]
Numbers = Annotated[str, StringConstraints(pattern=r"^\d+(-\d+)?(,\d+(-\d+)?)*$")]
PoolName = Annotated[str, StringConstraints(pattern=r"^\d/[A-Za-z0-9_.-]{1,63}$")]
UplinkName = Annotated[str, StringConstraints(pattern=r"^te \d/\d{1,2}$")]
Vlan = Annotated[int, Field(ge=0, le=4094)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Part):
    """Who the chassis is."""

    type: str = "SM15000"
    serial: str
    hostname: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,63}$")]
    firmware: str = "4.0.1.1"


class Bond(_Part):
    """An LACP bond that the host's operating system runs over these NICs."""

    server: ServerId
    nics: tuple[int, ...]


class Cards(_Part):
    """The server cards, which of them run, and what people wrote beside them."""

    present: Numbers
    cpu: str = "Intel Xeon E3-1265L v3"
    memory: str = "w/32GB DDR3"
    running: tuple[ServerId, ...] = ()
    descriptions: dict[ServerId, str] = {}
    bonds: tuple[Bond, ...] = ()

    @property
    def servers(self) -> tuple[str, ...]:
        """Server ids by card."""
        return tuple(f"{card}/0" for card in numbers(self.present))


class PortEntry(_Part):
    """One port that is not simply untagged in the default VLAN: a NIC (`server`, `nic`) or an uplink."""

    server: ServerId | None = None
    nic: Annotated[int, Field(ge=0, lt=NICS)] | None = None
    uplink: UplinkName | None = None
    untagged: Vlan | None
    tagged: tuple[Vlan, ...] = ()

    @model_validator(mode="after")
    def _one_port(self) -> Self:
        if (self.server is None) != (self.nic is None) or (self.server is None) == (self.uplink is None):
            raise ValueError("a port is either a server with its nic, or an uplink: name exactly one of them")
        return self


class Switch(_Part):
    """VLANs, uplinks and the ports that differ from the default."""

    default_vlan: Vlan = 0
    vlans: tuple[Vlan, ...] = ()
    uplinks: tuple[UplinkName, ...] = ()
    ports: tuple[PortEntry, ...] = ()


class DiskGroup(_Part):
    """Disks of one kind. A single disk has a `serial`; several have a `serial_prefix`, followed by their number."""

    numbers: Numbers
    media: Media
    size_gib: Annotated[int, Field(gt=0)]
    serial: str | None = None
    serial_prefix: str | None = None
    metadata: Metadata = Metadata.NONE
    healthy: bool = True

    @model_validator(mode="after")
    def _one_serial(self) -> Self:
        if (self.serial is None) == (self.serial_prefix is None):
            raise ValueError("give either serial (one disk) or serial_prefix (several)")
        if self.serial is not None and len(numbers(self.numbers)) > 1:
            raise ValueError(f"serial {self.serial} would name several disks ({self.numbers}): use serial_prefix")
        return self

    def serials(self) -> Iterator[tuple[int, str]]:
        """Number and serial of every disk."""
        for number in numbers(self.numbers):
            yield number, self.serial or f"{self.serial_prefix}{number:03d}"


class StorageSlot(_Part):
    """One storage card and its disks. `kind` RAID may span disks with a pool, JBOD may not."""

    number: Annotated[int, Field(ge=0, le=7)]
    kind: Annotated[str, StringConstraints(pattern=r"^(JBOD|RAID)$")]
    mode: ManagementMode
    disks: tuple[DiskGroup, ...] = ()

    def disk_name(self, number: int) -> str:
        """As the chassis writes it: `JBOD2/6` outside, `7/0` inside."""
        return f"JBOD{self.number}/{number}" if self.kind == "JBOD" else f"{self.number}/{number}"


class PoolEntry(_Part):
    """A pool over disks of its slot."""

    id: PoolName
    disks: tuple[str, ...]
    size_gib: Annotated[int, Field(gt=0)]


class VolumeGroup(_Part):
    """Volumes of one pool: `name` alone is one volume, with `numbers` it is the prefix of several."""

    pool: PoolName
    name: Name
    numbers: Numbers | None = None
    size_gib: Annotated[int, Field(gt=0)]

    def names(self) -> list[str]:
        """The names of the volumes."""
        return [self.name] if self.numbers is None else [f"{self.name}-{n}" for n in numbers(self.numbers)]


class Attachment(_Part):
    """A volume (`7/RAIDPOOL/RAIDVOL-0`) or a raw disk on a server's vdisk."""

    server: ServerId
    vdisk: Annotated[int, Field(ge=0, le=63)]
    volume: str | None = None
    disk: str | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.volume is None) == (self.disk is None):
            raise ValueError(f"vdisk {self.vdisk} of {self.server} needs exactly one of volume and disk")
        return self


class Start(_Part):
    """A whole chassis."""

    about: About
    cards: Cards
    switch: Switch = Switch()
    slots: tuple[StorageSlot, ...] = ()
    pools: tuple[PoolEntry, ...] = ()
    volumes: tuple[VolumeGroup, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    placement_seed: int = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in _problems(self):
            raise ValueError(problem)
        return self


def _problems(start: Start) -> Iterator[str]:
    yield from _card_problems(start)
    yield from _switch_problems(start.switch, set(start.cards.servers))
    yield from _disk_problems(start)
    yield from _pool_problems(start)
    yield from _attachment_problems(start)


def _card_problems(start: Start) -> Iterator[str]:
    cards = start.cards
    if numbers(cards.present)[-1] >= CARDS:
        yield f"cards.present {cards.present} goes beyond the last card, {CARDS - 1}"
    for server in (*cards.running, *cards.descriptions, *(bond.server for bond in cards.bonds)):
        if server not in cards.servers:
            yield f"cards names {server}, which is not among the cards present ({cards.present})"


def _switch_problems(switch: Switch, servers: set[str]) -> Iterator[str]:
    known = {switch.default_vlan, *switch.vlans}
    for port in switch.ports:
        if port.server is not None and port.server not in servers:
            yield f"switch.ports names server {port.server}, which is not among the cards present"
        if port.uplink is not None and port.uplink not in switch.uplinks:
            yield f"switch.ports names uplink {port.uplink}, which is not among switch.uplinks"
        for vlan in (*port.tagged, *(() if port.untagged is None else (port.untagged,))):
            if vlan not in known:
                yield f"switch.ports uses VLAN {vlan}, which is not among switch.vlans"


def _disk_problems(start: Start) -> Iterator[str]:
    yield from _twice("slot", (str(slot.number) for slot in start.slots))
    yield from _twice("disk", (name for name, _ in _disks(start)))
    yield from _twice("serial", (serial for _, serial in _disks(start)))


def _disks(start: Start) -> Iterator[tuple[str, str]]:
    for slot in start.slots:
        for group in slot.disks:
            yield from ((slot.disk_name(number), serial) for number, serial in group.serials())


def _twice(what: str, values: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield f"{what} {value} is there twice: each may be there only once"
        seen.add(value)


def _pool_problems(start: Start) -> Iterator[str]:
    disks = dict(_disks(start))
    modes = {slot.number: slot.mode for slot in start.slots}
    yield from _twice("pool", (pool.id for pool in start.pools))
    yield from _twice("disk of a pool", (disk for pool in start.pools for disk in pool.disks))
    yield from _twice("volume", (f"{group.pool}/{name}" for group in start.volumes for name in group.names()))
    used: dict[str, int] = {}
    for group in start.volumes:
        used[group.pool] = used.get(group.pool, 0) + group.size_gib * len(group.names())
    sizes = {pool.id: pool.size_gib for pool in start.pools}
    for pool in start.pools:
        if modes.get(PoolId.parse(pool.id).slot) is not ManagementMode.VOLUME:
            yield f"pool {pool.id} needs its slot in mode {ManagementMode.VOLUME}"
        for disk in set(pool.disks) - disks.keys():
            yield f"pool {pool.id} names disk {disk}, which is in no slot"
    for pool_id, size in used.items():
        if size > sizes.get(pool_id, 0):
            yield f"volumes of pool {pool_id} need {size} GiB and it has {sizes.get(pool_id, 0)}"


def _attachment_problems(start: Start) -> Iterator[str]:
    volumes = {f"{group.pool}/{name}" for group in start.volumes for name in group.names()}
    disks = dict(_disks(start))
    yield from _twice("vdisk", (f"{entry.server} vdisk {entry.vdisk}" for entry in start.attachments))
    for entry in start.attachments:
        if entry.server not in start.cards.servers:
            yield f"attachments name server {entry.server}, which is not among the cards present"
        if entry.volume is not None and entry.volume not in volumes:
            yield f"attachments name volume {entry.volume}, which does not exist"
        if entry.disk is not None and entry.disk not in disks:
            yield f"attachments name disk {entry.disk}, which is in no slot"


def load(start: str | Path) -> Start:
    """A start by the name of a data file (`as-found`) or by path. PermanentError says what is wrong with it."""
    try:
        text = _text(start)
        return Start.model_validate(YAML(typ="safe").load(text))
    except (OSError, YAMLError) as error:
        remedy = f"name a data file ({_names()}) or a path"
        raise PermanentError(f"start {start} cannot be read ({error}): {remedy}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PermanentError(f"start {start} is not a chassis: {where}: {first['msg']}") from error


def _text(start: str | Path) -> str:
    data = files("rackwright_sim") / "data" / f"{start}.yaml"
    if isinstance(start, str) and "/" not in start and data.is_file():
        return data.read_text(encoding="utf-8")
    return Path(start).read_text(encoding="utf-8")


def _names() -> str:
    folder = files("rackwright_sim") / "data"
    return ", ".join(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir()))
