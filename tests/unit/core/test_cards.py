"""A card that changed its set, lost its protection or was newly inserted is held until a person approves just that."""

from dataclasses import replace
from typing import Any

import pytest

from rackwright.core.chassis.cards import MACS_LENGTH
from rackwright.core.guard import servers_of
from rackwright.core.step import Decision, HoldReason
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Detach
from rackwright_sim import actions
from tests.unit.core.kit import Bench, condition, observed, on, pool, running, small_chassis

RUNNING = {"powerState": "Running"}


def sets(**cards: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "members": [{"server": card, "name": f"{name}-{card[0]}"} for card in servers],
            "template": RUNNING,
        }
        for name, servers in cards.items()
    ]


def remaining(name: str = "compute") -> list[dict[str, Any]]:
    return [{"name": name, "remaining": {"namePrefix": name}, "template": RUNNING}]


def settled(node_sets: list[dict[str, Any]], **changes: Any) -> Bench:
    bench = Bench.of("small", [small_chassis(nodeSets=node_sets, **changes), pool("root")])
    bench.settle()
    assert condition(bench.chassis, "Ready") == ("True", "InSync")
    return bench


def move(bench: Bench, **changes: Any) -> None:
    bench.store.change(bench.chassis.ref, lambda spec: spec.update(changes))


def touched(decision: Decision) -> set[str]:
    return {server for step in decision.verdict.allowed for server in servers_of(step.action)}


def asked(bench: Bench) -> dict[str, str]:
    """The clause of each change that waits, by server."""
    return {item.server: item.clause for item in bench.decide().verdict.changes.get(bench.chassis.ref, ())}


def accepted(bench: Bench) -> dict[str, Any]:
    return {item["server"]: item.get("nodeSet") for item in bench.chassis.status["cards"]}


def without(bench: Bench, server: str) -> ChassisState:
    state = observed(bench.model)
    assert isinstance(state.servers, dict)
    return replace(state, servers={key: value for key, value in state.servers.items() if key != server})


def test_what_a_chassis_is_first_seen_with_is_accepted_and_kept() -> None:
    bench = settled(sets(compute=["0/0", "1/0"]))
    assert accepted(bench) == {"0/0": "compute", "1/0": "compute", "2/0": None, "32/0": None}
    cards = {item["server"]: item for item in bench.chassis.status["cards"]}
    assert cards["32/0"]["protected"] is True
    assert {len(item["macs"]) for item in cards.values()} == {MACS_LENGTH}
    writes = bench.store.writes
    bench.report()
    assert bench.store.writes == writes


def test_a_card_that_nobody_had_declared_needs_no_word() -> None:
    bench = settled(sets(compute=["0/0"]))
    move(bench, nodeSets=sets(compute=["0/0", "1/0"]))
    bench.settle()
    assert accepted(bench)["1/0"] == "compute"
    assert "1/0" in running(bench.model)


def test_a_card_that_moves_between_sets_is_held_until_that_is_approved() -> None:
    bench = settled(sets(storage=["0/0"], compute=["1/0"]))
    move(bench, nodeSets=sets(storage=[], compute=["1/0", "0/0"])[1:])
    bench.model.servers.set_power(["0/0"], Power.OFF)
    decision = bench.report()
    assert asked(bench) == {"0/0": "0/0 was in the set storage and is in compute now"}
    assert {item.reason for item in decision.verdict.held} == {HoldReason.CARD_CHANGED}
    assert touched(decision) == set()
    assert condition(bench.chassis, "Ready") == ("False", "AwaitingApproval")
    assert condition(bench.node("0/0"), "ChassisReady") == ("False", "AwaitingApproval")
    assert bench.chassis.status["plan"]["stages"][0]["steps"][0]["action"] == "AcceptCard"
    assert bench.chassis.status["plan"]["digest"] == decision.verdict.digests[bench.chassis.ref]
    assert accepted(bench)["0/0"] == "storage"
    assert bench.approve(bench.decide())
    bench.settle()
    assert accepted(bench)["0/0"] == "compute"
    assert "0/0" in running(bench.model)
    assert bench.chassis.status["consentsUsed"] == 1


def test_back_in_its_set_there_is_nothing_to_ask() -> None:
    before = sets(storage=["0/0"], compute=["1/0"])
    bench = settled(before)
    move(bench, nodeSets=sets(compute=["1/0", "0/0"]))
    bench.report()
    assert asked(bench)
    move(bench, nodeSets=before)
    bench.settle()
    assert not asked(bench)
    assert condition(bench.chassis, "Ready") == ("True", "InSync")


def test_a_card_cannot_change_its_set_by_a_detour() -> None:
    bench = settled(sets(storage=["0/0"], compute=["1/0"]))
    move(bench, nodeSets=sets(compute=["1/0"]))
    bench.settle()
    assert accepted(bench)["0/0"] == "storage"
    move(bench, nodeSets=sets(compute=["1/0", "0/0"]))
    assert asked(bench) == {"0/0": "0/0 was in the set storage and is in compute now"}


def test_a_card_that_loses_its_protection_is_held_until_that_is_approved() -> None:
    bench = settled(remaining(), protectedServers=["32/0", "2/0"])
    move(bench, protectedServers=["2/0"])
    before = on(bench.model, "32/0"), bench.model.servers.power["32/0"]
    decision = bench.report()
    assert asked(bench) == {"32/0": "32/0 was in spec.protectedServers"}
    assert "32/0" not in touched(decision)
    assert (on(bench.model, "32/0"), bench.model.servers.power["32/0"]) == before


def test_a_card_that_was_newly_inserted_is_held_and_one_that_was_pulled_for_a_while_is_not() -> None:
    bench = Bench.of("small", [small_chassis(nodeSets=remaining()), pool("root")])
    bench.report(without(bench, "2/0"))
    assert set(accepted(bench)) == {"0/0", "1/0", "32/0"}
    decision = bench.report()
    assert asked(bench) == {"2/0": "2/0 was newly inserted"}
    assert touched(decision) == set()
    bench.settle()
    assert accepted(bench)["2/0"] == "compute"
    bench.report(without(bench, "2/0"))
    bench.settle()
    assert bench.chassis.status["consentsUsed"] == 1


def test_another_card_in_the_same_place_is_held() -> None:
    bench = settled(remaining())
    bench.model.servers.macs["1/0"] = tuple(f"02:00:00:00:00:0{nic}" for nic in range(8))
    bench.model.servers.set_power(["1/0"], Power.OFF)
    decision = bench.report()
    assert asked(bench) == {"1/0": "1/0 is another card than before, by its MAC addresses"}
    assert touched(decision) == set()


def test_the_other_cards_are_looked_after_meanwhile() -> None:
    bench = settled(sets(storage=["0/0"], compute=["1/0"]))
    move(bench, nodeSets=sets(compute=["1/0", "0/0"]))
    bench.model.servers.set_power(["0/0", "1/0"], Power.OFF)
    assert bench.round()
    assert running(bench.model) == {"1/0", "32/0"}


def test_consent_to_one_change_is_none_to_the_next() -> None:
    bench = settled(sets(storage=["0/0"], compute=["1/0"], other=["2/0"]))
    move(bench, nodeSets=sets(compute=["1/0", "0/0"], other=["2/0"]))
    approved = bench.decide()
    bench.approve(approved)
    move(bench, nodeSets=sets(compute=["1/0", "0/0", "2/0"]))
    assert set(asked(bench)) == {"0/0", "2/0"}, "it was to the one card only, and now there are two"


def test_a_volume_goes_with_its_server_into_the_new_set() -> None:
    bench = settled(sets(storage=["0/0"], compute=["1/0"]))
    selector = {"matchExpressions": [{"key": "rackwright.dev/node-set", "operator": "Exists"}]}
    root = bench.resource("StoragePool", "root").ref
    bench.store.change(root, lambda spec: spec["assign"][0].update(nodeSelector=selector))
    bench.settle()
    mine = on(bench.model, "0/0")
    bench.model.servers.set_power(["0/0"], Power.OFF)
    actions.apply(bench.model, Detach(("0/0",), 0))
    move(bench, nodeSets=sets(compute=["1/0", "0/0"]))
    bench.report()
    bench.settle()
    assert on(bench.model, "0/0") == mine


@pytest.mark.parametrize("mode", ["Observe", "Plan"])
def test_who_may_not_act_asks_for_nothing(mode: str) -> None:
    bench = settled(sets(storage=["0/0"], compute=["1/0"]))
    move(bench, nodeSets=sets(compute=["1/0", "0/0"]), policy={"mode": mode})
    assert not asked(bench)
    move(bench, policy={"mode": "Enforce"})
    assert set(asked(bench)) == {"0/0"}, "what changed meanwhile is not accepted by that"
