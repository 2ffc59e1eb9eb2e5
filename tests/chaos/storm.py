"""A storm over the golden rack: from one seed a schedule of faults and of what people do, then calm, then judgement.

The schedule is drawn before anything happens, so that it can be read; a failing seed replays it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rackwright.core.resource import COMPUTE_NODE
from rackwright_sim.faults import Fault, FaultKind, Moment
from tests.chaos.hands import FREE_VDISK, HANDS, attached
from tests.chaos.likeness import differences, likeness
from tests.chaos.racks import whole
from tests.chaos.scenes import Clean, faultless
from tests.chaos.sweep import KINDS, knobs
from tests.chaos.world import CREDENTIALS, Snapshot, World, in_a_world, world
from tests.unit.core.virtual import now

START = "as-found"
MINUTES = 15
EVENTS = 24
CALM_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class Event:
    """Something happens, `at` so many seconds; what exactly follows from `seed` and from how things are by then."""

    at: float
    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.at:8.1f} {self.name} ({self.seed})"


@dataclass(frozen=True)
class Storm:
    """A schedule. Half of them fall on a rack that is being built, the others on one that was finished."""

    seed: int
    built: bool
    events: tuple[Event, ...]

    def __str__(self) -> str:
        head = f"seed {self.seed}: on a rack {'as built' if self.built else 'as found'}"
        return "\n".join([head, *map(str, self.events)])


def schedule(seed: int) -> Storm:
    """What a seed stands for."""
    chance = random.Random(seed)
    names = [name for name, (weight, _) in HAPPENINGS.items() for _ in range(weight)]
    times = sorted(round(chance.uniform(0, 60 * MINUTES), 1) for _ in range(EVENTS))
    events = tuple(Event(at, chance.choice(names), chance.getrandbits(32)) for at in times)
    return Storm(seed, bool(seed % 2), events)


def ride(storm: Storm) -> World:
    """Raises AssertionError with schedule and story where something that must hold does not."""
    built = clean()
    try:
        return in_a_world(_ride(storm, built))
    except AssertionError as error:
        raise AssertionError(f"{storm}\nreplay: python -m tests.drills.chaos.seeds {storm.seed}\n{error}") from error


@cache
def clean() -> Clean:
    """The rack built with nothing in the way."""
    return in_a_world(_clean())


async def _clean() -> Clean:
    async with world(whole, START) as here:
        here.start()
        await here.rests()
        assert faultless(here) == [], here.story()
        return Clean(likeness(here.sim.model), tuple(here.sim.log), here.snapshot())


async def _ride(storm: Storm, built: Clean) -> World:
    begin: Snapshot | None = built.left if storm.built else None
    async with world(whole, begin.chassis if begin else START, seed=storm.seed) as here:
        if begin is not None:
            here.restore(begin)
        here.start()
        for event in storm.events:
            await asyncio.sleep(max(0.0, event.at - now()))
            here.say(event.name)
            await HAPPENINGS[event.name][1](here, random.Random(event.seed))
        await _calm(here)
        await here.rests(CALM_SECONDS)
        wrong = [*faultless(here), *differences(likeness(here.sim.model), built.likeness)]
        assert wrong == [], "\n".join([here.story(), *wrong])
        return here


async def _calm(here: World) -> None:
    """Faults stop, and people put right what is theirs to put right."""
    here.say("calm")
    here.sim.faults.replace([])
    here.hooks.clear()
    here.store.away = lambda operation: False
    _credentials(here, CREDENTIALS["password"])
    here.store.change(here.chassis.ref, lambda spec: spec["policy"].update(maxDisrupted=1))
    here.store.annotate(here.chassis.ref, reconcile_at=here.wall())
    await _give_back(here)
    if not any(operator.alive for operator in here.operators):
        here.start()


async def _give_back(here: World) -> None:
    """What was carried off before the operator had seen whose it was, nobody but a person can give back."""
    nodes = here.store.list(COMPUTE_NODE)
    known = {item["volume"] for node in nodes for item in node.status.get("assignments", ())}
    for vdisk, volume in sorted(attached(here).items()):
        if vdisk.number == FREE_VDISK and str(volume) not in known:
            await here.by_hand("configure terminal", f"storage unassign {vdisk.server} {vdisk.number}")


async def _fault(here: World, chance: random.Random) -> None:
    """One to three knobs at random commands, some of them for a while."""
    for _ in range(chance.randint(1, 3)):
        _, fault = chance.choice(list(knobs(chance.choice(list(KINDS)))))
        nth, times = chance.randint(1, 4), chance.choice([1, 1, 2, 5])
        here.sim.faults.add(fault.model_copy(update={"nth": nth, "times": times}))
        here.say(f"  {fault.kind} {fault.when} at {fault.match}, number {nth}, {times} times")


async def _refused(here: World, chance: random.Random) -> None:
    """Nobody gets in for a while: the session is lost, and the next connections are closed."""
    here.sim.faults.add(Fault(kind=FaultKind.DROP))
    here.sim.faults.add(Fault(kind=FaultKind.REFUSE, times=chance.randint(1, 6)))


async def _killed(here: World, chance: random.Random) -> None:
    """The operator dies at a line to come, and another begins."""
    left, moment = chance.randint(1, 60), chance.choice(["before", "after"])

    async def reap(line: str, when: Moment) -> None:
        nonlocal left
        left -= when == moment
        if left == 0:
            here.hooks.remove(reap)
            here.say(f"  killed {moment} `{line}`")
            for operator in here.operators:
                if operator.alive:
                    operator.kill()
            loop = asyncio.get_running_loop()
            loop.call_later(chance.uniform(0, 60), lambda: _again(here))
            await asyncio.Event().wait()  # what it had sent beyond this line is lost with its session

    here.hooks.append(reap)


def _again(here: World) -> None:
    if not any(operator.alive for operator in here.operators):
        here.start()


async def _restarted(here: World, chance: random.Random) -> None:
    """In an orderly way."""
    for operator in here.operators:
        if operator.alive:
            await operator.stop()
    await asyncio.sleep(chance.uniform(0, 30))
    _again(here)


async def _store_away(here: World, chance: random.Random) -> None:
    """The API server answers nothing, or only some of what is asked, for a while."""
    until, most = now() + chance.uniform(1, 300), chance.choice([0.2, 0.5, 1.0])
    here.store.away = lambda operation: now() < until and chance.random() < most


async def _statuses_lost(here: World, chance: random.Random) -> None:
    """Of nodes that have all their volumes: of others nobody could know what they had."""
    at_home = {vdisk.server for vdisk in here.judge.homes} - {vdisk.server for vdisk in here.judge.away()}
    for node in here.store.list(COMPUTE_NODE):
        if node.spec["server"] in at_home and chance.random() < 0.3:
            here.store.lose_status(node.ref)


async def _by_hand(here: World, chance: random.Random) -> None:
    """Somebody is at the console, for a moment."""
    for _ in range(chance.randint(1, 4)):
        await HANDS[chance.choice(list(HANDS))](here, chance)


async def _approval(here: World, chance: random.Random) -> None:
    """Somebody approves what there is to approve, and not before."""
    here.approve()


async def _edit(here: World, chance: random.Random) -> None:
    """How many may be disturbed, and how often is looked."""
    most = chance.randint(1, 8)
    here.judge.allow(most)
    here.store.change(here.chassis.ref, lambda spec: spec["policy"].update(maxDisrupted=most))


async def _wrong_password(here: World, chance: random.Random) -> None:
    """For a while."""
    _credentials(here, b"wrong")
    asyncio.get_running_loop().call_later(chance.uniform(10, 200), _credentials, here, CREDENTIALS["password"])


def _credentials(here: World, password: bytes) -> None:
    for secret in here.store.secrets.values():
        secret["password"] = password


async def _paused(here: World, chance: random.Random) -> None:
    """For a while."""
    here.store.annotate(here.chassis.ref, paused="true")
    seconds = chance.uniform(5, 200)
    asyncio.get_running_loop().call_later(seconds, lambda: here.store.annotate(here.chassis.ref))


async def _clock(here: World, chance: random.Random) -> None:
    """The wall clock is set."""
    here.jump(chance.choice([-24 * 400, -1, -0.001, 1, 24 * 400]))


HAPPENINGS: Mapping[str, tuple[int, Callable[[World, random.Random], Awaitable[Any]]]] = {
    "faults": (6, _fault),
    "refused": (1, _refused),
    "killed": (3, _killed),
    "restarted": (1, _restarted),
    "store-away": (2, _store_away),
    "statuses-lost": (1, _statuses_lost),
    "by-hand": (8, _by_hand),
    "approval": (6, _approval),
    "edit": (1, _edit),
    "wrong-password": (1, _wrong_password),
    "paused": (1, _paused),
    "clock": (1, _clock),
}
