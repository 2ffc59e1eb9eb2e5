"""The live view: readable in 80 columns and without colour, and every state of a server has its letter."""

import io

import pytest
from rich.console import Console

from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.journal import Sent
from rackwright.cli.demo.live import SHOWN_SECONDS, Drift
from rackwright.cli.demo.report import Object
from rackwright.cli.demo.tell import STEP, Line
from rackwright.cli.demo.view import DRIFTED, OFF, PROTECTED, RUNNING, Frame
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from tests.unit.demo.finished import FOUND, chassis, finished, wanted


def thing(kind: str, name: str, ready: str, reason: str, summary: str = "") -> Object:
    items = [
        {"type": "Ready", "status": ready, "reason": reason},
        {"type": "ChassisReady", "status": ready, "reason": reason},
    ]
    return Object(Ref(kind, "rack", name), {"conditions": items, "summary": summary})


def frame(*, done: bool, drifted: frozenset[str] = frozenset(), lines: int = 3) -> Frame:
    ready = "True" if done else "False"
    return Frame(
        seconds=125.0,
        asked=wanted(),
        picture=Picture.of(chassis(finished()) if done else FOUND),
        objects=[
            thing(CHASSIS, "sm15k-01", ready, "InSync" if done else "AwaitingApproval", "5/5"),
            thing(STORAGE_POOL, "root", ready, "InSync" if done else "Waiting", "141/141"),
            *(thing(COMPUTE_NODE, f"compute-{card}", ready, "InSync") for card in range(63)),
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


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 50), (132, 43)])
@pytest.mark.parametrize("done", [False, True])
def test_a_frame_fills_the_terminal_and_no_more(width: int, height: int, done: bool) -> None:
    for lines in (0, 3, 300):
        text = rendered(frame(done=done, lines=lines), width, height)
        assert len(text) == height
        assert max(map(len, text)) <= width


def test_every_server_has_the_letter_of_its_state() -> None:
    marks = frame(done=True, drifted=frozenset({"63/0", "32/0"})).marks()
    assert marks["63/0"] == DRIFTED
    assert marks["32/0"] == PROTECTED
    assert [server for server, mark in marks.items() if mark != RUNNING] == ["32/0", "63/0"]
    assert set(frame(done=False).marks().values()) == {OFF, PROTECTED}


def test_grid_objects_and_pools_are_there_without_colour() -> None:
    text = rendered(frame(done=True, drifted=frozenset({"9/0"})))
    assert any(line.startswith("  8+ o ! o o o o o o") for line in text)
    assert any(line.startswith(" 32+ P o o") for line in text)
    whole = "\n".join(text)
    assert "Chassis/sm15k-01  InSync" in whole
    assert "ChassisReady 63/63" in whole
    assert "504/504" in whole
    assert "rootpool-1 JBOD2/6  ###################### 11/11" in whole
    assert "power-on server 2/0" in whole
    assert "2:05" in whole
    assert "rootpool-6 JBOD2/11 not made yet" in "\n".join(rendered(frame(done=False)))


def test_the_newest_lines_of_the_story_are_shown_whole() -> None:
    text = rendered(frame(done=True, lines=50))
    begin = next(n for n, line in enumerate(text) if line.startswith("what happens"))
    last = [n for n, line in enumerate(text) if "line 49:" in line]
    assert len(last) == 1
    assert last[0] > begin
    assert text[last[0] + 1].startswith("        and a word")


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
