"""Single steps into the device's bulk and range forms, where that is proved to come to the same. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rackwright.core.chassis.wanted import Choice, Wanted
from rackwright.core.natural import natural
from rackwright.core.risk import Risk
from rackwright.core.step import Step
from rackwright_drivers.contract.chassis import Action, ChassisState
from rackwright_drivers.contract.storage import Attach, AttachRange, ClearMetadata, Detach, VolumeId
from rackwright_drivers.contract.unknown import Unknown


def coalesce(
    steps: Sequence[Step], observed: ChassisState, wanted: Wanted, can: frozenset[type[Action]]
) -> tuple[Step, ...]:
    """The same effect in fewer steps. All of `steps` are of one stage and go the same way: all allowed, or all held."""
    result: list[Step] = []
    for kind, group in groupby(steps, key=lambda step: type(step.action)):
        run = tuple(group)
        if kind is ClearMetadata:
            result.extend(_clear_ranges(run, observed))
        elif kind is Attach and AttachRange in can:
            result.extend(_attach_ranges(run, observed, wanted))
        elif kind is Detach:
            result.extend(_detach_ranges(run))
        else:
            result.extend(run)
    return tuple(result)


def _merged(steps: Sequence[Step], action: Action, target: str) -> Step:
    """One step for many: it solves, needs, and has the evidence and owners of them all."""
    return replace(
        steps[0],
        action=action,
        target=target,
        owners=tuple(dict.fromkeys(owner for step in steps for owner in step.owners)),
        risk=max(step.risk for step in steps),
        solves=frozenset().union(*(step.solves for step in steps)),
        needs=frozenset().union(*(step.needs for step in steps)),
        evidence=tuple(dict.fromkeys(item for step in steps for item in step.evidence)),
    )


def _grouped(steps: Iterable[Step], key: Callable[[Step], object]) -> Iterator[list[Step]]:
    groups: dict[object, list[Step]] = {}
    for step in steps:
        groups.setdefault(key(step), []).append(step)
    yield from groups.values()


def _clear_ranges(steps: Sequence[Step], observed: ChassisState) -> Iterator[Step]:
    """Runs of disks of one object in one slot between which no other disk is: a range may pass over numbers nobody has."""
    present = () if isinstance(observed.disks, Unknown) else tuple(observed.disks)
    for group in _grouped(steps, lambda step: (step.owners, _clear(step).slot)):
        ours = {_clear(step).disks[0]: step for step in group}
        stem = {name.rpartition("/")[0] for name in ours}
        neighbours = sorted((name for name in present if name.rpartition("/")[0] in stem), key=natural)
        for mine, run in groupby(neighbours, key=lambda name: name in ours):
            if mine:
                yield from _clear_run([ours[name] for name in run])


def _clear_run(run: Sequence[Step]) -> Iterator[Step]:
    for _, same in groupby(run, key=lambda step: _clear(step).disks[0].rpartition("/")[0]):
        steps = list(same)
        disks = tuple(_clear(step).disks[0] for step in steps)
        name = disks[0] if len(disks) == 1 else f"{disks[0]}-{disks[-1].rpartition('/')[2]}"
        yield (
            steps[0]
            if len(steps) == 1
            else _merged(steps, ClearMetadata(_clear(steps[0]).slot, disks), f"disks {name}")
        )


def _clear(step: Step) -> ClearMetadata:
    assert isinstance(step.action, ClearMetadata)
    return step.action


def _attach_ranges(steps: Sequence[Step], observed: ChassisState, wanted: Wanted) -> Iterator[Step]:
    """One ranged attach for all that take any volume of a prefix, if every free volume of that prefix is theirs to take.

    The chassis chooses among all that match, wherever they are: one free volume that matches and is not ours to give,
    or that another step of this stage is about to give or to make, and every step stays single.
    """
    by_choice: dict[Choice | None, list[Step]] = {}
    for step in steps:
        by_choice.setdefault(wanted.choices.get(_attach(step).vdisk), []).append(step)
    for choice, group in by_choice.items():
        others = {_attach(step).volume for step in steps} - {_attach(step).volume for step in group}
        if choice is None or others & choice.volumes or not _takes_only(choice, observed, wanted):
            yield from group
        else:
            yield from _rectangles(choice, group)


def _takes_only(choice: Choice, observed: ChassisState, wanted: Wanted) -> bool:
    if isinstance(observed.volumes, Unknown) or isinstance(observed.attachments, Unknown):
        return False
    attached = {found for found in observed.attachments.values() if isinstance(found, VolumeId)}
    matching = {name for name in (*observed.volumes, *wanted.volumes) if name.name.startswith(choice.prefix)}
    return matching - attached <= choice.volumes


def _rectangles(choice: Choice, steps: Sequence[Step]) -> Iterator[Step]:
    """A range is servers times vdisks: group servers that want the same vdisks."""
    by_server: dict[str, list[Step]] = {}
    for step in steps:
        by_server.setdefault(_attach(step).vdisk.server, []).append(step)
    rows: dict[tuple[int, ...], list[str]] = {}
    for server, wants in by_server.items():
        rows.setdefault(tuple(sorted(_attach(step).vdisk.number for step in wants)), []).append(server)
    if len(steps) == 1:
        yield steps[0]
        return
    for vdisks, servers in rows.items():  # none of them single: a range might have taken just the volume that it names
        group = [step for server in servers for step in by_server[server]]
        target = f"{len(servers)} servers" if len(servers) > 1 else f"server {servers[0]}"
        yield _merged(group, AttachRange(tuple(sorted(servers, key=natural)), vdisks, choice.prefix), target)


def _attach(step: Step) -> Attach:
    assert isinstance(step.action, Attach)
    return step.action


def _detach_ranges(steps: Sequence[Step]) -> Iterator[Step]:
    """Safe detaches of one vdisk number together; one that could destroy goes alone."""
    yield from (step for step in steps if step.risk is not Risk.SAFE)
    safe = [step for step in steps if step.risk is Risk.SAFE]
    for group in _grouped(safe, lambda step: _detach(step).vdisk):
        servers = tuple(sorted((_detach(step).servers[0] for step in group), key=natural))
        vdisk = _detach(group[0]).vdisk
        yield group[0] if len(group) == 1 else _merged(group, Detach(servers, vdisk), f"{len(servers)} servers")


def _detach(step: Step) -> Detach:
    assert isinstance(step.action, Detach)
    return step.action
