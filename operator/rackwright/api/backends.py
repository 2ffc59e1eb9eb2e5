"""The backends of a StoragePool that are not the chassis itself: an array, or what hosts make of their vdisks."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from rackwright.api.common import InterfaceName, Name, ObjectName, ObjectRef, Port, VdiskNumber, VolumeSize
from rackwright.api.host import LvmName
from rackwright.api.schema import ApiModel, Items, Range, Text

Vdisks = Annotated[tuple[VdiskNumber, ...], Items(64, unique=True, least=1)]
Nodes = Annotated[tuple[ObjectName, ...], Items(16, unique=True, least=2)]


class Startup(StrEnum):
    """When a host logs in to a target."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Iscsi(ApiModel):
    """An array that hosts reach by iSCSI."""

    portals: Annotated[
        tuple[
            Annotated[
                str,
                Text(
                    262,
                    r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
                    "a portal with its port, such as 10.20.0.101:3260",
                    3,
                ),
            ],
            ...,
        ],
        Items(16, unique=True, least=1),
    ] = Field(description="The portals to ask for targets, as ADDRESS:PORT.")
    startup: Startup = Field(Startup.AUTOMATIC, description="Automatic logs in at boot; Manual leaves that to others.")
    expected_paths: Annotated[int, Range(1, 64)] = Field(
        1, description="How many sessions a host has when all is well."
    )
    credentials_ref: ObjectRef | None = Field(
        None, description="The Secret with the keys username and password for CHAP. Not given: without CHAP."
    )


class Lvm(ApiModel):
    """Logical volumes of one node, for others to use."""

    node_ref: ObjectRef = Field(description="The ComputeNode that the volume group is on.")
    volume_group: LvmName = Field(description="The volume group, from the node's volumeGroups.")
    prefix: Annotated[str, Text(31, r"^[A-Za-z][A-Za-z0-9_-]*$", "the beginning of a name, such as data", 1)] = Field(
        description="Volumes are called PREFIX-NUMBER, from 0."
    )
    count: Annotated[int, Range(1, 256)] = Field(description="How many volumes.")
    size: VolumeSize = Field(description="Size of each volume, such as 500Gi.")


class RaidLevel(StrEnum):
    """Levels of a RAID."""

    RAID0 = "RAID0"
    RAID1 = "RAID1"
    RAID5 = "RAID5"
    RAID6 = "RAID6"
    RAID10 = "RAID10"


class MdRaid(ApiModel):
    """A RAID that each host makes of its own vdisks."""

    name: Name = Field(description="Name of the array on the host.")
    level: RaidLevel = Field(description="The level of the array.")
    vdisks: Vdisks = Field(description="The vdisks that it is made of.")
    spares: Annotated[int, Range(0, 16)] = Field(0, description="How many of them are spares.")


class AoETarget(ApiModel):
    """One target of ATA over Ethernet."""

    shelf: Annotated[int, Range(0, 65534)] = Field(description="The shelf (major) number.")
    slot: Annotated[int, Range(0, 254)] = Field(description="The slot (minor) number.")


class AoE(ApiModel):
    """Disks that hosts reach by ATA over Ethernet, on one network segment."""

    interface: InterfaceName = Field(description="The interface of the hosts that the targets are reached by.")
    targets: Annotated[tuple[AoETarget, ...], Items(64, least=1)] = Field(description="The targets that must be there.")


class Drbd(ApiModel):
    """A device that several nodes keep in step."""

    resource: Name = Field(description="Name of the DRBD resource.")
    nodes: Nodes = Field(description="Names of the ComputeNodes that hold it.")
    port: Port = Field(7788, description="The TCP port of replication.")
    backing_volume: Annotated[
        str,
        Text(
            127,
            r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*/[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$",
            "a logical volume with its group, such as vg-data/mysql",
            3,
        ),
    ] = Field(description="The logical volume on every node that it is kept on, as GROUP/VOLUME.")


class Ceph(ApiModel):
    """Ceph OSDs on the vdisks of hosts."""

    data_vdisks: Vdisks = Field(description="The vdisks that get an OSD each.")
    database_volume_group: LvmName | None = Field(
        None,
        description="The volume group on faster disks that holds the OSDs' databases. Not given: on the data vdisks.",
    )
