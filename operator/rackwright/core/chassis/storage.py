"""Which disks, pools and volumes the StoragePools of a chassis come to. Keeps what exists; adds what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from rackwright.api.storage_pool import ChassisBackend
from rackwright.core.chassis.difference import shown
from rackwright.core.chassis.rack import PoolObject, Rack
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.claims import Claim, Settled, settle
from rackwright.core.natural import natural
from rackwright.core.step import Part, PartKind
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.storage import (
    Disk,
    ManagementMode,
    Metadata,
    Pool,
    PoolId,
    RawDisk,
    Slot,
    Volume,
    VolumeId,
)
from rackwright_drivers.contract.unknown import Unknown


@dataclass(frozen=True)
class Shelf:
    """The storage that was observed, whole."""

    slots: Mapping[int, Slot]
    disks: Mapping[str, Disk]
    pools: Mapping[PoolId, Pool]
    volumes: Mapping[VolumeId, Volume]
    declared: frozenset[tuple[PoolId, str]] = frozenset()  # pools that are there, and prefixes that objects use in them

    def pool_on(self, disk: str) -> Pool | None:
        """The pool that a disk is part of."""
        return next((pool for pool in self.pools.values() if disk in pool.disks), None)


def shelf_of(observed: ChassisState) -> Shelf | Unknown:
    """The storage as observed, or the first reason why it cannot be told."""
    slots, disks, pools, volumes = observed.slots, observed.disks, observed.pools, observed.volumes
    if isinstance(slots, Unknown):
        return slots
    if isinstance(disks, Unknown):
        return disks
    if isinstance(pools, Unknown):
        return pools
    if isinstance(volumes, Unknown):
        return volumes
    return Shelf(slots, disks, pools, volumes)


def lay_out_slots(wanted: Wanted, rack: Rack, observed: ChassisState) -> None:
    """The management modes that the Chassis declares."""
    if isinstance(observed.slots, Unknown):
        if rack.chassis.spec.storage_slots:
            sentence = f"The storage slots of the chassis cannot be told: {observed.slots.reason}."
            wanted.problem(rack.ref, "Unknown", sentence)
        return
    for item in rack.chassis.spec.storage_slots:
        if item.slot not in observed.slots:
            there = ", ".join(str(number) for number in sorted(observed.slots)) or "none"
            wanted.problem(
                rack.ref,
                "UnknownSlot",
                f"spec.storageSlots names slot {item.slot}, which the chassis does not have; it has {there}. "
                "Name one of those, or remove the entry.",
            )
            continue
        wanted.slots[item.slot] = Slot(item.slot, ManagementMode(item.management_mode))
        wanted.own(Part(PartKind.SLOT, item.slot), rack.ref)
        if observed.slots[item.slot].mode is not wanted.slots[item.slot].mode:
            _refuse_used(wanted, rack, observed, item.slot)


def _refuse_used(wanted: Wanted, rack: Rack, observed: ChassisState, slot: int) -> None:
    """The mode of a slot is not changed under what is attached from it."""
    attachments = {} if isinstance(observed.attachments, Unknown) else observed.attachments
    disks = {} if isinstance(observed.disks, Unknown) else observed.disks
    users = [
        vdisk
        for vdisk, found in attachments.items()
        if (isinstance(found, VolumeId) and found.slot == slot)
        or (isinstance(found, RawDisk) and found.name in disks and disks[found.name].slot == slot)
    ]
    if users:
        wanted.explained.add(Part(PartKind.SLOT, slot))
        first = min(users, key=natural)
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        wanted.problem(
            rack.ref,
            "SlotInUse",
            f"Slot {slot} should be in mode {wanted.slots[slot].mode}, which destroys what is on it, and {first} has "
            f"{shown(attachments[first])} of it{more}. Detach that by hand if it is not needed, or remove the entry "
            "from spec.storageSlots.",
        )


def lay_out_storage(wanted: Wanted, rack: Rack, observed: ChassisState) -> Mapping[PoolObject, tuple[VolumeId, ...]]:
    """Add disks, pools and volumes of every StoragePool; returns each one's volumes, in natural order."""
    shelf = shelf_of(observed)
    if isinstance(shelf, Unknown):
        for pool in rack.pools:
            wanted.problem(pool.ref, "Unknown", f"The storage of the chassis cannot be told: {shelf.reason}.")
        return {}
    shelf = replace(shelf, declared=frozenset(_prefixes((*rack.pools, *rack.leaving_pools))))
    claims = claims_of(rack, shelf)
    wanted.contest(claims)
    return {pool: tuple(_one(wanted, pool, rack, shelf, claims)) for pool in rack.pools}


def claims_of(rack: Rack, shelf: Shelf) -> Settled:
    """Whose names and disks are whose. A pool that is being deleted keeps its claims until it is gone."""
    pools = (*rack.pools, *rack.leaving_pools)
    return settle((*_name_claims(pools), *_disk_claims(rack, shelf)))


def _name_claims(pools: Iterable[PoolObject]) -> Iterable[Claim]:
    """Whose a pool or volume is, its name says: two objects that use the same names would take each other's."""
    for pool in pools:
        yield Claim(names_of(pool), pool.ref, pool.resource.created)


def _prefixes(pools: Iterable[PoolObject]) -> Iterable[tuple[PoolId, str]]:
    for pool in pools:
        backend = pool.backend
        if backend.existing_pool is not None:
            yield PoolId.parse(backend.existing_pool), backend.volumes.prefix


def names_of(pool: PoolObject) -> str:
    """What the claim to its names is called."""
    backend = pool.backend
    if backend.pools is not None:
        return f"pools named {backend.pools.prefix}-N"
    return f"volumes named {backend.existing_pool}/{backend.volumes.prefix}-N"


def _disk_claims(rack: Rack, shelf: Shelf) -> Iterable[Claim]:
    """Disks that are named, and disks that were taken by a selector and still count: those are somebody's too."""
    for pool in (*rack.pools, *rack.leaving_pools):
        backend = pool.backend
        taken = frozenset(_taken(pool, rack, shelf))
        for name in (*pool.claimed_disks, *taken):
            holder = shelf.pool_on(name)
            holds = name in taken or (holder is not None and _is_ours(holder.id, backend))
            yield Claim(f"disk {name}", pool.ref, pool.resource.created, holds)


def _is_ours(pool: PoolId, backend: ChassisBackend) -> bool:
    return backend.pools is not None and pool.name.rpartition("-")[0] == backend.pools.prefix


def _one(wanted: Wanted, pool: PoolObject, rack: Rack, shelf: Shelf, claims: Settled) -> Iterable[VolumeId]:
    backend = pool.backend
    rival = claims.lost(pool.ref, names_of(pool))
    if rival is not None:
        sentence = f"{rival} has the {names_of(pool)} already. Make this object anew with another prefix."
        wanted.problem(pool.ref, "Conflict", f"spec.backend.chassis: {sentence}", rival)
        return
    if backend.existing_pool is not None:
        held = _existing(wanted, pool, shelf, PoolId.parse(backend.existing_pool))
    else:
        held = _own_pools(wanted, pool, rack, shelf, claims)
    for found in held:
        yield from _volumes(wanted, pool, shelf, found)


def _existing(wanted: Wanted, pool: PoolObject, shelf: Shelf, name: PoolId) -> tuple[Pool, ...]:
    found = shelf.pools.get(name)
    if found is None:
        there = ", ".join(sorted(map(str, shelf.pools), key=natural)) or "none"
        wanted.problem(
            pool.ref,
            "UnknownPool",
            f"spec.backend.chassis.existingPool is {name}, which the chassis does not have; it has {there}. "
            "Name one of those, or let this object make pools of its own.",
        )
        return ()
    wanted.pools[name] = found
    wanted.own(Part(PartKind.POOL, name), pool.ref)
    return (found,)


def _own_pools(wanted: Wanted, pool: PoolObject, rack: Rack, shelf: Shelf, claims: Settled) -> tuple[Pool, ...]:
    backend = pool.backend
    assert backend.pools is not None  # one of existingPool and pools is there, by validation
    disks = _usable(wanted, pool, shelf, _chosen(wanted, pool, rack, shelf, claims))
    groups = [(disk,) for disk in disks] if backend.pools.per_disk else [tuple(disks)] if disks else []
    prefix, first = backend.pools.prefix, backend.pools.first_number
    kept = {names: shelf_pool for names in groups if (shelf_pool := _kept(names, shelf, backend))}
    taken = {found.name for found in (*shelf.pools, *wanted.pools)}
    numbers = (number for number in count(first) if f"{prefix}-{number}" not in taken)
    result = []
    for names in groups:
        found = kept.get(names) or _new_pool(shelf, names, f"{prefix}-{next(numbers)}")
        wanted.pools[found.id] = found
        wanted.own(Part(PartKind.POOL, found.id), pool.ref)
        if not all(shelf.disks[disk].healthy for disk in names):
            wanted.failing.add(found.id)
        for disk in names:
            clean = shelf.disks[disk] if names in kept else replace(shelf.disks[disk], metadata=Metadata.NONE)
            wanted.disks[disk] = clean
            wanted.own(Part(PartKind.DISK, disk), pool.ref)
        result.append(found)
    return tuple(result)


def _new_pool(shelf: Shelf, names: tuple[str, ...], name: str) -> Pool:
    size = sum(shelf.disks[disk].size_gib for disk in names)
    return Pool(PoolId(shelf.disks[names[0]].slot, name), names, size, size)


def _kept(names: tuple[str, ...], shelf: Shelf, backend: ChassisBackend) -> Pool | None:
    found = shelf.pool_on(names[0])
    return found if found is not None and set(found.disks) == set(names) and _is_ours(found.id, backend) else None


def _chosen(wanted: Wanted, pool: PoolObject, rack: Rack, shelf: Shelf, claims: Settled) -> list[str]:
    """The disks by name, or as many as asked for of those that match and that nobody else names or uses."""
    backend = pool.backend
    disks = backend.disks
    assert disks is not None
    if disks.names:
        return _not_lost(wanted, pool, list(disks.names), claims)
    named = _named(rack)
    ours = [name for name in _taken(pool, rack, shelf) if claims.lost(pool.ref, f"disk {name}") is None]
    free = [
        name
        for name in _matching(pool, shelf)
        if name not in named and name not in wanted.disks and shelf.pool_on(name) is None and shelf.disks[name].healthy
    ]
    wants = disks.count if disks.count is not None else len(ours) + len(free)
    chosen = (ours + free)[:wants]
    if len(chosen) < wants:
        wanted.problem(
            pool.ref,
            "NoCapacity",
            f"spec.backend.chassis.disks.count asks for {wants} disks, but only {len(chosen)} match the selector and "
            "are free. Lower the count, widen the selector, or add disks.",
        )
    return sorted(chosen, key=lambda name: (shelf.disks[name].slot, natural(name)))


def _matching(pool: PoolObject, shelf: Shelf) -> Iterable[str]:
    """The disks that the pool's selector is for, by slot and name."""
    for disk in sorted(shelf.disks.values(), key=lambda disk: (disk.slot, natural(disk.name))):
        if selected(disk, pool.backend):
            yield disk.name


def _taken(pool: PoolObject, rack: Rack, shelf: Shelf) -> list[str]:
    """Of those that it took before as many as it asks for; where that is fewer now, others' by name are given up first."""
    disks = pool.backend.disks
    if disks is None or disks.selector is None:
        return []
    named = _named(rack)
    ours = [name for name in _matching(pool, shelf) if _kept((name,), shelf, pool.backend)]
    return sorted(ours, key=named.__contains__)[: disks.count]


def _named(rack: Rack) -> frozenset[str]:
    return frozenset(name for pool in (*rack.pools, *rack.leaving_pools) for name in pool.claimed_disks)


def selected(disk: Disk, backend: ChassisBackend) -> bool:
    """Whether the backend's selector takes such a disk."""
    selector = backend.disks.selector if backend.disks else None
    if selector is None:
        return True
    in_slot = not selector.slots or disk.slot in selector.slots
    return in_slot and (selector.media is None or disk.media.value == selector.media.value)


def _not_lost(wanted: Wanted, pool: PoolObject, names: list[str], claims: Settled) -> list[str]:
    kept = []
    for name in names:
        rival = claims.lost(pool.ref, f"disk {name}")
        if rival is None:
            kept.append(name)
        else:
            wanted.problem(
                pool.ref,
                "Conflict",
                f"spec.backend.chassis.disks names {name}, which {rival} has already. Remove it from one of the two.",
                rival,
            )
    return kept


def _usable(wanted: Wanted, pool: PoolObject, shelf: Shelf, names: list[str]) -> list[str]:
    backend, usable = pool.backend, []
    for name in names:
        disk = shelf.disks.get(name)
        holder = shelf.pool_on(name)
        if disk is None:
            sentence = "which the chassis does not list. Name a disk that it has, or look whether the disk is seated."
            wanted.problem(pool.ref, "UnknownDisk", f"spec.backend.chassis.disks names {name}, {sentence}")
        elif not disk.healthy:
            sentence = f"which the chassis calls failed (serial {disk.serial}). Replace it, or name another."
            wanted.problem(pool.ref, "DiskFailed", f"spec.backend.chassis.disks names {name}, {sentence}")
            if _kept((name,), shelf, backend):
                usable.append(name)  # what is on it stays where it is
        elif holder is not None and not _kept((name,), shelf, backend):
            wanted.problem(
                pool.ref,
                "DiskInUse",
                f"spec.backend.chassis.disks names {name}, which is part of the pool {holder.id}; nobody declared that "
                "pool as ours. Name another disk, or delete that pool by hand if nothing on it is needed.",
            )
        elif _mode(wanted, shelf, disk.slot) is not ManagementMode.VOLUME:
            wanted.problem(
                pool.ref,
                "SlotInDiskMode",
                f"Disk {name} is in slot {disk.slot}, which is in disk mode. Let spec.storageSlots of the Chassis say "
                f"{{slot: {disk.slot}, managementMode: Volume}}.",
            )
        else:
            usable.append(name)
    return usable


def _mode(wanted: Wanted, shelf: Shelf, slot: int) -> ManagementMode | None:
    """The mode that a slot will have, or has where nobody says; None where the chassis does not list it."""
    there = shelf.slots.get(slot)
    if there is not None and there.mode is ManagementMode.VOLUME and Part(PartKind.SLOT, slot) in wanted.explained:
        return there.mode  # its change is refused, as its volumes are in use: they go on being what they are
    found = wanted.slots.get(slot) or there
    return found.mode if found else None


def _volumes(wanted: Wanted, pool: PoolObject, shelf: Shelf, held: Pool) -> Iterable[VolumeId]:
    volumes = pool.backend.volumes
    many = volumes.count if volumes.count is not None else volumes.per_pool
    assert many is not None  # by validation
    same = volumes.numbering == "SameAsPool"
    numbers = [int(held.id.name.rpartition("-")[2])] if same else list(range(many))
    names = [VolumeId(*held.id, f"{volumes.prefix}-{number}") for number in numbers]
    shared = volumes.size_gib is None
    size = volumes.size_gib or held.size_gib // len(numbers)
    if held.id in wanted.failing:
        names = [name for name in names if name in shelf.volumes]
    missing = [name for name in names if name not in shelf.volumes]
    free = held.free_gib - sum(
        volume.size_gib
        for name, volume in wanted.volumes.items()
        if name.pool_id == held.id and name not in shelf.volumes and name not in missing
    )
    if size * len(missing) > free:
        asked = f"{len(missing)} volumes of {size} GiB in pool {held.id}, which has only {free} GiB free"
        _no_capacity(wanted, pool, shelf, held.id, asked, names)
        names = [name for name in names if name in shelf.volumes]
    if shared:
        wanted.shares[held.id] = len(numbers)
    for name in names:
        found = shelf.volumes.get(name)
        wanted.volumes[name] = found if found is not None and shared else Volume(name, size)
        wanted.own(Part(PartKind.VOLUME, name), pool.ref)
    return names


def _no_capacity(
    wanted: Wanted, pool: PoolObject, shelf: Shelf, held: PoolId, asked: str, mine: Sequence[VolumeId]
) -> None:
    ours = {*wanted.volumes, *mine}
    others = [
        volume
        for name, volume in shelf.volumes.items()
        if name.pool_id == held and name not in ours and (held, name.prefix) not in shelf.declared
    ]
    names = sorted((str(volume.id) for volume in others), key=natural)
    first = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    size = sum(volume.size_gib for volume in others)
    filled = f" In it are {first} ({size} GiB), which nobody declared and which stay." if others else ""
    sentence = f"spec.backend.chassis.volumes asks for {asked}.{filled} Free some of it, or ask for less."
    wanted.problem(pool.ref, "NoCapacity", sentence)
