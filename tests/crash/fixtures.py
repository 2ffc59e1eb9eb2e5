"""Racks to be built and broken off: with consent written down, and with none needed. Import these in a conftest.py."""

import pytest

from tests.crash.kills import Kill
from tests.crash.rack import Template, prepare


@pytest.fixture(scope="session")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Everything destructive needs consent; a person gave it in the manifests, for the plans as they were shown."""
    return prepare(tmp_path_factory.mktemp("approved"), "RequireApproval")


@pytest.fixture(scope="session")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Everything is allowed."""
    return prepare(tmp_path_factory.mktemp("allowed"), "Allow")


@pytest.fixture
def template(kill: Kill, request: pytest.FixtureRequest) -> Template:
    """The rack that a kill is tried on; made here, as it is made outside of any event loop."""
    found: Template = request.getfixturevalue("approved" if kill.approved else "allowed")
    return found
