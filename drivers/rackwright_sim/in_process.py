"""The in-process face: the contract straight over the model, by the same rules as the command line and no others."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TypeVar, get_args

from rackwright_drivers.contract.chassis import (
    Action,
    ActionResult,
    ChassisState,
    CommandRecord,
    Credentials,
    DriverContext,
    Outcome,
)
from rackwright_drivers.contract.errors import CredentialsRefusedError, DriverError, PermanentError, TransientError
from rackwright_drivers.contract.unknown import Unknown
from rackwright_sim import reading
from rackwright_sim.actions import apply, texts
from rackwright_sim.commands import Kind
from rackwright_sim.faults import Fault, FaultKind, Faults, first
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Recorder
from rackwright_sim.refusals import Interrupted, Refusal

T = TypeVar("T")
MAX_BATCH = 16
_NAME = "in-process"
_INSTEAD = (FaultKind.DROP, FaultKind.HANG, FaultKind.ERROR)


@dataclass(slots=True)
class Simulated:
    """A chassis that lives in this process: drivers come and go, it stays.

    In its recorder an action counts as one configuration command, a part of the state as one show, and a call as one
    round trip. With `credentials`, others are refused.
    """

    model: ChassisModel
    faults: Faults = field(default_factory=Faults)
    recorder: Recorder = field(default_factory=Recorder)
    credentials: Credentials | None = None


class _ConnectionLostError(TransientError):
    """A fault took the connection: what follows begins a new one."""


class SimChassis:
    """A ChassisDriver over a simulated chassis in this process. Not for concurrent use, like every driver."""

    max_batch = MAX_BATCH
    actions: frozenset[type[Action]] = frozenset(get_args(Action))

    def __init__(self, chassis: ChassisModel | Simulated, context: DriverContext) -> None:
        self._chassis = chassis if isinstance(chassis, Simulated) else Simulated(chassis)
        self._context = context
        self._connected = False
        self._last_command = float("-inf")

    def commands(self, action: Action) -> tuple[str, ...]:
        """What a person would type for it."""
        return texts(action, self._chassis.model.switch.default_vlan)

    async def observe(self) -> ChassisState:
        """All parts as the chassis shows them now, each Unknown where a fault garbled it."""
        self._connect()
        self._chassis.recorder.counters.round_trips += 1
        try:
            return ChassisState(
                identity=await self._read(reading.identity),
                servers=await self._read(reading.servers),
                slots=await self._read(reading.slots),
                disks=await self._read(reading.disks),
                pools=await self._read(reading.pools),
                volumes=await self._read(reading.volumes),
                attachments=await self._read(reading.attachments),
                network=await self._read(reading.network),
            )
        except _ConnectionLostError:
            self._connected = False
            raise

    async def execute(self, actions: Sequence[Action]) -> tuple[ActionResult, ...]:
        """One after the other, up to the first that fails; then waits until the device has settled."""
        try:
            self._connect()
        except DriverError as error:
            return tuple(ActionResult(action, Outcome.NOT_SENT, error) for action in actions)
        self._chassis.recorder.counters.round_trips += 1
        results: list[ActionResult] = []
        for action in actions:
            if results and results[-1].outcome is not Outcome.DONE:
                why = TransientError(f"'{'; '.join(self.commands(action))}' was not sent: one before it failed")
                results.append(ActionResult(action, Outcome.NOT_SENT, why))
            else:
                results.append(await self._do(action))
        if any(result.outcome is not Outcome.NOT_SENT for result in results):
            await asyncio.sleep(self._context.limits.settle_seconds)
        return tuple(results)

    async def aclose(self) -> None:
        """The next use connects again."""
        self._connected = False

    def _connect(self) -> None:
        if self._connected:
            return
        counters = self._chassis.recorder.counters
        if self._chassis.faults.strike_connection():
            counters.connections_refused += 1
            raise TransientError("the simulated chassis refused the connection")
        counters.connections += 1
        if self._chassis.credentials not in (None, self._context.credentials):
            counters.authentications_failed += 1
            raise CredentialsRefusedError("the simulated chassis refused the username and password of the Secret.")
        self._connected = True

    async def _read(self, part: Callable[[ChassisModel], T]) -> T | Unknown:
        command = reading.COMMANDS[part]
        faults = await self._begin(command, Kind.SHOW)
        began = time.monotonic()
        value = self._shown(part, command, faults)
        if isinstance(value, DriverError):
            await self._wait_in_vain(faults)
        error = str(value) if isinstance(value, DriverError) else value.reason if isinstance(value, Unknown) else None
        self._context.record(CommandRecord(command, "", time.monotonic() - began, error=error))
        self._note(command, Kind.SHOW, error)
        if isinstance(value, DriverError):
            raise value
        return value

    def _shown(
        self, part: Callable[[ChassisModel], T], command: str, faults: Sequence[Fault]
    ) -> T | Unknown | DriverError:
        instead = first(faults, *_INSTEAD)
        if instead is not None and instead.kind is FaultKind.ERROR:
            return Unknown(f"the chassis answered '{command}' with '{instead.text}'")
        if instead is not None:
            return _ConnectionLostError(f"the chassis gave no answer to '{command}' ({instead.kind})")
        if first(faults, FaultKind.LOSE_ROWS, FaultKind.CUT_OUTPUT):
            return Unknown(f"the rows of '{command}' differ from its own count")
        return part(self._chassis.model)

    async def _do(self, action: Action) -> ActionResult:
        command = "; ".join(self.commands(action))
        try:
            self._connect()
            self._context.permit()
        except DriverError as refused:
            return ActionResult(action, Outcome.NOT_SENT, refused)
        faults = await self._begin(command, Kind.CONFIGURATION)
        began = time.monotonic()
        result = self._act(action, command, faults)
        if isinstance(result.error, _ConnectionLostError):
            await self._wait_in_vain(faults)
            self._connected = False
        said = None if result.error is None else str(result.error)
        self._context.record(CommandRecord(command, "", time.monotonic() - began, action, said))
        self._note(command, Kind.CONFIGURATION, said)
        return result

    def _act(self, action: Action, command: str, faults: Sequence[Fault]) -> ActionResult:
        before, after = first(faults, *_INSTEAD, when="before"), first(faults, *_INSTEAD, when="after")
        half = first(faults, FaultKind.HALF)
        if before is not None:
            return _faulted(action, command, before)
        try:
            with self._chassis.model.changes.cut_after(half.units) if half else nullcontext():
                apply(self._chassis.model, action)
        except Refusal as refusal:
            why = PermanentError(f"the chassis refused '{command}': {refusal.text}.")
            return ActionResult(action, Outcome.UNCLEAR if refusal.partial else Outcome.FAILED, why)
        except Interrupted:
            assert half is not None  # nothing else cuts an action short, and it tells below what became of it
        if half is not None:
            return _faulted(action, command, half)
        return ActionResult(action, Outcome.DONE) if after is None else _faulted(action, command, after)

    async def _begin(self, command: str, kind: Kind) -> tuple[Fault, ...]:
        """Space it from the one before, and let latency pass."""
        loop = asyncio.get_running_loop()
        due = self._last_command + 1 / self._context.limits.commands_per_second
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        self._last_command = loop.time()
        self._chassis.recorder.counters.commands[kind] += 1
        faults = self._chassis.faults.strike(command)
        for fault in faults:
            if fault.kind is FaultKind.LATENCY:
                await asyncio.sleep(fault.seconds)
        return faults

    async def _wait_in_vain(self, faults: Sequence[Fault]) -> None:
        if first(faults, FaultKind.HANG):
            await asyncio.sleep(self._context.limits.command_timeout_seconds)

    def _note(self, command: str, kind: Kind, error: str | None) -> None:
        self._chassis.recorder.note(_NAME, command, kind, "failed" if error else "done", error or "")


def _faulted(action: Action, command: str, fault: Fault) -> ActionResult:
    """What a client can tell of an action that a fault struck: an error reply is a refusal, all else is unclear."""
    told = fault.kind is FaultKind.ERROR or (fault.kind is FaultKind.HALF and fault.then == "error")
    if not told:
        why = f"the chassis gave no answer to '{command}' ({fault.kind} {fault.when} effect)"
        return ActionResult(action, Outcome.UNCLEAR, _ConnectionLostError(why))
    # An error reply after something happened looks to the client like any other; it cannot know that nothing did.
    certain = fault.kind is FaultKind.ERROR and fault.when == "before"
    error = PermanentError(f"the chassis refused '{command}': {fault.text}.")
    return ActionResult(action, Outcome.FAILED if certain else Outcome.UNCLEAR, error)
