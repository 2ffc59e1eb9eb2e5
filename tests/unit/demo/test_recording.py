"""The recording: which moments of a run it has, and one SVG of them that needs nothing from elsewhere."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.recording import SHOWN_SECONDS, moments, picture
from rackwright.cli.demo.view import Frame
from rackwright.core.resource import COMPUTE_NODE, STORAGE_POOL
from tests.unit.demo.finished import chassis, finished
from tests.unit.demo.test_view import frame, thing

BYTES = 200_000


def at(seconds: float, shown: Frame) -> Frame:
    return replace(shown, seconds=seconds)


def half_built(running: int) -> Frame:
    state = finished()
    state["cards"]["running"] = [f"{card}/0" for card in range(running)]
    objects = [item for item in frame(done=False).objects if not item.asking]
    return replace(frame(done=False), picture=Picture.of(chassis(state)), objects=objects)


def run() -> list[Frame]:
    """Of each moment at least one frame, and some that are like the one before."""
    asks, rest = frame(done=False), frame(done=True)
    pool_asks = replace(half_built(0), objects=[thing(STORAGE_POOL, "root", "False", "AwaitingApproval")])
    held = thing(COMPUTE_NODE, "compute-9", "False", "AwaitingApproval", server="9/0")
    return [
        at(1, half_built(0)),
        at(2, asks),
        at(3, asks),
        at(4, pool_asks),
        at(5, half_built(3)),
        at(6, half_built(30)),
        at(7, half_built(60)),
        at(8, rest),
        at(9, replace(rest, drifted=frozenset({"9/0"}))),
        at(10, replace(rest, objects=[held])),
        at(11, rest),
        at(12, rest),
    ]


def test_of_a_run_the_moments_are_kept_that_a_person_should_have_seen() -> None:
    assert [shown.seconds for shown in moments(run())] == [3, 4, 6, 8, 9, 10, 12]


def test_of_a_run_that_broke_off_there_is_what_there_was() -> None:
    assert [shown.seconds for shown in moments(run()[:3])] == [1, 3]
    assert moments([]) == []


def test_the_picture_is_one_well_formed_file_that_loads_nothing() -> None:
    svg = picture(moments(run()))
    root = ElementTree.fromstring(svg)
    groups = [item for item in root.iter() if item.get("class", "").startswith("moment")]
    assert len(groups) == 7
    assert sum("still" in item.get("class", "") for item in groups) == 1
    assert "url(" not in svg
    assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert len(svg.encode()) < BYTES
    text = "".join(root.itertext()).replace("\xa0", " ")
    assert "? chs/sm15k-01 asks: 0cbb937d3d99" in text
    assert "63 of 63 nodes as declared" in text


def test_each_moment_has_its_turn_and_all_of_them_fill_the_cycle() -> None:
    svg = picture(moments(run()))
    delays = [int(number) for number in re.findall(r"animation-delay: (-\d+)s", svg)]
    assert delays == [-28, -24, -20, -16, -12, -8, -4]
    assert f"animation: moment {7 * SHOWN_SECONDS}s step-end infinite" in svg


def test_the_recording_in_the_readme_is_such_a_picture() -> None:
    root = Path(__file__).parents[3]
    svg = (root / "docs/demo.svg").read_text("utf-8")
    assert "(docs/demo.svg)" in (root / "README.md").read_text("utf-8")
    assert len(svg.encode()) < BYTES
    text = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    assert "63 of 63 nodes as declared" in text
    assert svg.count('class="moment') == 7
