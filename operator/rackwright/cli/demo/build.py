"""The first part of the demo: manifests, consent to what could lose data, convergence, and the proof of rest."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass

from rackwright.cli.demo.asked import by_hand
from rackwright.cli.demo.facts import shortfalls
from rackwright.cli.demo.report import Object, SecondPass, count
from rackwright.cli.demo.scene import Scene
from rackwright.cli.demo.tell import BAD, GOOD, STEP
from rackwright.core.resource import COMPUTE_NODE, Ref

BUILD_SECONDS = 180.0
LOOKS_AT_REST = 2
SAMPLE_SECONDS = 0.25


async def build(scene: Scene) -> None:
    """From the chassis as found to the rack as declared."""
    side, tell = scene.side, scene.tell
    kinds = Counter(ref.kind for ref in scene.declared)
    tell.say(f"All of the rack is declared: {', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}.", STEP)
    for name, content in scene.files.items():
        await side.declare(name, content)

    async def stamped() -> bool:
        return sum(ref.kind == COMPUTE_NODE for ref in await side.objects()) == len(scene.asked.servers)

    await scene.until("ComputeNodes for all servers but the protected one", stamped, BUILD_SECONDS)
    tell.say(f"The Chassis has stamped {len(scene.asked.servers)} ComputeNodes.")
    await _consents(scene)
    tell.say("Nothing is held any more. The rack builds itself.", STEP)
    await scene.until("A rack as declared", lambda: _ready(scene), BUILD_SECONDS)
    await _judge(scene)
    await side.show_objects()


async def _consents(scene: Scene) -> None:
    """A person approves whatever is held, until no plan has anything left that would ask."""
    approved: set[str] = set()

    async def look() -> "_Asking | None":
        return _asking(await scene.side.objects(), approved)

    async def asking() -> Mapping[Ref, str]:
        return (await scene.until("Consent is asked for", look, BUILD_SECONDS)).digests

    while await asking():
        await asyncio.sleep(SAMPLE_SECONDS)  # what is held in one stage is told by several objects, one after the other
        for_whom = await asking()
        if not for_whom:
            return
        who = ", ".join(map(str, for_whom))
        scene.tell.say(f"{who}: held is what could lose data, or the way to the rack. A person looks.", STEP)
        await scene.show_held(tuple(for_whom))
        for ref, digest in for_whom.items():
            approved |= {digest, await scene.side.approve(ref)}  # which may be of more than what was held before


@dataclass(frozen=True)
class _Asking:
    """Who asks consent, for which plan; nobody where nobody will ask any more."""

    digests: Mapping[Ref, str]


def _asking(objects: Mapping[Ref, Object], approved: Set[str]) -> _Asking | None:
    """Who asks for what was not approved yet; None where that cannot be told yet."""
    digests = {ref: item.asking for ref, item in sorted(objects.items()) if item.asking}
    new = {ref: digest for ref, digest in digests.items() if digest not in approved}
    if new:
        return _Asking(new)
    undecided = any(item.will_ask or not item.condition("Ready") for item in objects.values())
    return None if undecided else _Asking({})


async def _ready(scene: Scene) -> bool:
    """Tells how far it is, whenever that changes. What is counted after the last look is what the report says."""
    resting = await scene.at_rest()
    counts = count((await scene.side.objects()).values())
    if counts != scene.report.objects:
        scene.report.objects = counts
        scene.tell.say(", ".join(f"{kind} {item.ready}/{item.total}" for kind, item in counts.items()))
    return resting


async def _judge(scene: Scene) -> None:
    report, counts = scene.report, await scene.simulator.counts()
    report.seconds = scene.tell.seconds
    report.device_commands, report.round_trips = counts.total, counts.round_trips
    report.configuration, report.by_hand = dict(counts.by_words), by_hand(scene.asked, scene.found)
    objects = await scene.side.objects()
    report.not_reconciled = sorted(str(ref) for ref, item in objects.items() if item.not_reconciled)
    wrong = shortfalls(scene.asked, scene.found, await scene.simulator.state(), await scene.simulator.lines())
    report.broken += wrong
    report.converged = not wrong
    for sentence in wrong:
        scene.tell.say(sentence, BAD)
    if wrong:
        return
    others = " and ".join(report.not_reconciled)
    scene.tell.say(f"Checked and stored, and not acted on by this version, as their conditions say: {others}.")
    scene.tell.say(
        f"Converged after {report.seconds:.1f} s, by the chassis' own tables: {len(scene.asked.servers)} servers run on "
        f"{len(scene.asked.volumes)} volumes in {len(scene.asked.pools)} new pools, in the spread asked for; every NIC and "
        f"uplink is where it should be; {', '.join(sorted(scene.asked.protected))} is untouched.",
        GOOD,
    )
    scene.tell.say(
        f"It took {counts.configuration} commands that configure, {counts.total} in all, in {counts.round_trips} round "
        f"trips. A person who uses every range there is types {sum(report.by_hand.values())} that configure.",
    )


async def rest(scene: Scene) -> None:
    """Watch two looks of the operator at a rack at rest: nothing may be planned or written."""
    tell = scene.tell
    tell.say(f"At rest: {LOOKS_AT_REST} looks of the operator are awaited. None may write anything.", STEP)
    before = await scene.simulator.counts()
    store_writes = await _store_writes(scene, before.round_trips + LOOKS_AT_REST)
    after = await scene.simulator.counts()
    looks, writes = after.round_trips - before.round_trips, after.writes - before.writes
    planned = await scene.side.planned()
    scene.report.second_pass = SecondPass(planned, writes, store_writes)
    tell.say(
        f"{looks} looks: {planned} actions planned, {writes} commands written to the chassis, "
        f"{store_writes} objects written to the store.",
        GOOD if not (planned or writes or store_writes) else BAD,
    )


async def _store_writes(scene: Scene, round_trips: int) -> int:
    """Objects whose version changed, counted until the chassis has seen so many round trips."""
    writes, known = 0, await scene.side.versions()
    loop = asyncio.get_running_loop()
    earliest = loop.time() + LOOKS_AT_REST * scene.resync

    async def looked() -> bool:
        nonlocal writes, known
        now = await scene.side.versions()
        writes += sum(known.get(name) != now.get(name) for name in known.keys() | now.keys())
        known = now
        await asyncio.sleep(SAMPLE_SECONDS)
        return loop.time() >= earliest and (await scene.simulator.counts()).round_trips >= round_trips

    await scene.until(f"{LOOKS_AT_REST} looks at the chassis", looked, 20 * scene.resync)
    return writes
