"""One mechanism for all that is exclusive: a disk, a card, a vdisk, a chassis, an address, a VRID on a segment.

A claim says that an object wants a thing for itself. Settling is a pure function of all claims: the holder keeps what it
has, else the oldest object wins, else the first by name; every loser learns with whom it is in conflict.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rackwright.core.resource import Ref
from rackwright_drivers.contract.errors import ConflictError


class ClaimLostError(ConflictError):
    """Another object has what this one wants. Nothing is done until a person removes one of the two."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`owner` wants `thing` (`disk JBOD2/6`, `server 12/0`) for itself. `created` is its age, RFC 3339.

    `holds` says that the device shows the thing in the owner's hands already.
    """

    thing: str
    owner: Ref
    created: str
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """Who has what, and who lost it to whom."""

    winners: Mapping[str, Ref]
    losers: Mapping[Ref, Mapping[str, Ref]]

    @property
    def contests(self) -> Iterator[tuple[Ref, Ref, str]]:
        """Every winner with each of its rivals, and the thing: both are to be told."""
        for loser, things in self.losers.items():
            for thing, winner in things.items():
                yield winner, loser, thing

    def lost(self, owner: Ref, thing: str) -> Ref | None:
        """Who has the thing instead of this owner, or None where the owner did not lose it."""
        return self.losers.get(owner, {}).get(thing)


def settle(claims: Iterable[Claim]) -> Settled:
    """Name one winner a thing, and for every loser the winner."""
    by_thing: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_thing[claim.thing].append(claim)
    winners: dict[str, Ref] = {}
    losers: dict[Ref, dict[str, Ref]] = defaultdict(dict)
    for thing, rivals in by_thing.items():
        ranked = sorted(rivals, key=lambda claim: (not claim.holds, claim.created, claim.owner))
        winners[thing] = ranked[0].owner
        for claim in ranked[1:]:
            if claim.owner != ranked[0].owner:
                losers[claim.owner][thing] = ranked[0].owner
    return Settled(winners, losers)
