"""Racks for those that are killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.crash.fixtures import allowed, approved, template
from tests.crash.rack import Rack, Template

__all__ = ["allowed", "approved", "template"]


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
