"""Servers of a chassis and their power."""

from dataclasses import dataclass
from enum import StrEnum

from rackwright_drivers.contract.unknown import Unknown


class Power(StrEnum):
    """Whether a server runs, as its chassis says."""

    ON = "On"
    OFF = "Off"


@dataclass(frozen=True, slots=True)
class Server:
    """One server card. `id` is the chassis' own name for it (`12/0`); `macs` are in NIC order, lower case with colons."""

    id: str
    macs: tuple[str, ...]
    power: Power | Unknown


@dataclass(frozen=True, slots=True)
class SetPower:
    """Switch one server on or off, without asking its operating system."""

    server: str
    power: Power
