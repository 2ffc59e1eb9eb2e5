"""Reads a folder of manifests: objects of our kinds and the Secrets they refer to. Everything else in it is passed over."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rackwright.core.resource import API_VERSION, KINDS, Ref

SUFFIXES = {".yaml", ".yml", ".json"}
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of our kinds as a person wrote it, and the file that it is in."""

    ref: Ref
    body: Mapping[str, Any]
    path: Path


@dataclass(frozen=True)
class Folder:
    """What a folder holds. `problems` are sentences, each beginning with the file they are about."""

    manifests: Mapping[Ref, Manifest]
    secrets: Mapping[tuple[str, str], Mapping[str, bytes]]
    problems: tuple[str, ...]


@dataclass
class _Reading:
    manifests: dict[Ref, Manifest] = field(default_factory=dict)
    secrets: dict[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def files(root: Path) -> Iterator[Path]:
    """The manifest files of a folder, or the one file that `root` is; hidden folders are not looked into."""
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if path.suffix in SUFFIXES and path.is_file() and not hidden:
            yield path


def load(root: Path) -> Folder:
    """Read all files anew. A file that cannot be read is a problem; the others count all the same."""
    reading = _Reading()
    for path in files(root):
        for document in _documents(path, reading):
            _add(reading, path, document)
    return Folder(reading.manifests, reading.secrets, tuple(reading.problems))


def _documents(path: Path, reading: _Reading) -> Iterator[Any]:
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        reading.problems.append(f"{path}: not readable as YAML: {reason}. Correct the file; nothing of it was used.")
        return
    for document in documents:
        if isinstance(document, Mapping) and document.get("kind") == "List":
            yield from document.get("items") or ()
        elif document is not None:
            yield document


def _add(reading: _Reading, path: Path, document: Any) -> None:
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        reading.problems.append(f"{path}: a document in it is no manifest: it has no kind. Add one, or remove it.")
        return
    kind = document["kind"]
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    ours = kind in KINDS
    if not ours and kind != "Secret":
        return
    if not isinstance(metadata, Mapping) or not isinstance(name, str) or not name:
        reading.problems.append(f"{path}: a {kind} in it has no metadata.name. Give it one.")
        return
    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
    if kind == "Secret":
        _add_secret(reading, path, str(namespace), name, document)
    elif document.get("apiVersion") != API_VERSION:
        reading.problems.append(
            f"{path}: {kind} {name} has apiVersion {document.get('apiVersion')}; use {API_VERSION}."
        )
    else:
        _add_object(reading, Manifest(Ref(kind, str(namespace), name), document, path))


def _add_object(reading: _Reading, manifest: Manifest) -> None:
    known = reading.manifests.get(manifest.ref)
    if known is not None:
        reading.problems.append(
            f"{manifest.path}: {manifest.ref} in {manifest.ref.namespace} is also in {known.path}. Remove one of the two."
        )
        return
    reading.manifests[manifest.ref] = manifest


def _add_secret(reading: _Reading, path: Path, namespace: str, name: str, document: Mapping[str, Any]) -> None:
    data: dict[str, bytes] = {}
    try:
        for key, value in (document.get("data") or {}).items():
            data[key] = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        reading.problems.append(f"{path}: Secret {name}: data.{key} is not base64. Encode it, or use stringData.")
        return
    data |= {key: str(value).encode() for key, value in (document.get("stringData") or {}).items()}
    reading.secrets[namespace, name] = data
