"""Splits a stage into what may be done now and what is held, each with its reason. Pure.

Consent is to single steps by their digest, collected under one digest an object and a stage: a person approves that one,
it is recorded once, and what it covered stays allowed until it is done, also across a crash in the middle.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rackwright.api.status import CONSENT_STEPS
from rackwright.core.resource import Ref
from rackwright.core.risk import Risk
from rackwright.core.step import Change, Grant, Held, HoldReason, Part, Step, Verdict, fingerprint
from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.network import Nic, SetPort
from rackwright_drivers.contract.power import SetPower
from rackwright_drivers.contract.storage import Attach, AttachRange, ClearMetadata, DeletePool, DeleteVolumes, Detach

WIPING = (DeleteVolumes, DeletePool, ClearMetadata)
_TOO_MANY = f"One consent is to {CONSENT_STEPS} actions at most, and others go first."


@dataclass(frozen=True, slots=True)
class ObjectPolicy:
    """What one object allows, after inheritance, and what has been consented to.

    `approvals` are the plans that the spec of `approver` names: its own, or for a stamped node its Chassis'. `counter` is
    how many approvals were used before, so that none counts twice. `granted` are the digests of steps consented to and not
    yet done.
    """

    uid: str
    mode: str = "Enforce"
    destructive: str = "RequireApproval"
    paused: bool = False
    approvals: frozenset[str] = frozenset()
    counter: int = 0
    granted: frozenset[str] = frozenset()
    approver: Ref | None = None  # None: itself
    max_disrupted: int | None = None  # None: as the chassis
    wipes: bool = False  # it is being deleted, and the destruction of what is its own was approved before


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the guard goes by, besides the stage.

    `changes` are servers that the object `owner` has to accept before they are touched. `stubborn` are parts that somebody
    else keeps changing back, each with the sentence about it.
    """

    policies: Mapping[Ref, ObjectPolicy]
    protected: frozenset[str]
    max_disrupted: int
    actions: frozenset[type[Action]]
    paused: bool = False  # the chassis itself is paused: everything is
    owner: Ref | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)
    stubborn: Mapping[Part, str] = field(default_factory=dict)


@dataclass
class _Sorting:
    allowed: list[Step] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    asking: dict[Ref, list[Step]] = field(default_factory=dict)
    digests: dict[Ref, str] = field(default_factory=dict)
    granted: dict[Ref, Grant] = field(default_factory=dict)
    changes: dict[Ref, tuple[Change, ...]] = field(default_factory=dict)


def guard(stage: Sequence[Step], rules: Rules) -> Verdict:
    """The verdict on one stage of single (not yet coalesced) steps."""
    sorting = _Sorting()
    for step in stage:
        reason = _refusal(step, rules)
        if reason is not None:
            sorting.held.append(reason)
        elif step.risk is Risk.DESTRUCTIVE and _needs_consent(step, rules):
            sorting.asking.setdefault(step.owners[0], []).append(step)
        else:
            sorting.allowed.append(step)
    for owner in dict.fromkeys((*sorting.asking, *_asking_for_changes(rules))):
        _ask_consent(owner, sorting, rules)
    through = set(sorting.allowed)
    within, over = _budget([step for step in stage if step in through], rules)
    held = (*sorting.held, *over)
    return Verdict(tuple(within), held, sorting.digests, sorting.granted, sorting.changes)


def _asking_for_changes(rules: Rules) -> Iterator[Ref]:
    """The object that has to accept changed servers, where it may act at all."""
    if rules.owner is not None and rules.changes and not rules.paused:
        policy = rules.policies[rules.owner]
        if policy.mode == "Enforce" and not policy.paused:
            yield rules.owner


def _ask_consent(owner: Ref, sorting: _Sorting, rules: Rules) -> None:
    """Let through what an approval in the spec names, all of it or nothing; hold the rest and say what to approve."""
    policy = rules.policies[owner]
    room = max(0, CONSENT_STEPS - len(policy.granted))
    steps = sorting.asking.get(owner, [])
    sorting.held.extend(Held(step, HoldReason.BUDGET, _TOO_MANY) for step in steps[room:])
    steps = steps[:room]
    changes = tuple(rules.changes.values()) if owner == rules.owner else ()
    if not steps and not changes:
        return
    digest = stage_digest(policy, (*steps, *changes))
    if digest in policy.approvals:
        digests = tuple(sorted(step.digest for step in steps))
        sorting.granted[owner] = Grant(digest, digests, tuple(change.digest for change in changes))
        sorting.allowed.extend(steps)
        return
    sorting.digests[owner] = digest
    sorting.changes |= {owner: changes} if changes else {}
    sentence = _ask(owner, policy.approver or owner, digest)
    sorting.held.extend(Held(step, HoldReason.APPROVAL_REQUIRED, sentence) for step in steps)


def stage_digest(policy: ObjectPolicy, covered: Iterable[Step | Change]) -> str:
    """What a person approves: these to the letter, on these serials and MACs, for this object, this once."""
    return fingerprint([policy.uid, policy.counter, sorted(item.digest for item in covered)])


def _needs_consent(step: Step, rules: Rules) -> bool:
    """The strictest of the owners decides; consent given before and not used up still counts."""
    if isinstance(step.action, WIPING) and all(rules.policies[owner].wipes for owner in step.owners):
        return False
    asks = any(rules.policies[owner].destructive != "Allow" for owner in step.owners)
    return asks and step.digest not in rules.policies[step.owners[0]].granted


def _refusal(step: Step, rules: Rules) -> Held | None:
    touched = servers_of(step.action) & rules.protected
    if touched:
        names = ", ".join(sorted(touched))
        return Held(
            step, HoldReason.PROTECTED, f"{names} is in spec.protectedServers: nothing touches it. Do it by hand."
        )
    if type(step.action) not in rules.actions:
        return Held(step, HoldReason.UNSUPPORTED, f"The driver of this chassis cannot do {step.name}. Do it by hand.")
    if rules.paused:
        return Held(step, HoldReason.PAUSED, "The Chassis is paused. Remove the annotation rackwright.dev/paused.")
    for owner in step.owners:
        held = _refused_by(step, owner, rules.policies[owner])
        if held is not None:
            return held
    changed = next((rules.changes[server] for server in sorted(servers_of(step.action) & rules.changes.keys())), None)
    if changed is not None:
        return Held(step, HoldReason.CARD_CHANGED, _accept(changed, rules.owner))
    back = next((rules.stubborn[part] for part in sorted(step.solves & rules.stubborn.keys(), key=str)), None)
    return Held(step, HoldReason.CAME_BACK, back) if back is not None else None


def _accept(change: Change, owner: Ref | None) -> str:
    return (
        f"{change.clause}, and what is on it may be in use: nothing touches it until that is approved. "
        f"See `rackwright approve {owner}`."
    )


def _refused_by(step: Step, owner: Ref, policy: ObjectPolicy) -> Held | None:
    if policy.paused:
        return Held(step, HoldReason.PAUSED, f"{owner} is paused. Remove the annotation rackwright.dev/paused.")
    if policy.mode == "Observe":
        return Held(
            step, HoldReason.OBSERVE_ONLY, f"{owner} is in mode Observe. Set policy.mode: Enforce to let it act."
        )
    if policy.mode == "Plan":
        return Held(step, HoldReason.PLAN_ONLY, f"{owner} is in mode Plan. Set policy.mode: Enforce to let it act.")
    if step.risk is Risk.DESTRUCTIVE and policy.destructive == "Never":
        sentence = f"{owner} has policy.destructive: Never. Set RequireApproval and approve it, or do it by hand."
        return Held(step, HoldReason.DESTRUCTIVE_NEVER, sentence)
    if step.risk is Risk.DISRUPTIVE and policy.max_disrupted == 0:
        sentence = f"{owner} has policy.maxDisrupted: 0, so nothing that serves is stopped. Raise it, or do it by hand."
        return Held(step, HoldReason.DISRUPTIVE_NEVER, sentence)
    return None


def _ask(owner: Ref, approver: Ref, digest: str) -> str:
    return (
        f"This could lose data or the way to the rack, so {owner} waits for consent: `rackwright approve {owner}`, "
        f'or add {{plan: "{digest}"}} to spec.approvals of {approver}.'
    )


def _budget(steps: Sequence[Step], rules: Rules) -> tuple[list[Step], list[Held]]:
    """At most so many servers disturbed at one time; the others' turn comes after what was done is read back."""
    disturbed: set[str] = set()
    within: list[Step] = []
    over: list[Held] = []
    for step in steps:
        servers = servers_of(step.action)
        most = min(_most(rules.policies[owner], rules) for owner in step.owners)
        if step.risk is not Risk.DISRUPTIVE or servers <= disturbed or len(disturbed | servers) <= most:
            within.append(step)
            if step.risk is Risk.DISRUPTIVE:
                disturbed |= servers
        else:
            over.append(Held(step, HoldReason.BUDGET, f"policy.maxDisrupted is {most}, and others go first."))
    return within, over


def _most(policy: ObjectPolicy, rules: Rules) -> int:
    """How many servers may be disturbed at one time while this object's are among them."""
    return rules.max_disrupted if policy.max_disrupted is None else policy.max_disrupted


def servers_of(action: Action) -> frozenset[str]:
    """The server cards that an action touches."""
    match action:
        case Attach(vdisk=vdisk):
            return frozenset({vdisk.server})
        case AttachRange(servers=servers) | Detach(servers=servers):
            return frozenset(servers)
        case SetPort(port=Nic(server=server)) | SetPower(server=server):
            return frozenset({server})
        case _:
            return frozenset()
