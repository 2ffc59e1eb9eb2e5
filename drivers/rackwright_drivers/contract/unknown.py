"""The answer "cannot tell", which is neither "absent" nor "bad" (observers may give it for any part)."""

from dataclasses import dataclass
from typing import TypeVar

from rackwright_drivers.contract.errors import UnsafeError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that could not be read; `reason` is one sentence for a person."""

    reason: str


def known(value: "T | Unknown", what: str) -> T:
    """The value, or UnsafeError where it is Unknown. `what` names the part in the message."""
    if isinstance(value, Unknown):
        raise UnsafeError(f"{what} is unknown: {value.reason}")
    return value
