"""The generated CustomResourceDefinitions: in step, structural, described and bounded throughout."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rackwright.api import crd
from rackwright.api.kinds import KINDS
from rackwright.api.schema import ApiModel, Items, Text, members
from rackwright.api.status import Status

CRDS = Path(__file__).parents[3] / "crds"
APPLY_ANNOTATION_BYTES = 262144
KNOWN = {
    "additionalProperties",
    "default",
    "description",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
}


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind."""
    found = crd.definition(KINDS[kind])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert isinstance(found, dict)
    return found


def nodes(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of a schema with its path; `[]` is an item of a list and `{}` the value of a map."""
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")
    if "additionalProperties" in node:
        yield from nodes(node["additionalProperties"], path + "{}")


ALL = [item for kind in KINDS for item in nodes(schema(kind), kind)]
OURS = [(path, node) for path, node in ALL if not path.endswith((".metadata", ".apiVersion")) and path.count(".") > 0]


def test_the_files_are_in_step() -> None:
    assert crd.difference(CRDS) == ""
    assert {path.name for path in CRDS.glob("rackwright.dev_*.yaml")} == set(crd.files())


def test_every_yaml_reader_reads_the_same() -> None:
    for kind in KINDS.values():
        text = crd.files()[f"rackwright.dev_{kind.plural}.yaml"]
        yaml = YAML(typ="safe")
        yaml.version = (1, 1)  # as Kubernetes reads it, where a bare `no` is not a string
        assert yaml.load(text) == crd.definition(kind)


def test_a_definition_fits_the_annotation_of_apply() -> None:
    for kind in KINDS.values():
        assert len(json.dumps(crd.definition(kind))) < APPLY_ANNOTATION_BYTES


def test_only_what_structural_schemas_know() -> None:
    assert {key for _, node in ALL for key in node} <= KNOWN
    assert [
        path
        for path, node in ALL
        if node.get("type") not in ("object", "array", "string", "integer", "number", "boolean")
    ] == []


def test_every_field_is_described() -> None:
    bare = [path for path, node in OURS if not path.endswith(("[]", "{}")) and len(node.get("description", "")) < 8]
    assert bare == []


def test_descriptions_are_sentences() -> None:
    texts = {(path, node["description"]) for path, node in OURS if "description" in node}
    assert [
        (path, text) for path, text in texts if not text.endswith(".") or not (text[0].isupper() or text[0] in "0`")
    ] == []


def test_every_list_is_bounded_and_says_how_it_merges() -> None:
    lists = [(path, node) for path, node in ALL if node["type"] == "array"]
    assert lists
    assert [path for path, node in lists if "maxItems" not in node or "x-kubernetes-list-type" not in node] == []


def test_every_string_is_bounded() -> None:
    strings = [(path, node) for path, node in OURS if node["type"] == "string" and not path.endswith(".kind")]
    assert strings
    assert [path for path, node in strings if "maxLength" not in node and "enum" not in node] == []


def test_every_number_is_bounded() -> None:
    numbers = [(path, node) for path, node in ALL if node["type"] in ("integer", "number")]
    assert numbers
    assert [path for path, node in numbers if "minimum" not in node or "maximum" not in node] == []


def test_every_map_is_bounded() -> None:
    maps = [
        (path, node)
        for path, node in OURS
        if "additionalProperties" in node or "x-kubernetes-preserve-unknown-fields" in node
    ]
    assert maps
    assert [path for path, node in maps if "maxProperties" not in node] == []


def test_keys_of_list_maps_are_always_there() -> None:
    for path, node in ALL:
        for key in node.get("x-kubernetes-list-map-keys", []):
            assert key in node["items"]["required"] or "default" in node["items"]["properties"][key], path


@pytest.mark.parametrize(
    ("kind", "field", "key"),
    [
        ("Chassis", "vlans", "id"),
        ("Chassis", "uplinks", "port"),
        ("Chassis", "storageSlots", "slot"),
        ("Chassis", "nodeSets", "name"),
        ("Chassis", "approvals", "plan"),
        ("StoragePool", "assign", "name"),
        ("ControllerCluster", "members", "name"),
        ("ControllerCluster", "virtualIPs", "name"),
        ("ControllerCluster", "services", "name"),
        ("ComputeNode", "nicGroups", "name"),
    ],
)
def test_lists_that_people_merge_have_keys(kind: str, field: str, key: str) -> None:
    node = schema(kind)["properties"]["spec"]["properties"][field]
    assert node["x-kubernetes-list-type"] == "map"
    assert node["x-kubernetes-list-map-keys"] == [key]


def test_statuses_have_no_defaults() -> None:
    assert [path for path, node in ALL if ".status" in path and "default" in node] == []


def test_rules_are_short_enough_to_read() -> None:
    for path, node in ALL:
        for rule in node.get("x-kubernetes-validations", []):
            assert 10 < len(rule["message"]) <= 200, path
            assert rule["message"].endswith("."), path


def fixed_below_lists(model: type[ApiModel], in_list: bool = False) -> list[str]:
    """Models with fixed fields that stand in a list, where an old and a new item cannot always be told apart."""
    found = [model.__name__] if in_list and model.fixed else []
    for info in model.model_fields.values():
        listed = in_list or any(isinstance(item, Items) for item in info.metadata)
        found += [name for inner in members(info.annotation) for name in fixed_below_lists(inner, listed)]
    return found


def test_fixed_fields_stand_in_no_list() -> None:
    assert [name for kind in KINDS.values() for name in fixed_below_lists(kind.spec)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_columns(kind: str) -> None:
    spec = crd.definition(KINDS[kind])["spec"]
    assert spec["names"]["categories"] == ["rack"]
    assert spec["names"]["singular"] == kind.lower()
    assert spec["scope"] == "Namespaced"
    [version] = spec["versions"]
    assert version["subresources"] == {"status": {}}
    shown = [column["name"] for column in version["additionalPrinterColumns"] if not column.get("priority")]
    assert shown[-5:] == ["Ready", "Reason", "Summary", "Drift", "Age"]
    assert issubclass(KINDS[kind].status, Status)


def test_check_and_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main(["--check", str(tmp_path)]) == 1
    assert "+kind: CustomResourceDefinition" in capsys.readouterr().out
    assert crd.main(["--write", str(tmp_path)]) == 0
    assert crd.main(["--check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    stale = tmp_path / "rackwright.dev_chassis.yaml"
    stale.write_text(stale.read_text().replace("maxItems: 256", "maxItems: 255", 1))
    assert crd.main(["--check", str(tmp_path)]) == 1
    assert "maxItems: 255" in capsys.readouterr().out


def test_patterns_are_anchored() -> None:
    with pytest.raises(ValueError, match="not anchored"):
        Text(10, "a+")
