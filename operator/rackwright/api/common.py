"""What several kinds share: names, addresses, references, policy, consent, selectors."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_interface, ip_network
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StrictBool

from rackwright.api.schema import ApiModel, Items, Keys, Range, Rule, Text, refuse
from rackwright.api.sentences import shown

GROUP = "rackwright.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_IPV6 = r"[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}"


def _an_interface(value: str) -> str:
    try:
        ip_interface(value)
    except ValueError:
        raise refuse(f"{shown(value)} is not an address with its prefix length, such as 10.10.0.11/24.") from None
    return value


def _a_network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise refuse(f"{shown(value)} is not a network, such as 10.10.1.0/24 (no bits beyond the prefix).") from None
    return value


Name = Annotated[
    str,
    Text(
        63, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a name of lower-case letters, digits and hyphens, such as storage-0", 1
    ),
]
ObjectName = Annotated[
    str,
    Text(
        253,
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "the name of an object: lower-case letters, digits, hyphens and dots, such as sm15k-01",
        1,
    ),
]
ServerId = Annotated[
    str,
    Text(63, r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", "a server as the chassis names it, such as 12/0", 1),
]
InterfaceName = Annotated[
    str, Text(15, r"^[a-zA-Z][a-zA-Z0-9._-]*$", "the name of a network interface, such as eth0 or bond0", 1)
]
InterfaceAddress = Annotated[
    str,
    Text(
        64,
        rf"^({_IPV4}/(3[0-2]|[12]?[0-9])|{_IPV6}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$",
        "an address with its prefix length, such as 10.10.0.11/24",
        1,
    ),
    AfterValidator(_an_interface),
]
Network = Annotated[
    str,
    Text(
        64,
        rf"^({_IPV4}/(3[0-2]|[12]?[0-9])|{_IPV6}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$",
        "a network, such as 10.10.1.0/24",
        1,
    ),
    AfterValidator(_a_network),
]
Host = Annotated[
    str,
    Text(
        253,
        r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$",
        "a host name or an address, such as sm15k-01.rack.internal",
        1,
    ),
]
Port = Annotated[int, Range(1, 65535)]
VlanId = Annotated[int, Range(1, 4094)]
NicIndex = Annotated[int, Range(0, 31)]
VdiskNumber = Annotated[int, Range(0, 63)]
SlotNumber = Annotated[int, Range(0, 63)]
Bool = StrictBool
HostKey = Annotated[
    str,
    Text(
        2048,
        r"^[a-z0-9@.-]+ [A-Za-z0-9+/=.]+( [ -~]*)?$",
        "an SSH public key as ssh-keyscan prints it after the host, such as ssh-ed25519 AAAA...",
        1,
    ),
]
HostKeys = Annotated[tuple[HostKey, ...], Items(16, unique=True)]
VolumeSize = Annotated[
    str, Text(16, r"^[1-9][0-9]{0,6}(Mi|Gi|Ti)$", "a size in whole Mi, Gi or Ti, such as 500Gi or 1Ti", 1)
]
PlanDigest = Annotated[
    str,
    Text(
        71,
        r"^sha256:[0-9a-f]{64}$",
        "the digest of a plan as the status shows it: sha256: and 64 hexadecimal digits",
        71,
    ),
]


class Mode(StrEnum):
    """How far the operator goes."""

    OBSERVE = "Observe"
    PLAN = "Plan"
    ENFORCE = "Enforce"


class Destructive(StrEnum):
    """What becomes of actions that may lose data."""

    NEVER = "Never"
    REQUIRE_APPROVAL = "RequireApproval"
    ALLOW = "Allow"


class DeletionPolicy(StrEnum):
    """What becomes of the device when its object is deleted."""

    RETAIN = "Retain"
    RELEASE = "Release"
    WIPE = "Wipe"


_MODE = "Observe reports drift; Plan also publishes the plan; Enforce also carries it out."
_DESTRUCTIVE = (
    "Actions that may lose data: Never does none; RequireApproval waits for a digest in spec.approvals; "
    "Allow does them like any other."
)
_MAX_DISRUPTED = "How many things that serve may be stopped at one time. 0 stops none."
_RESYNC = "Seconds between two looks at the device when nothing has changed."


class Policy(ApiModel):
    """How far the operator goes on its own."""

    mode: Mode = Field(Mode.PLAN, description=_MODE)
    destructive: Destructive = Field(Destructive.REQUIRE_APPROVAL, description=_DESTRUCTIVE)
    max_disrupted: Annotated[int, Range(0, 1000)] = Field(1, description=_MAX_DISRUPTED)
    resync_seconds: Annotated[int, Range(1, 86400)] = Field(60, description=_RESYNC)


class PolicyOverride(ApiModel):
    """What differs from the policy of the chassis; what is not given is inherited."""

    mode: Mode | None = Field(None, description=_MODE)
    destructive: Destructive | None = Field(None, description=_DESTRUCTIVE)
    max_disrupted: Annotated[int, Range(0, 1000)] | None = Field(None, description=_MAX_DISRUPTED)
    resync_seconds: Annotated[int, Range(1, 86400)] | None = Field(None, description=_RESYNC)


def effective_policy(own: PolicyOverride | None, inherited: Policy | None = None) -> Policy:
    """What counts: what an object says itself, else what its chassis says, else the defaults."""
    given = own.model_dump(exclude_none=True) if own else {}
    return (inherited or Policy()).model_copy(update=given)


class Approval(ApiModel):
    """Consent to exactly the held actions of one stage of one plan."""

    plan: PlanDigest = Field(description="The digest that status.plan shows for what is held: sha256:<64 hex digits>.")


Approvals = Annotated[tuple[Approval, ...], Items(64, key="plan")]
APPROVALS = (
    "Consent to held actions, by the digest that the status shows. It fits only that plan, is used once, "
    "and may stay here afterwards."
)

DELETION_POLICY = (
    "What deletion does to the device. Retain touches nothing. Release detaches what is ours and keeps all data. Wipe is "
    "Release and, for a StoragePool, destroys its volumes and pools if spec.approvals names the digest of status.wipe, or "
    "destructive is Allow; else it ends as Retain."
)
POLICY_OVERRIDE = "What differs from the policy of the chassis; what is not given is inherited."


class Retained(ApiModel):
    """Base of what has a deletion policy."""

    deletion_policy: DeletionPolicy = Field(DeletionPolicy.RETAIN, description=DELETION_POLICY)


class ObjectRef(ApiModel):
    """An object of the same namespace, by name."""

    name: ObjectName = Field(description="Name of the object, in the same namespace.")


class SecretKeyRef(ApiModel):
    """One key of a Secret of the same namespace."""

    name: ObjectName = Field(description="Name of the Secret, in the same namespace.")
    key: Annotated[str, Text(253, r"^[-._a-zA-Z0-9]+$", "a key of a Secret, such as ca.crt", 1)] = Field(
        description="The key within the Secret."
    )


LabelKey = Text(
    317,
    r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
    "the key of a label, such as rackwright.dev/node-set",
    1,
)
LabelValue = Annotated[
    str, Text(63, r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", "the value of a label, such as storage")
]


class SelectorOperator(StrEnum):
    """How a requirement compares a label."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Requirement(ApiModel):
    """One requirement on one label."""

    key: Annotated[str, LabelKey] = Field(description="The key of the label.")
    operator: SelectorOperator = Field(
        description="In and NotIn compare with values; Exists and DoesNotExist look at the key alone."
    )
    values: Annotated[tuple[LabelValue, ...], Items(64)] = Field((), description="What In and NotIn compare with.")

    rules: ClassVar[tuple[Rule["Requirement"], ...]] = (
        Rule(
            cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            message="values must be given for In and NotIn, and only for those.",
            holds=lambda it: (it.operator in (SelectorOperator.IN, SelectorOperator.NOT_IN)) == bool(it.values),
        ),
    )

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the requirement, as Kubernetes reads it."""
        match self.operator:
            case SelectorOperator.IN:
                return labels.get(self.key) in self.values
            case SelectorOperator.NOT_IN:
                return labels.get(self.key) not in self.values
            case SelectorOperator.EXISTS:
                return self.key in labels
            case SelectorOperator.DOES_NOT_EXIST:
                return self.key not in labels


class NodeSelector(ApiModel):
    """ComputeNodes by their labels; all requirements must be met."""

    match_labels: Annotated[dict[str, LabelValue], Keys(32, LabelKey)] = Field(
        default={}, description="Labels that a node must have, with these values."
    )
    match_expressions: Annotated[tuple[Requirement, ...], Items(32)] = Field(
        (), description="Further requirements on labels."
    )

    rules: ClassVar[tuple[Rule["NodeSelector"], ...]] = (
        Rule(
            cel="(has(self.matchLabels) && size(self.matchLabels) > 0) || "
            "(has(self.matchExpressions) && size(self.matchExpressions) > 0)",
            message="an empty selector would match every node; name a label, with operator Exists to match them all.",
            holds=lambda it: bool(it.match_labels or it.match_expressions),
        ),
    )

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.match_labels.items()) and all(
            requirement.matches(labels) for requirement in self.match_expressions
        )


class ObjectMeta(ApiModel, extra="ignore"):
    """The part of an object's metadata that Rackwright reads."""

    name: ObjectName = Field(description="Name of the object.")
    namespace: Name | None = Field(None, description="Namespace of the object.")
