"""Server cards of the simulated chassis: NICs, power, descriptions and the bonds their hosts run."""

from collections.abc import Callable, Sequence

from rackwright_drivers.contract.power import Power
from rackwright_sim.changes import Changes
from rackwright_sim.fabric import NICS, card_of, mac
from rackwright_sim.refusals import Refusal
from rackwright_sim.settling import Settling
from rackwright_sim.startfile import Bond, Cards


class Servers:
    """`macs` and `power` by server id; `bonds` are groups of NICs that a host bundles while it runs."""

    def __init__(self, cards: Cards, changes: Changes, settle_seconds: float, clock: Callable[[], float]) -> None:
        self._changes = changes
        self._cards = cards
        self.macs = {server: tuple(mac(server, nic) for nic in range(NICS)) for server in cards.servers}
        power = {server: Power.ON if server in cards.running else Power.OFF for server in cards.servers}
        self.power = Settling[str, Power](power, settle_seconds, clock)
        self.descriptions = dict(cards.descriptions)
        self.bonds = list(cards.bonds)

    @property
    def cpu(self) -> str:
        """What the chassis prints of the processor."""
        return self._cards.cpu

    @property
    def memory(self) -> str:
        """What the chassis prints of the memory."""
        return self._cards.memory

    def require(self, server: str) -> str:
        """The server, or a refusal where the bay is empty."""
        if server not in self.macs:
            raise Refusal(f"No server '{server}'")
        return server

    def set_power(self, servers: Sequence[str], power: Power) -> None:
        """Switch servers on or off; one that is so already stays."""
        for server in servers:
            self.require(server)
        with self._changes.change():
            for server in self._changes.units(servers):
                self.power.put(server, power)

    def describe(self, server: str, text: str) -> None:
        """Write a note beside a server; an empty one takes it away."""
        self.require(server)
        with self._changes.change():
            if text:
                self.descriptions[server] = text
            else:
                self.descriptions.pop(server, None)

    def bundle(self, server: str, groups: Sequence[Sequence[int]]) -> None:
        """What the operating system of this host bonds by LACP, as groups of NICs: nothing the chassis decides."""
        self.require(server)
        with self._changes.change():
            others = [bond for bond in self.bonds if bond.server != server]
            self.bonds = [*others, *(Bond(server=server, nics=tuple(nics)) for nics in groups)]

    def saved(self) -> Cards:
        """As a start file has them."""
        running = tuple(server for server, power in self.power.items() if power is Power.ON)
        descriptions = dict(sorted(self.descriptions.items(), key=lambda entry: card_of(entry[0])))
        return self._cards.model_copy(
            update={"running": running, "descriptions": descriptions, "bonds": tuple(self.bonds)}
        )
