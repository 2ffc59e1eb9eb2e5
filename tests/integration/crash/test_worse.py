"""Crashes that are worse than one: again and again, with the old session still at work, on a slow chassis, in the journal."""

import asyncio
import random
import time
from pathlib import Path

import orjson
import pytest

from rackwright_sim.faults import Moment
from tests.crash.operator_process import KILLED
from tests.crash.proof import Witness, unmet
from tests.crash.rack import DONE, FAILED, Rack, Template
from tests.crash.trial import converges, life, life_until

LOOK = 8  # lines of one observation
LEAST_LIVES = 4
SETTLE_SECONDS = 0.03


@pytest.mark.parametrize("seed", range(4))
async def test_killed_in_every_life(rack: Rack, seed: int) -> None:
    """Again and again, each time within three looks, until one is done before its time has come."""
    chance, witness = random.Random(seed), Witness(rack.server.model)
    moments: tuple[Moment, ...] = ("before", "after")
    lives = [await life(rack, 1, "before")]
    while lives[-1] == KILLED:
        lives.append(await life(rack, chance.randint(1, 3 * LOOK), chance.choice(moments)))
    assert len(lives) > LEAST_LIVES
    await converges(rack, witness, consents=1)


class Clock:
    """The simulator's clock, which can be stopped: then nothing settles however slow this machine is."""

    def __init__(self) -> None:
        self._stopped: float | None = None

    def __call__(self) -> float:
        return time.monotonic() if self._stopped is None else self._stopped

    def stop(self) -> None:
        """Until `start`."""
        self._stopped = time.monotonic()

    def start(self) -> None:
        """What has passed meanwhile passes at once."""
        self._stopped = None


@pytest.mark.parametrize("line", ["storage assign 2/0", "power-on server 2/0"])
async def test_a_chassis_that_shows_changes_late(approved: Template, tmp_path: Path, line: str) -> None:
    """The first look of the next life does not show what was done: nothing may be done on the strength of it."""
    clock = Clock()
    async with approved.rack(tmp_path / "rack", SETTLE_SECONDS, clock) as rack:
        witness = Witness(rack.server.model)
        await life_until(rack, line, "after", at_death=clock.stop)
        lines = 0

        async def settle(line: str, moment: Moment) -> None:
            nonlocal lines
            lines += moment == "after"
            if lines == LOOK:
                clock.start()

        rack.server.faults.watcher = settle
        await converges(rack, witness, consents=1)


@pytest.mark.parametrize("line", ["storage create pool", "storage assign", "power-on"])
async def test_what_the_dead_had_sent_happens_after_all(rack: Rack, line: str) -> None:
    """The next life has looked already, and acts on what it saw: the chassis refuses, or it comes to the same."""
    witness, haunt = Witness(rack.server.model), asyncio.Event()
    await life_until(rack, line, "before", haunt=haunt)

    async def release(line: str, moment: Moment) -> None:
        if not line.startswith("show ") and not haunt.is_set():
            haunt.set()
            await asyncio.sleep(0)  # the old session is served until it has nothing left
            await asyncio.sleep(0)

    rack.server.faults.watcher = release
    assert await rack.apply() == DONE, rack.output
    assert haunt.is_set()
    assert unmet(rack.server.model) == []
    assert witness.offences == []


async def test_a_journal_that_ends_in_the_middle_of_a_line(rack: Rack) -> None:
    """A kernel may cut a write short where it crosses a page: nothing that comes after is lost by it."""
    await life_until(rack, "power-on", "before")
    path = rack.state / "journal.jsonl"
    torn = path.read_bytes()[:-20]
    path.write_bytes(torn)
    assert await rack.apply() == DONE, rack.output
    *whole, fragment = torn.splitlines()
    lines = path.read_bytes().splitlines()
    assert lines[: len(whole)] == whole
    assert lines[len(whole)] == fragment
    rest = [orjson.loads(line) for line in lines[len(whole) + 1 :]]
    assert [entry["command"] for entry in rest if entry["journal"] == "apply"] == [
        f"power-on server {server} no-confirm" for server in ("0/0", "1/0", "2/0")
    ]


async def test_a_second_operator_on_the_same_folder_is_refused(rack: Rack) -> None:
    """While the first runs: one sentence, nothing sent, nothing written, and the first goes on undisturbed."""
    seen, go_on = asyncio.Event(), asyncio.Event()

    async def hold(line: str, moment: Moment) -> None:
        seen.set()
        await go_on.wait()

    rack.server.faults.watcher = hold
    first = rack.operator("apply")
    await seen.wait()
    before = rack.records()
    second = rack.operator("apply")
    assert await second.ended() == FAILED
    assert rack.server.counters.connections == 1
    assert rack.records() == before
    assert rack.output.splitlines() == [
        f"rackwright: {rack.state} is in use by another rackwright, which keeps this rack already. Stop that one first."
    ]
    go_on.set()
    assert await first.ended() == DONE, rack.output
    assert unmet(rack.server.model) == []
