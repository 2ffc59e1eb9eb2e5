"""What the live view says of the plans in all statuses: each step once, in the order of a build, what is held first."""

from typing import Any

from rackwright.cli.demo.report import Object
from rackwright.cli.demo.work import Kind, Work
from rackwright.core.resource import COMPUTE_NODE, STORAGE_POOL, Ref


def step(action: str, target: str, risk: str = "Safe", *, held: bool = False) -> dict[str, Any]:
    return {"action": action, "target": target, "risk": risk} | ({"held": "why"} if held else {})


def planned(kind: str, name: str, reason: str, *stages: list[dict[str, Any]], more: int = 0) -> Object:
    """`more` steps of each stage are counted and not shown."""
    conditions = [{"type": "Ready", "status": "False", "reason": reason}]
    if reason == "AwaitingApproval":
        conditions.append({"type": "AwaitingApproval", "status": "True", "reason": "ApprovalRequired"})
    shown = [{"steps": stage, "stepCount": len(stage) + more} for stage in stages]
    status = {"conditions": conditions, "plan": {"digest": f"sha256:{name * 20}", "stages": shown}}
    return Object(Ref(kind, "rack", name), status, "2/0" if kind == COMPUTE_NODE else None)


def said(*objects: Object) -> list[str]:
    return [line.plain for line in Work.of(objects).lines()]


def test_a_step_that_a_pool_and_a_node_share_counts_once() -> None:
    attach = step("Attach", "2/0 vdisk 0")
    work = Work.of(
        [planned(STORAGE_POOL, "p", "Applying", [attach], more=62), planned(COMPUTE_NODE, "n", "Applying", [attach])]
    )
    assert work.now == {Kind(False, "Safe", "Attach"): 1}, (
        "nodes show each its own, so what a pool does not show is theirs"
    )


def test_what_a_status_counts_and_does_not_show_counts_where_no_node_shows_it() -> None:
    assert Work.of([planned(STORAGE_POOL, "p", "Applying", [step("CreatePool", "a")], more=53)]).now == {
        Kind(False, "Safe", "CreatePool"): 54
    }


def test_the_first_stage_of_what_waits_comes_later() -> None:
    waiting = planned(COMPUTE_NODE, "n", "Waiting", [step("Attach", "2/0 vdisk 0")], [step("SetPower", "2/0")])
    assert said(waiting) == ["then 1 Attach, 1 SetPower"]


def test_what_is_held_and_who_asks_come_first_and_later_steps_in_the_order_of_a_build() -> None:
    root = planned(
        STORAGE_POOL,
        "p",
        "AwaitingApproval",
        [step("CreateVolumes", "x"), step("ClearMetadata", "d", "Destructive", held=True)],
        [step("Attach", "2/0 vdisk 0")],
    )
    capacity = planned(STORAGE_POOL, "q", "Waiting", [step("CreatePool", "z")])
    assert said(root, capacity) == [
        "!   1 ClearMetadata     Destructive held",
        "? spool/p asks: pppppppppppp",
        "+   1 CreateVolumes     Safe",
        "then 1 CreatePool, 1 Attach",
    ]


def test_of_a_rack_at_rest_it_says_so() -> None:
    assert said(Object(Ref(STORAGE_POOL, "rack", "p"), {})) == ["Nothing is planned."]
