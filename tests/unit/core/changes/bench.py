"""The racks that changes are tried on, built once and copied for every change, and what must be true after any of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from rackwright.api.validate import InvalidSpec
from rackwright.core.chassis.inputs import Specs
from rackwright.core.chassis.stamping import Stamper
from rackwright.core.guard import servers_of
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Decision, Problem
from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.network import Nic
from rackwright_drivers.contract.storage import Attach, AttachRange, ClearMetadata, Detach
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Refusal
from rackwright_sim.startfile import Start
from tests.unit.core.changes.case import Case, few, held_of, stages_of
from tests.unit.core.changes.fields import is_changed
from tests.unit.core.kit import Bench, MemoryStore, finish, golden, shared


@dataclass(frozen=True)
class Built:
    """A rack that is as declared, to be copied."""

    start: Start
    objects: Mapping[Ref, Resource]
    specs: Specs
    stamper: Stamper

    @classmethod
    def of(cls, start: str, manifests: Iterable[Mapping[str, Any]]) -> "Built":
        """Build it."""
        bench = Bench.of(start, manifests)
        bench.settle()
        assert reasons(bench) == [], "it must be as declared before anybody changes it"
        return cls(bench.model.saved(), dict(bench.store.objects), bench.specs, bench.stamper)

    def copy(self) -> Bench:
        """One to be changed: objects are values, the device is made anew from its state, and what is known is known."""
        store = MemoryStore()
        store.objects = dict(self.objects)
        store._uids = 10 * len(self.objects)  # what is made from now on is younger, and its uid new
        bench = Bench(ChassisModel(self.start), store)
        bench.specs._known.update(self.specs._known)
        bench.stamper._known.update(self.stamper._known)
        return bench

    def ref(self, name: str) -> Ref:
        """An object by `Kind/name`."""
        return next(ref for ref in self.objects if str(ref) == name)


@cache
def golden_rack() -> Built:
    """The whole golden rack."""
    return Built.of("as-found", golden("sm15k-01", "root", "capacity", "journal", "array"))


def ready(resource: Resource) -> tuple[str, str] | None:
    """Reason and message of what a person reads first; of a node its chassis side. None where nobody said anything yet."""
    kind = "ChassisReady" if resource.ref.kind == COMPUTE_NODE else "Ready"
    found = next((item for item in resource.status.get("conditions", ()) if item["type"] == kind), None)
    return (found["reason"], found["message"]) if found else None


def reasons(bench: Bench) -> list[str]:
    """The objects that are not as declared, each with why: `StoragePool/root: NoVolume`, or `63 ComputeNode: NoVolume`."""
    found = [(resource.ref, said[0]) for resource in bench.store.objects.values() if (said := ready(resource))]
    return few((f"{ref.kind}: {reason}", f"{ref}: {reason}") for ref, reason in sorted(found) if reason != "InSync")


def try_change(built: Built, to: str, field: str, case: Case) -> Bench:
    """Make the change of a field, and compare all that follows with what the case says."""
    bench = built.copy()
    ref = built.ref(case.to or to)
    for edit in case.all_edits:
        bench.store.change(ref, edit)
    assert is_changed(field, built.objects[ref].spec, bench.store.objects[ref].spec)
    for name, edit in case.also.items():
        bench.store.change(built.ref(name), edit)
    if case.refused:
        _is_refused(built, bench, ref, case)
    else:
        _follows(built, bench, ref, case)
    _nothing_is_lost(built, bench, case)
    return bench


def _is_refused(built: Built, bench: Bench, ref: Ref, case: Case) -> None:
    """The object says why, nothing is done, the others are not concerned; and when it is taken back all is as before."""
    invalid = bench.specs.of(bench.store.objects[ref])
    assert isinstance(invalid, InvalidSpec)
    assert case.refused in str(invalid), invalid
    if ref.kind == CHASSIS:  # nothing of a chassis is looked at while its object cannot be read
        finish(bench.writer.refuse(bench.store.objects[ref], Problem(ref, "InvalidSpec", str(invalid))))
    else:
        assert bench.report().verdict.allowed == ()
    assert _undeclared(bench.chassis) == _undeclared(built.objects[bench.chassis.ref]), (
        "a mistake makes nobody's of nothing"
    )
    if ref.kind == COMPUTE_NODE and built.objects[ref].owner_uid:
        assert reasons(bench) == [], "what a Chassis stamped is put back"
    else:
        assert ready(bench.store.objects[ref]) == ("InvalidSpec", str(invalid))
        assert bench.store.objects[ref].status["observedGeneration"] == bench.store.objects[ref].generation
        assert reasons(bench) == [f"{ref}: InvalidSpec", *case.ends]
    bench.store.objects[ref] = replace(bench.store.objects[ref], spec=built.objects[ref].spec, generation=99)
    assert bench.decide().stages == (), "it is as before when the change is taken back"


def _follows(built: Built, bench: Bench, ref: Ref, case: Case) -> None:
    """What is planned, held, done, reported."""
    assert not isinstance(bench.specs.of(bench.store.objects[ref]), InvalidSpec)
    first = bench.report()
    assert (stages_of(first), held_of(first)) == ([list(stage) for stage in case.plan], case.held)
    assert [change.clause for changes in first.verdict.changes.values() for change in changes] == list(case.accepts)
    assert all(step.risk is not Risk.DESTRUCTIVE for step in first.verdict.allowed), "before anybody approved it"
    if case.long:
        return
    last = _carry_out(bench, case) if case.plan or case.accepts else first
    if case.stays:
        assert (stages_of(last), bench.applied) == (stages_of(first), []), case.stays
    elif not case.refusal:
        assert stages_of(last) == []
        assert sorted(_names(bench.applied)) == sorted(step.name for stage in first.stages for step in stage)
    _is_told(built, bench, ref, case, last)


def _carry_out(bench: Bench, case: Case) -> Decision:
    """To the end, with every consent given; or as far as it goes."""
    if not case.refusal:
        return bench.settle()
    with pytest.raises(Refusal, match=case.refusal):
        bench.settle()
    return bench.report()


def _names(actions: Iterable[Action]) -> Iterable[str]:
    """The names of what was done, in the singles that the plan has."""
    for action in actions:
        match action:
            case AttachRange(servers=servers, vdisks=vdisks):
                yield from [Attach.__name__] * len(servers) * len(vdisks)
            case Detach(servers=servers):
                yield from [Detach.__name__] * len(servers)
            case ClearMetadata(disks=disks):
                yield from [ClearMetadata.__name__] * len(disks)
            case _:
                yield type(action).__name__


def _is_told(built: Built, bench: Bench, ref: Ref, case: Case, last: Decision) -> None:
    """Everybody says what is so, about the generation that was looked at, and a second look changes nothing."""
    assert reasons(bench) == list(case.ends)
    told = [said[1] for resource in bench.store.objects.values() if (said := ready(resource)) and said[0] != "InSync"]
    assert not case.says or any(case.says in message for message in told), told[:3]
    resource = bench.store.objects[ref]
    if ready(resource) is not None:
        assert resource.status["observedGeneration"] == resource.generation
    before = _undeclared(built.objects[bench.chassis.ref])
    assert before <= set(last.undeclared), "what nobody declared stays"
    assert len(last.undeclared) - len(before) == case.more
    names = [set(map(str, objects)) for objects in (built.objects, bench.store.objects)]
    gone = [("-", f"-{name}") for name in sorted(names[0] - names[1])]
    came = [("+", f"+{name}") for name in sorted(names[1] - names[0])]
    assert few((*gone, *came)) == list(case.nodes)
    if case.plan:
        writes = bench.store.writes
        bench.report()
        assert bench.store.writes == writes, "at rest nothing is written"


def _undeclared(chassis: Resource) -> set[str]:
    found = chassis.status["undeclared"]
    assert found["count"] == len(found["items"])
    return set(found["items"])


def _nothing_is_lost(built: Built, bench: Bench, case: Case) -> None:
    """Whatever a person changes: no volume has two owners, the protected server is as it was, and what was there is there."""
    if not bench.applied:
        assert bench.model.saved() == built.start
        return
    before, after = ChassisModel(built.start), bench.model
    assert shared(after) == {}
    protected = set(bench.chassis.spec.get("protectedServers", ()))
    assert not any(protected & servers_of(action) for action in bench.applied)
    for server in protected:
        assert after.servers.power[server] is before.servers.power[server]
    for port, vlans in before.switch.ports.items():
        if isinstance(port, Nic) and port.server in protected:
            assert after.switch.ports[port] == vlans
    assert before.storage.pools.items() <= after.storage.pools.items(), "nothing that exists is made anew or removed"
    assert before.storage.volumes.items() <= after.storage.volumes.items()
    assert before.switch.vlans <= after.switch.vlans
    held, now_held = dict(before.storage.attachments.items()), dict(after.storage.attachments.items())
    taken = [vdisk for vdisk, what in held.items() if now_held.get(vdisk) != what]
    detached = [action for action in bench.applied if isinstance(action, Detach)]
    assert len(taken) <= sum(len(action.servers) for action in detached)
    assert not detached or "Detach" in str(case.plan)
