"""The CustomResourceDefinitions of the four kinds, made from the models.

`python -m rackwright.api.crd --write crds` writes them; `--check crds` shows what differs, and then exits 1.
"""

import argparse
import difflib
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rackwright.api.common import GROUP, VERSION
from rackwright.api.kinds import KINDS, Kind
from rackwright.api.structural import structural

HEADER = "# Made from the models in operator/rackwright/api by `python -m rackwright.api.crd --write crds`.\n"


def _column(name: str, path: str, description: str, kind: str = "string", priority: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "type": kind, "description": description, "jsonPath": path}
    return found | {"priority": priority} if priority else found


def _of(condition: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{condition}")].{field}'


# What `kubectl get` shows, so that a person can run a rack from it; a priority above 0 is shown by `-o wide` only.
_OWN_COLUMNS: Mapping[str, Sequence[dict[str, Any]]] = {
    "ComputeNode": (
        _column("Server", ".spec.server", "The server in its chassis."),
        _column(
            "Chassis", _of("ChassisReady", "status"), "Whether the chassis' side of it is as declared.", priority=1
        ),
        _column("Host", _of("HostReady", "status"), "Whether the host itself is as declared.", priority=1),
    ),
    "StoragePool": (_column("Backend", ".spec.backend.type", "Type of backend."),),
}
_COLUMNS = (
    _column("Ready", _of("Ready", "status"), "Whether all is as declared."),
    _column("Reason", _of("Ready", "reason"), "Why."),
    _column("Summary", ".status.summary", "Parts in sync / parts declared."),
    _column("Drift", ".status.driftCount", "How many parts are not as declared.", "integer"),
    _column("Plan", ".status.plan.digest", "Digest of the plan.", priority=1),
    _column("Message", _of("Ready", "message"), "Why, in a sentence.", priority=1),
    _column("Age", ".metadata.creationTimestamp", "Since it was made.", "date"),
)


def definition(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind, for `apiextensions.k8s.io/v1`."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short],
                "categories": ["rack"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [*_OWN_COLUMNS.get(kind.name, ()), *_COLUMNS],
                    "schema": {"openAPIV3Schema": _root(kind)},
                }
            ],
        },
    }


def _root(kind: Kind) -> dict[str, Any]:
    # A status without defaults reads back as it was written, so that nothing is ever written twice.
    status = structural(kind.status, defaults=False)
    root = {
        "description": kind.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {GROUP}/{VERSION}."},
            "kind": {"type": "string", "description": f"Always {kind.name}."},
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            "status": status | {"description": "What the operator found and did; it alone writes this."},
        },
    }
    validations = [rule.as_validation() for rule in kind.model.rules]
    return root | {"x-kubernetes-validations": validations} if validations else root


def files() -> dict[str, str]:
    """All CustomResourceDefinitions as YAML, by file name."""
    return {f"{GROUP}_{kind.plural}.yaml": _yaml(definition(kind)) for kind in KINDS.values()}


def _yaml(data: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 120
    yaml.representer.ignore_aliases = lambda _: True  # shared parts are written out: not every reader takes aliases
    text = io.StringIO()
    yaml.dump(data, text)
    return HEADER + text.getvalue()


def difference(folder: Path) -> str:
    """What `--write` would change in this folder, as a unified diff; empty where nothing."""
    shown: list[str] = []
    for name, text in files().items():
        path = folder / name
        old = path.read_text() if path.exists() else ""
        shown += difflib.unified_diff(
            old.splitlines(True), text.splitlines(True), str(path), f"{path} (from the models)"
        )
    return "".join(shown)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m rackwright.api.crd", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", metavar="FOLDER", type=Path, help="show the difference; exit 1 where there is one")
    what.add_argument("--write", metavar="FOLDER", type=Path, help="write the files")
    options = parser.parse_args(arguments)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        for name, text in files().items():
            (options.write / name).write_text(text)
        return 0
    found = difference(options.check)
    sys.stdout.write(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
