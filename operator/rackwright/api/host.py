"""The storage and the files of a host, as a ComputeNode declares them."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rackwright.api.common import Name, ObjectName, VdiskNumber, VolumeSize
from rackwright.api.schema import ApiModel, Items, Keys, Range, Rule, Text, exactly_one

LvmName = Annotated[
    str,
    Text(63, r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$", "the name of a volume group or logical volume, such as vg-array", 1),
]
AbsolutePath = Annotated[str, Text(4096, r"^/[^\x00-\x1f]*$", "an absolute path, such as /srv/images", 1)]
Unit = Annotated[str, Text(255, r"^[A-Za-z0-9:_.@-]+$", "a systemd unit, such as nova-compute", 1)]
Argument = Annotated[str, Text(1024, r"^[^\x00]*$", "an argument without NUL")]


class PathGroupingPolicy(StrEnum):
    """How paths form groups, in multipath's words."""

    FAILOVER = "failover"
    MULTIBUS = "multibus"
    GROUP_BY_SERIAL = "group_by_serial"
    GROUP_BY_PRIO = "group_by_prio"
    GROUP_BY_NODE_NAME = "group_by_node_name"
    GROUP_BY_TPG = "group_by_tpg"


class PathChecker(StrEnum):
    """How a path is checked, in multipath's words."""

    TUR = "tur"
    DIRECTIO = "directio"
    READSECTOR0 = "readsector0"
    RDAC = "rdac"
    EMC_CLARIION = "emc_clariion"
    HP_SW = "hp_sw"


class MultipathMatch(ApiModel):
    """Which disks are paths of the device: by what they call themselves, or by the StoragePool they come from."""

    vendor: Annotated[str, Text(8, r"^[ -~]+$", "the vendor as the disk shows it, such as XIOTECH", 1)] | None = Field(
        None, description="Vendor as the disk shows it (SCSI INQUIRY)."
    )
    product: Annotated[str, Text(16, r"^[ -~]+$", "the product as the disk shows it, such as ISE3400", 1)] | None = (
        Field(None, description="Product as the disk shows it (SCSI INQUIRY).")
    )
    pool_ref: ObjectName | None = Field(
        None, description="Name of the StoragePool whose volume this is, in the same namespace."
    )

    rules: ClassVar[tuple[Rule["MultipathMatch"], ...]] = (
        Rule(
            cel="has(self.poolRef) ? !has(self.vendor) && !has(self.product) : has(self.vendor)",
            message="give either poolRef or vendor (with product, where that is needed to tell disks apart).",
            holds=lambda it: (it.vendor is None and it.product is None) if it.pool_ref else it.vendor is not None,
        ),
    )


class MultipathDevice(ApiModel):
    """One disk that the host sees over several paths."""

    name: Name = Field(description="Name of the device; volume groups and file systems refer to it.")
    match: MultipathMatch = Field(description="Which disks are its paths.")
    by: Literal["Serial"] = Field(
        "Serial", description="What makes two paths one disk: the serial, never a UUID that a chassis may repeat."
    )
    expected_paths: Annotated[int, Range(1, 64)] = Field(description="How many paths there are when all is well.")
    path_grouping_policy: PathGroupingPolicy | None = Field(
        None, description="How paths form groups. Not given: as multipath decides for this product."
    )
    path_checker: PathChecker | None = Field(
        None, description="How a path is checked. Not given: as multipath decides for this product."
    )
    path_selector: (
        Annotated[
            str,
            Text(
                64,
                r"^(round-robin|queue-length|service-time|historical-service-time) [0-9]+$",
                'a path selector of multipath, such as "round-robin 0"',
                1,
            ),
        ]
        | None
    ) = Field(None, description="How the paths of a group share the load, in multipath's words.")
    no_path_retry: Annotated[int, Range(0, 10000)] | None = Field(
        None,
        description="How often a request is tried again when no path is left, before it fails. 0 fails at once. "
        "Queueing for ever is not offered: it hangs processes.",
    )


class Multipath(ApiModel):
    """Disks that the host sees over several paths."""

    devices: Annotated[tuple[MultipathDevice, ...], Items(16, key="name", least=1)] = Field(
        description="The devices, by name."
    )


class PhysicalVolume(ApiModel):
    """A disk of a volume group: a multipath device or a vdisk of the chassis."""

    multipath: Name | None = Field(None, description="Name of a device from multipath.devices.")
    vdisk: VdiskNumber | None = Field(None, description="Number of a vdisk that the chassis shows the host.")

    rules: ClassVar[tuple[Rule["PhysicalVolume"], ...]] = (exactly_one("multipath", "vdisk"),)


class LogicalVolume(ApiModel):
    """An LVM logical volume."""

    name: LvmName = Field(description="Name of the logical volume.")
    size: VolumeSize = Field(description="Its size, such as 1Ti. It grows when this grows and never shrinks.")


class VolumeGroup(ApiModel):
    """An LVM volume group."""

    name: LvmName = Field(description="Name of the volume group.")
    physical_volumes: Annotated[tuple[PhysicalVolume, ...], Items(32, least=1)] = Field(
        description="The disks that it is made of."
    )
    logical_volumes: Annotated[tuple[LogicalVolume, ...], Items(64, key="name")] = Field(
        (), description="Its logical volumes, by name."
    )


class Device(ApiModel):
    """What a file system is on."""

    logical_volume: (
        Annotated[
            str,
            Text(
                127,
                r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*/[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$",
                "a logical volume with its group, such as vg-array/images",
                3,
            ),
        ]
        | None
    ) = Field(None, description="A logical volume, as GROUP/VOLUME.")
    multipath: Name | None = Field(None, description="Name of a device from multipath.devices.")
    vdisk: VdiskNumber | None = Field(None, description="Number of a vdisk that the chassis shows the host.")

    rules: ClassVar[tuple[Rule["Device"], ...]] = (exactly_one("logicalVolume", "multipath", "vdisk"),)


class FileSystemType(StrEnum):
    """File systems, in the kernel's words."""

    XFS = "xfs"
    EXT4 = "ext4"


class FileSystem(ApiModel):
    """A file system and where it is mounted. One that is found is never made anew."""

    name: Name = Field(description="Name of this entry.")
    device: Device = Field(description="What it is on.")
    type: FileSystemType = Field(description="The kind of file system.")
    mount_path: AbsolutePath = Field(description="Where it is mounted.")
    options: Annotated[
        tuple[Annotated[str, Text(128, r"^[A-Za-z0-9_.=:/+-]+$", "a mount option, such as noatime", 1)], ...],
        Items(32, unique=True),
    ] = Field((), description="Mount options.")


class Ini(ApiModel):
    """Our keys in an INI file that others also write; all else in it stays."""

    section: Annotated[str, Text(128, r"^[^\]\x00-\x1f]+$", "the name of a section, such as DEFAULT", 1)] = Field(
        description="The section that the keys are in."
    )
    set: Annotated[
        dict[str, Annotated[str, Text(4096, r"^[^\x00-\x1f]*$", "a value of one line")]],
        Keys(64, Text(128, r"^[^=\[\]\x00-\x1f]+$", "the key of an INI file, such as vnc_enabled", 1)),
    ] = Field(description="Keys and their values.")


class OnChange(ApiModel):
    """What is done after the file was changed: exactly one of the members."""

    command: Annotated[tuple[Argument, ...], Items(64, least=1)] | None = Field(
        None, description="A command and its arguments, run without a shell."
    )
    restart: Unit | None = Field(None, description="A systemd unit that is restarted.")

    rules: ClassVar[tuple[Rule["OnChange"], ...]] = (exactly_one("command", "restart"),)


class File(ApiModel):
    """A file, or our keys in one: exactly one of `content` and `ini`."""

    name: Name = Field(description="Name of this entry.")
    path: AbsolutePath = Field(description="Where the file is.")
    content: Annotated[str, Text(65536, r"^[^\x00]*$", "text without NUL")] | None = Field(
        None, description="All of the file."
    )
    ini: Ini | None = Field(None, description="Our keys in an INI file that others also write.")
    mode: Annotated[str, Text(4, r"^[0-7]{3,4}$", 'octal permissions as a string, such as "0644"', 3)] | None = Field(
        None, description='Permissions, octal, as a string: "0644". Not given: left as they are, 0644 for a new file.'
    )
    on_change: OnChange | None = Field(None, description="What is done after a change. Not given: nothing.")

    rules: ClassVar[tuple[Rule["File"], ...]] = (exactly_one("content", "ini"),)
