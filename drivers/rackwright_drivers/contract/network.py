"""VLANs of a chassis and which of its ports are in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Nic(NamedTuple):
    """A server's network interface, as a port of the chassis' fabric. Prints as `12/0 nic 1`."""

    server: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks of a port

    def __str__(self) -> str:
        return f"{self.server} nic {self.index}"


class Uplink(NamedTuple):
    """A port that leaves the chassis, by the chassis' own name: `te 0/1`."""

    port: str

    def __str__(self) -> str:
        return self.port


Port = Nic | Uplink


@dataclass(frozen=True, slots=True)
class PortVlans:
    """The VLANs of one port. `untagged` is None where untagged traffic is dropped: the port is isolated."""

    untagged: int | None
    tagged: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Network:
    """All VLANs that exist (the default one too) and, for every port of the chassis, those it is in.

    An uplink that is untagged in the default VLAN and in no other may be missing: a chassis need not show it.
    """

    default_vlan: int
    vlans: frozenset[int]
    ports: Mapping[Port, PortVlans]

    def of(self, port: Port) -> PortVlans | None:
        """The VLANs of a port; an uplink that is not shown is in the default VLAN, a NIC that is not shown is not there."""
        return self.ports.get(port) or (PortVlans(self.default_vlan) if isinstance(port, Uplink) else None)


@dataclass(frozen=True, slots=True)
class CreateVlan:
    """Make a VLAN known to the chassis; no port is in it yet."""

    vlan: int


@dataclass(frozen=True, slots=True)
class SetPort:
    """Bring one port from exactly `before` to `after`. Every VLAN named exists."""

    port: Port
    before: PortVlans
    after: PortVlans
