"""Storage of the simulated chassis: slots, disks, pools, volumes, and what is attached where, by the device's rules.

Sizes are whole GiB. Every refusal comes before any effect, but for a ranged assign, which does what fits.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from rackwright_drivers.contract.storage import (
    Attached,
    ManagementMode,
    Media,
    Metadata,
    PoolId,
    RawDisk,
    VDisk,
    VolumeId,
)
from rackwright_sim import ranges
from rackwright_sim.changes import Changes
from rackwright_sim.refusals import Refusal
from rackwright_sim.settling import Settling
from rackwright_sim.startfile import Attachment, DiskGroup, PoolEntry, Start, StorageSlot, VolumeGroup

# The quirk that makes a UUID no identity: every volume of the chassis shows this one to the hosts.
SHARED_UUID = "35000c5001feb99f0"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_NUMBERED = re.compile(r"(.+)-\d+")


@dataclass(slots=True)
class SlotState:
    """A storage card. Only a RAID card spans disks with a pool."""

    number: int
    kind: str
    mode: ManagementMode


@dataclass(slots=True)
class DiskState:
    """A disk, itself by its serial."""

    name: str
    slot: int
    number: int
    media: Media
    size_gib: int
    serial: str
    metadata: Metadata
    healthy: bool


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool's disks by name and its size."""

    disks: tuple[str, ...]
    size_gib: int


def prefix_of(volume: str) -> str:
    """What a ranged assign knows a volume by: `rootvol` for `rootvol-10`, the whole name where no number follows."""
    match = _NUMBERED.fullmatch(volume)
    return match[1] if match else volume


class Storage:
    """`slots`, `disks`, `pools`, `volumes` (sizes) and `attachments`: read them, change them by the methods."""

    uuid = SHARED_UUID

    def __init__(self, start: Start, changes: Changes, settle_seconds: float, clock: Callable[[], float]) -> None:
        self._changes = changes
        self._seed = start.placement_seed
        self._servers = frozenset(start.cards.servers)
        self.slots = {slot.number: SlotState(slot.number, slot.kind, slot.mode) for slot in start.slots}
        self.disks = {disk.name: disk for slot in start.slots for disk in _disks(slot)}
        self.pools = {PoolId.parse(pool.id): PoolState(pool.disks, pool.size_gib) for pool in start.pools}
        self.volumes = {
            VolumeId.parse(f"{group.pool}/{name}"): group.size_gib for group in start.volumes for name in group.names()
        }
        attached = {VDisk(entry.server, entry.vdisk): _attached(entry) for entry in start.attachments}
        self.attachments = Settling[VDisk, Attached](attached, settle_seconds, clock)

    def free(self) -> dict[PoolId, int]:
        """What no volume takes of each pool, in GiB."""
        left = {pool: state.size_gib for pool, state in self.pools.items()}
        for volume, size in self.volumes.items():
            left[volume.pool_id] -= size
        return left

    def free_gib(self, pool: PoolId) -> int:
        """What no volume of the pool takes."""
        return self.free()[pool]

    def set_mode(self, slot: int, mode: ManagementMode) -> None:
        """Change how a slot is managed: refused while anything of it is assigned, and its pools are gone afterwards."""
        state = self._slot(slot)
        if state.mode is mode:
            return
        if any(self.slot_of(attached) == slot for attached in self.attachments.values()):
            raise Refusal(f"Slot {slot} has assigned volumes or disks")
        with self._changes.change():
            state.mode = mode
            self.volumes = {volume: size for volume, size in self.volumes.items() if volume.slot != slot}
            for pool in [pool for pool in self.pools if pool.slot == slot]:
                for name in self.pools.pop(pool).disks:
                    self.disks[name].metadata = Metadata.FOREIGN

    def clear_metadata(self, slot: int, wanted: Collection[int]) -> None:
        """Erase what is on these disks. Numbers that no disk of the slot has are passed over."""
        self._slot(slot)
        disks = [disk for disk in self.disks.values() if disk.slot == slot and disk.number in wanted]
        if not disks:
            raise Refusal(f"No such disk in slot {slot}")
        for disk in disks:
            self._refuse_used(disk)
        with self._changes.change():
            for disk in self._changes.units(disks):
                disk.metadata = Metadata.NONE

    def create_pool(self, pool: PoolId, disks: Sequence[str]) -> None:
        """Make a pool of clean, free disks of one slot; over several only on a RAID slot."""
        slot = self._slot(pool.slot)
        if slot.mode is not ManagementMode.VOLUME:
            raise Refusal(f"Slot {pool.slot} is not in mgmt-mode volume")
        _check_name(pool.name, "pool")
        if pool in self.pools:
            raise Refusal(f"Pool {pool} already exists")
        if slot.kind != "RAID" and len(disks) > 1:
            raise Refusal("Pool cannot span disks on a JBOD slot")
        for name in disks:
            self._refuse_unclean(self._disk(name, pool.slot))
        if len(set(disks)) != len(disks) or not disks:
            raise Refusal(f"Disks of pool {pool} are named twice or not at all")
        with self._changes.change():
            self.pools[pool] = PoolState(tuple(disks), self._pool_size(slot, disks))
            for name in disks:
                self.disks[name].metadata = Metadata.POOL

    def create_volumes(self, pool: PoolId, names: Sequence[str], size_gib: int) -> None:
        """Make volumes of one size in a pool; all or, where they do not fit or one exists, none."""
        if pool not in self.pools:
            raise Refusal(f"Pool {pool} does not exist")
        volumes = [VolumeId(pool.slot, pool.name, name) for name in names]
        for volume in volumes:
            _check_name(volume.name, "volume")
            if volume in self.volumes:
                raise Refusal(f"Volume {volume} already exists")
        if size_gib < 1 or size_gib * len(volumes) > self.free_gib(pool):
            raise Refusal(f"Not enough free space in pool {pool}: {self.free_gib(pool)}GB")
        with self._changes.change():
            for volume in self._changes.units(volumes):
                self.volumes[volume] = size_gib

    def delete_volumes(self, volumes: Sequence[VolumeId]) -> None:
        """Delete volumes with all that is on them; refused where one is not there or is assigned, and then none goes."""
        taken = set(self.attachments.values())
        for volume in volumes:
            if volume not in self.volumes:
                raise Refusal(f"Volume {volume} does not exist")
            if volume in taken:
                raise Refusal(f"Volume {volume} is assigned")
        with self._changes.change():
            for volume in self._changes.units(volumes):
                del self.volumes[volume]

    def delete_pools(self, pools: Sequence[PoolId]) -> None:
        """Delete pools without volumes; their disks are free, with what a pool leaves behind on them."""
        for pool in pools:
            if pool not in self.pools:
                raise Refusal(f"Pool {pool} does not exist")
            if any(volume.pool_id == pool for volume in self.volumes):
                raise Refusal(f"Pool {pool} has volumes")
        with self._changes.change():
            for pool in self._changes.units(pools):
                for name in self.pools.pop(pool).disks:
                    self.disks[name].metadata = Metadata.FOREIGN

    def assign(self, vdisk: VDisk, what: Attached) -> None:
        """Attach a volume or raw disk. Refused where the vdisk is taken, never because somebody else has the volume."""
        self._exists(what)
        self._vdisk(vdisk)
        if vdisk in self.attachments:
            raise Refusal(f"Vdisk {vdisk.number} of server {vdisk.server} is already assigned")
        with self._changes.change():
            self.attachments.put(vdisk, what)

    def assign_range(self, servers: Sequence[str], numbers: Sequence[int], prefix: str) -> None:
        """Attach free volumes of a prefix, from all pools in no useful order, to the vdisks that are not taken.

        Where the volumes do not suffice, the first vdisks get them and the rest is refused.
        """
        wanted = [self._vdisk(VDisk(server, number)) for server in servers for number in numbers]
        targets = [vdisk for vdisk in wanted if vdisk not in self.attachments]
        free = self._free_volumes(prefix)
        with self._changes.change():
            for vdisk, volume in self._changes.units(list(zip(targets, free, strict=False))):
                self.attachments.put(vdisk, volume)
        if len(free) < len(targets):
            text = f"Not enough free volumes '{prefix}': {len(free)} of {len(targets)} assigned"
            raise Refusal(text, partial=bool(free))

    def unassign(self, vdisk: VDisk) -> None:
        """Detach; refused where nothing is attached."""
        if self._vdisk(vdisk) not in self.attachments:
            raise Refusal(f"Vdisk {vdisk.number} of server {vdisk.server} is not assigned")
        with self._changes.change():
            self.attachments.drop(vdisk)

    def unassign_range(self, servers: Sequence[str], numbers: Sequence[int]) -> None:
        """Detach, passing over what is not attached."""
        wanted = [self._vdisk(VDisk(server, number)) for server in servers for number in numbers]
        with self._changes.change():
            for vdisk in self._changes.units([vdisk for vdisk in wanted if vdisk in self.attachments]):
                self.attachments.drop(vdisk)

    def fail_disk(self, name: str, *, healthy: bool = False) -> None:
        """The hardware's doing, no command: a disk fails (or works again). ValueError where there is no such disk."""
        if name not in self.disks:
            raise ValueError(f"there is no disk {name}")
        with self._changes.change():
            self.disks[name].healthy = healthy

    def slot_of(self, attached: Attached) -> int:
        """The slot a volume or raw disk is in."""
        return attached.slot if isinstance(attached, VolumeId) else self.disks[attached.name].slot

    def saved(self) -> dict[str, object]:
        """The parts of a start file that are storage."""
        return {
            "slots": tuple(self._saved_slot(slot) for slot in self.slots.values()),
            "pools": tuple(
                PoolEntry(id=str(pool), disks=state.disks, size_gib=state.size_gib)
                for pool, state in self.pools.items()
            ),
            "volumes": tuple(
                VolumeGroup(pool=str(volume.pool_id), name=volume.name, size_gib=size)
                for volume, size in self.volumes.items()
            ),
            "attachments": tuple(_entry(vdisk, attached) for vdisk, attached in self.attachments.items()),
        }

    def _saved_slot(self, slot: SlotState) -> StorageSlot:
        disks = tuple(
            DiskGroup(
                numbers=str(disk.number),
                media=disk.media,
                size_gib=disk.size_gib,
                serial=disk.serial,
                metadata=disk.metadata,
                healthy=disk.healthy,
            )
            for disk in self.disks.values()
            if disk.slot == slot.number
        )
        return StorageSlot(number=slot.number, kind=slot.kind, mode=slot.mode, disks=disks)

    def _slot(self, number: int) -> SlotState:
        if number not in self.slots:
            raise Refusal(f"No storage in slot {number}")
        return self.slots[number]

    def _disk(self, name: str, slot: int) -> DiskState:
        disk = self.disks.get(name)
        if disk is None or disk.slot != slot:
            raise Refusal(f"No disk '{name}' in slot {slot}")
        return disk

    def _vdisk(self, vdisk: VDisk) -> VDisk:
        if vdisk.server not in self._servers:
            raise Refusal(f"No server '{vdisk.server}'")
        if not 0 <= vdisk.number < ranges.VDISKS:
            raise Refusal(f"Invalid vdisk '{vdisk.number}'")
        return vdisk

    def _refuse_used(self, disk: DiskState) -> None:
        if disk.metadata is Metadata.POOL:
            raise Refusal(f"Disk {disk.name} is in a pool")
        if RawDisk(disk.name) in self.attachments.values():
            raise Refusal(f"Disk {disk.name} is assigned")
        if not disk.healthy:
            raise Refusal(f"Disk {disk.name} has failed")

    def _refuse_unclean(self, disk: DiskState) -> None:
        self._refuse_used(disk)
        if disk.metadata is not Metadata.NONE:
            raise Refusal(f"Disk {disk.name} has foreign metadata")

    def _pool_size(self, slot: SlotState, disks: Sequence[str]) -> int:
        smallest = min(self.disks[name].size_gib for name in disks)
        # A RAID card gives one disk's worth to parity and one GiB to itself: eight of 447 make the 3128 it shows.
        return (max(len(disks) - 1, 1)) * smallest - 1 if slot.kind == "RAID" else smallest

    def _exists(self, what: Attached) -> None:
        if isinstance(what, VolumeId):
            if what not in self.volumes:
                raise Refusal(f"Volume {what} does not exist")
            return
        if what.name not in self.disks:
            raise Refusal(f"No disk '{what.name}'")
        if self.slots[self.disks[what.name].slot].mode is not ManagementMode.DISK:
            raise Refusal(f"Slot {self.disks[what.name].slot} is not in mgmt-mode disk")

    def _free_volumes(self, prefix: str) -> list[VolumeId]:
        taken = set(self.attachments.values())
        free = [volume for volume in self.volumes if prefix_of(volume.name) == prefix and volume not in taken]
        return sorted(free, key=lambda volume: sha256(f"{self._seed} {volume}".encode()).digest())


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refusal(f"Invalid {what} name '{name}'")


def _disks(slot: StorageSlot) -> list[DiskState]:
    return [
        DiskState(slot.disk_name(n), slot.number, n, group.media, group.size_gib, serial, group.metadata, group.healthy)
        for group in slot.disks
        for n, serial in group.serials()
    ]


def _attached(entry: Attachment) -> Attached:
    return VolumeId.parse(entry.volume) if entry.volume else RawDisk(entry.disk or "")


def _entry(vdisk: VDisk, attached: Attached) -> Attachment:
    volume = str(attached) if isinstance(attached, VolumeId) else None
    disk = attached.name if isinstance(attached, RawDisk) else None
    return Attachment(server=vdisk.server, vdisk=vdisk.number, volume=volume, disk=disk)


def free_size(storage: Storage, pool: PoolId, text: str) -> int:
    """GiB of a size word (`254`, `max`, `max#11`) in a pool; refused where the pool does not exist."""
    if pool not in storage.pools:
        raise Refusal(f"Pool {pool} does not exist")
    return ranges.size(text, storage.free_gib(pool))
