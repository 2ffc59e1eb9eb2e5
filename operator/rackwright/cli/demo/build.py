"""The first part of the demo: manifests, consent to what could lose data, convergence, and the proof of rest."""

import asyncio

from rackwright.cli.demo.facts import shortfalls
from rackwright.cli.demo.manifests import CHASSIS_FILE, NAMESPACE_FILE, POOL_FILE, SECRETS_FILE
from rackwright.cli.demo.report import SecondPass, count
from rackwright.cli.demo.scene import Scene
from rackwright.cli.demo.tell import BAD, GOOD, STEP
from rackwright.core.resource import COMPUTE_NODE, Ref

BUILD_SECONDS = 180.0
LOOKS_AT_REST = 2
SAMPLE_SECONDS = 0.25


async def build(scene: Scene) -> None:
    """From the chassis as found to the rack as declared."""
    side, tell = scene.side, scene.tell
    tell.say("Namespace, Secrets, the Chassis, and the pool of root volumes are declared.", STEP)
    for name in (NAMESPACE_FILE, SECRETS_FILE, CHASSIS_FILE, POOL_FILE):
        await side.declare(name, scene.files[name])

    async def stamped() -> bool:
        return sum(ref.kind == COMPUTE_NODE for ref in await side.objects()) == len(scene.asked.servers)

    await scene.until("ComputeNodes for all servers but the protected one", stamped, BUILD_SECONDS)
    tell.say(f"The Chassis has stamped {len(scene.asked.servers)} ComputeNodes.")
    await _consent(scene, scene.chassis_ref)
    await _consent(scene, scene.pool_ref)
    tell.say("Nothing is held any more. The rack builds itself.", STEP)
    await scene.until("A rack as declared", lambda: _ready(scene), BUILD_SECONDS)
    await _judge(scene)
    await side.show_objects()


async def _consent(scene: Scene, ref: Ref) -> None:
    async def asking() -> bool:
        return (await scene.object(ref)).condition("AwaitingApproval").get("status") == "True"

    await scene.until(f"{ref} asks for consent", asking, BUILD_SECONDS)
    scene.tell.say(f"{ref} holds what could lose data, and waits for a person.", STEP)
    await scene.show_held(ref)
    await scene.side.approve(ref)


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
    wrong = shortfalls(scene.asked, scene.found, await scene.simulator.state(), await scene.simulator.lines())
    report.broken += wrong
    report.converged = not wrong
    for sentence in wrong:
        scene.tell.say(sentence, BAD)
    if not wrong:
        scene.tell.say(
            f"Converged after {report.seconds:.1f} s, by the chassis' own tables: {len(scene.asked.servers)} servers run "
            f"on root volumes in the spread asked for, every NIC is where it should be, "
            f"{', '.join(sorted(scene.asked.protected))} is untouched. It took {counts.configuration} commands that "
            f"configure, {counts.total} in all, in {counts.round_trips} round trips.",
            GOOD,
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
