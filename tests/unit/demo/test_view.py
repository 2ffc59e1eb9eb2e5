"""The live view: readable in 80 columns and without colour, and every state of a server has its letter."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from rackwright.cli.demo.board import COMPUTE, DRIFTED, FILLED, HELD, OFF, PROTECTED
from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.journal import Sent
from rackwright.cli.demo.live import SHOWN_SECONDS, Drift, fits
from rackwright.cli.demo.report import FaultResult, Object
from rackwright.cli.demo.tell import STEP, Line
from rackwright.cli.demo.view import Frame
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, CONTROLLER_CLUSTER, STORAGE_POOL, Ref
from tests.unit.demo.finished import FOUND, ROLES, chassis, finished, on, wanted

PLAN = {
    "digest": "sha256:0cbb937d3d998875842d7b9db8d809da",
    "stages": [
        {
            "stepCount": 375,
            "steps": [
                {"action": "SetManagementMode", "target": "slot 2", "risk": "Destructive", "held": "why"},
                {"action": "SetManagementMode", "target": "slot 5", "risk": "Destructive", "held": "why"},
                {"action": "SetPort", "target": "12/0 nic 1", "risk": "Safe"},
            ],
        },
        {"stepCount": 1, "steps": [{"action": "ClearMetadata", "target": "disks", "risk": "Destructive"}]},
        {"stepCount": 60, "steps": [{"action": "CreatePool", "target": "pool", "risk": "Safe"}] * 50},
    ],
}


def thing(kind: str, name: str, ready: str, reason: str, summary: str = "", server: str | None = None) -> Object:
    items = [
        {"type": "Ready", "status": ready, "reason": reason},
        {"type": "ChassisReady", "status": ready, "reason": reason},
        {"type": "AwaitingApproval", "status": str(reason == "AwaitingApproval"), "reason": "any"},
    ]
    status: dict[str, Any] = {"conditions": items, "summary": summary}
    return Object(Ref(kind, "rack", name), status | ({"plan": PLAN} if reason == "AwaitingApproval" else {}), server)


def frame(*, done: bool, drifted: frozenset[str] = frozenset(), lines: int = 3) -> Frame:
    ready = "True" if done else "False"
    reason = "InSync" if done else "Waiting"
    return Frame(
        seconds=125.0,
        asked=wanted(),
        picture=Picture.of(chassis(finished()) if done else FOUND),
        objects=[
            thing(CHASSIS, "sm15k-01", ready, "InSync" if done else "AwaitingApproval", "7/7"),
            thing(CONTROLLER_CLUSTER, "control", "False", "NotReconciled"),
            thing(STORAGE_POOL, "array", "False", "NotReconciled"),
            thing(STORAGE_POOL, "capacity", ready, reason, "216/216"),
            thing(STORAGE_POOL, "journal", ready, reason, "16/16"),
            thing(STORAGE_POOL, "root", ready, reason, "141/141"),
            *(thing(COMPUTE_NODE, f"compute-{card}", ready, reason, server=f"{card}/0") for card in range(63)),
        ],
        drifted=drifted,
        lines=[Line(float(n), f"line {n}: " + "a word and " * 12, STEP) for n in range(lines)],
        journal=[Sent("10:00:00", "power-on server 2/0 no-confirm", "ComputeNode/compute-2: " + "why " * 40)],
    )


def rendered(shown: Frame, width: int = 80, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(shown)
    return capture.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 50), (132, 43), (200, 60)])
@pytest.mark.parametrize("done", [False, True])
def test_a_frame_fills_the_terminal_and_no_more(width: int, height: int, done: bool) -> None:
    for lines in (0, 3, 300):
        text = rendered(frame(done=done, lines=lines), width, height)
        assert len(text) == height
        assert max(map(len, text)) <= width


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_nothing_is_lost(environment: dict[str, str]) -> None:
    plain = rendered(frame(done=True, drifted=frozenset({"9/0"})))
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, _environ=environment, legacy_windows=False)
    console.print(frame(done=True, drifted=frozenset({"9/0"})))
    for colour in ("[31", "[32", "[33", "[34", "[36"):
        assert colour not in out.getvalue()
    shown = "".join(part.partition("m")[2] if part.startswith("[") else part for part in out.getvalue().split("\x1b"))
    assert shown.splitlines() == plain


def test_every_server_has_the_letter_of_its_state() -> None:
    marks = frame(done=True, drifted=frozenset({"63/0", "32/0"})).board.marks()
    assert marks["63/0"] == DRIFTED
    assert marks["32/0"] == PROTECTED
    assert {server: marks[server] for server in ROLES} == dict(zip(ROLES, "CCCSSS", strict=True))
    assert {server for server, mark in marks.items() if mark != COMPUTE} == {"32/0", "63/0", *ROLES}
    assert set(frame(done=False).board.marks().values()) == {OFF, PROTECTED}


def test_a_server_with_its_volumes_that_is_still_off_has_a_mark_and_one_that_is_held_too() -> None:
    state = finished()
    state["cards"]["running"].remove("20/0")
    held = thing(COMPUTE_NODE, "compute-21", "False", "AwaitingApproval", server="21/0")
    shown = replace(frame(done=True), picture=Picture.of(chassis(state)), objects=[held], drifted=frozenset({"21/0"}))
    marks = shown.board.marks()
    assert (marks["20/0"], marks["21/0"], marks["22/0"]) == (FILLED, HELD, COMPUTE)


def test_grid_objects_and_pools_are_there_without_colour() -> None:
    text = rendered(frame(done=True, drifted=frozenset({"9/0"})))
    assert any(line.startswith("  0+ C C o o o o o o  o ! o C S o o o  ") for line in text)
    assert any(line.startswith(" 32+ P o S o o o o o  ") for line in text)
    whole = "\n".join(text)
    assert "chs/sm15k-01   InSync                7/7" in whole
    assert "rcc/control    NotReconciled" in whole
    assert f"{'63 nodes':<15}{'ChassisReady':<17}{'63/63':>8}" in whole
    assert "NICs, uplinks  ################# 506/506" in whole
    assert "rootpool-1 JBOD2/6  ########### 11/11" in whole
    assert "rootpool-6 JBOD2/11 ##########- 10/11" in whole
    assert "jbodvol    54 vols  ########### 54/54" in whole
    assert "Journal    3 vols   ########### 12/12" in whole
    assert ". off  + disks  o compute  C controller  S storage  P protected  ! drift  ? held" in text
    assert "power-on server 2/0" in whole
    assert "63 of 63 nodes as declared, 2:05" in whole
    assert "Nothing is planned." in whole
    assert "rootpool-6 JBOD2/11 ----------- 0/11" in "\n".join(rendered(frame(done=False)))


def test_a_volume_that_two_servers_have_is_in_use_once() -> None:
    state = finished()
    state["attachments"].append({"server": "9/0", "vdisk": 5, "volume": on(state, "10/0")["volume"]})
    shown = replace(frame(done=True), picture=Picture.of(chassis(state)))
    assert [line[32:38].strip() for line in rendered(shown)[6:12]] == ["11/11"] * 3 + ["10/11"] * 3


def test_what_is_held_its_digest_and_what_comes_after_it_are_shown_whole_in_80_columns() -> None:
    text = "\n".join(rendered(frame(done=False)))
    assert "!   2 SetManagementMode Destructive held\n" in text
    assert "? chs/sm15k-01 asks: 0cbb937d3d99" in text
    assert "+ 373 SetPort           Safe" in text
    assert "then 1 ClearMetadata, 11 CreatePool" in text


def test_in_a_wide_terminal_every_card_shows_its_number() -> None:
    text = rendered(frame(done=True), 132, 43)
    assert any(line.startswith(" 0C  1C  2o ") and " 11C 12S 13o " in line for line in text)
    assert any(line.startswith("32P 33o 34S ") for line in text)


def test_faults_are_counted_as_they_end() -> None:
    assert "6 faults to come" in "\n".join(rendered(frame(done=True)))
    ended = [FaultResult("nic-moved", 1.0, "healed", 2.0), FaultResult("volume-shared-running", 1.0, "held", 9.61)]
    text = "\n".join(rendered(replace(frame(done=True), faults=ended)))
    assert "1 of 6 faults healed, 1 held; volume-shared-running held in 9.6 s" in text


def test_the_newest_lines_of_the_story_are_shown_whole() -> None:
    text = rendered(frame(done=True, lines=50))
    begin = next(n for n, line in enumerate(text) if line.startswith("what happens"))
    last = [n for n, line in enumerate(text) if "line 49:" in line]
    assert len(last) == 1
    assert last[0] > begin
    assert text[last[0] + 1].startswith("        and a word")


@pytest.mark.parametrize(
    ("terminal", "width", "height", "term", "shown"),
    [
        (True, 80, 24, "xterm", True),
        (True, 79, 24, "xterm", False),
        (True, 80, 23, "xterm", False),
        (True, 80, 24, "dumb", False),
        (False, 80, 24, "xterm", False),
    ],
)
def test_it_is_shown_only_where_a_terminal_can_show_it(
    terminal: bool, width: int, height: int, term: str, shown: bool
) -> None:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=terminal, _environ={"TERM": term})
    assert fits(console) is shown


def node(ready: bool, mark: str) -> Object:
    items = [
        {"type": "ChassisReady", "status": str(ready)},
        {"type": "Drifted", "status": str(not ready), "lastTransitionTime": mark},
    ]
    return Object(Ref(COMPUTE_NODE, "rack", "a"), {"conditions": items}, server="2/0")


def test_a_node_that_is_still_being_built_is_not_drifted() -> None:
    drift = Drift()
    for now, item in enumerate([node(False, "t0"), node(False, "t0"), node(True, "t1")]):
        assert drift.look({item.ref: item}, float(now)) == frozenset()


def test_a_drift_is_shown_while_it_lasts_and_a_moment_longer() -> None:
    drift = Drift()
    looks = [(0.0, True, "t0"), (1.0, False, "t1"), (30.0, False, "t1"), (31.0, True, "t2")]
    shown = [drift.look({node(ready, mark).ref: node(ready, mark)}, now) for now, ready, mark in looks]
    assert shown == [frozenset(), {"2/0"}, {"2/0"}, {"2/0"}]
    assert drift.look({node(True, "t2").ref: node(True, "t2")}, 31.0 + SHOWN_SECONDS) == frozenset()


def test_a_drift_that_came_and_went_between_two_frames_is_shown() -> None:
    drift = Drift()
    before, after = node(True, "t0"), node(True, "t1")
    drift.look({before.ref: before}, 0.0)
    assert drift.look({after.ref: after}, 0.5) == {"2/0"}
