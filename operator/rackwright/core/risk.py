"""What an action could cost. Pure: the same action on the same observed state always has the same risk."""

from enum import IntEnum
from typing import assert_never

from rackwright_drivers.contract.chassis import Action, ChassisState
from rackwright_drivers.contract.network import CreateVlan, Nic, SetPort
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    SetManagementMode,
)
from rackwright_drivers.contract.unknown import Unknown


class Risk(IntEnum):
    """Ordered: a batch is as risky as its riskiest action."""

    SAFE = 0
    DISRUPTIVE = 1  # something that serves would stop serving
    DESTRUCTIVE = 2  # data, or the way to the rack, may be lost

    @property
    def word(self) -> str:
        """As the API writes it."""
        return self.name.capitalize()


def proved_off(state: ChassisState, server: str) -> bool:
    """Whether the chassis says, beyond doubt, that this server is off. A server it does not list is not proved off."""
    if isinstance(state.servers, Unknown):
        return False
    found = state.servers.get(server)
    return found is not None and found.power is Power.OFF


def hinges_on_power(action: Action) -> bool:
    """Whether this could lose data the moment that somebody switches a server on."""
    return isinstance(action, Detach)


def risk_of(action: Action, state: ChassisState) -> Risk:
    """The risk of doing this now, given what was observed."""
    match action:
        case SetManagementMode() | ClearMetadata() | DeleteVolumes() | DeletePool():
            return Risk.DESTRUCTIVE
        case CreatePool() | CreateVolumes() | Attach() | AttachRange() | CreateVlan():
            return Risk.SAFE
        case Detach(servers=servers):
            return Risk.SAFE if all(proved_off(state, server) for server in servers) else Risk.DESTRUCTIVE
        case SetPort(port=Nic() as nic):
            return Risk.SAFE if proved_off(state, nic.server) else Risk.DISRUPTIVE
        case SetPort():
            return Risk.DESTRUCTIVE  # an uplink may be our own path to the rack
        case SetPower(power=power):
            return Risk.DISRUPTIVE if power is Power.OFF else Risk.SAFE
    assert_never(action)
