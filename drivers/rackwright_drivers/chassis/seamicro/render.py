"""Actions of the contract as lines to type: where, which, and the way between two places. Pure.

The way is chosen so that a refused navigation can never let the next line hit another port. A line that a shell refuses
leaves its mode as it was, so a port's lines may only follow navigation that began where those lines mean nothing:

- another server or an uplink is entered from the top of the configuration, reached by `end` and `configure terminal`;
- another NIC of the same server is entered after `exit` to the server: there, VLAN lines are refused.

`nic 2` typed at `nic 1`, or `server id 13/0` typed at a NIC of 12/0, would be shorter, and refused it would leave the
lines that follow to the old port.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from rackwright_drivers.chassis.seamicro import dialect
from rackwright_drivers.chassis.seamicro.dialect import Template
from rackwright_drivers.chassis.seamicro.ranges import compact_numbers, compact_servers, disk_span
from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.network import CreateVlan, Nic, Port, PortVlans, SetPort
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
)
from rackwright_drivers.transports.shell import Command

Path = tuple[Command, ...]
EXEC: Path = ()
CONFIG: Path = (dialect.CONFIGURE,)
Filled = tuple[Template, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The lines of one action and the place where they are typed, as the way to it from exec mode.

    `alone`: it goes in a burst of its own. `parts`: refused, it may have happened in part.
    """

    path: Path
    lines: tuple[Command, ...]
    alone: bool
    parts: bool


def render(action: Action) -> Rendered:
    """What to type for an action, and where."""
    match action:
        case SetManagementMode(slot, mode):
            return _rendered(EXEC, (dialect.SET_MODE, {"mode": mode.value.lower(), "slot": slot}))
        case ClearMetadata(slot, disks):
            return _rendered(EXEC, (dialect.CLEAR_METADATA, {"disks": disk_span(disks), "slot": slot}))
        case CreatePool(pool, disks):
            return _rendered(EXEC, (dialect.CREATE_POOL, {"pool": pool, "disks": ",".join(disks)}))
        case CreateVolumes():
            return _rendered(EXEC, *_volumes(action))
        case DeleteVolumes(pool, prefix, numbers):
            return _rendered(EXEC, *_deletions(f"{pool}/{prefix}", sorted(numbers)))
        case DeletePool(pool):
            return _rendered(EXEC, (dialect.DELETE_POOL, {"pool": pool}))
        case Attach(vdisk, volume):
            values: dict[str, object] = {"server": vdisk.server, "vdisk": vdisk.number, "volume": volume}
            return _rendered(CONFIG, (dialect.ATTACH, values))
        case AttachRange(servers, vdisks, prefix):
            values = {"servers": compact_servers(servers), "vdisks": compact_numbers(vdisks), "prefix": prefix}
            return _rendered(CONFIG, (dialect.ATTACH_RANGE, values))
        case Detach():
            return _rendered(CONFIG, _detach(action))
        case CreateVlan(vlan):
            return _rendered(CONFIG, (dialect.CREATE_VLAN, {"vlan": vlan}))
        case SetPort(port, before, after):
            return _rendered(_port(port), *_moves(before, after))
        case SetPower(server, power):
            template = dialect.POWER_ON if power is Power.ON else dialect.POWER_OFF
            return _rendered(EXEC, (template, {"server": server}))
        case _:
            assert_never(action)


def route(here: Path, there: Path) -> tuple[Command, ...]:
    """What to type to get from one place to another."""
    if there[: len(here)] == here:
        return there[len(here) :]
    if not there:
        return (dialect.END,)
    if len(here) == len(there) and here[:-1] == there[:-1] and len(there) > 2:
        return (Command(dialect.LEAVE, leads_to=here[-2].leads_to), there[-1])
    return (dialect.END, *there)


def typed(action: Action) -> tuple[str, ...]:
    """All lines of one action as a person would type them, from exec mode and back to it."""
    rendered = render(action)
    return tuple(
        command.line for command in (*route(EXEC, rendered.path), *rendered.lines, *route(rendered.path, EXEC))
    )


def _rendered(path: Path, *lines: Filled) -> Rendered:
    mode = path[-1].leads_to if path else dialect.EXEC_MODE
    commands = tuple(
        Command(template.line.format(**values), template.expect, mode, template.questions) for template, values in lines
    )
    templates = [template for template, _ in lines]
    return Rendered(
        path, commands, any(template.alone for template in templates), any(template.parts for template in templates)
    )


def _volumes(action: CreateVolumes) -> Sequence[Filled]:
    """The prefix form names its volumes from 0 on; any other numbers are made one by one."""
    volume = f"{action.pool}/{action.prefix}"
    numbers = sorted(action.numbers)
    if numbers == list(range(len(numbers))) and len(numbers) > 1:
        values: dict[str, object] = {"volume": volume, "size": _size(action.size), "count": len(numbers)}
        return [(dialect.CREATE_VOLUMES, values)]
    sizes = _sizes(action.size, len(numbers))
    return [
        (dialect.CREATE_VOLUME, {"volume": f"{volume}-{number}", "size": size})
        for number, size in zip(numbers, sizes, strict=True)
    ]


def _deletions(volume: str, numbers: Sequence[int]) -> Sequence[Filled]:
    """The prefix form, as for making them, where they are numbered from 0 on and there are several."""
    if numbers == list(range(len(numbers))) and len(numbers) > 1:
        return [(dialect.DELETE_VOLUMES, {"volume": volume, "count": len(numbers)})]
    return [(dialect.DELETE_VOLUME, {"volume": f"{volume}-{number}"}) for number in numbers]


def _size(size: int | EqualShare) -> str:
    if isinstance(size, int):
        return str(size)
    return "max" if size.parts == 1 else f"max#{size.parts}"


def _sizes(size: int | EqualShare, count: int) -> list[str]:
    """`max#n` is a share of what is free when its line runs: after one of n equal parts, the next is one of n - 1."""
    if isinstance(size, int):
        return [str(size)] * count
    return [_size(EqualShare(max(size.parts - made, 1))) for made in range(count)]


def _detach(action: Detach) -> Filled:
    if len(action.servers) == 1:
        return dialect.DETACH, {"server": action.servers[0], "vdisk": action.vdisk}
    return dialect.DETACH_RANGE, {"servers": compact_servers(action.servers), "vdisk": action.vdisk}


def _port(port: Port) -> Path:
    if isinstance(port, Nic):
        return (
            dialect.CONFIGURE,
            _place(dialect.SERVER, server=port.server),
            _place(dialect.NIC, index=str(port.index)),
        )
    line = dialect.UPLINK.line.format(port=port.port)
    return (dialect.CONFIGURE, Command(line, leads_to=dialect.UPLINK.mode.format(port=port.port.replace(" ", "-"))))


def _place(place: dialect.Place, **values: str) -> Command:
    return Command(place.line.format(**values), leads_to=place.mode.format(**values))


def _moves(before: PortVlans, after: PortVlans) -> list[Filled]:
    """The lines that bring a port there: out of what it leaves, then untagged, then into what it joins tagged."""
    leaves = [(dialect.NO_TAG, vlan) for vlan in sorted(before.tagged - after.tagged)]
    joins = [(dialect.TAG, vlan) for vlan in sorted(after.tagged - before.tagged)]
    moves = [*leaves, *_untagged_moves(before.untagged, after.untagged), *joins]
    return [(template, {"vlan": vlan}) for template, vlan in moves]


def _untagged_moves(before: int | None, after: int | None) -> list[tuple[Template, int]]:
    """A port leaves a VLAN for the default one, and that for dropping; from both it can be put into any other."""
    if before == after:
        return []
    if before is None:
        return [] if after is None else [(dialect.UNTAG, after)]
    moves = [(dialect.NO_UNTAG, before)]
    if before == dialect.DEFAULT_VLAN:
        return moves if after is None else [(dialect.UNTAG, after)]
    if after == dialect.DEFAULT_VLAN:
        return moves
    return [*moves, (dialect.NO_UNTAG, dialect.DEFAULT_VLAN) if after is None else (dialect.UNTAG, after)]
