"""What a status says: written by the operator, read by people, `kubectl wait`, Flux and Argo CD. Lists are bounded."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool

from rackwright.api.common import ObjectName, PlanDigest, ServerId, VdiskNumber
from rackwright.api.schema import ApiModel, Items, Range, Text

DRIFT_SHOWN = 20
STAGES_SHOWN = 16
STEPS_SHOWN = 50
COMMANDS_SHOWN = 8
UNDECLARED_SHOWN = 20
APPROVALS_SHOWN = 20
CONSENT_STEPS = 1024
WIPED_POOLS = 512
WIPED_DISKS = 64
WIPED_VOLUMES = 1024
ASSIGNMENTS_SHOWN = 256
CARDS_SHOWN = 1024
RETURNS_SHOWN = 64
MESSAGE_LENGTH = 2048
TEXT_LENGTH = 512

Time = Annotated[
    str,
    Text(
        32,
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
        "a time in UTC, such as 2026-01-01T00:00:00Z",
        20,
    ),
]
Reason = Annotated[str, Text(64, r"^[A-Za-z][A-Za-z0-9]*$", "a reason in CamelCase, such as InSync", 1)]
Message = Annotated[str, Text(MESSAGE_LENGTH)]
Line = Annotated[str, Text(TEXT_LENGTH)]
Count = Annotated[int, Range(0, 10_000_000)]
Generation = Annotated[int, Range(0, 2**62)]


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """One aspect of the object's state."""

    type: Reason = Field(description="What it is about, such as Ready, Stalled or Drifted.")
    status: ConditionStatus = Field(description="True, False or Unknown.")
    reason: Reason = Field(description="Why, in one CamelCase word.")
    # Nullable, as a Kubernetes 1.20 built with a newer Go takes an empty string for null and would refuse it.
    message: Message | None = Field(
        None, description="Why, in a sentence for people.", json_schema_extra={"nullable": True}
    )
    observed_generation: Generation = Field(description="The generation of the object that this was said about.")
    last_transition_time: Time = Field(description="When the status of the condition last changed.")


class Drift(ApiModel):
    """One part that is not as declared."""

    path: Line = Field(description="Which part, such as vdisk 12/0/0.")
    wanted: Line = Field(description="What was declared.")
    found: Line = Field(description="What the device shows.")
    since: Time = Field(description="When it was first seen.")


class RiskLevel(StrEnum):
    """What an action could cost."""

    SAFE = "Safe"
    DISRUPTIVE = "Disruptive"
    DESTRUCTIVE = "Destructive"


class PlanStep(ApiModel):
    """One action of a plan."""

    action: Reason = Field(description="The kind of action, such as CreatePool.")
    target: Line = Field(description="What it acts on.")
    risk: RiskLevel = Field(description="Safe, Disruptive (something stops serving) or Destructive (data may be lost).")
    commands: Annotated[tuple[Line, ...], Items(COMMANDS_SHOWN)] = Field(
        (), description=f"The first {COMMANDS_SHOWN} device commands, to the letter."
    )
    held: Message | None = Field(
        None, description="Why it is not done, and what would let it through. Not given: it is done."
    )


class PlanStage(ApiModel):
    """Actions that are done together; the device is looked at again before the next stage."""

    digest: PlanDigest = Field(description="The identity of the stage.")
    steps: Annotated[tuple[PlanStep, ...], Items(STEPS_SHOWN)] = Field(
        (), description=f"The first {STEPS_SHOWN} actions, in order."
    )
    step_count: Count = Field(0, description="How many actions there are in all.")


class Plan(ApiModel):
    """What would bring the device to the spec."""

    digest: PlanDigest = Field(
        description="What spec.approvals has to name to let through what is held now; else the plan's identity."
    )
    stages: Annotated[tuple[PlanStage, ...], Items(STAGES_SHOWN)] = Field(
        (),
        description="What is done one after the other. Later stages are intent: they are planned anew when they come.",
    )
    stage_count: Count = Field(0, description="How many stages there are in all.")


class BlockedOn(ApiModel):
    """The object that has to move first."""

    kind: Reason = Field(description="Kind of the object.")
    name: ObjectName = Field(description="Name of the object.")
    reason: Reason = Field(description="What is missing there, in one CamelCase word.")
    since: Time = Field(description="Since when.")


class ApprovalUsed(ApiModel):
    """Consent that was used."""

    plan: PlanDigest = Field(description="The digest that spec.approvals named.")
    at: Time = Field(description="When it was used.")


class Consent(ApiModel):
    """Consent that was used and whose actions are not all done: what is left of it holds even after a crash."""

    plan: PlanDigest = Field(description="The digest that spec.approvals named.")
    steps: Annotated[tuple[PlanDigest, ...], Items(CONSENT_STEPS, unique=True)] = Field(
        (), description="The actions that it lets through, each by its digest."
    )


class Return(ApiModel):
    """A part that drifted after it had been right."""

    path: Line = Field(description="Which part, such as 12/0 vdisk 0.")
    times: Count = Field(description="How often it drifted. More than three times, and it is not put right any more.")
    last: Time = Field(description="When it last did.")


class Returns(ApiModel):
    """What keeps coming back."""

    mark: Line = Field(description="What a person had last said when this was counted: anything newer starts anew.")
    parts: Annotated[tuple[Return, ...], Items(RETURNS_SHOWN, key="path")] = Field(
        (), description=f"The last {RETURNS_SHOWN} parts that drifted, by path."
    )


class Status(ApiModel):
    """What all kinds say."""

    observed_generation: Generation | None = Field(
        None, description="The newest generation of the object that the operator has acted on."
    )
    conditions: Annotated[tuple[Condition, ...], Items(16, key="type")] = Field(
        (),
        description="Ready, Reconciling, Stalled, Drifted, AwaitingApproval, Reachable and what a kind adds, by type.",
    )
    summary: Annotated[str, Text(32, r"^[0-9]+/[0-9]+$", "parts in sync / parts declared, such as 14/14", 3)] | None = (
        Field(None, description="Parts in sync / parts declared.")
    )
    drift_count: Count | None = Field(None, description="How many parts are not as declared.")
    drift: Annotated[tuple[Drift, ...], Items(DRIFT_SHOWN)] = Field(
        (), description=f"The first {DRIFT_SHOWN} parts that are not as declared."
    )
    plan: Plan | None = Field(None, description="What would bring the device to the spec. Not given: nothing to do.")
    returns: Returns | None = Field(None, description="Drift that was put right, and how often it came back.")
    blocked_on: BlockedOn | None = Field(None, description="The object that has to move first.")
    consent: Consent | None = Field(None, description="Consent that was used and whose actions are not all done.")
    immutable: Annotated[str, Text(4096, least=2)] | None = Field(
        None, description="What of the spec cannot be changed any more, as JSON: what it was when first accepted."
    )
    consents_used: Count = Field(
        0, description="How often consent was used. It is part of every digest, so that none can be used twice."
    )
    approvals_used: Annotated[tuple[ApprovalUsed, ...], Items(APPROVALS_SHOWN)] = Field(
        (), description=f"The last {APPROVALS_SHOWN} approvals that were used."
    )


class Undeclared(ApiModel):
    """What the device has and nobody declared. It stays."""

    count: Count = Field(0, description="How many there are.")
    items: Annotated[tuple[Line, ...], Items(UNDECLARED_SHOWN)] = Field(
        (), description=f"The first {UNDECLARED_SHOWN} of them."
    )


class ChassisIdentity(ApiModel):
    """Who a chassis is, as it says itself."""

    serial: Line = Field(description="Serial number of the chassis.")
    model: Line = Field(description="Model of the chassis.")


class Card(ApiModel):
    """A card as it was accepted. One that changed since is held until that is approved."""

    server: ServerId = Field(description="The card, as the chassis names it.")
    macs: Annotated[str, Text(16, r"^[0-9a-f]{16}$", "16 hexadecimal digits", 16)] = Field(
        description="Hash of its MAC addresses: another card in its place has another."
    )
    node_set: Line | None = Field(None, description="The set that it was in. Not given: in none.")
    protected: StrictBool = Field(False, description="Whether it was in spec.protectedServers.")


class ChassisStatus(Status):
    """What the operator found and did about a Chassis."""

    identity: ChassisIdentity | None = Field(None, description="Who the chassis is, as it says itself.")
    servers: Count | None = Field(None, description="How many servers the chassis shows.")
    cards: Annotated[tuple[Card, ...], Items(CARDS_SHOWN, key="server")] | None = Field(
        None,
        description="The cards as they were accepted. One that changes its set, loses its protection or was newly "
        "inserted is not touched until that is approved.",
    )
    undeclared: Undeclared | None = Field(None, description="What the chassis has and nobody declared. It stays.")


class WipedDisk(ApiModel):
    """A disk whose metadata is cleared: itself by its serial number."""

    name: Line = Field(description="The disk as the chassis names it.")
    serial: Line = Field(description="Its serial number.")


class WipedPool(ApiModel):
    """A pool of the chassis, and what of it is destroyed."""

    pool: Line = Field(description="The pool, as SLOT/POOL.")
    disks: Annotated[tuple[WipedDisk, ...], Items(WIPED_DISKS, key="name")] = Field(
        (), description="Its disks, which are cleared after the pool is deleted. None: the pool stays."
    )
    volumes: Annotated[tuple[Line, ...], Items(WIPED_VOLUMES, unique=True)] = Field(
        (), description="The volumes that are deleted, by name."
    )


class Wipe(ApiModel):
    """What deletion with policy Wipe destroys. It counts as it was when the object was deleted."""

    digest: PlanDigest = Field(
        description="What spec.approvals has to name, before the object is deleted, for it to be carried out."
    )
    pools: Annotated[tuple[WipedPool, ...], Items(WIPED_POOLS, key="pool")] = Field(
        (), description="Pools, with the volumes and disks that are ours."
    )
    kept: Annotated[tuple[Line, ...], Items(WIPED_POOLS)] = Field(
        (), description="What of the object's pools is not destroyed, each with the reason."
    )


class StoragePoolStatus(Status):
    """What the operator found and did about a StoragePool."""

    wipe: Wipe | None = Field(None, description="With deletionPolicy Wipe: what deletion would destroy.")


class ControllerClusterStatus(Status):
    """What the operator found and did about a ControllerCluster."""


class NodeIdentity(ApiModel):
    """Who a server is, as its chassis says."""

    macs: Annotated[
        tuple[Annotated[str, Text(17, r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$", "a MAC address in lower case", 17)], ...],
        Items(64),
    ] = Field((), description="MAC addresses, in the order of the NICs.")
    serial: Line | None = Field(None, description="Serial number.")


class Assignment(ApiModel):
    """A volume on a vdisk."""

    vdisk: VdiskNumber = Field(description="Number of the vdisk.")
    volume: Line = Field(description="The volume, as SLOT/POOL/VOLUME.")


class ComputeNodeStatus(Status):
    """What the operator found and did about a ComputeNode."""

    identity: NodeIdentity | None = Field(None, description="Who the server is, as its chassis says.")
    assignments: Annotated[tuple[Assignment, ...], Items(ASSIGNMENTS_SHOWN, key="vdisk")] = Field(
        (), description="Which volume is on which vdisk, by vdisk."
    )
