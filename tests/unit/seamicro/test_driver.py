"""What the driver makes of replies: outcomes that are true, states that are whole or Unknown, parameters that are checked."""

from collections.abc import Mapping

import pytest

from rackwright_drivers.chassis.seamicro.dialect import SHELL
from rackwright_drivers.chassis.seamicro.driver import SeaMicro, connect
from rackwright_drivers.chassis.seamicro.script import judge, scripts
from rackwright_drivers.contract.chassis import (
    Action,
    ActionResult,
    CommandRecord,
    Credentials,
    DriverContext,
    Limits,
    Outcome,
)
from rackwright_drivers.contract.errors import (
    ConflictError,
    CredentialsRefusedError,
    DriverError,
    PermanentError,
    TransientError,
    UnsafeError,
)
from rackwright_drivers.contract.network import CreateVlan, Nic, PortVlans, SetPort
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    CreatePool,
    PoolId,
    VDisk,
    VolumeId,
)
from rackwright_drivers.transports.pace import Pace
from rackwright_drivers.transports.shell import Prompt, Reply
from rackwright_drivers.transports.ssh_cli import Burst, SshCli
from tests.unit.transports.scripted_device import KEY, ScriptedDevice, public

POOL = CreatePool(PoolId(2, "p"), ("JBOD2/6",))
RANGE = AttachRange(("0/0", "1/0"), (0,), "v")
ATTACH = Attach(VDisk("0/0", 0), VolumeId(2, "p", "v-0"))
MOVE = SetPort(Nic("0/0", 0), PortVlans(100), PortVlans(150))


def result(
    action: Action, said: Mapping[str, str], modes: Mapping[str, str] | None = None, lost_at: str = ""
) -> ActionResult:
    """What becomes of one action when its lines print this and lead to these modes instead of the right ones."""
    (script,) = scripts([action])
    replies: list[Reply] = []
    for command in script.commands:
        if command.line == lost_at:
            return judge(script, Burst(tuple(replies), sent=True, error=TransientError("lost")))[0]
        mode = (modes or {}).get(command.line, command.leads_to or "")
        printed = said.get(command.line, "Pool 2/p created successfully.\n" if action is POOL and not said else "")
        replies.append(Reply(command, printed, Prompt("box", mode, "#")))
    return judge(script, Burst(tuple(replies), sent=True))[0]


ASSIGN = "storage assign 0/0 0 volume 2/p/v-0"
ASSIGN_RANGE = "storage assign-range 0/0-1/0 0 volume v uuid"
CREATE = "storage create pool 2/p disk JBOD2/6"


@pytest.mark.parametrize(
    ("action", "said", "outcome", "error"),
    [
        (POOL, {}, Outcome.DONE, None),
        (POOL, {CREATE: "Pool 2/p created successfully\n"}, Outcome.DONE, None),
        (POOL, {CREATE: "% Disk JBOD2/6 has foreign metadata\n"}, Outcome.FAILED, PermanentError),
        (POOL, {CREATE: ""} | {"x": ""}, Outcome.UNCLEAR, PermanentError),
        (ATTACH, {}, Outcome.DONE, None),
        (ATTACH, {ASSIGN: "% Vdisk 0 of server 0/0 is already assigned\n"}, Outcome.FAILED, ConflictError),
        (ATTACH, {ASSIGN: "% Device is busy, try again\n"}, Outcome.FAILED, TransientError),
        (ATTACH, {ASSIGN: "% Invalid input detected\n"}, Outcome.FAILED, PermanentError),
        (ATTACH, {ASSIGN: "% Internal error\n"}, Outcome.UNCLEAR, TransientError),
        (ATTACH, {ASSIGN: "Warning: server 0/0 is powered on\n"}, Outcome.UNCLEAR, PermanentError),
        (RANGE, {ASSIGN_RANGE: "% Not enough free volumes\n"}, Outcome.UNCLEAR, PermanentError),
        (RANGE, {ASSIGN_RANGE: "% Invalid input detected\n"}, Outcome.FAILED, PermanentError),
        (
            MOVE,
            {"no untagged-vlan 100": "% Not so\n", "untagged-vlan 150": "% Nor this\n"},
            Outcome.FAILED,
            PermanentError,
        ),
        (MOVE, {"untagged-vlan 150": "% VLAN 150 does not exist\n"}, Outcome.UNCLEAR, PermanentError),
    ],
)
def test_an_outcome_says_no_more_than_the_replies_prove(
    action: Action, said: Mapping[str, str], outcome: Outcome, error: type[DriverError] | None
) -> None:
    found = result(action, said)
    assert found.outcome is outcome
    assert type(found.error) is (error or type(None))


def test_a_line_taken_in_the_wrong_place_is_for_a_person_to_look_at() -> None:
    found = result(MOVE, {}, dict.fromkeys(("nic 0", "no untagged-vlan 100", "untagged-vlan 150"), "config-nic-1"))
    assert found.outcome is Outcome.UNCLEAR
    assert isinstance(found.error, UnsafeError)
    assert "config-nic-1" in str(found.error)


@pytest.mark.parametrize("lost_at", ["nic 0", "no untagged-vlan 100", "untagged-vlan 150"])
def test_what_was_sent_and_not_answered_is_unclear(lost_at: str) -> None:
    found = result(MOVE, {}, lost_at=lost_at)
    assert found.outcome is Outcome.UNCLEAR
    assert isinstance(found.error, TransientError)


def test_what_was_answered_before_the_session_was_lost_is_done() -> None:
    assert result(MOVE, {}, lost_at="end").outcome is Outcome.DONE


def test_a_question_told_no_is_unsafe_and_nothing_happened() -> None:
    clear = ClearMetadata(2, ("JBOD2/6",))
    (script,) = scripts([clear])
    reply = Reply(
        script.commands[0], "Cancelled\n", Prompt("box", "", "#"), ("Wipe slot 7? (yes/no): no",), "Wipe slot 7?"
    )
    (found,) = judge(script, Burst((reply,), sent=True))
    assert found.outcome is Outcome.FAILED
    assert isinstance(found.error, UnsafeError)
    assert "Wipe slot 7?" in str(found.error)


def test_what_never_left_is_not_sent_whatever_the_reason() -> None:
    refused = CredentialsRefusedError("no")
    (script,) = scripts([CreateVlan(1), SetPower("0/0", Power.ON)])
    found = judge(script, Burst((), sent=False, error=refused))
    assert [(one.outcome, one.error) for one in found] == [(Outcome.NOT_SENT, refused)] * 2


QUESTION = "Slot 7 will be wiped as well\nAre you sure you want to proceed (yes/no): "
CLEAR_LINE = "storage clear-metadata disk JBOD2/6 slot 2"


async def test_another_question_than_the_known_one_is_told_no_on_the_wire() -> None:
    async with ScriptedDevice({CLEAR_LINE: QUESTION, "? no": "Operation cancelled.\n"}, prompt="box#") as device:
        driver = connect(parameters(device), context(Limits(100, 0)))
        (found,) = await driver.execute([ClearMetadata(2, ("JBOD2/6",))])
        await driver.aclose()
        assert device.lines == [CLEAR_LINE, "no"]
        assert found.outcome is Outcome.FAILED
        assert isinstance(found.error, UnsafeError)


async def test_it_waits_for_the_device_to_settle_after_changes_and_only_then() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with ScriptedDevice() as device:
        ours = context(Limits(100, 7.5))
        cli = SshCli(device.endpoint(), ours.credentials, SHELL, Pace(100), ours.record)
        driver = SeaMicro(cli, ours, sleep)
        await driver.execute([CreateVlan(150)])
        assert waited == [7.5]
        await driver.aclose()
    await driver.execute([CreateVlan(151)])
    assert waited == [7.5]


def parameters(device: ScriptedDevice) -> dict[str, object]:
    return {"cli": {"host": "127.0.0.1", "port": device.port, "hostKeys": [public(KEY)]}}


def context(limits: Limits | None = None) -> DriverContext:
    records: list[CommandRecord] = []
    return DriverContext(Credentials("admin", "secret"), limits or Limits(), records.append, lambda: None)


CLI: dict[str, object] = {"host": "box", "hostKeys": [public(KEY)]}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, r"seaMicro\.cli: Field required"),
        ({"cli": {"hostKeys": []}}, r"seaMicro\.cli\.host: Field required"),
        ({"cli": {**CLI, "port": 99999}}, r"seaMicro\.cli\.port \(found 99999\)"),
        ({"cli": {**CLI, "hostkeys": []}}, r"seaMicro\.cli\.hostkeys"),
        ({"cli": {**CLI, "hostKeys": []}}, r"ssh-keyscan -p 22 box"),
        ({"cli": {**CLI, "hostKeys": ["AAAA"]}}, r"hostKeys\[0\] is 'AAAA'"),
        ({"cli": {**CLI, "legacyAlgorithms": ["rot13"]}}, r"legacyAlgorithms names rot13"),
        ({"cli": CLI, "snmp": {}}, r"seaMicro\.snmp"),
    ],
)
def test_a_wrong_parameter_is_named_when_the_driver_is_made(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(PermanentError, match=words) as refused:
        connect(parameters, context())
    assert "\n" not in str(refused.value)


def test_the_rest_block_is_another_drivers() -> None:
    assert connect({"cli": CLI, "rest": {"url": "https://box/v2.0"}}, context()).max_batch == 5


@pytest.mark.parametrize(("rate", "batch"), [(0.2, 1), (1, 1), (5.9, 5), (64, 64), (200, 64)])
def test_a_batch_is_about_one_seconds_worth(rate: float, batch: int) -> None:
    driver = connect({"cli": CLI}, context(Limits(commands_per_second=rate)))
    assert driver.max_batch == batch
    assert {SetPower, SetPort, ClearMetadata} <= driver.actions
