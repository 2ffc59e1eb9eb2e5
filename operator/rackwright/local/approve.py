"""Adds consent to a manifest file, as a person would with an editor: comments, order and the rest stay as they are."""

import io
import os
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from rackwright.core.resource import Ref
from rackwright.local.manifests import DEFAULT_NAMESPACE


def add_approval(path: Path, ref: Ref, digest: str) -> bool:
    """Add `{plan: digest}` to spec.approvals of the object in this file; False where it is there already.

    LookupError where the object is not in the file.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    documents = list(yaml.load_all(path.read_text("utf-8")))
    spec = _spec(documents, ref)
    if spec is None:
        raise LookupError(f"{ref} is not in {path}")
    approvals = spec.setdefault("approvals", [])
    if any(item.get("plan") == digest for item in approvals):
        return False
    approvals.append(CommentedMap(plan=digest))
    text = io.StringIO()
    yaml.dump_all(documents, text)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text.getvalue(), "utf-8")
    os.replace(temporary, path)
    return True


def _spec(documents: list[CommentedMap], ref: Ref) -> CommentedMap | None:
    for document in documents:
        if not isinstance(document, CommentedMap) or document.get("kind") != ref.kind:
            continue
        metadata = document.get("metadata") or {}
        if (metadata.get("namespace") or DEFAULT_NAMESPACE, metadata.get("name")) == (ref.namespace, ref.name):
            spec: CommentedMap = document["spec"]
            return spec
    return None
