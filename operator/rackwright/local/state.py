"""One JSON file an object: identity, generation and status, written by rename; stamped objects are whole in theirs."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from rackwright.core.resource import Ref

NAME_LENGTH = 200  # file systems take 255 bytes


class StateLockedError(RuntimeError):
    """Another process holds this folder."""


class StateUnreadableError(OSError):
    """A record is damaged. To go on without it would be to forget whose volumes are whose."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept about one object. `manifest` is there for objects that were stamped and are in no file of a person's.

    With finalizers, `metadata` is the manifest's own: it is needed when the file is gone and the object is `deleting`.
    """

    ref: Ref
    uid: str
    created: str
    generation: int
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    manifest: Mapping[str, Any] | None = None
    finalizers: Sequence[str] = ()
    deleting: bool = False
    metadata: Mapping[str, Any] | None = None


class StateFolder:
    """The folder of records. `lock` makes this process the only one that writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "objects"
        self._lock: int | None = None

    def lock(self) -> Self:
        """Take the folder, until the process ends or `unlock`. StateLockedError where another process has it."""
        self._objects.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise StateLockedError(
                f"{self.root} is in use by another rackwright, which keeps this rack already. Stop that one first."
            ) from error
        self._lock = handle
        return self

    def unlock(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def records(self) -> Iterator[Record]:
        """Everything that is kept."""
        for path in sorted(self._objects.glob("*.json")):
            try:
                data = orjson.loads(path.read_bytes())
                yield Record(**{**data, "ref": Ref(*data["ref"])})
            except (ValueError, TypeError, KeyError) as error:
                raise StateUnreadableError(
                    f"{path} is not what rackwright wrote ({error}). Restore it from a backup; or, if what is remembered "
                    "in it (which volume is whose) may be lost, remove it."
                ) from error

    def write(self, record: Record) -> None:
        """Keep this, durably: a crash leaves the old or the new, never half."""
        path = self._path(record.ref)
        temporary = path.with_suffix(".tmp")
        data = {name: getattr(record, name) for name in Record.__dataclass_fields__} | {"ref": list(record.ref)}
        with temporary.open("wb") as file:
            file.write(orjson.dumps(data, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def remove(self, ref: Ref) -> None:
        """Forget this."""
        self._path(ref).unlink(missing_ok=True)

    def _path(self, ref: Ref) -> Path:
        name = f"{ref.kind}.{ref.namespace}.{ref.name}"
        if len(name) > NAME_LENGTH:
            name = f"{name[:NAME_LENGTH]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        return self._objects / f"{name}.json"
