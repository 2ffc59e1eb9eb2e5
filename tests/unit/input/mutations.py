"""What people, templates and merges do to manifests that were right: random mutations of JSON data, 1 to 5 at a time."""

import copy
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

MOST = 5
NUMBERS = (-1, 0, 1, 3, 7, 64, 255, 4094, 4095, 5000, 65536, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 0.5, 1e308)
NAMES = ("root", "capacity", "journal", "sm15k-01", "storage", "compute", "nobody", "0/0", "77/0", "32/0", "JBOD9/9")
SIZES = ("500G", "500GB", "500gi", "500 Gi", "0.5Ti", "-1Gi", "0Gi", "9999999Ti", "500", "1Gi", "EqualShare", "60s")
STRINGS = (
    "",
    " ",
    "x" * 300,
    "0",
    "true",
    "null",
    "~",
    "line\nline",
    "tab\there",
    "nul\x00",
    "bell\x07\x1b[31m",
    "\u202eright to left",
    "zero\u200bwidth\ufeff",
    "e\u0301" * 40,
    "\U0001f525" * 40,
    "\u0665",  # a digit to Python, and none to a device
    "Ⅷ",
    "ſ",
    "'; reload ; '",
    "$(reboot)",
    "`id`",
    "%s %n {0} {spec}",
    "../../etc/passwd",
    '"quoted" \\ and back',
    "Observe",
    "Plan",
    "Allow",
    "Never",
    "Volume",
    "Disk",
)
DEPTH = 12
LARGE = "y" * 1_000_000
Path = tuple[str | int, ...]


def places(node: Any, path: Path = ()) -> list[Path]:
    """Every path within JSON data, but the root; not to the bottom of what is very deep."""
    if len(path) == DEPTH:
        return []
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, value in children for found in [(*path, key), *places(value, (*path, key))]]


def _deep(levels: int) -> Any:
    found: Any = "bottom"
    for level in range(levels):
        found = {"d": found} if level % 2 else [found]
    return found


def _odd(random: random.Random) -> Any:
    """Anything but what belongs there."""
    match random.randrange(8):
        case 0:
            return random.choice(NUMBERS)
        case 1:
            return random.choice([True, False, None])
        case 2:
            return [random.choice(STRINGS), random.choice(NUMBERS)]
        case 3:
            return {random.choice(STRINGS): random.choice(STRINGS)}
        case 4 if random.randrange(20) == 0:
            return random.choice([LARGE, _deep(250), [1] * 5000])
        case 5:
            return random.choice(NAMES)
        case _:
            return random.choice(STRINGS)


def _retyped(value: Any, random: random.Random) -> Any:
    return random.choice([str(value), [value], {"value": value}, len(str(value)), None, not value])


def _with_unit(value: Any, random: random.Random) -> Any:
    if isinstance(value, str) and (number := re.match(r"\d+", value)):
        return random.choice([number[0], f"{number[0]}Ti", f"{number[0]}Mi", *SIZES])
    return random.choice(SIZES)


class _Place:
    """One value within a spec, and the object or list that it is in."""

    def __init__(self, spec: Any, path: Path) -> None:
        *way, self.last = path
        self.parent = spec
        for part in way:
            self.parent = self.parent[part]

    @property
    def value(self) -> Any:
        return self.parent[self.last]

    @value.setter
    def value(self, value: Any) -> None:
        self.parent[self.last] = value

    def drop(self, _: random.Random) -> None:
        del self.parent[self.last]

    def double(self, random: random.Random) -> None:
        """One more in a list, with the same key; or the same under another name."""
        other = copy.deepcopy(self.value)
        if isinstance(self.parent, list):
            self.parent.insert(random.randrange(len(self.parent) + 1), other)
        else:
            self.parent[random.choice([*self.parent, *STRINGS, "extra"])] = other

    def retype(self, random: random.Random) -> None:
        self.value = _retyped(self.value, random)

    def replace(self, random: random.Random) -> None:
        self.value = _odd(random)

    def number(self, random: random.Random) -> None:
        self.value = random.choice(NUMBERS)

    def unit(self, random: random.Random) -> None:
        self.value = _with_unit(self.value, random)

    def refer(self, random: random.Random) -> None:
        self.value = random.choice(NAMES)

    def nothing(self, _: random.Random) -> None:
        self.value = None

    def nest(self, random: random.Random) -> None:
        """One level too deep, or its first child in its place."""
        inner = list(self.value.values()) if isinstance(self.value, dict) else self.value
        if isinstance(inner, list) and inner and random.randrange(2):
            self.value = inner[0]
        else:
            self.value = random.choice([[self.value], {str(self.last): self.value}])

    def unknown(self, random: random.Random) -> None:
        where = self.value if isinstance(self.value, dict) else self.parent
        if isinstance(where, dict):
            where[random.choice(["modus", "sepc", "credentials_ref", *STRINGS])] = _odd(random)
        else:
            where.append(_odd(random))

    def rename(self, random: random.Random) -> None:
        if isinstance(self.parent, dict):
            name = str(self.last)
            other = random.choice([name.lower(), name.upper(), f"{name}s", f" {name}", *STRINGS])
            self.parent[other] = self.parent.pop(self.last)


_WAYS: Sequence[Callable[[_Place, random.Random], None]] = (
    _Place.drop,
    _Place.double,
    _Place.retype,
    _Place.replace,
    _Place.number,
    _Place.unit,
    _Place.refer,
    _Place.nothing,
    _Place.nest,
    _Place.unknown,
    _Place.rename,
)


def mutate(spec: Any, random: random.Random) -> None:
    """One mutation, in place."""
    found = places(spec)
    if not found:
        spec["extra"] = _odd(random)
        return
    place = _Place(spec, random.choice(found))
    way = random.randrange(len(_WAYS) + 1)
    if way < len(_WAYS):
        _WAYS[way](place, random)
        return
    other = _Place(spec, random.choice(found))  # two places swap what they hold, unless one holds the other
    mine, theirs = copy.deepcopy(place.value), copy.deepcopy(other.value)
    place.value = theirs
    if other.parent is place.parent or len(places(spec)) == len(found):
        other.value = mine


@st.composite
def mutated(draw: st.DrawFn, specs: Sequence[tuple[str, Mapping[str, Any]]], most: int = MOST) -> tuple[str, Any]:
    """The name of one of these and its spec after 1 to `most` mutations."""
    chance = draw(st.randoms(use_true_random=False))
    name, spec = chance.choice(specs)
    found = copy.deepcopy(dict(spec))
    for _ in range(min(chance.randrange(1, most + 1), chance.randrange(1, most + 1))):  # mostly few: some are valid
        mutate(found, chance)
    return name, found
