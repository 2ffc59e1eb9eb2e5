"""What the deletion of a StoragePool with policy Wipe destroys, and whether it was consented to. Pure.

While the object lives, its status shows what a wipe would destroy, with a digest. When it is deleted, what the status
showed last is what counts: consent is to exactly that, and what has come since is not touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rackwright.api.status import TEXT_LENGTH, WIPED_DISKS, WIPED_POOLS, WIPED_VOLUMES
from rackwright.core.chassis.holdings import Holdings, declares
from rackwright.core.chassis.rack import PoolObject
from rackwright.core.chassis.storage import Shelf
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.resource import Resource
from rackwright.core.step import Part, PartKind, fingerprint
from rackwright_drivers.contract.storage import Attached, ManagementMode, Metadata, Pool, PoolId, RawDisk, VolumeId

BY_HAND = "Delete it by hand if nothing in it is needed, or set spec.deletionPolicy: Retain."


@dataclass(frozen=True)
class Doomed:
    """A pool, its disks with their serials (none where the pool stays), and the names of the volumes in it that go."""

    pool: PoolId
    disks: Mapping[str, str]
    volumes: tuple[str, ...]


def survey(pool: PoolObject, held: Holdings, shelf: Shelf) -> tuple[tuple[Doomed, ...], tuple[str, ...]]:
    """What a wipe would destroy now, and sentences about pools of the object that it would leave."""
    doomed: list[Doomed] = []
    kept: list[str] = []
    for name, volumes in held.items():
        disks = shelf.pools[name].disks if pool.backend.pools is not None else ()
        foreign = [volume for volume in shelf.volumes if volume.pool_id == name and volume not in volumes]
        failed = [disk for disk in disks if not shelf.disks[disk].healthy]
        if disks and foreign:
            kept.append(f"Pool {name} stays: {foreign[0]} in it is not this object's.")
        elif failed:
            kept.append(f"Pool {name} stays: disk {failed[0]} has failed. Take it out.")
        goes = not foreign and not failed
        serials = {disk: shelf.disks[disk].serial for disk in disks} if goes else {}
        if serials or volumes:
            doomed.append(Doomed(name, serials, tuple(volume.name for volume in volumes)))
    return tuple(doomed), tuple(kept)


def as_status(resource: Resource, doomed: Iterable[Doomed], kept: Iterable[str]) -> dict[str, Any]:
    """What the status shows; `wipe` is missing where nothing would be destroyed."""
    pools = [
        {
            "pool": str(item.pool),
            "disks": [{"name": name, "serial": serial} for name, serial in item.disks.items()][:WIPED_DISKS],
            "volumes": list(item.volumes[:WIPED_VOLUMES]),
        }
        for item in doomed
    ][:WIPED_POOLS]
    if not pools:
        return {}
    found: dict[str, Any] = {"digest": _digest(resource, pools), "pools": pools}
    sentences = [sentence[:TEXT_LENGTH] for sentence in kept][:WIPED_POOLS]
    return {"wipe": {**found, "kept": sentences} if sentences else found}


def recorded(resource: Resource) -> tuple[Doomed, ...]:
    """What the status showed last."""
    return tuple(
        Doomed(
            PoolId.parse(item["pool"]),
            {disk["name"]: disk["serial"] for disk in item["disks"]},
            tuple(item["volumes"]),
        )
        for item in (resource.status.get("wipe") or {}).get("pools", ())
    )


def _digest(resource: Resource, pools: object) -> str:
    """What a person approves: these volumes, pools and disks, by serial, of this very object."""
    return fingerprint(["wipe", resource.uid, pools])


def consented(resource: Resource, destructive: str) -> bool:
    """Whether a wipe may be carried out. The digest is worked out anew: nobody's word in the status counts as it is."""
    if destructive != "RequireApproval":
        return destructive == "Allow"
    pools = (resource.status.get("wipe") or {}).get("pools")
    return bool(pools) and {"plan": _digest(resource, pools)} in resource.spec.get("approvals", ())


def lay_out_wipe(
    wanted: Wanted, pool: PoolObject, held: Holdings, shelf: Shelf, attached: Iterable[Attached | None]
) -> None:
    """Doom what was consented to, as far as it is still what it was; a sentence says what is not."""
    doomed = recorded(pool.resource) or survey(pool, held, shelf)[0]
    raw = {found.name for found in attached if isinstance(found, RawDisk)}
    for item in doomed:
        found = shelf.pools.get(item.pool)
        if found is None:
            _clear(wanted, pool, item, shelf, raw)
        elif item.pool not in held:
            sentence = (
                f"Pool {item.pool} is not what it was when the wipe was approved: it is on other disks. {BY_HAND}"
            )
            wanted.problem(pool.ref, "WipeBlocked", sentence)
        else:
            _empty(wanted, pool, item, found, shelf)


def _empty(wanted: Wanted, pool: PoolObject, item: Doomed, found: Pool, shelf: Shelf) -> None:
    names = {VolumeId(*item.pool, name) for name in item.volumes}
    there = [name for name in shelf.volumes if name.pool_id == item.pool]
    for name in there:
        if name in names:
            wanted.doom(Part(PartKind.VOLUME, name), pool.ref)
    if not item.disks:
        return
    obstacle = next(_obstacles(item, found, [name for name in there if name not in names], shelf), None)
    if obstacle is not None:
        wanted.problem(pool.ref, "WipeBlocked", f"Pool {item.pool} is not deleted: {obstacle} {BY_HAND}")
        return
    wanted.doom(Part(PartKind.POOL, item.pool), pool.ref)
    for disk in item.disks:
        _clean(wanted, pool, disk, shelf)


def _obstacles(item: Doomed, found: Pool, others: list[VolumeId], shelf: Shelf) -> Iterator[str]:
    if others:
        yield f"{others[0]} in it was not there when the wipe was approved."
    if {name: shelf.disks[name].serial for name in found.disks} != item.disks:
        yield "it is on other disks than when the wipe was approved."
    failed = [name for name in found.disks if not shelf.disks[name].healthy]
    if failed:
        yield f"disk {failed[0]} of it has failed."


def _clear(wanted: Wanted, pool: PoolObject, item: Doomed, shelf: Shelf, raw: set[str]) -> None:
    """The pool is deleted: its disks are cleared, those that are the same and that nobody has taken since."""
    for name, serial in item.disks.items():
        disk = shelf.disks.get(name)
        if disk is None or disk.serial != serial or not declares(pool, shelf, name):
            continue
        slot = shelf.slots.get(disk.slot)
        if name in raw or shelf.pool_on(name) is not None or slot is None or slot.mode is not ManagementMode.VOLUME:
            continue
        if disk.healthy or disk.metadata is Metadata.NONE:
            _clean(wanted, pool, name, shelf)
        else:
            sentence = f"Disk {name} (serial {serial}) has failed and cannot be cleared. Take it out."
            wanted.problem(pool.ref, "WipeBlocked", sentence)


def _clean(wanted: Wanted, pool: PoolObject, name: str, shelf: Shelf) -> None:
    wanted.disks[name] = replace(shelf.disks[name], metadata=Metadata.NONE)
    wanted.own(Part(PartKind.DISK, name), pool.ref)
