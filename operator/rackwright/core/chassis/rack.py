"""What the planner is given: the objects of one chassis, parsed, and what they remember."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rackwright.api.chassis import ChassisSpec
from rackwright.api.compute_node import ComputeNodeSpec
from rackwright.api.storage_pool import ChassisBackend, StoragePoolSpec
from rackwright.core.resource import NODE_SET_LABEL, Ref, Resource
from rackwright_drivers.contract.storage import VDisk, VolumeId


@dataclass(frozen=True, eq=False)  # equal only to itself: a key of plans, and its data is not hashable
class ChassisObject:
    """The Chassis."""

    resource: Resource
    spec: ChassisSpec

    @property
    def ref(self) -> Ref:
        """Its name."""
        return self.resource.ref


@dataclass(frozen=True, eq=False)  # equal only to itself: a key of plans, and its data is not hashable
class PoolObject:
    """A StoragePool whose backend is this chassis."""

    resource: Resource
    spec: StoragePoolSpec

    wipes: bool = False  # it is being deleted, and what is its own on the device goes with it, by consent

    @property
    def ref(self) -> Ref:
        """Its name."""
        return self.resource.ref

    @property
    def backend(self) -> ChassisBackend:
        """Where its volumes come from."""
        backend = self.spec.backend.chassis
        assert backend is not None  # the rack holds only pools whose backend is the chassis
        return backend

    @property
    def claimed_disks(self) -> tuple[str, ...]:
        """The disks that nobody else may take: those it names, and those it is about to clear."""
        disks = self.backend.disks
        wiped = (
            disk["name"] for item in (self.resource.status.get("wipe") or {}).get("pools", ()) for disk in item["disks"]
        )
        return tuple(
            dict.fromkeys((*((disks.names or ()) if disks else ()), *(wiped if self.resource.leaving else ())))
        )


@dataclass(frozen=True, eq=False)  # equal only to itself: a key of plans, and its data is not hashable
class NodeObject:
    """A ComputeNode that is a card of this chassis."""

    resource: Resource
    spec: ComputeNodeSpec

    @property
    def ref(self) -> Ref:
        """Its name."""
        return self.resource.ref

    @property
    def server(self) -> str:
        """The card, as the chassis names it."""
        return self.spec.server


@dataclass(frozen=True)
class Rack:
    """All valid objects of one chassis, and nodes that cannot be planned: what they remember is not given away."""

    chassis: ChassisObject
    pools: tuple[PoolObject, ...]
    nodes: tuple[NodeObject, ...]
    idle: tuple[Resource, ...] = ()
    doubtful: tuple[Ref, ...] = ()  # pools that cannot be planned: a server may be meant to come up from one of them
    leaving_pools: tuple[PoolObject, ...] = ()  # being deleted: what they have is to be detached
    leaving_nodes: tuple[NodeObject, ...] = ()
    referring: tuple[Ref, ...] = ()  # all objects that a Chassis which is being deleted waits for

    @property
    def ref(self) -> Ref:
        """The chassis' name."""
        return self.chassis.resource.ref

    @property
    def objects(self) -> tuple["ChassisObject | PoolObject | NodeObject", ...]:
        """All that is planned, what is being deleted too."""
        return (self.chassis, *self.pools, *self.leaving_pools, *self.nodes, *self.leaving_nodes)

    @cached_property
    def protected(self) -> frozenset[str]:
        """Servers that nothing may touch."""
        return frozenset(self.chassis.spec.protected_servers)

    @cached_property
    def by_server(self) -> Mapping[str, NodeObject]:
        """The node of each card; where two claim one card, the claim's winner is the only one in `nodes`."""
        return {node.server: node for node in self.nodes}

    def set_of(self, server: str) -> str | None:
        """The set of the Chassis that stamped the node of a card; None where no set did."""
        node = self.by_server.get(server)
        stamped = node is not None and node.resource.owner_uid == self.chassis.resource.uid
        return node.resource.labels.get(NODE_SET_LABEL) if node is not None and stamped else None

    @cached_property
    def remembered(self) -> Mapping[VDisk, VolumeId]:
        """Which volume each vdisk had when its node was last seen right: data belongs to its server."""
        found: dict[VDisk, VolumeId] = {}
        for resource in (*self.idle, *(node.resource for node in (*self.nodes, *self.leaving_nodes))):
            for item in resource.status.get("assignments", ()):
                found[VDisk(str(resource.spec.get("server")), item["vdisk"])] = VolumeId.parse(item["volume"])
        return found

    @cached_property
    def rememberers(self) -> Mapping[VolumeId, frozenset[str]]:
        """The servers that remember each volume."""
        found: dict[VolumeId, set[str]] = {}
        for vdisk, volume in self.remembered.items():
            found.setdefault(volume, set()).add(vdisk.server)
        return {volume: frozenset(servers) for volume, servers in found.items()}

    @cached_property
    def remembered_by(self) -> Mapping[str, Mapping[VDisk, VolumeId]]:
        """What each server remembers."""
        found: dict[str, dict[VDisk, VolumeId]] = {}
        for vdisk, volume in self.remembered.items():
            found.setdefault(vdisk.server, {})[vdisk] = volume
        return found
