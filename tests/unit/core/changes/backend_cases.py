"""The backends of a StoragePool that are not the chassis, in full: checked and kept, and nothing follows yet."""

from typing import Any

from tests.unit.core.changes.host_cases import REQUIRED, Row

BACKENDS: dict[str, dict[str, Any]] = {
    "iscsi": {
        "type": "ISCSI",
        "iscsi": {
            "portals": ["10.20.0.101:3260"],
            "startup": "Automatic",
            "expectedPaths": 4,
            "credentialsRef": {"name": "chap"},
        },
    },
    "lvm": {
        "type": "LVM",
        "lvm": {"nodeRef": {"name": "storage-0"}, "volumeGroup": "vg", "prefix": "data", "count": 3, "size": "1Ti"},
    },
    "mdraid": {"type": "MDRAID", "mdraid": {"name": "data", "level": "RAID6", "vdisks": [4, 5, 6, 7], "spares": 1}},
    "aoe": {"type": "AoE", "aoe": {"interface": "eth2", "targets": [{"shelf": 1, "slot": 2}]}},
    "drbd": {
        "type": "DRBD",
        "drbd": {"resource": "mysql", "nodes": ["storage-0", "storage-1"], "port": 7788, "backingVolume": "vg/mysql"},
    },
    "ceph": {"type": "Ceph", "ceph": {"dataVdisks": [4, 5], "databaseVolumeGroup": "vg"}},
}
"""`spec.backend` of a pool of each."""

MEMBERS = "exactly the member that type names must be set"
ROWS: tuple[Row, ...] = (
    Row("iscsi", {"portals": ["10.20.0.109:3260"]}, MEMBERS),
    Row("iscsi.portals", ["10.20.0.109:3260"], REQUIRED),
    Row("iscsi.startup", "Manual"),
    Row("iscsi.expectedPaths", 2),
    Row("iscsi.credentialsRef", {"name": "other"}),
    Row("iscsi.credentialsRef.name", "other", REQUIRED),
    Row("lvm", BACKENDS["lvm"]["lvm"] | {"count": 4}, MEMBERS),
    Row("lvm.nodeRef", {"name": "storage-1"}, REQUIRED),
    Row("lvm.nodeRef.name", "storage-1", REQUIRED),
    Row("lvm.volumeGroup", "other", REQUIRED),
    Row("lvm.prefix", "other", REQUIRED),
    Row("lvm.count", 4, REQUIRED),
    Row("lvm.size", "2Ti", REQUIRED),
    Row("mdraid", BACKENDS["mdraid"]["mdraid"] | {"spares": 0}, MEMBERS),
    Row("mdraid.name", "other", REQUIRED),
    Row("mdraid.level", "RAID10", REQUIRED),
    Row("mdraid.vdisks", [4, 5, 6, 7, 8], REQUIRED),
    Row("mdraid.spares", 2),
    Row("aoe", {"interface": "eth3", "targets": [{"shelf": 1, "slot": 2}]}, MEMBERS),
    Row("aoe.interface", "eth3", REQUIRED),
    Row("aoe.targets", [{"shelf": 1, "slot": 2}, {"shelf": 1, "slot": 3}], REQUIRED),
    Row("aoe.targets[0].shelf", 2, REQUIRED),
    Row("aoe.targets[0].slot", 3, REQUIRED),
    Row("drbd", BACKENDS["drbd"]["drbd"] | {"port": 7789}, MEMBERS),
    Row("drbd.resource", "other", REQUIRED),
    Row("drbd.nodes", ["storage-0", "storage-2"], REQUIRED),
    Row("drbd.port", 7789),
    Row("drbd.backingVolume", "vg/other", REQUIRED),
    Row("ceph", {"dataVdisks": [4]}, MEMBERS),
    Row("ceph.dataVdisks", [4], REQUIRED),
    Row("ceph.databaseVolumeGroup", "other"),
)
"""By field below `spec.backend`."""
