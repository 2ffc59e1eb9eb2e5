"""The chassis drivers under test, each over its own simulated chassis: in process, and the true driver over SSH."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

from rackwright_drivers.chassis.seamicro.driver import connect
from rackwright_drivers.contract.chassis import (
    ChassisDriver,
    ChassisState,
    CommandRecord,
    Credentials,
    DriverContext,
    Limits,
)
from rackwright_drivers.contract.network import Network, PortVlans, Uplink
from rackwright_sim import store
from rackwright_sim.driver import SimChassis, Simulated
from rackwright_sim.faults import Faults
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Counters
from rackwright_sim.server import SimServer

LIMITS = Limits(commands_per_second=10_000, settle_seconds=0, command_timeout_seconds=30)
IMPATIENT = replace(LIMITS, command_timeout_seconds=0.5)
CREDENTIALS = Credentials("admin", "admin")


@dataclass
class Rig:
    """A driver and the chassis behind it. `permit` may be replaced; `records` is what the driver reported."""

    model: ChassisModel
    faults: Faults
    counters: Counters
    records: list[CommandRecord] = field(default_factory=list)
    permit: Callable[[], None] = lambda: None
    make: Callable[[DriverContext], ChassisDriver] | None = None

    def connect(self, credentials: Credentials = CREDENTIALS, limits: Limits = LIMITS) -> ChassisDriver:
        """A new driver of this chassis."""
        assert self.make is not None
        return self.make(DriverContext(credentials, limits, self.records.append, lambda: self.permit()))


@asynccontextmanager
async def in_process(start: str) -> AsyncIterator[Rig]:
    """The simulator's own face."""
    chassis = Simulated(store.open_model(start, None), credentials=CREDENTIALS)
    rig = Rig(chassis.model, chassis.faults, chassis.recorder.counters)
    rig.make = lambda context: SimChassis(chassis, context)
    yield rig


@asynccontextmanager
async def wire(start: str, *, user_mode: bool = False) -> AsyncIterator[Rig]:
    """The SeaMicro driver against the simulator's SSH face."""
    async with SimServer(start=start, user_mode=user_mode) as server:
        rig = Rig(server.model, server.faults, server.counters)
        cli = {"host": "127.0.0.1", "port": server.port, "hostKeys": [server.host_key]}
        rig.make = lambda context: connect({"cli": cli}, context)
        yield rig


RIGS: Mapping[str, Callable[[str], AbstractAsyncContextManager[Rig]]] = {"in-process": in_process, "wire": wire}


def comparable(state: ChassisState) -> ChassisState:
    """Without uplinks that are as the factory left them: a chassis need not show those."""
    network = state.network
    if not isinstance(network, Network):
        return state
    plain = PortVlans(network.default_vlan)
    ports = {port: vlans for port, vlans in network.ports.items() if not (isinstance(port, Uplink) and vlans == plain)}
    return replace(state, network=replace(network, ports=ports))
