"""What the operator relies on of every store, whether objects are in files or in an API server."""

import re
from typing import Any

import pytest

from rackwright.core.report import View, judge, status_of
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, RELEASE, STORAGE_POOL, Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Difference, Part, PartKind, Step
from rackwright.core.store import EventType, SecretMissingError, StoreConflictError
from rackwright_drivers.contract.network import CreateVlan
from tests.conformance.store.rigs import Rig, chassis, node, pool

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


async def applied(rig: Rig) -> Resource:
    """A Chassis and a pool are there."""
    await rig.apply(chassis(rig.namespace))
    await rig.apply(pool(rig.namespace))
    await rig.see()
    return found(rig, Ref(CHASSIS, rig.namespace, "sm"))


def found(rig: Rig, ref: Ref) -> Resource:
    known = rig.store.get(ref)
    assert known is not None
    return known


def status(resource: Resource) -> dict[str, Any]:
    """As the operator writes one in the middle of a build."""
    part = Part(PartKind.VLAN, 100)
    step = Step(CreateVlan(100), (resource.ref,), "VLAN 100", "missing", Risk.SAFE, frozenset({part}))
    view = View(differences=(Difference(part, "exists", "no VLAN"),), parts=3, stages=((step,),), allowed=(step,))
    return status_of(resource, view, judge(view), (), "2026-02-01T00:00:00Z") | {"consentsUsed": 2, "servers": 64}


async def test_objects_are_listed_by_kind_with_who_they_are(rig: Rig) -> None:
    known = await applied(rig)
    assert [item.ref.name for item in rig.store.list(CHASSIS)] == ["sm"]
    assert [item.ref.name for item in rig.store.list(STORAGE_POOL)] == ["root"]
    assert list(rig.store.list(COMPUTE_NODE)) == []
    assert known.spec["credentialsRef"] == {"name": "sm"}
    assert (known.generation, known.owner_uid, known.deleting, known.status) == (1, None, False, {})
    assert known.uid
    assert TIME.fullmatch(known.created)
    assert rig.store.get(known.ref._replace(name="other")) is None
    assert rig.store.get(known.ref._replace(kind=STORAGE_POOL)) is None
    assert rig.store.get(known.ref._replace(namespace="elsewhere")) is None


async def test_a_changed_spec_is_a_new_generation_and_labels_are_not(rig: Rig) -> None:
    before = await applied(rig)
    changed = chassis(rig.namespace)
    changed["metadata"] |= {"labels": {"a": "b"}, "annotations": {"rackwright.dev/paused": "true"}}
    await rig.apply(changed)
    await rig.see()
    labelled = found(rig, before.ref)
    assert (labelled.generation, labelled.uid, labelled.labels) == (1, before.uid, {"a": "b"})
    assert labelled.paused
    changed["spec"]["vlans"] = [{"id": 100}]
    await rig.apply(changed)
    await rig.see()
    after = found(rig, before.ref)
    assert (after.generation, after.uid, after.created) == (2, before.uid, before.created)
    assert after.spec["vlans"] == [{"id": 100}]


async def test_a_status_is_kept_to_the_letter_and_is_no_change_of_the_object(rig: Rig) -> None:
    known = await applied(rig)
    wanted = status(known)
    written = await rig.store.write_status(known.ref, wanted)
    assert written is not None
    assert (written.status, written.generation, written.spec) == (wanted, known.generation, known.spec)
    assert found(rig, known.ref) == written
    await rig.restart()
    assert found(rig, known.ref).status == wanted, "else every start would write it again"
    await rig.see()
    assert found(rig, known.ref).status == wanted


async def test_a_status_replaces_the_one_before_it_as_a_whole(rig: Rig) -> None:
    known = await applied(rig)
    first = status(known)
    await rig.store.write_status(known.ref, first)
    second = {key: value for key, value in first.items() if key not in ("plan", "servers")} | {
        "driftCount": 0,
        "drift": [],
    }
    assert await rig.store.write_status(known.ref, second) is not None
    await rig.restart()
    assert found(rig, known.ref).status == second
    again = await rig.store.write_status(known.ref, second)
    assert again is not None
    assert again.status == second


async def test_nothing_is_written_about_what_is_gone(rig: Rig) -> None:
    known = await applied(rig)
    assert await rig.store.write_status(known.ref._replace(name="nobody"), {}) is None
    assert await rig.store.replace_spec(Ref(COMPUTE_NODE, rig.namespace, "nobody"), node(known)) is None
    await rig.remove(Ref(STORAGE_POOL, rig.namespace, "root"))
    await rig.see()
    assert await rig.store.write_status(Ref(STORAGE_POOL, rig.namespace, "root"), {}) is None


async def test_a_stamped_object_is_there_at_once_and_after_a_restart(rig: Rig) -> None:
    owner = await applied(rig)
    made = await rig.store.create(node(owner))
    assert (made.owner_uid, made.generation, made.status) == (owner.uid, 1, {})
    assert made.spec == node(owner)["spec"], "else every pass would bring it in step again"
    assert made.labels["rackwright.dev/node-set"] == "compute"
    assert found(rig, made.ref) == made
    assert [item.ref.name for item in rig.store.list(COMPUTE_NODE)] == ["compute-1"]
    await rig.store.write_status(made.ref, {"assignments": [{"vdisk": 0, "volume": "2/p/v-0"}]})
    await rig.see()
    await rig.restart()
    again = found(rig, made.ref)
    assert (again.uid, again.owner_uid, again.spec) == (made.uid, owner.uid, made.spec)
    assert again.status == {"assignments": [{"vdisk": 0, "volume": "2/p/v-0"}]}


async def test_a_name_is_given_once(rig: Rig) -> None:
    owner = await applied(rig)
    await rig.store.create(node(owner))
    with pytest.raises(StoreConflictError):
        await rig.store.create(node(owner))
    assert len(list(rig.store.list(COMPUTE_NODE))) == 1


async def test_a_stamped_object_is_brought_to_a_new_manifest(rig: Rig) -> None:
    owner = await applied(rig)
    made = await rig.store.create(node(owner, nicGroups=[{"name": "one", "indexes": [0], "untagged": 1}]))
    await rig.store.write_status(made.ref, {"assignments": [{"vdisk": 0, "volume": "2/p/v-0"}]})
    wanted = node(owner, powerState="Stopped")
    wanted["metadata"]["labels"] |= {"more": "labels"}
    changed = await rig.store.replace_spec(made.ref, wanted)
    assert changed is not None
    assert changed.spec == wanted["spec"], "what the manifest does not have is gone"
    assert (changed.uid, changed.generation, changed.labels["more"]) == (made.uid, 2, "labels")
    assert changed.status == {"assignments": [{"vdisk": 0, "volume": "2/p/v-0"}]}
    same = await rig.store.replace_spec(made.ref, wanted)
    assert same is not None
    assert same.generation == 2


async def test_only_the_very_object_is_deleted(rig: Rig) -> None:
    owner = await applied(rig)
    made = await rig.store.create(node(owner))
    await rig.store.delete(made.ref, "another-uid")
    await rig.see()
    assert found(rig, made.ref).uid == made.uid
    await rig.store.delete(made.ref, made.uid)
    await rig.see()
    assert rig.store.get(made.ref) is None
    await rig.store.delete(made.ref, made.uid)
    again = await rig.store.create(node(owner))
    assert again.uid != made.uid
    assert again.status == {}


async def test_what_an_object_owned_goes_with_it_and_nothing_else_does(rig: Rig) -> None:
    owner = await applied(rig)
    await rig.store.create(node(owner))
    await rig.remove(owner.ref)
    await rig.see()
    assert rig.store.get(owner.ref) is None
    assert list(rig.store.list(COMPUTE_NODE)) == []
    assert [item.ref.name for item in rig.store.list(STORAGE_POOL)] == ["root"]
    await rig.restart()
    assert list(rig.store.list(COMPUTE_NODE)) == []


async def test_another_object_of_the_same_name_is_another_object(rig: Rig) -> None:
    before = await applied(rig)
    await rig.store.write_status(before.ref, status(before))
    await rig.remove(before.ref)
    await rig.see()
    await rig.apply(chassis(rig.namespace))
    await rig.see()
    after = found(rig, before.ref)
    assert after.uid != before.uid
    assert (after.status, after.generation) == ({}, 1)


async def test_secrets_are_read_as_bytes_and_missed_with_a_sentence(rig: Rig) -> None:
    await rig.secret("sm", {"username": b"admin", "password": b"\x00\xff"})
    await rig.see()
    assert await rig.store.secret(rig.namespace, "sm") == {"username": b"admin", "password": b"\x00\xff"}
    with pytest.raises(SecretMissingError, match=f"no Secret other in namespace {rig.namespace}"):
        await rig.store.secret(rig.namespace, "other")


async def test_an_event_is_never_a_failure(rig: Rig) -> None:
    known = await applied(rig)
    for ref in (known.ref, known.ref._replace(name="nobody")):
        await rig.store.event(ref, EventType.WARNING, "NoCapacity", "x" * 5000)


async def test_what_has_our_finalizer_outlives_its_deletion_whole(rig: Rig) -> None:
    labelled = chassis(rig.namespace, deletionPolicy="Release")
    labelled["metadata"] |= {"labels": {"a": "b"}, "annotations": {"rackwright.dev/paused": "true"}}
    await rig.apply(labelled)
    await rig.see()
    ref = Ref(CHASSIS, rig.namespace, "sm")
    known = await rig.store.set_finalizer(ref, wanted=True)
    assert known is not None
    assert (known.finalizers, known.deleting, known.generation) == ((RELEASE,), False, 1)
    await rig.store.write_status(ref, status(known))
    await rig.remove(ref)
    await rig.see()
    for _ in range(2):
        left = found(rig, ref)
        assert (left.uid, left.deleting, left.finalizers) == (known.uid, True, (RELEASE,))
        assert (left.labels, left.paused) == ({"a": "b"}, True)
        assert left.spec["deletionPolicy"] == "Release"
        assert left.status == status(known)
        assert left.ref in [item.ref for item in rig.store.list(CHASSIS)]
        await rig.restart()
        await rig.see()
    written = await rig.store.write_status(ref, {"servers": 1})
    assert written is not None
    assert (written.status, written.deleting) == ({"servers": 1}, True)
    assert await rig.store.set_finalizer(ref, wanted=False) is None
    assert rig.store.get(ref) is None
    await rig.restart()
    await rig.see()
    assert rig.store.get(ref) is None


async def test_a_finalizer_taken_off_in_time_delays_nothing(rig: Rig) -> None:
    known = await applied(rig)
    for wanted in (True, True, False, False):
        after = await rig.store.set_finalizer(known.ref, wanted=wanted)
        assert after is not None
        assert after.finalizers == ((RELEASE,) if wanted else ())
    await rig.restart()
    await rig.see()
    await rig.remove(known.ref)
    await rig.see()
    assert rig.store.get(known.ref) is None
    assert await rig.store.set_finalizer(known.ref, wanted=True) is None


async def test_a_stamped_object_with_our_finalizer_outlives_its_deletion_and_its_owner(rig: Rig) -> None:
    owner = await applied(rig)
    made = [await rig.store.create(node(owner, f"compute-{n}", server=f"{n}/0")) for n in (1, 2)]
    for item in made:
        await rig.store.set_finalizer(item.ref, wanted=True)
    await rig.store.delete(made[0].ref, made[0].uid)
    await rig.see()
    left = found(rig, made[0].ref)
    assert (left.uid, left.deleting, left.owner_uid, left.spec) == (made[0].uid, True, owner.uid, made[0].spec)
    assert left.labels == made[0].labels
    assert not found(rig, made[1].ref).deleting
    assert await rig.store.set_finalizer(made[0].ref, wanted=False) is None
    await rig.remove(owner.ref)
    await rig.see()
    left = found(rig, made[1].ref)
    assert (left.uid, left.deleting, left.owner_uid) == (made[1].uid, True, owner.uid)
    assert await rig.store.set_finalizer(made[1].ref, wanted=False) is None
    await rig.see()
    assert list(rig.store.list(COMPUTE_NODE)) == []
