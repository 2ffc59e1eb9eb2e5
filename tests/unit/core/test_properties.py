"""What holds for every rack: plans end, plans are carried out without a refusal, and nothing of somebody else's is touched."""

import json
import random
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.api.kinds import KINDS
from rackwright.core.chassis.plan import Plan, plan
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.guard import ObjectPolicy, servers_of, stage_digest
from rackwright.core.risk import Risk
from rackwright.core.step import Part, PartKind, Step
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    Detach,
    Metadata,
    VDisk,
    VolumeId,
)
from rackwright_drivers.contract.unknown import Unknown
from tests.unit.core.kit import PROPERTY, Bench, condition, holders, observed, running, shared
from tests.unit.core.racks import benches


class Watch:
    """Looks at every single action, before and after it took effect."""

    def __init__(self, bench: Bench) -> None:
        self.protected = frozenset(bench.chassis.spec["protectedServers"])
        self.shared = shared(bench.model)
        self.attached = dict(bench.model.storage.attachments.items())
        self.clean = {d.name for d in bench.model.storage.disks.values() if d.metadata is Metadata.NONE}
        self.destroyed: list[Step] = []
        bench.before_action, bench.after_action = self.before, self.after

    def before(self, bench: Bench, step: Step) -> None:
        self.attached = dict(bench.model.storage.attachments.items())
        self.clean = {d.name for d in bench.model.storage.disks.values() if d.metadata is Metadata.NONE}
        assert not servers_of(step.action) & self.protected
        if step.risk is Risk.DESTRUCTIVE:
            self.destroyed.append(step)
            assert _consented(bench, step), f"{step.action} without consent"
        if isinstance(step.action, Detach) and step.risk is not Risk.DESTRUCTIVE:
            assert not set(step.action.servers) & running(bench.model), (
                "only what is off may be detached from without consent"
            )
        if isinstance(step.action, SetPower) and step.action.power is Power.ON:
            of_it = [what for vdisk, what in self.attached.items() if vdisk.server == step.action.server]
            for what in of_it:
                assert holders(self.attached, what) == {step.action.server}, f"{step.action} while others have {what}"

    def after(self, bench: Bench, step: Step) -> None:
        now = dict(bench.model.storage.attachments.items())
        changed = {vdisk for vdisk in {*now, *self.attached} if now.get(vdisk) != self.attached.get(vdisk)}
        expected = {part.key for part in step.solves if part.kind in (PartKind.ATTACHMENT, PartKind.FREE)}
        assert changed <= expected, "a range reached further than what was planned"
        if isinstance(step.action, Attach | AttachRange | Detach):
            assert changed == expected
        newly = {
            what: servers
            for what, servers in shared(bench.model).items()
            if not servers <= self.shared.get(what, set())
        }
        assert not newly, f"{step.action} gave {newly} two owners"
        cleared = {d.name for d in bench.model.storage.disks.values() if d.metadata is Metadata.NONE} - self.clean
        assert cleared <= (set(step.action.disks) if isinstance(step.action, ClearMetadata) else set())


def _consented(bench: Bench, step: Step) -> bool:
    """Whether the status of the object whose consent counts names this step, or all owners allow it."""
    single = {item.digest for item in bench.decide().stages[0] if item.solves <= step.solves and item.name == step.name}
    given = (bench.store.objects[step.owners[0]].status.get("consent") or {}).get("steps", ())
    return bench.chassis.spec["policy"]["destructive"] == "Allow" or (bool(single) and single <= set(given))


@PROPERTY
@given(benches(), st.randoms(use_true_random=False))
def test_plans_are_carried_out_without_refusal_in_any_order_of_a_stage_and_end(
    bench: Bench, chance: random.Random
) -> None:
    Watch(bench)

    def shuffled(steps: Sequence[Step]) -> Sequence[Step]:
        return chance.sample(list(steps), len(steps))

    last = bench.settle(shuffled)
    assert last.verdict.allowed == ()
    again = bench.decide()
    assert (again.differences, again.stages, again.problems) == (last.differences, last.stages, last.problems)
    waiting = [step for stage in last.stages for step in stage]
    held = {item.step.owners[0] for item in last.verdict.held}
    for difference in last.differences:
        assert (
            any(problem.owner in last.parts[difference.part] for problem in last.problems)
            or held
            or any(difference.part in step.solves for step in (*waiting, *last.blocked))
        ), f"{difference} stays, and nobody says why"
    writes = bench.store.writes
    bench.report()
    assert bench.store.writes == writes, "at rest nothing is written"
    _statuses_are_valid(bench)


def _statuses_are_valid(bench: Bench) -> None:
    for item in bench.store.objects.values():
        KINDS[item.ref.kind].status.model_validate(item.status)
        assert json.loads(json.dumps(item.status)) == item.status, "plain data, equal to what comes back from a file"


@PROPERTY
@given(benches())
def test_what_is_already_so_needs_no_plan(bench: Bench) -> None:
    state = observed(bench.model)
    wanted, somebody = Wanted(), bench.chassis.ref
    for name, kind in (
        ("slots", PartKind.SLOT),
        ("disks", PartKind.DISK),
        ("pools", PartKind.POOL),
        ("volumes", PartKind.VOLUME),
        ("servers", PartKind.POWER),
    ):
        getattr(wanted, name).update(getattr(state, name))
        for key in getattr(state, name):
            wanted.own(Part(kind, key), somebody)
    assert not isinstance(state.attachments, Unknown)
    assert not isinstance(state.network, Unknown)
    wanted.attachments.update({at: what for at, what in state.attachments.items() if isinstance(what, VolumeId)})
    wanted.vlans.update(state.network.vlans)
    wanted.ports.update(state.network.ports)
    assert plan(wanted, state) == Plan((), (), (), ())


@PROPERTY
@given(benches())
def test_nothing_is_destroyed_that_nobody_consented_to(bench: Bench) -> None:
    watch = Watch(bench)
    for _ in range(120):
        if not bench.round():
            break
    else:
        pytest.fail("no end")
    assert not watch.destroyed or bench.chassis.spec["policy"]["destructive"] == "Allow"


@PROPERTY
@given(benches(), st.data())
def test_consent_outlives_a_crash_and_covers_what_was_asked_and_nothing_else(bench: Bench, data: st.DataObject) -> None:
    watch = Watch(bench)
    while bench.round():
        pass
    asked = bench.decide()
    if not bench.approve(asked):
        return
    covered = {
        step.digest
        for step in asked.stages[0]
        if step.risk is Risk.DESTRUCTIVE and step.owners[0] in asked.verdict.digests
    }
    done: set[str] = set()

    def noted(bench: Bench, step: Step) -> None:
        _note(bench, step, done)
        watch.before(bench, step)

    bench.before_action = noted
    deaths = data.draw(st.lists(st.integers(0, 3), max_size=8), label="killed after so many actions")
    for _ in range(60):
        bench.restart()
        if not bench.round(stop_after=deaths.pop() if deaths else None) and not _is_due(bench, covered):
            break
    assert done <= covered, "consent let through what was not asked"
    for step in bench.decide().stages[0] if bench.decide().stages else ():
        assert step.risk is not Risk.DESTRUCTIVE or step not in bench.decide().verdict.allowed
    for owner in asked.verdict.digests:
        bench.report()
        status = bench.store.objects[owner].status
        assert "consent" not in status, "consent ends with what it was for"
        assert status["consentsUsed"] == 1


def _note(bench: Bench, step: Step, done: set[str]) -> None:
    if step.risk is Risk.DESTRUCTIVE:
        stage = bench.decide().stages[0]
        done |= {item.digest for item in stage if item.solves <= step.solves and item.name == step.name}


def _is_due(bench: Bench, covered: set[str]) -> bool:
    return any(step.digest in covered for step in bench.decide().verdict.allowed)


@PROPERTY
@given(benches(), st.data())
def test_consent_for_anything_else_lets_nothing_through(bench: Bench, data: st.DataObject) -> None:
    while bench.round():
        pass
    before = bench.decide()
    digests = list(before.verdict.digests.items())
    foreign = data.draw(st.sampled_from(["nonsense", "another object", "a later count", "a part of it", "a step"]))
    for owner, digest in digests:
        target = next(item for item in bench.store.objects if item != owner)
        if foreign == "nonsense":
            wrong, where = f"sha256:{'0' * 64}", owner
        elif foreign == "another object":
            wrong, where = digest, target
        elif foreign == "a later count":
            status = {**bench.store.objects[owner].status, "consentsUsed": 7}
            bench.store.objects[owner] = replace(bench.store.objects[owner], status=status)
            wrong, where = digest, owner
        else:
            mine = [item.step for item in before.verdict.held if item.step.owners[0] == owner]
            policy = ObjectPolicy(uid=bench.store.objects[owner].uid)
            singles = [s for s in before.stages[0] if s.risk is Risk.DESTRUCTIVE and s.owners[0] == owner]
            if foreign == "a part of it" and len(singles) < 2:
                continue
            wrong = stage_digest(policy, singles[1:]) if foreign == "a part of it" else mine[0].digest
            where = owner
        if where.kind != "ComputeNode":
            bench.store.change(where, partial(_name, wrong))
    after = bench.decide()
    assert [step for step in after.verdict.allowed if step.risk is Risk.DESTRUCTIVE] == []
    assert after.verdict.granted == {}


def _name(digest: str, spec: dict[str, Any]) -> None:
    spec["approvals"] = [{"plan": digest}]


@PROPERTY
@given(benches(), st.sampled_from([item.name for item in fields(ChassisState)]), st.booleans())
def test_while_a_part_is_unknown_nothing_is_destroyed_and_somebody_says_so(
    bench: Bench, part: str, settled: bool
) -> None:
    if settled:
        bench.settle()
    bench.store.change(bench.chassis.ref, lambda spec: spec["policy"].update(destructive="Allow"))
    remembered = {item.ref: item.status.get("assignments") for item in bench.store.list("ComputeNode")}
    state = replace(observed(bench.model), **{part: Unknown("the rows differ from the count")})
    decision = bench.report(state)
    for step in decision.verdict.allowed:
        assert step.risk is not Risk.DESTRUCTIVE
        if isinstance(step.action, SetPower) and step.action.power is Power.ON:
            assert part == "identity", "a server is switched on only with everything in its place"
        assert not isinstance(step.action, AttachRange | Attach) or part in ("identity", "servers", "network")
    for ref, known in remembered.items():
        if part in ("slots", "disks", "pools", "volumes", "attachments") and known:
            after = bench.store.objects[ref].status.get("assignments", ())
            assert [item for item in known if item not in after] == [], (
                "what is remembered survives what cannot be read"
            )
    ready = {condition(item, "Ready") for item in bench.store.objects.values() if item.status.get("conditions")}
    if part in ("pools", "volumes", "disks"):
        assert all(condition(pool, "Ready")[0] != "True" for pool in bench.store.list("StoragePool"))
    if part == "network":
        assert ("True", "InSync") not in {condition(node, "ChassisReady") for node in bench.store.list("ComputeNode")}
        assert condition(bench.chassis, "Ready")[0] != "True"
    assert ready
    _statuses_are_valid(bench)


@PROPERTY
@given(benches(), st.randoms(use_true_random=False), st.booleans())
def test_what_is_attached_stays_whatever_the_order_and_the_memory(
    bench: Bench, chance: random.Random, forgetful: bool
) -> None:
    bench.settle()
    before = bench.decide()
    attached = dict(bench.model.storage.attachments.items())
    refs = list(bench.store.objects)
    chance.shuffle(refs)
    bench.store.objects = {ref: bench.store.objects[ref] for ref in refs}
    if forgetful:
        for ref, item in bench.store.objects.items():
            kept = {key: value for key, value in item.status.items() if key != "assignments"}
            bench.store.objects[ref] = replace(item, status=kept)
    bench.restart()
    if not before.problems and not before.differences:
        assert bench.decide().differences == ()
    bench.settle()
    after = dict(bench.model.storage.attachments.items())
    for vdisk, what in attached.items():
        if forgetful and before.problems:
            continue  # with nobody to remember, what was in doubt may be settled otherwise
        assert after.get(vdisk) == what, f"{vdisk} lost {what}"


@PROPERTY
@given(benches(), st.randoms(use_true_random=False))
def test_a_volume_that_was_taken_away_comes_back_to_its_vdisk(bench: Bench, chance: random.Random) -> None:
    last = bench.settle()
    wrong = {difference.part for difference in last.differences}
    held = [
        (part.key, what)
        for part in last.parts
        if part.kind is PartKind.ATTACHMENT and part not in wrong and isinstance(part.key, VDisk)
        for what in [bench.model.storage.attachments.shown().get(part.key)]
        if what is not None and what not in shared(bench.model)  # whoever else has it may be beyond our reach
    ]
    taken = chance.sample(held, len(held) // 2 + len(held) % 2)
    for vdisk, _ in taken:
        bench.model.storage.unassign(vdisk)
    bench.restart()
    Watch(bench)
    bench.settle()
    after = bench.model.storage.attachments.shown()
    assert [(vdisk, after.get(vdisk)) for vdisk, _ in taken] == taken


@PROPERTY
@given(benches(), st.sampled_from(["Observe", "Plan", "paused", "budget"]))
def test_policy_holds_what_it_says(bench: Bench, what: str) -> None:
    bench.store.change(bench.chassis.ref, lambda spec: spec["policy"].update(destructive="Allow"))
    if what == "paused":
        bench.store.annotate(bench.chassis.ref, paused="true")
    elif what == "budget":
        bench.store.change(bench.chassis.ref, lambda spec: spec["policy"].update(maxDisrupted=1))
    else:
        bench.store.change(bench.chassis.ref, lambda spec: spec["policy"].update(mode=what))
    decision = bench.report()
    if what == "budget":
        disrupted = [servers_of(step.action) for step in decision.verdict.allowed if step.risk is Risk.DISRUPTIVE]
        assert len(frozenset().union(*disrupted)) <= 1
        return
    assert decision.verdict.allowed == ()
    published = [item for item in bench.store.objects.values() if "plan" in item.status]
    if what == "Observe":
        assert published == []
    elif decision.stages:
        assert published
