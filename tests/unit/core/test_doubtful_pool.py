"""A pool that cannot be planned keeps servers off, as they may be meant to come up from it; and what it has is not nobody's."""

from rackwright.core.resource import COMPUTE_NODE, NODE_SET_LABEL, STORAGE_POOL
from tests.unit.core.kit import Bench, manifest, pool, running, small_chassis


def test_no_server_is_switched_on_beside_a_pool_that_is_refused() -> None:
    refused = pool("root")
    refused["spec"]["backend"]["chassis"]["volumes"]["perPool"] = 0
    bench = Bench.of("small", [small_chassis(), refused])
    bench.settle()
    assert running(bench.model) == {"32/0"}


def test_without_it_they_are() -> None:
    bench = Bench.of("small", [small_chassis()])
    bench.settle()
    assert running(bench.model) == {"0/0", "1/0", "2/0", "32/0"}


def test_what_a_refused_pool_has_is_not_called_undeclared() -> None:
    bench = Bench.of("small", [small_chassis(), pool("root")])
    bench.settle()
    before = bench.chassis.status["undeclared"]
    root = bench.resource(STORAGE_POOL, "root").ref
    bench.store.change(root, lambda spec: spec["backend"]["chassis"]["volumes"].update(perPool=0))
    bench.report()
    assert bench.chassis.status["undeclared"] == before
    bench.store.change(root, lambda spec: spec["backend"]["chassis"]["volumes"].update(perPool=3))
    bench.report()
    assert set(bench.chassis.status["undeclared"]["items"]) - set(before["items"]) >= {"volume 2/rootpool-1/rootvol-3"}


def test_nothing_is_said_of_it_where_nothing_was_known_before() -> None:
    refused = pool("root")
    refused["spec"]["backend"]["chassis"]["volumes"]["perPool"] = 0
    bench = Bench.of("small", [small_chassis(), refused])
    bench.report()
    assert "undeclared" not in bench.chassis.status


def test_nor_is_what_a_refused_node_has() -> None:
    own = manifest(COMPUTE_NODE, "own", {"chassisRef": {"name": "sm15k-01"}, "server": "2/0"})
    own["metadata"]["labels"] = {NODE_SET_LABEL: "compute"}
    bench = Bench.of("small", [small_chassis(nodeSets=[]), own, pool("root")])
    bench.settle()
    before = bench.chassis.status["undeclared"]
    bench.store.change(bench.node("2/0").ref, lambda spec: spec.update(powerState="Maybe"))
    bench.report()
    assert bench.chassis.status["undeclared"] == before
