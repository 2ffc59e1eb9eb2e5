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
                    "additionalPrinterColumns": _columns(kind),
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


def _condition(name: str, condition: str, field: str, description: str, priority: int = 0) -> dict[str, Any]:
    path = f'.status.conditions[?(@.type=="{condition}")].{field}'
    return {"name": name, "type": "string", "description": description, "jsonPath": path} | (
        {"priority": priority} if priority else {}
    )


def _columns(kind: Kind) -> list[dict[str, Any]]:
    """What `kubectl get` shows, so that a person can run a rack from it."""
    own: Mapping[str, list[dict[str, Any]]] = {
        "ComputeNode": [
            {
                "name": "Server",
                "type": "string",
                "description": "The server in its chassis.",
                "jsonPath": ".spec.server",
            },
            _condition("Chassis", "ChassisReady", "status", "Whether the chassis' side of it is as declared.", 1),
            _condition("Host", "HostReady", "status", "Whether the host itself is as declared.", 1),
        ],
        "StoragePool": [
            {"name": "Backend", "type": "string", "description": "Type of backend.", "jsonPath": ".spec.backend.type"}
        ],
    }
    return [
        *own.get(kind.name, []),
        _condition("Ready", "Ready", "status", "Whether all is as declared."),
        _condition("Reason", "Ready", "reason", "Why."),
        {
            "name": "Summary",
            "type": "string",
            "description": "Parts in sync / parts declared.",
            "jsonPath": ".status.summary",
        },
        {
            "name": "Drift",
            "type": "integer",
            "description": "How many parts are not as declared.",
            "jsonPath": ".status.driftCount",
        },
        {
            "name": "Plan",
            "type": "string",
            "description": "Digest of the plan.",
            "jsonPath": ".status.plan.digest",
            "priority": 1,
        },
        _condition("Message", "Ready", "message", "Why, in a sentence.", 1),
        {
            "name": "Age",
            "type": "date",
            "description": "Since it was made.",
            "jsonPath": ".metadata.creationTimestamp",
        },
    ]


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
