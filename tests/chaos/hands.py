"""What people do at the console of a chassis that somebody else keeps: each function finds something and changes it.

All is resolved against the chassis as it is at that moment, so that the device takes every line.
"""

import random
from collections.abc import Awaitable, Callable, Mapping

from rackwright_drivers.contract.network import Nic, PortVlans, Uplink
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import VDisk, VolumeId
from rackwright_sim.ranges import server_spans
from tests.chaos.world import World

Hand = Callable[[World, random.Random], Awaitable[None]]
FREE_VDISK = 40  # nobody declares it


async def some_off(here: World, chance: random.Random) -> None:
    """A few servers are switched off."""
    await _off(here, chance, 5)


async def most_off(here: World, chance: random.Random) -> None:
    """Every server but the protected ones."""
    await _off(here, chance, 64)


async def _off(here: World, chance: random.Random, most: int) -> None:
    running = sorted(_servers(here, Power.ON))
    if running:
        chosen = chance.sample(running, min(len(running), chance.randint(1, most)))
        await here.by_hand(f"power-off server {server_spans(chosen)} force no-confirm")


async def one_on(here: World, chance: random.Random) -> None:
    """A server is switched on before its time."""
    off = sorted(_servers(here, Power.OFF))
    if off:
        await here.by_hand(f"power-on server {chance.choice(off)} no-confirm")


async def cable(here: World, chance: random.Random) -> None:
    """A NIC is moved to another VLAN."""
    server = chance.choice(sorted(_servers(here)))
    port = Nic(server, chance.randint(0, 7))
    await here.by_hand("configure terminal", f"server id {server}", f"nic {port.index}", *_moved(here, port, chance))


async def uplink(here: World, chance: random.Random) -> None:
    """An uplink is moved to another VLAN."""
    ports = sorted(port for port in here.sim.model.switch.ports if isinstance(port, Uplink))
    port = chance.choice(ports)
    await here.by_hand("configure terminal", f"interface {port.port}", *_moved(here, port, chance))


def _moved(here: World, port: Nic | Uplink, chance: random.Random) -> list[str]:
    found: PortVlans = here.sim.model.switch.ports[port]
    vlans = sorted(here.sim.model.switch.vlans - {0, found.untagged} - found.tagged)
    if not vlans:
        return []
    vlan = chance.choice(vlans)
    if chance.random() < 0.5:
        return [f"tagged-vlan {vlan}"]
    away = [] if found.untagged in (None, 0) else [f"no untagged-vlan {found.untagged}"]
    return [*away, f"untagged-vlan {vlan}"]


async def unplugged(here: World, chance: random.Random) -> None:
    """A volume is taken from its server."""
    if vdisks := sorted(attached(here)):
        vdisk = chance.choice(vdisks)
        await here.by_hand("configure terminal", f"storage unassign {vdisk.server} {vdisk.number}")


async def carried_off(here: World, chance: random.Random) -> None:
    """A server's volume is given to another server."""
    there = attached(here)
    if not there:
        return
    vdisk, volume = chance.choice(sorted(there.items()))
    taker = VDisk(chance.choice(sorted(_servers(here) - {vdisk.server})), FREE_VDISK)
    holders = [holder for holder, what in there.items() if what == volume]
    if taker in dict(here.sim.model.storage.attachments.items()):
        return
    lines = [f"storage unassign {holder.server} {holder.number}" for holder in sorted(holders)]
    await here.by_hand("configure terminal", *lines, f"storage assign {taker.server} {taker.number} volume {volume}")


HANDS: Mapping[str, Hand] = {
    hand.__name__: hand for hand in (some_off, most_off, one_on, cable, uplink, unplugged, carried_off)
}


def _servers(here: World, power: Power | None = None) -> set[str]:
    protected = set(here.chassis.spec["protectedServers"])
    found = dict(here.sim.model.servers.power.items())
    return {server for server, state in found.items() if server not in protected and power in (None, state)}


def attached(here: World) -> dict[VDisk, VolumeId]:
    """The volumes of all but protected servers."""
    servers = _servers(here)
    found = here.sim.model.storage.attachments.items()
    return {vdisk: what for vdisk, what in found if vdisk.server in servers and isinstance(what, VolumeId)}
