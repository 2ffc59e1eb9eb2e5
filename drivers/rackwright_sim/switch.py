"""The switch of the simulated chassis: which VLANs exist and which ports are in them."""

from collections.abc import Iterable

from rackwright_drivers.contract.network import Nic, Port, PortVlans, Uplink
from rackwright_sim.changes import Changes
from rackwright_sim.fabric import NICS
from rackwright_sim.refusals import Refusal
from rackwright_sim.startfile import PortEntry
from rackwright_sim.startfile import Switch as SwitchStart


def port_name(port: Port) -> str:
    """As the chassis writes it: `srv 12/0/1` or `te 0/1`."""
    return port.port if isinstance(port, Uplink) else f"srv {port.server}/{port.index}"


class Switch:
    """`vlans` holds all that exist, the default one too; `ports` has every port of the chassis."""

    def __init__(self, start: SwitchStart, servers: Iterable[str], changes: Changes) -> None:
        self._changes = changes
        self.default_vlan = start.default_vlan
        self.uplinks = start.uplinks
        self.vlans = {start.default_vlan, *start.vlans}
        plain = PortVlans(start.default_vlan)
        self.ports: dict[Port, PortVlans] = {Uplink(name): plain for name in start.uplinks}
        self.ports.update({Nic(server, index): plain for server in servers for index in range(NICS)})
        for entry in start.ports:
            self.ports[_port(entry)] = PortVlans(entry.untagged, frozenset(entry.tagged))

    def create_vlan(self, vlan: int) -> None:
        """Make a VLAN; one that exists stays."""
        if not 1 <= vlan <= 4094:
            raise Refusal(f"Invalid VLAN '{vlan}'")
        with self._changes.change():
            self.vlans.add(vlan)

    def add_untagged(self, port: Port, vlan: int) -> None:
        """Put a port that is in the default VLAN, or dropped, untagged into a VLAN."""
        now = self._port_and_vlan(port, vlan)
        if now.untagged == vlan:
            return
        if now.untagged not in (None, self.default_vlan):
            raise Refusal(f"Port {port_name(port)} is untagged in VLAN {now.untagged}")
        if vlan in now.tagged:
            raise Refusal(f"Port {port_name(port)} is tagged in VLAN {vlan}")
        self._set(port, PortVlans(vlan, now.tagged))

    def remove_untagged(self, port: Port, vlan: int) -> None:
        """Take a port out: back to the default VLAN, or from that to dropping what comes untagged."""
        now = self._port_and_vlan(port, vlan)
        if now.untagged != vlan:
            raise Refusal(f"Port {port_name(port)} is not untagged in VLAN {vlan}")
        self._set(port, PortVlans(None if vlan == self.default_vlan else self.default_vlan, now.tagged))

    def add_tagged(self, port: Port, vlan: int) -> None:
        """Put a port tagged into a VLAN that it is not untagged in."""
        now = self._port_and_vlan(port, vlan)
        if vlan == now.untagged:
            raise Refusal(f"Port {port_name(port)} is untagged in VLAN {vlan}")
        self._set(port, PortVlans(now.untagged, now.tagged | {vlan}))

    def remove_tagged(self, port: Port, vlan: int) -> None:
        """Take a port out of a VLAN that it is tagged in."""
        now = self._port_and_vlan(port, vlan)
        if vlan not in now.tagged:
            raise Refusal(f"Port {port_name(port)} is not tagged in VLAN {vlan}")
        self._set(port, PortVlans(now.untagged, now.tagged - {vlan}))

    def require(self, port: Port) -> Port:
        """The port, or a refusal where the chassis has none of that name."""
        if port not in self.ports:
            raise Refusal(f"No port '{port_name(port)}'")
        return port

    def saved(self) -> SwitchStart:
        """As a start file has it."""
        plain = PortVlans(self.default_vlan)
        return SwitchStart(
            default_vlan=self.default_vlan,
            vlans=tuple(sorted(self.vlans - {self.default_vlan})),
            uplinks=self.uplinks,
            ports=tuple(_entry(port, vlans) for port, vlans in self.ports.items() if vlans != plain),
        )

    def _port_and_vlan(self, port: Port, vlan: int) -> PortVlans:
        self.require(port)
        if vlan not in self.vlans:
            raise Refusal(f"VLAN {vlan} does not exist")
        return self.ports[port]

    def _set(self, port: Port, vlans: PortVlans) -> None:
        with self._changes.change():
            self.ports[port] = vlans


def _port(entry: PortEntry) -> Port:
    if entry.server is not None and entry.nic is not None:
        return Nic(entry.server, entry.nic)
    return Uplink(entry.uplink or "")


def _entry(port: Port, vlans: PortVlans) -> PortEntry:
    tagged = tuple(sorted(vlans.tagged))
    if isinstance(port, Uplink):
        return PortEntry(uplink=port.port, untagged=vlans.untagged, tagged=tagged)
    return PortEntry(server=port.server, nic=port.index, untagged=vlans.untagged, tagged=tagged)
