"""What the tests of deploy/ share: its folders as kustomize builds them, and a control plane to apply them to."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.kubelab.assets import find_tool

ROOT = Path(__file__).parents[2]
Manifest = dict[str, Any]
Build = Callable[[str], list[Manifest]]


@pytest.fixture(scope="session")
def build() -> Build:
    """Builds a folder under deploy/, by its path there, with the kustomize that is part of kubectl."""
    kubectl = find_tool("kubectl")

    def build_folder(folder: str) -> list[Manifest]:
        path = ROOT / "deploy" / folder
        done = subprocess.run([kubectl, "kustomize", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == "", "kustomize warned of something deprecated"
        return list(YAML(typ="safe").load_all(done.stdout))

    return build_folder


def one(manifests: list[Manifest], kind: str, name: str = "rackwright") -> Manifest:
    """The only manifest of a kind and name."""
    (found,) = (each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name)
    return found
