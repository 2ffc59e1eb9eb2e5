"""Every field of Chassis, StoragePool and ComputeNode, changed on a rack that is as declared: what follows, and that is all."""

from collections.abc import Mapping, Sequence

import pytest
from _pytest.mark import ParameterSet

from rackwright.api.kinds import KINDS
from rackwright.core.others import NotYetReconciler
from tests.unit.core.changes.backend_cases import BACKENDS
from tests.unit.core.changes.bench import golden_rack, ready, reasons, try_change
from tests.unit.core.changes.case import Case
from tests.unit.core.changes.chassis_cases import FREE_SLOTS
from tests.unit.core.changes.fields import fields, is_changed
from tests.unit.core.changes.node_cases import OWN, STAMPED, small_rack
from tests.unit.core.changes.pool_cases import GROWING
from tests.unit.core.changes.tables import OF_A_CHASSIS, OF_A_NODE, OF_A_POOL, OF_HOSTS, OF_OTHER_BACKENDS, TABLES
from tests.unit.core.kit import finish, manifest


def listed(*tables: Mapping[str, Sequence[Case]]) -> list[ParameterSet]:
    """Every case of some tables, called by its field."""
    return [
        pytest.param(field, case, id=f"{field}: {case.name}")
        for table in tables
        for field, cases in table.items()
        for case in cases
    ]


@pytest.mark.parametrize("kind", TABLES)
def test_every_field_of_the_models_is_in_the_tables_and_nothing_else_is(kind: str) -> None:
    """A new field fails here: give it a case that says what follows from a change of it."""
    declared = list(fields(KINDS[kind].spec))
    tried = {field for table in TABLES[kind] for field in table}
    assert [field for field in declared if field not in tried] == []
    assert sorted(tried - set(declared)) == []
    assert len(declared) == len(set(declared)) > 70
    assert all(cases for table in TABLES[kind] for cases in table.values())


@pytest.mark.parametrize(("field", "case"), listed(*OF_A_CHASSIS))
def test_a_chassis(field: str, case: Case) -> None:
    try_change(golden_rack(), "Chassis/sm15k-01", field, case)


@pytest.mark.parametrize(("field", "case"), listed(*OF_A_POOL))
def test_a_storage_pool(field: str, case: Case) -> None:
    try_change(golden_rack(), "StoragePool/root", field, case)


@pytest.mark.parametrize(("field", "case"), listed(FREE_SLOTS, OF_HOSTS))
def test_a_small_chassis(field: str, case: Case) -> None:
    try_change(small_rack(), "Chassis/sm15k-01", field, case)


@pytest.mark.parametrize(("field", "case"), listed(GROWING))
def test_a_storage_pool_that_grows(field: str, case: Case) -> None:
    try_change(small_rack(), "StoragePool/root", field, case)


@pytest.mark.parametrize(("field", "case"), listed(*OF_A_NODE))
def test_a_compute_node(field: str, case: Case) -> None:
    try_change(small_rack(), OWN, field, case)


@pytest.mark.parametrize(("field", "case"), listed(*OF_A_NODE))
def test_what_a_chassis_stamped_is_put_back_whatever_a_person_makes_of_it(field: str, case: Case) -> None:
    bench = small_rack().copy()
    ref = small_rack().ref(STAMPED)
    before = bench.store.objects[ref].spec
    for edit in case.all_edits:
        bench.store.change(ref, edit)
    assert bench.report().stages == ()
    assert bench.store.objects[ref].spec == before
    assert reasons(bench) == []


@pytest.mark.parametrize(("field", "case"), listed(OF_OTHER_BACKENDS))
def test_a_pool_of_another_backend(field: str, case: Case) -> None:
    bench = small_rack().copy()
    ref = bench.store.put(manifest("StoragePool", "other", {"backend": BACKENDS[field.split(".")[1]]})).ref
    others = NotYetReconciler(bench.store, bench.specs, bench.now)
    before = bench.store.objects[ref].spec
    for edit in case.all_edits:
        bench.store.change(ref, edit)
    assert is_changed(field, before, bench.store.objects[ref].spec)
    finish(others.reconcile(ref))
    reason, message = ready(bench.store.objects[ref]) or ("", "")
    assert reason == ("InvalidSpec" if case.refused else "NotReconciled")
    assert case.refused in message
    assert bench.store.objects[ref].status["observedGeneration"] == bench.store.objects[ref].generation
    assert bench.report().stages == ()
