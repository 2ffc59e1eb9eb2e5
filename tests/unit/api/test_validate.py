"""What the operator refuses by itself, and how it says so."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.api.kinds import KINDS
from rackwright.api.structural import structural
from rackwright.api.validate import InvalidSpec, check_transition, parse, parse_spec
from tests.unit.api.cases import EXAMPLES, Case, accepted, documents, edited, manifests, refused

REFUSED = refused()


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize("start", sorted(manifests()))
def test_examples_are_valid_and_round_trip(start: str) -> None:
    manifest = manifests()[start]
    parsed = parse(manifest["kind"], manifest)
    assert parse_spec(manifest["kind"], parsed.spec.manifest()) == parsed.spec


def test_the_example_of_a_stamped_node_has_a_valid_status() -> None:
    [manifest] = documents(EXAMPLES / "stamped-compute-node.yaml")
    status = parse("ComputeNode", manifest).status
    assert status is not None
    assert status.manifest() == {key: value for key, value in manifest["status"].items() if value != []}


@pytest.mark.parametrize("case", REFUSED, ids=names(REFUSED))
def test_refused(case: Case) -> None:
    if case.update:
        parse(case.kind, case.manifest())
        old = manifests()[case.start]
        found = check_transition(case.kind, old["spec"], case.manifest()["spec"])
    else:
        with pytest.raises(InvalidSpec) as caught:
            parse(case.kind, case.manifest())
        found = list(caught.value.problems)
    assert any(problem.startswith((f"{case.said}.", f"{case.said}; found ")) for problem in found)
    assert all(problem.startswith(case.path.split("[")[0].split(".")[0]) for problem in found)


@pytest.mark.parametrize("case", accepted(), ids=names(accepted()))
def test_accepted(case: Case) -> None:
    parsed = parse(case.kind, case.manifest())
    assert parse_spec(case.kind, parsed.spec.manifest()) == parsed.spec


def sentences(schema: dict[str, Any]) -> set[str]:
    """The sentences of all rules below a node of a schema, as regular expressions."""
    found = set()
    for rule in schema.get("x-kubernetes-validations", []):
        pieces = (
            re.findall("'([^']*)'", rule["messageExpression"]) if "messageExpression" in rule else [rule["message"]]
        )
        found.add(".+".join(re.escape(piece) for piece in pieces))
    below = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return found.union(*(sentences(inner) for inner in below if inner))


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_a_case(kind: str) -> None:
    said = [case.message for case in REFUSED if case.rule]
    wanted = sentences(structural(KINDS[kind].spec)) | {re.escape(rule.message) for rule in KINDS[kind].model.rules}
    assert [pattern for pattern in sorted(wanted) if not any(re.fullmatch(pattern, text) for text in said)] == []


def test_unchanged_specs_are_no_transition() -> None:
    for manifest in manifests().values():
        assert check_transition(manifest["kind"], manifest["spec"], copy.deepcopy(manifest["spec"])) == []


def test_a_default_that_is_written_out_is_no_transition() -> None:
    root = manifests()["StoragePool/root"]
    filled = parse("StoragePool", root).spec.manifest()
    assert "numbering" not in root["spec"]["backend"]["chassis"]["volumes"]
    assert filled["backend"]["chassis"]["volumes"]["numbering"] == "FromZero"
    assert check_transition("StoragePool", root["spec"], filled) == []
    assert check_transition("StoragePool", filled, root["spec"]) == []


def test_an_unknown_field_is_named() -> None:
    manifest = edited(manifests()["Chassis/sm15k-01"], {"spec.policy.modus": "Plan"})
    with pytest.raises(InvalidSpec) as caught:
        parse("Chassis", manifest)
    assert caught.value.problems == ("spec.policy.modus: there is no such field; take it out or correct its name.",)


def test_an_unknown_field_is_named_even_when_it_is_null() -> None:
    manifest = manifests()["Chassis/sm15k-01"]
    manifest["spec"]["policy"] |= {"modus": None, "resyncSeconds": None}
    with pytest.raises(InvalidSpec, match=r"^spec.policy.modus: there is no such field"):
        parse("Chassis", manifest)


def test_python_names_are_not_names_of_the_api() -> None:
    manifest = manifests()["Chassis/sm15k-01"]
    manifest["spec"]["credentials_ref"] = manifest["spec"].pop("credentialsRef")
    with pytest.raises(InvalidSpec, match=r"spec.credentialsRef: is required"):
        parse("Chassis", manifest)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(InvalidSpec, match='"Rack" is not a kind'):
        parse("Rack", {})


def test_many_problems_are_counted() -> None:
    manifest = edited(manifests()["Chassis/sm15k-01"], {"spec.vlans": [{"id": 5000 + n} for n in range(9)]})
    with pytest.raises(InvalidSpec) as caught:
        parse("Chassis", manifest)
    assert len(caught.value.problems) == 9
    assert str(caught.value).endswith(" And 4 more.")


def test_long_values_are_cut() -> None:
    manifest = edited(manifests()["Chassis/sm15k-01"], {"spec.nodeSets[0].name": "x" * 5000})
    with pytest.raises(InvalidSpec) as caught:
        parse("Chassis", manifest)
    assert len(str(caught.value)) < 200


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["Chassis", "0/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path within JSON data, but the root."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, value in children for found in [(*path, key), *places(value, (*path, key))]]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """One of the examples, with some places replaced, removed, renamed or doubled."""
    manifest = copy.deepcopy(draw(st.sampled_from(sorted(manifests().items())))[1])
    for _ in range(draw(st.integers(1, 3))):
        spots = places(manifest["spec"])
        if not spots:
            break
        *way, last = draw(st.sampled_from(spots))
        node = manifest["spec"]
        for part in way:
            node = node[part]
        how = draw(st.sampled_from(["replace", "remove", "rename", "double"]))
        if how == "replace":
            node[last] = draw(JSON)
        elif how == "remove":
            del node[last]
        elif isinstance(node, list):
            node.append(copy.deepcopy(node[int(last)]))
        else:
            node[draw(st.text(max_size=8))] = node.pop(last)
    return manifest["kind"], manifest


@settings(max_examples=200, deadline=None)
@given(mutated())
def test_no_manifest_breaks_the_parser(found: tuple[str, dict[str, Any]]) -> None:
    kind, manifest = found
    old = next(item for item in manifests().values() if item["kind"] == kind)
    problems: tuple[str, ...] = ()
    try:
        spec = parse(kind, manifest).spec
    except InvalidSpec as error:
        problems = error.problems or ("nothing is said.",)
    else:
        assert parse_spec(kind, spec.manifest()) == spec
        problems = tuple(check_transition(kind, old["spec"], manifest["spec"]))
    assert [text for text in problems if ": " not in text or not text.endswith((".", ".)"))] == []
