"""From the JSON schema that pydantic makes to a structural one, as CustomResourceDefinitions want it.

Structural means: no references, no alternatives of type, nothing closed by `additionalProperties: false` (the API
server prunes instead), and only keywords that the API server knows.
"""

from collections.abc import Mapping
from typing import Any

from rackwright.api.schema import ApiModel

_DROPPED = ("title", "additionalProperties", "propertyNames")
_NUMBERS = ("default", "minimum", "maximum")


def structural(model: type[ApiModel], *, defaults: bool = True) -> dict[str, Any]:
    """The structural schema of a model. ValueError where the model uses something that has no such schema."""
    schema = model.model_json_schema(by_alias=True)
    found = _node(schema, schema.get("$defs", {}))
    return found if defaults else _without_defaults(found)


def _without_defaults(node: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in node.items() if key != "default"}
    if "items" in kept:
        kept["items"] = _without_defaults(kept["items"])
    if "properties" in kept:
        kept["properties"] = {name: _without_defaults(item) for name, item in kept["properties"].items()}
    return kept


def _node(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    node = _resolved(found, definitions)
    entries = node.get("additionalProperties")
    kept = {key: value for key, value in node.items() if key not in _DROPPED and not key.startswith("$")}
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    if "type" not in kept:
        raise ValueError(f"the schema {kept} has no type; declare the field with exactly one")
    if isinstance(entries, dict):
        kept["additionalProperties"] = _node(entries, definitions)
    if "items" in kept:
        kept["items"] = _node(kept["items"], definitions)
    if "properties" in kept:
        kept["properties"] = {name: _node(item, definitions) for name, item in kept["properties"].items()}
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split())
    for key in _NUMBERS:
        if isinstance(kept.get(key), float) and kept[key].is_integer():
            kept[key] = int(kept[key])
    return _with_default(kept)


def _resolved(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The node itself, where it is a reference or `this or null`; what stands beside the reference wins."""
    if "$ref" in found:
        target = definitions[found["$ref"].rpartition("/")[2]]
        return _resolved(target | {key: value for key, value in found.items() if key != "$ref"}, definitions)
    if "anyOf" in found:
        choices = [item for item in found["anyOf"] if item.get("type") != "null"]
        if len(choices) != 1:
            raise ValueError(f"the alternatives {choices} are not structural; use a union by type")
        return _resolved(choices[0] | {key: value for key, value in found.items() if key != "anyOf"}, definitions)
    return dict(found)


def _with_default(node: dict[str, Any]) -> dict[str, Any]:
    """Keep what is worth a default.

    An object whose fields all have defaults gets `{}`, and its fields fill it in. An empty list or map is none at all,
    so that objects in the cluster are not padded.
    """
    default = node.get("default")
    if default is None or default == [] or (default == {} and "properties" not in node):
        node.pop("default", None)
    elif isinstance(default, dict):
        node["default"] = {}
    return node
