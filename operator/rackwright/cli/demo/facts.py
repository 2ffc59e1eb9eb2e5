"""What the finished rack must show, checked line by line in the chassis' own tables. Pure; knows no operator."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rackwright.cli.demo.asked import ISOLATED, Asked, Assigned
from rackwright_drivers.contract.network import PortVlans
from rackwright_drivers.contract.storage import PoolId, VolumeId
from rackwright_sim.fabric import NICS, card_of
from rackwright_sim.startfile import Start


@dataclass(frozen=True)
class Picture:
    """The tables of a chassis in a form that compares: the same picture is the same chassis. Every port is in it."""

    running: frozenset[str]
    attachments: Mapping[tuple[str, int], str]
    nics: Mapping[tuple[str, int], PortVlans]
    uplinks: Mapping[str, PortVlans]
    vlans: frozenset[int]
    pools: Mapping[PoolId, tuple[str, ...]]
    sizes: Mapping[PoolId, int]
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
            sizes={PoolId.parse(pool.id): pool.size_gib for pool in state.pools},
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

    def ports_right(self, asked: Asked) -> int:
        """How many NICs and uplinks are where they should be."""
        nics = sum(self.nics.get(key) == PortVlans(vlan) for key, vlan in asked.ports.items())
        return nics + sum(self.uplinks.get(port) == PortVlans(vlan) for port, vlan in asked.uplinks.items())

    def volumes_of(self, server: str) -> Mapping[int, str]:
        """What is on which vdisk of a server."""
        return {key[1]: volume for key, volume in self.attachments.items() if key[0] == server}


def shortfalls(asked: Asked, before: Start, now: Start, lines: Sequence[str]) -> tuple[str, ...]:
    """Sentences about all that is not as asked for. `lines` are those that came in over SSH since `before`."""
    was, found = Picture.of(before), Picture.of(now)
    return (
        *_pools(asked, was, found),
        *_volumes(asked, was, found),
        *_attached(asked, was, found),
        *_spread(asked, found),
        *_network(asked, was, found),
        *_power(asked, found),
        *_untouched(asked, was, found, lines),
    )


def _pools(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    new = {name: disks for name, disks in found.pools.items() if name not in was.pools}
    wanted = {name: (disk,) for name, disk in asked.pools.items()}
    for name in sorted(new.keys() | wanted.keys()):
        if new.get(name) != wanted.get(name):
            yield f"pool {name} is on {_list(new.get(name, ()))} and should be on {_list(wanted.get(name, ()))}"


def _volumes(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    for pool in sorted({*asked.pools, *(volume.pool_id for volume in asked.volumes)}):
        wanted = asked.of_pool(pool)
        made = {name for name in found.volumes if name.pool_id == pool and name not in was.volumes}
        if made != wanted:
            yield f"{pool} holds {len(made)} new volumes and should hold {len(wanted)}: {_list(made ^ wanted)}"
    for name, asked_size in sorted(asked.volumes.items()):
        size = asked_size or found.sizes.get(name.pool_id, 0) // len(asked.of_pool(name.pool_id))
        if found.volumes.get(name, size) != size:
            yield f"{name} has {found.volumes[name]} GiB and should have {size}"


def _attached(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    expected = set(was.attachments)
    allowed = Counter(was.attachments.values())
    for item in asked.assigned:
        allowed.update({str(volume): len(item.vdisks) if item.all_paths else 1 for volume in item.volumes})
        for server in sorted(item.servers, key=card_of):
            expected |= {(server, vdisk) for vdisk in item.vdisks}
            yield from _of_server(item, server, found)
    for server, vdisk in sorted(found.attachments.keys() - expected):
        yield f"{server} vdisk {vdisk} has {found.attachments[server, vdisk]} and should be empty"
    for volume, count in Counter(found.attachments.values()).items():
        if count > max(1, allowed[volume]):
            yield f"{volume} is attached {count} times and should be {max(1, allowed[volume])} times at most"


def _of_server(item: Assigned, server: str, found: Picture) -> Iterator[str]:
    there = found.volumes_of(server)
    for vdisk in item.vdisks:
        if _volume(there.get(vdisk, "")) not in item.volumes:
            yield f"{server} vdisk {vdisk} has {there.get(vdisk, 'nothing')} and should have a volume of {item.name}"
    paths = {there.get(vdisk, "nothing") for vdisk in item.vdisks}
    if item.all_paths and len(paths) > 1:
        yield f"{server} has {_list(paths)} and should have one volume on vdisks {_list(item.vdisks)}"


def _spread(asked: Asked, found: Picture) -> Iterator[str]:
    for item in asked.assigned:
        if item.all_paths or not item.servers:
            continue
        pools = {
            (server, vdisk): volume.pool_id
            for server in item.servers
            for vdisk in item.vdisks
            if (volume := _volume(found.attachments.get((server, vdisk), ""))) in item.volumes and volume is not None
        }
        for pool, count in sorted(Counter(pool for (server, _), pool in pools.items() if server in item.apart).items()):
            if count > 1:
                disk = asked.pools.get(pool, pool)
                yield f"{count} of the servers {_list(item.apart)} are on disk {disk} and at most one should be"
        fewest, more = divmod(len(item.servers) * len(item.vdisks), len(item.pools))
        fair = {fewest, fewest + bool(more)}
        for pool, count in sorted(Counter(pools.values()).items()):
            if count not in fair:
                yield f"{pool} serves {count} servers and should serve {' or '.join(map(str, sorted(fair)))}"


def _network(asked: Asked, was: Picture, found: Picture) -> Iterator[str]:
    for vlan in sorted((was.vlans | asked.vlans) ^ found.vlans):
        yield f"VLAN {vlan} is {'there' if vlan in found.vlans else 'not there'} and should{_not(vlan in found.vlans)} be"
    for (server, nic), wanted in sorted(asked.ports.items(), key=lambda item: (card_of(item[0][0]), item[0][1])):
        yield from _port(f"{server} nic {nic}", found.nics.get((server, nic)), PortVlans(wanted))
    for port, vlans in sorted(was.uplinks.items()):
        wanted_vlans = PortVlans(asked.uplinks[port]) if port in asked.uplinks else vlans
        yield from _port(port, found.uplinks.get(port), wanted_vlans)


def _not(there: bool) -> str:
    return " not" if there else ""


def _port(name: str, found: PortVlans | None, wanted: PortVlans) -> Iterator[str]:
    if found != wanted:
        seen = f"in {_vlan(found.untagged)}" if found else "not there"
        tagged = f", tagged in {_list(found.tagged)}" if found and found.tagged else ""
        yield f"{name} is {seen}{tagged} and should be in {_vlan(wanted.untagged)}, untagged only"


def _vlan(vlan: int | None) -> str:
    return "no VLAN (isolated)" if vlan is ISOLATED else f"VLAN {vlan}"


def _power(asked: Asked, found: Picture) -> Iterator[str]:
    for server in sorted(asked.servers - found.running, key=card_of):
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


def _volume(text: str) -> VolumeId | None:
    return VolumeId.parse(text) if text.count("/") == 2 else None


def _list(things: Iterable[object]) -> str:
    return ", ".join(sorted(str(thing) for thing in things)) or "none"
