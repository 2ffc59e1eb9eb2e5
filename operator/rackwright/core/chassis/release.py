"""What is let go of before an object goes: which attachments are undone, and when nothing is left to do. Pure.

Nodes, then pools, then the Chassis. VLANs, uplinks, storage slots and power stay as they are: to take them away could cut
the rack, and nobody's data is in them.
"""

from collections.abc import Iterable, Iterator, Mapping

from rackwright.core.chassis.doubt import doubts
from rackwright.core.chassis.holdings import Holdings, holdings
from rackwright.core.chassis.rack import NodeObject, PoolObject, Rack
from rackwright.core.chassis.storage import shelf_of
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.chassis.wipe import consented, lay_out_wipe
from rackwright.core.report import Verdict
from rackwright.core.resource import STORAGE_POOL, Ref, Resource
from rackwright.core.step import Decision, Part, PartKind, Problem
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.storage import VDisk, VolumeId
from rackwright_drivers.contract.unknown import Unknown

RETAIN = "It is being deleted; spec.deletionPolicy: Retain lets it go and leaves the device as it is."
NO_CONSENT = (
    "The wipe was not approved before the deletion (status.wipe.digest in spec.approvals), or policy.destructive is Never: "
    "it ends as Retain, and the device stays as it is."
)


def ends_as_retain(resource: Resource, chassis: Resource | None) -> str | None:
    """The sentence that says why an object that is being deleted goes with the device as it is; None where it waits.

    Both specs are taken as they were written: a mistake elsewhere in one is no reason to hang.
    """
    if resource.retained:
        return "spec.deletionPolicy is Retain: the device stays as it is."
    owner = resource.owner_uid
    if owner is not None and (chassis is None or chassis.uid != owner or chassis.gone):
        return (
            "The Chassis that stamped it is gone, and with it the wish to release anything: the device stays as it is."
        )
    if resource.ref.kind == STORAGE_POOL and resource.spec.get("deletionPolicy") == "Wipe":
        word = _destructive(resource) or (chassis and _destructive(chassis)) or "RequireApproval"
        return None if consented(resource, word) else NO_CONSENT
    return None


def _destructive(resource: Resource) -> str | None:
    policy = resource.spec.get("policy")
    return policy.get("destructive") if isinstance(policy, Mapping) else None


def lay_out_release(wanted: Wanted, rack: Rack, observed: ChassisState) -> None:
    """Add what has to be undone for objects that are being deleted, and what they wait for."""
    _wait_for_others(wanted, rack)
    leaving: tuple[PoolObject | NodeObject, ...] = (*rack.leaving_nodes, *rack.leaving_pools)
    if not leaving:
        return
    shelf, attachments, unsure = shelf_of(observed), observed.attachments, doubts(observed)
    if unsure or isinstance(shelf, Unknown) or isinstance(attachments, Unknown):
        for item in leaving:
            wanted.problem(item.ref, "Unknown", f"What is to be let go of cannot be told, as {unsure[0]}.")
        return
    held = holdings(rack, shelf)
    whose = {volume: pool for pool, found in held.items() for volume in _volumes(found)}
    for node in rack.leaving_nodes:
        if rack.doubtful:
            sentence = (
                f"{rack.doubtful[0]} cannot be planned: which volumes are its cannot be told. Correct that first."
            )
            wanted.problem(node.ref, "Waiting", sentence, rack.doubtful[0])
        for vdisk, found in attachments.items():
            if vdisk.server == node.server and isinstance(found, VolumeId) and found in whose:
                _detach(wanted, vdisk, (node.ref, whose[found].ref))
    for vdisk, found in attachments.items():
        pool = whose.get(found) if isinstance(found, VolumeId) else None
        if pool is not None and pool in rack.leaving_pools:
            living = rack.by_server.get(vdisk.server)
            _detach(wanted, vdisk, (pool.ref, living.ref) if living is not None else (pool.ref,))
    for pool in rack.leaving_pools:
        if pool.wipes:
            lay_out_wipe(wanted, pool, held[pool], shelf, attachments.values())


def _volumes(found: Holdings) -> Iterator[VolumeId]:
    for volumes in found.values():
        yield from volumes


def _detach(wanted: Wanted, vdisk: VDisk, owners: Iterable[Ref]) -> None:
    wanted.attachments.setdefault(vdisk, None)
    wanted.own(Part(PartKind.ATTACHMENT, vdisk), *owners)


def _wait_for_others(wanted: Wanted, rack: Rack) -> None:
    """A Chassis goes last: without it nobody could reach what the others have on the device."""
    if rack.chassis.resource.leaving and rack.referring:
        first, more = rack.referring[0], len(rack.referring) - 1
        others = f"{first} and {more} more refer" if more else f"{first} refers"
        sentence = f"{others} to this Chassis, which goes after them. Delete what is not being deleted yet."
        wanted.problem(rack.ref, "InUse", sentence, first)


def finished(resources: Mapping[Ref, Resource], left_out: Iterable[Problem], decision: Decision) -> tuple[Ref, ...]:
    """Objects that are being deleted and have nothing left to do: all that was ours is let go of, and it was seen so."""
    busy = {problem.owner for problem in (*left_out, *decision.problems)}
    for difference in decision.differences:
        busy.update(decision.parts[difference.part])
    held = (item.step for item in decision.verdict.held)
    stages = (step for stage in decision.stages for step in stage)
    for step in (*decision.verdict.allowed, *held, *stages, *decision.blocked):
        busy.update(step.owners)
    return tuple(ref for ref, resource in resources.items() if resource.leaving and ref not in busy)


def told(resource: Resource, verdict: Verdict) -> Verdict:
    """A verdict about an object that is being deleted: it is never Ready, and says how to let it go."""
    if not resource.leaving:
        return verdict
    reason = "Releasing" if verdict.ready == "True" else verdict.reason
    return Verdict("False", reason, f"{RETAIN} {verdict.message}".strip(), verdict.reconciling, verdict.stalled)
