"""Where binaries come from, and in which order."""

from pathlib import Path

import pytest

from tests.kubelab.assets import find_assets, find_tool
from tests.kubelab.cache import Cache, Recipe
from tests.kubelab.console import KubelabError
from tests.unit.kubelab.conftest import FakeExecutable


class Recorder(Cache):
    """A cache in which everything is already there; `asked` says what for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def ensure(self, recipe: Recipe) -> Path:
        self.asked.append(recipe.name)
        return self.folder(recipe)


@pytest.fixture
def cache(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "cache")


def _executables(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


def test_the_folder_of_envtest_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_executable: FakeExecutable, cache: Recorder
) -> None:
    for name in ("kube-apiserver", "etcd", "kubectl", "kube-controller-manager"):
        fake_executable(name, "")
    folder = _executables(tmp_path / "envtest", "kube-apiserver", "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    assets = find_assets(cache)
    assert (assets.kube_apiserver, assets.etcd) == (folder / "kube-apiserver", folder / "etcd")
    assert assets.kubectl.parent == tmp_path / "bin"
    assert assets.kube_controller_manager is None, "one of another version would not do"
    assert cache.asked == []


def test_a_folder_of_envtest_with_everything_is_used_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Recorder
) -> None:
    names = ("kube-apiserver", "etcd", "kubectl", "kube-controller-manager")
    folder = _executables(tmp_path / "envtest", *names)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    assets = find_assets(cache)
    assert {assets.kubectl, assets.kube_controller_manager} == {folder / "kubectl", folder / names[3]}


def test_a_folder_of_envtest_without_etcd_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Recorder
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(_executables(tmp_path / "envtest", "kube-apiserver")))
    with pytest.raises(KubelabError, match="no executable etcd"):
        find_assets(cache)


def test_path_comes_second(
    monkeypatch: pytest.MonkeyPatch, fake_executable: FakeExecutable, cache: Recorder, bin_folder: Path
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    for name in ("kube-apiserver", "etcd", "kubectl"):
        fake_executable(name, "")
    assets = find_assets(cache)
    assert {assets.kube_apiserver.parent, assets.etcd.parent, assets.kubectl.parent} == {bin_folder}
    assert cache.asked == []


@pytest.mark.usefixtures("bin_folder")
def test_the_cache_comes_last_and_has_all(monkeypatch: pytest.MonkeyPatch, cache: Recorder) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    assets = find_assets(cache)
    assert sorted(cache.asked) == ["etcd", "kubectl", "kubernetes"]
    assert assets.kube_controller_manager is not None
    assert find_tool("promtool", cache).name == "promtool"


@pytest.mark.usefixtures("bin_folder")
def test_a_tool_that_nobody_has_is_named(cache: Recorder) -> None:
    with pytest.raises(KubelabError, match="helm is not on PATH"):
        find_tool("helm", cache)
