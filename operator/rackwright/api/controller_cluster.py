"""ControllerCluster: the services that make a control plane, over an odd number of nodes."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rackwright.api.common import (
    APPROVALS,
    Approvals,
    DeletionPolicy,
    InterfaceAddress,
    InterfaceName,
    Name,
    ObjectName,
    ObjectRef,
    PolicyOverride,
    Port,
    Retained,
)
from rackwright.api.schema import ApiModel, Fixed, Items, Range, Rule, Text, finds_none, one_member, repeated


class ClusterMember(ApiModel):
    """A member, by the name of its ComputeNode: a label must not change a quorum."""

    name: ObjectName = Field(description="Name of the ComputeNode, in the same namespace.")


class VirtualIP(ApiModel):
    """An address that is on exactly one member at a time."""

    name: Name = Field(description="Name of the address; services refer to it.")
    address: InterfaceAddress = Field(description="The address with its prefix length, such as 10.10.0.10/24.")
    interface: InterfaceName = Field(description="The interface of the members that it is on.")
    virtual_router_id: Annotated[int, Range(1, 255)] = Field(
        alias="virtualRouterID",
        description="The VRRP router id; unique on its network segment, foreign routers included.",
    )


class LoadBalancerType(StrEnum):
    """Load balancers."""

    HAPROXY = "HAProxy"


class Statistics(ApiModel):
    """The page of the load balancer's statistics."""

    port: Port = Field(description="The TCP port of the page.")
    credentials_ref: ObjectRef = Field(description="The Secret with the keys username and password for the page.")


class LoadBalancer(ApiModel):
    """What spreads requests over the members."""

    type: LoadBalancerType = Field(description="The load balancer.")
    statistics: Statistics | None = Field(None, description="The page of its statistics. Not given: none.")


class Writers(StrEnum):
    """Which member takes writes."""

    SINGLE = "Single"
    PER_SERVICE = "PerService"


class RecoveryMode(StrEnum):
    """Who starts a database that is down everywhere."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Recovery(ApiModel):
    """What is done when the database is down on every member."""

    mode: RecoveryMode = Field(
        RecoveryMode.AUTOMATIC,
        description="Automatic bootstraps from the member that is proved to be the most advanced, and waits for a "
        "person where that cannot be proved; Manual always waits.",
    )
    lost_members: Annotated[tuple[ObjectName, ...], Items(7, unique=True)] = Field(
        (),
        description="Members that will not come back. Each is powered off through its chassis and held off first. "
        "What only they had is lost.",
    )


class Galera(ApiModel):
    """A MariaDB Galera cluster."""

    cluster_name: Annotated[str, Text(32, r"^[A-Za-z0-9_-]+$", "the name of a Galera cluster, such as control", 1)] = (
        Field(description="The wsrep_cluster_name. Cannot be changed: it is in the data of every member.")
    )
    credentials_ref: ObjectRef = Field(description="The Secret with the keys root-password and sst-password.")
    writers: Writers = Field(
        Writers.PER_SERVICE,
        description="Single sends all writes to one member; PerService gives each service a member of its own.",
    )
    recovery: Recovery = Field(Recovery(), description="What is done when the database is down on every member.")

    fixed: ClassVar[tuple[Fixed, ...]] = (
        Fixed("clusterName", "clusterName cannot be changed; make another ControllerCluster.", always=True),
    )


class DatabaseType(StrEnum):
    """Databases."""

    GALERA = "Galera"


class Database(ApiModel):
    """The database of the control plane: exactly the member that `type` names."""

    type: DatabaseType = Field(description="The database.")
    galera: Galera | None = Field(None, description="For type Galera.")

    rules: ClassVar[tuple[Rule["Database"], ...]] = (one_member("type", {"Galera": "galera"}),)


class PartitionHandling(StrEnum):
    """What RabbitMQ does when members do not see each other."""

    PAUSE_MINORITY = "PauseMinority"
    AUTOHEAL = "Autoheal"
    IGNORE = "Ignore"


class RabbitMQ(ApiModel):
    """A RabbitMQ cluster."""

    credentials_ref: ObjectRef = Field(description="The Secret with the keys erlang-cookie, username and password.")
    partition_handling: PartitionHandling = Field(
        PartitionHandling.PAUSE_MINORITY,
        description="What members do that do not see the others. Without effect from RabbitMQ 4.3 on.",
    )


class MessageQueueType(StrEnum):
    """Message queues."""

    RABBITMQ = "RabbitMQ"


class MessageQueue(ApiModel):
    """The message queue of the control plane: exactly the member that `type` names."""

    type: MessageQueueType = Field(description="The message queue.")
    rabbitmq: RabbitMQ | None = Field(None, description="For type RabbitMQ.")

    rules: ClassVar[tuple[Rule["MessageQueue"], ...]] = (one_member("type", {"RabbitMQ": "rabbitmq"}),)


class ServiceType(StrEnum):
    """Services."""

    KEYSTONE = "Keystone"


class Service(ApiModel):
    """A service that runs on every member behind the load balancer."""

    name: Name = Field(description="Name of the service.")
    type: ServiceType = Field(description="What it is.")
    virtual_ips: Annotated[tuple[Name, ...], Items(16, unique=True, least=1)] = Field(
        alias="virtualIPs", description="The addresses it is reached at, from virtualIPs."
    )
    port: Port = Field(description="The TCP port on those addresses.")
    credentials_ref: ObjectRef = Field(
        description="The Secret with its credentials; for Keystone the keys admin-password and database-password."
    )


class ControllerClusterSpec(Retained):
    """How the services of a control plane should be."""

    members: Annotated[tuple[ClusterMember, ...], Items(7, key="name", least=1)] = Field(
        description="The members, by name: an odd number, so that one half can never face the other."
    )
    virtual_ips: Annotated[tuple[VirtualIP, ...], Items(16, key="name")] = Field(
        (), alias="virtualIPs", description="Addresses that move between members, by name."
    )
    load_balancer: LoadBalancer | None = Field(None, description="What spreads requests over the members.")
    database: Database | None = Field(None, description="The database of the control plane.")
    message_queue: MessageQueue | None = Field(None, description="The message queue of the control plane.")
    services: Annotated[tuple[Service, ...], Items(32, key="name")] = Field(
        (), description="Services that run on every member, by name."
    )
    policy: PolicyOverride | None = Field(
        None, description="What differs from the policy of the members' chassis; what is not given is inherited."
    )
    approvals: Approvals = Field((), description=APPROVALS)

    rules: ClassVar[tuple[Rule["ControllerClusterSpec"], ...]] = (
        Rule(
            cel="self.deletionPolicy == 'Retain'",
            message="deletionPolicy Release and Wipe are not carried out for a ControllerCluster; use Retain.",
            holds=lambda it: it.deletion_policy is DeletionPolicy.RETAIN,
        ),
        Rule(
            cel="size(self.members) % 2 == 1",
            message="members must be an odd number (1, 3, 5 or 7), so that no half can face the other.",
            holds=lambda it: len(it.members) % 2 == 1,
        ),
        finds_none(
            cel="!has(self.virtualIPs) || self.virtualIPs.all(a, self.virtualIPs.exists_one(b, "
            "b.virtualRouterID == a.virtualRouterID && b.interface == a.interface))",
            message="two virtualIPs have the same virtualRouterID on one interface; give each a number of its own.",
            found=lambda it: repeated(f"{ip.virtual_router_id} on {ip.interface}" for ip in it.virtual_ips),
        ),
        finds_none(
            cel="!has(self.virtualIPs) || "
            "self.virtualIPs.all(a, self.virtualIPs.exists_one(b, b.address == a.address))",
            message="two virtualIPs have the same address; give each an address of its own.",
            found=lambda it: repeated(ip.address for ip in it.virtual_ips),
        ),
        finds_none(
            cel="!has(self.services) || self.services.all(s, s.virtualIPs.all(n, "
            "has(self.virtualIPs) && self.virtualIPs.exists(v, v.name == n)))",
            message="a service names a virtual IP that is not in virtualIPs; add it there or correct the name.",
            found=lambda it: (
                {name for service in it.services for name in service.virtual_ips} - {ip.name for ip in it.virtual_ips}
            ),
        ),
        Rule(
            cel="!has(self.database) || !has(self.database.galera) || "
            "!has(self.database.galera.recovery.lostMembers) || "
            "(self.database.galera.recovery.lostMembers.all(n, self.members.exists(m, m.name == n)) && "
            "size(self.database.galera.recovery.lostMembers) < size(self.members))",
            message="lostMembers must be names from members, and not all of them.",
            holds=lambda it: _lost(it) < {member.name for member in it.members},
        ),
    )


def _lost(cluster: ControllerClusterSpec) -> set[str]:
    galera = cluster.database.galera if cluster.database else None
    return set(galera.recovery.lost_members) if galera else set()
