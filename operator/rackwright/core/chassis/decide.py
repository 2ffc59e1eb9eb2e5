"""From the objects of a rack and one observation of it to a decision. The one pure function that the loop calls."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rackwright.core.chassis.cards import changes
from rackwright.core.chassis.coalesce import coalesce
from rackwright.core.chassis.doubt import NO_DOUBT, doubts
from rackwright.core.chassis.network import lay_out_network
from rackwright.core.chassis.placement import lay_out_attachments
from rackwright.core.chassis.plan import Plan, plan
from rackwright.core.chassis.power import lay_out_power
from rackwright.core.chassis.rack import Rack
from rackwright.core.chassis.release import lay_out_release
from rackwright.core.chassis.storage import lay_out_slots, lay_out_storage
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.guard import Rules, guard
from rackwright.core.natural import natural
from rackwright.core.resource import Ref
from rackwright.core.step import Decision, Difference, Held, Problem, Step
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.storage import RawDisk
from rackwright_drivers.contract.unknown import Unknown


def lay_out(rack: Rack, observed: ChassisState) -> Wanted:
    """What the objects of a rack come to on the chassis that was observed."""
    wanted = Wanted()
    if not rack.chassis.resource.deleting:
        lay_out_slots(wanted, rack, observed)
    volumes = lay_out_storage(wanted, rack, observed)
    lay_out_network(wanted, rack, observed)
    lay_out_attachments(wanted, rack, observed, volumes)
    lay_out_release(wanted, rack, observed)
    lay_out_power(wanted, rack, observed)
    return wanted


def decide(rack: Rack, observed: ChassisState, rules: Rules) -> Decision:
    """What differs, the plan, and what of its current stage may be done now, in the device's bulk forms."""
    wanted = lay_out(rack, observed)
    planned = plan(wanted, observed)
    rules = replace(rules, owner=rack.ref, changes=changes(rack, observed))
    current = planned.stages[0] if planned.stages else ()
    verdict = guard(current, rules)
    allowed = coalesce(verdict.allowed, observed, wanted, rules.actions)
    return Decision(
        parts=dict(wanted.owners),
        differences=planned.differences,
        stages=planned.stages,
        blocked=planned.blocked,
        verdict=replace(verdict, allowed=allowed, held=tuple(_held(verdict.held, observed, wanted, rules))),
        problems=(*wanted.problems, *_unsolved(planned, wanted), *_doubtful(planned, observed)),
        undeclared=tuple(sorted(_undeclared(wanted, observed), key=natural)),
        contests=tuple(wanted.contests),
    )


def _held(held: Iterable[Held], observed: ChassisState, wanted: Wanted, rules: Rules) -> Iterator[Held]:
    """Held steps as they would be sent, grouped by who holds them and why."""
    groups: dict[tuple[object, ...], list[Held]] = {}
    for item in held:
        groups.setdefault((item.step.owners[0], item.reason, item.message), []).append(item)
    for group in groups.values():
        steps: tuple[Step, ...] = tuple(item.step for item in group)
        for step in coalesce(steps, observed, wanted, rules.actions):
            yield Held(step, group[0].reason, group[0].message)


def _unsolved(planned: Plan, wanted: Wanted) -> Iterator[Problem]:
    """Differences that no action of ours undoes: a person has to."""
    by_owner: dict[Ref, list[Difference]] = {}
    for difference in planned.unsolved:
        if difference.part in wanted.explained:
            continue
        by_owner.setdefault(wanted.owners[difference.part][0], []).append(difference)
    for owner, found in by_owner.items():
        first = found[0]
        more = f" {len(found) - 1} more parts are like it." if len(found) > 1 else ""
        yield Problem(
            owner,
            "CannotChange",
            f"{first.part} should be {first.wanted} and is {first.found}, which no command changes in place.{more} "
            "Change the manifest to what is there, or remove the old one by hand.",
        )


def _doubtful(planned: Plan, observed: ChassisState) -> Iterator[Problem]:
    """What could destroy something waits until everything is known again."""
    doubtful = [step for step in planned.blocked if NO_DOUBT in step.needs]
    reasons = doubts(observed)
    if not reasons:
        return
    for owner in dict.fromkeys(owner for step in doubtful for owner in step.owners):
        mine = [step for step in doubtful if owner in step.owners]
        more = f" and {len(mine) - 1} more" if len(mine) > 1 else ""
        yield Problem(owner, "Unknown", f"{mine[0].name} of {mine[0].target}{more} could lose data, and {reasons[0]}.")


def _undeclared(wanted: Wanted, observed: ChassisState) -> Iterator[str]:
    """What is on the device and in no manifest: it stays, and people are told."""
    if not isinstance(observed.pools, Unknown):
        yield from (f"pool {name}" for name in observed.pools if name not in wanted.pools)
    if not isinstance(observed.volumes, Unknown):
        yield from (f"volume {name}" for name in observed.volumes if name not in wanted.volumes)
    if not isinstance(observed.attachments, Unknown):
        for vdisk, found in observed.attachments.items():
            if found is not None and vdisk not in wanted.attachments:
                yield f"{vdisk} has {found.name if isinstance(found, RawDisk) else found}"
    if not isinstance(observed.network, Unknown):
        extra = observed.network.vlans - wanted.vlans - {observed.network.default_vlan}
        yield from (f"VLAN {vlan}" for vlan in extra)
