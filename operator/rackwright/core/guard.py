"""Splits a stage into what may be done now and what is held, each with its reason. Pure.

Consent is to single steps by their digest, collected under one digest an object and a stage: a person approves that one,
it is recorded once, and what it covered stays allowed until it is done, also across a crash in the middle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rackwright.api.status import CONSENT_STEPS
from rackwright.core.resource import Ref
from rackwright.core.risk import Risk
from rackwright.core.step import Grant, Held, HoldReason, Step, Verdict, fingerprint
from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.network import Nic, SetPort
from rackwright_drivers.contract.power import SetPower
from rackwright_drivers.contract.storage import Attach, AttachRange, Detach

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


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the guard goes by, besides the stage."""

    policies: Mapping[Ref, ObjectPolicy]
    protected: frozenset[str]
    max_disrupted: int
    actions: frozenset[type[Action]]
    paused: bool = False  # the chassis itself is paused: everything is


@dataclass
class _Sorting:
    allowed: list[Step] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    asking: dict[Ref, list[Step]] = field(default_factory=dict)


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
    digests: dict[Ref, str] = {}
    granted: dict[Ref, Grant] = {}
    for owner, steps in sorting.asking.items():
        policy = rules.policies[owner]
        room = max(0, CONSENT_STEPS - len(policy.granted))
        sorting.held.extend(Held(step, HoldReason.BUDGET, _TOO_MANY) for step in steps[room:])
        steps = steps[:room]
        if not steps:
            continue
        digest = stage_digest(policy, steps)
        if digest in policy.approvals:
            granted[owner] = Grant(digest, tuple(sorted(step.digest for step in steps)))
            sorting.allowed.extend(steps)
        else:
            digests[owner] = digest
            sorting.held.extend(
                Held(step, HoldReason.APPROVAL_REQUIRED, _ask(owner, policy.approver or owner, digest))
                for step in steps
            )
    through = set(sorting.allowed)
    within, over = _budget([step for step in stage if step in through], rules.max_disrupted)
    return Verdict(tuple(within), (*sorting.held, *over), digests, granted)


def stage_digest(policy: ObjectPolicy, steps: Iterable[Step]) -> str:
    """What a person approves: these steps to the letter, on these serials, for this object, this once."""
    return fingerprint([policy.uid, policy.counter, sorted(step.digest for step in steps)])


def _needs_consent(step: Step, rules: Rules) -> bool:
    """The strictest of the owners decides; consent given before and not used up still counts."""
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
    return None


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
    return None


def _ask(owner: Ref, approver: Ref, digest: str) -> str:
    return (
        f"This could lose data or the way to the rack, so {owner} waits for consent: `rackwright approve {owner}`, "
        f'or add {{plan: "{digest}"}} to spec.approvals of {approver}.'
    )


def _budget(steps: Sequence[Step], most: int) -> tuple[list[Step], list[Held]]:
    """At most so many servers disturbed at one time; the others' turn comes after what was done is read back."""
    disturbed: set[str] = set()
    within: list[Step] = []
    over: list[Held] = []
    for step in steps:
        servers = servers_of(step.action)
        if step.risk is not Risk.DISRUPTIVE or servers <= disturbed or len(disturbed | servers) <= most:
            within.append(step)
            if step.risk is Risk.DISRUPTIVE:
                disturbed |= servers
        else:
            over.append(Held(step, HoldReason.BUDGET, f"policy.maxDisrupted is {most}, and others go first."))
    return within, over


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
