"""What is being done, what is held and what comes later, from the plans that all objects publish in their statuses. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.text import Text

from rackwright.api.kinds import KINDS
from rackwright.cli.demo.report import Object
from rackwright.core.resource import Ref

T = TypeVar("T")

ORDER = (
    "SetManagementMode",
    "ClearMetadata",
    "CreatePool",
    "CreateVolumes",
    "CreateVlan",
    "Detach",
    "Attach",
)  # of a build
CURRENT = ("Applying", "AwaitingApproval")  # reasons of objects whose first stage is the one under way
RISKS = {"Safe": ("+", "green"), "Disruptive": ("~", "yellow"), "Destructive": ("!", "red")}
DIGEST = 12  # characters of a digest that tell it from others


@dataclass(frozen=True, order=True)
class Kind:
    """Steps that are alike."""

    held: bool
    risk: str
    action: str


@dataclass(frozen=True)
class Work:
    """How many steps of which kind are under way, how many come later by their action, and who asks for consent."""

    now: Mapping[Kind, int]
    later: Mapping[str, int]
    asking: tuple[tuple[Ref, str], ...]

    @classmethod
    def of(cls, objects: Iterable[Object]) -> "Work":
        """From objects as they are stored."""
        items = list(objects)
        by_node = {step["action"] for item in items if item.server for stage in item.stages for step in stage["steps"]}
        now, later = _Tally[Kind](by_node), _Tally[str](by_node)
        for item in items:
            for number, stage in enumerate(item.stages):
                if number == 0 and _is_current(item):
                    now.add(item, stage, _kind)
                else:
                    later.add(item, stage, _action)
        asking = tuple((item.ref, item.asking) for item in items if item.asking)
        order = sorted(later.counts.items(), key=lambda pair: ORDER.index(pair[0]) if pair[0] in ORDER else len(ORDER))
        return cls(now.counts, dict(order), asking)

    def lines(self) -> Iterator[Text]:
        """What is held and who asks for it come first, as that waits for a person; then what is done, and what comes after."""
        yield from (_line(kind, count) for kind, count in sorted(self.now.items()) if kind.held)
        for ref, digest in self.asking:
            line = Text().append("? ", "bold yellow").append(f"{short(ref)} asks: ")
            yield line.append(digest.removeprefix("sha256:")[:DIGEST], "bold")
        yield from (_line(kind, count) for kind, count in sorted(self.now.items()) if not kind.held)
        if self.later:
            counts = ", ".join(f"{count} {action}" for action, count in self.later.items())
            yield Text(f"then {counts}", "dim")
        if not self.now and not self.later:
            yield Text("Nothing is planned.", "dim")


class _Tally(Generic[T]):
    """Counts steps by what they are alike in. One that several objects share counts once.

    A status shows the first steps of a stage and counts them all. What it does not show counts too, unless nodes have
    steps of that action (`by_node`): each of them shows its own.
    """

    def __init__(self, by_node: Set[str]) -> None:
        self.counts: Counter[T] = Counter()
        self._by_node = by_node
        self._seen: set[tuple[str, str]] = set()

    def add(self, item: Object, stage: Mapping[str, Any], alike: Callable[[Mapping[str, Any]], T]) -> None:
        """One stage of one object."""
        for step in stage["steps"]:
            if (step["action"], step["target"]) not in self._seen:
                self._seen.add((step["action"], step["target"]))
                self.counts[alike(step)] += 1
        last, unshown = stage["steps"][-1], stage["stepCount"] - len(stage["steps"])
        if unshown and (item.server or last["action"] not in self._by_node):
            self.counts[alike(last)] += unshown


def _action(step: Mapping[str, Any]) -> str:
    return str(step["action"])


def _line(kind: Kind, count: int) -> Text:
    mark, style = RISKS[kind.risk]
    line = Text().append(f"{mark} {count:>3} {kind.action:<17} {kind.risk}", style)
    return line.append(" held" if kind.held else "", "bold yellow")


def _is_current(item: Object) -> bool:
    """Whether its first stage is under way; that of others waits for what is."""
    return any(item.condition(kind).get("reason") in CURRENT for kind in ("Ready", "ChassisReady"))


def _kind(step: Mapping[str, Any]) -> Kind:
    return Kind("held" in step, step["risk"], step["action"])


def short(ref: Ref) -> str:
    """An object as people type it."""
    return f"{KINDS[ref.kind].short}/{ref.name}"
