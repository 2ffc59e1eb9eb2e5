"""The golden rack as a chassis shows it when it is finished, made by hand and without the operator."""

from functools import cache
from typing import Any

from rackwright.cli.demo.facts import Asked, asked
from rackwright.cli.demo.manifests import CHASSIS_FILE, POOL_FILE, Examples, parsed
from rackwright_sim.startfile import Start, load

FOUND = load("as-found")
POOLS = 6
VOLUMES = 11
ROLES = ("0/0", "1/0", "11/0", "12/0", "29/0", "34/0")
CONTROLLERS, STORAGE = ROLES[:3], ROLES[3:]


@cache
def wanted() -> Asked:
    """What the demo's own manifests ask of the chassis as found."""
    files = Examples.read().rack(2022, "ssh-ed25519 AAAA")
    return asked(parsed(files[CHASSIS_FILE]), parsed(files[POOL_FILE]), FOUND)


def finished() -> dict[str, Any]:
    """As plain data, to be spoilt before it becomes a Start."""
    state: dict[str, Any] = FOUND.model_dump(mode="json")
    ours = [server for server in FOUND.cards.servers if server != "32/0"]
    state["cards"]["running"] = list(FOUND.cards.servers)
    state["switch"]["vlans"] = [100, 150, 200]
    state["switch"]["ports"] += [port for server in ours for port in _ports(server)]
    state["slots"][0]["mode"] = state["slots"][1]["mode"] = "Volume"
    state["pools"] += [
        {"id": f"2/rootpool-{n}", "disks": [f"JBOD2/{n + 5}"], "size_gib": 2794} for n in range(1, POOLS + 1)
    ]
    state["volumes"] += [
        {"pool": f"2/rootpool-{n}", "name": "rootvol", "numbers": "0-10", "size_gib": 254} for n in range(1, POOLS + 1)
    ]
    order = [*ROLES, *(server for server in ours if server not in ROLES)]
    state["attachments"] += [
        {"server": server, "vdisk": 0, "volume": f"2/rootpool-{place % POOLS + 1}/rootvol-{place // POOLS}"}
        for place, server in enumerate(order)
    ]
    return state


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
