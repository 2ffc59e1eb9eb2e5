"""What must be refused and what accepted: data, for the operator's own checks here and for a real API server.

A case starts from one of the example manifests and edits it: a map from path to value, where null takes the field away.
`path` and `message` are what the operator says. `rule` is whether it is a rule, which an API server that knows CEL refuses
with the same sentence, and an old one does not see; without it any API server refuses, in words of its own. `update` is
whether the edits are refused only as a change of what is there.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

EXAMPLES = Path(__file__).parents[3] / "deploy" / "examples"
CASES = Path(__file__).parent / "cases"


def documents(path: Path) -> list[Any]:
    """All documents of a YAML file."""
    return list(YAML(typ="safe").load_all(path.read_text()))


@cache
def _examples() -> dict[str, dict[str, Any]]:
    paths = [*sorted((EXAMPLES / "golden-rack").glob("*.yaml")), EXAMPLES / "stamped-compute-node.yaml"]
    ours = [item for path in paths for item in documents(path) if item["apiVersion"].startswith("rackwright.dev/")]
    return {
        f"{item['kind']}/{item['metadata']['name']}": {key: value for key, value in item.items() if key != "status"}
        for item in ours
    }


def manifests() -> dict[str, dict[str, Any]]:
    """The example objects of our kinds, without status, by `Kind/name`."""
    return copy.deepcopy(_examples())


def edited(manifest: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with each edit made. A path is like `spec.vlans[0].id`; one past the end of a list appends."""
    result = copy.deepcopy(dict(manifest))
    for path, value in edits.items():
        *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
        node: Any = result
        for part in way:
            node = node.setdefault(part, {}) if isinstance(part, str) else node[part]
        if value is None:
            del node[last]
        elif isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value
    return result


@dataclass(frozen=True)
class Case:
    """One edit of an example, and what is to be said about it (nothing, where it is to be accepted)."""

    name: str
    start: str
    edits: Mapping[str, Any]
    path: str = ""
    message: str = ""
    rule: bool = True
    update: bool = False

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return self.start.partition("/")[0]

    @property
    def said(self) -> str:
        """How the operator's sentence begins; it may go on with what it found."""
        return f"{self.path}: {self.message}".removesuffix(".")

    def manifest(self) -> dict[str, Any]:
        """The example with the edits made."""
        return edited(manifests()[self.start], self.edits)


def refused() -> list[Case]:
    """What must be refused."""
    paths = sorted(path for path in CASES.glob("*.yaml") if path.name != "accepted.yaml")
    return [Case(**item) for path in paths for document in documents(path) for item in document]


def accepted() -> list[Case]:
    """What must be accepted."""
    return [Case(**item) for document in documents(CASES / "accepted.yaml") for item in document]
