"""Every field of a model by its path, and edits of a manifest by such paths with the items of lists named."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from rackwright.api.schema import ApiModel

Spec = dict[str, Any]
Edit = Callable[[Spec], None]
_SUFFIXES: Mapping[Any, str] = {tuple: "[]", dict: ".*"}
_KEYS = ("name", "id", "port", "slot", "server", "key", "domain", "poolRef")


def fields(model: type[ApiModel], path: str = "") -> Iterator[str]:
    """Every field below a model, nested ones too: `vlans`, `vlans[].id`, and `addresses.*.network` for a map's entries."""
    for name, info in model.model_fields.items():
        yield from _field(info.annotation, f"{path}{info.alias or name}")


def _field(annotation: Any, path: str) -> Iterator[str]:
    yield path
    for suffix, model in _models(annotation, ""):
        yield from fields(model, f"{path}{suffix}.")


def _models(annotation: Any, suffix: str) -> Iterator[tuple[str, type[ApiModel]]]:
    """The models that a field is made of, and whether they are items of a list or entries of a map."""
    if isinstance(annotation, type) and issubclass(annotation, ApiModel):
        yield suffix, annotation
        return
    origin, inner = get_origin(annotation), get_args(annotation)
    for item in inner[:1] if origin is Annotated else inner:
        yield from _models(item, suffix + _SUFFIXES.get(origin, ""))


def put(path: str, value: Any) -> Edit:
    """Set what is at `nodeSets[storage].template.powerState`; objects on the way are made where they are not there."""

    def edit(spec: Spec) -> None:
        holder, last = _holder(spec, path)
        holder[last] = copy.deepcopy(value)

    return edit


def add(path: str, *items: Any) -> Edit:
    """Append to a list, which is made where it is not there."""

    def edit(spec: Spec) -> None:
        holder, last = _holder(spec, path)
        holder[last] = [*holder.get(last, []), *copy.deepcopy(items)]

    return edit


def drop(path: str) -> Edit:
    """Remove a field or an item of a list, which must be there."""

    def edit(spec: Spec) -> None:
        holder, last = _holder(spec, path)
        del holder[last]

    return edit


def _holder(spec: Spec, path: str) -> tuple[Any, Any]:
    """What holds the last step of a path, and the key or index that this step is there."""
    holder: Any = spec
    steps = re.findall(r"[^.\[\]]+|\[[^\]]+\]", path)
    for step in steps[:-1]:
        holder = holder[_at(holder, step)] if step.startswith("[") else holder.setdefault(step, {})
    last = steps[-1]
    return holder, _at(holder, last) if last.startswith("[") else last


def _at(items: list[Any], step: str) -> int:
    """The index of the item that a step such as `[storage]` or `[0]` means; a key of the item counts before an index."""
    wanted = step[1:-1]
    for index, item in enumerate(items):
        named = [item.get(key) for key in _KEYS] if isinstance(item, Mapping) else [item]
        if wanted in map(str, (value for value in named if value is not None)):
            return index
    return int(wanted)


def is_changed(field: str, before: Any, after: Any) -> bool:
    """Whether two specs differ in a field."""
    pattern = re.compile(re.escape(field).replace(r"\*", r"[^.\[\]]+"))
    return any(pattern.fullmatch(path) for path in _changed(before, after))


def _changed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The fields in which two specs differ, the fields in what is only in one of them included."""
    if before == after:
        return
    if path:
        yield path
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        first, second = before or {}, after or {}
        for key in {*first, *second}:
            yield from _changed(first.get(key), second.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) or isinstance(after, list):
        first, second = list(before or ()), list(after or ())
        for index in range(max(len(first), len(second))):
            one, other = (items[index] if index < len(items) else None for items in (first, second))
            yield from _changed(one, other, f"{path}[]")
