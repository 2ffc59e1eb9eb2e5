"""Writes what a pass came to: the status of every object where it changed, consent before it is used, events on change."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rackwright.api.status import APPROVALS_SHOWN
from rackwright.core import metrics
from rackwright.core.chassis.cards import remembered
from rackwright.core.chassis.doubt import doubts
from rackwright.core.chassis.holdings import holdings
from rackwright.core.chassis.inputs import Inputs, fixed_of, policy_of
from rackwright.core.chassis.rack import ChassisObject, NodeObject, PoolObject
from rackwright.core.chassis.release import told
from rackwright.core.chassis.returns import Recall
from rackwright.core.chassis.storage import shelf_of
from rackwright.core.chassis.wipe import as_status, survey
from rackwright.core.conditions import Condition, shortened
from rackwright.core.loop import Pass
from rackwright.core.report import Verdict, View, judge, status_of, undeclared, view_of
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Contest, Decision, PartKind, Problem, Step
from rackwright.core.store import EventType, Store
from rackwright.core.together import together
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.errors import CredentialsRefusedError, TransientError, UnsafeError
from rackwright_drivers.contract.storage import VDisk, VolumeId
from rackwright_drivers.contract.unknown import Unknown

HOST_NOT_YET = "This version keeps the chassis side of a node; what is inside the host is not looked at."


class Writer:
    """The one place that writes about a chassis and what is on it."""

    def __init__(self, store: Store, now: Callable[[], str]) -> None:
        self._store = store
        self._now = now

    async def report(
        self,
        inputs: Inputs,
        outcome: Pass[ChassisState],
        commands: Mapping[Step, tuple[str, ...]],
        recall: Recall | None = None,
    ) -> None:
        """Every object's status, where it differs from the one that is stored. `recall` has what keeps coming back."""
        rack, decision = inputs.rack, outcome.decision
        objects = {item.ref: item for item in rack.objects}
        left = {problem.owner for problem in inputs.left_out}
        drift = held = 0
        writes = []
        for ref in inputs.resources:
            item = objects.get(ref)
            if self._store.get(ref) is None:
                continue  # it was let go of at the end of this pass
            if item is None and ref not in left:
                continue  # a pool whose backend is not the chassis: somebody else's
            planning = item is not None and policy_of(item, rack.chassis).mode != "Observe"
            view = view_of(ref, decision, inputs.left_out, outcome.error, planning)
            view = replace(view, commands=commands)
            returns = recall.entry(inputs.resources[ref], rack) if recall is not None and item is not None else None
            writes.append(self._write(inputs, ref, item, view, outcome, returns))
            if ref.kind == COMPUTE_NODE:
                drift, held = drift + len(view.differences), held + len(view.held)
            else:
                metrics.DRIFT.labels(*ref).set(len(view.differences))
                metrics.HELD.labels(*ref).set(len(view.held))
        metrics.DRIFT.labels(*rack.ref).inc(drift)
        metrics.HELD.labels(*rack.ref).inc(held)
        await together(writes)

    async def _write(
        self,
        inputs: Inputs,
        ref: Ref,
        item: ChassisObject | PoolObject | NodeObject | None,
        view: View,
        outcome: Pass[ChassisState],
        returns: Mapping[str, Any] | None,
    ) -> None:
        state, decision = outcome.state, outcome.decision
        resource = self._store.get(ref) or inputs.resources[ref]
        verdict = judge(view)
        extra = (*_extra_conditions(ref, verdict, view, asked=True), *_contested(resource, inputs, decision))
        if isinstance(item, NodeObject):
            verdict = _ready_of_node(verdict)
        verdict = told(resource, verdict)
        status = status_of(resource, view, verdict, extra, self._now())
        status |= _details(item, resource, inputs, state, decision)
        if returns is not None:
            status.pop("returns", None)
            status |= returns
        if item is None:
            _forget_facts(status)
        else:
            status |= fixed_of(resource)
        if decision is not None and state is not None and not doubts(state):
            _expire_consent(status, decision)
        await self._store_status(resource, status, verdict)

    async def _store_status(self, resource: Resource, status: dict[str, Any], verdict: Verdict) -> None:
        if status == resource.status:
            return
        before = _condition(resource.status, "Ready")
        written = await self._store.write_status(resource.ref, status)
        if written is not None and _is_news(before, verdict):
            kind = EventType.WARNING if verdict.stalled else EventType.NORMAL
            sentence = shortened(verdict.message) or "All is as declared."
            await self._store.event(resource.ref, kind, verdict.reason, sentence)
        contest = _condition(status, "Contested")
        if written is not None and contest is not None and _condition(resource.status, "Contested") is None:
            await self._store.event(resource.ref, EventType.WARNING, "Contested", shortened(contest["message"]))

    async def refuse(self, resource: Resource, problem: Problem) -> None:
        """An object that cannot be planned at all says why; nothing else of its status changes."""
        view = View(problems=(problem,), planning=False)
        verdict = told(resource, judge(view))
        extra = tuple(_extra_conditions(resource.ref, verdict, view, asked=False))
        kept = {name: value for name, value in resource.status.items() if name not in ("plan", "blockedOn")}
        status = kept | status_of(resource, view, verdict, extra, self._now())
        _forget_facts(status)
        if problem.reason != "InvalidSpec":
            status |= fixed_of(resource)
        await self._store_status(resource, status, verdict)

    async def use_consent(self, inputs: Inputs, state: ChassisState, decision: Decision) -> None:
        """Record what was consented to, by step, so that a crash in the middle needs no second consent."""
        planned = {step.digest for step in _destructive(decision)}
        for owner, grant in decision.verdict.granted.items():
            resource = self._store.get(owner) or inputs.resources[owner]
            status = dict(resource.status)
            before = (status.get("consent") or {}).get("steps", ())
            steps = sorted({*grant.steps, *(digest for digest in before if digest in planned)})
            if steps:
                status["consent"] = {"plan": grant.plan, "steps": steps}
            if grant.changes:
                status["cards"] = remembered(inputs.rack, state, grant.changes)
            status["consentsUsed"] = status.get("consentsUsed", 0) + 1
            used = [*status.get("approvalsUsed", ()), {"plan": grant.plan, "at": self._now()}]
            status["approvalsUsed"] = used[-APPROVALS_SHOWN:]
            if await self._store.write_status(owner, status) is None:
                raise UnsafeError(f"{owner} vanished before its consent was recorded: nothing was done")
            await self._store.event(owner, EventType.NORMAL, "ConsentUsed", f"The plan {grant.plan} was approved.")


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    return next((item for item in status.get("conditions", ()) if item["type"] == kind), None)


def _is_news(before: Mapping[str, Any] | None, verdict: Verdict) -> bool:
    """Another reason; or, where only a person can help, another sentence: the next mistake of the same sort."""
    if before is None or before["reason"] != verdict.reason:
        return True
    return verdict.stalled and before["message"] != shortened(verdict.message)


def _forget_facts(status: dict[str, Any]) -> None:
    """Of an object that is not planned nobody knows how it is."""
    for name in ("summary", "driftCount", "drift"):
        status.pop(name, None)


def _extra_conditions(ref: Ref, verdict: Verdict, view: View, *, asked: bool) -> Iterable[Condition]:
    if ref.kind == CHASSIS:
        if not asked:
            yield Condition("Reachable", "Unknown", "NotAsked")
        elif view.error is None:
            yield Condition("Reachable", "True", "Answered")
        elif isinstance(view.error, (TransientError, CredentialsRefusedError)):
            yield Condition("Reachable", "False", verdict.reason, str(view.error))
        else:
            yield Condition("Reachable", "Unknown", verdict.reason)
    elif ref.kind == COMPUTE_NODE:
        yield Condition("ChassisReady", verdict.ready, verdict.reason, verdict.message)
        yield Condition("HostReady", "Unknown", "NotReconciled", HOST_NOT_YET)


def _contested(resource: Resource, inputs: Inputs, decision: Decision | None) -> Iterator[Condition]:
    """Whoever has what others want too is told of the first of them, and how many more there are."""
    told = _condition(resource.status, "Contested")
    if decision is None:  # without a sight of the device it is as it was
        if told is not None:
            yield Condition("Contested", "True", told["reason"], told["message"])
        return
    contests: Iterable[Contest] = (*inputs.contests, *decision.contests)
    mine = [contest for contest in contests if contest.owner == resource.ref]
    if mine:
        rival = mine[0].rival.beside(resource.ref)
        more = f", and {len(mine) - 1} more of it are wanted by others" if len(mine) > 1 else ""
        sentence = f"{rival} wants {mine[0].thing} too{more}. This object keeps it; remove it from one of the two."
        yield Condition("Contested", "True", "Conflict", sentence)


def _ready_of_node(verdict: Verdict) -> Verdict:
    """A node is Ready when chassis side and host are; the host is unknown as yet."""
    if verdict.ready != "True":
        return verdict
    return Verdict("Unknown", "HostNotReconciled", HOST_NOT_YET)


def _expire_consent(status: dict[str, Any], decision: Decision) -> None:
    """Consent ends with what it was for: a step that is no longer planned needs a new one should it ever come back."""
    consent = status.get("consent")
    if not consent:
        return
    planned = {step.digest for step in _destructive(decision)}
    steps = [digest for digest in consent["steps"] if digest in planned]
    if steps:
        status["consent"] = {**consent, "steps": steps}
    else:
        del status["consent"]


def _destructive(decision: Decision) -> Iterator[Step]:
    """Every destructive step that is planned, now or later."""
    for steps in (*decision.stages, decision.blocked):
        yield from (step for step in steps if step.risk is Risk.DESTRUCTIVE)


def _details(
    item: ChassisObject | PoolObject | NodeObject | None,
    resource: Resource,
    inputs: Inputs,
    state: ChassisState | None,
    decision: Decision | None,
) -> dict[str, Any]:
    """What a kind adds. Without a sight of the device, what was last known stands."""
    names = ("identity", "servers", "undeclared", "cards", "assignments", "wipe")
    if state is None or decision is None or item is None:
        return {name: resource.status[name] for name in names if name in resource.status}
    match item:
        case ChassisObject():
            return _chassis_details(resource, inputs, state, decision)
        case PoolObject():
            return _pool_details(item, resource, inputs, state)
        case NodeObject():
            return _node_details(item, inputs, state, decision)


def _chassis_details(resource: Resource, inputs: Inputs, state: ChassisState, decision: Decision) -> dict[str, Any]:
    found: dict[str, Any] = {"undeclared": undeclared(decision.undeclared)}
    if any(problem.reason == "InvalidSpec" for problem in inputs.left_out):
        # What they declare would look like nobody's: what was last known stands.
        found = {name: resource.status[name] for name in found if name in resource.status}
    cards = remembered(inputs.rack, state)
    if cards is not None:
        found["cards"] = cards
    if not isinstance(state.identity, Unknown):
        found["identity"] = {"serial": state.identity.serial, "model": state.identity.model}
    if not isinstance(state.servers, Unknown):
        found["servers"] = len(state.servers)
    return found


def _pool_details(pool: PoolObject, resource: Resource, inputs: Inputs, state: ChassisState) -> dict[str, Any]:
    """What a wipe would destroy: as it is while the object lives, and after that as it was last."""
    if pool.spec.deletion_policy != "Wipe":
        return {}
    shelf = shelf_of(state)
    if isinstance(shelf, Unknown) or (pool.resource.deleting and "wipe" in resource.status):
        return {"wipe": resource.status["wipe"]} if "wipe" in resource.status else {}
    return as_status(resource, *survey(pool, holdings(inputs.rack, shelf)[pool], shelf))


def _node_details(node: NodeObject, inputs: Inputs, state: ChassisState, decision: Decision) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if not isinstance(state.servers, Unknown) and node.server in state.servers:
        details["identity"] = {"macs": list(state.servers[node.server].macs)}
    assignments = _memory(node, inputs, state, decision)
    if assignments:
        details["assignments"] = [{"vdisk": vdisk.number, "volume": str(name)} for vdisk, name in assignments.items()]
    return details


def _memory(node: NodeObject, inputs: Inputs, state: ChassisState, decision: Decision) -> dict[VDisk, VolumeId]:
    """Which volume each vdisk has, or had when it was last right: what was taken away is not forgotten.

    Only what certainly nobody declares any more is: a pool that could not be planned this time may still want it. What a
    node that is being deleted had is nobody else's before it is gone.
    """
    certain = not doubts(state, "identity", "servers", "network") and all(
        problem.owner.kind != STORAGE_POOL for problem in inputs.left_out
    )
    certain = certain and not node.resource.leaving
    attachments = {} if isinstance(state.attachments, Unknown) else state.attachments
    declared = {
        part.key: part
        for part in decision.parts_of.get(node.ref, ())
        if part.kind is PartKind.ATTACHMENT and isinstance(part.key, VDisk) and part.key.server == node.server
    }
    memory: dict[VDisk, VolumeId] = {}
    for vdisk, part in declared.items():
        found = attachments.get(vdisk)
        if isinstance(found, VolumeId) and part not in decision.wrong:
            memory[vdisk] = found
    for vdisk, known in inputs.rack.remembered_by.get(node.server, {}).items():
        if vdisk in declared or not certain:
            memory.setdefault(vdisk, known)
    return dict(sorted(memory.items()))
