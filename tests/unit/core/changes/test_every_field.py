"""Every field of Chassis, StoragePool and ComputeNode, changed on a rack that is as declared: what follows, and that is all."""

from collections.abc import Mapping, Sequence

import pytest
from _pytest.mark import ParameterSet

from tests.unit.core.changes.bench import golden_rack, try_change
from tests.unit.core.changes.case import Case
from tests.unit.core.changes.chassis_cases import GENERAL, NETWORK, STORAGE_SLOTS
from tests.unit.core.changes.node_set_cases import SETS_AND_MEMBERS, TEMPLATES
from tests.unit.core.changes.pool_cases import ASSIGNMENTS, BACKEND


def listed(*tables: Mapping[str, Sequence[Case]]) -> list[ParameterSet]:
    """Every case of some tables, called by its field."""
    return [
        pytest.param(field, case, id=f"{field}: {case.name}")
        for table in tables
        for field, cases in table.items()
        for case in cases
    ]


@pytest.mark.parametrize(("field", "case"), listed(NETWORK, STORAGE_SLOTS, GENERAL, SETS_AND_MEMBERS, TEMPLATES))
def test_a_chassis(field: str, case: Case) -> None:
    try_change(golden_rack(), "Chassis/sm15k-01", field, case)


@pytest.mark.parametrize(("field", "case"), listed(BACKEND, ASSIGNMENTS))
def test_a_storage_pool(field: str, case: Case) -> None:
    try_change(golden_rack(), "StoragePool/root", field, case)
