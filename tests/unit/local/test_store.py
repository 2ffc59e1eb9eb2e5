"""A folder of manifests as a store: what a person does to the files, and what must survive it."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from rackwright.core.resource import API_VERSION, CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from rackwright.core.store import EventType, SecretMissingError, StoreUnavailableError
from rackwright.local.state import Record, StateFolder, StateLockedError, StateUnreadableError
from rackwright.local.store import LocalStore
from tests.unit.core.virtual import virtually

SM = Ref(CHASSIS, "rack", "sm")
POOL = Ref(STORAGE_POOL, "rack", "root")
NODE = Ref(COMPUTE_NODE, "rack", "compute-1")


def text(ref: Ref, spec: str = "{a: 1}", metadata: str = "") -> str:
    return (
        f"apiVersion: {API_VERSION}\nkind: {ref.kind}\n"
        f"metadata: {{name: {ref.name}, namespace: {ref.namespace}{metadata}}}\nspec: {spec}\n---\n"
    )


class Rack:
    """A folder, its state, and the store over both."""

    def __init__(self, root: Path) -> None:
        self.files, self.state = root / "rack", StateFolder(root / "state")
        self.files.mkdir()
        self.lock_state()

    def lock_state(self) -> None:
        self.state.lock()

    def write(self, name: str, content: str) -> None:
        (self.files / name).write_text(content)

    def open(self, *, writable: bool = True) -> LocalStore:
        return LocalStore(self.files, self.state, writable=writable)


@pytest.fixture
def rack(tmp_path: Path) -> Any:
    made = Rack(tmp_path)
    yield made
    made.state.unlock()


def stamped(owner: str | None) -> dict[str, Any]:
    references = [{"kind": CHASSIS, "name": "sm", "uid": owner, "controller": True}]
    metadata = {"name": NODE.name, "namespace": NODE.namespace, "labels": {"a": "b"}, "ownerReferences": references}
    return {"apiVersion": API_VERSION, "kind": COMPUTE_NODE, "metadata": metadata, "spec": {"server": "1/0"}}


def built(rack: Rack) -> LocalStore:
    """A Chassis, a pool, and a stamped node that remembers a volume."""
    rack.write("sm.yaml", text(SM))
    rack.write("pool.yaml", text(POOL))
    store = rack.open()
    chassis = store.get(SM)
    assert chassis is not None
    asyncio.run(store.create(stamped(chassis.uid)))
    asyncio.run(store.write_status(NODE, {"assignments": [{"vdisk": 0, "volume": "2/p/v-0"}]}))
    return store


def test_who_an_object_is_and_what_was_said_of_it_survives_a_restart(rack: Rack) -> None:
    first = built(rack)
    second = rack.open()
    for ref in (SM, POOL, NODE):
        assert second.get(ref) == first.get(ref)
    assert {item.ref for kind in (CHASSIS, STORAGE_POOL, COMPUTE_NODE) for item in second.list(kind)} == {
        SM,
        POOL,
        NODE,
    }


def test_a_changed_spec_is_a_new_generation_and_nothing_else_is(rack: Rack) -> None:
    store = built(rack)
    before = store.get(POOL)
    assert before is not None
    rack.write("pool.yaml", "# a comment\n" + text(POOL, metadata=", labels: {x: y}"))
    store.reload()
    relabelled = store.get(POOL)
    assert relabelled is not None
    assert (relabelled.generation, relabelled.labels) == (1, {"x": "y"})
    rack.write("pool.yaml", text(POOL, "{a: 2}"))
    store.reload()
    after = store.get(POOL)
    assert after is not None
    assert (after.generation, after.uid, after.spec) == (2, before.uid, {"a": 2})


def test_what_is_removed_is_gone_with_all_that_it_stamped(rack: Rack) -> None:
    store = built(rack)
    (rack.files / "sm.yaml").unlink()
    assert {item.ref for item in store.reload()} == {SM, NODE}
    assert (store.get(SM), store.get(NODE)) == (None, None)
    assert rack.open().get(NODE) is None
    rack.write("sm.yaml", text(SM))
    store.reload()
    assert store.get(NODE) is None, "another Chassis of that name is another Chassis"


BROKEN = ["spec: [", "\x00", "- a\n- b: {\n"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_file_that_cannot_be_read_keeps_what_was_in_it(rack: Rack, broken: str) -> None:
    store = built(rack)
    rack.write("sm.yaml", broken)
    assert store.reload() == ()
    assert store.get(SM) is not None
    assert store.get(NODE) is not None
    assert len(store.folder.problems) == 1
    assert str(rack.files / "sm.yaml") in store.folder.problems[0]


@pytest.mark.parametrize("broken", BROKEN)
def test_also_across_a_restart_nothing_is_forgotten(rack: Rack, broken: str) -> None:
    """Without its annotations the object is not shown (it may be paused), but what is known of it is kept."""
    first = built(rack)
    before = {ref: first.get(ref) for ref in (SM, POOL, NODE)}
    rack.write("sm.yaml", broken)
    second = rack.open()
    assert second.get(SM) is None
    assert list(second.list(CHASSIS)) == []
    assert second.get(NODE) == before[NODE]
    rack.write("sm.yaml", text(SM))
    assert second.reload() == ()
    assert {ref: second.get(ref) for ref in before} == before
    assert {ref: rack.open().get(ref) for ref in before} == before


def test_a_folder_that_is_not_there_is_not_an_empty_folder(rack: Rack) -> None:
    store = built(rack)
    moved = rack.files.rename(rack.files.with_name("elsewhere"))
    assert store.reload() == ()
    assert store.get(NODE) is not None
    assert "is not there" in store.folder.problems[0]
    again = rack.open()
    assert again.get(NODE) is not None
    moved.rename(rack.files)
    again.reload()
    assert again.get(SM) == store.get(SM)


def test_of_two_files_with_one_object_the_one_that_was_there_counts(rack: Rack) -> None:
    store = built(rack)
    rack.write("another.yaml", text(SM, "{a: 9}"))
    store.reload()
    found = store.get(SM)
    assert found is not None
    assert found.spec == {"a": 1}
    assert "is also in" in store.folder.problems[0]
    (rack.files / "another.yaml").unlink()
    store.reload()
    assert store.folder.problems == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text(SM._replace(name="../../escape")), "give it such a name"),
        (text(SM._replace(name="Upper")), "give it such a name"),
        (text(SM._replace(namespace="a/b")), 'metadata.namespace "a/b"'),
        (text(SM, "[1, 2]"), "spec is not an object"),
        (text(SM, "just words"), "spec is not an object"),
        (text(SM, metadata=", labels: [a]"), "metadata.labels is not an object"),
        (text(SM, metadata=", annotations: yes"), "metadata.annotations is not an object"),
        (text(SM, metadata=", ownerReferences: 7"), "metadata.ownerReferences is not a list"),
        (text(SM, "{a: !!binary aGk=}"), "not readable as YAML"),
        (text(SM).replace(API_VERSION, "rackwright.dev/v9"), 'has apiVersion "rackwright.dev/v9"'),
        ("kind: Chassis\nmetadata: {}\n", "has no metadata.name"),
        ("kind: Chassis\nmetadata: words\n", "has no metadata.name"),
        ("metadata: {name: a}\n", "it has no kind"),
        ("just words\n", "it has no kind"),
        ("kind: List\nitems: 5\n", "it has no kind"),
        ("kind: Secret\nmetadata: {name: a}\ndata: {k: '*'}\n", "data.k is not base64"),
        ("kind: Secret\nmetadata: {name: a}\ndata: [k]\n", "data is not an object"),
    ],
)
def test_what_an_api_server_would_refuse_is_a_sentence_and_not_a_crash(rack: Rack, content: str, said: str) -> None:
    rack.write("x.yaml", content)
    store = rack.open()
    assert len(store.folder.problems) == 1
    assert said in store.folder.problems[0]
    assert list(store.list(CHASSIS)) == []
    assert list((rack.state.root / "objects").iterdir()) == []


def test_values_without_quotes_mean_what_they_say(rack: Rack) -> None:
    """`paused: true` is a wish to stop everything: it must not be lost to a type."""
    annotations = (
        ", annotations: {rackwright.dev/paused: true, rackwright.dev/reconcile-at: 2026-01-01}, labels: {a: 1}"
    )
    rack.write("sm.yaml", text(SM, "{when: 2026-01-01, 5: five}", annotations))
    store = rack.open()
    found = store.get(SM)
    assert found is not None
    assert found.paused
    assert (found.annotations["rackwright.dev/reconcile-at"], found.labels) == ("2026-01-01", {"a": "1"})
    assert found.spec == {"when": "2026-01-01", "5": "five"}
    again = rack.open().get(SM)
    assert again is not None
    assert again.generation == 1, "the same after a restart"


def test_lists_and_what_is_not_ours_and_hidden_folders(rack: Rack) -> None:
    items = "\n".join(
        f"- {{apiVersion: {API_VERSION}, kind: Chassis, metadata: {{name: {n}}}, spec: {{}}}}" for n in "ab"
    )
    rack.write("list.yaml", f"kind: List\nitems:\n{items}\n---\nkind: Deployment\nmetadata: {{name: x}}\n---\n")
    (rack.files / ".git").mkdir()
    (rack.files / ".git" / "c.yaml").write_text(text(SM))
    rack.write("notes.txt", text(SM))
    store = rack.open()
    assert {item.ref.name for item in store.list(CHASSIS)} == {"a", "b"}
    assert store.folder.problems == ()


def test_secrets_are_read_in_both_forms_and_kept_while_their_file_is_broken(rack: Rack) -> None:
    secret = "kind: Secret\nmetadata: {name: s, namespace: rack}\n"
    rack.write("s.yaml", f"{secret}data: {{a: aGk=}}\nstringData: {{b: hello, c: 12, d: true, e: }}\n")
    store = rack.open()
    expected = {"a": b"hi", "b": b"hello", "c": b"12", "d": b"true", "e": b""}
    assert asyncio.run(store.secret("rack", "s")) == expected
    with pytest.raises(SecretMissingError, match="there is no Secret other in namespace rack"):
        asyncio.run(store.secret("rack", "other"))
    rack.write("s.yaml", "{")
    store.reload()
    assert asyncio.run(store.secret("rack", "s")) == expected
    (rack.files / "s.yaml").unlink()
    store.reload()
    with pytest.raises(SecretMissingError):
        asyncio.run(store.secret("rack", "s"))


def test_reading_alone_writes_nothing(rack: Rack) -> None:
    rack.write("sm.yaml", text(SM))
    store = rack.open(writable=False)
    assert store.get(SM) is not None
    asyncio.run(store.write_status(SM, {"summary": "1/1"}))
    assert list((rack.state.root / "objects").iterdir()) == []


def test_one_process_a_folder(rack: Rack) -> None:
    with pytest.raises(StateLockedError, match="in use by another rackwright"):
        StateFolder(rack.state.root).lock()
    rack.state.unlock()
    other = StateFolder(rack.state.root).lock()
    with pytest.raises(StateLockedError):
        rack.state.lock()
    other.unlock()
    rack.state.lock()


def test_a_crash_while_writing_leaves_the_old_or_the_new(rack: Rack, monkeypatch: pytest.MonkeyPatch) -> None:
    store = built(rack)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt("killed")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt, match="killed"):
        asyncio.run(store.write_status(NODE, {"assignments": []}))
    monkeypatch.undo()
    assert any(path.suffix == ".tmp" for path in (rack.state.root / "objects").iterdir())
    again = rack.open().get(NODE)
    assert again is not None
    assert again.status == {"assignments": [{"vdisk": 0, "volume": "2/p/v-0"}]}


def test_what_the_disk_does_not_take_is_not_acted_on(rack: Rack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consent that is only in memory would let a destructive command through that no restart knows of."""
    store = built(rack)
    before = store.get(NODE)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailableError, match="No space left on device"):
        asyncio.run(store.write_status(NODE, {"consentsUsed": 1}))
    assert store.get(NODE) == before
    monkeypatch.undo()
    written = asyncio.run(store.write_status(NODE, {"consentsUsed": 1}))
    assert written is not None
    assert written.status == {"consentsUsed": 1}


def test_a_record_is_on_disk_before_it_takes_the_others_place(rack: Rack, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        order.append("fsync")
        fsync(handle)

    def replaced(path: Path, to: Path) -> Path:
        order.append("replace")
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    rack.state.write(Record(SM, "u", "2026-01-01T00:00:00Z", 1, {}, {}))
    assert order == ["fsync", "replace"]


def test_a_damaged_record_stops_it_with_a_sentence(rack: Rack) -> None:
    built(rack)
    path = next((rack.state.root / "objects").glob("ComputeNode*.json"))
    for damage in (b"", b"[]", b'{"ref": ["a"]}', orjson.dumps({"ref": ["a", "b", "c"]})):
        path.write_bytes(damage)
        with pytest.raises(StateUnreadableError, match="Restore it from a backup"):
            rack.open()


def test_names_of_any_length_have_a_file(rack: Rack) -> None:
    long = SM._replace(name="a" * 253, namespace="n" * 63)
    other = long._replace(name="a" * 252 + "b")
    rack.write("long.yaml", text(long) + text(other))
    rack.open()
    again = rack.open()
    assert again.get(long) is not None
    assert again.get(other) is not None
    assert len(list((rack.state.root / "objects").iterdir())) == 2


def test_a_person_takes_over_a_stamped_object(rack: Rack) -> None:
    store = built(rack)
    before = store.get(NODE)
    assert before is not None
    rack.write("node.yaml", text(NODE, "{server: 1/0, mine: true}"))
    store.reload()
    after = store.get(NODE)
    assert after is not None
    assert (after.owner_uid, after.generation, after.status) == (None, 2, before.status)


def test_events_go_to_whoever_shows_them(rack: Rack) -> None:
    seen: list[tuple[str, str]] = []
    store = LocalStore(
        rack.files, rack.state, writable=True, on_event=lambda _ref, kind, reason, _message: seen.append((kind, reason))
    )
    asyncio.run(store.event(SM, EventType.WARNING, "NoCapacity", "full"))
    assert seen == [("Warning", "NoCapacity")]


@pytest.mark.parametrize(
    "change",
    [
        lambda rack: rack.write("pool.yaml", text(POOL, "{a: 22}")),
        lambda rack: rack.write("new.yaml", text(POOL._replace(name="new"))),
        lambda rack: (rack.files / "pool.yaml").unlink(),
    ],
)
def test_watching_tells_of_every_change(rack: Rack, change: Callable[[Rack], None]) -> None:
    store = built(rack)

    async def main() -> None:
        changes = store.watch(seconds=1)
        assert isinstance(changes, AsyncGenerator)
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(5)
        assert not waiting.done(), "nothing changed yet"
        change(rack)
        await waiting
        await changes.aclose()

    virtually(main())
