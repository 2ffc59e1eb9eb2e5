"""The commands of the chassis as a table: words, modes, class and what each does to the model. Used by `cli`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import takewhile
from typing import Protocol

from rackwright_drivers.contract.network import Nic, Port, Uplink
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import ManagementMode, PoolId, RawDisk, VDisk, VolumeId
from rackwright_sim import ranges, tables
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Refusal
from rackwright_sim.storage import free_size


class Mode(StrEnum):
    """Where a session stands."""

    USER = "user"
    EXEC = "exec"
    CONFIG = "config"
    SERVER = "config-id"
    NIC = "config-nic"
    UPLINK = "config-if"


class Kind(StrEnum):
    """The class of a line that came in, for counting."""

    SHOW = "show"
    NAVIGATION = "navigation"
    CONFIGURATION = "configuration"
    ANSWER = "answer"
    INVALID = "invalid"


class Place(Protocol):
    """What a command may ask of, and change in, the session that runs it."""

    mode: Mode
    server: str
    port: Port
    closed: bool
    model: ChassisModel


Args = Mapping[str, str]
Run = Callable[[Place, Args], str]

ANYWHERE = frozenset(Mode)
EXEC = frozenset({Mode.EXEC})
CONFIG = frozenset({Mode.CONFIG, Mode.SERVER, Mode.NIC, Mode.UPLINK})
IN_SERVER = frozenset({Mode.SERVER, Mode.NIC})
IN_PORT = frozenset({Mode.NIC, Mode.UPLINK})
SURE = "Are you sure you want to proceed (yes/no): "
REALLY = "Please enter 'yes' again if you really want to proceed (yes/no): "
LOST = "All data on the specified disk(s) will be lost with this operation\n"


@dataclass(frozen=True, slots=True)
class Command:
    """One command. In `pattern` capitals are arguments, `a|b` alternatives and `[x]` words that may follow.

    `questions` are asked one after the other unless `no-confirm` is among the words.
    """

    pattern: str
    modes: frozenset[Mode]
    kind: Kind
    run: Run
    questions: tuple[str, ...] = ()
    preamble: str = ""

    @property
    def name(self) -> str:
        """The words before its first argument: `storage create pool`."""
        return " ".join(takewhile(lambda word: not word.isupper(), self.pattern.split()))

    def match(self, words: list[str]) -> dict[str, str] | None:
        """The arguments by name, with the optional words that were said as keys; None where the words do not fit."""
        pattern = [word for word in self.pattern.split() if not word.startswith("[")]
        optional = {word.strip("[]") for word in self.pattern.split() if word.startswith("[")}
        head, tail = words[: len(pattern)], words[len(pattern) :]
        if len(head) < len(pattern) or len(set(tail)) < len(tail) or not set(tail) <= optional:
            return None
        args = dict.fromkeys(tail, "")
        for want, word in zip(pattern, head, strict=True):
            if want.isupper():
                args[want] = word
            elif word not in want.split("|"):
                return None
        return args


def _show(page: Callable[[ChassisModel], str]) -> Run:
    return lambda place, args: page(place.model)


def _summary(place: Place, args: Args) -> str:
    return tables.server_summary(place.model, ranges.servers(args["SERVERS"], place.model.servers.macs))


def _lacp(place: Place, args: Args) -> str:
    return tables.lacp(place.model, place.model.servers.require(args["SERVER"]))


def _clock(place: Place, args: Args) -> str:
    return f"{datetime.now(UTC):%H:%M:%S.000 UTC %a %b %d %Y}\n"


def _enable(place: Place, args: Args) -> str:
    place.mode = Mode.EXEC
    return ""


def _configure(place: Place, args: Args) -> str:
    place.mode = Mode.CONFIG
    return "Enter configuration commands, one per line.  End with CNTL/Z.\n"


def _end(place: Place, args: Args) -> str:
    place.mode = Mode.EXEC
    return ""


def _exit(place: Place, args: Args) -> str:
    if place.mode in (Mode.USER, Mode.EXEC):
        place.closed = True
    up = {Mode.NIC: Mode.SERVER, Mode.SERVER: Mode.CONFIG, Mode.UPLINK: Mode.CONFIG, Mode.CONFIG: Mode.EXEC}
    place.mode = up.get(place.mode, place.mode)
    return ""


def _enter_server(place: Place, args: Args) -> str:
    place.server = place.model.servers.require(args["SERVER"])
    place.mode = Mode.SERVER
    return ""


def _enter_nic(place: Place, args: Args) -> str:
    place.port = place.model.switch.require(Nic(place.server, _number(args["NIC"], "nic")))
    place.mode = Mode.NIC
    return ""


def _enter_uplink(place: Place, args: Args) -> str:
    place.port = place.model.switch.require(Uplink(f"te {args['PORT']}"))
    place.mode = Mode.UPLINK
    return ""


def _describe(place: Place, args: Args) -> str:
    place.model.servers.describe(place.server, args.get("TEXT", "").strip('"'))
    return ""


def _create_vlan(place: Place, args: Args) -> str:
    place.model.switch.create_vlan(_number(args["VLAN"], "VLAN"))
    return ""


def _port_vlan(change: Callable[[ChassisModel, Port, int], None]) -> Run:
    def run(place: Place, args: Args) -> str:
        change(place.model, place.port, _number(args["VLAN"], "VLAN"))
        return ""

    return run


def _set_mode(place: Place, args: Args) -> str:
    modes = {"volume": ManagementMode.VOLUME, "disk": ManagementMode.DISK}
    if args["MODE"] not in modes:
        raise Refusal(f"Invalid mgmt-mode '{args['MODE']}'")
    place.model.storage.set_mode(_number(args["SLOT"], "slot"), modes[args["MODE"]])
    return ""


def _clear_metadata(place: Place, args: Args) -> str:
    slot = _number(args["SLOT"], "slot")
    place.model.storage.clear_metadata(slot, ranges.disk_numbers(args["DISKS"], slot))
    return ""


def _create_pool(place: Place, args: Args) -> str:
    pool = _pool(args["POOL"])
    place.model.storage.create_pool(pool, args["DISKS"].split(","))
    return f"Pool {pool} created successfully.\n"


def _create_volumes(place: Place, args: Args) -> str:
    volume = _volume(args["VOLUME"])
    count = _number(args["COUNT"], "count")
    size = free_size(place.model.storage, volume.pool_id, args["SIZE"])
    place.model.storage.create_volumes(volume.pool_id, [f"{volume.name}-{n}" for n in range(count)], size)
    return ""


def _create_volume(place: Place, args: Args) -> str:
    volume = _volume(args["VOLUME"])
    size = free_size(place.model.storage, volume.pool_id, args["SIZE"])
    place.model.storage.create_volumes(volume.pool_id, [volume.name], size)
    return ""


def _delete_volumes(place: Place, args: Args) -> str:
    volume, count = _volume(args["VOLUME"]), _number(args["COUNT"], "count")
    names = [volume._replace(name=f"{volume.name}-{n}") for n in range(count)]
    place.model.storage.delete_volumes(names)
    return ""


def _delete_volume(place: Place, args: Args) -> str:
    place.model.storage.delete_volumes([_volume(args["VOLUME"])])
    return ""


def _delete_pool(place: Place, args: Args) -> str:
    slot, _, name = args["POOL"].partition("/")
    storage = place.model.storage
    if name == "all":
        number = _number(slot, "slot")
        storage.delete_pools([pool for pool in storage.pools if pool.slot == number])
    else:
        storage.delete_pools([_pool(args["POOL"])])
    return ""


def _assign(place: Place, args: Args) -> str:
    what = _volume(args["VOLUME"]) if "VOLUME" in args else RawDisk(args["DISK"])
    place.model.storage.assign(VDisk(args["SERVER"], _number(args["VDISK"], "vdisk")), what)
    return ""


def _assign_range(place: Place, args: Args) -> str:
    servers = ranges.servers(args["SERVERS"], place.model.servers.macs)
    place.model.storage.assign_range(servers, ranges.vdisks(args["VDISKS"]), args["PREFIX"])
    return ""


def _unassign(place: Place, args: Args) -> str:
    place.model.storage.unassign(VDisk(args["SERVER"], _number(args["VDISK"], "vdisk")))
    return ""


def _unassign_range(place: Place, args: Args) -> str:
    servers = ranges.servers(args["SERVERS"], place.model.servers.macs)
    place.model.storage.unassign_range(servers, ranges.vdisks(args["VDISKS"]))
    return ""


def _power(power: Power) -> Run:
    def run(place: Place, args: Args) -> str:
        place.model.servers.set_power(ranges.servers(args["SERVERS"], place.model.servers.macs), power)
        return ""

    return run


def _not_simulated(place: Place, args: Args) -> str:
    raise Refusal(f"'{args['WORD']}' is a command of the chassis that this simulator does not do")


def _number(text: str, what: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text):
        raise Refusal(f"Invalid {what} '{text}'")
    return int(text)


def _pool(text: str) -> PoolId:
    try:
        return PoolId.parse(text)
    except ValueError:
        raise Refusal(f"Invalid pool '{text}'") from None


def _volume(text: str) -> VolumeId:
    try:
        return VolumeId.parse(text)
    except ValueError:
        raise Refusal(f"Invalid volume '{text}'") from None


_SHOWS = (
    Command("show storage assign brief", ANYWHERE, Kind.SHOW, _show(tables.storage_assign)),
    Command("show storage volume brief", ANYWHERE, Kind.SHOW, _show(tables.storage_volume)),
    Command("show storage pool brief", ANYWHERE, Kind.SHOW, _show(tables.storage_pool)),
    Command("show storage disk brief", ANYWHERE, Kind.SHOW, _show(tables.storage_disk)),
    Command("show storage slot brief", ANYWHERE, Kind.SHOW, _show(tables.storage_slot)),
    Command("show vlan", ANYWHERE, Kind.SHOW, _show(tables.vlan)),
    Command("show server summary SERVERS", ANYWHERE, Kind.SHOW, _summary),
    Command("show server description", ANYWHERE, Kind.SHOW, _show(tables.server_description)),
    Command("show chassis", ANYWHERE, Kind.SHOW, _show(tables.chassis)),
    Command("show version", ANYWHERE, Kind.SHOW, _show(tables.version)),
    Command("show clock", ANYWHERE, Kind.SHOW, _clock),
    Command("show lacp info server SERVER", ANYWHERE, Kind.SHOW, _lacp),
)

_MOVES = (
    Command("en|enable", frozenset({Mode.USER, Mode.EXEC}), Kind.NAVIGATION, _enable),
    Command("conf|config|configure", EXEC, Kind.NAVIGATION, _configure),
    Command("conf|config|configure t|terminal", EXEC, Kind.NAVIGATION, _configure),
    Command("end", CONFIG, Kind.NAVIGATION, _end),
    Command("exit", ANYWHERE, Kind.NAVIGATION, _exit),
    Command("server id SERVER", CONFIG, Kind.NAVIGATION, _enter_server),
    Command("nic NIC", IN_SERVER, Kind.NAVIGATION, _enter_nic),
    Command("interface te PORT", CONFIG, Kind.NAVIGATION, _enter_uplink),
)

_STORAGE = (
    Command(
        "storage set mgmt-mode MODE slot SLOT [no-confirm]", EXEC, Kind.CONFIGURATION, _set_mode, questions=(SURE,)
    ),
    Command(
        "storage clear-metadata disk DISKS slot SLOT",
        EXEC,
        Kind.CONFIGURATION,
        _clear_metadata,
        questions=(SURE, REALLY),
        preamble=LOST,
    ),
    Command("storage create pool POOL disk DISKS", EXEC, Kind.CONFIGURATION, _create_pool),
    Command("storage create volume-prefix VOLUME size SIZE count COUNT", EXEC, Kind.CONFIGURATION, _create_volumes),
    Command("storage create volume VOLUME size SIZE", EXEC, Kind.CONFIGURATION, _create_volume),
    Command("storage delete volume-prefix VOLUME count COUNT", EXEC, Kind.CONFIGURATION, _delete_volumes),
    Command("storage delete volume VOLUME", EXEC, Kind.CONFIGURATION, _delete_volume),
    Command("storage delete pool POOL", EXEC, Kind.CONFIGURATION, _delete_pool),
    Command("storage assign SERVER VDISK volume VOLUME", CONFIG, Kind.CONFIGURATION, _assign),
    Command("storage assign SERVER VDISK disk DISK", CONFIG, Kind.CONFIGURATION, _assign),
    Command("storage assign-range SERVERS VDISKS volume PREFIX [uuid]", CONFIG, Kind.CONFIGURATION, _assign_range),
    Command("storage unassign SERVER VDISK", CONFIG, Kind.CONFIGURATION, _unassign),
    Command("storage unassign-range SERVERS VDISKS", CONFIG, Kind.CONFIGURATION, _unassign_range),
)

_OTHERS = (
    Command("switch system-vlan VLAN", CONFIG, Kind.CONFIGURATION, _create_vlan),
    Command("untagged-vlan VLAN", IN_PORT, Kind.CONFIGURATION, _port_vlan(lambda m, p, v: m.switch.add_untagged(p, v))),
    Command(
        "no untagged-vlan VLAN", IN_PORT, Kind.CONFIGURATION, _port_vlan(lambda m, p, v: m.switch.remove_untagged(p, v))
    ),
    Command("tagged-vlan VLAN", IN_PORT, Kind.CONFIGURATION, _port_vlan(lambda m, p, v: m.switch.add_tagged(p, v))),
    Command(
        "no tagged-vlan VLAN", IN_PORT, Kind.CONFIGURATION, _port_vlan(lambda m, p, v: m.switch.remove_tagged(p, v))
    ),
    Command("description TEXT", IN_SERVER, Kind.CONFIGURATION, _describe),
    Command("no description", IN_SERVER, Kind.CONFIGURATION, _describe),
    Command(
        "power-on server SERVERS [using-pxe] [force] [no-confirm]",
        EXEC,
        Kind.CONFIGURATION,
        _power(Power.ON),
        questions=(SURE,),
    ),
    Command(
        "power-off server SERVERS [force] [no-confirm]",
        EXEC,
        Kind.CONFIGURATION,
        _power(Power.OFF),
        questions=(SURE,),
    ),
)

COMMANDS: tuple[Command, ...] = (*_SHOWS, *_MOVES, *_STORAGE, *_OTHERS)
# Words that real chassis know and this one does not: refused by name, so that nobody takes silence for success.
NOT_SIMULATED = frozenset({"reload", "reset", "copy", "write", "bios", "unhide", "debug"})


def find(words: list[str], mode: Mode) -> tuple[Command, dict[str, str]] | None:
    """The command that these words are in this mode, with its arguments."""
    for command in COMMANDS:
        args = command.match(words) if mode in command.modes else None
        if args is not None:
            return command, args
    if words[0] in NOT_SIMULATED:
        return Command("WORD", ANYWHERE, Kind.INVALID, _not_simulated), {"WORD": words[0]}
    return None
