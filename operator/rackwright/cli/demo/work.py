"""What is being done, what is held and what comes later, from the plans that all objects publish in their statuses. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from rackwright.api.kinds import KINDS
from rackwright.cli.demo.report import Object
from rackwright.core.resource import Ref

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

    now: Counter[Kind]
    later: Counter[str]
    asking: tuple[tuple[Ref, str], ...]

    @classmethod
    def of(cls, objects: Iterable[Object]) -> "Work":
        """A step that several objects share counts once; statuses show the first steps of a stage, and count them all."""
        now: dict[tuple[str, str], Kind] = {}
        more: Counter[Kind] = Counter()
        later: Counter[str] = Counter()
        asking = []
        for item in objects:
            if item.asking:
                asking.append((item.ref, item.asking))
            stages = item.stages
            if stages and _is_current(item):
                now |= {(step["action"], step["target"]): _kind(step) for step in stages[0]["steps"]}
                more[_kind(stages[0]["steps"][-1])] += stages[0]["stepCount"] - len(stages[0]["steps"])
                stages = stages[1:]
            for stage in stages:
                later.update(step["action"] for step in stage["steps"])
                later[stage["steps"][-1]["action"]] += stage["stepCount"] - len(stage["steps"])
        return cls(Counter(now.values()) + more, later, tuple(asking))

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
