"""What a ComputeNode says of its host, in full, and a change of each field of it: accepted, and nothing on the chassis side."""

from typing import Any, NamedTuple

from tests.unit.core.changes.case import Case
from tests.unit.core.changes.fields import Edit, drop, put

HOST: dict[str, Any] = {
    "network": {
        "mtu": 9000,
        "management": "eth0",
        "addresses": {"management": "10.10.0.21/24", "bond0": "10.15.0.11/24"},
        "bonds": [
            {
                "name": "bond0",
                "nicGroup": "client-storage",
                "mode": "802.3ad",
                "miimonMilliseconds": 100,
                "lacpRate": "Slow",
                "xmitHashPolicy": "layer3+4",
            }
        ],
    },
    "ssh": {
        "user": "root",
        "port": 22,
        "privateKeyRef": {"name": "node-ssh", "key": "ssh-privatekey"},
        "hostKeys": ["ssh-ed25519 AAAA"],
    },
    "boot": {"install": "WhenUnprovisioned"},
    "multipath": {
        "devices": [
            {
                "name": "array",
                "match": {"vendor": "XIOTECH", "product": "ISE3400"},
                "by": "Serial",
                "expectedPaths": 4,
                "pathGroupingPolicy": "multibus",
                "pathChecker": "tur",
                "pathSelector": "round-robin 0",
                "noPathRetry": 12,
            },
            {"name": "journal", "match": {"poolRef": "journal"}, "expectedPaths": 4},
        ]
    },
    "volumeGroups": [
        {
            "name": "vg-array",
            "physicalVolumes": [{"multipath": "array"}, {"vdisk": 4}],
            "logicalVolumes": [{"name": "images", "size": "1Ti"}],
        }
    ],
    "fileSystems": [
        {
            "name": "images",
            "device": {"logicalVolume": "vg-array/images"},
            "type": "xfs",
            "mountPath": "/srv/images",
            "options": ["noatime"],
        },
        {"name": "logs", "device": {"multipath": "journal"}, "type": "xfs", "mountPath": "/var/log"},
        {"name": "data", "device": {"vdisk": 4}, "type": "xfs", "mountPath": "/srv/data"},
    ],
    "files": [
        {
            "name": "jumbo",
            "path": "/etc/sysctl.d/60-rack.conf",
            "content": "net.core.rmem_max = 16777216\n",
            "mode": "0644",
            "onChange": {"command": ["sysctl", "--system"]},
        },
        {
            "name": "console",
            "path": "/etc/nova/nova.conf",
            "ini": {"section": "DEFAULT", "set": {"vnc_enabled": "true"}},
            "onChange": {"restart": "nova-compute"},
        },
    ],
}
"""All fields of the host, as a template and as a node has them."""

REQUIRED = "is required; add it."
ONE_OF_DEVICES = "exactly one of logicalVolume, multipath, vdisk must be set."


class Row(NamedTuple):
    """A field where `HOST` has it: what it is changed to, and words of why it cannot be removed; empty where it can be."""

    at: str
    to: Any
    without: str = ""


DEVICE = "multipath.devices[array]"
GROUP = "volumeGroups[vg-array]"
MOUNT = "fileSystems[images]"
ROWS: tuple[Row, ...] = (
    Row("network", {"mtu": 1500}),
    Row("network.mtu", 1500),
    Row("network.management", "eth1", "addresses has an address for management; name that interface in management"),
    Row("network.addresses", {"management": "10.10.0.99/24"}),
    Row("network.bonds", []),
    Row("network.bonds[bond0].name", "bond7", REQUIRED),
    Row("network.bonds[bond0].nicGroup", "storage-backend", REQUIRED),
    Row("network.bonds[bond0].miimonMilliseconds", 50),
    Row("network.bonds[bond0].lacpRate", "Fast"),
    Row("network.bonds[bond0].xmitHashPolicy", "layer2"),
    Row("ssh", {"privateKeyRef": {"name": "other", "key": "key"}}),
    Row("ssh.user", "rack"),
    Row("ssh.port", 2222),
    Row("ssh.privateKeyRef", {"name": "other", "key": "key"}, REQUIRED),
    Row("ssh.privateKeyRef.name", "other", REQUIRED),
    Row("ssh.privateKeyRef.key", "key", REQUIRED),
    Row("ssh.hostKeys", ["ssh-ed25519 BBBB"]),
    Row("boot", {}),
    Row("boot.install", "Never"),
    Row("multipath", {"devices": HOST["multipath"]["devices"][:1]}, "a physical volume names a multipath device"),
    Row("multipath.devices", HOST["multipath"]["devices"][:1], REQUIRED),
    Row(f"{DEVICE}.match", {"poolRef": "journal"}, REQUIRED),
    Row(f"{DEVICE}.match.vendor", "OTHER", "give either poolRef or vendor"),
    Row(f"{DEVICE}.match.product", "OTHER"),
    Row("multipath.devices[journal].match.poolRef", "root", "give either poolRef or vendor"),
    Row(f"{DEVICE}.expectedPaths", 2, REQUIRED),
    Row(f"{DEVICE}.pathGroupingPolicy", "failover"),
    Row(f"{DEVICE}.pathChecker", "directio"),
    Row(f"{DEVICE}.pathSelector", "queue-length 0"),
    Row(f"{DEVICE}.noPathRetry", 0),
    Row("volumeGroups", []),
    Row(f"{GROUP}.name", "vg-other", REQUIRED),
    Row(f"{GROUP}.physicalVolumes", [{"vdisk": 4}], REQUIRED),
    Row(f"{GROUP}.physicalVolumes[0].multipath", "journal", "exactly one of multipath, vdisk must be set."),
    Row(f"{GROUP}.physicalVolumes[1].vdisk", 6, "exactly one of multipath, vdisk must be set."),
    Row(f"{GROUP}.logicalVolumes", []),
    Row(f"{GROUP}.logicalVolumes[images].name", "pictures", REQUIRED),
    Row(f"{GROUP}.logicalVolumes[images].size", "2Ti", REQUIRED),
    Row("fileSystems", []),
    Row(f"{MOUNT}.name", "pictures", REQUIRED),
    Row(f"{MOUNT}.device", {"vdisk": 6}, REQUIRED),
    Row(f"{MOUNT}.device.logicalVolume", "vg-array/other", ONE_OF_DEVICES),
    Row("fileSystems[logs].device.multipath", "array", ONE_OF_DEVICES),
    Row("fileSystems[data].device.vdisk", 6, ONE_OF_DEVICES),
    Row(f"{MOUNT}.type", "ext4", REQUIRED),
    Row(f"{MOUNT}.mountPath", "/mnt", REQUIRED),
    Row(f"{MOUNT}.options", ["noatime", "nodev"]),
    Row("files", []),
    Row("files[jumbo].name", "large", REQUIRED),
    Row("files[jumbo].path", "/etc/other", REQUIRED),
    Row("files[jumbo].content", "", "exactly one of content, ini must be set."),
    Row("files[console].ini", {"section": "DEFAULT", "set": {}}, "exactly one of content, ini must be set."),
    Row("files[console].ini.section", "vnc", REQUIRED),
    Row("files[console].ini.set", {"vnc_enabled": "false"}, REQUIRED),
    Row("files[jumbo].mode", "0600"),
    Row("files[jumbo].onChange", {"restart": "procps"}),
    Row("files[jumbo].onChange.command", ["true"], "exactly one of command, restart must be set."),
    Row("files[console].onChange.restart", "nova-api", "exactly one of command, restart must be set."),
)
WHY = "it is the host's, and the chassis does not know it"


def host_cases(before: str) -> dict[str, tuple[Case, ...]]:
    """By field below a kind's spec, at a place such as `nodeSets[compute].template.`."""
    found = rows(before, *ROWS)
    bond = f"{before}network.bonds[bond0]."
    found[field_of(f"{bond}mode")] = (
        Case("changed", (put(f"{bond}mode", "active-backup"), drop(f"{bond}lacpRate")), nothing=WHY),
        Case(
            "changed alone",
            put(f"{bond}mode", "active-backup"),
            refused="lacpRate is for mode 802.3ad, not for active-backup",
        ),
        Case("removed", drop(f"{bond}mode"), nothing="802.3ad is the default"),
    )
    device = f"{before}multipath.devices[journal]."
    renamed: tuple[Edit, ...] = (
        put(f"{device}name", "log"),
        put(f"{before}fileSystems[logs].device.multipath", "log"),
    )
    found[field_of(f"{device}name")] = (
        Case("changed", renamed, nothing=WHY),
        Case(
            "changed under a volume group",
            put(f"{before}{DEVICE}.name", "other"),
            refused="a physical volume names a multipath device that is not in multipath.devices",
        ),
    )
    found[field_of(f"{device}by")] = (
        Case("given", put(f"{device}by", "Serial"), nothing="it is the only word there is"),
        Case("a word that is none", put(f"{device}by", "UUID"), refused="\"UUID\" is not known; use 'Serial'."),
    )
    return found


def field_of(path: str) -> str:
    """The field that a path with named items is: `files[jumbo].mode` is `files[].mode`."""
    head, *rest = path.split("[")
    return head + "".join("[]" + item.partition("]")[2] for item in rest)


def rows(before: str, *those: Row) -> dict[str, tuple[Case, ...]]:
    """Each field changed, and removed where that can be."""
    return {
        field_of(before + row.at): (
            Case("changed", put(before + row.at, row.to), nothing=WHY),
            Case("removed", drop(before + row.at), refused=row.without, nothing="" if row.without else WHY),
        )
        for row in those
    }
