"""What the finished rack must show, checked line by line in the chassis' own tables. Pure; knows no operator."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rackwright_drivers.contract.network import PortVlans
from rackwright_drivers.contract.storage import PoolId, VolumeId
from rackwright_sim.fabric import NICS
from rackwright_sim.startfile import Start

DEFAULT, ISOLATED = "Default", None
ROOT_VDISK = 0


@dataclass(frozen=True)
class Asked:
    """What the manifests ask for, as far as it is to be seen on the chassis.

    `ports` has the VLAN of each NIC of each server that is ours: a number, or None for isolated. `roles` are the servers
    of which no two may share a disk. `pools` has for each pool its one disk.
    """

    protected: frozenset[str]
    ports: Mapping[tuple[str, int], int | None]
    roles: frozenset[str]
    pools: Mapping[PoolId, str]
    prefix: str
    per_pool: int

    @property
    def servers(self) -> frozenset[str]:
        """All that are ours."""
        return frozenset(server for server, _ in self.ports)


def asked(chassis: Mapping[str, Any], pool: Mapping[str, Any], found: Start) -> Asked:
    """Read the manifests as a person would, for the cards and the default VLAN that the chassis has."""
    spec, backend = chassis["spec"], pool["spec"]["backend"]["chassis"]
    protected = frozenset(spec["protectedServers"])
    ours = [server for server in found.cards.servers if server not in protected]
    ports: dict[tuple[str, int], int | None] = {}
    roles: set[str] = set()
    for node_set in spec["nodeSets"]:
        members = [member["server"] for member in node_set.get("members", ())]
        roles |= set(members)
        groups = node_set["template"]["nicGroups"]
        for server in members or [server for server in ours if (server, 0) not in ports]:
            ports |= {(server, index): _vlan(groups, index, found.switch.default_vlan) for index in range(NICS)}
    prefix, first = backend["pools"]["prefix"], backend["pools"]["firstNumber"]
    disks = backend["disks"]["names"]
    pools = {PoolId(int(disk[4]), f"{prefix}-{number}"): disk for number, disk in enumerate(disks, start=first)}
    volumes = backend["volumes"]
    return Asked(protected, ports, frozenset(roles), pools, volumes["prefix"], volumes["perPool"])


def _vlan(groups: Iterable[Mapping[str, Any]], index: int, default: int) -> int | None:
    group = next((group for group in groups if index in group["indexes"]), {})
    return default if group.get("vlan") == DEFAULT else group.get("untagged", ISOLATED)


@dataclass(frozen=True)
class Picture:
    """The tables of a chassis in a form that compares: the same picture is the same chassis. Every port is in it."""

    running: frozenset[str]
    attachments: Mapping[tuple[str, int], str]
    nics: Mapping[tuple[str, int], PortVlans]
    uplinks: Mapping[str, PortVlans]
    vlans: frozenset[int]
    pools: Mapping[PoolId, tuple[str, ...]]
    volumes: Mapping[VolumeId, int]

    @classmethod
    def of(cls, state: Start) -> "Picture":
        """From what the simulator shows, where ports that are simply in the default VLAN are left out."""
        default = PortVlans(state.switch.default_vlan)
        nics = {(server, nic): default for server in state.cards.servers for nic in range(NICS)}
        uplinks = dict.fromkeys(state.switch.uplinks, default)
        for port in state.switch.ports:
            vlans = PortVlans(port.untagged, frozenset(port.tagged))
            if port.uplink is not None:
                uplinks[port.uplink] = vlans
            elif port.server is not None and port.nic is not None:
                nics[port.server, port.nic] = vlans
        return cls(
            running=frozenset(state.cards.running),
            attachments={(at.server, at.vdisk): at.volume or f"disk {at.disk}" for at in state.attachments},
            nics=nics,
            uplinks=uplinks,
            vlans=frozenset(state.switch.vlans),
            pools={PoolId.parse(pool.id): pool.disks for pool in state.pools},
            volumes={
                VolumeId(*PoolId.parse(group.pool), name): group.size_gib
                for group in state.volumes
                for name in group.names()
            },
        )

    def of_server(self, server: str) -> tuple[object, ...]:
        """All there is about one server."""
        return (
            "runs" if server in self.running else "off",
            {f"vdisk {key[1]}": value for key, value in self.attachments.items() if key[0] == server},
            {f"nic {key[1]}": vlans for key, vlans in self.nics.items() if key[0] == server},
        )

    def nics_right(self, asked: Asked) -> int:
        """How many NICs are where they should be."""
        return sum(self.nics.get(key) == PortVlans(vlan) for key, vlan in asked.ports.items())


def shortfalls(asked: Asked, before: Start, now: Start, lines: Sequence[str]) -> tuple[str, ...]:
    """Sentences about all that is not as asked for. `lines` are those that came in over SSH since `before`."""
    was, found = Picture.of(before), Picture.of(now)
    return (
        *_volumes(asked, was, found),
        *_roots(asked, was, found),
        *_spread(asked, found),
        *_network(asked, found),
        *_power(asked, was, found),
        *_untouched(asked, was, found, lines),
    )


def _volumes(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    new = {name: disks for name, disks in found.pools.items() if name not in was.pools}
    if new != {name: (disk,) for name, disk in asked.pools.items()}:
        yield f"the pools made are {_list(new)} and should be {_list(asked.pools)}, one disk each as listed"
    for pool in asked.pools:
        wanted = {VolumeId(*pool, f"{asked.prefix}-{number}") for number in range(asked.per_pool)}
        made = {name for name in found.volumes if name.pool_id == pool}
        if made != wanted:
            yield f"{pool} holds {len(made)} volumes and should hold {len(wanted)}, {asked.prefix}-0 and up"
    sizes = {size for name, size in found.volumes.items() if name.pool_id in asked.pools}
    if len(sizes) > 1:
        yield f"root volumes are of {len(sizes)} sizes and should be of one"


def _roots(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    for server in sorted(asked.servers, key=_card):
        volume = found.attachments.get((server, ROOT_VDISK))
        if volume is None or _pool(volume) not in asked.pools:
            yield f"{server} vdisk {ROOT_VDISK} has {volume or 'nothing'} and should have a root volume"
    expected = {(server, ROOT_VDISK) for server in asked.servers} | was.attachments.keys()
    for server, vdisk in sorted(found.attachments.keys() - expected):
        yield f"{server} vdisk {vdisk} has {found.attachments[server, vdisk]} and should be empty"
    for volume, count in Counter(found.attachments.values()).items():
        if count > 1:
            yield f"{volume} is attached {count} times and should be once"


def _spread(asked: Asked, found: Picture) -> Iterator[str]:
    volumes = {server: _pool(found.attachments.get((server, ROOT_VDISK), "")) for server in asked.servers}
    roots = {server: pool for server, pool in volumes.items() if pool is not None and pool in asked.pools}
    disks = Counter(
        asked.pools[pool] for server, pool in roots.items() if server in asked.roles and pool in asked.pools
    )
    for disk, count in sorted(disks.items()):
        if count > 1:
            yield f"{count} of the servers {_list(asked.roles)} are on disk {disk} and at most one should be"
    fewest, more = divmod(len(asked.servers), len(asked.pools))
    fair = {fewest, fewest + bool(more)}
    for name, count in sorted(Counter(roots.values()).items()):
        if count not in fair:
            yield f"{name} serves {count} servers and should serve {' or '.join(map(str, sorted(fair)))}"


def _network(asked: Asked, found: Picture) -> Iterator[str]:
    for (server, nic), wanted in sorted(asked.ports.items(), key=lambda item: (_card(item[0][0]), item[0][1])):
        vlans = found.nics.get((server, nic))
        if vlans != PortVlans(wanted):
            seen = f"in {_name(vlans.untagged)}" if vlans else "not there"
            tagged = f", tagged in {_list(vlans.tagged)}" if vlans and vlans.tagged else ""
            yield f"{server} nic {nic} is {seen}{tagged} and should be in {_name(wanted)}, untagged only"


def _name(vlan: int | None) -> str:
    return "no VLAN (isolated)" if vlan is ISOLATED else f"VLAN {vlan}"


def _power(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    for server in sorted(asked.servers - found.running, key=_card):
        yield f"{server} is off and should run"


def _untouched(asked: Asked, was: Picture, found: Picture, lines: Sequence[str]) -> Iterator[str]:
    for server in sorted(asked.protected):
        if was.of_server(server) != found.of_server(server):
            yield f"{server} is protected and was changed: {was.of_server(server)} became {found.of_server(server)}"
        named = next((line for line in lines if re.search(rf"(?<!\d){re.escape(server)}(?!\d)", line)), None)
        if named:
            yield f"{server} is protected and was named in {named!r}"
    for name, size in was.volumes.items():
        if found.volumes.get(name) != size:
            yield f"{name} was there before and should be as it was"
    if found.uplinks != was.uplinks:
        yield "the uplinks changed, and no manifest says so"


def _pool(volume: str) -> PoolId | None:
    return VolumeId.parse(volume).pool_id if volume.count("/") == 2 else None


def _card(server: str) -> int:
    return int(server.partition("/")[0])


def _list(things: Iterable[object]) -> str:
    return ", ".join(sorted(str(thing) for thing in things)) or "none"
