"""Which VLANs a port is in: the same words for the uplinks of a chassis and the NICs of a server."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rackwright.api.common import Name, NicIndex, VlanId
from rackwright.api.schema import ApiModel, Items, Rule, exactly_one


class PortVlan(StrEnum):
    """What a port does with untagged traffic when it is in no VLAN of ours."""

    DEFAULT = "Default"
    ISOLATED = "Isolated"


_UNTAGGED = "The VLAN of untagged traffic."
_VLAN = "Instead of untagged: Default is the default VLAN of the chassis; Isolated drops untagged traffic."
_TAGGED = "VLANs whose traffic the port carries with a tag."

_PORT_RULES: tuple[Rule["PortVlans"], ...] = (
    exactly_one("untagged", "vlan"),
    Rule(
        cel="!has(self.untagged) || !has(self.tagged) || !(self.untagged in self.tagged)",
        message="a VLAN is either untagged or tagged on a port; take it out of one of the two.",
        holds=lambda it: it.untagged not in it.tagged,
    ),
)


class PortVlans(ApiModel):
    """The VLANs of a port: exactly one of `untagged` and `vlan`, and any that are tagged."""

    untagged: VlanId | None = Field(None, description=_UNTAGGED)
    vlan: PortVlan | None = Field(None, description=_VLAN)
    tagged: Annotated[tuple[VlanId, ...], Items(64, unique=True)] = Field((), description=_TAGGED)

    rules: ClassVar[tuple[Rule["PortVlans"], ...]] = _PORT_RULES

    @property
    def named_vlans(self) -> frozenset[int]:
        """The VLANs that this port needs to exist."""
        return frozenset(self.tagged) | (frozenset() if self.untagged is None else {self.untagged})


class NicGroup(PortVlans):
    """NICs of a server that are in the same VLANs."""

    name: Name = Field(description="Name of the group; bonds refer to it.")
    indexes: Annotated[tuple[NicIndex, ...], Items(32, unique=True, least=1)] = Field(
        description="The NICs, by the chassis' own numbers from 0."
    )
    tagged: Annotated[tuple[VlanId, ...], Items(32, unique=True)] = Field((), description=_TAGGED)
