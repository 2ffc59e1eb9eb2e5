"""The Store over a folder of manifests and a folder of state. What the API server does for others is done here:
uids, generations, and the removal of stamped objects whose owner is gone.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from rackwright.core.clock import now
from rackwright.core.resource import COMPUTE_NODE, RELEASE, Ref, Resource
from rackwright.core.store import EventType, SecretMissingError, StoreConflictError, StoreUnavailableError
from rackwright.local.manifests import Folder, Manifest, files, load, text
from rackwright.local.state import Record, StateFolder

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5


class LocalStore:
    """Objects from files. Reading writes nothing; `writable` stores take identities and statuses down."""

    def __init__(
        self,
        root: Path,
        state: StateFolder,
        *,
        writable: bool,
        on_event: Callable[[Ref, EventType, str, str], None] = lambda *_: None,
    ) -> None:
        self._root = root
        self._state = state
        self._writable = writable
        self._on_event = on_event
        self._seen: tuple[tuple[Path, int, int], ...] = ()
        self._records = {record.ref: record for record in state.records()}
        self.folder: Folder = Folder({}, {}, ())
        self.reload()

    def reload(self) -> tuple[Resource, ...]:
        """Read the manifests again; returns the objects that are gone. A folder with problems changes nothing it had."""
        self._seen = self._marks()  # before reading: what changes meanwhile is read once more
        folder = load(self._root)
        if folder.problems:  # what cannot be read must not look as if it had been removed
            before = self.folder
            new = {
                ref: item for ref, item in folder.manifests.items() if ref not in folder.doubled & set(before.manifests)
            }
            folder = replace(
                folder, manifests={**before.manifests, **new}, secrets={**before.secrets, **folder.secrets}
            )
        self.folder = folder
        for manifest in folder.manifests.values():
            self._adopt(manifest)
        return self._sweep()

    def _sweep(self) -> tuple[Resource, ...]:
        """Lets go of what is gone, and then of what that had stamped; what has a finalizer lives on until it has none."""
        lost: list[Resource] = []
        while gone := [record for record in self._records.values() if self._is_gone(record)]:
            for record in gone:
                lost += self._remove(record)
        return tuple(lost)

    def _remove(self, record: Record) -> list[Resource]:
        if record.finalizers:
            self._keep(replace(record, deleting=True))
            return []
        lost = self._resource(record)
        self._forget(record.ref)
        return [lost]

    def _adopt(self, manifest: Manifest) -> None:
        """Take a file for what its object should be. One that is back in time is not deleted after all."""
        spec = manifest.body.get("spec") or {}
        known = self._records.get(manifest.ref)
        if known is None:
            self._keep(Record(manifest.ref, str(uuid.uuid4()), now(), 1, spec, {}))
            return
        before = known
        if known.spec != spec or known.manifest is not None:
            known = replace(known, spec=spec, generation=known.generation + 1, manifest=None)
        metadata = manifest.body["metadata"] if known.finalizers else None
        known = replace(known, deleting=False, metadata=metadata)
        if known != before:
            self._keep(known)

    def _is_gone(self, record: Record) -> bool:
        if record.deleting:
            return False
        if record.manifest is None:
            return record.ref not in self.folder.manifests and not self.folder.problems
        owner = _owner(record.manifest)
        return all(other.uid != owner for other in self._records.values())

    def _keep(self, record: Record) -> None:
        if self._writable:  # first: what is not on the disk must not be acted on
            self._write(record)
        self._records[record.ref] = record

    def _write(self, record: Record) -> None:
        try:
            self._state.write(record)
        except OSError as error:
            raise StoreUnavailableError(
                f"{self._state.root} cannot be written ({error.strerror or error}), and what was done has to be kept "
                f"there: make room, or give rackwright the right to. {record.ref} is as it was."
            ) from error

    def _forget(self, ref: Ref) -> None:
        self._records.pop(ref, None)
        if self._writable:
            self._state.remove(ref)

    def get(self, ref: Ref) -> Resource | None:
        """The newest known version, or None."""
        record = self._records.get(ref)
        known = record is not None and (record.manifest is not None or record.deleting)
        if record is None or not (known or ref in self.folder.manifests):
            return None  # not there, or in a file that could not be read ever since this began
        return self._resource(record)

    def _resource(self, record: Record) -> Resource:
        manifest = self.folder.manifests.get(record.ref)
        body = manifest.body if manifest is not None else record.manifest or {"metadata": record.metadata}
        metadata = body.get("metadata") or {}
        return Resource(
            ref=record.ref,
            uid=record.uid,
            generation=record.generation,
            created=record.created,
            spec=record.spec,
            status=record.status,
            labels=_texts(metadata.get("labels")),
            annotations=_texts(metadata.get("annotations")),
            owner_uid=_owner(body),
            deleting=record.deleting,
            finalizers=tuple(record.finalizers),
        )

    def list(self, kind: str) -> Iterable[Resource]:
        """All known objects of a kind."""
        return [item for ref in self._records if ref.kind == kind and (item := self.get(ref)) is not None]

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The data of a Secret among the manifests."""
        found = self.folder.secrets.get((namespace, name))
        if found is None:
            raise SecretMissingError(f"there is no Secret {name} in namespace {namespace}. Add it to {self._root}.")
        return found

    async def write_status(self, ref: Ref, status: Mapping[str, Any]) -> Resource | None:
        """Replace the status."""
        record = self._records.get(ref)
        if record is None:
            return None
        self._keep(replace(record, status=dict(status)))
        return self.get(ref)

    async def create(self, manifest: Mapping[str, Any]) -> Resource:
        """Create a stamped object."""
        metadata = manifest["metadata"]
        ref = Ref(manifest["kind"], metadata["namespace"], metadata["name"])
        if ref in self._records:
            raise StoreConflictError(f"{ref} exists already")
        self._keep(Record(ref, str(uuid.uuid4()), now(), 1, manifest["spec"], {}, manifest))
        created = self.get(ref)
        assert created is not None
        return created

    async def replace_spec(self, ref: Ref, manifest: Mapping[str, Any]) -> Resource | None:
        """Bring a stamped object to the manifest's spec, labels and owner."""
        record = self._records.get(ref)
        if record is None:
            return None
        generation = record.generation + (record.spec != manifest["spec"])
        self._keep(replace(record, spec=manifest["spec"], manifest=manifest, generation=generation))
        return self.get(ref)

    async def delete(self, ref: Ref, uid: str) -> None:
        """Delete exactly this stamped object."""
        record = self._records.get(ref)
        if record is not None and record.uid == uid and ref.kind == COMPUTE_NODE:
            self._remove(record)

    async def set_finalizer(self, ref: Ref, *, wanted: bool) -> Resource | None:
        """Our finalizer on or off; None where the object is gone, or went with it."""
        record = self._records.get(ref)
        if record is None:
            return None
        if wanted and not record.deleting:
            manifest = self.folder.manifests.get(ref)
            metadata = manifest.body["metadata"] if manifest is not None else None
            self._keep(replace(record, finalizers=(RELEASE,), metadata=metadata))
        elif not wanted:
            record = replace(record, finalizers=(), metadata=None)
            self._keep(record)
            if record.deleting:
                self._forget(ref)
                self._sweep()
        return self.get(ref)

    async def event(self, ref: Ref, kind: EventType, reason: str, message: str) -> None:
        """Hand it to whoever shows it."""
        self._on_event(ref, kind, reason, message)

    async def watch(self, seconds: float = POLL_SECONDS) -> AsyncIterator[tuple[Resource, ...]]:
        """Yields whenever a file changed, with the objects that are gone; the store is up to date by then."""
        while True:
            if self._marks() != self._seen:
                try:
                    gone = self.reload()
                except StoreUnavailableError as error:
                    self._seen = ()  # once more, at the next turn
                    log.warning("the manifests changed and that cannot be kept; it is tried again", error=str(error))
                else:
                    yield gone
            await asyncio.sleep(seconds)

    def _marks(self) -> tuple[tuple[Path, int, int], ...]:
        """Files by name, time and size; one that vanishes between listing and looking is simply not there."""
        marks = []
        try:
            paths = list(files(self._root))
        except OSError as error:  # a folder that cannot be looked into: what `load` says of it is news once
            return ((Path(error.filename or self._root), error.errno or 0, -1),)
        for path in paths:
            try:
                found = path.stat()
            except OSError:
                continue
            marks.append((path, found.st_mtime_ns, found.st_size))
        return tuple(marks)


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Labels and annotations are strings; `paused: true` without quotes means what it says."""
    return {key: text(value) for key, value in (values or {}).items()}


def _owner(body: Mapping[str, Any]) -> str | None:
    references = (body.get("metadata") or {}).get("ownerReferences") or ()
    owners = (item for item in references if isinstance(item, Mapping) and item.get("controller"))
    return next((str(item.get("uid")) for item in owners), None)
