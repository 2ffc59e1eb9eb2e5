"""What is said of an object, in every situation: one table from a view to its conditions, and times that stand still."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rackwright.api.kinds import KINDS
from rackwright.api.status import COMMANDS_SHOWN, DRIFT_SHOWN, STAGES_SHOWN, STEPS_SHOWN, TEXT_LENGTH, UNDECLARED_SHOWN
from rackwright.core.conditions import MESSAGE_LIMIT, Condition, stamped
from rackwright.core.report import View, judge, status_of, undeclared
from rackwright.core.resource import CHASSIS, STORAGE_POOL, Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Difference, Held, HoldReason, Part, PartKind, Problem, Step
from rackwright_drivers.contract.errors import (
    ConflictError,
    CredentialsRefusedError,
    PermanentError,
    TransientError,
    UnsafeError,
)
from rackwright_drivers.contract.network import CreateVlan

POOL = Ref(STORAGE_POOL, "rack", "root")
OTHER = Ref(CHASSIS, "rack", "sm")
VLAN = Part(PartKind.VLAN, 100)
WRONG = (Difference(VLAN, "exists", "no VLAN"),)
STEP = Step(CreateVlan(100), (POOL,), "VLAN 100", "missing", Risk.SAFE, frozenset({VLAN}))
DIGEST = f"sha256:{'a' * 64}"


def held(reason: HoldReason) -> View:
    return View(differences=WRONG, parts=3, stages=((STEP,),), held=(Held(STEP, reason, f"{reason}."),))


def problem(reason: str, waits_for: Ref | None = None) -> Problem:
    return Problem(POOL, reason, f"{reason} it is.", waits_for)


BUSY = View(differences=WRONG, parts=3, stages=((STEP,),), allowed=(STEP,))
ASKING = replace(held(HoldReason.APPROVAL_REQUIRED), digest=DIGEST)
WAITING = View(differences=WRONG, parts=3, stages=((STEP,),), waiting=(STEP,), waits_for=OTHER)

#        situation, Ready, its reason, Reconciling, Stalled, Drifted, AwaitingApproval
TABLE: list[tuple[str, View, str, str, str, str, str, str]] = [
    ("in sync", View(parts=3), "True", "InSync", "False", "False", "False", "False"),
    ("nothing declared", View(), "True", "InSync", "False", "False", "False", "False"),
    ("at work", BUSY, "False", "Applying", "True", "False", "True", "False"),
    ("asks", ASKING, "False", "AwaitingApproval", "True", "False", "True", "True"),
    ("asks, and works", replace(ASKING, allowed=(STEP,)), "False", "AwaitingApproval", "True", "False", "True", "True"),
    ("waits", WAITING, "False", "Waiting", "True", "False", "True", "False"),
    ("over the budget", held(HoldReason.BUDGET), "False", "Applying", "True", "False", "True", "False"),
    ("observed only", held(HoldReason.OBSERVE_ONLY), "False", "ObserveOnly", "False", "False", "True", "False"),
    ("planned only", held(HoldReason.PLAN_ONLY), "False", "PlanOnly", "False", "False", "True", "False"),
    ("paused", held(HoldReason.PAUSED), "False", "Paused", "False", "False", "True", "False"),
    ("protected", held(HoldReason.PROTECTED), "False", "Protected", "False", "True", "True", "False"),
    ("never", held(HoldReason.DESTRUCTIVE_NEVER), "False", "DestructiveNever", "False", "True", "True", "False"),
    ("none", held(HoldReason.DISRUPTIVE_NEVER), "False", "DisruptiveNever", "False", "True", "True", "False"),
    ("unsupported", held(HoldReason.UNSUPPORTED), "False", "Unsupported", "False", "True", "True", "False"),
    ("drifted for good", View(differences=WRONG, parts=3), "False", "Drifted", "False", "True", "True", "False"),
    (
        "a problem",
        View(parts=3, problems=(problem("NoCapacity"),)),
        *("False", "NoCapacity", "False", "True", "False", "False"),
    ),
    (
        "a problem, nothing planned",
        View(problems=(problem("InvalidSpec"),)),
        *("False", "InvalidSpec", "False", "True", "Unknown", "False"),
    ),
    (
        "a problem beside work",
        replace(BUSY, problems=(problem("NoCapacity"),)),
        *("False", "NoCapacity", "False", "True", "True", "False"),
    ),
    (
        "cannot be read",
        View(problems=(problem("Unknown"),)),
        *("Unknown", "Unknown", "False", "False", "Unknown", "False"),
    ),
    (
        "cannot be read in part",
        View(parts=2, problems=(problem("Unknown"),)),
        *("Unknown", "Unknown", "False", "False", "Unknown", "False"),
    ),
    (
        "cannot be read in part, drifted elsewhere",
        View(differences=WRONG, parts=2, problems=(problem("Unknown"),)),
        *("Unknown", "Unknown", "False", "False", "True", "False"),
    ),
    (
        "cannot be read, and wrong besides",
        View(parts=2, problems=(problem("Unknown"), problem("Conflict"))),
        *("False", "Conflict", "False", "True", "Unknown", "False"),
    ),
    (
        "away",
        View(error=TransientError("no route")),
        *("False", "DeviceUnavailable", "True", "False", "Unknown", "False"),
    ),
    (
        "away in the middle",
        replace(BUSY, error=TransientError("no answer")),
        *("False", "DeviceUnavailable", "True", "False", "True", "False"),
    ),
    (
        "refused",
        View(error=CredentialsRefusedError("admin")),
        *("False", "CredentialsRefused", "False", "True", "Unknown", "False"),
    ),
    ("broken", View(error=PermanentError("% no")), "False", "DeviceError", "False", "True", "Unknown", "False"),
    ("somebody else's", View(error=ConflictError("it")), "False", "Conflict", "True", "False", "Unknown", "False"),
    ("unsafe", View(error=UnsafeError("it")), "False", "Unsafe", "False", "True", "Unknown", "False"),
]


def resource(status: Mapping[str, Any] | None = None, generation: int = 3) -> Resource:
    return Resource(POOL, "uid", generation, "2026-01-01T00:00:00Z", {}, status or {})


def status(view: View, before: Mapping[str, Any] | None = None, now: str = "2026-02-01T00:00:00Z") -> dict[str, Any]:
    return status_of(resource(before), view, judge(view), (), now)


def conditions(found: Mapping[str, Any]) -> dict[str, str]:
    return {item["type"]: item["status"] for item in found["conditions"]}


@pytest.mark.parametrize(
    ("view", "expected"), [pytest.param(row[1], row[2:], id=row[0].replace(" ", "-")) for row in TABLE]
)
def test_conditions(view: View, expected: tuple[str, ...]) -> None:
    found = status(view)
    told = conditions(found)
    reason = next(item["reason"] for item in found["conditions"] if item["type"] == "Ready")
    names = ("Reconciling", "Stalled", "Drifted", "AwaitingApproval")
    assert (told["Ready"], reason, *(told[name] for name in names)) == expected
    assert not (told["Reconciling"] == told["Stalled"] == "True"), "kstatus: under way or given up, never both"
    assert {item["observedGeneration"] for item in found["conditions"]} == {3}
    KINDS[STORAGE_POOL].status.model_validate(found)


@pytest.mark.parametrize("view", [pytest.param(row[1], id=row[0].replace(" ", "-")) for row in TABLE])
def test_the_same_again_changes_nothing(view: View) -> None:
    first = status(view)
    assert status(view, first, "2026-02-01T09:00:00Z") == first


def test_times_move_only_with_what_they_are_about() -> None:
    first = status(BUSY, now="2026-02-01T00:00:00Z")
    second = status(View(parts=3), first, "2026-02-01T01:00:00Z")
    third = status(View(error=TransientError("no route")), second, "2026-02-01T02:00:00Z")
    moved = {
        item["type"]: item["lastTransitionTime"][11:13]
        for item in third["conditions"]
        if item["type"] in ("Ready", "Reconciling", "Stalled", "Drifted")
    }
    assert moved == {"Ready": "02", "Reconciling": "02", "Stalled": "00", "Drifted": "02"}
    other_reason = stamped([Condition("Ready", "False", "B", "new")], first["conditions"], 4, "2026-02-01T05:00:00Z")
    assert other_reason[0]["lastTransitionTime"] == "2026-02-01T00:00:00Z"
    assert (other_reason[0]["reason"], other_reason[0]["observedGeneration"]) == ("B", 4)


def test_drift_keeps_since_when_it_is_known() -> None:
    more = Difference(Part(PartKind.VLAN, 200), "exists", "no VLAN")
    first = status(View(differences=WRONG, parts=2))
    second = status(View(differences=(*WRONG, more), parts=2), first, "2026-02-01T01:00:00Z")
    assert [item["since"][11:13] for item in second["drift"]] == ["00", "01"]


UNTOLD = [
    View(error=TransientError("no route")),
    View(problems=(problem("Unknown"),)),
    View(parts=1, problems=(problem("Unknown"),)),
]


@pytest.mark.parametrize("view", UNTOLD)
def test_what_was_last_known_stands_while_nothing_can_be_told(view: View) -> None:
    first = status(View(differences=WRONG, parts=3))
    later = status(view, first, "2026-02-01T01:00:00Z")
    assert {key: later[key] for key in ("summary", "driftCount", "drift")} == {
        key: first[key] for key in ("summary", "driftCount", "drift")
    }
    assert "summary" not in status(view), "and where nothing was ever known, nothing is made up"


def test_blocked_on_says_for_whom_and_since_when_and_goes_again() -> None:
    first = status(WAITING)
    assert first["blockedOn"] == {"kind": CHASSIS, "name": "sm", "reason": "Waiting", "since": "2026-02-01T00:00:00Z"}
    again = status(WAITING, first, "2026-02-01T01:00:00Z")
    assert again["blockedOn"] == first["blockedOn"]
    lost = status(View(problems=(problem("Conflict", OTHER),)), again, "2026-02-01T02:00:00Z")
    assert lost["blockedOn"] == {"kind": CHASSIS, "name": "sm", "reason": "Conflict", "since": "2026-02-01T02:00:00Z"}
    assert "blockedOn" not in status(View(parts=3), lost)


def test_a_plan_is_published_only_where_there_is_one_and_not_for_who_only_observes() -> None:
    assert "plan" not in status(View(parts=3), status(BUSY))
    assert "plan" not in status(replace(BUSY, planning=False))
    plan = status(ASKING)["plan"]
    assert plan["digest"] == DIGEST, "what has to be approved"
    assert plan["stages"][0]["steps"] == [
        {"action": "CreateVlan", "target": "VLAN 100", "risk": "Safe", "held": "ApprovalRequired."}
    ]


def test_all_lists_and_texts_are_bounded() -> None:
    long = "x" * 5000
    steps = tuple(replace(STEP, action=CreateVlan(n), target=long) for n in range(STEPS_SHOWN + 5))
    view = View(
        differences=tuple(Difference(Part(PartKind.DISK, f"{n}{long}"), long, long) for n in range(DRIFT_SHOWN + 5)),
        parts=2000,
        stages=tuple(steps for _ in range(STAGES_SHOWN + 3)),
        held=tuple(Held(item, HoldReason.BUDGET, "held") for item in steps),
        problems=(Problem(POOL, "NoCapacity", long),),
        commands={item: tuple([long] * (COMMANDS_SHOWN + 3)) for item in steps},
    )
    found = status(view)
    KINDS[STORAGE_POOL].status.model_validate(found)
    assert (len(found["drift"]), found["driftCount"]) == (DRIFT_SHOWN, DRIFT_SHOWN + 5)
    assert (len(found["plan"]["stages"]), found["plan"]["stageCount"]) == (STAGES_SHOWN, STAGES_SHOWN + 3)
    stage = found["plan"]["stages"][0]
    assert (len(stage["steps"]), stage["stepCount"]) == (STEPS_SHOWN, STEPS_SHOWN + 5)
    assert len(stage["steps"][0]["commands"]) == COMMANDS_SHOWN
    assert max(len(item["message"]) for item in found["conditions"]) == MESSAGE_LIMIT
    assert len(found["drift"][0]["path"]) == TEXT_LENGTH
    assert status(view, found, "2026-03-01T00:00:00Z") == found, "also what was cut is known again"
    many = undeclared([long] * 100)
    assert (many["count"], len(many["items"]), len(many["items"][0])) == (100, UNDECLARED_SHOWN, TEXT_LENGTH)
    KINDS[CHASSIS].status.model_validate({"undeclared": many})
