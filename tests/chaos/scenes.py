"""Scenes on the rack of four cards: one builds it, one heals it after a person was at it; each can be played with faults."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rackwright_drivers.contract.storage import VDisk
from rackwright_sim.commands import Kind
from rackwright_sim.faults import Fault
from rackwright_sim.recorder import LogEntry
from tests.chaos.likeness import differences, likeness
from tests.chaos.racks import small
from tests.chaos.world import Snapshot, World, in_a_world, world
from tests.crash.proof import repeated

START = Path(__file__).parent / "manifests" / "small-start.yaml"


@dataclass(frozen=True)
class Clean:
    """What an undisturbed run of a scene came to."""

    likeness: Mapping[str, object]
    lines: tuple[LogEntry, ...]
    left: Snapshot


@asynccontextmanager
async def scene(built: Snapshot | None, *, spoilt: bool = True) -> AsyncIterator[World]:
    """How the world is when the operator begins: as found, or built and then spoilt by a person at the console."""
    async with world(small, START if built is None else built.chassis) as found:
        if built is not None:
            found.restore(built)
            if spoilt:
                await spoil(found)
        yield found


def _before(name: str) -> Snapshot | None:
    return clean("build").left if name == "heal" else None


async def spoil(here: World) -> None:
    """A bit of everything: power, cables of three kinds, and volumes on servers that run and on one that does not."""
    attached = dict(here.sim.model.storage.attachments.items())
    ours, spare = attached[VDisk("1/0", 0)], attached[VDisk("2/0", 0)]
    await here.by_hand("power-off server 1/0 force no-confirm")
    lines = [
        "storage unassign 0/0 0",
        "storage unassign 1/0 0",
        "storage unassign 2/0 0",
        f"storage assign 0/0 5 volume {ours}",
        f"storage assign 1/0 3 volume {spare}",
        "server id 0/0",
        "nic 0",
        "no untagged-vlan 100",
        "tagged-vlan 150",
        "end",
    ]
    await here.by_hand("configure terminal", *lines)
    await here.by_hand("configure terminal", "interface te 0/1", "no untagged-vlan 150", "untagged-vlan 100", "end")
    await here.by_hand("power-on server 2/0 no-confirm")


@cache
def clean(name: str) -> Clean:
    """A scene (`build` or `heal`) with no fault at all."""
    return in_a_world(_clean(_before(name)))


async def _clean(built: Snapshot | None) -> Clean:
    async with scene(built) as here:
        here.start()
        await here.rests()
        assert faultless(here) == [], here.story()
        lines = tuple(entry for entry in here.sim.log if entry.session.startswith("ssh"))
        return Clean(likeness(here.sim.model), lines, here.snapshot())


def play(name: str, faults: Sequence[Fault], prepare: Callable[[World], None] = lambda _: None) -> Sequence[LogEntry]:
    """A scene with these faults; when all is at rest again, everything that must hold is looked at. What was sent.

    `prepare` may do more harm before the operator begins.
    """

    def prepared(here: World) -> None:
        here.sim.faults.replace(faults)
        prepare(here)

    return in_a_world(_play(prepared, _before(name), clean(name).likeness))


async def _play(
    prepare: Callable[[World], None], built: Snapshot | None, wanted: Mapping[str, object]
) -> Sequence[LogEntry]:
    async with scene(built) as here:
        prepare(here)
        here.start()
        await here.rests()
        wrong = [*faultless(here), *differences(likeness(here.sim.model), wanted)]
        assert wrong == [], "\n".join([here.story(), *wrong])
        return list(here.sim.log)


def faultless(here: World) -> list[str]:
    """What went wrong on the way, in sentences."""
    log = list(here.sim.log)
    return [*here.judge.offences, *here.judge.misplaced(), *repeated(log), *unrecorded(here)]


def unrecorded(here: World) -> Iterable[str]:
    """Lines that reached the device and are in nobody's journal."""
    # Of a burst that its sender did not live to see answered the changes are known, and each action's own way to them; the
    # driver goes from one to the next by a shorter one.
    lived = all(operator.alive for operator in here.operators)
    kinds = (Kind.CONFIGURATION, Kind.NAVIGATION) if lived else (Kind.CONFIGURATION,)
    sent = Counter(entry.text for entry in here.sim.log if entry.session.startswith("ssh") and entry.kind in kinds)
    lines = [line for operator in here.operators for line in operator.journal]
    noted = Counter(str(line["command"]) for line in lines if line["journal"] != "send")
    # What was on its way when its sender was killed was written down before.
    noted |= Counter(text for line in lines if line["journal"] == "send" for text in line["command"].split("; "))
    return [f"`{text}` was sent {count} times more than the journal says" for text, count in (sent - noted).items()]


def kind_of(line: str) -> str:
    """A line without what it is about: up to the first word that holds a number."""
    words: list[str] = []
    for word in line.partition(" | ")[0].split():
        if re.search(r"\d", word):
            break
        words.append(word)
    return " ".join(words)


def on_a_standing_rack(story: Callable[[World], Awaitable[None]]) -> None:
    """A story on the rack of four cards at rest, with one operator; in the end all is at rest and as it was."""
    before = clean("build")
    in_a_world(_stand(story, before))


async def _stand(story: Callable[[World], Awaitable[None]], before: Clean) -> None:
    async with scene(before.left, spoilt=False) as here:
        here.start()
        await here.rests()
        await story(here)
        here.say("the story is over")
        await here.rests()
        wrong = [*faultless(here), *differences(likeness(here.sim.model), before.likeness)]
        assert wrong == [], "\n".join([here.story(), *wrong])


def changes(here: World) -> list[str]:
    """The lines sent so far that would change the chassis, by operators."""
    kinds = (Kind.CONFIGURATION, Kind.ANSWER)
    return [entry.text for entry in here.sim.log if entry.session.startswith("ssh") and entry.kind in kinds]
