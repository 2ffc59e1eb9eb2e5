"""The engine against a device whose habits are scripted: logins, pins, time-outs, lost sessions, records."""

import asyncio
from collections.abc import Callable

import pytest

from rackwright_drivers.contract.chassis import CommandRecord, Credentials
from rackwright_drivers.contract.errors import (
    ConflictError,
    CredentialsRefusedError,
    PermanentError,
    TransientError,
)
from rackwright_drivers.transports.pace import Pace
from rackwright_drivers.transports.shell import ANYTHING, Command, Question
from rackwright_drivers.transports.ssh_cli import SshCli, Timeouts
from rackwright_drivers.transports.ssh_open import Endpoint
from tests.unit.transports.scripted_device import DROP, HANG, KEY, OTHER_KEY, Echo, ScriptedDevice, public
from tests.unit.transports.test_shell import DIALECT

SHOW_A, SHOW_B = Command("show a", ANYTHING), Command("show b", ANYTHING)


class Client:
    """An engine with what it recorded; `async with` closes it."""

    def __init__(self, device: ScriptedDevice, endpoint: Endpoint | None = None, **changes: object) -> None:
        self.records: list[CommandRecord] = []
        credentials = Credentials("admin", str(changes.get("password", "secret")))
        seconds = changes.get("seconds", 5.0)
        assert isinstance(seconds, float)
        timeouts = Timeouts(connect=seconds, command=seconds)
        where = endpoint or device.endpoint()
        self.cli = SshCli(where, credentials, DIALECT, Pace(10_000), self.records.append, timeouts)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cli.aclose()

    async def ask(self, *commands: Command, permit: Callable[[], None] | None = None) -> list[str]:
        burst = await self.cli.run(commands, permit)
        assert burst.error is None, burst.error
        return [reply.output for reply in burst.replies]


@pytest.mark.parametrize("echo", Echo)
async def test_a_burst_is_one_write_and_its_replies_come_apart(echo: Echo) -> None:
    async with ScriptedDevice({"show a": "1\n2\n", "show b": "3\n"}, echo) as device, Client(device) as client:
        assert await client.ask(SHOW_A, Command("configure"), SHOW_B, Command("end")) == ["1\n2\n", "", "3\n", ""]
        assert await client.ask(SHOW_B) == ["3\n"]
        assert (device.writes, device.connections) == (2, 1)
        assert [record.command for record in client.records] == ["show a", "configure", "show b", "end", "show b"]


async def test_a_banner_full_of_marks_is_no_prompt() -> None:
    banner = "###########\r\nbox# is for staff only>\r\n#####\r\n\r\n"
    async with ScriptedDevice({"show a": "1\n"}, banner=banner) as device, Client(device) as client:
        assert await client.ask(SHOW_A) == ["1\n"]


async def test_a_login_at_the_user_level_is_raised() -> None:
    async with ScriptedDevice({"show a": "1\n"}, prompt="box>") as device, Client(device) as client:
        assert await client.ask(SHOW_A) == ["1\n"]
        assert device.lines == ["enable", "show a"]


async def test_an_enable_password_is_asked_of_nobody() -> None:
    async with ScriptedDevice({"enable": "Password: "}, prompt="box>") as device, Client(device) as client:
        burst = await client.cli.run([SHOW_A])
        assert isinstance(burst.error, PermanentError)
        assert "second password" in str(burst.error)


@pytest.mark.parametrize("keyboard_interactive", [False, True])
async def test_refused_credentials_are_tried_once_and_never_again(keyboard_interactive: bool) -> None:
    async with ScriptedDevice(keyboard_interactive=keyboard_interactive) as device:
        async with Client(device, password="wrong") as client:
            for _ in range(3):
                burst = await client.cli.run([SHOW_A])
                assert isinstance(burst.error, CredentialsRefusedError)
                assert not burst.sent
                assert "wrong" not in str(burst.error)
        assert (device.attempts, device.connections) == (1, 1)
        assert client.records == []


async def test_a_password_may_be_asked_interactively() -> None:
    async with ScriptedDevice({"show a": "1\n"}, keyboard_interactive=True) as device, Client(device) as client:
        assert await client.ask(SHOW_A) == ["1\n"]
        assert device.attempts == 1


async def test_another_host_key_is_refused_with_both_fingerprints_and_no_password() -> None:
    async with ScriptedDevice(key=OTHER_KEY) as device, Client(device, device.endpoint(pin=KEY)) as client:
        burst = await client.cli.run([SHOW_A])
        assert isinstance(burst.error, PermanentError)
        assert KEY.get_fingerprint() in str(burst.error)
        assert OTHER_KEY.get_fingerprint() in str(burst.error)
        assert device.attempts == 0


async def test_any_of_several_pins_will_do() -> None:
    async with ScriptedDevice({"show a": "1\n"}) as device:
        endpoint = Endpoint("127.0.0.1", device.port, (public(OTHER_KEY), public(KEY)))
        async with Client(device, endpoint) as client:
            assert await client.ask(SHOW_A) == ["1\n"]


@pytest.mark.parametrize(
    ("keys", "legacy", "words"),
    [
        ((), (), r"ssh-keyscan -p 2222 box\.example"),
        (("ssh-ed25519 nonsense",), (), r"hostKeys\[0\] is 'ssh-ed25519 nonsense'"),
        ((public(KEY),), ("rot13",), r"legacyAlgorithms names rot13"),
    ],
)
def test_an_endpoint_that_cannot_be_trusted_is_refused_when_it_is_made(
    keys: tuple[str, ...], legacy: tuple[str, ...], words: str
) -> None:
    endpoint = Endpoint("box.example", 2222, keys, legacy)
    with pytest.raises(PermanentError, match=words):
        SshCli(endpoint, Credentials("a", "b"), DIALECT, Pace(1), lambda record: None)


async def test_an_old_algorithm_works_only_when_it_is_named() -> None:
    old = "aes128-cbc"
    async with ScriptedDevice({"show a": "1\n"}, ciphers=(old,)) as device:
        async with Client(device) as client:
            burst = await client.cli.run([SHOW_A])
            assert isinstance(burst.error, PermanentError)
            assert "legacyAlgorithms" in str(burst.error)
        async with Client(device, device.endpoint(legacy=(old,))) as client:
            assert await client.ask(SHOW_A) == ["1\n"]


async def test_a_refused_connection_may_pass_by_itself() -> None:
    async with ScriptedDevice() as device:
        endpoint = device.endpoint()
    async with Client(device, endpoint) as client:
        burst = await client.cli.run([SHOW_A])
        assert isinstance(burst.error, TransientError)
        assert not burst.sent


async def test_a_silent_device_is_given_up_and_its_late_answer_never_read() -> None:
    async with ScriptedDevice({"show a": HANG, "show b": "3\n"}) as device, Client(device, seconds=0.3) as client:
        burst = await client.cli.run([SHOW_B, SHOW_A, SHOW_B])
        assert [reply.output for reply in burst.replies] == ["3\n"]
        assert burst.sent
        assert isinstance(burst.error, TransientError)
        assert "`show a`" in str(burst.error)
        assert await client.ask(SHOW_B) == ["3\n"]
        assert device.connections == 2
        assert [(record.command, record.error is None) for record in client.records] == [
            ("show b", True),
            ("show a", False),
            ("show b", False),
            ("show b", True),
        ]


async def test_a_lost_connection_leaves_the_rest_unanswered_and_is_made_anew() -> None:
    async with ScriptedDevice({"show a": DROP, "show b": "3\n"}) as device, Client(device) as client:
        burst = await client.cli.run([SHOW_B, SHOW_A, SHOW_B])
        assert [reply.output for reply in burst.replies] == ["3\n"]
        assert isinstance(burst.error, TransientError)
        assert await client.ask(SHOW_B) == ["3\n"]
        assert device.connections == 2


async def test_a_cancelled_burst_closes_the_session_and_is_recorded() -> None:
    reached = asyncio.Event()

    def on_line(line: str) -> None:
        if line == "show a":
            reached.set()

    async with ScriptedDevice({"show a": HANG, "show b": "3\n"}, on_line=on_line) as device, Client(device) as client:
        task = asyncio.create_task(client.cli.run([SHOW_A]))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [record.command for record in client.records] == ["show a"]
        assert client.records[0].error is not None
        assert await client.ask(SHOW_B) == ["3\n"]
        assert device.connections == 2


async def test_what_was_said_unasked_is_never_taken_for_a_reply() -> None:
    async with ScriptedDevice({"show a": "1\nbox# \nbox# "}) as device, Client(device) as client:
        burst = await client.cli.run([SHOW_A])
        again = await client.cli.run([Command("show c", ANYTHING)])
        assert burst.error is not None or [reply.output for reply in burst.replies] == ["1\n"]
        assert [reply.output for reply in again.replies] == [""]


async def test_a_session_left_inside_a_mode_is_not_used_again() -> None:
    async with ScriptedDevice({"show a": "1\n"}) as device, Client(device) as client:
        await client.ask(Command("configure"))
        device.prompt = "box#"
        assert await client.ask(SHOW_A) == ["1\n"]
        assert device.connections == 2


async def test_known_questions_are_answered_and_all_of_it_is_recorded() -> None:
    replies = {"wipe": "All is lost\nSure (yes/no): ", "? yes": "done\n"}
    wipe = Command("wipe", ANYTHING, questions=(Question("All is lost\nSure (yes/no):", "yes"),))
    async with ScriptedDevice(replies) as device, Client(device) as client:
        burst = await client.cli.run([wipe])
        assert [reply.output for reply in burst.replies] == ["done\n"]
        assert client.records[0].output == "All is lost\nSure (yes/no): yes\ndone\n"
        assert device.lines == ["wipe", "yes"]


async def test_unknown_questions_get_a_no() -> None:
    async with ScriptedDevice({"wipe": "Sure (yes/no): ", "? no": "Cancelled\n"}) as device, Client(device) as client:
        burst = await client.cli.run([Command("wipe")])
        assert burst.replies[0].declined == "Sure (yes/no):"
        assert device.lines == ["wipe", "no"]


async def test_a_burst_that_is_not_permitted_never_leaves() -> None:
    def forbid() -> None:
        raise ConflictError("the lease is somebody else's")

    async with ScriptedDevice() as device, Client(device) as client:
        burst = await client.cli.run([SHOW_A], forbid)
        assert not burst.sent
        assert isinstance(burst.error, ConflictError)
        assert device.lines == []
        assert client.records == []


async def test_the_permit_is_asked_last_before_each_burst() -> None:
    asked: list[int] = []
    async with ScriptedDevice() as device, Client(device) as client:
        for _ in range(2):
            await client.ask(Command("change"), permit=lambda: asked.append(len(device.lines)))
        assert asked == [0, 1]


async def test_the_password_shows_in_no_record_and_no_message() -> None:
    leak = {"show a": "password secret\n", "show b": DROP}
    async with ScriptedDevice(leak) as device, Client(device) as client:
        assert await client.ask(SHOW_A) == ["password secret\n"]
        await client.cli.run([Command("set secret", ANYTHING), SHOW_B])
        assert [record.command for record in client.records] == ["show a", "set ********", "show b"]
        assert "secret" not in repr(client.records)


async def test_closing_twice_is_safe_and_it_opens_again_when_used() -> None:
    async with ScriptedDevice({"show a": "1\n"}) as device, Client(device) as client:
        await client.ask(SHOW_A)
        await client.cli.aclose()
        await client.cli.aclose()
        assert await client.ask(SHOW_A) == ["1\n"]
        assert device.connections == 2
