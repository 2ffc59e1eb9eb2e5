"""What follows from a change of each field of a Chassis' node sets on the golden rack. Hosts: `host_cases`."""

from tests.unit.core.changes.case import Case
from tests.unit.core.changes.fields import add, drop, put

SETS = "nodeSets[{}]."
STORAGE = "nodeSets[storage]."
TEMPLATE = f"{STORAGE}template."
GROUPS = f"{TEMPLATE}nicGroups"
OF_CONTROLLERS = "nodeSets[controller].template."
BUDGET = "Budget"  # maxDisrupted is 1: one server after another
CHANGED = "CardChanged"
HOST = "it is the host's, and the chassis does not know it"
INVALID = "Chassis/sm15k-01: InvalidNodeSet"
STOPPED = [f"SetPower server {server}: Disruptive" for server in ("12/0", "29/0", "34/0")]
NO_MORE_VOLUMES = ["StoragePool/capacity: NoVolume", "StoragePool/journal: NoVolume"]
TOO_FEW = "Too few free volumes: spec.assign[data] wants 18 more and 18 are missing."


def moved(server: str, before: str, after: str) -> str:
    """What a card that changed its set is held for."""
    return f"{server} was in the set {before} and is in {after} now"


SETS_AND_MEMBERS: dict[str, tuple[Case, ...]] = {
    "nodeSets": (
        Case(
            "none",
            drop("nodeSets"),
            nothing="the objects of nodes go, and what they had stays on the servers",
            nodes=["63 -"],
            more=129,
        ),
        Case(
            "one less, whose servers no other names",
            drop("nodeSets[compute]"),
            nothing="the objects of its nodes go, and what they had stays on the servers",
            nodes=["57 -"],
            more=57,
        ),
        Case(
            "one less, whose servers go to the rest",
            drop("nodeSets[storage]"),
            accepts=[moved(server, "storage", "compute") for server in ("12/0", "29/0", "34/0")],
            plan=[["21 SetPort: Disruptive"]],
            held=CHANGED,
            nodes=[
                *(f"-ComputeNode/storage-{n}" for n in range(3)),
                *(f"+ComputeNode/compute-{n}" for n in (12, 29, 34)),
            ],
            more=66,
        ),
        Case(
            "one more, with a server of the rest",
            add("nodeSets", {"name": "extra", "members": [{"server": "2/0", "name": "extra-0"}], "template": {}}),
            accepts=[moved("2/0", "compute", "extra")],
            plan=[["SetPort 2/0 nic 0: Disruptive"]],
            held=CHANGED,
            nodes=["-ComputeNode/compute-2", "+ComputeNode/extra-0"],
            more=1,
        ),
        Case(
            "two with remaining",
            add("nodeSets", {"name": "rest", "remaining": {"namePrefix": "rest"}, "template": {}}),
            refused="two nodeSets have remaining; only one set can take the servers that no other names; found compute, rest.",
        ),
    ),
    "nodeSets[].name": (
        Case(
            "changed",
            put("nodeSets[controller].name", "control"),
            nothing="the cards stay as they are, and the pools that select the old name give them nothing any more",
            accepts=[moved(server, "controller", "control") for server in ("0/0", "1/0", "11/0")],
            more=3,
        ),
        Case(
            "as another has it",
            put("nodeSets[controller].name", "storage"),
            refused="more than one item with name storage",
        ),
    ),
    "nodeSets[].members": (
        Case("none", drop(f"{STORAGE}members"), refused="exactly one of members, remaining must be set."),
        Case(
            "one less",
            (drop(f"{STORAGE}members[12/0]"), drop(f"{STORAGE}overrides")),
            accepts=[moved("12/0", "storage", "compute")],
            plan=[["7 SetPort: Disruptive"]],
            held=CHANGED,
            nodes=["-ComputeNode/storage-0", "+ComputeNode/compute-12"],
            more=22,
        ),
        Case(
            "one more",
            add(f"{STORAGE}members", {"server": "2/0", "name": "storage-3"}),
            accepts=[moved("2/0", "compute", "storage")],
            plan=[["7 SetPort: Disruptive"]],
            held=CHANGED,
            nodes=["-ComputeNode/compute-2", "+ComputeNode/storage-3"],
            ends=["ComputeNode/storage-3: NoVolume", *NO_MORE_VOLUMES],
            says=TOO_FEW,
        ),
    ),
    "nodeSets[].members[].server": (
        Case(
            "another card",
            (put(f"{STORAGE}members[12/0].server", "2/0"), put(f"{STORAGE}overrides[12/0].server", "2/0")),
            accepts=[moved("2/0", "compute", "storage"), moved("12/0", "storage", "compute")],
            plan=[["14 SetPort: Disruptive"]],
            held=CHANGED,
            nodes=["-ComputeNode/compute-2", "+ComputeNode/compute-12"],
            ends=["ComputeNode/storage-0: NoVolume", *NO_MORE_VOLUMES],
            says=TOO_FEW,
            more=22,
        ),
        Case(
            "one that the chassis has not",
            add("nodeSets[controller].members", {"server": "64/0", "name": "controller-3"}),
            nothing="there is no such server",
            ends=[INVALID],
            says="spec.nodeSets[controller]: server 64/0 is not in the chassis; correct it or insert the card.",
        ),
        Case(
            "one that is protected",
            add("nodeSets[controller].members", {"server": "32/0", "name": "controller-3"}),
            nothing="a protected server is never touched",
            ends=[INVALID],
            says="server 32/0 is in protectedServers; take it out of one of the two.",
        ),
        Case(
            "one of another set",
            add("nodeSets[controller].members", {"server": "12/0", "name": "controller-3"}),
            nothing="the node that has the card keeps it",
            nodes=["+ComputeNode/controller-3"],
            ends=[INVALID, "ComputeNode/controller-3: Conflict"],
            says="spec.server is 12/0, which ComputeNode/storage-0 has already. Delete one of the two.",
        ),
    ),
    "nodeSets[].members[].name": (
        Case(
            "changed",
            put(f"{STORAGE}members[12/0].name", "storage-9"),
            nothing="the node is another object with the same card and the same volumes",
            nodes=["-ComputeNode/storage-0", "+ComputeNode/storage-9"],
        ),
        Case(
            "as another has it",
            put(f"{STORAGE}members[12/0].name", "storage-1"),
            refused="two members have the same name",
        ),
    ),
    "nodeSets[].members[].addresses": (
        Case("changed", put(f"{STORAGE}members[12/0].addresses", {"management": "10.10.0.99/24"}), nothing=HOST),
        Case("removed", drop(f"{STORAGE}members[12/0].addresses"), nothing=HOST),
        Case(
            "one that is none",
            put(f"{STORAGE}members[12/0].addresses", {"management": "10.10.0.299/24"}),
            refused="is not an address with its prefix length, such as 10.10.0.11/24.",
        ),
    ),
    "nodeSets[].remaining": (
        Case(
            "members instead",
            (
                drop("nodeSets[compute].remaining"),
                put("nodeSets[compute].members", [{"server": "2/0", "name": "compute-2"}]),
            ),
            nothing="the objects of the other nodes go, and what they had stays on the servers",
            nodes=["56 -"],
            more=56,
        ),
        Case(
            "beside members",
            put(f"{STORAGE}remaining", {"namePrefix": "x"}),
            refused="exactly one of members, remaining",
        ),
    ),
    "nodeSets[].remaining.namePrefix": (
        Case(
            "changed",
            put("nodeSets[compute].remaining.namePrefix", "worker"),
            nothing="the nodes are other objects with the same cards and the same volumes",
            nodes=["57 -", "57 +"],
        ),
        Case("removed", drop("nodeSets[compute].remaining.namePrefix"), refused="namePrefix: is required; add it."),
    ),
    "nodeSets[].remaining.addresses": (
        Case(
            "another network",
            put("nodeSets[compute].remaining.addresses", {"management": {"network": "10.11.0.0/24"}}),
            nothing=HOST,
        ),
        Case("removed", drop("nodeSets[compute].remaining.addresses"), nothing=HOST),
        Case(
            "a network that is too small",
            put("nodeSets[compute].remaining.addresses", {"management": {"network": "10.11.0.0/28"}}),
            nothing="nodes that cannot be made anew stay as they are",
            ends=[INVALID],
            says="card 15 has no address in 10.11.0.0/28 for management; take a larger network or name it in members.",
        ),
    ),
    "nodeSets[].remaining.addresses.*.network": (
        Case(
            "changed",
            put("nodeSets[compute].remaining.addresses.management.network", "10.12.0.0/24"),
            nothing=HOST,
        ),
        Case(
            "with bits beyond its prefix",
            put("nodeSets[compute].remaining.addresses.management.network", "10.12.0.1/24"),
            refused="is not a network, such as 10.10.1.0/24 (no bits beyond the prefix).",
        ),
    ),
    "nodeSets[].remaining.addresses.*.host": (
        Case(
            "a word that is none",
            put("nodeSets[compute].remaining.addresses.management.host", "Slot"),
            refused="\"Slot\" is not known; use 'Card'.",
        ),
        Case("removed", drop("nodeSets[compute].remaining.addresses.management.host"), nothing="Card is the default"),
    ),
    "nodeSets[].overrides": (
        Case(
            "one more that moves a NIC",
            add(
                "nodeSets[controller].overrides",
                {"server": "0/0", "spec": {"nicGroups": [{"name": "management", "indexes": [0, 2], "untagged": 100}]}},
            ),
            plan=[["SetPort 0/0 nic 1: Disruptive", "SetPort 0/0 nic 2: Disruptive"]],
        ),
        Case(
            "removed",
            drop(f"{STORAGE}overrides"),
            nothing="what it said was of the host, and the chassis does not know it",
        ),
    ),
    "nodeSets[].overrides[].server": (
        Case(
            "another of the set", put(f"{STORAGE}overrides[12/0].server", "29/0"), nothing="what it says is of the host"
        ),
        Case(
            "one that is not in the set",
            put(f"{STORAGE}overrides[12/0].server", "3/0"),
            refused="an override is for a server that is not a member of the set; add it or correct the server; found 3/0.",
        ),
        Case(
            "one that remaining has not",
            add("nodeSets[compute].overrides", {"server": "0/0", "spec": {"powerState": "Stopped"}}),
            nothing="it applies to no node",
            ends=[INVALID],
            says="spec.nodeSets[compute]: the override for 0/0 applies to no node; correct the server.",
        ),
    ),
    "nodeSets[].overrides[].spec": (
        Case(
            "one server stopped",
            put(f"{STORAGE}overrides[12/0].spec", {"powerState": "Stopped"}),
            plan=[["SetPower server 12/0: Disruptive"]],
        ),
        Case(
            "a value that is none",
            put(f"{STORAGE}overrides[12/0].spec", {"powerState": "Maybe"}),
            nothing="the node stays as it is until the override is corrected",
            ends=[INVALID],
            says='storage-0 would not be valid: spec.powerState: "Maybe" is not known',
        ),
        Case(
            "which server it is",
            put(f"{STORAGE}overrides[12/0].spec", {"server": "3/0"}),
            refused="an override may not change which server a node is; take chassisRef and server out of its spec.",
        ),
    ),
}
"""Which servers become nodes, and under which names."""

TEMPLATES: dict[str, tuple[Case, ...]] = {
    "nodeSets[].template": (
        Case(
            "emptied",
            put(OF_CONTROLLERS[:-1], {}),
            nothing="the members have addresses of an interface that nobody names any more: their nodes stay as they are",
            ends=[INVALID],
            says="controller-0 would not be valid: spec.network: addresses has an address for management",
        ),
        Case(
            "emptied, and the addresses with it",
            (
                put(OF_CONTROLLERS[:-1], {}),
                *(drop(f"nodeSets[controller].members[{server}].addresses") for server in ("0/0", "1/0", "11/0")),
            ),
            plan=[["6 SetPort: Disruptive"]],
            held=BUDGET,
        ),
        Case("removed", drop(OF_CONTROLLERS[:-1]), refused="template: is required; add it."),
    ),
    "nodeSets[].template.powerState": (
        Case("Stopped", put(f"{TEMPLATE}powerState", "Stopped"), plan=[STOPPED], held=BUDGET),
        Case("Unmanaged", put(f"{TEMPLATE}powerState", "Unmanaged"), nothing="servers that run go on running"),
        Case(
            "removed",
            drop(f"{TEMPLATE}powerState"),
            nothing="Unmanaged is the default, and servers that run go on running",
        ),
    ),
    "nodeSets[].template.nicGroups": (
        Case("none", drop(f"{OF_CONTROLLERS}nicGroups"), plan=[["6 SetPort: Disruptive"]], held=BUDGET),
        Case(
            "one less",
            drop(f"{OF_CONTROLLERS}nicGroups[external]"),
            plan=[[f"SetPort {server} nic 1: Disruptive" for server in ("0/0", "1/0", "11/0")]],
            held=BUDGET,
        ),
        Case(
            "one more",
            add(f"{OF_CONTROLLERS}nicGroups", {"name": "clients", "indexes": [2], "untagged": 150}),
            plan=[[f"SetPort {server} nic 2: Disruptive" for server in ("0/0", "1/0", "11/0")]],
            held=BUDGET,
        ),
    ),
    "nodeSets[].template.nicGroups[].name": (
        Case("changed", put(f"{OF_CONTROLLERS}nicGroups[external].name", "outside"), nothing="only bonds refer to it"),
        Case(
            "changed under a bond",
            put(f"{GROUPS}[client-storage].name", "clients"),
            refused="a bond names a nicGroup that is not in nicGroups; add the group or correct the name;",
        ),
    ),
    "nodeSets[].template.nicGroups[].indexes": (
        Case(
            "one less",
            put(f"{GROUPS}[storage-backend].indexes", [4, 5, 6]),
            plan=[[f"SetPort {server} nic 7: Disruptive" for server in ("12/0", "29/0", "34/0")]],
            held=BUDGET,
        ),
        Case(
            "one that the cards have not",
            put(f"{GROUPS}[storage-backend].indexes", [4, 5, 6, 7, 9]),
            nothing="there is no such NIC",
            ends=[f"ComputeNode/storage-{number}: UnknownNIC" for number in range(3)],
            says="spec.nicGroups names NIC 9 of 12/0, which has only NICs 0, 1, 2, 3, 4, 5, 6, 7. Name one of those.",
        ),
        Case(
            "one of another group", put(f"{GROUPS}[storage-backend].indexes", [3]), refused="a NIC is in two nicGroups"
        ),
    ),
    "nodeSets[].template.nicGroups[].untagged": (
        Case("changed", put(f"{GROUPS}[client-storage].untagged", 200), plan=[["9 SetPort: Disruptive"]], held=BUDGET),
        Case(
            "removed", drop(f"{GROUPS}[client-storage].untagged"), refused="exactly one of untagged, vlan must be set."
        ),
    ),
    "nodeSets[].template.nicGroups[].vlan": (
        Case(
            "from Default to Isolated",
            put(f"{OF_CONTROLLERS}nicGroups[external].vlan", "Isolated"),
            plan=[[f"SetPort {server} nic 1: Disruptive" for server in ("0/0", "1/0", "11/0")]],
            held=BUDGET,
        ),
        Case(
            "instead of untagged",
            (drop(f"{GROUPS}[client-storage].untagged"), put(f"{GROUPS}[client-storage].vlan", "Default")),
            plan=[["9 SetPort: Disruptive"]],
            held=BUDGET,
        ),
    ),
    "nodeSets[].template.nicGroups[].tagged": (
        Case(
            "added", put(f"{GROUPS}[client-storage].tagged", [100, 200]), plan=[["9 SetPort: Disruptive"]], held=BUDGET
        ),
        Case(
            "one that nobody declared",
            put(f"{GROUPS}[client-storage].tagged", [300]),
            refused="is in a VLAN that vlans",
        ),
    ),
    "nodeSets[].template.deletionPolicy": (
        Case("Release", put(f"{TEMPLATE}deletionPolicy", "Release"), nothing="it counts when the object is deleted"),
        Case("given", put(f"{TEMPLATE}deletionPolicy", "Retain"), nothing="Retain is the default"),
    ),
    "nodeSets[].template.policy": (
        Case("given", put(f"{TEMPLATE}policy", {"mode": "Enforce"}), nothing="it says what the Chassis says"),
    ),
    "nodeSets[].template.policy.mode": tuple(
        Case(
            f"{mode} while there is something to do",
            (put(f"{TEMPLATE}policy.mode", mode), put(f"{TEMPLATE}powerState", "Stopped")),
            plan=[STOPPED],
            held=reason,
            stays="nobody carries it out",
            ends=[f"ComputeNode/storage-{number}: {reason}" for number in range(3)],
            says=f"ComputeNode/storage-0 is in mode {mode}. Set policy.mode: Enforce to let it act.",
        )
        for mode, reason in (("Observe", "ObserveOnly"), ("Plan", "PlanOnly"))
    ),
    "nodeSets[].template.policy.destructive": (
        Case(
            "Never, with volumes to be detached",
            put(f"{TEMPLATE}policy.destructive", "Never"),
            also={"StoragePool/capacity": put("assign[data].attach", "AllPaths")},
            plan=[["51 Detach: Destructive"], ["51 Attach: Safe"]],
            held="DestructiveNever",
            stays="nobody carries it out",
            ends=[
                *(f"ComputeNode/storage-{number}: DestructiveNever" for number in range(3)),
                "StoragePool/capacity: DestructiveNever",
            ],
            says="ComputeNode/storage-0 has policy.destructive: Never.",
        ),
    ),
    "nodeSets[].template.policy.maxDisrupted": (
        Case(
            "more than the Chassis says",
            (put(f"{TEMPLATE}policy.maxDisrupted", 2), put(f"{TEMPLATE}powerState", "Stopped")),
            plan=[STOPPED],
            held=BUDGET,
        ),
        Case(
            "as many as there are",
            (put(f"{TEMPLATE}policy.maxDisrupted", 3), put(f"{TEMPLATE}powerState", "Stopped")),
            plan=[STOPPED],
        ),
        Case(
            "none",
            (put(f"{TEMPLATE}policy.maxDisrupted", 0), put(f"{TEMPLATE}powerState", "Stopped")),
            plan=[STOPPED],
            held="DisruptiveNever",
            stays="nobody carries it out",
            ends=[f"ComputeNode/storage-{number}: DisruptiveNever" for number in range(3)],
            says="ComputeNode/storage-0 has policy.maxDisrupted: 0, so nothing that serves is stopped.",
        ),
    ),
    "nodeSets[].template.policy.resyncSeconds": (
        Case("given", put(f"{TEMPLATE}policy.resyncSeconds", 30), nothing="the chassis is looked at more often"),
    ),
}
"""What the nodes of a set have in common, on the chassis side."""
