"""What a pass means for one object, as its status. Pure: the same pass, status and clock give the same report.

Everything a person or a machine reads is derived here from one value, the `View` of an object, and from nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rackwright.api.sentences import and_more
from rackwright.api.status import (
    COMMANDS_SHOWN,
    DRIFT_SHOWN,
    STAGES_SHOWN,
    STEPS_SHOWN,
    TEXT_LENGTH,
    UNDECLARED_SHOWN,
)
from rackwright.core.claims import ClaimLostError
from rackwright.core.conditions import Condition, stamped, truth
from rackwright.core.resource import Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Change, Decision, Difference, Held, HoldReason, Problem, Step, fingerprint
from rackwright_drivers.contract.errors import (
    ConflictError,
    CredentialsRefusedError,
    DriverError,
    TransientError,
    UnsafeError,
)

# Reasons for which only a person can move things on: kstatus calls that Stalled. Waiting for consent is not among them.
UNKNOWN = "Unknown"  # the reason of problems that pass when the device can be read again
_ASKS = {HoldReason.APPROVAL_REQUIRED, HoldReason.CARD_CHANGED}
_KEPT = ("immutable", "consentsUsed", "approvalsUsed", "consent", "returns")
_WAITS_FOR_NOBODY = {*_ASKS, HoldReason.BUDGET}


@dataclass(frozen=True)
class View:
    """One object's part of a pass."""

    differences: tuple[Difference, ...] = ()
    parts: int = 0
    stages: tuple[tuple[Step, ...], ...] = ()  # as they would be sent; the first is the current one
    held: tuple[Held, ...] = ()
    allowed: tuple[Step, ...] = ()
    waiting: tuple[Step, ...] = ()  # of later stages, or blocked
    problems: tuple[Problem, ...] = ()
    digest: str | None = None  # what to approve
    changes: tuple[Change, ...] = ()  # what the digest covers beside steps
    error: DriverError | None = None
    waits_for: Ref | None = None
    planning: bool = True
    commands: Mapping[Step, tuple[str, ...]] = field(default_factory=dict)

    @property
    def seen(self) -> bool:
        """Whether it can be told how the object is: else what was last known stands."""
        if self.differences:
            return True
        if not self.parts:
            return self.error is None and not self.problems
        return all(problem.reason != UNKNOWN for problem in self.problems)


@dataclass(frozen=True)
class Verdict:
    """Why an object is Ready or is not: one word, one sentence, and what follows for the other conditions."""

    ready: str
    reason: str
    message: str
    reconciling: bool = False
    stalled: bool = False


def view_of(
    ref: Ref, decision: Decision | None, left_out: Iterable[Problem], error: DriverError | None, planning: bool
) -> View:
    """Cut one object's part out of a decision."""
    left = tuple(problem for problem in left_out if problem.owner == ref)
    if decision is None:
        return View(problems=left, error=error, planning=planning)
    mine = decision.parts_of.get(ref, frozenset())
    allowed = tuple(step for step in decision.verdict.allowed if ref in step.owners)
    held = tuple(item for item in decision.verdict.held if ref in item.step.owners)
    later = tuple(tuple(step for step in stage if ref in step.owners) for stage in decision.stages[1:])
    blocked = tuple(step for step in decision.blocked if ref in step.owners)
    current = (*allowed, *(item.step for item in held))
    waiting = (*(step for stage in later for step in stage), *blocked)
    return View(
        differences=tuple(difference for difference in decision.differences if difference.part in mine),
        parts=len(mine),
        stages=tuple(stage for stage in (current, *later) if stage),
        held=held,
        allowed=allowed,
        waiting=waiting,
        problems=(*left, *(problem for problem in decision.problems if problem.owner == ref)),
        digest=decision.verdict.digests.get(ref),
        changes=decision.verdict.changes.get(ref, ()),
        error=error,
        waits_for=_waits_for(ref, waiting, decision),
        planning=planning,
    )


def _waits_for(ref: Ref, waiting: Sequence[Step], decision: Decision) -> Ref | None:
    """Whose part has to come right first, where that is another object's."""
    for step in waiting:
        for part in sorted(step.needs & decision.wrong, key=str):
            owners = decision.parts.get(part, ())
            if owners and ref not in owners:
                return owners[0]
    return None


def judge(view: View) -> Verdict:
    """Why the object is Ready or not. What only a person can change comes before what passes by itself."""
    if view.error is not None:
        return _failed(view.error)
    if view.problems:
        return _stuck(view.problems)
    asking = next((item for item in view.held if item.reason in _ASKS), None)
    if asking is not None:
        return Verdict("False", "AwaitingApproval", asking.message, reconciling=True)
    if view.changes:
        return Verdict("False", "AwaitingApproval", _accept(view), reconciling=True)
    held = next((item for item in view.held if item.reason not in _WAITS_FOR_NOBODY), None)
    if held is not None:
        quiet = held.reason in (HoldReason.OBSERVE_ONLY, HoldReason.PLAN_ONLY, HoldReason.PAUSED)
        return Verdict("False", held.reason, held.message, stalled=not quiet)
    if view.allowed or view.held:
        return Verdict("False", "Applying", f"{_count(view.stages)} actions to do.", reconciling=True)
    if view.waiting:
        whom = f" for {view.waits_for}" if view.waits_for else ""
        return Verdict("False", "Waiting", f"{len(view.waiting)} actions wait{whom}.", reconciling=True)
    if view.differences:
        first_one = view.differences[0]
        sentence = f"{first_one.part}: wanted {first_one.wanted}, found {first_one.found}."
        return Verdict("False", "Drifted", sentence, stalled=True)
    return Verdict("True", "InSync", "")


def _accept(view: View) -> str:
    """One change in words, how many more there are, and what to do."""
    more = f" (and {len(view.changes) - 1} more)" if len(view.changes) > 1 else ""
    return (
        f"{view.changes[0].clause}{more}, and what is on it may be in use. To let it be used as declared, add "
        f'{{plan: "{view.digest}"}} to spec.approvals of the Chassis; or correct the manifest.'
    )


def _stuck(problems: Sequence[Problem]) -> Verdict:
    first = next((problem for problem in problems if problem.reason != UNKNOWN), problems[0])
    message = and_more(first.message, len(problems) - 1)
    if first.reason == UNKNOWN:
        return Verdict("Unknown", UNKNOWN, message)
    return Verdict("False", first.reason, message, stalled=True)


def _count(stages: Sequence[Sequence[Step]]) -> int:
    return sum(len(stage) for stage in stages)


def _failed(error: DriverError) -> Verdict:
    match error:
        case CredentialsRefusedError():
            return Verdict("False", "CredentialsRefused", str(error), stalled=True)
        case ClaimLostError():
            return Verdict("False", "Conflict", str(error), stalled=True)
        case UnsafeError():
            return Verdict("False", "Unsafe", str(error), stalled=True)
        case ConflictError():
            return Verdict("False", "Conflict", str(error), reconciling=True)
        case TransientError():
            return Verdict("False", "DeviceUnavailable", str(error), reconciling=True)
        case _:
            return Verdict("False", "DeviceError", str(error), stalled=True)


def status_of(resource: Resource, view: View, verdict: Verdict, extra: Iterable[Condition], now: str) -> dict[str, Any]:
    """The status that all kinds share. Times move only when what they are about does, so rest writes nothing."""
    before = resource.status
    kept = {key: before[key] for key in _KEPT if before.get(key)}
    conditions = (*_conditions(view, verdict), *extra)
    status: dict[str, Any] = {
        **kept,
        "observedGeneration": resource.generation,
        "conditions": stamped(conditions, before.get("conditions", ()), resource.generation, now),
    }
    if view.seen:
        status["summary"] = f"{view.parts - len(view.differences)}/{view.parts}"
        status["driftCount"] = len(view.differences)
        status["drift"] = _drift(view.differences, before.get("drift", ()), now)
    else:
        status |= {key: before[key] for key in ("summary", "driftCount", "drift") if key in before}
    if (view.stages or view.changes) and view.planning:
        status["plan"] = _plan(view)
    blocked = _blocked_on(view, verdict, before.get("blockedOn"), now)
    if blocked:
        status["blockedOn"] = blocked
    return status


def _conditions(view: View, verdict: Verdict) -> Iterable[Condition]:
    drifted = len(view.differences)
    yield Condition("Ready", verdict.ready, verdict.reason, verdict.message)
    yield Condition("Reconciling", truth(verdict.reconciling), verdict.reason)
    yield Condition("Stalled", truth(verdict.stalled), verdict.reason, verdict.message if verdict.stalled else "")
    if not view.seen:
        yield Condition("Drifted", "Unknown", "NotObserved")
    else:
        yield Condition("Drifted", truth(drifted > 0), "Drifted" if drifted else "InSync")
    if view.digest:
        yield Condition("AwaitingApproval", "True", "ApprovalRequired", f"The plan to approve is {view.digest}.")
    else:
        yield Condition("AwaitingApproval", "False", "NothingHeld")


def _drift(found: Sequence[Difference], before: Iterable[Mapping[str, Any]], now: str) -> list[dict[str, Any]]:
    since = {item["path"]: item["since"] for item in before}
    return [
        {
            "path": str(item.part)[:TEXT_LENGTH],
            "wanted": item.wanted[:TEXT_LENGTH],
            "found": item.found[:TEXT_LENGTH],
            "since": since.get(str(item.part)[:TEXT_LENGTH], now),
        }
        for item in found[:DRIFT_SHOWN]
    ]


def _plan(view: View) -> dict[str, Any]:
    held = {item.step: item.message for item in view.held}
    stages = [_acceptance(view)] if view.changes else []
    stages += [_stage(stage, held, view.commands) for stage in view.stages]
    digest = view.digest or fingerprint([stage["digest"] for stage in stages])
    return {"digest": digest, "stages": stages[:STAGES_SHOWN], "stageCount": len(stages)}


def _acceptance(view: View) -> dict[str, Any]:
    """The servers that consent would accept, as a stage before all others."""
    steps = [
        {"action": "AcceptCard", "target": change.server, "risk": Risk.DESTRUCTIVE.word, "held": f"{change.clause}."}
        for change in view.changes[:STEPS_SHOWN]
    ]
    digest = fingerprint([change.digest for change in view.changes])
    return {"digest": digest, "steps": steps, "stepCount": len(view.changes)}


def _stage(steps: Sequence[Step], held: Mapping[Step, str], commands: Mapping[Step, tuple[str, ...]]) -> dict[str, Any]:
    shown = []
    for step in steps[:STEPS_SHOWN]:
        item: dict[str, Any] = {"action": step.name, "target": step.target[:TEXT_LENGTH], "risk": step.risk.word}
        if step in commands:
            item["commands"] = [line[:TEXT_LENGTH] for line in commands[step][:COMMANDS_SHOWN]]
        if step in held:
            item["held"] = held[step]
        shown.append(item)
    return {"digest": fingerprint([step.digest for step in steps]), "steps": shown, "stepCount": len(steps)}


def _blocked_on(view: View, verdict: Verdict, before: Mapping[str, Any] | None, now: str) -> dict[str, Any] | None:
    target = next((problem.waits_for for problem in view.problems if problem.waits_for), view.waits_for)
    if target is None or verdict.ready == "True":
        return None
    reason = verdict.reason
    same = before and (before["kind"], before["name"], before["reason"]) == (target.kind, target.name, reason)
    return {
        "kind": target.kind,
        "name": target.name,
        "reason": reason,
        "since": before["since"] if same and before else now,
    }


def undeclared(items: Sequence[str]) -> dict[str, Any]:
    """What is on the device and in no manifest, bounded."""
    return {"count": len(items), "items": [item[:TEXT_LENGTH] for item in items[:UNDECLARED_SHOWN]]}
