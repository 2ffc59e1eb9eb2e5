"""Adds consent to a manifest file, as a person would with an editor: one entry more, and not another byte is changed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rackwright.core.resource import Ref
from rackwright.local.manifests import DEFAULT_NAMESPACE


def add_approval(path: Path, ref: Ref, digest: str) -> bool:
    """Add `{plan: digest}` to spec.approvals of the object in this file; False where it is there already.

    LookupError where the object is not in the file. Its mode and a link that leads to it stay as they are.
    """
    path = path.resolve()
    text = path.read_bytes().decode("utf-8")
    spec = next(_specs(text, ref), None)
    if spec is None:
        raise LookupError(f"{ref} is not in {path}")
    if digest in _approved(spec):
        return False
    changed = _inserted(text, spec, digest, json=path.suffix == ".json")
    if not _holds(changed, ref, [*_approved(spec), digest]):
        raise LookupError(f'{path} has no place for it: add {{plan: "{digest}"}} to spec.approvals of {ref} by hand')
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(changed.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(path, temporary)
    os.replace(temporary, path)
    return True


def _holds(text: str, ref: Ref, approved: list[str | None]) -> bool:
    try:
        spec = next(_specs(text, ref), None)
    except YAMLError:
        return False
    return spec is not None and _approved(spec) == approved


def _specs(text: str, ref: Ref) -> Iterator[MappingNode]:
    """The spec of the object, with where it is in the text; documents of kind List are looked into."""
    for document in YAML(typ="safe", pure=True).compose_all(text):
        items = _value(document, "items")
        for item in (
            items.value if _word(document, "kind") == "List" and isinstance(items, SequenceNode) else [document]
        ):
            metadata = _value(item, "metadata")
            found = (_word(item, "kind"), _word(metadata, "namespace") or DEFAULT_NAMESPACE, _word(metadata, "name"))
            spec = _value(item, "spec")
            if found == ref and isinstance(spec, MappingNode) and spec.value:
                yield spec


def _entry(node: Node | None, key: str) -> tuple[Node, Node] | None:
    if not isinstance(node, MappingNode):
        return None
    return next(((name, value) for name, value in node.value if name.value == key), None)


def _value(node: Node | None, key: str) -> Node | None:
    found = _entry(node, key)
    return found[1] if found else None


def _word(node: Node | None, key: str) -> str | None:
    value = _value(node, key)
    return str(value.value) if isinstance(value, ScalarNode) else None


def _approved(spec: MappingNode) -> list[str | None]:
    approvals = _value(spec, "approvals")
    return [_word(item, "plan") for item in approvals.value] if isinstance(approvals, SequenceNode) else []


def _inserted(text: str, spec: MappingNode, digest: str, *, json: bool) -> str:
    """The text with the entry in the style of what is around it."""
    quote = '"' if json else ""
    item = f'{{{quote}plan{quote}: "{digest}"}}'
    name = f"{quote}approvals{quote}"
    end = "\r\n" if "\r\n" in text else "\n"
    found = _entry(spec, "approvals")
    if found is None:
        if spec.flow_style:
            return _put(text, _end(spec) - 1, f", {name}: [{item}]")
        indent = " " * spec.start_mark.column
        return _put_line(text, spec, f"{indent}{name}:{end}{indent}  - {item}{end}")
    key, value = found
    if not isinstance(value, SequenceNode):  # nothing is there: null, or not a word
        begin = text.index(":", _end(key)) + 1
        return f"{text[:begin]} [{item}]{text[_end(value) if value.value else begin :]}"
    if not value.flow_style:
        return _put_line(text, value, f"{' ' * value.start_mark.column}- {item}{end}")
    if value.value:
        return _put(text, _end(value.value[-1]), f", {item}")
    return _put(text, value.start_mark.index + 1, item)


def _end(node: Node) -> int:
    index: int = node.end_mark.index
    return index


def _put(text: str, index: int, what: str) -> str:
    return text[:index] + what + text[index:]


def _put_line(text: str, node: Node, line: str) -> str:
    """After the last line of a node in block style."""
    last = _last(node)
    if isinstance(last, ScalarNode) and last.style in ("|", ">"):
        return _put(text, _end(last), line)  # its end is where the next line begins
    begin = text.find("\n", _end(last))
    return _put(text, begin + 1, line) if begin >= 0 else f"{text}\n{line}"


def _last(node: Node) -> Node:
    """The last thing that is written within a node: a scalar, or a collection in flow style."""
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        inner: Any = node.value[-1]
        if isinstance(node, MappingNode):
            key, value = inner
            inner = key if isinstance(value, ScalarNode) and value.value == "" and value.style is None else value
        node = inner
    return node
