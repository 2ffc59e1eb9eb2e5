"""What the demo hands back: the figures, and the sentences about what was not as promised. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref

# What counts as ready: the host side of a node is not kept yet, so it is the chassis side that is promised.
READY = {CHASSIS: "Ready", STORAGE_POOL: "Ready", COMPUTE_NODE: "ChassisReady"}


@dataclass(frozen=True)
class Object:
    """One object as its store shows it to anyone. `server` is the card of a node."""

    ref: Ref
    status: Mapping[str, Any]
    server: str | None = None

    def condition(self, name: str) -> Mapping[str, Any]:
        """One condition, or an empty one."""
        return next((item for item in self.status.get("conditions", ()) if item["type"] == name), {})

    @property
    def ready(self) -> bool:
        """Whether it is as ready as it can be."""
        return self.condition(READY[self.ref.kind]).get("status") == "True"

    @property
    def drift_mark(self) -> tuple[object, ...]:
        """Changes whenever drift comes or goes, also where both happened between two looks."""
        condition = self.condition("Drifted")
        return condition.get("status"), condition.get("lastTransitionTime")


@dataclass(frozen=True)
class Count:
    """How many of a kind are ready."""

    ready: int
    total: int


@dataclass(frozen=True)
class SecondPass:
    """What was planned and written while the rack was at rest, over two looks or more."""

    planned: int
    device_writes: int
    store_writes: int


@dataclass(frozen=True)
class FaultResult:
    """What became of one fault. `outcome` is as the chassis' tables show it; both times begin with the fault."""

    name: str
    found_seconds: float
    outcome: str
    seconds: float


@dataclass
class Report:
    """All figures. `seconds`, `device_commands` (of every class) and `round_trips` are those until it had converged."""

    converged: bool = False
    seconds: float = 0.0
    device_commands: int = 0
    round_trips: int = 0
    objects: dict[str, Count] = field(default_factory=dict)
    second_pass: SecondPass | None = None
    faults: list[FaultResult] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # promises that were not kept

    def as_json(self) -> dict[str, Any]:
        """Plain data, seconds to the hundredth."""
        data = asdict(self)
        del data["broken"]
        data["seconds"] = round(self.seconds, 2)
        for fault in data["faults"]:
            fault |= {name: round(fault[name], 2) for name in ("found_seconds", "seconds")}
        return data

    def shortcomings(self, faults: Mapping[str, str]) -> tuple[str, ...]:
        """Everything that is not as promised; `faults` has the promised outcomes."""
        return (*self.broken, *self._of_the_build(), *self._of_the_rest(), *self._of_the_faults(faults))

    def _of_the_build(self) -> Iterator[str]:
        if not self.converged:
            yield "the rack did not converge"
        for kind in READY:
            count = self.objects.get(kind, Count(0, 0))
            if count.ready < count.total or not count.total:
                yield f"{count.ready} of {count.total} {kind} objects are ready"

    def _of_the_rest(self) -> Iterator[str]:
        rest = self.second_pass
        if rest is None:
            yield "the second pass was not reached"
        elif rest != SecondPass(0, 0, 0):
            yield (
                f"at rest {rest.planned} actions were planned, {rest.device_writes} commands written to the device and "
                f"{rest.store_writes} objects to the store; all three should be 0"
            )

    def _of_the_faults(self, promised: Mapping[str, str]) -> Iterator[str]:
        outcomes = {fault.name: fault.outcome for fault in self.faults}
        for name, outcome in promised.items():
            if outcomes.get(name) != outcome:
                yield f"fault {name} should be {outcome} and was {outcomes.get(name, 'not reached')}"


def count(objects: Iterable[Object]) -> dict[str, Count]:
    """How many are ready, by kind."""
    items = list(objects)
    return {
        kind: Count(
            sum(item.ready for item in items if item.ref.kind == kind), sum(item.ref.kind == kind for item in items)
        )
        for kind in READY
    }
