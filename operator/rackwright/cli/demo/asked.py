"""What the manifests ask of the chassis, read as a person reads them. Pure; knows nothing of the operator's planner."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rackwright.core.resource import CHASSIS, NODE_SET_LABEL, STORAGE_POOL
from rackwright_drivers.contract.storage import ManagementMode, Metadata, PoolId, VolumeId
from rackwright_sim.fabric import NICS
from rackwright_sim.startfile import Start

DEFAULT, ISOLATED = "Default", None
ROOT_VDISK = 0
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Assigned:
    """Which servers have a volume of these, and on which of their vdisks.

    `all_paths`: one volume a server, on all of the vdisks; else one a vdisk. No two of `apart` may share a disk.
    """

    name: str
    volumes: frozenset[VolumeId]
    servers: frozenset[str]
    vdisks: tuple[int, ...]
    all_paths: bool = False
    apart: frozenset[str] = frozenset()

    @property
    def pools(self) -> frozenset[PoolId]:
        """The pools of its volumes."""
        return frozenset(volume.pool_id for volume in self.volumes)


@dataclass(frozen=True)
class Asked:
    """What is to be seen on the chassis when all is as declared.

    `ports` has the VLAN of each NIC of each server that is ours: a number, or None for isolated. `pools` are those to be
    made, each with its one disk. The size of a volume is in GiB, or None for an equal share of its pool.
    """

    protected: frozenset[str]
    sets: Mapping[str, frozenset[str]]
    ports: Mapping[tuple[str, int], int | None]
    uplinks: Mapping[str, int]
    vlans: frozenset[int]
    slots: frozenset[int]
    pools: Mapping[PoolId, str]
    volumes: Mapping[VolumeId, int | None]
    assigned: tuple[Assigned, ...]

    @property
    def servers(self) -> frozenset[str]:
        """All that are ours."""
        return frozenset(server for server, _ in self.ports)

    @property
    def roles(self) -> frozenset[str]:
        """The servers of which no two may share a disk."""
        return frozenset().union(*(item.apart for item in self.assigned))

    @property
    def root(self) -> Assigned:
        """What the servers boot from."""
        return next(item for item in self.assigned if ROOT_VDISK in item.vdisks)

    def of_pool(self, pool: PoolId) -> frozenset[VolumeId]:
        """The volumes that a pool is to hold."""
        return frozenset(volume for volume in self.volumes if volume.pool_id == pool)


def asked(documents: Iterable[Document], found: Start) -> Asked:
    """Read the manifests of one chassis, for the cards, disks and default VLAN that it has."""
    everything = list(documents)
    spec = next(item["spec"] for item in everything if item["kind"] == CHASSIS)
    ours = [server for server in found.cards.servers if server not in spec["protectedServers"]]
    sets, ports = _servers(spec, ours, found.switch.default_vlan)
    layouts = {
        item["metadata"]["name"]: item["spec"]
        for item in everything
        if item["kind"] == STORAGE_POOL and "chassis" in item["spec"]["backend"]
    }
    pools: dict[PoolId, str] = {}
    volumes: dict[VolumeId, int | None] = {}
    assigned: list[Assigned] = []
    for name, layout in layouts.items():
        backend = layout["backend"]["chassis"]
        numbers = _pools(backend, _disks(backend.get("disks"), layouts.values(), found))
        pools |= {pool: disk for pool, (_, disk) in numbers.items()}
        made = _volumes(backend, {pool: number for pool, (number, _) in numbers.items()})
        volumes |= made
        assigned += [_assigned(name, item, frozenset(made), sets) for item in layout.get("assign", ())]
    return Asked(
        protected=frozenset(spec["protectedServers"]),
        sets=sets,
        ports=ports,
        uplinks={item["port"]: item["untagged"] for item in spec.get("uplinks", ())},
        vlans=frozenset(item["id"] for item in spec["vlans"]),
        slots=frozenset(item["slot"] for item in spec["storageSlots"] if item["managementMode"] == "Volume"),
        pools=pools,
        volumes=volumes,
        assigned=tuple(assigned),
    )


def _servers(
    spec: Document, ours: Sequence[str], default: int
) -> tuple[dict[str, frozenset[str]], dict[tuple[str, int], int | None]]:
    """The servers of each set, and the VLAN of each of their NICs."""
    sets: dict[str, frozenset[str]] = {}
    ports: dict[tuple[str, int], int | None] = {}
    for node_set in spec["nodeSets"]:
        members = [member["server"] for member in node_set.get("members", ())]
        servers = members or [server for server in ours if (server, 0) not in ports]
        groups = node_set["template"]["nicGroups"]
        sets[node_set["name"]] = frozenset(servers)
        ports |= {(server, index): _vlan(groups, index, default) for server in servers for index in range(NICS)}
    return sets, ports


def _vlan(groups: Iterable[Document], index: int, default: int) -> int | None:
    group = next((group for group in groups if index in group["indexes"]), {})
    return default if group.get("vlan") == DEFAULT else group.get("untagged", ISOLATED)


def _disks(disks: Document | None, layouts: Iterable[Document], found: Start) -> list[str]:
    """Those that are named; or of those that match, the first that nobody names and no pool has."""
    if disks is None:
        return []
    if "names" in disks:
        return list(disks["names"])
    taken = {disk for pool in found.pools for disk in pool.disks}
    taken |= {name for item in layouts for name in item["backend"]["chassis"].get("disks", {}).get("names", ())}
    slots, media = disks["selector"]["slots"], disks["selector"]["media"]
    free = [
        slot.disk_name(number)
        for slot in sorted(found.slots, key=lambda slot: slot.number)
        for group in slot.disks
        for number, _ in group.serials()
        if slot.number in slots and group.media.value == media and slot.disk_name(number) not in taken
    ]
    return free[: disks["count"]]


def _pools(backend: Document, disks: Sequence[str]) -> dict[PoolId, tuple[int, str]]:
    """A pool a disk, with its number; none where the pool is there already."""
    if "existingPool" in backend:
        return {}
    prefix, first = backend["pools"]["prefix"], backend["pools"]["firstNumber"]
    return {
        PoolId(int(disk.removeprefix("JBOD").partition("/")[0]), f"{prefix}-{number}"): (number, disk)
        for number, disk in enumerate(disks, start=first)
    }


def _volumes(backend: Document, pools: Mapping[PoolId, int]) -> dict[VolumeId, int | None]:
    layout = backend["volumes"]
    size = None if layout["size"] == "EqualShare" else int(layout["size"].removesuffix("Gi"))
    if "existingPool" in backend:
        pool = PoolId.parse(backend["existingPool"])
        return {VolumeId(*pool, f"{layout['prefix']}-{number}"): size for number in range(layout["count"])}
    same = layout.get("numbering") == "SameAsPool"
    return {
        VolumeId(*pool, f"{layout['prefix']}-{number}"): size
        for pool, of_pool in pools.items()
        for number in ([of_pool] if same else range(layout["perPool"]))
    }


def _assigned(pool: str, item: Document, volumes: frozenset[VolumeId], sets: Mapping[str, frozenset[str]]) -> Assigned:
    apart = frozenset[str]()
    for spread in item.get("spread", ()):
        if spread["domain"] == "Disk" and spread.get("maxPerDomain") == 1:
            apart = _selected(spread.get("nodeSelector"), sets)
    return Assigned(
        name=pool,
        volumes=volumes,
        servers=_selected(item["nodeSelector"], sets),
        vdisks=tuple(item["vdisks"]),
        all_paths=item["attach"] == "AllPaths",
        apart=apart,
    )


def _selected(selector: Document | None, sets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The servers of the sets that a selector names by the label of node sets; all of them where it names none."""
    names: Iterable[str] = sets
    if selector is not None and "matchLabels" in selector:
        names = [selector["matchLabels"][NODE_SET_LABEL]]
    elif selector is not None:
        names = next(item["values"] for item in selector["matchExpressions"] if item["key"] == NODE_SET_LABEL)
    return frozenset().union(*(sets.get(name, frozenset()) for name in names))


def by_hand(asked: Asked, found: Start) -> dict[str, int]:
    """The fewest commands that configure with which a person gets there, by the words of the command.

    A range wherever the command line is known to take one: disks, volumes of a prefix, servers and vdisks of an assign;
    `power-on server all` names those that are protected too. One volume on several vdisks takes single assigns, and a
    port of its own is a line of its own. Ranged assigns keep to no spread: the chassis chooses.
    """
    default = found.switch.default_vlan
    now = {(port.server, port.nic): port.untagged for port in found.switch.ports if port.server is not None}
    uplinks = {port.uplink: port.untagged for port in found.switch.ports if port.uplink is not None}
    moves = [(vlan, now.get(port, default)) for port, vlan in asked.ports.items()]
    moves += [(vlan, uplinks.get(port, default)) for port, vlan in asked.uplinks.items()]
    prefixes = {(volume.pool_id, volume.prefix) for volume in asked.volumes}
    whole = {key for key in prefixes if len(asked.of_pool(key[0])) == 1}
    counts = {
        "storage set mgmt-mode": _modes(asked, found),
        "storage clear-metadata disk": _slots_to_clear(asked, found),
        "storage create pool": len(asked.pools),
        "storage create volume-prefix": len(prefixes - whole),
        "storage create volume": len(whole),
        "storage assign-range": sum(not item.all_paths for item in asked.assigned),
        "storage assign": sum(len(item.servers) * len(item.vdisks) for item in asked.assigned if item.all_paths),
        "switch system-vlan": len(asked.vlans - {default, *found.switch.vlans}),
        "untagged-vlan": sum(_joins(vlan, was, default) for vlan, was in moves),
        "no untagged-vlan": sum(_leaves(vlan, was, default) for vlan, was in moves),
        "power-on server": int(bool(asked.servers - set(found.cards.running))),
    }
    return {name: count for name, count in counts.items() if count}


def _joins(vlan: int | None, was: int | None, default: int) -> bool:
    """Whether a port is put into a VLAN by name; it falls back into the default one by itself."""
    return vlan not in (was, ISOLATED) and (vlan != default or was is ISOLATED)


def _leaves(vlan: int | None, was: int | None, default: int) -> int:
    """How often a port is taken out of a VLAN: of one that is not the default, and then of the default too."""
    return (was not in (vlan, default, ISOLATED)) + (vlan is ISOLATED and was is not ISOLATED)


def _modes(asked: Asked, found: Start) -> int:
    return sum(slot.number in asked.slots and slot.mode is not ManagementMode.VOLUME for slot in found.slots)


def _slots_to_clear(asked: Asked, found: Start) -> int:
    """Slots with a disk to be used that has metadata of others: one ranged command clears a whole slot."""
    used = set(asked.pools.values())
    return sum(
        any(
            group.metadata is Metadata.FOREIGN and slot.disk_name(number) in used
            for group in slot.disks
            for number, _ in group.serials()
        )
        for slot in found.slots
    )
