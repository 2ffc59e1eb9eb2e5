"""What follows from a change of each field of the StoragePools of the golden rack."""

from tests.unit.core.changes.case import Case
from tests.unit.core.changes.fields import add, drop, put

ROOT, CAPACITY, JOURNAL = (f"StoragePool/{name}" for name in ("root", "capacity", "journal"))
CHASSIS = "backend.chassis."
DISKS = f"{CHASSIS}disks."
VOLUMES = f"{CHASSIS}volumes."
ASSIGN = "assign[root]."
REQUIREMENT = f"{ASSIGN}nodeSelector.matchExpressions[0]"
NODE_SET = "rackwright.dev/node-set"
CONTROLLERS = {"matchLabels": {NODE_SET: "controller"}}
NO_DIGEST = "sha256:" + "0" * 64
STAYS = "what is not declared any more stays: nothing is detached and nothing removed"
KEPT = "a volume that a server has stays where it is: a spread counts only for new ones"
KEEPS_NAMES = "as the chassis keeps the names; make another StoragePool; found"
SERVERS_OF_SETS = ("12/0", "29/0", "34/0")
MORE_FOR_CONTROLLERS = {"name": "more", "nodeSelector": CONTROLLERS, "vdisks": [1]}
ATTACHED_TO_CONTROLLERS = [[f"Attach {server} vdisk 1: Safe" for server in ("0/0", "1/0", "11/0")]]

BACKEND: dict[str, tuple[Case, ...]] = {
    "chassisRef": (
        Case(
            "removed",
            drop("chassisRef"),
            refused="chassisRef must be given for backend Chassis, and only for that.",
        ),
    ),
    "chassisRef.name": (
        Case(
            "another",
            put("chassisRef.name", "sm15k-02"),
            refused="spec: chassisRef cannot be changed; make another StoragePool; found",
        ),
    ),
    "backend": (Case("removed", drop("backend"), refused="spec.backend: is required; add it."),),
    "backend.type": (
        Case("changed", put("backend.type", "Ceph"), refused="exactly the member that type names must be set"),
        Case(
            "changed with all that goes with it",
            (
                put("backend", {"type": "Ceph", "ceph": {"dataVdisks": [4]}}),
                *(drop(path) for path in ("chassisRef", "assign", "onDiskFailure")),
            ),
            refused="spec.backend: type cannot be changed; make another StoragePool; found",
        ),
    ),
    "backend.chassis": (
        Case("removed", drop("backend.chassis"), refused="exactly the member that type names must be set"),
    ),
    f"{DISKS[:-1]}": (
        Case("removed", drop(DISKS[:-1]), refused="give either existingPool, or disks and pools together."),
        Case(
            "by selector instead of by name",
            put(DISKS[:-1], {"selector": {"slots": [2]}, "count": 6}),
            nothing="those that it has match, and stay its own",
        ),
    ),
    f"{DISKS}names": (
        Case(
            "in another order",
            put(f"{DISKS}names", [f"JBOD2/{n}" for n in (11, 6, 7, 8, 9, 10)]),
            nothing="pools keep names",
        ),
        Case(
            "one less",
            drop(f"{DISKS}names[JBOD2/11]"),
            nothing=STAYS,
            ends=["10 ComputeNode: VDiskTaken", f"{ROOT}: Drifted"],
            says="34/0 vdisk 0, which has 2/rootpool-6/rootvol-0. Detach that by hand if it is not needed",
            more=22,
        ),
        Case(
            "one more that another pool took",
            add(f"{DISKS}names", "JBOD2/12"),
            nothing="who has a disk keeps it",
            ends=[f"{ROOT}: Conflict"],
            says="spec.backend.chassis.disks names JBOD2/12, which StoragePool/capacity has already.",
        ),
        Case(
            "one more that the chassis has not",
            add(f"{DISKS}names", "JBOD2/99"),
            nothing="there is no such disk",
            ends=[f"{ROOT}: UnknownDisk"],
            says="spec.backend.chassis.disks names JBOD2/99, which the chassis does not list.",
        ),
        Case(
            "one of a pool that nobody declared",
            add(f"{DISKS}names", "7/0"),
            nothing="a pool that somebody made is not cleared away",
            ends=[f"{ROOT}: DiskInUse"],
            says="names 7/0, which is part of the pool 7/RAIDPOOL",
        ),
        Case("one twice", add(f"{DISKS}names", "JBOD2/6"), refused='names: has "JBOD2/6" twice; keep one of each.'),
    ),
    f"{DISKS}selector": (
        Case(
            "beside names",
            put(f"{DISKS}selector", {"slots": [2]}),
            refused="exactly one of names, selector must be set.",
        ),
    ),
    f"{DISKS}selector.slots": (
        Case(
            "one less",
            put(f"{DISKS}selector.slots", [2]),
            to=CAPACITY,
            nothing=STAYS,
            ends=[*(f"ComputeNode/storage-{number}: VDiskTaken" for number in range(3)), f"{CAPACITY}: NoCapacity"],
            says="asks for 54 disks, but only 24 match the selector and are free.",
            more=90,
        ),
        Case(
            "one more", put(f"{DISKS}selector.slots", [2, 5, 7]), to=CAPACITY, nothing="those that it has still match"
        ),
    ),
    f"{DISKS}selector.media": (
        Case(
            "another",
            put(f"{DISKS}selector.media", "SSD"),
            to=CAPACITY,
            nothing=STAYS,
            ends=[*(f"ComputeNode/storage-{number}: VDiskTaken" for number in range(3)), f"{CAPACITY}: NoCapacity"],
            says="asks for 54 disks, but only 0 match the selector and are free.",
            more=162,
        ),
        Case("removed", drop(f"{DISKS}selector.media"), to=CAPACITY, nothing="those that it has still match"),
    ),
    f"{DISKS}count": (
        Case(
            "one less",
            put(f"{DISKS}count", 53),
            to=CAPACITY,
            nothing=STAYS,
            ends=["ComputeNode/storage-2: VDiskTaken", f"{CAPACITY}: Drifted"],
            says="34/0 vdisk 22, which has 5/jbodpool-54/jbodvol-54. Detach that by hand if it is not needed",
            more=3,
        ),
        Case(
            "more than there are",
            put(f"{DISKS}count", 55),
            to=CAPACITY,
            nothing="there is no free disk left",
            ends=[f"{CAPACITY}: NoCapacity"],
            says="asks for 55 disks, but only 54 match the selector and are free. Lower the count, widen the selector",
        ),
        Case(
            "removed",
            drop(f"{DISKS}count"),
            to=CAPACITY,
            refused="count goes with selector: give both, or names alone.",
        ),
    ),
    f"{CHASSIS}pools": (
        Case("removed", drop(f"{CHASSIS}pools"), refused="give either existingPool, or disks and pools together."),
    ),
    f"{CHASSIS}pools.perDisk": (
        Case(
            "false", put(f"{CHASSIS}pools.perDisk", False), refused="perDisk false is not carried out by this version"
        ),
        Case("removed", drop(f"{CHASSIS}pools.perDisk"), nothing="true is the default"),
    ),
    f"{CHASSIS}pools.prefix": (
        Case(
            "changed",
            put(f"{CHASSIS}pools.prefix", "bootpool"),
            refused=f"pools: prefix cannot be changed, {KEEPS_NAMES}",
        ),
    ),
    f"{CHASSIS}pools.firstNumber": (
        Case("changed", put(f"{CHASSIS}pools.firstNumber", 7), refused=f"firstNumber cannot be changed, {KEEPS_NAMES}"),
        Case("removed", drop(f"{CHASSIS}pools.firstNumber"), nothing="1 is the default"),
    ),
    f"{CHASSIS}existingPool": (
        Case(
            "another",
            put(f"{CHASSIS}existingPool", "2/rootpool-1"),
            to=JOURNAL,
            refused="existingPool can be neither set, changed nor taken away later; make another StoragePool; found",
        ),
        Case(
            "beside disks",
            put(f"{CHASSIS}existingPool", "7/RAIDPOOL"),
            refused="give either existingPool, or disks and pools",
        ),
    ),
    f"{CHASSIS}volumes": (Case("removed", drop(f"{CHASSIS}volumes"), refused="volumes: is required; add it."),),
    f"{VOLUMES}prefix": (
        Case(
            "changed", put(f"{VOLUMES}prefix", "bootvol"), refused=f"volumes: prefix cannot be changed, {KEEPS_NAMES}"
        ),
        Case(
            "of an existing pool", put(f"{VOLUMES}prefix", "J"), to=JOURNAL, refused="volumes: prefix cannot be changed"
        ),
    ),
    f"{VOLUMES}perPool": (
        Case(
            "one more, where equal shares fill the pools",
            put(f"{VOLUMES}perPool", 12),
            nothing="volumes that are there keep their size, so that nothing is left for one more",
            ends=[f"{ROOT}: NoCapacity"],
            says="asks for 1 volumes of 232 GiB in pool 2/rootpool-1, which has only 0 GiB free.",
        ),
        Case(
            "one less",
            put(f"{VOLUMES}perPool", 10),
            nothing=STAYS,
            ends=[f"ComputeNode/compute-{number}: VDiskTaken" for number in (61, 62, 63)] + [f"{ROOT}: Drifted"],
            says="61/0 vdisk 0, which has 2/rootpool-1/rootvol-10. Detach that by hand if it is not needed",
            more=9,
        ),
        Case(
            "two with SameAsPool",
            put(f"{VOLUMES}perPool", 2),
            to=CAPACITY,
            refused="numbering SameAsPool needs perPool 1",
        ),
    ),
    f"{VOLUMES}count": (
        Case("one more", put(f"{VOLUMES}count", 4), to=JOURNAL, plan=[["CreateVolumes 7/RAIDPOOL/Journal: Safe"]]),
        Case(
            "more than fit",
            put(f"{VOLUMES}count", 40),
            to=JOURNAL,
            nothing="not even some of them: that would be a pool that nobody asked for",
            ends=[f"{JOURNAL}: NoCapacity"],
            says="37 volumes of 500 GiB in pool 7/RAIDPOOL, which has only 1580 GiB free. In it are 7/RAIDPOOL/RAIDVOL-0",
        ),
        Case(
            "one less",
            put(f"{VOLUMES}count", 2),
            to=JOURNAL,
            nothing=STAYS,
            ends=["ComputeNode/storage-2: VDiskTaken", f"{JOURNAL}: Drifted"],
            says="34/0 vdisk 1, which has 7/RAIDPOOL/Journal-2. Detach that by hand if it is not needed",
            more=5,
        ),
    ),
    f"{VOLUMES}size": (
        Case(
            "of volumes that are there",
            put(f"{VOLUMES}size", "600Gi"),
            to=JOURNAL,
            nothing="a volume cannot grow or shrink in place, and to make it anew would lose its data",
            ends=[f"{JOURNAL}: CannotChange"],
            says="volume 7/RAIDPOOL/Journal-0 should be 600 GiB and is 500 GiB, which no command changes in place.",
        ),
        Case(
            "of volumes that are there and one that is not",
            (put(f"{VOLUMES}size", "600Gi"), put(f"{VOLUMES}count", 4)),
            to=JOURNAL,
            plan=[["CreateVolumes 7/RAIDPOOL/Journal: Safe"]],
            ends=[f"{JOURNAL}: CannotChange"],
            says="volume 7/RAIDPOOL/Journal-0 should be 600 GiB and is 500 GiB, which no command changes in place.",
        ),
        Case("as large as the shares are", put(f"{VOLUMES}size", "254Gi"), nothing="they are as large as that already"),
        Case(
            "EqualShare of a pool that is there",
            put(f"{VOLUMES}size", "EqualShare"),
            to=JOURNAL,
            refused="EqualShare would divide a pool that others also use; give a size, such as 500Gi.",
        ),
    ),
    f"{VOLUMES}numbering": (
        Case(
            "changed",
            put(f"{VOLUMES}numbering", "FromZero"),
            to=CAPACITY,
            refused=f"numbering cannot be changed, {KEEPS_NAMES}",
        ),
        Case("given", put(f"{VOLUMES}numbering", "FromZero"), nothing="it is the default"),
    ),
}
"""Where the volumes are, and how many of which size."""

ASSIGNMENTS: dict[str, tuple[Case, ...]] = {
    "assign": (
        Case("none", drop("assign"), nothing=STAYS, more=63),
        Case("one more on other vdisks", add("assign", MORE_FOR_CONTROLLERS), plan=ATTACHED_TO_CONTROLLERS),
        Case(
            "one more on the same vdisks",
            add("assign", MORE_FOR_CONTROLLERS | {"vdisks": [0]}),
            nothing="they have a volume of this pool, whichever of the two it is for",
            ends=[f"{ROOT}: Conflict"],
            says="Use other vdisks, or narrow one of the two nodeSelectors.",
        ),
        Case(
            "one more for more servers than there are free volumes",
            add(
                "assign",
                MORE_FOR_CONTROLLERS | {"nodeSelector": {"matchLabels": {NODE_SET: "storage"}}, "vdisks": [30, 31]},
            ),
            plan=[["Attach 12/0 vdisk 30: Safe", "Attach 12/0 vdisk 31: Safe", "Attach 29/0 vdisk 30: Safe"]],
            ends=["ComputeNode/storage-1: NoVolume", "ComputeNode/storage-2: NoVolume", f"{ROOT}: NoVolume"],
            says="Too few free volumes: spec.assign[more] wants 3 more and 3 are missing.",
        ),
    ),
    "assign[].name": (
        Case("changed", put(f"{ASSIGN}name", "boot"), nothing="a volume is the server's and not the assignment's"),
    ),
    "assign[].nodeSelector": (
        Case(
            "by another label",
            put(f"{ASSIGN}nodeSelector", {"matchLabels": {"rackwright.dev/chassis": "sm15k-01"}}),
            nothing="it matches the same nodes",
        ),
        Case("removed", drop(f"{ASSIGN}nodeSelector"), refused="nodeSelector: is required; add it."),
    ),
    "assign[].nodeSelector.matchLabels": (
        Case(
            "other nodes",
            put("assign[journal].nodeSelector.matchLabels", {NODE_SET: "controller"}),
            to=JOURNAL,
            nothing="the servers that have the volumes keep them, so that none is free for the others",
            ends=[*(f"ComputeNode/controller-{number}: NoVolume" for number in range(3)), f"{JOURNAL}: NoVolume"],
            says="Too few free volumes: spec.assign[journal] wants 3 more and 3 are missing.",
            more=12,
        ),
        Case(
            "removed",
            drop("assign[journal].nodeSelector.matchLabels"),
            to=JOURNAL,
            refused="an empty selector would match",
        ),
    ),
    "assign[].nodeSelector.matchExpressions": (
        Case(
            "removed",
            drop(f"{ASSIGN}nodeSelector.matchExpressions"),
            refused="an empty selector would match every node",
        ),
        Case(
            "one more",
            add(
                f"{ASSIGN}nodeSelector.matchExpressions", {"key": NODE_SET, "operator": "NotIn", "values": ["storage"]}
            ),
            nothing=STAYS,
            more=3,
        ),
    ),
    "assign[].nodeSelector.matchExpressions[].key": (
        Case("another", put(f"{REQUIREMENT}.key", "rackwright.dev/chassis"), nothing=STAYS, more=63),
    ),
    "assign[].nodeSelector.matchExpressions[].operator": (
        Case("NotIn", put(f"{REQUIREMENT}.operator", "NotIn"), nothing=STAYS, more=63),
        Case(
            "Exists beside values",
            put(f"{REQUIREMENT}.operator", "Exists"),
            refused="values must be given for In and NotIn",
        ),
        Case("Exists", put(REQUIREMENT, {"key": NODE_SET, "operator": "Exists"}), nothing="it matches the same nodes"),
    ),
    "assign[].nodeSelector.matchExpressions[].values": (
        Case("one less", put(f"{REQUIREMENT}.values", ["controller", "compute"]), nothing=STAYS, more=3),
        Case("removed", drop(f"{REQUIREMENT}.values"), refused="values must be given for In and NotIn"),
    ),
    "assign[].vdisks": (
        Case(
            "others",
            put(f"{ASSIGN}vdisks", [30]),
            plan=[["Attach 0/0 vdisk 30: Safe", "Attach 1/0 vdisk 30: Safe", "Attach 11/0 vdisk 30: Safe"]],
            ends=["60 ComputeNode: NoVolume", f"{ROOT}: NoVolume"],
            says="Too few free volumes: spec.assign[root] wants 60 more and 60 are missing.",
            more=63,
        ),
        Case(
            "one more path",
            add("assign[journal].vdisks", 30),
            to=JOURNAL,
            plan=[[f"Attach {server} vdisk 30: Safe" for server in SERVERS_OF_SETS]],
        ),
        Case("one path less", drop("assign[journal].vdisks[5]"), to=JOURNAL, nothing=STAYS, more=3),
        Case("fewer", put("assign[data].vdisks", [4, 6, 7]), to=CAPACITY, nothing=STAYS, more=45),
        Case(
            "removed",
            drop(f"{ASSIGN}vdisks"),
            refused="an assignment takes vdisks for backend Chassis, and only for that.",
        ),
    ),
    "assign[].attach": (
        Case(
            "one volume on all paths instead of one each",
            put("assign[data].attach", "AllPaths"),
            to=CAPACITY,
            plan=[["51 Detach: Destructive"], ["51 Attach: Safe"]],
            held="ApprovalRequired",
        ),
        Case(
            "one volume each instead of one on all paths",
            put("assign[journal].attach", "OnePerVolume"),
            to=JOURNAL,
            nothing="there are no volumes for the other vdisks, and what they have stays",
            ends=[*(f"ComputeNode/storage-{number}: NoVolume" for number in range(3)), f"{JOURNAL}: NoVolume"],
            says="Too few free volumes: spec.assign[journal] wants 9 more and 9 are missing.",
            more=9,
        ),
        Case("removed", drop(f"{ASSIGN}attach"), nothing="OnePerVolume is the default"),
    ),
    "assign[].spread": (Case("removed", drop(f"{ASSIGN}spread"), nothing=KEPT),),
    "assign[].spread[].domain": (Case("changed", put(f"{ASSIGN}spread[0].domain", "Slot"), nothing=KEPT),),
    "assign[].spread[].maxPerDomain": (
        Case("changed", put(f"{ASSIGN}spread[0].maxPerDomain", 2), nothing=KEPT),
        Case(
            "removed",
            drop(f"{ASSIGN}spread[0].maxPerDomain"),
            refused="exactly one of maxPerDomain, maxSkew must be set.",
        ),
    ),
    "assign[].spread[].maxSkew": (
        Case("changed", put(f"{ASSIGN}spread[1].maxSkew", 1), nothing=KEPT),
        Case(
            "beside maxPerDomain", put(f"{ASSIGN}spread[0].maxSkew", 1), refused="exactly one of maxPerDomain, maxSkew"
        ),
    ),
    "assign[].spread[].nodeSelector": (Case("removed", drop(f"{ASSIGN}spread[0].nodeSelector"), nothing=KEPT),),
    "assign[].spread[].nodeSelector.matchLabels": (
        Case("added", put(f"{ASSIGN}spread[0].nodeSelector.matchLabels", {NODE_SET: "controller"}), nothing=KEPT),
    ),
    "assign[].spread[].nodeSelector.matchExpressions": (
        Case(
            "none", put(f"{ASSIGN}spread[0].nodeSelector.matchExpressions", []), refused="an empty selector would match"
        ),
    ),
    "assign[].spread[].nodeSelector.matchExpressions[].key": (
        Case("another", put(f"{ASSIGN}spread[0].nodeSelector.matchExpressions[0].key", "other"), nothing=KEPT),
    ),
    "assign[].spread[].nodeSelector.matchExpressions[].operator": (
        Case("NotIn", put(f"{ASSIGN}spread[0].nodeSelector.matchExpressions[0].operator", "NotIn"), nothing=KEPT),
    ),
    "assign[].spread[].nodeSelector.matchExpressions[].values": (
        Case("one less", put(f"{ASSIGN}spread[0].nodeSelector.matchExpressions[0].values", ["storage"]), nothing=KEPT),
    ),
    "assign[].spread[].whenUnsatisfiable": (
        Case("Hold", put(f"{ASSIGN}spread[1].whenUnsatisfiable", "Hold"), nothing=KEPT),
        Case("removed", drop(f"{ASSIGN}spread[1].whenUnsatisfiable"), nothing=KEPT),
    ),
    "onDiskFailure": (
        Case("None", put("onDiskFailure", "None"), nothing="no disk failed"),
        Case("removed", drop("onDiskFailure"), nothing="None is the default, and no disk failed"),
    ),
    "deletionPolicy": (
        Case("Wipe", put("deletionPolicy", "Wipe"), nothing="it counts when the object is deleted"),
        Case("given", put("deletionPolicy", "Retain"), nothing="Retain is the default"),
    ),
    "policy": (Case("given", put("policy", {"resyncSeconds": 30}), nothing="there is nothing to do"),),
    "policy.mode": tuple(
        Case(
            f"{mode} while there is something to do",
            (put("policy.mode", mode), add("assign", MORE_FOR_CONTROLLERS)),
            plan=ATTACHED_TO_CONTROLLERS,
            held=reason,
            stays="nobody carries it out",
            ends=[*(f"ComputeNode/controller-{number}: {reason}" for number in range(3)), f"{ROOT}: {reason}"],
            says=f"{ROOT} is in mode {mode}. Set policy.mode: Enforce to let it act.",
        )
        for mode, reason in (("Observe", "ObserveOnly"), ("Plan", "PlanOnly"))
    ),
    "policy.destructive": (
        Case(
            "Never, with volumes to be detached",
            (put("policy.destructive", "Never"), put("assign[data].attach", "AllPaths")),
            to=CAPACITY,
            plan=[["51 Detach: Destructive"], ["51 Attach: Safe"]],
            held="DestructiveNever",
            stays="nobody carries it out",
            ends=[
                *(f"ComputeNode/storage-{number}: DestructiveNever" for number in range(3)),
                f"{CAPACITY}: DestructiveNever",
            ],
            says=f"{CAPACITY} has policy.destructive: Never.",
        ),
    ),
    "policy.maxDisrupted": (
        Case(
            "none, with one more assignment",
            (put("policy.maxDisrupted", 0), add("assign", MORE_FOR_CONTROLLERS)),
            plan=ATTACHED_TO_CONTROLLERS,
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
            "one that fits nothing, with volumes to be detached",
            (put("approvals", [{"plan": NO_DIGEST}]), put("assign[data].attach", "AllPaths")),
            to=CAPACITY,
            plan=[["51 Detach: Destructive"], ["51 Attach: Safe"]],
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
"""Which servers get volumes, and how far the operator goes."""

GROWING: dict[str, tuple[Case, ...]] = {
    f"{DISKS}names": (
        Case(
            "one more that is free",
            add(f"{DISKS}names", "JBOD2/7"),
            plan=[
                ["ClearMetadata disk JBOD2/7: Destructive"],
                ["CreatePool pool 2/rootpool-2: Safe"],
                ["CreateVolumes 2/rootpool-2/rootvol: Safe"],
            ],
            held="ApprovalRequired",
        ),
    ),
    f"{DISKS}count": (
        Case(
            "one more that is free, by selector instead of by name",
            put(DISKS[:-1], {"selector": {"slots": [2]}, "count": 2}),
            plan=[
                ["ClearMetadata disk JBOD2/7: Destructive"],
                ["CreatePool pool 2/rootpool-2: Safe"],
                ["CreateVolumes 2/rootpool-2/rootvol: Safe"],
            ],
            held="ApprovalRequired",
        ),
    ),
}
"""What needs disks that nobody uses: on the small rack, as the golden one has none left."""
