"""Which node wants volumes of which pool on which vdisks, and who has a vdisk that several want. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rackwright.api.storage_pool import Assign
from rackwright.core.chassis.rack import NodeObject, PoolObject, Rack
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.claims import Claim, Settled, settle
from rackwright.core.natural import natural
from rackwright.core.resource import Ref
from rackwright_drivers.contract.storage import Attached, VDisk, VolumeId


@dataclass(frozen=True)
class Demand:
    """One volume that one node wants on these vdisks: one of them, or all of them where it is one volume on all paths."""

    node: NodeObject
    vdisks: tuple[VDisk, ...]


class Place(NamedTuple):
    """One entry of `spec.assign` of one pool."""

    pool: Ref
    assign: str


def demands(
    wanted: Wanted,
    rack: Rack,
    volumes: Mapping[PoolObject, Sequence[VolumeId]],
    attachments: Mapping[VDisk, Attached | None],
) -> Mapping[Place, tuple[Demand, ...]]:
    """What every assign of every pool asks for. A vdisk that several ask for is one's alone; the others' pools say so."""
    asked = {
        Place(pool.ref, assign.name): tuple(_asked(rack, assign)) for pool in volumes for assign in pool.spec.assign
    }
    created = {pool.ref: pool.resource.created for pool in volumes}
    ours = {pool.ref: frozenset(names) for pool, names in volumes.items()}
    claims = settle(
        (
            *(
                Claim(str(vdisk), _claimant(place), created[place.pool], attachments.get(vdisk) in ours[place.pool])
                for place, found in asked.items()
                for vdisk in _vdisks(found)
            ),
            *_kept_free(rack, attachments),
        )
    )
    wanted.contest(claims)
    return {place: tuple(_won(wanted, place, found, claims)) for place, found in asked.items()}


def _kept_free(rack: Rack, attachments: Mapping[VDisk, Attached | None]) -> Iterator[Claim]:
    """What a pool that is being deleted has emptied, or is about to, is given to no other pool before it is gone."""
    for pool in rack.leaving_pools:
        prefix = pool.backend.volumes.prefix
        for assign in pool.spec.assign:
            for vdisk in _vdisks(_asked(rack, assign)):
                found = attachments.get(vdisk)
                holds = found is None or found.name.rpartition("-")[0] == prefix
                yield Claim(str(vdisk), _claimant(Place(pool.ref, assign.name)), pool.resource.created, holds)


def _asked(rack: Rack, assign: Assign) -> Iterator[Demand]:
    nodes = [node for node in rack.nodes if assign.node_selector.matches(node.resource.labels)]
    for node in sorted(nodes, key=lambda node: natural(node.server)):
        vdisks = tuple(VDisk(node.server, number) for number in assign.vdisks)
        if assign.attach == "AllPaths":
            yield Demand(node, vdisks)
        else:
            yield from (Demand(node, (vdisk,)) for vdisk in vdisks)


def _vdisks(found: Iterable[Demand]) -> Iterator[VDisk]:
    for demand in found:
        yield from demand.vdisks


def _claimant(place: Place) -> Ref:
    """As a person writes it: two assigns of one pool are rivals too."""
    return place.pool._replace(name=f"{place.pool.name} spec.assign[{place.assign}]")


def _won(wanted: Wanted, place: Place, found: Sequence[Demand], claims: Settled) -> Iterator[Demand]:
    lost: dict[Ref, list[VDisk]] = {}
    for demand in found:
        rivals = [
            (rival, vdisk)
            for vdisk in demand.vdisks
            if (rival := claims.lost(_claimant(place), str(vdisk))) is not None
        ]
        if not rivals:
            yield demand
        for rival, vdisk in rivals:
            lost.setdefault(rival, []).append(vdisk)
    for rival, vdisks in lost.items():
        more = f" and {len(vdisks) - 1} more" if len(vdisks) > 1 else ""
        wanted.problem(
            place.pool,
            "Conflict",
            f"spec.assign[{place.assign}] wants {vdisks[0]}{more}, which {rival} has already. Use other vdisks, or "
            "narrow one of the two nodeSelectors.",
            rival._replace(name=rival.name.partition(" ")[0]),
        )
