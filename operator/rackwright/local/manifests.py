"""Reads a folder of manifests: objects of our kinds and the Secrets they refer to. Everything else in it is passed over."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rackwright.core.resource import API_VERSION, KINDS, Ref

SUFFIXES = {".yaml", ".yml", ".json"}
DEFAULT_NAMESPACE = "default"
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
    if not root.exists():
        reading.problems.append(f"{root}: is not there. Put it back; until then everything stays as it was.")
    for path in files(root):
        for document in _documents(path, reading):
            _add(reading, path, document)
    return Folder(reading.manifests, reading.secrets, tuple(reading.problems), frozenset(reading.doubled))


def _documents(path: Path, reading: _Reading) -> Iterator[Any]:
    try:
        documents = [_as_json(item) for item in YAML(typ="safe", pure=True).load_all(path.read_text("utf-8"))]
    except (OSError, UnicodeDecodeError, YAMLError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        reading.problems.append(f"{path}: not readable as YAML: {reason}. Correct the file; nothing of it was used.")
        return
    for document in documents:
        if isinstance(document, Mapping) and document.get("kind") == "List":
            items = document.get("items")
            yield from items if isinstance(items, list) else [items]
        elif document is not None:
            yield document


def _as_json(document: Any) -> Any:
    """As an API server would see it: dates become strings, and so do keys. TypeError where JSON has no such thing."""
    return orjson.loads(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS))


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
    namespace = str(metadata.get("namespace") or DEFAULT_NAMESPACE)
    problem = _problem_of(document, metadata, name, namespace)
    if problem is not None:
        reading.problems.append(f"{path}: {kind} {name}: {problem}")
        return
    if kind == "Secret":
        _add_secret(reading, path, namespace, name, document)
    elif document.get("apiVersion") != API_VERSION:
        reading.problems.append(
            f"{path}: {kind} {name} has apiVersion {document.get('apiVersion')}; use {API_VERSION}."
        )
    else:
        _add_object(reading, Manifest(Ref(kind, namespace, name), document, path))


def _problem_of(document: Mapping[str, Any], metadata: Mapping[str, Any], name: str, namespace: str) -> str | None:
    """What an API server would refuse of any object."""
    if not _NAME.fullmatch(name) or len(name) > 253:
        return "metadata.name has lower-case letters, digits, hyphens and dots, at most 253; give it such a name."
    if not _LABEL.fullmatch(namespace) or len(namespace) > 63:
        return f"metadata.namespace {namespace} has lower-case letters, digits and hyphens, at most 63; correct it."
    for key in ("labels", "annotations"):
        if not isinstance(metadata.get(key) or {}, Mapping):
            return f"metadata.{key} is not an object; write it as `key: value`."
    if not isinstance(metadata.get("ownerReferences") or [], list):
        return "metadata.ownerReferences is not a list; take it out."
    for key in ("spec", "data", "stringData"):
        if not isinstance(document.get(key) or {}, Mapping):
            return f"{key} is not an object; write it as `field: value`."
    return None


def _add_object(reading: _Reading, manifest: Manifest) -> None:
    known = reading.manifests.get(manifest.ref)
    if known is not None:
        reading.doubled.add(manifest.ref)
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
    data |= {key: text(value).encode() for key, value in (document.get("stringData") or {}).items()}
    reading.secrets[namespace, name] = data


def text(value: Any) -> str:
    """What a person meant by a value that has to be a string and was written without quotes."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
