"""Which cards were accepted into which set, and which of them changed since: those are held until a person approves.

What is on a card that comes from another set, was protected, or was put into the slot just now, nobody can tell: it counts
as provisioned. What the Chassis was first seen with is accepted as it is, so that an existing rack can be adopted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rackwright.core.chassis.rack import Rack
from rackwright.core.natural import natural
from rackwright.core.step import Change, fingerprint
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.power import Server
from rackwright_drivers.contract.unknown import Unknown

MACS_LENGTH = 16  # of the hash of a card's MAC addresses: enough to see that it is another card


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it was accepted: its set (None: in none, or the node was made by a person), protection, and MACs hashed."""

    node_set: str | None
    protected: bool
    macs: str

    @classmethod
    def parse(cls, item: Mapping[str, Any]) -> "Card":
        """From an entry of `status.cards`."""
        return cls(item.get("nodeSet"), item.get("protected", False), item["macs"])

    def entry(self, server: str) -> dict[str, Any]:
        """As an entry of `status.cards`."""
        found: dict[str, Any] = {"server": server, "macs": self.macs}
        if self.node_set is not None:
            found["nodeSet"] = self.node_set
        return found | ({"protected": True} if self.protected else {})


def changes(rack: Rack, observed: ChassisState) -> Mapping[str, Change]:
    """The cards with a node that are not what was accepted, or not where they were; by server, in natural order."""
    before = _accepted(rack)
    if before is None or isinstance(observed.servers, Unknown):
        return {}
    return _changes(rack, before, _shown(rack, observed.servers))


def _changes(rack: Rack, before: Mapping[str, Card], now: Mapping[str, Card]) -> Mapping[str, Change]:
    found: dict[str, Change] = {}
    for server in sorted(rack.by_server.keys() & now.keys(), key=natural):
        clause = _matters(server, before.get(server), now[server])
        if clause is not None:
            cards = [card and card.entry(server) for card in (before.get(server), now[server])]
            found[server] = Change(server, fingerprint(["card", server, *cards]), clause)
    return found


def remembered(rack: Rack, observed: ChassisState, approved: Iterable[str] = ()) -> list[dict[str, Any]] | None:
    """What `status.cards` should say: accepted cards as they are now, held ones as they were. None where nothing is known.

    `approved` are digests of changes that a person consented to.
    """
    before = _accepted(rack)
    if isinstance(observed.servers, Unknown):
        return None if before is None else _entries(before)
    now = _shown(rack, observed.servers)
    consent = set(approved)
    changed = {} if before is None else _changes(rack, before, now)
    held = {server for server, change in changed.items() if change.digest not in consent}
    cards = dict(before or {})
    for server, card in now.items():
        known = cards.get(server)
        undeclared = server not in rack.by_server and not card.protected
        if server in held or (undeclared and known is not None and known.macs == card.macs):
            continue  # a card that left its set keeps its past: it may come back into another
        cards[server] = card
    return _entries(cards)


def _entries(cards: Mapping[str, Card]) -> list[dict[str, Any]]:
    return [cards[server].entry(server) for server in sorted(cards, key=natural)]


def _accepted(rack: Rack) -> Mapping[str, Card] | None:
    """None where the Chassis was never seen before."""
    entries = rack.chassis.resource.status.get("cards")
    return None if entries is None else {item["server"]: Card.parse(item) for item in entries}


def _shown(rack: Rack, servers: Mapping[str, Server]) -> Mapping[str, Card]:
    """Every card that the chassis shows, as the manifests place it now."""
    return {
        server: Card(rack.set_of(server), server in rack.protected, _hash(found.macs))
        for server, found in servers.items()
    }


@lru_cache(maxsize=4096)  # the same cards at every look
def _hash(macs: tuple[str, ...]) -> str:
    return fingerprint(macs).removeprefix("sha256:")[:MACS_LENGTH]


def _matters(server: str, before: Card | None, after: Card) -> str | None:
    """What a person should know about it; None where the card may be used as it is."""
    if before is None:
        return f"{server} was newly inserted"
    if before.macs != after.macs:
        return f"{server} is another card than before, by its MAC addresses"
    if before.protected:
        return f"{server} was in spec.protectedServers"
    if before.node_set not in (None, after.node_set):
        return f"{server} was in the set {before.node_set} and is in {after.node_set or 'no set'} now"
    return None
