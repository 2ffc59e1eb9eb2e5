"""What the finished rack must show, checked line by line in the chassis' own tables. Pure; knows no operator."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rackwright_drivers.contract.storage import PoolId, VolumeId
from rackwright_sim.startfile import Start

DEFAULT, ISOLATED = "Default", None
NICS = 8
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
    """The tables of a chassis in a form that compares: the same picture is the same chassis."""

    running: frozenset[str]
    attachments: Mapping[tuple[str, int], str]
    ports: frozenset[tuple[object, ...]]
    vlans: frozenset[int]
    pools: Mapping[PoolId, tuple[str, ...]]
    volumes: Mapping[VolumeId, int]

    @classmethod
    def of(cls, state: Start) -> "Picture":
        """From what the simulator shows."""
        return cls(
            running=frozenset(state.cards.running),
            attachments={(at.server, at.vdisk): at.volume or f"disk {at.disk}" for at in state.attachments},
            ports=frozenset(
                (port.uplink or port.server, port.nic, port.untagged, *sorted(port.tagged))
                for port in state.switch.ports
            ),
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
            server in self.running,
            {key: value for key, value in self.attachments.items() if key[0] == server},
            {port for port in self.ports if port[0] == server},
        )


def shortfalls(asked: Asked, before: Start, now: Start, lines: Sequence[str]) -> tuple[str, ...]:
    """Sentences about all that is not as asked for. `lines` are those that came in over SSH since `before`."""
    was, found = Picture.of(before), Picture.of(now)
    return (
        *_volumes(asked, was, found),
        *_roots(asked, was, found),
        *_spread(asked, found),
        *_network(asked, now),
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


def _network(asked: Asked, now: Start) -> Iterator[str]:
    listed = {(port.server, port.nic): port for port in now.switch.ports if port.server is not None}
    for key, wanted in sorted(asked.ports.items(), key=lambda item: (_card(item[0][0]), item[0][1])):
        entry = listed.get(key)
        untagged = entry.untagged if entry is not None else now.switch.default_vlan
        if untagged != wanted or (entry is not None and entry.tagged):
            yield f"{key[0]} nic {key[1]} is in {_name(untagged)} and should be in {_name(wanted)}, untagged"


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
    uplinks = {port for port in was.ports ^ found.ports if str(port[0]).startswith("te ")}
    if uplinks:
        yield f"uplinks changed, and no manifest says so: {_list(str(port[0]) for port in uplinks)}"


def _pool(volume: str) -> PoolId | None:
    return VolumeId.parse(volume).pool_id if volume.count("/") == 2 else None


def _card(server: str) -> int:
    return int(server.partition("/")[0])


def _list(things: Iterable[object]) -> str:
    return ", ".join(sorted(str(thing) for thing in things)) or "none"
