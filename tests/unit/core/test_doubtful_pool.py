"""A pool that cannot be planned keeps servers off: they may be meant to come up from it."""

from tests.unit.core.kit import Bench, pool, running, small_chassis


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
