"""Random racks: a small chassis in any state that it could be in, and any manifests that a person could write for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from rackwright.core.resource import CHASSIS, COMPUTE_NODE, NODE_SET_LABEL, STORAGE_POOL
from rackwright_drivers.contract.storage import ManagementMode, Media, Metadata
from rackwright_sim.startfile import (
    About,
    Attachment,
    Cards,
    DiskGroup,
    PoolEntry,
    PortEntry,
    Start,
    StorageSlot,
    Switch,
    VolumeGroup,
)
from tests.unit.core.kit import Bench, manifest

CARDS = (0, 1, 2, 3, 32)
SERVERS = tuple(f"{card}/0" for card in CARDS)
VLANS = (100, 150, 200)
SETS = ("controller", "compute")
NICS = 3  # of eight; the others stay as they are, so that plans are short
SIZE = 100


def _slot(number: int, disks: Mapping[int, Metadata], mode: ManagementMode, unhealthy: frozenset[int]) -> StorageSlot:
    groups = tuple(
        DiskGroup(
            numbers=str(disk),
            media=Media.HDD,
            size_gib=SIZE,
            serial=f"S{number}{disk:03}",
            metadata=metadata,
            healthy=disk not in unhealthy,
        )
        for disk, metadata in disks.items()
    )
    return StorageSlot(number=number, kind="JBOD", mode=mode, disks=groups)


@st.composite
def starts(draw: st.DrawFn) -> Start:
    """A chassis: ours, somebody else's, half built or in a mess; never one that could not exist."""
    slots, pools, volumes = [], [], []
    for number in (2, 5):
        mode = draw(st.sampled_from(ManagementMode))
        disks: dict[int, Metadata] = {}
        for disk in sorted(draw(st.sets(st.integers(0, 7), min_size=2, max_size=5))):
            pooled = mode is ManagementMode.VOLUME and draw(st.integers(0, 2)) > 0
            disks[disk] = Metadata.POOL if pooled else draw(st.sampled_from([Metadata.NONE, Metadata.FOREIGN]))
        unhealthy = frozenset({min(disks)} if draw(st.integers(0, 9)) == 0 else ())
        slots.append(_slot(number, disks, mode, unhealthy))
        names = draw(st.permutations([f"{prefix}-{n}" for prefix in ("root", "data", "old") for n in range(1, 4)]))
        for disk, name in zip((disk for disk, found in disks.items() if found is Metadata.POOL), names, strict=False):
            pools.append(PoolEntry(id=f"{number}/{name}", disks=(f"JBOD{number}/{disk}",), size_gib=SIZE))
            prefix = draw(st.sampled_from(["rvol", "dvol", "rvol-old"]))
            count = draw(st.integers(0, 4))
            if count:
                size = draw(st.sampled_from([SIZE // 4, SIZE // 4, 10]))
                volumes.append(
                    VolumeGroup(pool=f"{number}/{name}", name=prefix, numbers=f"0-{count - 1}", size_gib=size)
                )
    raid = StorageSlot(
        number=7,
        kind="RAID",
        mode=ManagementMode.VOLUME,
        disks=(DiskGroup(numbers="0-2", media=Media.SSD, size_gib=SIZE, serial_prefix="R", metadata=Metadata.POOL),),
    )
    pools.append(PoolEntry(id="7/RAID", disks=("7/0", "7/1", "7/2"), size_gib=2 * SIZE))
    volumes.append(VolumeGroup(pool="7/RAID", name="RAIDVOL-0", size_gib=48))
    return Start(
        about=About(serial="SM1", hostname="sm"),
        cards=Cards(present="0-3,32", running=tuple(draw(st.sets(st.sampled_from(SERVERS))))),
        switch=_switch(draw),
        slots=(*slots, raid),
        pools=tuple(pools),
        volumes=tuple(volumes),
        attachments=_attachments(draw, slots, volumes),
        placement_seed=draw(st.integers(0, 3)),
    )


def _attachments(draw: st.DrawFn, slots: list[StorageSlot], volumes: list[VolumeGroup]) -> tuple[Attachment, ...]:
    """Mostly one server a volume; now and then one too many, and raw disks where a slot is in disk mode."""
    there = [f"{group.pool}/{name}" for group in volumes for name in group.names()]
    raw = [
        slot.disk_name(n)
        for slot in slots
        if slot.mode is ManagementMode.DISK
        for g in slot.disks
        for n, _ in g.serials()
    ]
    vdisks = [(server, vdisk) for server in SERVERS for vdisk in (0, 1, 2, 5)]
    found = []
    for server, vdisk in draw(st.lists(st.sampled_from(vdisks), unique=True, max_size=7)):
        if raw and draw(st.integers(0, 9)) == 0:
            found.append(Attachment(server=server, vdisk=vdisk, disk=draw(st.sampled_from(raw))))
        else:
            volume = draw(st.sampled_from(there))
            if draw(st.integers(0, 2)):
                there = [name for name in there if name != volume] or there
            found.append(Attachment(server=server, vdisk=vdisk, volume=volume))
    return tuple(found)


def _switch(draw: st.DrawFn) -> Switch:
    vlans = tuple(sorted(draw(st.sets(st.sampled_from([*VLANS, 300])))))
    ports = []
    for server, nic in draw(st.sets(st.tuples(st.sampled_from(SERVERS), st.integers(0, NICS - 1)), max_size=6)):
        untagged = draw(st.sampled_from([0, None, *vlans]))
        tagged = tuple(sorted(draw(st.sets(st.sampled_from(vlans), max_size=2)) if vlans else ()))
        port = PortEntry(server=server, nic=nic, untagged=untagged, tagged=tuple(v for v in tagged if v != untagged))
        ports.append(port)
    return Switch(vlans=vlans, uplinks=("te 0/1",), ports=tuple(ports))


def _vlans(draw: st.DrawFn) -> dict[str, Any]:
    untagged = draw(st.sampled_from([None, *VLANS]))
    tagged = sorted(draw(st.sets(st.sampled_from(VLANS), max_size=2)) - {untagged})
    found: dict[str, Any] = {"tagged": tagged} if tagged else {}
    if untagged is not None:
        return {**found, "untagged": untagged}
    return {**found, "vlan": draw(st.sampled_from(["Default", "Isolated"]))}


@st.composite
def chassis(draw: st.DrawFn) -> dict[str, Any]:
    """A Chassis that stamps most of its cards."""
    protected = draw(st.sampled_from([["32/0"], ["32/0"], ["32/0", "3/0"], []]))
    template = {
        "powerState": draw(st.sampled_from(["Running", "Running", "Stopped", "Unmanaged"])),
        "nicGroups": [{"name": "one", "indexes": [draw(st.integers(0, NICS - 1))], **_vlans(draw)}],
    }
    members = sorted(draw(st.sets(st.sampled_from(["0/0", "1/0"]), min_size=1)))
    sets = [
        {
            "name": "controller",
            "members": [{"server": server, "name": f"controller-{server[0]}"} for server in members],
            "template": template,
        },
        {
            "name": "compute",
            "remaining": {"namePrefix": "compute"},
            "template": {"powerState": draw(st.sampled_from(["Running", "Running", "Stopped"]))},
        },
    ]
    slots = draw(st.sampled_from([["Volume", "Volume"], ["Volume", "Volume"], ["Volume"], [], ["Disk", "Volume"]]))
    spec = {
        "hardware": {"type": "External", "external": {"driver": "Simulator", "parameters": {"model": "bench"}}},
        "credentialsRef": {"name": "sm"},
        "protectedServers": protected,
        "defaultNIC": {"vlan": "Unmanaged"},
        "vlans": [{"id": vlan} for vlan in VLANS],
        "uplinks": draw(st.sampled_from([[], [], [{"port": "te 0/1", "untagged": 200}]])),
        "storageSlots": [{"slot": n, "managementMode": mode} for n, mode in zip((2, 5), slots, strict=False)],
        "nodeSets": sets,
        "policy": {
            "mode": "Enforce",
            "destructive": draw(st.sampled_from(["RequireApproval", "RequireApproval", "Allow", "Never"])),
            "maxDisrupted": draw(st.integers(1, 3)),
        },
    }
    return manifest(CHASSIS, "sm", spec)


def _spread(draw: st.DrawFn) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if draw(st.booleans()):
        hold = draw(st.sampled_from(["Hold", "Allow"]))
        rules.append({"domain": "Disk", "maxPerDomain": 1, "whenUnsatisfiable": hold})
    if draw(st.booleans()):
        rules.append({"domain": "Slot", "maxSkew": draw(st.integers(1, 2)), "whenUnsatisfiable": "Allow"})
    return rules


def _assign(draw: st.DrawFn, name: str, vdisks: list[int], sets: tuple[str, ...]) -> dict[str, Any]:
    chosen = sorted(draw(st.sets(st.sampled_from(sets), min_size=1)))
    return {
        "name": name,
        "nodeSelector": {"matchExpressions": [{"key": NODE_SET_LABEL, "operator": "In", "values": chosen}]},
        "vdisks": vdisks,
        "attach": draw(st.sampled_from(["OnePerVolume", "OnePerVolume", "AllPaths"]))
        if len(vdisks) > 1
        else "OnePerVolume",
        "spread": _spread(draw),
    }


@st.composite
def root_pools(draw: st.DrawFn) -> dict[str, Any]:
    """Pools on named disks, or on so many of a slot."""
    disks: dict[str, Any]
    if draw(st.booleans()):
        disks = {
            "names": [f"JBOD2/{n}" for n in draw(st.lists(st.integers(0, 7), unique=True, min_size=1, max_size=4))]
        }
    else:
        disks = {"selector": {"slots": draw(st.sampled_from([[2], [2, 5]]))}, "count": draw(st.integers(1, 4))}
    size = draw(st.sampled_from(["EqualShare", "EqualShare", "25Gi"]))
    backend = {
        "disks": disks,
        "pools": {"prefix": "root"},
        "volumes": {"prefix": "rvol", "perPool": draw(st.integers(1, 4)), "size": size},
    }
    if backend["volumes"]["perPool"] == 1:
        backend["volumes"]["numbering"] = draw(st.sampled_from(["FromZero", "SameAsPool"]))
    assigns = [_assign(draw, "root", draw(st.sampled_from([[0], [0], [0, 1]])), SETS)]
    if draw(st.integers(0, 2)) == 0:
        assigns.append(_assign(draw, "more", [2], SETS))
    spec = {"chassisRef": {"name": "sm"}, "backend": {"type": "Chassis", "chassis": backend}, "assign": assigns}
    return manifest(STORAGE_POOL, "root", spec)


@st.composite
def other_pools(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Pools beside the root pool: on disks of their own, in a pool that is there, or at odds with the others."""
    found = []
    if draw(st.booleans()):
        prefix = draw(st.sampled_from(["data", "data", "root"]))
        volumes = {"prefix": draw(st.sampled_from(["dvol", "rvol"])), "perPool": 2, "size": "EqualShare"}
        disks = {"selector": {"slots": [5]}, "count": draw(st.integers(1, 3))}
        backend = {"disks": disks, "pools": {"prefix": prefix}, "volumes": volumes}
        vdisks = draw(st.sampled_from([[5], [5], [0, 5]]))
        found.append(("data", backend, [_assign(draw, "data", vdisks, SETS)]))
    for name in draw(st.sampled_from([[], ["journal"], ["journal", "ledger"]])):
        prefix = draw(st.sampled_from(["Journal", name]))
        count, size = draw(st.integers(1, 3)), draw(st.sampled_from(["20Gi", "60Gi"]))
        backend = {"existingPool": "7/RAID", "volumes": {"prefix": prefix, "count": count, "size": size}}
        vdisks = [3, 4] if name == "journal" else [6, 7]
        found.append((name, backend, [_assign(draw, name, vdisks, SETS)]))
    return [
        manifest(
            STORAGE_POOL,
            name,
            {"chassisRef": {"name": "sm"}, "backend": {"type": "Chassis", "chassis": backend}, "assign": assigns},
        )
        for name, backend, assigns in found
    ]


@st.composite
def benches(draw: st.DrawFn) -> Bench:
    """A rack with everything, and nodes that remember volumes: those they have, those they had, and nonsense."""
    start = draw(starts())
    bench = Bench.of(start, [draw(chassis()), draw(root_pools()), *draw(other_pools())])
    bench.decide()  # stamps
    there = [f"{group.pool}/{name}" for group in start.volumes for name in group.names()] + ["2/root-1/rvol-0"]
    for node in list(bench.store.list(COMPUTE_NODE)):
        if draw(st.integers(0, 2)) == 0:
            vdisk = draw(st.sampled_from([0, 0, 0, 1, 5]))
            remembered = [{"vdisk": vdisk, "volume": draw(st.sampled_from(there))}]
            bench.store.objects[node.ref] = _with_status(node, {"assignments": remembered})
    return bench


def _with_status(node: Any, status: Mapping[str, Any]) -> Any:
    return replace(node, status=status)
