"""What must hold, by the simulator's own state and log: never by the operator's word.

`unmet` is about the end of a build, `Witness` about every change on the way there, `repeated` about what was sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rackwright_drivers.contract.network import Nic, Port, PortVlans
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Attached, ManagementMode, Metadata, PoolId, VDisk, VolumeId
from rackwright_sim.commands import Kind
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import LogEntry

NODES = ("0/0", "1/0", "2/0")
PROTECTED = "32/0"
POOLS = {PoolId(2, "rootpool-1"): ("JBOD2/6",), PoolId(2, "rootpool-2"): ("JBOD2/7",)}
VOLUMES = frozenset(VolumeId(*pool, f"rootvol-{number}") for pool in POOLS for number in (0, 1))
VOLUME_GIB = 1397  # half a disk of 2794
_TABLES = (
    "chassis",
    "server summary all",
    "storage slot brief",
    "storage disk brief",
    "storage pool brief",
    "storage volume brief",
    "storage assign brief",
    "vlan",
)
_ALL_TABLES = {f"show {table} | nomore" for table in _TABLES}  # one observation


def unmet(model: ChassisModel) -> list[str]:
    """What of the manifests the chassis does not show, in sentences; empty where all of it and nothing else is there."""
    found = ChassisModel.load("small")
    storage, before = model.storage, found.storage
    metadata = {name: disk.metadata for name, disk in before.disks.items()}
    pairs: Mapping[str, tuple[object, object]] = {
        "slots": (
            {number: slot.mode for number, slot in storage.slots.items()},
            {number: slot.mode for number, slot in before.slots.items()} | {2: ManagementMode.VOLUME},
        ),
        "disks": (
            {name: disk.metadata for name, disk in storage.disks.items()},
            metadata | {disk: Metadata.POOL for disks in POOLS.values() for disk in disks},
        ),
        "pools": (
            {name: pool.disks for name, pool in storage.pools.items()},
            {name: pool.disks for name, pool in before.pools.items()} | POOLS,
        ),
        "volumes": (storage.volumes, before.volumes | dict.fromkeys(VOLUMES, VOLUME_GIB)),
        "VLANs": (model.switch.vlans, {0, 100, 150}),
        "ports": (model.switch.ports, found.switch.ports | _ports()),
        "power": (dict(model.servers.power.items()), dict.fromkeys((*NODES, PROTECTED), Power.ON)),
    }
    wrong = [f"{what} are {have}, not {want}" for what, (have, want) in pairs.items() if have != want]
    return [*wrong, *_misplaced(dict(storage.attachments.items()), dict(before.attachments.items()))]


def _ports() -> dict[Port, PortVlans]:
    ports: dict[Port, PortVlans] = {Nic(server, 0): PortVlans(100) for server in NODES}
    return ports | {Nic("0/0", 1): PortVlans(150, frozenset({100}))}


def _misplaced(attached: Mapping[VDisk, Attached], before: Mapping[VDisk, Attached]) -> Iterator[str]:
    """One volume of the pool for every node, and no disk more than one volume fuller than the other."""
    own = {vdisk: volume for vdisk, volume in attached.items() if vdisk not in before}
    if {vdisk: attached.get(vdisk) for vdisk in before} != before:
        yield f"what was attached at first was {before} and is not in {attached}"
    if set(own) != {VDisk(server, 0) for server in NODES} or not set(own.values()) <= VOLUMES:
        yield f"the root volumes are {own}"
    loads = [sum(1 for volume in own.values() if isinstance(volume, VolumeId) and volume[:2] == pool) for pool in POOLS]
    if max(loads) - min(loads) > 1:
        yield f"the pools {list(POOLS)} have {loads} volumes attached"


class Witness:
    """Looks at the chassis after every change: nothing that is there is ever lost, shared or moved.

    What it saw is in `offences`.
    """

    def __init__(self, model: ChassisModel) -> None:
        self.offences: list[str] = []
        self._model = model
        self._protected = self._of_protected()
        self._attached = dict(model.storage.attachments.items())
        self._things = self._stored()
        model.changes.listeners.append(self._look)

    def _look(self) -> None:
        self.offences += self._found()
        self._attached = dict(self._model.storage.attachments.items())
        self._things = self._stored()

    def _found(self) -> Iterator[str]:
        attached = dict(self._model.storage.attachments.items())
        for vdisk, what in self._attached.items():
            if attached.get(vdisk) != what:
                yield f"{vdisk} had {what} and has {attached.get(vdisk)}"
        if len(set(attached.values())) < len(attached):
            yield f"a volume is on two vdisks: {attached}"
        if lost := self._things - self._stored():
            yield f"{lost} vanished"
        if self._of_protected() != self._protected:
            yield f"the protected server changed: {self._of_protected()}"

    def _stored(self) -> set[PoolId | VolumeId]:
        return {*self._model.storage.pools, *self._model.storage.volumes}

    def _of_protected(self) -> object:
        model = self._model
        ports = {port: vlans for port, vlans in model.switch.ports.items() if getattr(port, "server", "") == PROTECTED}
        return ports, model.servers.power[PROTECTED], model.servers.descriptions.get(PROTECTED)


@dataclass(frozen=True)
class Sent:
    """What one or more lines in the log come to: a table that was read, or a change with the port it was typed at."""

    text: str
    reads: bool
    done: bool


def repeated(log: Iterable[LogEntry]) -> list[str]:
    """Changes that had taken effect and were sent again before the whole chassis had been looked at again."""
    offences: list[str] = []
    seen_since: dict[str, set[str]] = {}
    for sent in _sent(log):
        if sent.reads:
            for tables in seen_since.values():
                tables.add(sent.text)
            continue
        if len(seen_since.get(sent.text, _ALL_TABLES)) < len(_ALL_TABLES):
            offences.append(sent.text)
        if sent.done:
            seen_since[sent.text] = set()
    return offences


def effects(log: Iterable[LogEntry]) -> list[str]:
    """Every change that took effect, in order: in a build, each of them once."""
    return [sent.text for sent in _sent(log) if sent.done and not sent.reads]


def _sent(log: Iterable[LogEntry]) -> Iterator[Sent]:
    """The log without its navigation; the last answer to a command's questions stands for the command."""
    ways: dict[str, list[str]] = {}
    asked: dict[str, str] = {}
    for entry in log:
        way = ways.setdefault(entry.session, [])
        done = entry.outcome == "done"
        if entry.kind is Kind.NAVIGATION and done:
            _move(way, entry.text)
        elif entry.kind is Kind.SHOW:
            yield Sent(entry.text, reads=True, done=done)
        elif entry.kind is Kind.CONFIGURATION and entry.outcome == "asked":
            asked[entry.session] = entry.text
        elif entry.kind is Kind.CONFIGURATION:
            yield Sent(" / ".join([*way, entry.text]), reads=False, done=done)
        elif entry.kind is Kind.ANSWER and entry.outcome != "asked":
            yield Sent(asked[entry.session], reads=False, done=done)


def _move(way: list[str], line: str) -> None:
    if line == "end":
        way.clear()
    elif line == "exit":
        way.pop()
    else:
        way.append(line)
