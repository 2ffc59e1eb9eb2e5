"""From the store to the planner's input: the objects of one chassis, parsed once a generation, with their policies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rackwright.api.common import Policy, effective_policy
from rackwright.api.validate import InvalidSpec, check_transition, fixed_part, parse_spec
from rackwright.core.chassis.rack import ChassisObject, NodeObject, PoolObject, Rack
from rackwright.core.chassis.release import ends_as_retain
from rackwright.core.claims import Claim, settle
from rackwright.core.guard import ObjectPolicy, Rules
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref, Resource
from rackwright.core.step import Contest, Problem
from rackwright.core.store import Store
from rackwright_drivers.contract.chassis import Action


class Specs:
    """Parsed specs, kept while their object's generation stays: validation costs more than a look-up."""

    def __init__(self) -> None:
        self._known: dict[Ref, tuple[tuple[object, ...], Any]] = {}

    def of(self, resource: Resource) -> Any:
        """The spec's model, or the InvalidSpec that parsing it raised."""
        mark = (resource.uid, resource.generation, resource.status.get("immutable"))
        known = self._known.get(resource.ref)
        if known is None or known[0] != mark:
            known = (mark, _parsed(resource))
            self._known[resource.ref] = known
        return known[1]

    def forget(self, ref: Ref) -> None:
        """The object is gone."""
        self._known.pop(ref, None)


def _parsed(resource: Resource) -> Any:
    """The spec's model. Old API servers let through what CEL refuses, a change of what is fixed too: we do not."""
    try:
        parsed = parse_spec(resource.ref.kind, resource.spec)
    except InvalidSpec as error:
        return error
    fixed = _accepted(resource)
    changed = check_transition(resource.ref.kind, fixed, resource.spec) if fixed else []
    return InvalidSpec(changed) if changed else parsed


def _accepted(resource: Resource) -> Mapping[str, Any]:
    """What is fixed of the spec, as it was first accepted; nothing, where it never was."""
    text = resource.status.get("immutable")
    found = orjson.loads(text) if text else {}
    return found if isinstance(found, Mapping) else {}


def fixed_of(resource: Resource) -> dict[str, str]:
    """What the status keeps of what is fixed: as it was when the spec was first accepted."""
    fixed = resource.status.get("immutable")
    if not fixed and (part := fixed_part(resource.ref.kind, resource.spec)):
        fixed = orjson.dumps(part, option=orjson.OPT_SORT_KEYS).decode()
    return {"immutable": fixed} if fixed else {}


@dataclass(frozen=True)
class Inputs:
    """A rack, and the objects that belong to it but cannot be planned, with the reason."""

    rack: Rack
    left_out: tuple[Problem, ...]
    resources: Mapping[Ref, Resource]
    contests: tuple[Contest, ...] = ()


def chassis_of(resource: Resource) -> Ref | None:
    """The Chassis that an object belongs to; a Chassis belongs to itself.

    An object that was accepted stays with its Chassis whatever its reference says now: that is refused, and until it is
    corrected its volumes are still declared where they are.
    """
    if resource.ref.kind == CHASSIS:
        return resource.ref
    reference = _accepted(resource).get("chassisRef") or resource.spec.get("chassisRef")
    name = reference.get("name") if isinstance(reference, Mapping) else None
    return Ref(CHASSIS, resource.ref.namespace, name) if isinstance(name, str) and name else None


def gather(store: Store, specs: Specs, chassis: ChassisObject) -> Inputs:
    """Everything that refers to this chassis, but for what is being deleted and needs nothing more from us."""
    ref = chassis.resource.ref
    mine = [
        item
        for kind in (STORAGE_POOL, COMPUTE_NODE)
        for item in store.list(kind)
        if not item.gone and chassis_of(item) == ref and not (item.leaving and ends_as_retain(item, chassis.resource))
    ]
    left_out: list[Problem] = []
    pools: list[PoolObject] = []
    nodes: list[NodeObject] = []
    for item in sorted(mine, key=lambda item: item.ref):
        spec = specs.of(item)
        if isinstance(spec, InvalidSpec):
            left_out.append(Problem(item.ref, "InvalidSpec", str(spec)))
        elif item.ref.kind == COMPUTE_NODE:
            nodes.append(NodeObject(item, spec))
        elif spec.backend.chassis is not None:
            pools.append(PoolObject(item, spec, wipes=item.leaving and spec.deletion_policy == "Wipe"))
    winners, lost, contests = _one_a_card(nodes, chassis)
    resources = {ref: chassis.resource} | {item.ref: item for item in mine}
    problems = (*left_out, *lost)
    idle = tuple(resources[problem.owner] for problem in problems if problem.owner.kind == COMPUTE_NODE)
    doubtful = tuple(problem.owner for problem in left_out if problem.owner.kind == STORAGE_POOL)
    rack = Rack(
        chassis,
        tuple(pool for pool in pools if not pool.resource.leaving),
        tuple(node for node in winners if not node.resource.leaving),
        idle,
        doubtful,
        leaving_pools=tuple(pool for pool in pools if pool.resource.leaving),
        leaving_nodes=tuple(node for node in winners if node.resource.leaving),
        referring=tuple(item.ref for item in sorted(mine, key=lambda item: item.ref)),
    )
    return Inputs(rack, problems, resources, contests)


def _one_a_card(
    nodes: Iterable[NodeObject], chassis: ChassisObject
) -> tuple[tuple[NodeObject, ...], tuple[Problem, ...], tuple[Contest, ...]]:
    """A card has one node: the oldest that claims it, also while it is being deleted. A protected card has none."""
    protected = set(chassis.spec.protected_servers)
    settled = settle(Claim(f"server {node.server}", node.ref, node.resource.created) for node in nodes)
    kept: list[NodeObject] = []
    lost: list[Problem] = []
    for node in nodes:
        rival = settled.lost(node.ref, f"server {node.server}")
        if rival is not None and node.resource.leaving:
            continue  # it never had anything: there is nothing to let go of
        if rival is not None:
            sentence = f"spec.server is {node.server}, which {rival} has already. Delete one of the two."
            lost.append(Problem(node.ref, "Conflict", sentence, rival))
        elif node.server in protected and not node.resource.leaving:
            sentence = f"spec.server is {node.server}, which is in spec.protectedServers of {chassis.resource.ref}. "
            lost.append(Problem(node.ref, "Protected", sentence + "Remove it there, or delete this node."))
        else:
            kept.append(node)
    return tuple(kept), tuple(lost), tuple(Contest(*contest) for contest in settled.contests)


def policy_of(item: ChassisObject | PoolObject | NodeObject, chassis: ChassisObject) -> Policy:
    """What an object allows: its own word, else its chassis'."""
    if isinstance(item, ChassisObject):
        return item.spec.policy
    return effective_policy(item.spec.policy, chassis.spec.policy)


def rules_of(rack: Rack, actions: frozenset[type[Action]]) -> Rules:
    """What the guard goes by: policies after inheritance, consent, protected servers, what the driver can do."""
    chassis = rack.chassis
    return Rules(
        policies={item.resource.ref: _object_policy(item, chassis) for item in rack.objects},
        protected=rack.protected,
        max_disrupted=chassis.spec.policy.max_disrupted,
        actions=actions,
        paused=chassis.resource.paused,
    )


def _object_policy(item: ChassisObject | PoolObject | NodeObject, chassis: ChassisObject) -> ObjectPolicy:
    policy = policy_of(item, chassis)
    stamped = item.resource.owner_uid == chassis.resource.uid
    approver = chassis if isinstance(item, NodeObject) and stamped else item
    status = item.resource.status
    return ObjectPolicy(
        uid=item.resource.uid,
        mode=policy.mode,
        destructive=policy.destructive,
        paused=item.resource.paused,
        approvals=frozenset(approval.plan for approval in approver.spec.approvals),
        counter=status.get("consentsUsed", 0),
        approver=approver.resource.ref,
        max_disrupted=policy.max_disrupted,
        granted=frozenset((status.get("consent") or {}).get("steps", ())),
        wipes=isinstance(item, PoolObject) and item.wipes,
    )
