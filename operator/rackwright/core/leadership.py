"""Whether this process may act right now. Asked just before every command that changes a device."""

from typing import Protocol

from rackwright_drivers.contract.errors import ConflictError


class NotPermittedError(ConflictError):
    """This process may not act now. It is for whoever may to say how things are. `seconds` is when to ask again."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Leadership(Protocol):
    """The fence. Kubernetes answers by a Lease, a folder by its lock."""

    def permit(self, needed_seconds: float) -> None:
        """Return if nobody else can act for at least so long; else NotPermittedError, and nothing may be sent."""


class Always:
    """For a process that holds its lock until it ends."""

    def permit(self, needed_seconds: float) -> None:
        """Always."""
