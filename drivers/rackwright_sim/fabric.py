"""The fabric of the chassis: in which order its cards sit on it, and the MACs that follow. Used by model and tables."""

from typing import Final

FABRIC_ORDER: Final[tuple[int, ...]] = (
    *(0, 1, 17, 16, 32, 33, 49, 48, 2, 3, 19, 18, 34, 35, 51, 50),
    *(6, 7, 23, 22, 38, 39, 55, 54, 10, 11, 27, 26, 42, 43, 59, 58),
    *(14, 15, 31, 30, 46, 47, 63, 62, 12, 13, 29, 28, 44, 45, 61, 60),
    *(8, 9, 25, 24, 40, 41, 57, 56, 4, 5, 21, 20, 36, 37, 53, 52),
)
_PLACE: Final = {card: place for place, card in enumerate(FABRIC_ORDER)}
CARDS: Final = len(FABRIC_ORDER)
NICS: Final = 8


def card_of(server: str) -> int:
    """The card number of a server id: 12 for `12/0`."""
    return int(server.split("/")[0])


def node(server: str) -> int:
    """The fabric node of a server's first NIC; NIC N sits on the node plus N."""
    return NICS * _PLACE[card_of(server)]


def mac(server: str, nic: int) -> str:
    """The MAC of one NIC: the prefix of the chassis and the node plus NIC in four octal digits."""
    digits = f"{node(server) + nic:04o}"
    return f"00:22:99:ec:{digits[:2]}:{digits[2:]}"
