"""A chassis as the core sees it: one state, the actions that change it, and the driver that reads and does them.

A driver is found by entry point (group `rackwright.chassis`); the entry is a function of the type `Connect`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rackwright_drivers.contract.errors import DriverError
from rackwright_drivers.contract.network import CreateVlan, Network, SetPort
from rackwright_drivers.contract.power import Server, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    Attached,
    AttachRange,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    Disk,
    Pool,
    PoolId,
    SetManagementMode,
    Slot,
    VDisk,
    Volume,
    VolumeId,
)
from rackwright_drivers.contract.unknown import Unknown

Action = (
    SetManagementMode
    | ClearMetadata
    | CreatePool
    | CreateVolumes
    | DeleteVolumes
    | DeletePool
    | Attach
    | AttachRange
    | Detach
    | CreateVlan
    | SetPort
    | SetPower
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a chassis is: claims and journals go by its serial, never by its address."""

    serial: str
    model: str


@dataclass(frozen=True, slots=True)
class ChassisState:
    """What a chassis shows, or what it should show: the same type, so that a plan is the difference of two.

    Observed, every part is whole or Unknown with the reason (a table whose rows differ from its own count is Unknown).
    Wanted, a part holds only what was declared; a vdisk that must be empty is there with None.
    """

    identity: Identity | Unknown
    servers: Mapping[str, Server] | Unknown
    slots: Mapping[int, Slot] | Unknown
    disks: Mapping[str, Disk] | Unknown
    pools: Mapping[PoolId, Pool] | Unknown
    volumes: Mapping[VolumeId, Volume] | Unknown
    attachments: Mapping[VDisk, Attached | None] | Unknown
    network: Network | Unknown


class Outcome(StrEnum):
    """How one action ended."""

    DONE = "Done"  # the device took it without complaint
    FAILED = "Failed"  # the device refused it: nothing happened
    UNCLEAR = "Unclear"  # it may have happened, wholly or in part: observe before anything else
    NOT_SENT = "NotSent"  # it never left: something before it failed


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of one action; `error` says why it is not DONE."""

    action: Action
    outcome: Outcome
    error: DriverError | None = None


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """One device command, for the journal. `action` is None for a read; `output` never holds a secret."""

    command: str
    output: str
    seconds: float
    action: Action | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in. `repr` never shows the password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a management plane bears: commands a second, seconds to settle after a change, seconds for one command."""

    commands_per_second: float = 5.0
    settle_seconds: float = 2.0
    command_timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What the core hands a driver when it makes one.

    `record` is called once a command, after it. `permit` is called just before anything that changes the device is sent;
    it raises ConflictError when this process may no longer act.
    """

    credentials: Credentials
    limits: Limits
    record: Callable[[CommandRecord], None]
    permit: Callable[[], None]


class ChassisDriver(Protocol):
    """Reads a chassis and acts on it, in one session. Not for concurrent use: the core holds the endpoint's lock."""

    @property
    def actions(self) -> frozenset[type[Action]]:
        """The actions that this device can do; the planner uses no other."""

    @property
    def max_batch(self) -> int:
        """How many actions one call of `execute` may hold, at least 1."""

    def commands(self, action: Action) -> tuple[str, ...]:
        """The exact device commands of an action, with nothing sent (pure)."""

    async def observe(self) -> ChassisState:
        """Read everything and change nothing. Parts that cannot be told are Unknown; no answer at all is an error.

        Raises TransientError (away, slow), CredentialsRefusedError, PermanentError (a host key that is not the pinned
        one, say).
        """

    async def execute(self, actions: Sequence[Action]) -> tuple[ActionResult, ...]:
        """Do these, in order, in one round trip where the device can; one result an action, and no exception.

        Nothing more is sent after the first that fails; what shares its round trip is sent already, and each result
        tells what became of its own action. Returns after the device has settled.
        """

    async def aclose(self) -> None:
        """End the session. Safe to call twice."""


class Connect(Protocol):
    """The entry point of a chassis driver: checks its parameters and makes a driver; connects only when used."""

    def __call__(self, parameters: Mapping[str, object], context: DriverContext) -> ChassisDriver:
        """PermanentError names the parameter, its value and the remedy when one is wrong."""
