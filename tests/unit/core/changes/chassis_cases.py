"""What follows from a change of each field of a Chassis on the golden rack. Fields of the host inside a node are in `hosts`."""

from tests.unit.core.changes.case import Case
from tests.unit.core.changes.fields import add, drop, put

NIC_GROUPS = "nodeSets[storage].template.nicGroups"
NO_DIGEST = "sha256:" + "0" * 64
OUTSIDE = "the chassis does not know it"
ONE_AFTER_ANOTHER = "Budget"  # maxDisrupted is 1
A_VLAN_IS_MISSING = "is in a VLAN that vlans does not have; add it or correct its number;"

NETWORK: dict[str, tuple[Case, ...]] = {
    "defaultNIC": (
        Case("removed", drop("defaultNIC"), nothing="Unmanaged is the default, and leaves NICs as they are"),
    ),
    "defaultNIC.vlan": (
        Case(
            "from Isolated to Default",
            put("defaultNIC.vlan", "Default"),
            plan=[["417 SetPort: Disruptive"]],
            held=ONE_AFTER_ANOTHER,
            long=True,
        ),
        Case("to Unmanaged", put("defaultNIC.vlan", "Unmanaged"), nothing="NICs that nobody manages stay as they are"),
        Case(
            "to a word that is none",
            put("defaultNIC.vlan", "Trunk"),
            refused='spec.defaultNIC.vlan: "Trunk" is not known',
        ),
    ),
    "vlans": (
        Case("one more", add("vlans", {"id": 300}), plan=[["CreateVlan VLAN 300: Safe"]]),
        Case(
            "one less that NICs are in",
            drop("vlans[150]"),
            refused=f"a nicGroup of a node set {A_VLAN_IS_MISSING} found storage/client-storage in 150.",
        ),
        Case(
            "one less that an uplink is in",
            drop("vlans[200]"),
            refused=f"an uplink {A_VLAN_IS_MISSING} found te 0/1 in 200, te 7/1 in 200.",
        ),
        Case(
            "one twice",
            add("vlans", {"id": 150}),
            refused="spec.vlans: has more than one item with id 150; keep one of each.",
        ),
    ),
    "vlans[].id": (
        Case(
            "renumbered with the NICs that are in it",
            (put("vlans[150].id", 151), put(f"{NIC_GROUPS}[client-storage].untagged", 151)),
            plan=[["CreateVlan VLAN 151: Safe"], ["9 SetPort: Disruptive"]],
            more=1,
        ),
        Case("renumbered alone", put("vlans[150].id", 151), refused=A_VLAN_IS_MISSING),
        Case(
            "beyond what there is",
            put("vlans[150].id", 5000),
            refused="spec.vlans[1].id: 5000 is too large; use at most 4094",
        ),
    ),
    "vlans[].name": (
        Case("changed", put("vlans[150].name", "clients"), nothing=OUTSIDE),
        Case("removed", drop("vlans[150].name"), nothing=OUTSIDE),
    ),
    "uplinks": (
        Case("one less", drop("uplinks[te 7/1]"), nothing="a port that is not listed is left alone"),
        Case("none", drop("uplinks"), nothing="a port that is not listed is left alone"),
        Case(
            "one that the chassis has not",
            add("uplinks", {"port": "te 9/1", "untagged": 200}),
            plan=[["SetPort te 9/1: Destructive"]],
            held="ApprovalRequired",
            refusal="No port 'te 9/1'",
            ends=["Chassis/sm15k-01: Applying"],
            says="1 actions to do.",
        ),
    ),
    "uplinks[].port": (
        Case(
            "another",
            (drop("uplinks[te 7/1]"), put("uplinks[te 0/1].port", "te 7/1"), put("uplinks[te 7/1].untagged", 100)),
            plan=[["SetPort te 7/1: Destructive"]],
            held="ApprovalRequired",
        ),
        Case("the same twice", put("uplinks[te 0/1].port", "te 7/1"), refused="more than one item with port te 7/1"),
    ),
    "uplinks[].untagged": (
        Case(
            "changed",
            put("uplinks[te 0/1].untagged", 100),
            plan=[["SetPort te 0/1: Destructive"]],
            held="ApprovalRequired",
        ),
        Case("removed", drop("uplinks[te 0/1].untagged"), refused="exactly one of untagged, vlan must be set."),
        Case("to a VLAN that nobody declared", put("uplinks[te 0/1].untagged", 300), refused=A_VLAN_IS_MISSING),
    ),
    "uplinks[].vlan": (
        Case(
            "instead of untagged",
            (drop("uplinks[te 0/1].untagged"), put("uplinks[te 0/1].vlan", "Default")),
            plan=[["SetPort te 0/1: Destructive"]],
            held="ApprovalRequired",
        ),
        Case(
            "beside untagged",
            put("uplinks[te 0/1].vlan", "Isolated"),
            refused="exactly one of untagged, vlan must be set.",
        ),
    ),
    "uplinks[].tagged": (
        Case(
            "added",
            put("uplinks[te 0/1].tagged", [100, 150]),
            plan=[["SetPort te 0/1: Destructive"]],
            held="ApprovalRequired",
        ),
        Case(
            "one that is untagged", put("uplinks[te 0/1].tagged", [200]), refused="a VLAN is either untagged or tagged"
        ),
    ),
}
"""VLANs, uplinks, and NICs that nobody lists."""

STORAGE_SLOTS: dict[str, tuple[Case, ...]] = {
    "storageSlots": (
        Case("one less", drop("storageSlots[2]"), nothing="a slot that is not listed keeps its mode"),
        Case(
            "one more that is so",
            add("storageSlots", {"slot": 7, "managementMode": "Volume"}),
            nothing="it is so already",
        ),
    ),
    "storageSlots[].slot": (
        Case(
            "one that the chassis has not",
            put("storageSlots[2].slot", 9),
            nothing="there is nothing to do it to",
            ends=["Chassis/sm15k-01: UnknownSlot"],
            says="spec.storageSlots names slot 9, which the chassis does not have; it has 2, 5, 7.",
        ),
    ),
    "storageSlots[].managementMode": (
        Case(
            "under volumes that servers have",
            put("storageSlots[2].managementMode", "Disk"),
            nothing="it would destroy what servers use: a person has to detach that first",
            ends=["Chassis/sm15k-01: SlotInUse"],
            says="0/0 vdisk 0 has 2/rootpool-1/rootvol-0 of it and 86 more. Detach that by hand if it is not needed",
        ),
        Case("removed", drop("storageSlots[2].managementMode"), refused="managementMode: is required; add it."),
    ),
}
"""Modes of storage slots."""

FREE_SLOTS: dict[str, tuple[Case, ...]] = {
    "storageSlots[].managementMode": (
        Case(
            "of a slot that nobody uses",
            put("storageSlots[5].managementMode", "Disk"),
            plan=[["SetManagementMode slot 5: Destructive"]],
            held="ApprovalRequired",
        ),
    ),
}
"""On the small rack, as the golden one has no slot that nobody uses."""

GENERAL: dict[str, tuple[Case, ...]] = {
    "protectedServers": (
        Case(
            "a running node of remaining",
            add("protectedServers", "5/0"),
            nothing="its node goes as an object, and its volume stays on it and is nobody else's",
            nodes=["-ComputeNode/compute-5"],
            more=1,
        ),
        Case(
            "a member of a set",
            add("protectedServers", "11/0"),
            nothing="one of the two is a mistake: nothing touches the server, and its node stays until a person decides",
            ends=["Chassis/sm15k-01: InvalidNodeSet", "ComputeNode/controller-2: Protected"],
            says="spec.nodeSets[controller]: server 11/0 is in protectedServers; take it out of one of the two.",
            more=1,
        ),
        Case(
            "none",
            drop("protectedServers"),
            accepts=["32/0 was in spec.protectedServers"],
            plan=[["7 SetPort: Disruptive"]],
            held="CardChanged",
            nodes=["+ComputeNode/compute-32"],
            ends=["ComputeNode/compute-32: VDiskTaken", "StoragePool/root: Drifted"],
            says="wants 32/0 vdisk 0, which has 7/RAIDPOOL/RAIDVOL-0. Detach that by hand if it is not needed",
        ),
        Case(
            "one twice",
            add("protectedServers", "32/0"),
            refused='spec.protectedServers: has "32/0" twice; keep one of each.',
        ),
    ),
    "deletionPolicy": (
        Case("Wipe", put("deletionPolicy", "Wipe"), nothing="it counts when the object is deleted"),
        Case("removed", drop("deletionPolicy"), nothing="Retain is the default"),
    ),
    "policy": (
        Case(
            "removed while there is something to do",
            (drop("policy"), add("vlans", {"id": 300})),
            plan=[["CreateVlan VLAN 300: Safe"]],
            held="PlanOnly",
            stays="Plan is the default",
            ends=["Chassis/sm15k-01: PlanOnly"],
            says="Chassis/sm15k-01 is in mode Plan. Set policy.mode: Enforce to let it act.",
        ),
    ),
    "policy.mode": tuple(
        Case(
            f"{mode} while there is something to do",
            (put("policy.mode", mode), add("vlans", {"id": 300})),
            plan=[["CreateVlan VLAN 300: Safe"]],
            held=reason,
            stays="nobody carries it out",
            ends=[f"Chassis/sm15k-01: {reason}"],
            says=f"Chassis/sm15k-01 is in mode {mode}. Set policy.mode: Enforce to let it act.",
        )
        for mode, reason in (("Observe", "ObserveOnly"), ("Plan", "PlanOnly"))
    ),
    "policy.destructive": (
        Case(
            "Never, with an uplink changed",
            (put("policy.destructive", "Never"), put("uplinks[te 0/1].untagged", 100)),
            plan=[["SetPort te 0/1: Destructive"]],
            held="DestructiveNever",
            stays="nobody carries it out",
            ends=["Chassis/sm15k-01: DestructiveNever"],
            says="Chassis/sm15k-01 has policy.destructive: Never.",
        ),
        Case("Never at rest", put("policy.destructive", "Never"), nothing="there is nothing to hold"),
        Case(
            "removed",
            drop("policy.destructive"),
            nothing="RequireApproval is the default, and there is nothing to hold",
        ),
    ),
    "policy.maxDisrupted": (
        Case(
            "none, with servers to be stopped",
            (put("policy.maxDisrupted", 0), put("nodeSets[storage].template.powerState", "Stopped")),
            plan=[
                [
                    "SetPower server 12/0: Disruptive",
                    "SetPower server 29/0: Disruptive",
                    "SetPower server 34/0: Disruptive",
                ]
            ],
            held="DisruptiveNever",
            stays="none may be stopped",
            ends=[f"ComputeNode/storage-{number}: DisruptiveNever" for number in range(3)],
            says="has policy.maxDisrupted: 0, so nothing that serves is stopped.",
        ),
        Case(
            "all at once",
            (put("policy.maxDisrupted", 3), put("nodeSets[storage].template.powerState", "Stopped")),
            plan=[
                [
                    "SetPower server 12/0: Disruptive",
                    "SetPower server 29/0: Disruptive",
                    "SetPower server 34/0: Disruptive",
                ]
            ],
        ),
    ),
    "approvals": (
        Case(
            "one that fits nothing", put("approvals", [{"plan": NO_DIGEST}]), nothing="an approval alone does nothing"
        ),
        Case(
            "one that fits nothing, with an uplink changed",
            (put("approvals", [{"plan": NO_DIGEST}]), put("uplinks[te 0/1].untagged", 100)),
            plan=[["SetPort te 0/1: Destructive"]],
            held="ApprovalRequired",
        ),
    ),
    "approvals[].plan": (
        Case(
            "one that is no digest",
            put("approvals", [{"plan": "yes"}]),
            refused='spec.approvals[0].plan: "yes" has 3 characters; use 71 to 71.',
        ),
    ),
}
"""What goes for the whole chassis. How it is reached, and how often it is looked at, is in `test_endpoints`."""
