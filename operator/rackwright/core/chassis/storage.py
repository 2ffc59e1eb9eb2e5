"""Which disks, pools and volumes the StoragePools of a chassis come to. Keeps what exists; adds what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rackwright.api.storage_pool import ChassisBackend
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
    for item in rack.chassis.spec.storage_slots:
        if isinstance(observed.slots, Unknown):
            return
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


def lay_out_storage(wanted: Wanted, rack: Rack, observed: ChassisState) -> Mapping[PoolObject, tuple[VolumeId, ...]]:
    """Add disks, pools and volumes of every StoragePool; returns each one's volumes, in natural order."""
    shelf = shelf_of(observed)
    if isinstance(shelf, Unknown):
        for pool in rack.pools:
            wanted.problem(pool.ref, "Unknown", f"The storage of the chassis cannot be told: {shelf.reason}.")
        return {}
    claims = settle(_disk_claims(rack.pools, shelf))
    return {pool: tuple(_one(wanted, pool, rack, shelf, claims)) for pool in rack.pools}


def _disk_claims(pools: Iterable[PoolObject], shelf: Shelf) -> Iterable[Claim]:
    for pool in pools:
        backend = _backend(pool)
        for name in (backend.disks.names or ()) if backend.disks else ():
            holder = shelf.pool_on(name)
            yield Claim(
                thing=f"disk {name}",
                owner=pool.ref,
                created=pool.resource.created,
                holds=holder is not None and _is_ours(holder.id, backend),
            )


def _backend(pool: PoolObject) -> ChassisBackend:
    backend = pool.spec.backend.chassis
    assert backend is not None  # the rack holds only pools whose backend is the chassis
    return backend


def _is_ours(pool: PoolId, backend: ChassisBackend) -> bool:
    return backend.pools is not None and pool.name.rpartition("-")[0] == backend.pools.prefix


def _one(wanted: Wanted, pool: PoolObject, rack: Rack, shelf: Shelf, claims: Settled) -> Iterable[VolumeId]:
    backend = _backend(pool)
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
    backend = _backend(pool)
    assert backend.pools is not None  # one of existingPool and pools is there, by validation
    disks = _usable(wanted, pool, shelf, _chosen(wanted, pool, rack, shelf, claims))
    groups = [(disk,) for disk in disks] if backend.pools.per_disk else [tuple(disks)] if disks else []
    prefix, first = backend.pools.prefix, backend.pools.first_number
    kept = {names: shelf_pool for names in groups if (shelf_pool := _kept(names, shelf, backend))}
    taken = {found.id.name for found in kept.values()}
    numbers = (number for number in range(first, first + len(groups) * 2 + 1) if f"{prefix}-{number}" not in taken)
    result = []
    for names in groups:
        found = kept.get(names) or _new_pool(shelf, names, f"{prefix}-{next(numbers)}")
        wanted.pools[found.id] = found
        wanted.own(Part(PartKind.POOL, found.id), pool.ref)
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
    backend = _backend(pool)
    disks = backend.disks
    assert disks is not None
    if disks.names:
        return _not_lost(wanted, pool, list(disks.names), claims)
    named = {name for other in rack.pools for name in (_names(other))}
    matching = [
        disk.name
        for disk in sorted(shelf.disks.values(), key=lambda disk: (disk.slot, natural(disk.name)))
        if disk.name not in named and _selected(disk, backend) and disk.healthy and disk.name not in wanted.disks
    ]
    ours = [name for name in matching if (holder := shelf.pool_on(name)) and _is_ours(holder.id, backend)]
    free = [name for name in matching if shelf.pool_on(name) is None]
    count = disks.count if disks.count is not None else len(ours) + len(free)
    chosen = (ours + free)[:count]
    if len(chosen) < count:
        wanted.problem(
            pool.ref,
            "NoCapacity",
            f"spec.backend.chassis.disks.count asks for {count} disks, but only {len(chosen)} match the selector and "
            "are free. Lower the count, widen the selector, or add disks.",
        )
    return sorted(chosen, key=lambda name: (shelf.disks[name].slot, natural(name)))


def _names(pool: PoolObject) -> tuple[str, ...]:
    disks = _backend(pool).disks
    return tuple(disks.names or ()) if disks else ()


def _selected(disk: Disk, backend: ChassisBackend) -> bool:
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
    backend, usable = _backend(pool), []
    for name in names:
        disk = shelf.disks.get(name)
        holder = shelf.pool_on(name)
        if disk is None:
            sentence = "which the chassis does not list. Name a disk that it has, or look whether the disk is seated."
            wanted.problem(pool.ref, "UnknownDisk", f"spec.backend.chassis.disks names {name}, {sentence}")
        elif not disk.healthy:
            wanted.problem(pool.ref, "DiskFailed", f"The chassis calls disk {name} (serial {disk.serial}) failed.")
        elif holder is not None and not _is_ours(holder.id, backend):
            wanted.problem(
                pool.ref,
                "DiskInUse",
                f"spec.backend.chassis.disks names {name}, which is part of the pool {holder.id}; nobody declared that "
                "pool as ours. Name another disk, or delete that pool by hand if nothing on it is needed.",
            )
        elif shelf.slots[disk.slot].mode is not ManagementMode.VOLUME and disk.slot not in wanted.slots:
            wanted.problem(
                pool.ref,
                "SlotInDiskMode",
                f"Disk {name} is in slot {disk.slot}, which is in disk mode. Add {{slot: {disk.slot}, managementMode: "
                "Volume} to spec.storageSlots of the Chassis.",
            )
        else:
            usable.append(name)
    return usable


def _volumes(wanted: Wanted, pool: PoolObject, shelf: Shelf, held: Pool) -> Iterable[VolumeId]:
    volumes = _backend(pool).volumes
    count = volumes.count if volumes.count is not None else volumes.per_pool
    assert count is not None  # by validation
    same = volumes.numbering == "SameAsPool"
    numbers = [int(held.id.name.rpartition("-")[2])] if same else list(range(count))
    names = [VolumeId(*held.id, f"{volumes.prefix}-{number}") for number in numbers]
    shared = volumes.size_gib is None
    size = volumes.size_gib or held.size_gib // len(names)
    missing = [name for name in names if name not in shelf.volumes]
    if held.id in shelf.pools and size * len(missing) > shelf.pools[held.id].free_gib:
        _no_capacity(wanted, pool, shelf, held.id, f"{len(missing)} volumes of {size} GiB")
        names = [name for name in names if name in shelf.volumes]
    if shared:
        wanted.shares[held.id] = len(numbers)
    for name in names:
        found = shelf.volumes.get(name)
        wanted.volumes[name] = found if found is not None and shared else Volume(name, size)
        wanted.own(Part(PartKind.VOLUME, name), pool.ref)
    return names


def _no_capacity(wanted: Wanted, pool: PoolObject, shelf: Shelf, held: PoolId, asked: str) -> None:
    ours = {name for name in wanted.volumes if name.pool_id == held}
    others = [volume for name, volume in shelf.volumes.items() if name.pool_id == held and name not in ours]
    names = sorted((str(volume.id) for volume in others), key=natural)
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    wanted.problem(
        pool.ref,
        "NoCapacity",
        f"Pool {held} has {shelf.pools[held].free_gib} GiB free, too little for {asked}. It is filled by "
        f"{shown or 'its own volumes'} ({sum(volume.size_gib for volume in others)} GiB), which nobody declared and "
        "which stay. Free some of it, or ask for less.",
    )
