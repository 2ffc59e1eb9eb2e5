"""Whether this process may act right now. Asked just before every command that changes a device."""

from typing import Protocol


class Leadership(Protocol):
    """The fence. Kubernetes answers by a Lease, a folder by its lock."""

    def permit(self, needed_seconds: float) -> None:
        """Return if nobody else can act for at least so long; else ConflictError, and nothing may be sent."""


class Always:
    """For a process that holds its lock until it ends."""

    def permit(self, needed_seconds: float) -> None:
        """Always."""
