"""Reads a folder of manifests: objects of our kinds and the Secrets they refer to. Everything else in it is passed over."""

import base64
import binascii
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rackwright.api.sentences import printable, shown
from rackwright.core.resource import API_VERSION, GROUP, KINDS, Ref
from rackwright.local.documents import UnreadableError, read

SUFFIXES = {".yaml", ".yml", ".json"}
DEFAULT_NAMESPACE = "default"
PROBLEMS_SHOWN = 5  # of one file
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_NAME = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of our kinds as a person wrote it, and the file that it is in."""

    ref: Ref
    body: Mapping[str, Any]
    path: Path


@dataclass(frozen=True)
class Folder:
    """What a folder holds. `problems` are sentences, each beginning with the file they are about; `doubled` are objects
    that several files have.
    """

    manifests: Mapping[Ref, Manifest]
    secrets: Mapping[tuple[str, str], Mapping[str, bytes]]
    problems: tuple[str, ...]
    doubled: frozenset[Ref] = frozenset()


@dataclass
class _Reading:
    manifests: dict[Ref, Manifest] = field(default_factory=dict)
    secrets: dict[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    doubled: set[Ref] = field(default_factory=set)

    def folder(self) -> Folder:
        """What it came to."""
        return Folder(self.manifests, self.secrets, tuple(self.problems), frozenset(self.doubled))


def files(root: Path) -> Iterator[Path]:
    """What has the name of a manifest in a folder, or the one file that `root` is; hidden folders are not looked into.

    OSError where a folder cannot be looked into: what is in it must not look as if it had been removed.
    """
    if not root.is_dir():
        yield root
        return

    def fail(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(root, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*folders, *names]):
            if Path(name).suffix in SUFFIXES and not name.startswith("."):
                yield Path(folder) / name


def load(root: Path) -> Folder:
    """Read all files anew. A file that cannot be read is a problem; the others count all the same."""
    reading = _Reading()
    if not root.exists() and not root.is_symlink():
        reading.problems.append(f"{root}: is not there. Put it back; until then everything stays as it was.")
        return reading.folder()
    try:
        paths = list(files(root))
    except OSError as error:
        where = printable(str(error.filename or root))
        reading.problems.append(f"{where}: {error.strerror or error}. Make it readable, or move it away.")
        return reading.folder()
    for path in paths:
        _read(path, reading)
    return reading.folder()


def _read(path: Path, reading: _Reading) -> None:
    where, before = printable(str(path)), len(reading.problems)
    try:
        documents = read(path)
    except UnreadableError as error:
        line = f":{error.line}" if error.line is not None else ""
        reading.problems.append(f"{where}{line}: {error} Nothing of it was used.")
        return
    for document in documents:
        for item in _objects(document.data):
            _add(reading, path, f"{where}:{document.line}", item)
    more = len(reading.problems) - before - PROBLEMS_SHOWN
    if more > 0:
        del reading.problems[-more:]
        reading.problems.append(f"{where}: {more} more of its documents cannot be used. Correct those above first.")


def _objects(document: Any) -> Iterator[Any]:
    if isinstance(document, Mapping) and document.get("kind") == "List":
        items = document.get("items")
        yield from items if isinstance(items, list) else [items]
    elif document is not None:
        yield document


def _add(reading: _Reading, path: Path, where: str, document: Any) -> None:
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        reading.problems.append(f"{where}: a document in it is no manifest: it has no kind. Add one, or remove it.")
        return
    kind, version = document["kind"], document.get("apiVersion")
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if kind not in KINDS and kind != "Secret":
        if isinstance(version, str) and version.startswith(f"{GROUP}/"):
            known = ", ".join(KINDS)
            reading.problems.append(f"{where}: {shown(kind)} is not a kind of {GROUP}. Use one of {known}.")
        return
    if not isinstance(metadata, Mapping) or not isinstance(name, str) or not name:
        reading.problems.append(f"{where}: a {kind} in it has no metadata.name. Give it one.")
        return
    namespace = str(metadata.get("namespace") or DEFAULT_NAMESPACE)
    problem = _problem_of(document, metadata, name, namespace)
    if problem is not None:
        reading.problems.append(f"{where}: {kind} {shown(name)}: {problem}")
        return
    if kind == "Secret":
        _add_secret(reading, where, namespace, name, document)
    elif version != API_VERSION:
        reading.problems.append(f"{where}: {kind} {name} has apiVersion {shown(version)}; use {API_VERSION}.")
    else:
        _add_object(reading, where, Manifest(Ref(kind, namespace, name), document, path))


def _problem_of(document: Mapping[str, Any], metadata: Mapping[str, Any], name: str, namespace: str) -> str | None:
    """What an API server would refuse of any object."""
    if not _NAME.fullmatch(name) or len(name) > 253:
        return (
            "metadata.name has to be of lower-case letters, digits, hyphens and dots, at most 253; give it such a name."
        )
    if not _LABEL.fullmatch(namespace) or len(namespace) > 63:
        return (
            f"metadata.namespace {shown(namespace)} has to be of lower-case letters, digits and hyphens, at most 63; "
            "correct it."
        )
    for key in ("labels", "annotations"):
        if not isinstance(metadata.get(key) or {}, Mapping):
            return f"metadata.{key} is not an object; write it as `key: value`."
    if not isinstance(metadata.get("ownerReferences") or [], list):
        return "metadata.ownerReferences is not a list; take it out."
    for key in ("spec", "data", "stringData"):
        if not isinstance(document.get(key) or {}, Mapping):
            return f"{key} is not an object; write it as `field: value`."
    return None


def _add_object(reading: _Reading, where: str, manifest: Manifest) -> None:
    known = reading.manifests.get(manifest.ref)
    if known is not None:
        reading.doubled.add(manifest.ref)
        reading.problems.append(
            f"{where}: {manifest.ref} in {manifest.ref.namespace} is also in {printable(str(known.path))}. "
            "Remove one of the two."
        )
        return
    reading.manifests[manifest.ref] = manifest


def _add_secret(reading: _Reading, where: str, namespace: str, name: str, document: Mapping[str, Any]) -> None:
    data: dict[str, bytes] = {}
    try:
        for key, value in (document.get("data") or {}).items():
            data[key] = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        reading.problems.append(
            f"{where}: Secret {name}: data.{printable(key[:64])} is not base64. Encode it, or use stringData."
        )
        return
    data |= {key: text(value).encode() for key, value in (document.get("stringData") or {}).items()}
    reading.secrets[namespace, name] = data


def text(value: Any) -> str:
    """What a person meant by a value that has to be a string and was written without quotes."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
