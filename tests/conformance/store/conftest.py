"""Every test of the suite runs on all stores; the one over Kubernetes on a real API server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.store import rigs
from tests.conformance.store.rigs import Rig

OVER = [*rigs.RIGS, pytest.param("kube", marks=pytest.mark.kube)]


@pytest.fixture(params=OVER)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """An empty store."""
    if request.param == "kube":
        making = rigs.kube(request.getfixturevalue("cluster"), request.getfixturevalue("namespace"))
    else:
        making = rigs.RIGS[request.param](tmp_path)
    async with making as made:
        yield made
