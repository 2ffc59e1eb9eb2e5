"""Fixtures over one control plane a test session; import both names in a conftest.py. Mark such tests `kube`."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count

import pytest

from tests.kubelab.controlplane import ControlPlane

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


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """The name of a fresh namespace, deleted afterwards."""
    client = control_plane.admin
    name = f"test-{next(_numbers)}"
    client.request("POST", _NAMESPACES, {"metadata": {"name": name}})
    yield name
    client.request("DELETE", f"{_NAMESPACES}/{name}")
