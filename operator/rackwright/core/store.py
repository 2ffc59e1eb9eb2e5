"""The seam above the loop: where objects live. Kubernetes and a folder of manifests both implement it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Protocol

from rackwright.core.resource import Ref, Resource


class EventType(StrEnum):
    """The two types of an Event."""

    NORMAL = "Normal"
    WARNING = "Warning"


class SecretMissingError(LookupError):
    """A Secret or a key of it is not there; the message says which, and what to do."""


class StoreConflictError(Exception):
    """The object changed, vanished or is somebody else's: look again."""


class StoreUnavailableError(Exception):
    """The store did not answer, or refused: nothing is known to be written, and the pass is tried again."""


class Store(Protocol):
    """Objects of our kinds and what may be written about them. Reads are of a local view and cost nothing."""

    def get(self, ref: Ref) -> Resource | None:
        """The newest known version, or None."""

    def list(self, kind: str) -> Iterable[Resource]:
        """All known objects of a kind, in no order."""

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The data of a Secret, read now. SecretMissingError where it is not there."""

    async def write_status(self, ref: Ref, status: Mapping[str, Any]) -> Resource | None:
        """Replace the status; the object as it is after that, or None where it is gone."""

    async def create(self, manifest: Mapping[str, Any]) -> Resource:
        """Create an object that the operator stamps. StoreConflictError where one of that name exists."""

    async def replace_spec(self, ref: Ref, manifest: Mapping[str, Any]) -> Resource | None:
        """Bring spec, labels and owner of a stamped object to the manifest's; None where it is gone."""

    async def delete(self, ref: Ref, uid: str) -> None:
        """Delete exactly this object; nothing happens where it is gone already."""

    async def set_finalizer(self, ref: Ref, *, wanted: bool) -> Resource | None:
        """Put our finalizer on an object or take it off, and leave those of others; the object after that.

        None where it is gone, which one that is being deleted is when its last finalizer was taken off. One that is being
        deleted is not given a finalizer any more.
        """

    async def event(self, ref: Ref, kind: EventType, reason: str, message: str) -> None:
        """Tell people about a change of state. Never raises: an event lost is not a failure."""
