"""What on the device is a StoragePool's own: by the names that it claims, on disks that it declares. Pure."""

import re
from collections.abc import Mapping

from rackwright.core.chassis.rack import PoolObject, Rack
from rackwright.core.chassis.storage import Shelf, claims_of, names_of, selected
from rackwright.core.natural import natural
from rackwright_drivers.contract.storage import Pool, PoolId, VolumeId

Holdings = Mapping[PoolId, tuple[VolumeId, ...]]


def holdings(rack: Rack, shelf: Shelf) -> Mapping[PoolObject, Holdings]:
    """For each StoragePool, also one that is being deleted: its pools that are there, and its volumes in each."""
    claims = claims_of(rack, shelf)
    return {
        pool: {} if claims.lost(pool.ref, names_of(pool)) else _held(pool, shelf)
        for pool in (*rack.pools, *rack.leaving_pools)
    }


def _held(pool: PoolObject, shelf: Shelf) -> Holdings:
    return {
        found.id: tuple(
            sorted((name for name in shelf.volumes if name.pool_id == found.id and _is_volume(pool, name)), key=natural)
        )
        for found in sorted(shelf.pools.values(), key=lambda found: natural(found.id))
        if _is_pool(pool, found, shelf)
    }


def _is_pool(pool: PoolObject, found: Pool, shelf: Shelf) -> bool:
    backend = pool.backend
    if backend.pools is None:
        return str(found.id) == backend.existing_pool
    return _numbered(backend.pools.prefix, found.id.name) and all(declares(pool, shelf, disk) for disk in found.disks)


def _is_volume(pool: PoolObject, name: VolumeId) -> bool:
    return _numbered(pool.backend.volumes.prefix, name.name)


def _numbered(prefix: str, name: str) -> bool:
    return re.fullmatch(re.escape(prefix) + r"-\d+", name) is not None


def declares(pool: PoolObject, shelf: Shelf, disk: str) -> bool:
    """Whether a disk is one that the pool names, or that its selector takes."""
    disks, found = pool.backend.disks, shelf.disks.get(disk)
    if disks is None or found is None:
        return False
    return disk in disks.names if disks.names else selected(found, pool.backend)
