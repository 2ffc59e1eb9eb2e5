"""What follows from a change of each field of a ComputeNode that a person made, on a small rack; and what a Chassis stamped."""

from functools import cache
from typing import Any

from rackwright.core.resource import COMPUTE_NODE, NODE_SET_LABEL
from tests.unit.core.changes.bench import Built
from tests.unit.core.changes.case import Case
from tests.unit.core.changes.fields import add, drop, put
from tests.unit.core.changes.host_cases import HOST
from tests.unit.core.kit import assign, manifest, pool, small_chassis

OWN, STAMPED = "ComputeNode/own", "ComputeNode/compute-0"
NIC_GROUPS: list[dict[str, Any]] = [
    {"name": "management", "indexes": [0], "untagged": 100},
    {"name": "client-storage", "indexes": [1, 2], "untagged": 150},
    {"name": "storage-backend", "indexes": [3], "untagged": 200},
    {"name": "external", "indexes": [4], "vlan": "Isolated"},
]
NODE = {"powerState": "Running", "nicGroups": NIC_GROUPS, **HOST}
NO_DIGEST = "sha256:" + "0" * 64
DETACHED = [["Detach 2/0 vdisk 6: Destructive"], ["Attach 2/0 vdisk 6: Safe"]]
ONE_VOLUME = {"StoragePool/data": put("assign[own].attach", "AllPaths")}
STOPPED = [["SetPower server 2/0: Disruptive"]]
ONE_OF_VLANS = "exactly one of untagged, vlan must be set."


@cache
def small_rack() -> Built:
    """Two nodes that are stamped, one that a person made, and all that can be said of them."""
    members = [{"server": f"{card}/0", "name": f"compute-{card}"} for card in (0, 1)]
    chassis = small_chassis(
        vlans=[{"id": vlan} for vlan in (100, 150, 200)],
        nodeSets=[{"name": "compute", "members": members, "template": NODE}],
        storageSlots=[{"slot": slot, "managementMode": "Volume"} for slot in (2, 5)],
        policy={"mode": "Enforce"},
    )
    own = manifest(COMPUTE_NODE, "own", {"chassisRef": {"name": "sm15k-01"}, "server": "2/0", **NODE})
    own["metadata"]["labels"] = {NODE_SET_LABEL: "compute", "rack": "own"}
    mine = assign("own", 5, 6, nodeSelector={"matchLabels": {"rack": "own"}})
    data = pool("data", mine, existingPool="7/RAIDPOOL", volumes={"prefix": "data", "count": 2, "size": "10Gi"})
    return Built.of("small", [chassis, pool("root"), data, own])


CHASSIS_SIDE: dict[str, tuple[Case, ...]] = {
    "chassisRef": (Case("removed", drop("chassisRef"), refused="chassisRef: is required; add it."),),
    "chassisRef.name": (
        Case(
            "another",
            put("chassisRef.name", "sm15k-02"),
            refused="spec: chassisRef cannot be changed; delete this ComputeNode and make another; found",
        ),
    ),
    "server": (
        Case(
            "another", put("server", "0/0"), refused="spec: server cannot be changed; delete this ComputeNode and make"
        ),
        Case("removed", drop("server"), refused="spec.server: is required; add it."),
    ),
    "powerState": (
        Case("Stopped", put("powerState", "Stopped"), plan=STOPPED),
        Case("Unmanaged", put("powerState", "Unmanaged"), nothing="a server that runs goes on running"),
        Case("removed", drop("powerState"), nothing="Unmanaged is the default, and a server that runs goes on running"),
    ),
    "nicGroups": (
        Case(
            "none",
            (drop("nicGroups"), drop("network.bonds")),
            nothing="the chassis leaves NICs that nobody lists alone",
        ),
        Case("one less", drop("nicGroups[external]"), nothing="the chassis leaves NICs that nobody lists alone"),
        Case(
            "one more",
            add("nicGroups", {"name": "more", "indexes": [5], "untagged": 100}),
            plan=[["SetPort 2/0 nic 5: Disruptive"]],
        ),
        Case("one twice", add("nicGroups", NIC_GROUPS[0]), refused="has more than one item with name management"),
    ),
    "nicGroups[].name": (
        Case("changed", put("nicGroups[external].name", "outside"), nothing="only bonds refer to it"),
        Case(
            "changed under a bond",
            put("nicGroups[client-storage].name", "x"),
            refused="a bond names a nicGroup that is not",
        ),
        Case("removed", drop("nicGroups[external].name"), refused="nicGroups[3].name: is required; add it."),
    ),
    "nicGroups[].indexes": (
        Case("others", put("nicGroups[external].indexes", [5]), plan=[["SetPort 2/0 nic 5: Disruptive"]]),
        Case(
            "one that the card has not",
            put("nicGroups[external].indexes", [4, 9]),
            nothing="there is no such NIC",
            ends=[f"{OWN}: UnknownNIC"],
            says="spec.nicGroups names NIC 9 of 2/0, which has only NICs 0, 1, 2, 3, 4, 5, 6, 7. Name one of those.",
        ),
        Case("none", put("nicGroups[external].indexes", []), refused="indexes: has 0 items; use 1 to 32."),
    ),
    "nicGroups[].untagged": (
        Case(
            "changed",
            put("nicGroups[client-storage].untagged", 200),
            plan=[["SetPort 2/0 nic 1: Disruptive", "SetPort 2/0 nic 2: Disruptive"]],
        ),
        Case(
            "to a VLAN that the Chassis does not declare",
            put("nicGroups[client-storage].untagged", 300),
            nothing="there is no such VLAN",
            ends=[f"{OWN}: UnknownVLAN"],
            says="spec.nicGroups puts 2/0 nic 1 in VLAN 300, which the Chassis does not declare. Add it to spec.vlans there",
        ),
        Case("removed", drop("nicGroups[client-storage].untagged"), refused=ONE_OF_VLANS),
    ),
    "nicGroups[].vlan": (
        Case("Default", put("nicGroups[external].vlan", "Default"), plan=[["SetPort 2/0 nic 4: Disruptive"]]),
        Case("removed", drop("nicGroups[external].vlan"), refused=ONE_OF_VLANS),
    ),
    "nicGroups[].tagged": (
        Case("added", put("nicGroups[external].tagged", [100, 150]), plan=[["SetPort 2/0 nic 4: Disruptive"]]),
        Case(
            "one that is untagged",
            put("nicGroups[management].tagged", [100]),
            refused="either untagged or tagged on a port",
        ),
    ),
    "deletionPolicy": (
        Case("Wipe", put("deletionPolicy", "Wipe"), nothing="it counts when the object is deleted"),
        Case("given", put("deletionPolicy", "Retain"), nothing="Retain is the default"),
    ),
    "policy": (Case("given", put("policy", {"mode": "Enforce"}), nothing="it says what the Chassis says"),),
    "policy.mode": tuple(
        Case(
            f"{mode} while there is something to do",
            (put("policy.mode", mode), put("powerState", "Stopped")),
            plan=STOPPED,
            held=reason,
            stays="nobody carries it out",
            ends=[f"{OWN}: {reason}"],
            says=f"{OWN} is in mode {mode}. Set policy.mode: Enforce to let it act.",
        )
        for mode, reason in (("Observe", "ObserveOnly"), ("Plan", "PlanOnly"))
    ),
    "policy.destructive": (
        Case(
            "Never, with a volume to be detached",
            put("policy.destructive", "Never"),
            also=ONE_VOLUME,
            plan=DETACHED,
            held="DestructiveNever",
            stays="nobody carries it out",
            ends=[f"{OWN}: DestructiveNever", "StoragePool/data: DestructiveNever"],
            says=f"{OWN} has policy.destructive: Never.",
        ),
    ),
    "policy.maxDisrupted": (
        Case(
            "none while it is to be stopped",
            (put("policy.maxDisrupted", 0), put("powerState", "Stopped")),
            plan=STOPPED,
            held="DisruptiveNever",
            stays="nobody carries it out",
            ends=[f"{OWN}: DisruptiveNever"],
            says=f"{OWN} has policy.maxDisrupted: 0, so nothing that serves is stopped.",
        ),
    ),
    "policy.resyncSeconds": (
        Case("given", put("policy.resyncSeconds", 30), nothing="the chassis is looked at more often"),
    ),
    "approvals": (
        Case(
            "one that fits nothing", put("approvals", [{"plan": NO_DIGEST}]), nothing="an approval alone does nothing"
        ),
        Case(
            "one that fits nothing, with a volume to be detached",
            put("approvals", [{"plan": NO_DIGEST}]),
            also=ONE_VOLUME,
            plan=DETACHED,
            held="ApprovalRequired",
        ),
    ),
    "approvals[].plan": (
        Case(
            "one that is no digest",
            put("approvals", [{"plan": "yes"}]),
            refused='"yes" has 3 characters; use 71 to 71.',
        ),
    ),
}
"""The server of the node, its power and its NICs, and how far the operator goes."""
