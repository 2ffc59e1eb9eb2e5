"""The cache: made once, found again, made again when damaged, and never half there."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.kubelab.cache import Cache, default_root, key_of
from tests.kubelab.console import KubelabError, Progress


@dataclass(frozen=True)
class Counted:
    """A recipe that counts how often it was used."""

    name: str = "tool"
    text: str = "version 1"
    executables: tuple[str, ...] = ("tool", "helper")
    makes: list[Path] = field(default_factory=list)
    forgets: str = ""
    during: Callable[[], None] = lambda: None

    def make(self, work: Path, out: Path, progress: Progress) -> None:
        self.makes.append(work)
        (work / "scratch-file").touch()
        self.during()
        for name in self.executables:
            if name != self.forgets:
                (out / name).write_text(f"{name} of {self.text}")


def _left_in(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_what_was_made_is_found_again_by_other_processes(tmp_path: Path) -> None:
    recipe = Counted()
    first = Cache(tmp_path).ensure(recipe)
    assert Cache(tmp_path).ensure(recipe) == first
    assert len(recipe.makes) == 1
    assert (first / "tool").read_text() == "tool of version 1"
    assert (first / "tool").stat().st_mode & 0o111


def test_nothing_but_the_result_and_the_lock_remains(tmp_path: Path) -> None:
    folder = Cache(tmp_path).ensure(Counted())
    assert _left_in(tmp_path) == {folder.name, "tool.lock"}


@pytest.mark.parametrize(
    "other",
    [Counted(name="other"), Counted(text="version 2"), Counted(executables=("tool",))],
    ids=["name", "text", "executables"],
)
def test_the_key_is_of_all_that_decides_what_is_made(other: Counted) -> None:
    assert key_of(Counted()) == key_of(Counted())
    assert key_of(other) != key_of(Counted())


def _truncate(folder: Path) -> None:
    (folder / "tool").write_text("to")


def _delete(folder: Path) -> None:
    (folder / "helper").unlink()


def _disarm(folder: Path) -> None:
    (folder / "tool").chmod(0o644)


def _lose_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _garble_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


@pytest.mark.parametrize("damage", [_truncate, _delete, _lose_manifest, _garble_manifest])
def test_what_is_damaged_is_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    recipe = Counted()
    folder = Cache(tmp_path).ensure(recipe)
    damage(folder)
    assert Cache(tmp_path).ensure(recipe) == folder
    assert len(recipe.makes) == 2
    assert (folder / "tool").read_text() == "tool of version 1"
    assert _left_in(tmp_path) == {folder.name, "tool.lock"}


def test_what_cannot_be_executed_is_made_again(tmp_path: Path) -> None:
    recipe = Counted()
    _disarm(Cache(tmp_path).ensure(recipe))
    folder = Cache(tmp_path).ensure(recipe)
    assert (folder / "tool").stat().st_mode & 0o100


def test_a_recipe_that_fails_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    def fail() -> None:
        raise KubelabError("no network")

    recipe = Counted(during=fail)
    with pytest.raises(KubelabError, match="no network"):
        Cache(tmp_path).ensure(recipe)
    assert _left_in(tmp_path) == {"tool.lock"}
    assert Cache(tmp_path).ensure(replace(recipe, during=lambda: None)).is_dir()


def test_a_recipe_that_forgets_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KubelabError, match="tool made no helper"):
        Cache(tmp_path).ensure(Counted(forgets="helper"))
    assert _left_in(tmp_path) == {"tool.lock"}


def test_what_a_killed_maker_left_is_removed_and_other_recipes_work_is_not(tmp_path: Path) -> None:
    (tmp_path / ".tool-work-killed").mkdir()
    (tmp_path / ".toolbox-work-busy").mkdir()
    folder = Cache(tmp_path).ensure(Counted())
    assert _left_in(tmp_path) == {folder.name, "tool.lock", ".toolbox-work-busy"}


def test_two_at_once_make_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    making, waiting = threading.Event(), threading.Event()

    def hold_until_the_other_waits() -> None:
        making.set()
        assert waiting.wait(10)

    def listen(progress: Progress, text: str) -> None:
        if "another process" in text:
            waiting.set()

    monkeypatch.setattr(Progress, "say", listen)
    recipe = Counted(during=hold_until_the_other_waits)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(Cache(tmp_path).ensure(recipe))) for _ in range(2)]
    threads[0].start()
    assert making.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(10)
    assert len(recipe.makes) == 1
    assert found == [Cache(tmp_path).folder(recipe)] * 2


def test_the_cache_is_where_the_user_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "rackwright"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / ".cache/rackwright"
