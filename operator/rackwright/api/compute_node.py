"""ComputeNode: one server of a chassis, its power, its ports and what its host should be like."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rackwright.api.common import (
    APPROVALS,
    POLICY_OVERRIDE,
    Approvals,
    HostKeys,
    InterfaceAddress,
    InterfaceName,
    Name,
    ObjectRef,
    PolicyOverride,
    Port,
    Retained,
    SecretKeyRef,
    ServerId,
)
from rackwright.api.host import File, FileSystem, Multipath, VolumeGroup
from rackwright.api.ports import NicGroup
from rackwright.api.schema import ApiModel, Fixed, Items, Keys, Range, Rule, Text, finds_none, repeated

MANAGEMENT = "management"
"""The key of `network.addresses` that stands for the interface which `network.management` names."""


class PowerState(StrEnum):
    """What a server's power should be."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    UNMANAGED = "Unmanaged"


class Install(StrEnum):
    """When an installation may be started."""

    NEVER = "Never"
    WHEN_UNPROVISIONED = "WhenUnprovisioned"


class Ssh(ApiModel):
    """How the operator logs in to the host."""

    user: Annotated[str, Text(32, r"^[a-z_][a-z0-9_-]*$", "a user name, such as root", 1)] = Field(
        "root", description="The user to log in as; it must be root or be able to become root."
    )
    port: Port = Field(22, description="The TCP port of the SSH server.")
    private_key_ref: SecretKeyRef = Field(description="The private key to log in with.")
    host_keys: HostKeys = Field((), description="The keys by which the host proves itself. Any one of them will do.")


class BondMode(StrEnum):
    """Modes of a bond, in the kernel's words."""

    BALANCE_RR = "balance-rr"
    ACTIVE_BACKUP = "active-backup"
    BALANCE_XOR = "balance-xor"
    BROADCAST = "broadcast"
    LACP = "802.3ad"
    BALANCE_TLB = "balance-tlb"
    BALANCE_ALB = "balance-alb"


class LacpRate(StrEnum):
    """How often LACP partners are asked to send."""

    SLOW = "Slow"
    FAST = "Fast"


class XmitHashPolicy(StrEnum):
    """How a bond spreads its traffic, in the kernel's words."""

    LAYER2 = "layer2"
    LAYER2_3 = "layer2+3"
    LAYER3_4 = "layer3+4"
    ENCAP2_3 = "encap2+3"
    ENCAP3_4 = "encap3+4"
    VLAN_SRCMAC = "vlan+srcmac"


class Bond(ApiModel):
    """Several NICs as one interface of the host."""

    name: InterfaceName = Field(description="Name of the interface, such as bond0.")
    nic_group: Name = Field(description="The group of NICs that it is made of, from nicGroups.")
    mode: BondMode = Field(BondMode.LACP, description="The kernel's mode of the bond.")
    miimon_milliseconds: Annotated[int, Range(0, 60000)] = Field(
        100, description="Milliseconds between two looks at the link of each NIC. 0 never looks."
    )
    lacp_rate: LacpRate | None = Field(
        None,
        description="Only for 802.3ad: ask the partner every 30 seconds (Slow, the kernel's default) or every second.",
    )
    xmit_hash_policy: XmitHashPolicy | None = Field(
        None, description="How traffic is spread over the NICs. The kernel's default is layer2."
    )

    rules: ClassVar[tuple[Rule["Bond"], ...]] = (
        Rule(
            cel="!has(self.lacpRate) || self.mode == '802.3ad'",
            message="lacpRate is for mode 802.3ad only; leave it out or change the mode.",
            holds=lambda it: it.lacp_rate is None or it.mode is BondMode.LACP,
            cel_say="'lacpRate is for mode 802.3ad, not for ' + self.mode + '; leave it out or change the mode.'",
            say=lambda it: f"lacpRate is for mode 802.3ad, not for {it.mode}; leave it out or change the mode.",
        ),
    )


class HostNetwork(ApiModel):
    """The interfaces of the host."""

    mtu: Annotated[int, Range(576, 9216)] | None = Field(
        None, description="MTU in bytes of every interface that is declared here. Not given: left as it is."
    )
    management: InterfaceName | None = Field(
        None, description="The interface that the operator reaches the host by; it is changed only with a way back."
    )
    addresses: Annotated[
        dict[str, InterfaceAddress], Keys(32, Text(15, r"^[a-zA-Z][a-zA-Z0-9._-]*$", "an interface, such as bond0", 1))
    ] = Field(
        default={},
        description="Addresses by interface; the key management stands for the interface that management names.",
    )
    bonds: Annotated[tuple[Bond, ...], Items(8, key="name")] = Field((), description="Bonds, by name.")

    rules: ClassVar[tuple[Rule["HostNetwork"], ...]] = (
        Rule(
            cel="!has(self.addresses) || !('management' in self.addresses) || has(self.management)",
            message="addresses has an address for management; name that interface in management, such as eth0.",
            holds=lambda it: MANAGEMENT not in it.addresses or it.management is not None,
        ),
        finds_none(
            cel="!has(self.bonds) || self.bonds.all(a, self.bonds.exists_one(b, b.nicGroup == a.nicGroup))",
            message="two bonds share a NIC group; give each bond a group of its own.",
            found=lambda it: repeated(bond.nic_group for bond in it.bonds),
        ),
    )


class Boot(ApiModel):
    """How the server is installed."""

    install: Install = Field(
        Install.NEVER,
        description="WhenUnprovisioned installs only a server whose root volume was made for it and never booted; "
        "whatever is not proved counts as provisioned.",
    )


class NodeTemplate(Retained):
    """What ComputeNodes of a set have in common."""

    power_state: PowerState = Field(
        PowerState.UNMANAGED, description="Running or Stopped keeps the server so; Unmanaged leaves its power alone."
    )
    nic_groups: Annotated[tuple[NicGroup, ...], Items(8, key="name")] = Field(
        (), description="Which NICs are in which VLANs. NICs in no group are as the chassis' defaultNIC says."
    )
    network: HostNetwork | None = Field(None, description="The interfaces of the host.")
    ssh: Ssh | None = Field(None, description="How to log in. Not given: the host itself is not looked at.")
    boot: Boot = Field(Boot(), description="How the server is installed.")
    multipath: Multipath | None = Field(None, description="Disks that the host sees over several paths.")
    volume_groups: Annotated[tuple[VolumeGroup, ...], Items(8, key="name")] = Field(
        (), description="LVM volume groups, by name."
    )
    file_systems: Annotated[tuple[FileSystem, ...], Items(32, key="name")] = Field(
        (), description="File systems and where they are mounted, by name."
    )
    files: Annotated[tuple[File, ...], Items(32, key="name")] = Field(
        (), description="Files, and our keys in files that others also write, by name."
    )
    policy: PolicyOverride | None = Field(None, description=POLICY_OVERRIDE)

    rules: ClassVar[tuple[Rule["NodeTemplate"], ...]] = (
        finds_none(
            cel="!has(self.nicGroups) || self.nicGroups.all(a, a.indexes.all(i, "
            "self.nicGroups.exists_one(b, i in b.indexes)))",
            message="a NIC is in two nicGroups; keep its index in one.",
            found=lambda it: repeated(_indexes(it)),
        ),
        finds_none(
            cel="!has(self.network) || !has(self.network.bonds) || self.network.bonds.all(b, "
            "has(self.nicGroups) && self.nicGroups.exists(g, g.name == b.nicGroup))",
            message="a bond names a nicGroup that is not in nicGroups; add the group or correct the name.",
            found=lambda it: _bonded(it) - {group.name for group in it.nic_groups},
        ),
        finds_none(
            cel="!has(self.volumeGroups) || self.volumeGroups.all(v, v.physicalVolumes.all(p, !has(p.multipath) || "
            "(has(self.multipath) && self.multipath.devices.exists(d, d.name == p.multipath))))",
            message="a physical volume names a multipath device that is not in multipath.devices; "
            "add the device or correct the name.",
            found=lambda it: _multipaths_used(it) - _multipaths(it),
        ),
    )


def _indexes(node: NodeTemplate) -> list[int]:
    return [index for group in node.nic_groups for index in group.indexes]


def _bonded(node: NodeTemplate) -> set[str]:
    return {bond.nic_group for bond in node.network.bonds} if node.network else set()


def _multipaths(node: NodeTemplate) -> set[str]:
    return {device.name for device in node.multipath.devices} if node.multipath else set()


def _multipaths_used(node: NodeTemplate) -> set[str]:
    volumes = [volume for group in node.volume_groups for volume in group.physical_volumes]
    return {volume.multipath for volume in volumes if volume.multipath is not None}


class ComputeNodeSpec(NodeTemplate):
    """How one server of a chassis should be. Where a Chassis stamped it, change the Chassis instead."""

    chassis_ref: ObjectRef = Field(description="The Chassis that the server is in. Cannot be changed.")
    server: ServerId = Field(description="The server as its chassis names it, such as 12/0. Cannot be changed.")
    approvals: Approvals = Field((), description=f"{APPROVALS} For a stamped node those of its Chassis count instead.")

    fixed: ClassVar[tuple[Fixed, ...]] = (
        Fixed("chassisRef", "chassisRef cannot be changed; delete this ComputeNode and make another.", always=True),
        Fixed("server", "server cannot be changed; delete this ComputeNode and make another.", always=True),
    )
