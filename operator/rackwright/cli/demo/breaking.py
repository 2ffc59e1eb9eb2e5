"""The second part of the demo: things are broken behind the operator's back, and each is found and healed or held."""

import asyncio
from datetime import UTC, datetime

from rackwright.cli.demo import manifests
from rackwright.cli.demo.asked import ROOT_VDISK
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.faults import HEALED, HELD, Fault, faults
from rackwright.cli.demo.journal import NAVIGATION
from rackwright.cli.demo.report import FaultResult, Object
from rackwright.cli.demo.scene import Scene
from rackwright.cli.demo.tell import BAD, COMMAND, GOOD, OUTPUT, STEP
from rackwright.core.resource import Ref

FAULT_SECONDS = 60.0
JOURNAL_LINES = 60


async def break_all(scene: Scene) -> None:
    """One fault after the other, on a rack that is as declared."""
    attachments = (await _picture(scene)).attachments
    roots = {server: volume for (server, vdisk), volume in attachments.items() if vdisk == ROOT_VDISK}
    for fault in faults(scene.asked, roots):
        await _break(scene, fault)


async def _break(scene: Scene, fault: Fault) -> None:
    """One fault, from a rack at rest to a rack at rest."""
    await scene.until("A rack at rest", scene.at_rest, FAULT_SECONDS)
    scene.tell.say(f"{fault.name}: {fault.sentence}.", STEP)
    if fault.stopped:
        await _declare_power(scene, fault.server, "Stopped")
    before = await _picture(scene)
    result = await _strike(scene, fault, before)
    scene.report.faults.append(result)
    good = result.outcome == fault.promised
    scene.tell.say(
        f"{fault.name}: found after {result.found_seconds:.1f} s, {result.outcome} after {result.seconds:.1f} s.",
        GOOD if good else BAD,
    )
    if result.outcome == HELD:
        await _undo(scene, fault, before)
    if fault.stopped:
        await _declare_power(scene, fault.server, None)
    await scene.until("A rack at rest again", scene.at_rest, FAULT_SECONDS)


async def _picture(scene: Scene) -> Picture:
    return Picture.of(await scene.simulator.state())


async def _declare_power(scene: Scene, server: str, power: str | None) -> None:
    """A person changes the manifest of the Chassis, and waits until the chassis is that way and all is at rest."""
    scene.tell.say(f"A person declares {server} {power or 'Running'} in {manifests.CHASSIS_FILE}.")
    content = manifests.set_power((scene.side.folder / manifests.CHASSIS_FILE).read_text("utf-8"), server, power)
    await scene.side.declare(manifests.CHASSIS_FILE, content)

    async def there() -> bool:
        running = server in (await scene.simulator.state()).cards.running
        return running is (power is None) and await scene.at_rest()

    await scene.until(f"{server} {power or 'Running'}", there, FAULT_SECONDS)


async def _strike(scene: Scene, fault: Fault, before: Picture) -> FaultResult:
    node = await scene.node(fault.server)
    mark, writes = (await scene.object(node)).drift_mark, (await scene.simulator.counts()).writes
    struck, clock = datetime.now(UTC), asyncio.get_running_loop().time
    start = clock()
    for line in (await scene.simulator.type(*fault.typed)).splitlines():
        scene.tell.say(f"  {line}", COMMAND)

    async def drifted() -> bool:
        return (await scene.object(node)).drift_mark != mark

    await scene.until(f"{node} shows {fault.name}", drifted, FAULT_SECONDS)
    found = clock() - start
    if fault.promised == HEALED:
        outcome = await _healed(scene, fault, before)
        seconds = clock() - start
        _tell_journal(scene, struck)
    else:
        outcome = await _held(scene, fault, node, before, writes)
        seconds = clock() - start
        await scene.side.show_why(node)
    return FaultResult(fault.name, found, outcome, seconds)


async def _healed(scene: Scene, fault: Fault, before: Picture) -> str:
    """Healed when the whole chassis is again as it was, to the same volume on the same vdisk."""

    async def same() -> bool:
        return await _picture(scene) == before

    try:
        await scene.until(f"The chassis as it was before {fault.name}", same, FAULT_SECONDS)
    except DemoError as error:
        scene.report.broken.append(error.message)
        return HELD
    return HEALED


async def _held(scene: Scene, fault: Fault, node: Ref, before: Picture, writes: int) -> str:
    """Held when it is said who has what of whom, and the chassis is left as it is for one more look."""
    broken = await _picture(scene)
    looked = (await scene.simulator.counts()).round_trips

    async def said() -> bool:
        return all(name in _reason(item) for item in [await scene.object(node)] for name in fault.names)

    async def looked_again() -> bool:
        return (await scene.simulator.counts()).round_trips > looked

    try:
        await scene.until(f"{node} says why it is held, and names {' and '.join(fault.names)}", said, FAULT_SECONDS)
        await scene.until("Another look", looked_again, FAULT_SECONDS)
    except DemoError as error:
        scene.report.broken.append(error.message)
    if await _picture(scene) == before:
        return HEALED
    if await _picture(scene) != broken or (await scene.simulator.counts()).writes != writes:
        scene.report.broken.append(f"{fault.name}: the operator changed the chassis, and should have held all there is")
    return HELD


def _reason(item: Object) -> str:
    """All that an object says about why it is not ready."""
    drift = " ".join(f"{entry['path']} {entry['wanted']} {entry['found']}" for entry in item.status.get("drift", ()))
    return f"{item.condition('Ready').get('message', '')} {drift}"


def _tell_journal(scene: Scene, struck: datetime) -> None:
    """What the operator sent since then, and why."""
    sent: dict[str, list[str]] = {}
    for entry in scene.side.journal(JOURNAL_LINES):
        command = str(entry["command"])
        later = datetime.fromisoformat(str(entry["time"])) >= struck
        if later and entry["journal"] == "apply" and not command.startswith(NAVIGATION):
            sent.setdefault(f"{entry['object']}: {entry['why']}", []).append(command)
    for why, commands in sent.items():
        scene.tell.say(f"  {why}", OUTPUT)
        scene.tell.say(f"    {'; '.join(commands)}", OUTPUT)


async def _undo(scene: Scene, fault: Fault, before: Picture) -> None:
    """A person puts right what was held, by hand."""
    scene.tell.say("A person puts it right at the chassis.")
    for line in (await scene.simulator.type(*fault.undo)).splitlines():
        scene.tell.say(f"  {line}", COMMAND)
    if await _picture(scene) != before:
        raise DemoError(f"{fault.name}: undone by hand, and still the chassis is not as it was.")
    await scene.until("A rack at rest after that", scene.at_rest, FAULT_SECONDS)
