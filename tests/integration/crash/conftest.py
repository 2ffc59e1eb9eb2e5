"""Racks to be built and broken off: with consent written down, and with none needed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.crash.rack import Rack, Template, prepare


@pytest.fixture(scope="session")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Everything destructive needs consent; a person gave it in the manifests, for the plans as they were shown."""
    return prepare(tmp_path_factory.mktemp("approved"), "RequireApproval")


@pytest.fixture(scope="session")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Everything is allowed."""
    return prepare(tmp_path_factory.mktemp("allowed"), "Allow")


@pytest.fixture
async def rack(approved: Template, tmp_path: Path) -> AsyncIterator[Rack]:
    """A rack with its consent given."""
    async with approved.rack(tmp_path / "rack") as made:
        yield made


@pytest.fixture
async def free_rack(allowed: Template, tmp_path: Path) -> AsyncIterator[Rack]:
    """A rack where nothing needs consent."""
    async with allowed.rack(tmp_path / "rack") as made:
        yield made
