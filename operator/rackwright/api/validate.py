"""From a manifest to a model, or to sentences that say what is wrong with it and what to do.

The operator calls this on everything it reads: an old API server ignores CEL, and a folder of manifests has no server.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, overload

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rackwright.api.chassis import ChassisSpec
from rackwright.api.compute_node import ComputeNodeSpec
from rackwright.api.controller_cluster import ControllerClusterSpec
from rackwright.api.kinds import (
    KINDS,
    AnyManifest,
    Chassis,
    ComputeNode,
    ControllerCluster,
    Kind,
    Spec,
    StoragePool,
)
from rackwright.api.schema import PROBLEM, ApiModel, members, with_found
from rackwright.api.sentences import field_path, joined, shown
from rackwright.api.storage_pool import StoragePoolSpec


class InvalidSpec(ValueError):
    """A manifest that cannot be used. `problems` has all sentences; the text has the first few and counts the rest."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(joined(self.problems))


@overload
def parse(kind: Literal["Chassis"], manifest: Mapping[str, Any]) -> Chassis: ...
@overload
def parse(kind: Literal["StoragePool"], manifest: Mapping[str, Any]) -> StoragePool: ...
@overload
def parse(kind: Literal["ControllerCluster"], manifest: Mapping[str, Any]) -> ControllerCluster: ...
@overload
def parse(kind: Literal["ComputeNode"], manifest: Mapping[str, Any]) -> ComputeNode: ...
@overload
def parse(kind: str, manifest: Mapping[str, Any]) -> AnyManifest: ...
def parse(kind: str, manifest: Mapping[str, Any]) -> Any:
    """A whole object of one of the four kinds. InvalidSpec says what is wrong with it.

    What metadata holds beyond name and namespace is not looked at.
    """
    return _validated(_kind(kind).model, manifest, "")


@overload
def parse_spec(kind: Literal["Chassis"], spec: Mapping[str, Any]) -> ChassisSpec: ...
@overload
def parse_spec(kind: Literal["StoragePool"], spec: Mapping[str, Any]) -> StoragePoolSpec: ...
@overload
def parse_spec(kind: Literal["ControllerCluster"], spec: Mapping[str, Any]) -> ControllerClusterSpec: ...
@overload
def parse_spec(kind: Literal["ComputeNode"], spec: Mapping[str, Any]) -> ComputeNodeSpec: ...
@overload
def parse_spec(kind: str, spec: Mapping[str, Any]) -> Spec: ...
def parse_spec(kind: str, spec: Mapping[str, Any]) -> Any:
    """The spec of an object of one of the four kinds, as its model. InvalidSpec says what is wrong with it."""
    return _validated(_kind(kind).spec, spec, "spec")


def check_transition(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What of a spec was changed that cannot be changed, in a sentence each; both are specs as manifests hold them."""
    return list(_transitions(_kind(kind).spec, old, new, "spec"))


def _transitions(model: type[ApiModel], old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    """Goes through objects only: no fixed field is in a list."""
    for field in model.fixed:
        if not field.holds(old, new, model.model_fields[model.name_of(field.name)].default):
            was, now = (shown(spec[field.name]) if field.name in spec else "nothing" for spec in (old, new))
            yield f"{path}: {with_found(field.message, f'{now} instead of {was}')}"
    for name, info in model.model_fields.items():
        alias = info.alias or name
        before, after = old.get(alias), new.get(alias)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            for inner in members(info.annotation):
                yield from _transitions(inner, before, after, f"{path}.{alias}")


def fixed_part(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Only what of a spec cannot be changed, as nested as it is there: all that `check_transition` needs of an old spec."""
    return _fixed(_kind(kind).spec, spec)


def _fixed(model: type[ApiModel], spec: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = {field.name: spec[field.name] for field in model.fixed if field.name in spec}
    for name, info in model.model_fields.items():
        alias = info.alias or name
        value = spec.get(alias)
        if alias not in part and isinstance(value, Mapping):
            for member in members(info.annotation):
                if inner := _fixed(member, value):
                    part[alias] = inner
    return part


def _kind(name: str) -> Kind:
    found = KINDS.get(name)
    if found is None:
        raise InvalidSpec([f"kind: {shown(name)} is not a kind of Rackwright; use one of {', '.join(KINDS)}."])
    return found


def _validated(model: type[ApiModel], data: Mapping[str, Any], root: str) -> Any:
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems = [f"{_path(root, item)}: {text}" for item in details for text in _sentences(item)]
        raise InvalidSpec(problems) from None


def _path(root: str, error: ErrorDetails) -> str:
    return field_path(root, error["loc"]) or "the manifest"


def _sentences(error: ErrorDetails) -> Sequence[str]:
    context = error.get("ctx", {})
    if error["type"] == PROBLEM:
        return tuple(context["sentences"])
    found = shown(error["input"])
    match error["type"]:
        case "missing":
            return ["is required; add it."]
        case "extra_forbidden":
            return ["there is no such field; take it out or correct its name."]
        case "enum" | "literal_error":
            return [f"{found} is not known; use {context['expected']}."]
        case "greater_than_equal":
            return [f"{found} is too small; use at least {context['ge']:g}."]
        case "less_than_equal":
            return [f"{found} is too large; use at most {context['le']:g}."]
    wanted = _WANTED.get(error["type"])
    return [f"{found} is not {wanted}; correct its type." if wanted else f"{found} cannot be used: {error['msg']}."]


_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a string (put it in quotes)",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
