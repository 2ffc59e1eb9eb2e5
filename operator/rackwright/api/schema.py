"""How a model says its bounds and rules once: for the API server (schema and CEL) and for the operator itself.

Everything in `rackwright.api` is built from these: `Text`, `Range` and `Items` bound a value, `Rule` ties fields
together, `Fixed` freezes a field once it is set. Old API servers ignore CEL and a folder of manifests has no server at
all, so each of them is also checked in Python, with the same sentence.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rackwright.api.sentences import listed, shown

M = TypeVar("M")

PROBLEM = "rackwright"
"""The type of the validation errors raised here; their context holds finished sentences."""


def refuse(*sentences: str) -> PydanticCustomError:
    """An error of validation that says exactly these sentences."""
    return PydanticCustomError(PROBLEM, "{text}", {"text": " ".join(sentences), "sentences": sentences})


def with_found(message: str, found: str) -> str:
    """A sentence with what was found at its end."""
    return f"{message.removesuffix('.')}; found {found}."


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most `most` characters, of one form. `means` says what a right value is, with an example.

    The pattern is of the common part of RE2 and Python, anchored at both ends.
    """

    most: int
    pattern: str | None = None
    means: str = ""
    least: int = 0

    def __post_init__(self) -> None:
        if self.pattern and not (self.pattern.startswith("^") and self.pattern.endswith("$")):
            raise ValueError(f"the pattern {self.pattern} is not anchored; begin it with ^ and end it with $")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema) | {"maxLength": self.most}
        if self.least:
            found["minLength"] = self.least
        if self.pattern:
            found["pattern"] = self.pattern
        return found

    def accepts(self, value: str) -> bool:
        """Whether the value is within the bounds and of the form."""
        return self.least <= len(value) <= self.most and (not self.pattern or bool(re.fullmatch(self.pattern, value)))

    def _check(self, value: str) -> str:
        if not self.least <= len(value) <= self.most:
            raise refuse(f"{shown(value)} has {len(value)} characters; use {self.least} to {self.most}.")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise refuse(f"{shown(value)} is not {self.means or f'of the form {self.pattern}'}.")
        return value


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`, both included; text that looks like a number is refused."""

    low: float
    high: float

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        found: Any = {**handler(source), "strict": True, "ge": self.low, "le": self.high}
        return cast(CoreSchema, found)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of at most `most` items. With `key` a list map (no two items share it), with `unique` a set."""

    most: int
    key: str | None = None
    unique: bool = False
    least: int = 0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema) | {"maxItems": self.most}
        if self.least:
            found["minItems"] = self.least
        found["x-kubernetes-list-type"] = "map" if self.key else "set" if self.unique else "atomic"
        if self.key:
            found["x-kubernetes-list-map-keys"] = [self.key]
        return found

    def _check(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self.least <= len(value) <= self.most:
            raise refuse(f"has {len(value)} items; use {self.least} to {self.most}.")
        if self.key:
            keys = [item.by_alias(self.key) for item in value]
            twice = [str(key) for key, times in Counter(keys).items() if times > 1]
            if twice:
                raise refuse(f"has more than one item with {self.key} {listed(twice)}; keep one of each.")
        elif self.unique and len(set(value)) != len(value):
            twice = [shown(item) for item, times in Counter(value).items() if times > 1]
            raise refuse(f"has {listed(twice)} twice; keep one of each.")
        return value


@dataclass(frozen=True, slots=True)
class Keys:
    """A map of at most `most` entries, whose keys are of one form."""

    most: int
    text: Text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # A structural schema has no word for the form of keys, so that one is a rule.
        rule = f"self.all(key, size(key) <= {self.text.most} && key.matches(r'{self.text.pattern}'))"
        return handler(schema) | {
            "maxProperties": self.most,
            "x-kubernetes-validations": [{"rule": rule, "message": self._message}],
        }

    @property
    def _message(self) -> str:
        return f"every key must be {self.text.means}."

    def _check(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if len(value) > self.most:
            raise refuse(f"has {len(value)} entries; use at most {self.most}.")
        wrong = [shown(key) for key in value if not self.text.accepts(key)]
        if wrong:
            raise refuse(with_found(self._message, listed(wrong)))
        return value


@dataclass(frozen=True, slots=True)
class Free:
    """An object of at most `most` entries that somebody else understands; the API server keeps it as it is.

    `declared` are properties that a rule looks at: CEL sees only what is declared.
    """

    most: int
    declared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found: JsonSchemaValue = {
            "type": "object",
            "maxProperties": self.most,
            "x-kubernetes-preserve-unknown-fields": True,
        }
        return (
            found | {"properties": {key: dict(item) for key, item in self.declared.items()}} if self.declared else found
        )

    def _check(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if len(value) > self.most:
            raise refuse(f"has {len(value)} entries; use at most {self.most}.")
        return value


@dataclass(frozen=True)  # no slots: typing cannot make a frozen, slotted generic by Rule[Model](...)
class Rule(Generic[M]):
    """What must hold between the fields of one object: the CEL expression, the same in Python, and the sentence.

    `say` with `cel_say` (a CEL expression that yields the same text) replaces the sentence by one that names the value.
    `found` is what of the value breaks it, where that is one of many: CEL has no way to say it, the operator adds it.
    """

    cel: str
    message: str
    holds: Callable[[M], bool]
    cel_say: str | None = None
    say: Callable[[M], str] | None = None
    found: Callable[[M], Iterable[str]] | None = None

    def sentence(self, value: M) -> str:
        """Why this value is refused, and what to do."""
        if self.found:
            return with_found(self.message, listed(sorted(self.found(value))))
        return self.say(value) if self.say else self.message

    def as_validation(self) -> dict[str, str]:
        """As an item of `x-kubernetes-validations`."""
        found = {"rule": self.cel, "message": self.message}
        return found | {"messageExpression": self.cel_say} if self.cel_say else found


def finds_none(cel: str, message: str, found: Callable[[M], Iterable[str]]) -> Rule[M]:
    """The rule that nothing is found; what is found is named."""
    return Rule(cel, message, holds=lambda value: not any(True for _ in found(value)), found=found)


def repeated(items: Iterable[Any]) -> Iterator[str]:
    """What is there more than once."""
    return (str(item) for item, times in Counter(items).items() if times > 1)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A field, by its name in the manifest, that stays as it was made: not set later, not changed, not taken away."""

    name: str
    message: str
    always: bool = False  # whether it is always there: required, or with a default

    @property
    def cel(self) -> str:
        """The transition rule."""
        same = f"self.{self.name} == oldSelf.{self.name}"
        if self.always:
            return same
        return f"has(self.{self.name}) == has(oldSelf.{self.name}) && (!has(self.{self.name}) || {same})"

    def holds(self, old: Mapping[str, Any], new: Mapping[str, Any], default: object) -> bool:
        """Whether the field is the same in both; where it is not given, it is the default."""
        return bool(old.get(self.name, default) == new.get(self.name, default))

    def as_validation(self) -> dict[str, str]:
        """As an item of `x-kubernetes-validations`."""
        return {"rule": self.cel, "message": self.message}


class ApiModel(BaseModel):
    """An object of the API: frozen, exact (an unknown field is an error), camelCase outside and snake_case inside."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=False
    )

    rules: ClassVar[tuple[Rule[Any], ...]] = ()
    fixed: ClassVar[tuple[Fixed, ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        validations = [rule.as_validation() for rule in cls.rules] + [field.as_validation() for field in cls.fixed]
        if validations:
            handler.resolve_ref_schema(found)["x-kubernetes-validations"] = validations
        return found

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        # As the API server does: a null for a field that is not nullable is the same as no field.
        if not isinstance(data, dict) or None not in data.values():
            return data
        known = {name for field, info in cls.model_fields.items() for name in (field, info.alias)}
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @model_validator(mode="after")
    def _hold_rules(self) -> Self:
        broken = [rule.sentence(self) for rule in self.rules if not rule.holds(self)]
        if broken:
            raise refuse(*broken)
        return self

    @classmethod
    def name_of(cls, alias: str) -> str:
        """The name here of the field that manifests call `alias`."""
        return next(name for name, info in cls.model_fields.items() if info.alias == alias)

    def by_alias(self, alias: str) -> Any:
        """The value of the field that manifests call `alias`."""
        return getattr(self, self.name_of(alias))

    def manifest(self) -> dict[str, Any]:
        """As JSON data under the names of the manifest: exactly what an API server makes of it, defaults filled in.

        What is not set is left out, as are lists and maps that are empty and need not be there.
        """
        found: dict[str, Any] = {}
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            unset = value is None or (value in ((), {}) and value == info.default)
            if not unset:
                found[info.alias or name] = _plain(value)
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, ApiModel):
        return value.manifest()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.value if isinstance(value, Enum) else value


def members(annotation: Any) -> Iterator[type[ApiModel]]:
    """The models that a field's annotation is made of: of `Vlan`, `Vlan | None` and `tuple[Vlan, ...]` it is `Vlan`."""
    if isinstance(annotation, type) and issubclass(annotation, ApiModel):
        yield annotation
    for inner in get_args(annotation):
        yield from members(inner)


def one_member(selector: str, by_type: Mapping[str, str]) -> Rule[Any]:
    """The rule of a union: exactly the member that `selector` names is set. `by_type` is from type to field name."""

    def holds(value: ApiModel) -> bool:
        chosen = value.by_alias(selector)
        return all((chosen == kind) == (value.by_alias(name) is not None) for kind, name in by_type.items())

    return Rule(
        cel=" && ".join(f"(self.{selector} == '{kind}') == has(self.{name})" for kind, name in by_type.items()),
        message=f"exactly the member that {selector} names must be set: "
        + ", ".join(f"{name} for {kind}" for kind, name in by_type.items())
        + ".",
        holds=holds,
    )


def exactly_one(*names: str) -> Rule[Any]:
    """The rule that exactly one of these fields is set (an empty list counts as not set)."""
    return Rule(
        cel="[" + ", ".join(f"has(self.{name})" for name in names) + "].exists_one(given, given)",
        message=f"exactly one of {', '.join(names)} must be set.",
        holds=lambda value: [value.by_alias(name) not in (None, ()) for name in names].count(True) == 1,
    )
