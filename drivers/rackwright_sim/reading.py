"""The contract's state read off the model, part by part, each with the command that shows it. For `in_process`."""

from collections.abc import Callable, Mapping
from typing import Final

from rackwright_drivers.contract.chassis import Identity
from rackwright_drivers.contract.network import Network
from rackwright_drivers.contract.power import Server
from rackwright_drivers.contract.storage import Attached, Disk, Pool, PoolId, Slot, VDisk, Volume, VolumeId
from rackwright_sim.model import ChassisModel


def identity(model: ChassisModel) -> Identity:
    """Who it is."""
    return Identity(model.about.serial, model.about.type)


def servers(model: ChassisModel) -> Mapping[str, Server]:
    """All cards, with the power that is shown."""
    power = model.servers.power.shown()
    return {server: Server(server, macs, power[server]) for server, macs in model.servers.macs.items()}


def slots(model: ChassisModel) -> Mapping[int, Slot]:
    """All storage slots."""
    return {slot.number: Slot(slot.number, slot.mode) for slot in model.storage.slots.values()}


def disks(model: ChassisModel) -> Mapping[str, Disk]:
    """All disks."""
    return {
        disk.name: Disk(disk.name, disk.slot, disk.size_gib, disk.media, disk.serial, disk.metadata, disk.healthy)
        for disk in model.storage.disks.values()
    }


def pools(model: ChassisModel) -> Mapping[PoolId, Pool]:
    """All pools."""
    free = model.storage.free()
    return {pool: Pool(pool, state.disks, state.size_gib, free[pool]) for pool, state in model.storage.pools.items()}


def volumes(model: ChassisModel) -> Mapping[VolumeId, Volume]:
    """All volumes."""
    return {volume: Volume(volume, size) for volume, size in model.storage.volumes.items()}


def attachments(model: ChassisModel) -> Mapping[VDisk, Attached | None]:
    """The assignments that are shown."""
    return dict(model.storage.attachments.shown())


def network(model: ChassisModel) -> Network:
    """VLANs and ports."""
    switch = model.switch
    return Network(switch.default_vlan, frozenset(switch.vlans), dict(switch.ports))


COMMANDS: Final[Mapping[Callable[[ChassisModel], object], str]] = {
    identity: "show chassis",
    servers: "show server summary all",
    slots: "show storage slot brief",
    disks: "show storage disk brief",
    pools: "show storage pool brief",
    volumes: "show storage volume brief",
    attachments: "show storage assign brief",
    network: "show vlan",
}
