"""Management endpoints: one driver, one session and one lock each, however many objects lead to one device."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points

import structlog

from rackwright.api.chassis import ChassisSpec
from rackwright.core import metrics
from rackwright.core.journal import Entry, Journal
from rackwright.core.leadership import Leadership
from rackwright_drivers.contract.chassis import (
    Action,
    ActionResult,
    ChassisDriver,
    CommandRecord,
    Connect,
    Credentials,
    DriverContext,
    Limits,
)
from rackwright_drivers.contract.errors import PermanentError, UnsafeError

log = structlog.get_logger(__name__)

DRIVER_GROUP = "rackwright.chassis"


def installed_drivers() -> Mapping[str, Connect]:
    """The chassis drivers that are installed, by the name under which manifests ask for them."""
    return {entry.name: entry.load() for entry in entry_points(group=DRIVER_GROUP)}


@dataclass(slots=True)
class Context:
    """What the endpoint is being used for, so that the journal can say it."""

    object: str = ""
    purpose: str = "observe"
    why: str = ""


@dataclass
class Endpoint:
    """One device. Use it only while holding `lock`.

    From `quiet_from` on (time of the event loop) it shows all that another process did before this one began.
    """

    address: str
    driver: ChassisDriver
    fingerprint: str
    quiet_from: float
    journal: Journal
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    context: Context = field(default_factory=Context)

    async def execute(self, actions: Sequence[Action]) -> tuple[ActionResult, ...]:
        """Do these. UnsafeError, with nothing sent, where it cannot be written down that they are about to be done."""
        lines = "; ".join(line for action in actions for line in self.driver.commands(action))
        try:
            self.journal.write(_entry(self.address, self.context, "send", lines, "about to be sent"))
        except OSError as error:
            raise UnsafeError(
                f"The journal cannot be written ({error.strerror or error}), so nothing is sent to {self.address}: make "
                "room where it is kept."
            ) from error
        return await self.driver.execute(actions)


def _entry(address: str, context: Context, purpose: str, command: str, result: str) -> Entry:
    return Entry(address, context.object, purpose, context.why, command, result, seconds=0.0)


class Endpoints:
    """All endpoints of this process, made on first use and made anew when what leads to them changes."""

    def __init__(self, drivers: Mapping[str, Connect], journal: Journal, leadership: Leadership) -> None:
        self._drivers = drivers
        self._journal = journal
        self._leadership = leadership
        self._known: dict[str, Endpoint] = {}
        self._journal_fails = False

    async def of(self, spec: ChassisSpec, secret: Mapping[str, bytes]) -> Endpoint:
        """The endpoint of a chassis. PermanentError names the field that leads nowhere."""
        name, parameters = _hardware(spec)
        credentials = _credentials(spec, secret)
        address = _address(name, parameters)
        mark = hashlib.sha256(repr((name, parameters, spec.limits, sorted(secret.items()))).encode()).hexdigest()
        known = self._known.get(address)
        if known is not None and known.fingerprint == mark:
            return known
        context = known.context if known is not None else Context()
        driver = self._connect(name, parameters, credentials, spec, context, address)
        if known is None:
            quiet_from = asyncio.get_running_loop().time() + spec.limits.settle_seconds
            self._known[address] = endpoint = Endpoint(
                address, driver, mark, quiet_from, self._journal, context=context
            )
            return endpoint
        async with known.lock:
            await known.driver.aclose()
            known.driver, known.fingerprint = driver, mark
        return known

    def _connect(
        self,
        name: str,
        parameters: Mapping[str, object],
        credentials: Credentials,
        spec: ChassisSpec,
        context: Context,
        address: str,
    ) -> ChassisDriver:
        connect = self._drivers.get(name)
        if connect is None:
            there = ", ".join(sorted(self._drivers)) or "none"
            raise PermanentError(
                f"spec.hardware asks for the driver {name}, which is not installed; installed are: {there}. "
                "Install the package that brings it, or choose one of those."
            )
        limits = Limits(
            spec.limits.commands_per_second, spec.limits.settle_seconds, spec.limits.command_timeout_seconds
        )

        def record(command: CommandRecord) -> None:
            self._record(address, context, command)

        def permit() -> None:
            self._leadership.permit(limits.command_timeout_seconds)

        return connect(parameters, DriverContext(credentials, limits, record, permit))

    def _record(self, address: str, context: Context, command: CommandRecord) -> None:
        metrics.device_command(address, "read" if command.action is None else "change", command.error is None)
        reading = command.action is None
        purpose = "observe" if reading else "apply"
        entry = replace(
            _entry(address, context, purpose, command.command, command.error or "ok"),
            seconds=command.seconds,
            output="" if reading and command.error is None else command.output,
        )
        try:
            self._journal.write(entry)
        except OSError as error:  # it happened all the same, and what changes something was written down before
            if not self._journal_fails:
                log.error("the journal cannot be written", command=entry.command, error=str(error))
            self._journal_fails = True
        else:
            self._journal_fails = False

    def known(self) -> tuple[Endpoint, ...]:
        """The endpoints that were used so far."""
        return tuple(self._known.values())

    async def drop(self, address: str) -> None:
        """Nothing leads there any more: end its session."""
        metrics.forget_device(address)
        endpoint = self._known.pop(address, None)
        if endpoint is not None:
            async with endpoint.lock:
                await endpoint.driver.aclose()

    async def aclose(self) -> None:
        """End every session."""
        for endpoint in self._known.values():
            async with endpoint.lock:
                await endpoint.driver.aclose()


def _hardware(spec: ChassisSpec) -> tuple[str, Mapping[str, object]]:
    hardware = spec.hardware
    if hardware.external is not None:
        return hardware.external.driver, hardware.external.parameters
    block = hardware.sea_micro or hardware.redfish
    assert block is not None  # by validation
    return str(hardware.type), block.model_dump(mode="json", by_alias=True, exclude_none=True)


def _address(name: str, parameters: Mapping[str, object]) -> str:
    cli = parameters.get("cli")
    if isinstance(cli, Mapping):
        return f"{cli.get('host')}:{cli.get('port')}"
    return (
        f"{name}:{parameters.get('url') or hashlib.sha256(repr(sorted(parameters.items())).encode()).hexdigest()[:12]}"
    )


def _credentials(spec: ChassisSpec, secret: Mapping[str, bytes]) -> Credentials:
    name = spec.credentials_ref.name
    values = []
    for key in ("username", "password"):
        if key not in secret:
            raise PermanentError(f"Secret {name}, to which spec.credentialsRef refers, has no key {key}. Add it.")
        value = secret[key].decode("utf-8", "replace").strip("\r\n")
        if not value:
            raise PermanentError(
                f"Secret {name}, to which spec.credentialsRef refers, has nothing in {key}. Fill it in."
            )
        values.append(value)
    return Credentials(*values)
