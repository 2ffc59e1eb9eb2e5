"""Whom the demo's person asks before each consent: those who ask for what was not approved yet, until nobody will."""

from typing import Any

from rackwright.cli.demo.build import _asking
from rackwright.cli.demo.report import Object
from rackwright.core.resource import CHASSIS, STORAGE_POOL, Ref

ONE, OTHER = Ref(CHASSIS, "rack", "a"), Ref(STORAGE_POOL, "rack", "b")


def item(ref: Ref, digest: str | None = None, risk: str = "Safe", *, new: bool = False) -> Object:
    asks = {"type": "AwaitingApproval", "status": str(digest is not None)}
    plan: dict[str, Any] = {"digest": digest or "sha256:own", "stages": [{"steps": [{"risk": risk}]}]}
    return Object(ref, {} if new else {"conditions": [asks, {"type": "Ready", "status": "False"}], "plan": plan})


def digests(approved: set[str], *items: Object) -> dict[Ref, str] | None:
    found = _asking({one.ref: one for one in items}, approved)
    return None if found is None else dict(found.digests)


def test_all_that_ask_at_a_time_are_asked_about() -> None:
    assert digests(set(), item(ONE, "sha256:1"), item(OTHER, "sha256:2")) == {ONE: "sha256:1", OTHER: "sha256:2"}
    assert digests({"sha256:1"}, item(ONE, "sha256:1"), item(OTHER, "sha256:2")) == {OTHER: "sha256:2"}


def test_while_something_is_still_to_be_asked_nobody_says_that_all_was() -> None:
    assert digests({"sha256:1"}, item(ONE, "sha256:1", "Destructive"), item(OTHER)) is None
    assert digests(set(), item(ONE), item(OTHER, risk="Destructive")) is None
    assert digests(set(), item(ONE), item(OTHER, new=True)) is None


def test_where_no_plan_has_anything_left_that_could_destroy_all_was_asked() -> None:
    assert digests({"sha256:1"}, item(ONE), item(OTHER)) == {}
