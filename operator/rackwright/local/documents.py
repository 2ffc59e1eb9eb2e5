"""The YAML documents of one file as JSON data, whatever is in the file: bounded in size, depth and what aliases make of it.

What is wrong is a sentence that names the line. It never quotes the file: there may be a Secret in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

MOST_BYTES = 512 * 1024  # fifty times the golden rack; more would take many seconds to read
MOST_DEPTH = 64
MOST_VALUES = 200_000  # with every alias written out
_VALUES = re.compile(r" with value .*| in \"<.*", re.DOTALL)  # of the file: what the library would quote


@dataclass(frozen=True, slots=True)
class Document:
    """One document and the line that it begins on."""

    line: int
    data: Any


class UnreadableError(Exception):
    """The file cannot be used. The message says where, and what to do."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


def read(path: Path) -> list[Document]:
    """All documents of a file. UnreadableError where it has none, or one that cannot be read: then none of it is used."""
    try:
        if not path.is_file():
            raise UnreadableError(f"{_what(path)}. Put a file there, or remove it.")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UnreadableError(
                f"it has {size} bytes and at most {MOST_BYTES} are read. Split it, or move it out of the folder."
            )
        found = list(_documents(path.read_bytes().decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start} is not UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise UnreadableError(f"{error.strerror or error}. Make it readable, or remove it.") from None
    if not found:
        raise UnreadableError("there is nothing in it. Put its manifests back, or remove the file.")
    return found


def _what(path: Path) -> str:
    if path.is_dir():
        return "it is a folder with the name of a file"
    return "it leads to a file that is not there" if path.is_symlink() else "it is not a file"


def _documents(text: str) -> Iterator[Document]:
    yaml = YAML(typ="safe", pure=True)
    line: int | None = None
    try:
        constructor, _ = yaml.get_constructor_parser(text)
        composer = constructor.composer
        while composer.check_node():
            node = composer.get_node()
            line = node.start_mark.line + 1
            _Scale().weigh(node, 0)
            yield Document(line, _as_json(constructor.construct_document(node)))
    except YAMLError as error:
        raise _told(error) from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply to be read. Correct the file.") from None
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"not readable as YAML that JSON can hold: {error}. Correct the file.", line) from None


class _Scale:
    """What a document comes to with every alias written out, without writing one out."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def weigh(self, node: Node, depth: int) -> int:
        """How many values. UnreadableError where that is too many, or too deep, as when a node is inside itself."""
        known = self._known.get(id(node))
        if known is not None:
            return known
        if depth > MOST_DEPTH:
            raise UnreadableError(
                f"it is nested deeper than {MOST_DEPTH} levels. Correct the file.", node.start_mark.line + 1
            )
        weight = 1
        for inner in _inner(node):
            weight += self.weigh(inner, depth + 1)
        if weight > MOST_VALUES:
            raise UnreadableError(
                f"its aliases come to more than {MOST_VALUES} values. Write out what is meant.",
                node.start_mark.line + 1,
            )
        self._known[id(node)] = weight
        return weight


def _inner(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from (key, value)
    elif isinstance(node, SequenceNode):
        yield from node.value


def _told(error: YAMLError) -> UnreadableError:
    """Where and what, in one line, and nothing of the file itself."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = str(error.problem or error.context or "") if isinstance(error, MarkedYAMLError) else str(error)
    reason = " ".join(_VALUES.sub("", said).split()).rstrip(".")
    return UnreadableError(f"not readable as YAML: {reason}. Correct the file.", mark.line + 1 if mark else None)


def _as_json(document: Any) -> Any:
    """As an API server would see it: dates become strings, and so do keys. TypeError where JSON has no such thing."""
    return orjson.loads(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS))
