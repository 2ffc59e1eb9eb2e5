"""The report: its exact shape, and what keeps the demo from ending well."""

from typing import Any

import pytest

from rackwright.cli.demo.faults import PROMISED
from rackwright.cli.demo.report import Count, FaultResult, Object, Report, SecondPass, count
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref


def whole() -> Report:
    return Report(
        converged=True,
        seconds=21.0612,
        device_commands=1934,
        round_trips=37,
        configuration={"power-on server": 63},
        by_hand={"power-on server": 1},
        not_reconciled=["ControllerCluster/control"],
        objects={CHASSIS: Count(1, 1), STORAGE_POOL: Count(1, 1), COMPUTE_NODE: Count(63, 63)},
        second_pass=SecondPass(0, 0, 0),
        faults=[FaultResult(name, 1.2345, outcome, 2.3456) for name, outcome in PROMISED.items()],
    )


def test_the_report_has_these_keys_and_no_others() -> None:
    data = whole().as_json()
    assert data == {
        "converged": True,
        "seconds": 21.06,
        "device_commands": 1934,
        "round_trips": 37,
        "configuration": {"power-on server": 63},
        "by_hand": {"power-on server": 1},
        "not_reconciled": ["ControllerCluster/control"],
        "objects": {
            "Chassis": {"ready": 1, "total": 1},
            "StoragePool": {"ready": 1, "total": 1},
            "ComputeNode": {"ready": 63, "total": 63},
        },
        "second_pass": {"planned": 0, "device_writes": 0, "store_writes": 0},
        "faults": [
            {"name": name, "found_seconds": 1.23, "outcome": outcome, "seconds": 2.35}
            for name, outcome in PROMISED.items()
        ],
    }
    assert list(PROMISED.items()) == [
        ("volume-unassigned", "healed"),
        ("journal-path-lost", "healed"),
        ("nic-moved", "healed"),
        ("server-off", "healed"),
        ("volume-shared-off", "healed"),
        ("volume-shared-running", "held"),
    ]


def test_a_report_of_a_run_that_broke_off_is_whole_too() -> None:
    data = Report(broken=["The operator ended with 1."]).as_json()
    assert data.keys() == whole().as_json().keys()
    assert data["converged"] is False


def test_what_is_as_promised_falls_short_of_nothing() -> None:
    assert whole().shortcomings(PROMISED) == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"converged": False}, "the rack did not converge"),
        ({"objects": {CHASSIS: Count(1, 1), STORAGE_POOL: Count(1, 1), COMPUTE_NODE: Count(62, 63)}}, "62 of 63"),
        ({"objects": {}}, "0 of 0 Chassis objects are ready"),
        ({"second_pass": None}, "the second pass was not reached"),
        ({"second_pass": SecondPass(1, 0, 0)}, "1 actions were planned"),
        ({"second_pass": SecondPass(0, 2, 0)}, "2 commands written to the device"),
        ({"second_pass": SecondPass(0, 0, 3)}, "3 objects to the store"),
        ({"faults": []}, "fault server-off should be healed and was not reached"),
        (
            {"faults": [FaultResult("volume-shared-running", 1, "healed", 2)]},
            "fault volume-shared-running should be held and was healed",
        ),
        ({"broken": ["20/0 is off and should run"]}, "20/0 is off and should run"),
    ],
)
def test_every_promise_that_was_not_kept_is_said(change: dict[str, Any], sentence: str) -> None:
    report = whole()
    for name, value in change.items():
        setattr(report, name, value)
    assert any(sentence in found for found in report.shortcomings(PROMISED))


def node(name: str, **conditions: str) -> Object:
    items = [{"type": kind, "status": status, "lastTransitionTime": "t0"} for kind, status in conditions.items()]
    return Object(Ref(COMPUTE_NODE, "rack", name), {"conditions": items}, server="2/0")


def test_a_node_counts_by_its_chassis_side() -> None:
    ready = node("a", ChassisReady="True", Ready="Unknown")
    waiting = node("b", ChassisReady="False", Ready="True")
    new = Object(Ref(COMPUTE_NODE, "rack", "c"), {})
    assert count([ready, waiting, new]) == {CHASSIS: Count(0, 0), STORAGE_POOL: Count(0, 0), COMPUTE_NODE: Count(1, 3)}


def test_what_this_version_does_not_act_on_is_neither_ready_nor_counted() -> None:
    other = Object(
        Ref(STORAGE_POOL, "rack", "array"),
        {"conditions": [{"type": "Ready", "status": "False", "reason": "NotReconciled"}]},
    )
    assert other.not_reconciled
    assert not other.ready
    assert count([other])[STORAGE_POOL] == Count(0, 0)


def test_who_asks_is_told_by_the_digest_of_its_plan() -> None:
    asking = {
        "conditions": [{"type": "AwaitingApproval", "status": "True"}],
        "plan": {"digest": "sha256:1", "stages": [{"steps": [{"risk": "Safe"}]}, {"steps": [{"risk": "Destructive"}]}]},
    }
    ref = Ref(CHASSIS, "rack", "a")
    assert (Object(ref, asking).asking, Object(ref, asking).will_ask) == ("sha256:1", True)
    later = asking | {"conditions": [{"type": "AwaitingApproval", "status": "False"}]}
    assert (Object(ref, later).asking, Object(ref, later).will_ask) == (None, True)
    assert (Object(ref, {}).asking, Object(ref, {}).will_ask) == (None, False)


def test_a_drift_that_came_and_went_between_two_looks_shows_in_its_time() -> None:
    before, after = node("a", Drifted="False"), node("a", Drifted="False")
    assert before.drift_mark == after.drift_mark
    moved = {**after.status["conditions"][0], "lastTransitionTime": "t1"}
    assert Object(after.ref, {"conditions": [moved]}).drift_mark != before.drift_mark
