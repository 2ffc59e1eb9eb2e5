"""Fixtures over one control plane a test session: tests/conftest.py has them for all. Mark such tests `kube`."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path

import pytest

from tests.kubelab.controlplane import ControlPlane

DEPLOY = Path(__file__).parents[2] / "deploy"
_NAMESPACES = "/api/v1/namespaces"
_numbers = count(1)


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """Started once; its binaries are made first where they are missing, with the progress shown to the person."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        plane = ControlPlane()
    with plane:
        yield plane


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with deploy/base applied: the four kinds are served, and `operator` has the operator's rights."""
    # Old clients and servers do not know the field with the CEL rules, and say so.
    control_plane.kubectl("apply", "--validate=false", "-k", str(DEPLOY / "base"))
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    return control_plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """The name of a fresh namespace; its deletion begins when the test ends."""
    name = f"test-{next(_numbers)}"
    control_plane.admin.request("POST", _NAMESPACES, {"metadata": {"name": name}})
    yield name
    control_plane.admin.request("DELETE", f"{_NAMESPACES}/{name}")
