"""The contract's actions on the model, and the same as the chassis' own commands. Used by the in-process face."""

from collections.abc import Callable

from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.network import CreateVlan, Nic, PortVlans, SetPort
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    EqualShare,
    SetManagementMode,
    VDisk,
    VolumeId,
)
from rackwright_sim import ranges
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Refusal

Step = tuple[str, int]


def texts(action: Action, default_vlan: int = 0) -> tuple[str, ...]:
    """The commands that a person would type for an action, in order."""
    match action:
        case SetManagementMode(slot, mode):
            return (f"storage set mgmt-mode {mode.lower()} slot {slot} no-confirm",)
        case ClearMetadata(slot, disks):
            stem = disks[0].rpartition("/")[0]
            return (f"storage clear-metadata disk {stem}/{ranges.spans(_disk_numbers(disks))} slot {slot}",)
        case CreatePool(pool, disks):
            return (f"storage create pool {pool} disk {','.join(disks)}",)
        case CreateVolumes():
            return _create_texts(action)
        case DeleteVolumes(pool, prefix, numbers):
            if len(numbers) > 1 and numbers == tuple(range(len(numbers))):
                return (f"storage delete volume-prefix {pool}/{prefix} count {len(numbers)}",)
            return tuple(f"storage delete volume {pool}/{prefix}-{number}" for number in numbers)
        case DeletePool(pool):
            return (f"storage delete pool {pool}",)
        case Attach(vdisk, volume):
            return (f"storage assign {vdisk.server} {vdisk.number} volume {volume}",)
        case AttachRange(servers, vdisks, prefix):
            span = ranges.server_spans(servers)
            return (f"storage assign-range {span} {ranges.spans(vdisks)} volume {prefix} uuid",)
        case Detach((server,), vdisk):
            return (f"storage unassign {server} {vdisk}",)
        case Detach(servers, vdisk):
            return (f"storage unassign-range {ranges.server_spans(servers)} {vdisk}",)
        case CreateVlan(vlan):
            return (f"switch system-vlan {vlan}",)
        case SetPort():
            return _port_texts(action, default_vlan)
        case SetPower(server, Power.ON):
            return (f"power-on server {server} no-confirm",)
        case SetPower(server):
            return (f"power-off server {server} force no-confirm",)


def apply(model: ChassisModel, action: Action) -> None:
    """Do an action by the device's rules: Refusal where it refuses, `partial` where part of it was done before."""
    storage = model.storage
    match action:
        case SetManagementMode(slot, mode):
            storage.set_mode(slot, mode)
        case ClearMetadata(slot, disks):
            _clear_metadata(model, slot, disks)
        case CreatePool(pool, disks):
            storage.create_pool(pool, disks)
        case CreateVolumes():
            _create_volumes(model, action)
        case DeleteVolumes(pool, prefix, numbers):
            storage.delete_volumes([VolumeId(*pool, f"{prefix}-{number}") for number in numbers])
        case DeletePool(pool):
            storage.delete_pools([pool])
        case Attach(vdisk, volume):
            storage.assign(vdisk, volume)
        case AttachRange(servers, vdisks, prefix):
            storage.assign_range(servers, vdisks, prefix)
        case Detach(servers, number):
            _detach(model, servers, number)
        case CreateVlan(vlan):
            model.switch.create_vlan(vlan)
        case SetPort():
            _set_port(model, action)
        case SetPower(server, power):
            model.servers.set_power((server,), power)


def _disk_numbers(disks: tuple[str, ...]) -> list[int]:
    return [int(name.rpartition("/")[2]) for name in disks]


def _clear_metadata(model: ChassisModel, slot: int, disks: tuple[str, ...]) -> None:
    for name in disks:
        if name not in model.storage.disks or model.storage.disks[name].slot != slot:
            raise Refusal(f"No disk '{name}' in slot {slot}")
    model.storage.clear_metadata(slot, _disk_numbers(disks))


def _detach(model: ChassisModel, servers: tuple[str, ...], number: int) -> None:
    if len(servers) == 1:
        model.storage.unassign(VDisk(servers[0], number))
    else:
        model.storage.unassign_range(servers, (number,))


def _create_texts(action: CreateVolumes) -> tuple[str, ...]:
    size = f"max#{action.size.parts}" if isinstance(action.size, EqualShare) else str(action.size)
    count = len(action.numbers)
    if action.numbers == tuple(range(count)):
        return (f"storage create volume-prefix {action.pool}/{action.prefix} size {size} count {count}",)
    return tuple(f"storage create volume {action.pool}/{action.prefix}-{n} size {size}" for n in action.numbers)


def _create_volumes(model: ChassisModel, action: CreateVolumes) -> None:
    if action.pool not in model.storage.pools:
        raise Refusal(f"Pool {action.pool} does not exist")
    size = action.size
    if isinstance(size, EqualShare):
        size = model.storage.pools[action.pool].size_gib // size.parts
    names = [f"{action.prefix}-{number}" for number in action.numbers]
    model.storage.create_volumes(action.pool, names, size)


def _port_steps(default: int, before: PortVlans, after: PortVlans) -> list[Step]:
    """The commands from one state to the other: a port leaves a VLAN for the default one, and joins another from it."""
    steps = [("no tagged-vlan", vlan) for vlan in sorted(before.tagged - after.tagged)]
    at = before.untagged
    if at is not None and at not in (default, after.untagged):
        steps.append(("no untagged-vlan", at))
        at = default
    if at != after.untagged:
        steps.append(("no untagged-vlan", default) if after.untagged is None else ("untagged-vlan", after.untagged))
    return steps + [("tagged-vlan", vlan) for vlan in sorted(after.tagged - before.tagged)]


def _port_texts(action: SetPort, default_vlan: int) -> tuple[str, ...]:
    port = action.port
    enter = (f"server id {port.server}", f"nic {port.index}") if isinstance(port, Nic) else (f"interface {port.port}",)
    return (*enter, *(f"{word} {vlan}" for word, vlan in _port_steps(default_vlan, action.before, action.after)))


def _set_port(model: ChassisModel, action: SetPort) -> None:
    switch = model.switch
    switch.require(action.port)
    do: dict[str, Callable[[int], None]] = {
        "untagged-vlan": lambda vlan: switch.add_untagged(action.port, vlan),
        "no untagged-vlan": lambda vlan: switch.remove_untagged(action.port, vlan),
        "tagged-vlan": lambda vlan: switch.add_tagged(action.port, vlan),
        "no tagged-vlan": lambda vlan: switch.remove_tagged(action.port, vlan),
    }
    steps = _port_steps(switch.default_vlan, action.before, action.after)
    for done, (word, vlan) in enumerate(model.changes.units(steps)):
        try:
            do[word](vlan)
        except Refusal as refusal:
            raise Refusal(refusal.text.removeprefix("% "), partial=done > 0) from refusal
