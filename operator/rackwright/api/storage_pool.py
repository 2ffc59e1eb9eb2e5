"""StoragePool: where volumes come from, and which nodes get them on which vdisks."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rackwright.api.backends import AoE, Ceph, Drbd, Iscsi, Lvm, MdRaid
from rackwright.api.common import (
    APPROVALS,
    POLICY_OVERRIDE,
    Approvals,
    Bool,
    Name,
    NodeSelector,
    ObjectRef,
    PolicyOverride,
    Retained,
    SlotNumber,
    VdiskNumber,
)
from rackwright.api.schema import ApiModel, Fixed, Items, Range, Rule, Text, exactly_one, one_member

DiskName = Annotated[
    str, Text(63, r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", "a disk as the chassis names it, such as JBOD2/6", 1)
]
Prefix = Annotated[
    str, Text(31, r"^[A-Za-z][A-Za-z0-9_-]*$", "the beginning of a name on the chassis, such as rootvol", 1)
]
EQUAL_SHARE = "EqualShare"


def _kept(name: str) -> Fixed:
    message = f"{name} cannot be changed, as the chassis keeps the names; make another StoragePool."
    return Fixed(name, message, always=True)


class Media(StrEnum):
    """What a disk is made of."""

    HDD = "HDD"
    SSD = "SSD"


class DiskSelector(ApiModel):
    """Disks by what they are. Only free ones are taken, never those that another pool names."""

    slots: Annotated[tuple[SlotNumber, ...], Items(64, unique=True, least=1)] = Field(
        description="The storage slots that the disks are in."
    )
    media: Media | None = Field(None, description="What they are made of. Not given: either.")


class Disks(ApiModel):
    """The disks of the pools: exactly one of `names` and `selector`."""

    names: Annotated[tuple[DiskName, ...], Items(512, unique=True, least=1)] | None = Field(
        None, description="The disks by name, in the order in which their pools are numbered."
    )
    selector: DiskSelector | None = Field(None, description="Instead of names: the disks by what they are.")
    count: Annotated[int, Range(1, 512)] | None = Field(
        None, description="With selector: how many disks. Once taken they stay the pool's, whatever else comes free."
    )

    rules: ClassVar[tuple[Rule["Disks"], ...]] = (
        exactly_one("names", "selector"),
        Rule(
            cel="has(self.selector) == has(self.count)",
            message="count goes with selector: give both, or names alone.",
            holds=lambda it: (it.selector is None) == (it.count is None),
        ),
    )


class Pools(ApiModel):
    """The pools to be made on the disks."""

    per_disk: Bool = Field(True, description="One pool for each disk.")
    prefix: Prefix = Field(
        description="Pools are called PREFIX-NUMBER. Cannot be changed: the chassis keeps the names."
    )
    first_number: Annotated[int, Range(0, 100000)] = Field(
        1, description="Number of the first pool. Cannot be changed."
    )

    rules: ClassVar[tuple[Rule["Pools"], ...]] = (
        Rule(
            cel="self.perDisk",
            message="perDisk false is not carried out by this version, as a pool cannot span the disks of a JBOD; "
            "use true, or existingPool for a pool that is there.",
            holds=lambda it: it.per_disk,
        ),
    )
    fixed: ClassVar[tuple[Fixed, ...]] = (_kept("prefix"), _kept("firstNumber"))


class Numbering(StrEnum):
    """How volumes are numbered."""

    FROM_ZERO = "FromZero"
    SAME_AS_POOL = "SameAsPool"


class Volumes(ApiModel):
    """The volumes to be made: exactly one of `perPool` and `count`."""

    prefix: Prefix = Field(
        description="Volumes are called PREFIX-NUMBER. Cannot be changed: the chassis keeps the names."
    )
    per_pool: Annotated[int, Range(1, 256)] | None = Field(None, description="How many volumes in each pool.")
    count: Annotated[int, Range(1, 1024)] | None = Field(None, description="How many volumes in the existing pool.")
    size: Annotated[
        str,
        Text(
            16,
            r"^(EqualShare|[1-9][0-9]{0,6}(Gi|Ti))$",
            "EqualShare or a size in whole Gi or Ti, such as 500Gi",
            1,
        ),
    ] = Field(description="Size of each volume in whole Gi or Ti, such as 500Gi; EqualShare divides each pool evenly.")
    numbering: Numbering = Field(
        Numbering.FROM_ZERO,
        description="FromZero counts from 0 in every pool; SameAsPool takes the pool's number and needs perPool 1. "
        "Cannot be changed.",
    )

    rules: ClassVar[tuple[Rule["Volumes"], ...]] = (
        exactly_one("perPool", "count"),
        Rule(
            cel="self.numbering != 'SameAsPool' || (has(self.perPool) && self.perPool == 1)",
            message="numbering SameAsPool needs perPool 1; use FromZero or one volume a pool.",
            holds=lambda it: it.numbering is not Numbering.SAME_AS_POOL or it.per_pool == 1,
        ),
    )
    fixed: ClassVar[tuple[Fixed, ...]] = (_kept("prefix"), _kept("numbering"))

    @property
    def size_gib(self) -> int | None:
        """The size of one volume in GiB; None for an equal share of its pool."""
        if self.size == EQUAL_SHARE:
            return None
        return int(self.size[:-2]) * (1024 if self.size.endswith("Ti") else 1)


class ChassisBackend(ApiModel):
    """Volumes of the chassis: on pools of their own (`disks` and `pools`) or in one that is there (`existingPool`)."""

    disks: Disks | None = Field(None, description="The disks that pools are made on.")
    pools: Pools | None = Field(None, description="The pools that are made on them.")
    existing_pool: (
        Annotated[
            str,
            Text(67, r"^[0-9]{1,2}/[A-Za-z0-9][A-Za-z0-9._-]*$", "a pool with its slot, such as 7/RAIDPOOL", 3),
        ]
        | None
    ) = Field(None, description="A pool that is there, as SLOT/POOL. It is never made and never changed itself.")
    volumes: Volumes = Field(description="The volumes.")

    rules: ClassVar[tuple[Rule["ChassisBackend"], ...]] = (
        Rule(
            cel="has(self.existingPool) ? !has(self.disks) && !has(self.pools) : has(self.disks) && has(self.pools)",
            message="give either existingPool, or disks and pools together.",
            holds=lambda it: (
                (it.disks is None and it.pools is None)
                if it.existing_pool
                else (it.disks is not None and it.pools is not None)
            ),
        ),
        Rule(
            cel="has(self.existingPool) == has(self.volumes.count)",
            message="volumes takes count with existingPool, and perPool with pools.",
            holds=lambda it: (it.existing_pool is None) == (it.volumes.count is None),
        ),
        Rule(
            cel="!has(self.existingPool) || self.volumes.size != 'EqualShare'",
            message="EqualShare would divide a pool that others also use; give a size, such as 500Gi.",
            holds=lambda it: it.existing_pool is None or it.volumes.size != EQUAL_SHARE,
        ),
    )
    fixed: ClassVar[tuple[Fixed, ...]] = (
        Fixed(
            "existingPool", "existingPool can be neither set, changed nor taken away later; make another StoragePool."
        ),
    )


class BackendType(StrEnum):
    """Where volumes come from."""

    CHASSIS = "Chassis"
    ISCSI = "ISCSI"
    LVM = "LVM"
    MDRAID = "MDRAID"
    AOE = "AoE"
    DRBD = "DRBD"
    CEPH = "Ceph"


class Backend(ApiModel):
    """Where volumes come from: exactly the member that `type` names."""

    type: BackendType = Field(description="Where volumes come from. Cannot be changed.")
    chassis: ChassisBackend | None = Field(
        None, description="For type Chassis: disks, pools and volumes of the chassis."
    )
    iscsi: Iscsi | None = Field(None, description="For type ISCSI: the portals of an array.")
    lvm: Lvm | None = Field(None, description="For type LVM: logical volumes of one node.")
    mdraid: MdRaid | None = Field(None, description="For type MDRAID: a RAID that the host makes of its vdisks.")
    aoe: AoE | None = Field(None, description="For type AoE: targets of ATA over Ethernet.")
    drbd: Drbd | None = Field(None, description="For type DRBD: a device that nodes keep in step.")
    ceph: Ceph | None = Field(None, description="For type Ceph: an OSD on every data vdisk.")

    rules: ClassVar[tuple[Rule["Backend"], ...]] = (
        one_member(
            "type",
            {
                "Chassis": "chassis",
                "ISCSI": "iscsi",
                "LVM": "lvm",
                "MDRAID": "mdraid",
                "AoE": "aoe",
                "DRBD": "drbd",
                "Ceph": "ceph",
            },
        ),
    )
    fixed: ClassVar[tuple[Fixed, ...]] = (
        Fixed("type", "type cannot be changed; make another StoragePool.", always=True),
    )


class Attach(StrEnum):
    """How volumes go on vdisks."""

    ONE_PER_VOLUME = "OnePerVolume"
    ALL_PATHS = "AllPaths"


class Domain(StrEnum):
    """What nodes can lose together."""

    DISK = "Disk"
    SLOT = "Slot"


class WhenUnsatisfiable(StrEnum):
    """What becomes of a node that no placement fits."""

    HOLD = "Hold"
    ALLOW = "Allow"


class Spread(ApiModel):
    """How volumes are spread over what can fail: exactly one of `maxPerDomain` and `maxSkew`."""

    domain: Domain = Field(description="What can fail as one: a Disk or a storage Slot.")
    max_per_domain: Annotated[int, Range(1, 1024)] | None = Field(
        None, description="The most nodes whose volume may be in one domain."
    )
    max_skew: Annotated[int, Range(1, 1024)] | None = Field(
        None, description="The most that the fullest domain may have above the emptiest."
    )
    node_selector: NodeSelector | None = Field(
        None, description="Which nodes are counted. Not given: all of the assignment."
    )
    when_unsatisfiable: WhenUnsatisfiable = Field(
        WhenUnsatisfiable.HOLD,
        description="Hold leaves such a node without a volume and says so; Allow places it anyway.",
    )

    rules: ClassVar[tuple[Rule["Spread"], ...]] = (exactly_one("maxPerDomain", "maxSkew"),)


class Assign(ApiModel):
    """Which nodes get volumes, and where."""

    name: Name = Field(description="Name of the assignment.")
    node_selector: NodeSelector = Field(description="The ComputeNodes that get volumes, by their labels.")
    vdisks: Annotated[tuple[VdiskNumber, ...], Items(64, unique=True, least=1)] = Field(
        (), description="The vdisks of each node that volumes are attached to; for backend Chassis, and only there."
    )
    attach: Attach = Field(
        Attach.ONE_PER_VOLUME,
        description="OnePerVolume attaches a volume of its own to each vdisk; AllPaths attaches one volume to all of "
        "them, so that the host sees one disk over several paths.",
    )
    spread: Annotated[tuple[Spread, ...], Items(8)] = Field(
        (), description="How the volumes are spread; all entries count."
    )


class OnDiskFailure(StrEnum):
    """What follows the failure of a disk."""

    NONE = "None"
    REASSIGN = "Reassign"


class StoragePoolSpec(Retained):
    """How a pool of volumes should be. Volumes that nobody declared are reported and stay."""

    chassis_ref: ObjectRef | None = Field(
        None, description="The Chassis that the volumes are in; for backend Chassis, and only there. Cannot be changed."
    )
    backend: Backend = Field(description="Where the volumes come from.")
    assign: Annotated[tuple[Assign, ...], Items(16, key="name")] = Field(
        (), description="Which nodes get volumes, by name."
    )
    on_disk_failure: OnDiskFailure = Field(
        OnDiskFailure.NONE,
        description="Reassign gives a node whose disk the chassis calls failed a new volume on another disk; "
        "the node then needs provisioning. None reports it.",
    )
    policy: PolicyOverride | None = Field(None, description=POLICY_OVERRIDE)
    approvals: Approvals = Field((), description=APPROVALS)

    rules: ClassVar[tuple[Rule["StoragePoolSpec"], ...]] = (
        Rule(
            cel="has(self.chassisRef) == (self.backend.type == 'Chassis')",
            message="chassisRef must be given for backend Chassis, and only for that.",
            holds=lambda it: (it.chassis_ref is not None) == (it.backend.type is BackendType.CHASSIS),
        ),
        Rule(
            cel="!has(self.assign) || self.assign.all(a, has(a.vdisks) == (self.backend.type == 'Chassis'))",
            message="an assignment takes vdisks for backend Chassis, and only for that.",
            holds=lambda it: all(bool(a.vdisks) == (it.backend.type is BackendType.CHASSIS) for a in it.assign),
        ),
        Rule(
            cel="self.onDiskFailure == 'None' || self.backend.type == 'Chassis'",
            message="onDiskFailure Reassign is for backend Chassis only; use None.",
            holds=lambda it: it.on_disk_failure is OnDiskFailure.NONE or it.backend.type is BackendType.CHASSIS,
        ),
    )
    fixed: ClassVar[tuple[Fixed, ...]] = (
        Fixed("chassisRef", "chassisRef cannot be changed; make another StoragePool."),
    )
