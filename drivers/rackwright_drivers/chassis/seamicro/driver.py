"""The driver of a SeaMicro SM15000 by its command line: the entry point `SeaMicro`.

It puts `render`, `script`, `parse` and the transport together and decides nothing itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar, get_args

from rackwright_drivers.chassis.seamicro import dialect, parse
from rackwright_drivers.chassis.seamicro.parameters import endpoint
from rackwright_drivers.chassis.seamicro.render import typed
from rackwright_drivers.chassis.seamicro.script import judge, scripts
from rackwright_drivers.chassis.seamicro.tables import TableError
from rackwright_drivers.chassis.seamicro.vlans import parse_network
from rackwright_drivers.contract.chassis import (
    Action,
    ActionResult,
    ChassisState,
    DriverContext,
    Outcome,
)
from rackwright_drivers.contract.errors import TransientError
from rackwright_drivers.contract.network import Network
from rackwright_drivers.contract.power import Server
from rackwright_drivers.contract.unknown import Unknown
from rackwright_drivers.transports.pace import Pace
from rackwright_drivers.transports.shell import ANYTHING, Command
from rackwright_drivers.transports.ssh_cli import SshCli, Timeouts

T = TypeVar("T")

_MOST_IN_A_BATCH = 64
_SHOWS = (
    dialect.SHOW_CHASSIS,
    dialect.SHOW_SERVERS,
    dialect.SHOW_SLOTS,
    dialect.SHOW_DISKS,
    dialect.SHOW_POOLS,
    dialect.SHOW_VOLUMES,
    dialect.SHOW_ASSIGNMENTS,
    dialect.SHOW_VLANS,
)


def connect(parameters: Mapping[str, object], context: DriverContext) -> "SeaMicro":
    """The entry point (`contract.chassis.Connect`): `parameters` is the manifest's `seaMicro` block."""
    limits = context.limits
    cli = SshCli(
        endpoint(parameters),
        context.credentials,
        dialect.SHELL,
        Pace(limits.commands_per_second),
        context.record,
        Timeouts(command=limits.command_timeout_seconds),
    )
    return SeaMicro(cli, context)


class SeaMicro:
    """A chassis over one session of its command line. Implements `ChassisDriver`."""

    def __init__(
        self, cli: SshCli, context: DriverContext, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Made by `connect`; `sleep` is for tests."""
        self._cli = cli
        self._context = context
        self._sleep = sleep

    @property
    def actions(self) -> frozenset[type[Action]]:
        """All of the contract."""
        return frozenset(get_args(Action))

    @property
    def max_batch(self) -> int:
        """About one second's worth, so that a burst never keeps the management plane for long."""
        return min(_MOST_IN_A_BATCH, max(1, int(self._context.limits.commands_per_second)))

    def commands(self, action: Action) -> tuple[str, ...]:
        """The lines of this action by itself, from exec mode and back. `execute` shares the way between neighbours."""
        return typed(action)

    async def observe(self) -> ChassisState:
        """All tables in one burst. One that cannot be told is Unknown with its reason."""
        lines = [dialect.SHOW.format(what=what) for what in _SHOWS]
        burst = await self._cli.run([Command(line, ANYTHING, leads_to=dialect.EXEC_MODE) for line in lines])
        if burst.error is not None:
            raise burst.error
        return _state({what: reply.output for what, reply in zip(_SHOWS, burst.replies, strict=True)})

    async def execute(self, actions: Sequence[Action]) -> tuple[ActionResult, ...]:
        """Do these in as few bursts as is safe; a burst after one that did not go well is not sent."""
        results: list[ActionResult] = []
        sent = False
        for script in scripts(actions):
            if any(result.outcome is not Outcome.DONE for result in results):
                results += [_not_sent(passage.action) for passage in script.passages]
                continue
            burst = await self._cli.run(script.commands, self._context.permit)
            sent = sent or burst.sent
            results += judge(script, burst)
        if sent:
            await self._sleep(self._context.limits.settle_seconds)
        return tuple(results)

    async def aclose(self) -> None:
        """End the session. Safe to call twice."""
        await self._cli.aclose()


def _not_sent(action: Action) -> ActionResult:
    why = TransientError(f"`{'`, `'.join(typed(action))}` was not sent: something before it did not go well.")
    return ActionResult(action, Outcome.NOT_SENT, why)


def _state(printed: Mapping[str, str]) -> ChassisState:
    servers = _part(parse.parse_servers, printed[dialect.SHOW_SERVERS])
    return ChassisState(
        identity=_part(parse.parse_identity, printed[dialect.SHOW_CHASSIS]),
        servers=servers,
        slots=_part(parse.parse_slots, printed[dialect.SHOW_SLOTS]),
        disks=_part(parse.parse_disks, printed[dialect.SHOW_DISKS]),
        pools=_part(parse.parse_pools, printed[dialect.SHOW_POOLS]),
        volumes=_part(parse.parse_volumes, printed[dialect.SHOW_VOLUMES]),
        attachments=_part(parse.parse_assignments, printed[dialect.SHOW_ASSIGNMENTS]),
        network=_network(printed[dialect.SHOW_VLANS], servers),
    )


def _network(printed: str, servers: Mapping[str, Server] | Unknown) -> Network | Unknown:
    if isinstance(servers, Unknown):
        return Unknown(f"The ports of the servers are not known: {servers.reason}")
    network = _part(lambda text: parse_network(text, servers), printed)
    if isinstance(network, Network) and network.default_vlan != dialect.DEFAULT_VLAN:
        return Unknown(
            f"The default VLAN is {network.default_vlan}: this driver knows how to move ports only where it is "
            f"{dialect.DEFAULT_VLAN}"
        )
    return network


def _part(parser: Callable[[str], T], printed: str) -> T | Unknown:
    """The parsed part, or Unknown with the reason; a refused command is one."""
    if printed.lstrip().startswith("%"):
        return Unknown(f"The device refused to show it: {' '.join(printed.split())}")
    try:
        return parser(printed)
    except TableError as error:
        return Unknown(str(error))
