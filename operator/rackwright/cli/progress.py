"""Tells a person at a terminal how far a run is: a line a stage, and a line for every change of an object's state."""

from rich.console import Console
from rich.text import Text

from rackwright.core.chassis.rack import Rack
from rackwright.core.resource import COMPUTE_NODE, Ref
from rackwright.core.step import Decision
from rackwright.core.store import EventType


class Progress:
    """Prints what the engine tells."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def stage(self, rack: Rack, decision: Decision) -> None:
        """A round begins: what is about to be done, and what is held."""
        names = [step.name for step in decision.verdict.allowed]
        done = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
        held = f"; {len(decision.verdict.held)} held" if decision.verdict.held else ""
        line = f"{rack.ref}: {done or 'nothing to do now'}{held}"
        if line != self._last:
            self._console.print(line)
            self._last = line

    def event(self, ref: Ref, kind: EventType, reason: str, message: str) -> None:
        """An object changed its state. Nodes are too many to tell one by one, unless something is wrong."""
        if ref.kind == COMPUTE_NODE and kind is EventType.NORMAL:
            return
        self._console.print(Text(f"  {ref}: {reason}. {message}", "yellow" if kind is EventType.WARNING else "green"))
