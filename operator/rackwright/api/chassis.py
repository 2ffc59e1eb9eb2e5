"""Chassis: a shared enclosure, how to reach it, its VLANs, uplinks, storage slots and the servers stamped from it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rackwright.api.common import (
    APPROVALS,
    Approvals,
    Host,
    HostKeys,
    Name,
    ObjectRef,
    Policy,
    Port,
    Retained,
    SecretKeyRef,
    ServerId,
    SlotNumber,
    VlanId,
)
from rackwright.api.nodeset import NodeSet
from rackwright.api.ports import PortVlans
from rackwright.api.schema import ApiModel, Free, Items, Range, Rule, Text, finds_none, one_member

Url = Annotated[str, Text(2048, r"^https?://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?$", "a URL, such as https://host/v2.0", 8)]


class HardwareType(StrEnum):
    """The families of chassis."""

    SEAMICRO = "SeaMicro"
    REDFISH = "Redfish"
    EXTERNAL = "External"


class SeaMicroCli(ApiModel):
    """The command line of the chassis, over SSH."""

    host: Host = Field(description="Name or address of the management port.")
    port: Port = Field(22, description="The TCP port of the SSH server.")
    host_keys: HostKeys = Field(
        (),
        description="The keys by which the chassis proves itself, as ssh-keyscan prints them after the host. "
        "No connection is made without one that fits.",
    )
    legacy_algorithms: Annotated[
        tuple[Annotated[str, Text(64, r"^[A-Za-z0-9@._-]+$", "the name of an SSH algorithm", 1)], ...],
        Items(16, unique=True),
    ] = Field((), description="SSH algorithms that old firmware needs and that are otherwise switched off.")


class SeaMicroRest(ApiModel):
    """The REST interface of the chassis, which complements the command line."""

    url: Url = Field(description="Base URL, with the version: https://host/v2.0.")
    ca_bundle_ref: SecretKeyRef | None = Field(
        None, description="The certificate authorities to trust. Not given: those of the system."
    )


class SeaMicro(ApiModel):
    """An SM10000 or SM15000."""

    cli: SeaMicroCli = Field(description="The command line of the chassis, over SSH: the one plane that can do it all.")
    rest: SeaMicroRest | None = Field(
        None,
        description="The REST interface of the chassis. Checked and not used by this version, its caBundleRef neither: "
        "all goes over the command line.",
    )


class Redfish(ApiModel):
    """A chassis with a Redfish service."""

    url: Url = Field(description="URL of the service root: https://host/redfish/v1.")
    ca_bundle_ref: SecretKeyRef | None = Field(
        None, description="The certificate authorities to trust. Not given: those of the system."
    )


class External(ApiModel):
    """A driver that comes in a package of its own."""

    driver: Annotated[str, Text(63, r"^[A-Za-z][A-Za-z0-9_-]*$", "the name of a driver, such as Simulator", 1)] = Field(
        description="Its name among the entry points of the group rackwright.chassis."
    )
    parameters: Annotated[dict[str, Any], Free(64)] = Field(
        default={}, description="Whatever the driver wants to know; it checks them itself. No secrets here."
    )


class Hardware(ApiModel):
    """What the chassis is and how to reach it: exactly the member that `type` names."""

    type: HardwareType = Field(
        description="The family of the chassis: SeaMicro, Redfish, or External for a driver of yours."
    )
    sea_micro: SeaMicro | None = Field(None, description="For type SeaMicro.")
    redfish: Redfish | None = Field(None, description="For type Redfish.")
    external: External | None = Field(None, description="For type External.")

    rules: ClassVar[tuple[Rule["Hardware"], ...]] = (
        one_member("type", {"SeaMicro": "seaMicro", "Redfish": "redfish", "External": "external"}),
    )


class Limits(ApiModel):
    """What the management plane bears. There is always only one session."""

    commands_per_second: Annotated[float, Range(0.1, 1000)] = Field(
        5.0, description="The most commands that are sent in a second."
    )
    settle_seconds: Annotated[float, Range(0, 300)] = Field(
        2.0, description="Seconds to wait after a change before it is read back."
    )
    command_timeout_seconds: Annotated[float, Range(1, 3600)] = Field(
        60.0, description="Seconds after which a command without an answer counts as failed."
    )


class DefaultNicVlan(StrEnum):
    """What becomes of NICs that no node lists."""

    ISOLATED = "Isolated"
    DEFAULT = "Default"
    UNMANAGED = "Unmanaged"


class DefaultNic(ApiModel):
    """NICs that nothing lists."""

    vlan: DefaultNicVlan = Field(
        DefaultNicVlan.UNMANAGED,
        description="Isolated drops their untagged traffic; Default puts them into the default VLAN, where a chassis "
        "bridges them with the uplinks; Unmanaged leaves them alone. Protected servers are left alone always.",
    )


class Vlan(ApiModel):
    """A VLAN of the chassis."""

    id: VlanId = Field(description="The VLAN's number.")
    name: Name | None = Field(None, description="What people call it; the chassis does not know it.")


class Uplink(PortVlans):
    """A port that leaves the chassis. Changing one is destructive: it may be the operator's own path."""

    port: Annotated[
        str, Text(63, r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$", "a port as the chassis names it, such as te 0/1", 1)
    ] = Field(description="The port as the chassis names it, such as te 0/1.")


class ManagementMode(StrEnum):
    """How a storage slot is managed."""

    DISK = "Disk"
    VOLUME = "Volume"


class StorageSlot(ApiModel):
    """A storage slot of the chassis."""

    slot: SlotNumber = Field(description="The slot's number.")
    management_mode: ManagementMode = Field(
        description="Volume for pools of volumes, Disk for raw disks. Changing it destroys what the slot holds."
    )


class ChassisSpec(Retained):
    """How a chassis should be. What is not declared is reported and never removed."""

    hardware: Hardware = Field(description="What the chassis is and how to reach it.")
    credentials_ref: ObjectRef = Field(
        description="The Secret with the keys username and password for the management plane."
    )
    limits: Limits = Field(Limits(), description="What the management plane bears.")
    protected_servers: Annotated[tuple[ServerId, ...], Items(256, unique=True)] = Field(
        (), description="Servers that are never powered, re-cabled or re-volumed by us, whatever else is declared."
    )
    default_nic: DefaultNic = Field(DefaultNic(), alias="defaultNIC", description="NICs that nothing lists.")
    vlans: Annotated[tuple[Vlan, ...], Items(256, key="id")] = Field((), description="VLANs that must exist, by id.")
    uplinks: Annotated[tuple[Uplink, ...], Items(64, key="port")] = Field(
        (), description="Ports that leave the chassis, by port. One that is not listed is left alone."
    )
    storage_slots: Annotated[tuple[StorageSlot, ...], Items(64, key="slot")] = Field(
        (), description="Storage slots, by number. One that is not listed keeps its mode."
    )
    node_sets: Annotated[tuple[NodeSet, ...], Items(16, key="name")] = Field(
        (), description="Sets of servers, by name; a ComputeNode is stamped for each server and kept as its set says."
    )
    policy: Policy = Field(
        Policy(),
        description="How far the operator goes on its own. Pools, nodes and clusters inherit it, field by field.",
    )
    approvals: Approvals = Field((), description=APPROVALS)

    rules: ClassVar[tuple[Rule["ChassisSpec"], ...]] = (
        finds_none(
            cel="!has(self.nodeSets) || self.nodeSets.filter(s, has(s.remaining)).size() <= 1",
            message="two nodeSets have remaining; only one set can take the servers that no other names.",
            found=lambda it: _takers(it),
        ),
        finds_none(
            cel="!has(self.uplinks) || self.uplinks.all(u, "
            "(!has(u.untagged) || (has(self.vlans) && self.vlans.exists(v, v.id == u.untagged))) && "
            "(!has(u.tagged) || u.tagged.all(t, has(self.vlans) && self.vlans.exists(v, v.id == t))))",
            message="an uplink is in a VLAN that vlans does not have; add it or correct its number.",
            found=lambda it: (f"{uplink.port} in {vlan}" for uplink in it.uplinks for vlan in _unknown(uplink, it)),
        ),
        finds_none(
            cel="!has(self.nodeSets) || self.nodeSets.all(s, !has(s.template.nicGroups) || s.template.nicGroups.all(g, "
            "(!has(g.untagged) || (has(self.vlans) && self.vlans.exists(v, v.id == g.untagged))) && "
            "(!has(g.tagged) || g.tagged.all(t, has(self.vlans) && self.vlans.exists(v, v.id == t)))))",
            message="a nicGroup of a node set is in a VLAN that vlans does not have; add it or correct its number.",
            found=lambda it: _groups_in_unknown(it),
        ),
    )


def _unknown(port: PortVlans, chassis: ChassisSpec) -> frozenset[int]:
    """The VLANs of a port that the chassis does not declare."""
    return port.named_vlans - {vlan.id for vlan in chassis.vlans}


def _groups_in_unknown(chassis: ChassisSpec) -> Iterator[str]:
    for node_set in chassis.node_sets:
        for group in node_set.template.nic_groups:
            yield from (f"{node_set.name}/{group.name} in {vlan}" for vlan in _unknown(group, chassis))


def _takers(chassis: ChassisSpec) -> tuple[str, ...]:
    """The sets that would take all that is left, where there is more than one."""
    names = tuple(node_set.name for node_set in chassis.node_sets if node_set.remaining is not None)
    return names if len(names) > 1 else ()
