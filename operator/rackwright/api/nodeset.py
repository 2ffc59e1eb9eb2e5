"""Node sets: which servers of a chassis become ComputeNodes, and what those are like."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rackwright.api.common import InterfaceAddress, Name, Network, ServerId
from rackwright.api.compute_node import NodeTemplate
from rackwright.api.schema import ApiModel, Free, Items, Keys, Rule, Text, exactly_one, finds_none, repeated

IDENTITY = ("chassisRef", "server")
"""What an override may not touch: which server a node is."""

_INTERFACE = Text(15, r"^[a-zA-Z][a-zA-Z0-9._-]*$", "an interface, such as bond0", 1)
_ADDRESSES = "Addresses by interface; the key management stands for the interface that network.management names."


class Member(ApiModel):
    """One server of a set, and what is its own."""

    server: ServerId = Field(description="The server as its chassis names it, such as 12/0.")
    name: Name = Field(description="Name of its ComputeNode.")
    addresses: Annotated[dict[str, InterfaceAddress], Keys(32, _INTERFACE)] = Field(default={}, description=_ADDRESSES)


class HostNumber(StrEnum):
    """Where the host part of an address comes from."""

    CARD = "Card"


class AddressRange(ApiModel):
    """An address for every server, counted within a network."""

    network: Network = Field(description="The network that the addresses are in, such as 10.10.1.0/24.")
    host: HostNumber = Field(
        HostNumber.CARD,
        description="What the host part is: Card is the number of the card, so that 2/0 becomes 10.10.1.2.",
    )


class Remaining(ApiModel):
    """Every server that no other set names and that is not protected, named by its card."""

    name_prefix: Annotated[
        str, Text(50, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "the beginning of a name, such as compute", 1)
    ] = Field(description="The ComputeNode of card 2/0 is called PREFIX-2: by card, never by ordinal.")
    addresses: Annotated[dict[str, AddressRange], Keys(32, _INTERFACE)] = Field(default={}, description=_ADDRESSES)


_PATCH = Free(
    64,
    declared={
        "chassisRef": {
            "type": "object",
            "maxProperties": 64,
            "x-kubernetes-preserve-unknown-fields": True,
            "description": "Refused: which chassis a node is in follows from where it is declared.",
        },
        "server": {"type": "string", "maxLength": 63, "description": "Refused: it is the key of the override."},
    },
)


class Override(ApiModel):
    """What one server of the set has of its own."""

    server: ServerId = Field(description="The server as its chassis names it, such as 12/0.")
    spec: Annotated[dict[str, Any], _PATCH] = Field(
        description="A JSON merge patch (RFC 7386) over the stamped spec of the ComputeNode: objects are merged, null "
        "removes a field, lists are replaced whole. chassisRef and server may not be in it.",
    )

    rules: ClassVar[tuple[Rule["Override"], ...]] = (
        Rule(
            cel="!has(self.spec.chassisRef) && !has(self.spec.server)",
            message="an override may not change which server a node is; take chassisRef and server out of its spec.",
            holds=lambda it: not any(name in it.spec for name in IDENTITY),
        ),
    )


class NodeSet(ApiModel):
    """Servers that are alike: exactly one of `members` and `remaining` says which."""

    name: Name = Field(description="Name of the set; its nodes carry it as the label rackwright.dev/node-set.")
    members: Annotated[tuple[Member, ...], Items(128, key="server", least=1)] = Field(
        (), description="The servers of the set, by server."
    )
    remaining: Remaining | None = Field(
        None, description="Instead of members: every server that no other set names and that is not protected."
    )
    template: NodeTemplate = Field(description="What the nodes of the set have in common.")
    overrides: Annotated[tuple[Override, ...], Items(128, key="server")] = Field(
        (), description="What differs for single servers, by server."
    )

    rules: ClassVar[tuple[Rule["NodeSet"], ...]] = (
        exactly_one("members", "remaining"),
        finds_none(
            cel="!has(self.members) || self.members.all(a, self.members.exists_one(b, b.name == a.name))",
            message="two members have the same name; give each a name of its own.",
            found=lambda it: repeated(member.name for member in it.members),
        ),
        finds_none(
            cel="!has(self.members) || !has(self.overrides) || "
            "self.overrides.all(o, self.members.exists(m, m.server == o.server))",
            message="an override is for a server that is not a member of the set; add it or correct the server.",
            found=lambda it: _overridden(it) - {member.server for member in it.members} if it.members else (),
        ),
    )


def _overridden(node_set: NodeSet) -> set[str]:
    return {override.server for override in node_set.overrides}
