"""Objects as the core sees them, whichever store they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

GROUP = "rackwright.dev"
API_VERSION = f"{GROUP}/v1alpha1"
PAUSED = f"{GROUP}/paused"
RECONCILE_AT = f"{GROUP}/reconcile-at"
RELEASE = f"{GROUP}/release"  # the finalizer of what is to be detached, or wiped, before its object goes
NODE_SET_LABEL = f"{GROUP}/node-set"
CHASSIS_LABEL = f"{GROUP}/chassis"

CHASSIS = "Chassis"
STORAGE_POOL = "StoragePool"
CONTROLLER_CLUSTER = "ControllerCluster"
COMPUTE_NODE = "ComputeNode"
KINDS = (CHASSIS, STORAGE_POOL, CONTROLLER_CLUSTER, COMPUTE_NODE)


class Ref(NamedTuple):
    """Which object: enough to name it to a person, to find it and to sort by it."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    def beside(self, other: Self) -> str:
        """For people who look at `other`: with the namespace where that is another."""
        return str(self) if self.namespace == other.namespace else f"{self} in namespace {self.namespace}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One object as its store holds it; `spec` and `status` are plain JSON data, to be treated as read-only.

    `created` is RFC 3339 in UTC, so that it sorts by age as text.
    """

    ref: Ref
    uid: str
    generation: int
    created: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner_uid: str | None = None
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    version: str = ""

    @property
    def paused(self) -> bool:
        """Whether a person asked that nothing but observing happens."""
        return self.annotations.get(PAUSED, "").lower() == "true"

    @property
    def retained(self) -> bool:
        """Whether deletion touches nothing on the device."""
        return self.spec.get("deletionPolicy") not in ("Release", "Wipe")

    @property
    def leaving(self) -> bool:
        """Whether it is being deleted and what is ours of it on the device is to be detached first."""
        return self.deleting and RELEASE in self.finalizers and not self.retained

    @property
    def gone(self) -> bool:
        """Whether it is being deleted and we have nothing more to do for it."""
        return self.deleting and not self.leaving
