"""What the demo hands back: the figures, and the sentences about what was not as promised. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        return bool(self.condition(READY.get(self.ref.kind, "Ready")).get("status") == "True")

    @property
    def not_reconciled(self) -> bool:
        """Whether it says that this version does not act on it yet."""
        return bool(self.condition("Ready").get("reason") == "NotReconciled")

    @property
    def asking(self) -> str | None:
        """The digest of the plan that it asks consent for."""
        held = self.condition("AwaitingApproval").get("status") == "True"
        return str(self.plan["digest"]) if held and self.plan else None

    @property
    def plan(self) -> Mapping[str, Any]:
        """What is planned for it, or nothing."""
        return self.status.get("plan") or {}

    @property
    def stages(self) -> Sequence[Mapping[str, Any]]:
        """The stages of its plan."""
        return tuple(self.plan.get("stages", ()))

    @property
    def will_ask(self) -> bool:
        """Whether there is something in its plan, now or later, that could lose data."""
        return any(step["risk"] == "Destructive" for stage in self.stages for step in stage["steps"])

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
    """All figures; those of commands, round trips and `seconds` are until it had converged.

    `device_commands` are of every class; `configuration` those that configure, by their words, and `by_hand` as many as a
    person needs. `not_reconciled` are the objects that say that this version does not act on them.
    """

    converged: bool = False
    seconds: float = 0.0
    device_commands: int = 0
    round_trips: int = 0
    configuration: dict[str, int] = field(default_factory=dict)
    by_hand: dict[str, int] = field(default_factory=dict)
    not_reconciled: list[str] = field(default_factory=list)
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
    """How many are ready, by kind, of those that this version acts on."""
    items = [item for item in objects if not item.not_reconciled]
    return {
        kind: Count(
            sum(item.ready for item in items if item.ref.kind == kind), sum(item.ref.kind == kind for item in items)
        )
        for kind in READY
    }
