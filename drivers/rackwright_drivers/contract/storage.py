"""Disks, pools, volumes and what is attached where. Sizes are whole GiB: the chassis prints `GB` and means GiB."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class PoolId(NamedTuple):
    """A pool on its storage slot; prints as the chassis writes it, `2/rootpool-1`."""

    slot: int
    name: str

    def __str__(self) -> str:
        return f"{self.slot}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "PoolId":
        """From `slot/pool`; ValueError where it is not of that form."""
        slot, name = text.split("/")
        return cls(int(slot), name)


class VolumeId(NamedTuple):
    """A volume in its pool; prints as the chassis writes it, `2/rootpool-1/rootvol-0`."""

    slot: int
    pool: str
    name: str

    def __str__(self) -> str:
        return f"{self.slot}/{self.pool}/{self.name}"

    @property
    def pool_id(self) -> PoolId:
        """The pool that holds it."""
        return PoolId(self.slot, self.pool)

    @property
    def prefix(self) -> str:
        """`rootvol` of `rootvol-3`."""
        return self.name.rpartition("-")[0]

    @property
    def number(self) -> int:
        """`3` of `rootvol-3`; ValueError where it has none."""
        return int(self.name.rpartition("-")[2])

    @classmethod
    def parse(cls, text: str) -> "VolumeId":
        """From `slot/pool/volume`; ValueError where it is not of that form."""
        slot, pool, name = text.split("/")
        return cls(int(slot), pool, name)


class VDisk(NamedTuple):
    """One virtual disk of one server: where a volume is attached. Prints as `12/0 vdisk 4`."""

    server: str
    number: int

    def __str__(self) -> str:
        return f"{self.server} vdisk {self.number}"


class ManagementMode(StrEnum):
    """How a storage slot is managed: raw disks, or pools of volumes."""

    DISK = "Disk"
    VOLUME = "Volume"


class Media(StrEnum):
    """What a disk is made of."""

    HDD = "HDD"
    SSD = "SSD"


class Metadata(StrEnum):
    """What the chassis finds written on a disk: nothing, somebody else's, or a pool of its own."""

    NONE = "None"
    FOREIGN = "Foreign"
    POOL = "Pool"


@dataclass(frozen=True, slots=True)
class Slot:
    """A storage slot."""

    number: int
    mode: ManagementMode


@dataclass(frozen=True, slots=True)
class Disk:
    """A physical disk: itself by serial and path (`JBOD2/6`), never by the UUID that this chassis shows for all."""

    name: str
    slot: int
    size_gib: int
    media: Media
    serial: str
    metadata: Metadata
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool: its disks by name, its size and what is still free in it."""

    id: PoolId
    disks: tuple[str, ...]
    size_gib: int
    free_gib: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that exists, assigned or not."""

    id: VolumeId
    size_gib: int


@dataclass(frozen=True, slots=True)
class RawDisk:
    """A whole disk attached as it is (a slot in disk mode); Rackwright reports these and never makes one."""

    name: str


Attached = VolumeId | RawDisk


@dataclass(frozen=True, slots=True)
class EqualShare:
    """The largest size of which `parts` equal volumes fill the pool (`size max#11`)."""

    parts: int


@dataclass(frozen=True, slots=True)
class SetManagementMode:
    """Change how a slot is managed. Destroys what a slot in the other mode holds."""

    slot: int
    mode: ManagementMode


@dataclass(frozen=True, slots=True)
class ClearMetadata:
    """Erase what is written on these disks of one slot, in ascending order. All data on them is lost.

    The span from the first to the last holds no other disk that is present: the planner proves it, so that a driver may
    send it as one range.
    """

    slot: int
    disks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreatePool:
    """Make a pool of disks that are free and hold no metadata."""

    pool: PoolId
    disks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateVolumes:
    """Make `prefix-N` in one pool for every N of `numbers`, all of one size: whole GiB, or an equal share of the pool."""

    pool: PoolId
    prefix: str
    numbers: tuple[int, ...]
    size: int | EqualShare


@dataclass(frozen=True, slots=True)
class DeleteVolumes:
    """Delete `prefix-N` in one pool for every N of `numbers`. All data on them is lost.

    Several are all that the pool has of this prefix: the planner proves it, so that a driver may name the prefix.
    """

    pool: PoolId
    prefix: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeletePool:
    """Delete a pool that holds no volume."""

    pool: PoolId


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach one volume to one free vdisk."""

    vdisk: VDisk
    volume: VolumeId


@dataclass(frozen=True, slots=True)
class AttachRange:
    """Attach to every free (server, vdisk) any free volume whose name has this prefix: the chassis chooses which."""

    servers: tuple[str, ...]
    vdisks: tuple[int, ...]
    prefix: str


@dataclass(frozen=True, slots=True)
class Detach:
    """Detach whatever is attached to this vdisk number of these servers; the volumes keep their data."""

    servers: tuple[str, ...]
    vdisk: int
