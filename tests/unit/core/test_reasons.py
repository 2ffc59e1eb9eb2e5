"""The reasons that conditions give, and their table in the documentation: neither has one that the other has not."""

import ast
import re
from enum import Enum
from pathlib import Path

import pytest

from rackwright.api import (
    backends,
    chassis,
    common,
    compute_node,
    controller_cluster,
    host,
    nodeset,
    ports,
    storage_pool,
)
from rackwright.core.resource import KINDS
from rackwright.core.step import HoldReason
from rackwright.core.store import EventType

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
TABLE = OPERATIONS.partition("\n## Reasons\n")[2].partition("\n## ")[0]
TYPES = {"Ready", "Reconciling", "Stalled", "Reachable", "ChassisReady", "HostReady"}
OUTCOMES = {"Failed", "Held", "Blocked", "Applied"}  # of a pass, in its metric
OTHER = {"True", "False", "StateT", "AcceptCard"} | {kind.value for kind in EventType}
API = (backends, chassis, common, compute_node, controller_cluster, host, nodeset, ports, storage_pool)


def _values_of_the_api() -> set[str]:
    enums = (
        item for module in API for item in vars(module).values() if isinstance(item, type) and issubclass(item, Enum)
    )
    return {str(member.value) for enum in enums for member in enum}


def _literals() -> set[str]:
    """Every word in CamelCase that the core says anywhere."""
    sources = sorted((ROOT / "operator" / "rackwright" / "core").rglob("*.py"))
    nodes = (node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*", text)}


def _documented() -> set[str]:
    rows = (line.split("|") for line in TABLE.splitlines() if line.startswith("| `"))
    return {reason for row in rows for reason in re.findall(r"`([A-Z][A-Za-z]+)`", row[1])}


def test_every_reason_is_in_the_table() -> None:
    reasons = _literals() - set(KINDS) - TYPES - OUTCOMES - OTHER - _values_of_the_api()
    assert {"InvalidSpec", "UnknownDisk", "UnknownNIC", "VDiskTaken", "CredentialsRefused"} <= reasons
    missing = {reason for reason in reasons if not re.search(rf"\b{reason}\b", TABLE)}
    assert missing == set()


def test_the_table_has_no_reason_that_nobody_gives() -> None:
    assert len(_documented()) > 30
    assert _documented() - _literals() - {reason.value for reason in HoldReason} == set()


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_to_hold_is_in_the_table(reason: HoldReason) -> None:
    assert f"`{reason.value}`" in TABLE
