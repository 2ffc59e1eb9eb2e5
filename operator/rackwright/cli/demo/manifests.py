"""The manifests of the demo: the whole golden rack, its Chassis under the demo's overlay."""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from rackwright.cli.demo.errors import DemoError
from rackwright.core.resource import CHASSIS

NAMESPACE_FILE, SECRETS_FILE, CHASSIS_FILE, POOLS_FILE, CLUSTER_FILE = (
    "namespace.yaml",
    "secrets.yaml",
    "chassis.yaml",
    "storage-pools.yaml",
    "controller-cluster.yaml",
)
FILES = (NAMESPACE_FILE, SECRETS_FILE, CHASSIS_FILE, POOLS_FILE, CLUSTER_FILE)  # as a person would apply them
EXAMPLES = Path(__file__).parents[4] / "deploy" / "examples"


@dataclass(frozen=True)
class Examples:
    """The example manifests, read once. Comments and order are kept: people read what the demo writes."""

    files: Mapping[str, str]
    chassis: CommentedMap
    patch: CommentedMap

    @classmethod
    def read(cls, folder: Path = EXAMPLES) -> "Examples":
        """From deploy/examples. DemoError where they are not there."""
        golden = folder / "golden-rack"
        try:
            return cls(
                files={name: (golden / name).read_text("utf-8") for name in FILES},
                chassis=_one(golden / CHASSIS_FILE, CHASSIS),
                patch=_one(folder / "demo" / "chassis-patch.yaml", CHASSIS),
            )
        except OSError as error:
            raise DemoError(f"The demo needs the example manifests: {error}. Run it in a checkout.") from error

    @property
    def credentials(self) -> tuple[str, str]:
        """Username and password of the chassis, from the Secret to which the Chassis refers."""
        name = self.chassis["spec"]["credentialsRef"]["name"]
        for document in documents(self.files[SECRETS_FILE]):
            if document["metadata"]["name"] == name:
                return document["stringData"]["username"], document["stringData"]["password"]
        raise DemoError(f"secrets.yaml of the examples has no Secret {name}, to which the Chassis refers. Add it.")

    def rack(self, port: int, host_key: str) -> dict[str, str]:
        """File names and texts, in the order in which a person would apply them."""
        merge(self.chassis, self.patch)
        cli = self.chassis["spec"]["hardware"]["seaMicro"]["cli"]
        cli["port"] = port
        cli["hostKeys"] = [host_key]
        return {**self.files, CHASSIS_FILE: text(self.chassis)}


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _one(path: Path, kind: str) -> CommentedMap:
    for document in _yaml().load_all(path.read_text("utf-8")):
        if document["kind"] == kind:
            found: CommentedMap = document
            return found
    raise DemoError(f"{path} has no {kind}. Restore the file from the repository.")


def text(document: CommentedMap) -> str:
    """A document as YAML, as it was written but for what changed."""
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def documents(*contents: str) -> list[Mapping[str, Any]]:
    """All manifests in these texts, as plain data."""
    return [document for content in contents for document in YAML(typ="safe").load_all(content)]


def parsed(content: str) -> Mapping[str, Any]:
    """The one manifest in a text, as plain data."""
    (document,) = documents(content)
    return document


def merge(target: CommentedMap, patch: Mapping[str, Any]) -> None:
    """A JSON merge patch (RFC 7386) in place, so that comments stay."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(target.get(key), Mapping):
            merge(target[key], value)
        else:
            target[key] = value


def set_power(chassis: str, server: str, power: str | None) -> str:
    """The text of a Chassis manifest with `powerState` of one server overridden; None takes the override away.

    The server is one of the set that stamps all remaining ones.
    """
    yaml = _yaml()
    document = yaml.load(chassis)
    node_set = next(item for item in document["spec"]["nodeSets"] if "remaining" in item)
    others = [item for item in node_set.pop("overrides", ()) if item["server"] != server]
    mine = [{"server": server, "spec": {"powerState": power}}] if power else []
    if others or mine:
        node_set["overrides"] = [*others, *mine]
    return text(document)


def write(path: Path, content: str) -> None:
    """Write by rename: nobody ever reads half a manifest."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(content, "utf-8")
    os.replace(temporary, path)
