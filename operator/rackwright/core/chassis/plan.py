"""The plan: steps ordered into stages by what they need. `plan(x, x)` is empty.

A stage holds only steps that do not depend on each other; the next begins after everything it needs was read back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rackwright.core.chassis.difference import differences, shown
from rackwright.core.chassis.doubt import NO_DOUBT, doubts
from rackwright.core.chassis.steps import Maker
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.natural import natural
from rackwright.core.step import Difference, Part, PartKind, Step
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.network import CreateVlan, SetPort
from rackwright_drivers.contract.power import SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    SetManagementMode,
    VDisk,
)
from rackwright_drivers.contract.unknown import Unknown

_ORDER: tuple[type, ...] = (
    SetManagementMode,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    CreateVlan,
    Detach,
    DeleteVolumes,
    DeletePool,
    Attach,
    AttachRange,
    SetPort,
    SetPower,
)


@dataclass(frozen=True)
class Plan:
    """What differs, the steps that undo it in stages, and the steps that wait for what nobody will bring about."""

    differences: tuple[Difference, ...]
    stages: tuple[tuple[Step, ...], ...]
    blocked: tuple[Step, ...]
    unsolved: tuple[Difference, ...]


def plan(wanted: Wanted, observed: ChassisState) -> Plan:
    """The difference of two states as stages of steps. Pure: equal input gives an equal plan."""
    found = (*differences(wanted.state(observed), observed), *_doomed(wanted))
    maker = Maker(wanted, observed)
    volumes = [difference for difference in found if difference.part.kind is PartKind.VOLUME]
    steps = [step for difference in found for step in maker.steps(difference)]
    steps.extend(maker.volumes(volumes))
    steps.extend(maker.removals(found))
    solved = {part for step in steps for part in step.solves}
    unsolved = tuple(difference for difference in found if difference.part not in solved)
    unplaced = tuple(_unplaced(wanted, observed))
    unsure = {Part(PartKind.FACTS, server) for server in wanted.unsure} | ({NO_DOUBT} if doubts(observed) else set())
    stages, blocked = _stages(steps, {difference.part for difference in (*unsolved, *unplaced)} | unsure)
    return Plan((*found, *unplaced), stages, blocked, unsolved)


def _doomed(wanted: Wanted) -> Iterator[Difference]:
    """What is there and is to be destroyed."""
    for part in sorted(wanted.doomed, key=natural):
        yield Difference(part, f"no {part.kind}", f"a {part.kind}")


def _unplaced(wanted: Wanted, observed: ChassisState) -> Iterator[Difference]:
    """What was declared and found no place, with what is there instead."""
    there = {} if isinstance(observed.attachments, Unknown) else observed.attachments
    for part, want in sorted(wanted.unplaced.items(), key=natural):
        if part.key in wanted.attachments:
            continue  # another's volume is on it, and that is a difference of its own
        yield Difference(part, want, shown(there.get(part.key) if isinstance(part.key, VDisk) else None))


def _stages(steps: Sequence[Step], hopeless: set[Part]) -> tuple[tuple[tuple[Step, ...], ...], tuple[Step, ...]]:
    solvers: Mapping[Part, list[Step]] = _solvers(steps)
    waves: dict[Step, int | None] = {}

    def wave(step: Step, above: frozenset[Step]) -> int | None:
        """How many stages come before a step; None where it can never come, a circle of needs included."""
        if step in above:
            return None
        if step not in waves:
            waves[step] = _after(step, above | {step})
        return waves[step]

    def _after(step: Step, above: frozenset[Step]) -> int | None:
        latest = 0
        for part in step.needs:
            if part in hopeless or (part.kind is PartKind.FREE and part not in solvers):
                return None  # what has to be emptied and is not being emptied stays as it is
            for solver in solvers.get(part, ()):
                before = wave(solver, above)
                if before is None:
                    return None
                latest = max(latest, before + 1)
        return latest

    staged: dict[int, list[Step]] = defaultdict(list)
    blocked = []
    for step in steps:
        number = wave(step, frozenset())
        if number is None:
            blocked.append(step)
        else:
            staged[number].append(step)
    return tuple(tuple(_ordered(staged[number])) for number in sorted(staged)), tuple(_ordered(blocked))


def _solvers(steps: Iterable[Step]) -> Mapping[Part, list[Step]]:
    solvers: dict[Part, list[Step]] = defaultdict(list)
    for step in steps:
        for part in step.solves:
            solvers[part].append(step)
    return solvers


def _ordered(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: (_ORDER.index(type(step.action)), natural(step.target)))
