"""The four kinds by name: their models, and how Kubernetes calls them."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from rackwright.api.chassis import ChassisSpec
from rackwright.api.common import GROUP, ObjectMeta
from rackwright.api.compute_node import ComputeNodeSpec
from rackwright.api.controller_cluster import ControllerClusterSpec
from rackwright.api.schema import ApiModel, Rule
from rackwright.api.status import ChassisStatus, ComputeNodeStatus, ControllerClusterStatus, Status, StoragePoolStatus
from rackwright.api.storage_pool import StoragePoolSpec

Spec = ChassisSpec | StoragePoolSpec | ControllerClusterSpec | ComputeNodeSpec


class Manifest(ApiModel):
    """What all objects have."""

    api_version: Literal["rackwright.dev/v1alpha1"] = Field(
        "rackwright.dev/v1alpha1", description="Always rackwright.dev/v1alpha1."
    )
    metadata: ObjectMeta = Field(description="Name and namespace.")


class Chassis(Manifest):
    """A shared enclosure of servers, its disks and its switch."""

    kind: Literal["Chassis"] = Field("Chassis", description="Always Chassis.")
    spec: ChassisSpec = Field(description="How the chassis should be.")
    status: ChassisStatus | None = Field(None, description="What the operator found and did.")

    rules: ClassVar[tuple[Rule["Chassis"], ...]] = (
        Rule(
            cel="size(self.metadata.name) <= 63",
            message="the name of a Chassis has at most 63 characters, as its nodes carry it as a label.",
            holds=lambda it: len(it.metadata.name) <= 63,
        ),
    )


class StoragePool(Manifest):
    """Volumes for nodes."""

    kind: Literal["StoragePool"] = Field("StoragePool", description="Always StoragePool.")
    spec: StoragePoolSpec = Field(description="How the volumes should be.")
    status: StoragePoolStatus | None = Field(None, description="What the operator found and did.")


class ControllerCluster(Manifest):
    """The services of a control plane."""

    kind: Literal["ControllerCluster"] = Field("ControllerCluster", description="Always ControllerCluster.")
    spec: ControllerClusterSpec = Field(description="How the services should be.")
    status: ControllerClusterStatus | None = Field(None, description="What the operator found and did.")


class ComputeNode(Manifest):
    """One server of a chassis."""

    kind: Literal["ComputeNode"] = Field("ComputeNode", description="Always ComputeNode.")
    spec: ComputeNodeSpec = Field(description="How the server should be.")
    status: ComputeNodeStatus | None = Field(None, description="What the operator found and did.")


AnyManifest = Chassis | StoragePool | ControllerCluster | ComputeNode


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its models and its names."""

    name: str
    plural: str
    short: str
    description: str
    model: type[Chassis] | type[StoragePool] | type[ControllerCluster] | type[ComputeNode]
    spec: type[Any]
    status: type[Status]

    @property
    def crd_name(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "Chassis",
            "chassis",
            "chs",
            "A shared enclosure of servers: how to reach it, its VLANs, uplinks and storage slots, and the servers "
            "that are stamped from it as ComputeNodes.",
            Chassis,
            ChassisSpec,
            ChassisStatus,
        ),
        Kind(
            "StoragePool",
            "storagepools",
            "spool",
            "Volumes: where they come from, and which ComputeNodes get them on which vdisks.",
            StoragePool,
            StoragePoolSpec,
            StoragePoolStatus,
        ),
        Kind(
            "ControllerCluster",
            "controllerclusters",
            "rcc",
            "The services of a control plane over an odd number of ComputeNodes: virtual IPs, load balancer, database, "
            "message queue, identity.",
            ControllerCluster,
            ControllerClusterSpec,
            ControllerClusterStatus,
        ),
        Kind(
            "ComputeNode",
            "computenodes",
            "cn",
            "One server of a Chassis: its power, its ports and what its host should be like. Mostly stamped by the "
            "Chassis' nodeSets; change it there.",
            ComputeNode,
            ComputeNodeSpec,
            ComputeNodeStatus,
        ),
    )
}
