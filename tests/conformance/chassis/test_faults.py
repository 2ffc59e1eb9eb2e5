"""When something goes wrong, what a driver says is true: never more certain than it can be, and never a wrong state."""

import asyncio
from collections.abc import Sequence

import pytest

from rackwright_drivers.contract.chassis import Action, ChassisDriver, ChassisState, Credentials, Outcome
from rackwright_drivers.contract.errors import ConflictError, CredentialsRefusedError, DriverError, TransientError
from rackwright_drivers.contract.network import CreateVlan, Nic, SetPort
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import Attach, AttachRange, DeleteVolumes, VDisk
from rackwright_drivers.contract.unknown import Unknown, known
from rackwright_sim.faults import Fault, FaultKind
from tests.conformance.chassis.rigs import IMPATIENT, Rig
from tests.conformance.chassis.test_actions import BUILT, POOL, do, plain, volume

ATTACH = Attach(VDisk("0/0", 0), volume(4))
CHANGES: Sequence[tuple[Action, str]] = [
    (ATTACH, "storage assign 0/0"),
    (DeleteVolumes(POOL, "rootvol", (4,)), "delete volume"),
    (SetPower("0/0", Power.ON), "power-on"),
    (CreateVlan(150), "system-vlan"),
    (SetPort(Nic("0/0", 1), plain(0), plain(100)), "untagged-vlan 100"),
]
PARTS = {
    "identity": "show chassis",
    "servers": "show server summary",
    "slots": "show storage slot",
    "disks": "show storage disk",
    "pools": "show storage pool",
    "volumes": "show storage volume",
    "attachments": "show storage assign",
    "network": "show vlan",
}


@pytest.mark.parametrize(("action", "match"), CHANGES)
async def test_a_refused_action_failed_and_did_nothing(
    rig: Rig, driver: ChassisDriver, action: Action, match: str
) -> None:
    await do(driver, *BUILT)
    before = await driver.observe()
    rig.faults.add(Fault(kind=FaultKind.ERROR, match=match, text="% Not today"))
    (result,) = await driver.execute([action])
    assert result.outcome is Outcome.FAILED
    assert "Not today" in str(result.error)
    assert await driver.observe() == before
    await do(driver, action)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.HANG])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("action", "match"), CHANGES)
async def test_without_an_answer_it_is_unclear_and_the_next_look_tells(
    rig: Rig, driver: ChassisDriver, action: Action, match: str, when: str, kind: FaultKind
) -> None:
    await do(driver, *BUILT)
    before = await driver.observe()
    rig.faults.add(Fault.model_validate({"kind": kind, "match": match, "when": when}))
    impatient = rig.connect(limits=IMPATIENT)
    (result,) = await impatient.execute([action])
    await impatient.aclose()
    assert result.outcome is Outcome.UNCLEAR
    assert isinstance(result.error, TransientError)
    assert ((await driver.observe()) == before) == (when == "before")


@pytest.mark.parametrize("then", ["error", "drop"])
@pytest.mark.parametrize("units", [0, 1, 2])
async def test_a_ranged_attach_that_half_happened_is_unclear_and_seen_as_it_is(
    rig: Rig, driver: ChassisDriver, units: int, then: str
) -> None:
    await do(driver, *BUILT)
    rig.faults.add(Fault.model_validate({"kind": "half", "match": "assign-range", "units": units, "then": then}))
    (result,) = await driver.execute([AttachRange(("0/0", "1/0", "2/0"), (0,), "rootvol")])
    assert result.outcome is Outcome.UNCLEAR
    assert isinstance(result.error, DriverError)
    found = known((await driver.observe()).attachments, "attachments")
    assert len([vdisk for vdisk in found if vdisk.server != "32/0"]) == units


async def test_a_ranged_attach_with_too_few_volumes_is_never_called_done(driver: ChassisDriver) -> None:
    await do(driver, *BUILT)
    (result,) = await driver.execute([AttachRange(("0/0", "1/0", "2/0"), tuple(range(8)), "rootvol")])
    assert result.outcome is Outcome.UNCLEAR
    found = known((await driver.observe()).attachments, "attachments")
    assert len([vdisk for vdisk in found if vdisk.server != "32/0"]) == 11


async def test_each_result_of_a_batch_is_true_when_one_in_the_middle_is_refused(
    rig: Rig, driver: ChassisDriver
) -> None:
    await do(driver, *BUILT)
    rig.faults.add(Fault(kind=FaultKind.ERROR, match="assign 1/0", text="% Not today"))
    actions = [Attach(VDisk(f"{card}/0", 0), volume(card)) for card in range(3)]
    results = await driver.execute(actions)
    assert [result.action for result in results] == actions
    assert [result.outcome for result in results[:2]] == [Outcome.DONE, Outcome.FAILED]
    found = known((await driver.observe()).attachments, "attachments")
    for result, action in zip(results, actions, strict=True):
        assert (result.outcome is Outcome.DONE) == (found.get(action.vdisk) == action.volume)


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "hang"}])
@pytest.mark.parametrize("match", ["show chassis", "show vlan"])
async def test_a_look_without_an_answer_is_an_error_and_the_next_one_works(
    rig: Rig, driver: ChassisDriver, fault: dict[str, str], match: str
) -> None:
    before = await driver.observe()
    rig.faults.add(Fault.model_validate({**fault, "match": match}))
    impatient = rig.connect(limits=IMPATIENT)
    with pytest.raises(TransientError):
        await impatient.observe()
    assert await impatient.observe() == before
    await impatient.aclose()


def parts(state: ChassisState) -> dict[str, object]:
    return {part: getattr(state, part) for part in PARTS}


@pytest.mark.parametrize("kind", [FaultKind.LOSE_ROWS, FaultKind.CUT_OUTPUT, FaultKind.ERROR])
@pytest.mark.parametrize("part", PARTS)
async def test_a_garbled_part_is_unknown_and_the_others_are_as_they_were(
    rig: Rig, driver: ChassisDriver, part: str, kind: FaultKind
) -> None:
    before = parts(await driver.observe())
    # Without the last line of its page the chassis can still be told by the others.
    rows = 2 if part == "identity" else 1
    rig.faults.add(Fault(kind=kind, match=PARTS[part], rows=rows))
    after = parts(await driver.observe())
    found = after[part]
    assert isinstance(found, Unknown)
    assert len(found.reason) > 20
    # Which ports there are is read off the servers: a driver may know neither.
    aside = {part, "network"} if part == "servers" else {part}
    assert {name: after[name] for name in PARTS if name not in aside} == {
        name: before[name] for name in PARTS if name not in aside
    }


async def test_what_is_not_permitted_is_not_sent(rig: Rig, driver: ChassisDriver) -> None:
    def forbid() -> None:
        raise ConflictError("the lease is another's")

    before = await driver.observe()
    seen = rig.counters.commands.copy()
    rig.permit = forbid
    results = await driver.execute([CreateVlan(150), SetPower("0/0", Power.ON)])
    assert [result.outcome for result in results] == [Outcome.NOT_SENT] * 2
    assert isinstance(results[0].error, ConflictError)
    assert all(result.error is not None for result in results)
    assert rig.counters.commands == seen
    assert await driver.observe() == before


async def test_a_refused_connection_is_an_error_or_not_sent_and_may_pass(rig: Rig, driver: ChassisDriver) -> None:
    rig.faults.add(Fault(kind=FaultKind.REFUSE, times=2))
    with pytest.raises(TransientError):
        await driver.observe()
    (result,) = await driver.execute([CreateVlan(150)])
    assert result.outcome is Outcome.NOT_SENT
    assert isinstance(result.error, TransientError)
    await do(driver, CreateVlan(150))


async def test_refused_credentials_are_an_error_and_nothing_is_sent(rig: Rig) -> None:
    driver = rig.connect(Credentials("admin", "wrong"))
    with pytest.raises(CredentialsRefusedError):
        await driver.observe()
    assert rig.counters.authentications_failed == 1
    (result,) = await driver.execute([CreateVlan(150)])
    assert result.outcome is Outcome.NOT_SENT
    assert isinstance(result.error, CredentialsRefusedError)
    await driver.aclose()


async def test_every_command_is_recorded_with_its_action_and_no_secret(rig: Rig, driver: ChassisDriver) -> None:
    await driver.observe()
    assert {record.action for record in rig.records} == {None}
    assert {what for what in PARTS.values() if any(what in record.command for record in rig.records)} == set(
        PARTS.values()
    )
    rig.records.clear()
    action = SetPort(Nic("0/0", 1), plain(0), plain(100))
    rig.faults.add(Fault(kind=FaultKind.ERROR, match="untagged-vlan 100", text="% Not today"))
    await driver.execute([action])
    assert {record.action for record in rig.records} == {action}
    assert any("untagged-vlan 100" in record.command for record in rig.records)
    assert any("Not today" in (record.error or "") for record in rig.records)
    assert all(record.seconds >= 0 for record in rig.records)


async def test_an_unanswered_command_is_recorded_too(rig: Rig, driver: ChassisDriver) -> None:
    rig.faults.add(Fault(kind=FaultKind.DROP, match="power-on", when="after"))
    await driver.execute([SetPower("0/0", Power.ON)])
    (record,) = [record for record in rig.records if "power-on" in record.command]
    assert record.error is not None


async def test_closing_twice_is_safe_and_a_closed_driver_opens_again(driver: ChassisDriver) -> None:
    await driver.observe()
    await driver.aclose()
    await driver.aclose()
    assert (await driver.observe()).identity == (await driver.observe()).identity


async def test_a_cancelled_look_leaves_nothing_behind(rig: Rig, driver: ChassisDriver) -> None:
    before = await driver.observe()
    rig.faults.add(Fault(kind=FaultKind.HANG, match="show vlan"))
    seen = rig.counters.commands.total()
    look = asyncio.create_task(driver.observe())
    while rig.counters.commands.total() < seen + len(PARTS):  # noqa: ASYNC110
        await asyncio.sleep(0)  # the simulator tells nobody that it has come so far
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look
    assert await driver.observe() == before
