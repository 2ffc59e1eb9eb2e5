"""Where the binaries come from.

1. `KUBEBUILDER_ASSETS`, the convention of envtest: a folder with kube-apiserver and etcd, and kubectl if it has one.
2. `PATH`.
3. The cache: the genuine Kubernetes servers compiled from Debian's source, the rest taken from Debian's packages.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.kubelab.cache import Cache, Recipe
from tests.kubelab.console import KubelabError
from tests.kubelab.debian_package import ETCD, KUBECTL, PROMTOOL
from tests.kubelab.kubernetes_source import KubernetesServers

_RECIPES: tuple[Recipe, ...] = (ETCD, KUBECTL, PROMTOOL, KubernetesServers())


@dataclass(frozen=True)
class Assets:
    """The executables of one control plane. Without a controller manager nothing collects garbage."""

    kube_apiserver: Path
    etcd: Path
    kubectl: Path
    kube_controller_manager: Path | None


def find_assets(cache: Cache | None = None) -> Assets:
    """All that a control plane needs, made now where it is missing. KubelabError says what cannot be had, and why."""
    cache = cache or Cache()
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    if folder:
        return _from_envtest(Path(folder), cache)
    apiserver = shutil.which("kube-apiserver")
    manager = shutil.which("kube-controller-manager")
    if apiserver is None:
        servers = cache.ensure(KubernetesServers())
        apiserver, manager = str(servers / "kube-apiserver"), str(servers / "kube-controller-manager")
    return Assets(
        kube_apiserver=Path(apiserver),
        etcd=find_tool("etcd", cache),
        kubectl=find_tool("kubectl", cache),
        kube_controller_manager=Path(manager) if manager else None,
    )


def _from_envtest(folder: Path, cache: Cache) -> Assets:
    for name in ("kube-apiserver", "etcd"):
        if not os.access(folder / name, os.X_OK):
            raise KubelabError(
                f"KUBEBUILDER_ASSETS is {folder}, which has no executable {name}: put it there or unset it"
            )
    kubectl, manager = folder / "kubectl", folder / "kube-controller-manager"
    return Assets(
        kube_apiserver=folder / "kube-apiserver",
        etcd=folder / "etcd",
        kubectl=kubectl if os.access(kubectl, os.X_OK) else find_tool("kubectl", cache),
        kube_controller_manager=manager if os.access(manager, os.X_OK) else None,
    )


def find_tool(name: str, cache: Cache | None = None) -> Path:
    """One tool, from PATH or else from the cache: etcd, kubectl or promtool."""
    found = shutil.which(name)
    if found:
        return Path(found)
    for recipe in _RECIPES:
        if name in recipe.executables:
            return (cache or Cache()).ensure(recipe) / name
    raise KubelabError(f"{name} is not on PATH, and the lab has no recipe for it: install it")
