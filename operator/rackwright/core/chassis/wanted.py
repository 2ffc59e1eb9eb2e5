"""The wanted state while it is being worked out: who declares which part, and what stands in the way."""

from collections import defaultdict
from dataclasses import dataclass, field

from rackwright.core.claims import Settled
from rackwright.core.resource import Ref
from rackwright.core.step import Contest, Part, Problem
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.network import Network, Port, PortVlans
from rackwright_drivers.contract.power import Server
from rackwright_drivers.contract.storage import Disk, Pool, PoolId, Slot, VDisk, Volume, VolumeId
from rackwright_drivers.contract.unknown import Unknown


@dataclass(frozen=True, slots=True)
class Choice:
    """Volumes of which any will do for a vdisk, all those named `prefix-N` among them."""

    prefix: str
    volumes: frozenset[VolumeId]


@dataclass
class Wanted:
    """A builder: layouts add to it in turn, and `state` is what they agreed on."""

    slots: dict[int, Slot] = field(default_factory=dict)
    disks: dict[str, Disk] = field(default_factory=dict)
    pools: dict[PoolId, Pool] = field(default_factory=dict)
    volumes: dict[VolumeId, Volume] = field(default_factory=dict)
    attachments: dict[VDisk, VolumeId | None] = field(default_factory=dict)
    vlans: set[int] = field(default_factory=set)
    ports: dict[Port, PortVlans] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)

    shares: dict[PoolId, int] = field(default_factory=dict)  # equal volumes that fill the pool between them
    failing: set[PoolId] = field(default_factory=set)  # on a disk that failed: nothing new goes there
    choices: dict[VDisk, Choice] = field(default_factory=dict)
    unplaced: dict[Part, str] = field(default_factory=dict)  # declared, but nothing fits: what was wanted
    explained: set[Part] = field(default_factory=set)  # nothing that we do brings it about, and a problem says why
    unsure: set[str] = field(default_factory=set)  # servers of which not enough is known to switch them on
    doomed: set[Part] = field(default_factory=set)  # volumes and pools that are there and are to be destroyed
    owners: dict[Part, tuple[Ref, ...]] = field(default_factory=lambda: defaultdict(tuple))
    problems: list[Problem] = field(default_factory=list)
    contests: list[Contest] = field(default_factory=list)

    def own(self, part: Part, *refs: Ref) -> None:
        """Note that these objects declare a part, in this order, each once."""
        self.owners[part] = tuple(dict.fromkeys((*self.owners[part], *refs)))

    def doom(self, part: Part, owner: Ref) -> None:
        """Note that an object wants a volume or pool of its own destroyed."""
        self.doomed.add(part)
        self.own(part, owner)

    def problem(self, owner: Ref, reason: str, message: str, waits_for: Ref | None = None) -> None:
        """Note what keeps an object from being planned in full."""
        found = Problem(owner, reason, message, waits_for)
        if found not in self.problems:
            self.problems.append(found)

    def contest(self, claims: Settled) -> None:
        """Note which objects have something that others want too."""
        found = (Contest(_object(winner), _object(loser), thing) for winner, loser, thing in claims.contests)
        self.contests.extend(item for item in found if item.owner != item.rival and item not in self.contests)

    def state(self, observed: ChassisState) -> ChassisState:
        """As the contract's type. What was observed only lends its identity and its default VLAN."""
        default = 0 if isinstance(observed.network, Unknown) else observed.network.default_vlan
        return ChassisState(
            identity=observed.identity,
            servers=self.servers,
            slots=self.slots,
            disks=self.disks,
            pools=self.pools,
            volumes=self.volumes,
            attachments=dict(self.attachments),
            network=Network(default, frozenset(self.vlans), self.ports),
        )


def _object(claimant: Ref) -> Ref:
    """A claimant may be a part of an object, named after it: `root spec.assign[data]`."""
    return claimant._replace(name=claimant.name.partition(" ")[0])
