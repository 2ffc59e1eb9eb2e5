"""The golden rack as a chassis shows it when it is finished, made by hand and without the operator."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rackwright.cli.demo.asked import Asked, asked
from rackwright.cli.demo.manifests import Examples, documents
from rackwright.core.resource import KINDS
from rackwright_sim.ranges import numbers
from rackwright_sim.startfile import Start, load

FOUND = load("as-found")
POOLS = 6
VOLUMES = 11
ROLES = ("0/0", "1/0", "11/0", "12/0", "29/0", "34/0")
CONTROLLERS, STORAGE = ROLES[:3], ROLES[3:]


@cache
def wanted() -> Asked:
    """What the demo's own manifests ask of the chassis as found."""
    return asked(manifests(), FOUND)


def manifests() -> list[Mapping[str, Any]]:
    """Our objects among the manifests of the demo."""
    files = Examples.read().rack(2022, "ssh-ed25519 AAAA")
    return [item for item in documents(*files.values()) if item["kind"] in KINDS]


def finished() -> dict[str, Any]:
    """As plain data, to be spoilt before it becomes a Start."""
    state: dict[str, Any] = FOUND.model_dump(mode="json")
    ours = [server for server in FOUND.cards.servers if server != "32/0"]
    state["cards"]["running"] = list(FOUND.cards.servers)
    state["switch"]["vlans"] = [100, 150, 200]
    state["switch"]["ports"] += [port for server in ours for port in _ports(server)]
    state["switch"]["ports"] += [{"uplink": f"te {slot}/1", "untagged": 200} for slot in (0, 7)]
    state["slots"][0]["mode"] = state["slots"][1]["mode"] = "Volume"
    state["pools"] += [
        {"id": f"2/rootpool-{n}", "disks": [f"JBOD2/{n + 5}"], "size_gib": 2794} for n in range(1, POOLS + 1)
    ]
    state["volumes"] += [
        {"pool": f"2/rootpool-{n}", "name": "rootvol", "numbers": "0-10", "size_gib": 254} for n in range(1, POOLS + 1)
    ]
    _add_capacity(state)
    _add_journals(state)
    order = [*ROLES, *(server for server in ours if server not in ROLES)]
    state["attachments"] += [
        {"server": server, "vdisk": 0, "volume": f"2/rootpool-{place % POOLS + 1}/rootvol-{place // POOLS}"}
        for place, server in enumerate(order)
    ]
    return state


def _add_capacity(state: dict[str, Any]) -> None:
    """A pool and a volume a disk, on all disks that the root pool does not name."""
    disks = [f"JBOD2/{n}" for n in numbers("12-15,18-22,30,34-38,46,50-54,62,78,81")]
    disks += [f"JBOD5/{n}" for n in numbers("0-9,12-16,24,28-32,40,44-48,56,72,75")]
    places = [(server, vdisk) for vdisk in (4, *range(6, 23)) for server in STORAGE]
    for n, (disk, (server, vdisk)) in enumerate(zip(disks, places, strict=True), start=1):
        pool = f"{disk[4]}/jbodpool-{n}"
        state["pools"].append({"id": pool, "disks": [disk], "size_gib": 2794})
        state["volumes"].append({"pool": pool, "name": f"jbodvol-{n}", "size_gib": 2794})
        state["attachments"].append({"server": server, "vdisk": vdisk, "volume": f"{pool}/jbodvol-{n}"})


def _add_journals(state: dict[str, Any]) -> None:
    """One a storage server, on four vdisks at once."""
    state["volumes"].append({"pool": "7/RAIDPOOL", "name": "Journal", "numbers": "0-2", "size_gib": 500})
    state["attachments"] += [
        {"server": server, "vdisk": vdisk, "volume": f"7/RAIDPOOL/Journal-{n}"}
        for n, server in enumerate(STORAGE)
        for vdisk in (1, 2, 3, 5)
    ]


def _ports(server: str) -> list[dict[str, Any]]:
    vlans: list[int | None] = [100, *[None] * 7]
    if server in STORAGE:
        vlans = [100, 150, 150, 150, 200, 200, 200, 200]
    elif server in CONTROLLERS:
        vlans[1] = 0
    return [{"server": server, "nic": nic, "untagged": vlan} for nic, vlan in enumerate(vlans) if vlan != 0]


def chassis(state: dict[str, Any]) -> Start:
    """The state as the simulator would show it."""
    return Start.model_validate(state)


def on(state: dict[str, Any], server: str, vdisk: int = 0) -> dict[str, Any]:
    """The row of a vdisk."""
    found: dict[str, Any] = next(
        item for item in state["attachments"] if (item["server"], item["vdisk"]) == (server, vdisk)
    )
    return found
