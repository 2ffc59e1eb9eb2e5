"""Which volume goes to which vdisk: keeps what is there, gives back what was taken, spreads what is new.

Data belongs to its server: a vdisk keeps the volume it has; one that lost its volume gets that very volume back, because
its node remembers it; only a vdisk that never had one is given a free volume.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rackwright.api.storage_pool import Assign, Spread
from rackwright.core.chassis.demands import Demand, Place, demands
from rackwright.core.chassis.rack import NodeObject, PoolObject, Rack
from rackwright.core.chassis.wanted import Choice, Wanted
from rackwright.core.resource import Ref
from rackwright.core.step import Part, PartKind
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.storage import Attached, VDisk, VolumeId
from rackwright_drivers.contract.unknown import Unknown


@dataclass
class Placement:
    """The working state for one `assign` of one pool."""

    wanted: Wanted
    rack: Rack
    pool: PoolObject
    assign: Assign
    demands: Sequence[Demand]
    volumes: Sequence[VolumeId]
    attachments: Mapping[VDisk, Attached | None]
    spoken_for: set[VolumeId]  # placed, or remembered by somebody, in any assign of this pool
    placed: dict[VolumeId, Demand] = field(default_factory=dict)

    def path(self) -> str:
        """Where a person finds this assign."""
        return f"spec.assign[{self.assign.name}]"


def lay_out_attachments(
    wanted: Wanted, rack: Rack, observed: ChassisState, volumes: Mapping[PoolObject, Sequence[VolumeId]]
) -> None:
    """Add the attachments of every pool, and the emptying of vdisks that have a volume of somebody else's."""
    if isinstance(observed.attachments, Unknown):
        for ref in (*(pool.ref for pool in volumes), *(node.ref for node in rack.nodes)):
            wanted.problem(
                ref, "Unknown", f"The assignments of the chassis cannot be told: {observed.attachments.reason}."
            )
        return
    asked = demands(wanted, rack, volumes, observed.attachments)
    for pool, names in volumes.items():
        spoken_for: set[VolumeId] = set()
        for assign in pool.spec.assign:
            mine = asked[Place(pool.ref, assign.name)]
            _place(Placement(wanted, rack, pool, assign, mine, names, observed.attachments, spoken_for))
    _evict(wanted, rack, observed.attachments)


def _place(placement: Placement) -> None:
    waiting: list[Demand] = []
    for demand in placement.demands:
        kept = _kept(placement, demand)
        if kept is None:
            waiting.append(demand)
        else:
            _settle(placement, _where_free(placement, demand), kept)
    new: list[Demand] = []
    for demand in waiting:
        if _where_free(placement, demand) != demand:
            _leave_rest(placement, demand)
            continue
        back = _remembered(placement, demand) or _kept(placement, demand, exchanged=True)
        if back is None:
            new.append(demand)
        else:
            _settle(placement, demand, back)
    _spread(placement, new)


def _holders(placement: Placement, volume: VolumeId) -> set[str]:
    return {vdisk.server for vdisk, found in placement.attachments.items() if found == volume}


def _kept(placement: Placement, demand: Demand, *, exchanged: bool = False) -> VolumeId | None:
    """The volume that is there already and may stay; also in place of a remembered one, where it was `exchanged`."""
    for vdisk in demand.vdisks:
        found = placement.attachments.get(vdisk)
        if not isinstance(found, VolumeId) or found not in placement.volumes or found in placement.spoken_for:
            continue
        known = placement.rack.remembered.get(vdisk)
        if not exchanged and known not in (None, found) and known in placement.volumes:
            continue  # somebody exchanged it: the data of this server is on the one that it remembers
        if _owner(placement, found) in (None, demand.node.server):
            return found
    return None


def _owner(placement: Placement, volume: VolumeId) -> str | None:
    """Whose volume it is where several servers have it: the one that remembers it; None where one alone has it.

    With several holders and no memory nobody is the owner, which the empty word says: no server is called that.
    """
    remembering = placement.rack.rememberers.get(volume, frozenset())
    if len(remembering) == 1:
        return next(iter(remembering))
    declared = [server for server in _holders(placement, volume) if _declares(placement, server, volume)]
    return None if len(declared) <= 1 else ""


def _declares(placement: Placement, server: str, volume: VolumeId) -> bool:
    """Whether the server has this volume on a vdisk that any assign of the pool speaks of."""
    node = placement.rack.by_server.get(server)
    return node is not None and any(
        placement.attachments.get(VDisk(server, number)) == volume
        for assign in placement.pool.spec.assign
        if assign.node_selector.matches(node.resource.labels)
        for number in assign.vdisks
    )


def _where_free(placement: Placement, demand: Demand) -> Demand:
    """The demand without the vdisks that have something which is not ours to move; about those the node says so."""
    free = []
    for vdisk in demand.vdisks:
        sentence = _taken(placement, vdisk)
        if sentence is None:
            free.append(vdisk)
        else:
            _leave(placement, Demand(demand.node, (vdisk,)), "VDiskTaken", sentence)
    return Demand(demand.node, tuple(free))


def _leave_rest(placement: Placement, demand: Demand) -> None:
    """One of several paths is taken: the others are left as they are with it."""
    for vdisk in demand.vdisks:
        _declare(placement, demand, vdisk)
        placement.wanted.unplaced.setdefault(Part(PartKind.ATTACHMENT, vdisk), f"a volume of {placement.pool.ref}")


def _taken(placement: Placement, vdisk: VDisk) -> str | None:
    """The sentence about what is on a vdisk where that is not ours to move."""
    found = placement.attachments.get(vdisk)
    if found is None:
        return None
    if not isinstance(found, VolumeId) or found not in placement.volumes:
        return (
            f"{placement.path()} of {placement.pool.ref} wants {vdisk}, which has {_shown(found)}. "
            "Detach that by hand if it is not needed, or use another vdisk."
        )
    if _owner(placement, found) == "":
        return (
            f"{vdisk} and another server both have {found}, and neither is remembered as its owner. "
            "Detach it from the wrong one by hand."
        )
    return None  # a volume of this pool whose owner is known: it can be put right


def _shown(found: Attached) -> str:
    return str(found) if isinstance(found, VolumeId) else f"the raw disk {found.name}"


def _remembered(placement: Placement, demand: Demand) -> VolumeId | None:
    for vdisk in demand.vdisks:
        known = placement.rack.remembered.get(vdisk)
        if known is not None and known in placement.volumes and known not in placement.spoken_for:
            return known
    return None


def _settle(placement: Placement, demand: Demand, volume: VolumeId, choice: Choice | None = None) -> None:
    placement.spoken_for.add(volume)
    placement.placed[volume] = demand
    for vdisk in demand.vdisks:
        placement.wanted.attachments[vdisk] = volume
        _declare(placement, demand, vdisk)
        if choice is not None:
            placement.wanted.choices[vdisk] = choice


def _declare(placement: Placement, demand: Demand, vdisk: VDisk) -> None:
    placement.wanted.own(Part(PartKind.ATTACHMENT, vdisk), demand.node.ref, placement.pool.ref)


def _leave(placement: Placement, demand: Demand, reason: str, sentence: str) -> None:
    placement.wanted.problem(demand.node.ref, reason, sentence, placement.pool.ref)
    for vdisk in demand.vdisks:
        _declare(placement, demand, vdisk)
        placement.wanted.unplaced[Part(PartKind.ATTACHMENT, vdisk)] = f"a volume of {placement.pool.ref}"


def _spread(placement: Placement, demands: Sequence[Demand]) -> None:
    """Give each demand a free volume: those under a hard rule first, then by card."""
    remembered = set(placement.rack.remembered.values())
    attached = {found for found in placement.attachments.values() if found is not None}
    free = [
        volume
        for volume in placement.volumes
        if volume not in placement.spoken_for
        and volume not in remembered
        and volume not in attached
        and volume.pool_id not in placement.wanted.failing
    ]
    spreads = any(assign.spread for assign in placement.pool.spec.assign)  # a free hand for one would cost the other
    any_will_do = not spreads and placement.assign.attach != "AllPaths"
    choice = Choice(free[0].prefix, frozenset(free)) if any_will_do and free else None
    rules = [_Rule.of(spread, placement) for spread in placement.assign.spread]
    ordered = sorted(demands, key=lambda demand: not any(rule.hard and rule.applies(demand.node) for rule in rules))
    short: list[Demand] = []
    for demand in ordered:
        volume = _best(placement, demand, free, rules)
        if volume is not None:
            free.remove(volume)
            _settle(placement, demand, volume, choice)
        elif free:
            _leave(
                placement,
                demand,
                "SpreadUnsatisfiable",
                f"No free volume of {placement.pool.ref} keeps the spread that {placement.path()} asks for, for "
                f"{demand.node.server}. Add disks, or set whenUnsatisfiable: Allow.",
            )
        else:
            short.append(demand)
    if short:
        _too_few(placement, len(demands), short)


def _too_few(placement: Placement, wanted: int, short: Sequence[Demand]) -> None:
    """The pool says how many are missing, and each node that goes without says so too."""
    path, pool = placement.path(), placement.pool.ref
    rest = f"{path} wants {wanted} more and {len(short)} are missing. Make the pool larger, or narrow the nodeSelector."
    placement.wanted.problem(pool, "NoVolume", f"Too few free volumes: {rest}")
    for demand in short:
        sentence = f"{pool} has no free volume left for {demand.node.server}: {rest}"
        _leave(placement, demand, "NoVolume", sentence)


@dataclass
class _Rule:
    """One spread rule, and how full each domain is of what it counts."""

    spread: Spread
    domain: Callable[[VolumeId], str]
    loads: Counter[str]

    @classmethod
    def of(cls, spread: Spread, placement: Placement) -> "_Rule":
        domain = _domain(spread, placement.wanted)
        loads: Counter[str] = Counter({domain(volume): 0 for volume in placement.volumes})
        rule = cls(spread, domain, loads)
        for volume, demand in placement.placed.items():
            rule.count(demand.node, volume)
        return rule

    @property
    def hard(self) -> bool:
        return self.spread.when_unsatisfiable == "Hold"

    def applies(self, node: NodeObject) -> bool:
        selector = self.spread.node_selector
        return selector is None or selector.matches(node.resource.labels)

    def count(self, node: NodeObject, volume: VolumeId) -> None:
        if self.applies(node):
            self.loads[self.domain(volume)] += 1

    def broken_by(self, node: NodeObject, volume: VolumeId) -> bool:
        if not self.applies(node):
            return False
        load = self.loads[self.domain(volume)] + 1
        too_many = self.spread.max_per_domain is not None and load > self.spread.max_per_domain
        skewed = self.spread.max_skew is not None and load - min(self.loads.values()) > self.spread.max_skew
        return too_many or skewed


def _domain(spread: Spread, wanted: Wanted) -> Callable[[VolumeId], str]:
    match spread.domain:
        case "Disk":
            return lambda volume: ",".join(wanted.pools[volume.pool_id].disks)
        case "Slot":
            return lambda volume: str(volume.slot)
        case _:
            return lambda volume: str(volume.pool_id)


def _best(placement: Placement, demand: Demand, free: Sequence[VolumeId], rules: Sequence[_Rule]) -> VolumeId | None:
    """The free volume that breaks no hard rule, the fewest soft ones, and is where the least is; None where none fits."""
    node = demand.node
    allowed = [volume for volume in free if not any(rule.hard and rule.broken_by(node, volume) for rule in rules)]
    if not allowed:
        return None

    def cost(volume: VolumeId) -> tuple[object, ...]:
        broken = sum(rule.broken_by(node, volume) for rule in rules)
        loads = tuple(rule.loads[rule.domain(volume)] for rule in rules if rule.applies(node))
        return (broken, *loads)

    best = min(allowed, key=cost)  # the first of equals, and `free` is in natural order
    for rule in rules:
        rule.count(node, best)
    return best


def _evict(wanted: Wanted, rack: Rack, attachments: Mapping[VDisk, Attached | None]) -> None:
    """A volume of ours never has two owners: every other server's hold on it is to be undone."""
    places: dict[VolumeId, set[VDisk]] = defaultdict(set)
    for vdisk, volume in wanted.attachments.items():
        if volume is not None:
            places[volume].add(vdisk)
    for vdisk, found in attachments.items():
        if not isinstance(found, VolumeId) or found not in places or vdisk in places[found]:
            continue
        if vdisk in wanted.attachments or vdisk.server in {place.server for place in places[found]}:
            continue  # the vdisk gets its own volume; one server with more paths than declared is only reported
        wanted.attachments[vdisk] = None
        wanted.own(Part(PartKind.ATTACHMENT, vdisk), *_concerned(wanted, rack, vdisk, places[found]))


def _concerned(wanted: Wanted, rack: Rack, vdisk: VDisk, places: set[VDisk]) -> Iterable[Ref]:
    """The node on that card, where there is one, then those whose volume it is."""
    node = rack.by_server.get(vdisk.server)
    if node is not None:
        yield node.ref
    for place in sorted(places):
        yield from wanted.owners[Part(PartKind.ATTACHMENT, place)]
