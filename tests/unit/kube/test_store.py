"""The cache moves forward only, and what is written is what differs, whatever others do meanwhile."""

import asyncio
from typing import Any

import pytest

from rackwright.core.chassis.inputs import Specs
from rackwright.core.engine import Engine
from rackwright.core.others import NotYetReconciler
from rackwright.core.resource import CHASSIS as CHASSIS_KIND
from rackwright.core.resource import COMPUTE_NODE, Ref, Resource
from rackwright.core.store import SecretMissingError, StoreConflictError, StoreUnavailableError
from rackwright.kube.client import RefusedError
from rackwright.kube.events import EventPoster
from rackwright.kube.store import ATTEMPTS, KubeStore
from tests.unit.kube.fake_api import CHASSIS, NODES, FakeApi

RACK = Ref(CHASSIS_KIND, "lab", "rack")
NODE = Ref(COMPUTE_NODE, "lab", "node-0")
OWNER = {"apiVersion": "rackwright.dev/v1alpha1", "kind": "Chassis", "name": "rack", "uid": "u", "controller": True}
STAMPED: dict[str, Any] = {
    "kind": COMPUTE_NODE,
    "metadata": {"name": "node-0", "namespace": "lab", "labels": {"set": "a"}, "ownerReferences": [OWNER]},
    "spec": {"server": "0/0"},
}


class Heard:
    """What the store told."""

    def __init__(self, store: KubeStore) -> None:
        self.changes: list[tuple[Resource, bool]] = []
        store.listen(lambda resource, deleted: self.changes.append((resource, deleted)))

    @property
    def versions(self) -> list[tuple[str, bool]]:
        return [(resource.version, deleted) for resource, deleted in self.changes]


def _store(api: FakeApi) -> KubeStore:
    return KubeStore(api, EventPoster(api, "test"))


async def test_a_status_is_sent_by_its_differences() -> None:
    api = FakeApi()
    store = _store(api)
    store.saw(CHASSIS_KIND, "ADDED", api.put(CHASSIS, status={"summary": "1/2", "plan": {"digest": "a"}}))
    written = await store.write_status(RACK, {"summary": "2/2"})
    assert api.written == [
        (
            "PATCH",
            f"{CHASSIS}/status",
            {"metadata": {"resourceVersion": "1"}, "status": {"summary": "2/2", "plan": None}},
        )
    ]
    assert written is not None
    assert written.status == {"summary": "2/2"} == dict(api.objects[CHASSIS]["status"])
    assert store.get(RACK) == written


async def test_a_status_that_is_there_already_is_not_sent() -> None:
    api = FakeApi()
    store = _store(api)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS, status={"summary": "2/2"}))
    assert await store.write_status(RACK, {"summary": "2/2"}) == store.get(RACK)
    assert api.written == []


async def test_of_an_object_that_is_gone_nothing_is_written() -> None:
    store = _store(FakeApi())
    assert await store.write_status(RACK, {"summary": "2/2"}) is None


async def test_an_edit_in_between_is_kept_and_the_status_written_all_the_same() -> None:
    api = FakeApi()
    store = _store(api)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS, spec={"a": 1}))
    api.edit(CHASSIS, {"a": 2})  # its event is still on the way
    written = await store.write_status(RACK, {"summary": "0/1"})
    assert written is not None
    assert (written.generation, written.spec, written.status) == (2, {"a": 2}, {"summary": "0/1"})


async def test_what_somebody_else_put_into_a_status_goes() -> None:
    api = FakeApi()
    store = _store(api)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS, status={"summary": "1/2"}))
    await api.patch(f"{CHASSIS}/status", {"metadata": {}, "status": {"foreign": "x"}})
    written = await store.write_status(RACK, {"summary": "2/2"})
    assert written is not None
    assert written.status == {"summary": "2/2"}


async def test_a_status_never_reaches_another_object_of_the_name() -> None:
    api = FakeApi()
    store = _store(api)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS))
    api.remove(CHASSIS)
    api.put(CHASSIS)
    assert await store.write_status(RACK, {"summary": "2/2"}) is None
    assert "status" not in api.objects[CHASSIS]
    found = store.get(RACK)
    assert found is not None
    assert found.uid == "uid-2"


async def test_writing_against_somebody_who_never_stops_is_given_up() -> None:
    api = FakeApi()
    store = _store(api)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS))
    api.problem = None

    async def conflict(path: str, body: Any) -> None:
        api.written.append(("PATCH", path, body))
        raise StoreConflictError("changed")

    api.patch = conflict  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError, match="changed 4 times while it was being written"):
        await store.write_status(RACK, {"summary": "2/2"})
    assert len(api.written) == ATTEMPTS


async def test_an_older_version_is_no_news() -> None:
    api = FakeApi()
    store = _store(api)
    heard = Heard(store)
    old = api.put(CHASSIS, spec={"a": 1})
    new = api.edit(CHASSIS, {"a": 2})
    store.saw(CHASSIS_KIND, "MODIFIED", new)
    store.saw(CHASSIS_KIND, "MODIFIED", old)
    store.saw(CHASSIS_KIND, "MODIFIED", new)
    assert heard.versions == [("2", False)]


async def test_versions_are_numbers_not_text() -> None:
    api = FakeApi()
    store = _store(api)
    body = api.put(CHASSIS, spec={"a": 1})
    body["metadata"]["resourceVersion"] = "9"
    store.saw(CHASSIS_KIND, "ADDED", body)
    body = api.edit(CHASSIS, {"a": 2})
    body["metadata"]["resourceVersion"] = "10"
    store.saw(CHASSIS_KIND, "MODIFIED", body)
    found = store.get(RACK)
    assert found is not None
    assert found.spec == {"a": 2}


async def test_deletion_of_the_old_does_not_take_the_new_of_the_name_away() -> None:
    api = FakeApi()
    store = _store(api)
    heard = Heard(store)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS))
    gone = api.remove(CHASSIS)
    new = api.put(CHASSIS)
    store.saw(CHASSIS_KIND, "ADDED", new)  # watches keep order for one object, not between two
    store.saw(CHASSIS_KIND, "DELETED", gone)
    found = store.get(RACK)
    assert found is not None
    assert found.uid == "uid-2"
    assert [(resource.uid, deleted) for resource, deleted in heard.changes] == [
        ("uid-1", False),
        ("uid-1", True),
        ("uid-2", False),
    ]


def _engine(store: KubeStore) -> Engine:
    others = NotYetReconciler(store, Specs(), lambda: "2026-01-01T00:00:00Z")
    engine = Engine(store, others, others)
    store.listen(lambda resource, deleted: engine.notify(resource, deleted=deleted))
    return engine


async def _take(engine: Engine) -> Ref:
    async with asyncio.timeout(1):
        key = await engine.queue.get()
    engine.queue.done(key)
    return key


async def test_first_bug_a_reply_with_a_newer_generation_is_looked_at() -> None:
    """The event of the edit comes after the reply to our write, with an older version: it must not be lost with it."""
    api = FakeApi()
    store = _store(api)
    engine = _engine(store)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS, spec={"a": 1}))
    assert await _take(engine) == RACK

    edited = api.edit(CHASSIS, {"a": 2})
    await store.write_status(RACK, {"summary": "0/1"})
    assert await _take(engine) == RACK
    store.saw(CHASSIS_KIND, "MODIFIED", edited)
    store.saw(CHASSIS_KIND, "MODIFIED", api.objects[CHASSIS])
    assert engine.queue.idle


async def test_our_own_echo_is_not_looked_at() -> None:
    api = FakeApi()
    store = _store(api)
    engine = _engine(store)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS, spec={"a": 1}))
    await _take(engine)
    await store.write_status(RACK, {"summary": "0/1"})
    store.saw(CHASSIS_KIND, "MODIFIED", api.objects[CHASSIS])
    assert engine.queue.idle


@pytest.mark.parametrize("gone", ["before the write", "before the reply"])
async def test_third_bug_a_deletion_that_overtakes_a_reply(gone: str) -> None:
    """No retry, no error, and above all: what is gone does not come back into the cache with the late reply."""
    api = FakeApi()
    store = _store(api)
    heard = Heard(store)
    store.saw(CHASSIS_KIND, None, api.put(CHASSIS))

    def vanish() -> None:
        store.saw(CHASSIS_KIND, "DELETED", api.remove(CHASSIS))

    if gone == "before the reply":
        api.before_reply = vanish
    else:
        api.remove(CHASSIS)
    await store.write_status(RACK, {"summary": "0/1"})
    assert len(api.written) == 1
    if gone == "before the reply":
        assert store.get(RACK) is None
        assert heard.versions[-1] == ("1", True)


async def test_created_and_gone_before_the_reply_stays_gone() -> None:
    api = FakeApi()
    store = _store(api)
    api.before_reply = lambda: store.saw(COMPUTE_NODE, "DELETED", api.remove(f"{NODES}/node-0"))
    await store.create(STAMPED)
    assert store.get(NODE) is None


async def test_creating_what_exists_is_a_conflict_and_the_cache_learns_of_it() -> None:
    api = FakeApi()
    store = _store(api)
    api.put(f"{NODES}/node-0", spec={"server": "9/0"})
    with pytest.raises(StoreConflictError):
        await store.create(STAMPED)
    found = store.get(NODE)
    assert found is not None
    assert found.spec == {"server": "9/0"}


async def test_a_stamped_object_is_brought_to_its_manifest() -> None:
    api = FakeApi()
    store = _store(api)
    created = await store.create(STAMPED)
    assert created.owner_uid == "u"
    other = {**STAMPED, "metadata": {**STAMPED["metadata"], "labels": {"set": "b"}}, "spec": {"server": "1/0"}}
    replaced = await store.replace_spec(NODE, other)
    assert replaced is not None
    assert (replaced.spec, replaced.labels) == ({"server": "1/0"}, {"set": "b"})
    assert api.written[-1][2] == {
        "metadata": {"labels": {"set": "b"}, "resourceVersion": created.version},
        "spec": {"server": "1/0"},
    }


async def test_exactly_one_object_is_deleted() -> None:
    api = FakeApi()
    store = _store(api)
    node = await store.create(STAMPED)
    await store.delete(NODE, "another")
    assert f"{NODES}/node-0" in api.objects
    await store.delete(NODE, node.uid)
    await store.delete(NODE, node.uid)
    assert f"{NODES}/node-0" not in api.objects


async def test_a_comparison_finds_what_watches_missed() -> None:
    api = FakeApi()
    store = _store(api)
    heard = Heard(store)
    for number in range(3):
        api.put(f"{NODES}/node-{number}")
    await store.sync()
    assert {item.ref.name for item in store.list(COMPUTE_NODE)} == {"node-0", "node-1", "node-2"}
    assert await store.sync() == 0

    api.remove(f"{NODES}/node-0")
    api.edit(f"{NODES}/node-1", {"server": "1/0"})
    heard.changes.clear()
    assert await store.sync() == 2
    assert sorted((resource.ref.name, deleted) for resource, deleted in heard.changes) == [
        ("node-0", True),
        ("node-1", False),
    ]


async def test_a_comparison_leaves_what_is_newer_than_itself() -> None:
    api = FakeApi()
    store = _store(api)
    newest = api.put(f"{NODES}/node-0")
    newest["metadata"]["resourceVersion"] = "100"
    api.objects.clear()
    store.saw(COMPUTE_NODE, "ADDED", newest)  # made after the list was taken
    assert await store.sync() == 0
    assert store.get(NODE) is not None


async def test_a_namespace_is_compared_with_itself_only() -> None:
    api = FakeApi()
    store = KubeStore(api, EventPoster(api, "test"), ["elsewhere"])
    store.saw(COMPUTE_NODE, "ADDED", api.put(f"{NODES}/node-0"))
    api.objects.clear()
    await store.sync()
    assert store.get(NODE) is not None


async def test_secrets() -> None:
    api = FakeApi()
    store = _store(api)
    path = "/api/v1/namespaces/lab/secrets/chassis"
    api.objects[path] = {"data": {"username": "YWRtaW4=", "password": "AAE="}}
    assert await store.secret("lab", "chassis") == {"username": b"admin", "password": b"\x00\x01"}
    with pytest.raises(SecretMissingError, match=r"^there is no Secret other in namespace lab\. Create it\.$"):
        await store.secret("lab", "other")
    api.problem = RefusedError(403, "no")
    with pytest.raises(SecretMissingError, match=r"may not read Secret chassis .* rackwright-secrets"):
        await store.secret("lab", "chassis")
    api.problem = StoreUnavailableError("away")
    with pytest.raises(StoreUnavailableError):
        await store.secret("lab", "chassis")


async def test_what_is_served_is_checked() -> None:
    api = FakeApi()
    path = "/apis/rackwright.dev/v1alpha1"
    with pytest.raises(StoreUnavailableError, match=r"does not serve chassis, storagepools, .*Install the CRDs"):
        await _store(api).check_served()
    api.objects[path] = {
        "resources": [{"name": n} for n in ("chassis", "storagepools", "controllerclusters", "computenodes")]
    }
    await _store(api).check_served()
