"""Steps, stages and decisions: what a plan is made of. Values only; nothing here reads or acts."""

import hashlib
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from rackwright.core.resource import Ref
from rackwright.core.risk import Risk
from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.storage import RawDisk


class PartKind(StrEnum):
    """The kinds of things that a manifest can declare about a chassis."""

    SLOT = "slot"
    DISK = "disk"
    POOL = "pool"
    VOLUME = "volume"
    FREE = "free"  # a vdisk that must be emptied of what is on it
    ATTACHMENT = "attachment"
    VLAN = "vlan"
    PORT = "port"
    POWER = "power"
    FACTS = "facts"  # what must be known about a server before it is switched on


class Part(NamedTuple):
    """One declared thing of the device, by kind and by the contract's key for it."""

    kind: PartKind
    key: Hashable

    def __str__(self) -> str:
        if self.kind is PartKind.ATTACHMENT:
            return str(self.key)
        return f"{self.kind} {self.key}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that is not as declared. `wanted` and `found` are for people."""

    part: Part
    wanted: str
    found: str


@dataclass(frozen=True, slots=True)
class Step:
    """One action, why it is there, and how it hangs together with the rest.

    `owners` are the objects that declare what it brings about: the first is the one whose consent counts, and every
    one's policy must allow it. `solves` are the parts it brings about, `needs` those that must be right before it.
    `evidence` are the identities (serials, MACs) of what it touches: consent is to exactly these.
    """

    action: Action
    owners: tuple[Ref, ...]
    target: str
    reason: str
    risk: Risk
    solves: frozenset[Part]
    needs: frozenset[Part] = frozenset()
    evidence: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The action's name, as status and journal show it."""
        return type(self.action).__name__

    @property
    def digest(self) -> str:
        """The identity of this step: the action to the letter, and the serials of what it touches."""
        return fingerprint([self.name, plain(self.action), list(self.evidence)])


class HoldReason(StrEnum):
    """Why an action that is planned is not done."""

    OBSERVE_ONLY = "ObserveOnly"
    PLAN_ONLY = "PlanOnly"
    PAUSED = "Paused"
    PROTECTED = "Protected"
    DESTRUCTIVE_NEVER = "DestructiveNever"
    DISRUPTIVE_NEVER = "DisruptiveNever"
    APPROVAL_REQUIRED = "ApprovalRequired"
    CARD_CHANGED = "CardChanged"
    CAME_BACK = "CameBack"
    BUDGET = "Budget"
    UNSUPPORTED = "Unsupported"


@dataclass(frozen=True, slots=True)
class Held:
    """A step that the guard does not let through, and the sentence that says why and what to do."""

    step: Step
    reason: HoldReason
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a server that a person has to accept before it is touched. Consent is to its digest."""

    server: str
    digest: str
    clause: str  # what happened, for people


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps an object from being planned in full; `reason` is a condition's reason (CamelCase).

    `waits_for` is set where another object has to move first.
    """

    owner: Ref
    reason: str
    message: str
    waits_for: Ref | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """Two objects want one thing: `owner` has it and keeps it, `rival` is told so by a Problem."""

    owner: Ref
    rival: Ref
    thing: str


@dataclass(frozen=True, slots=True)
class Grant:
    """An approval found in a spec that fits right now: the digest that it names, and those of what it lets through."""

    plan: str
    steps: tuple[str, ...]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The guard's answer for one stage. `digests` has, for each object with something that wants consent, what to approve.

    `changes` are what a digest covers beside steps: servers that a person has to accept.
    """

    allowed: tuple[Step, ...]
    held: tuple[Held, ...]
    digests: Mapping[Ref, str]
    granted: Mapping[Ref, Grant]  # not yet recorded
    changes: Mapping[Ref, tuple[Change, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """Everything that follows from one observation: what differs, what would be done, what may be done now."""

    parts: Mapping[Part, tuple[Ref, ...]]
    differences: tuple[Difference, ...]
    stages: tuple[tuple[Step, ...], ...]
    blocked: tuple[Step, ...]  # planned, but something it needs will not come about by itself
    verdict: Verdict
    problems: tuple[Problem, ...]
    undeclared: tuple[str, ...]
    contests: tuple[Contest, ...] = ()

    @cached_property
    def parts_of(self) -> Mapping[Ref, frozenset[Part]]:
        """The parts that each object declares."""
        found: dict[Ref, set[Part]] = {}
        for part, owners in self.parts.items():
            for owner in owners:
                found.setdefault(owner, set()).add(part)
        return {owner: frozenset(parts) for owner, parts in found.items()}

    @cached_property
    def wrong(self) -> frozenset[Part]:
        """The parts that are not as declared."""
        return frozenset(difference.part for difference in self.differences)

    @property
    def planned(self) -> int:
        """How many steps are planned in all stages."""
        return sum(len(stage) for stage in self.stages)


def plain(value: object) -> Any:
    """A value of the contract as JSON data, with its type's name where two types could look alike."""
    if isinstance(value, RawDisk):
        return {"rawDisk": value.name}
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def fingerprint(value: object) -> str:
    """`sha256:` and the hash of JSON data in its canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
