"""A device shell in this process whose every habit is a parameter: echo, banner, prompts, replies, silence."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

import asyncssh

from rackwright_drivers.transports.ssh_open import Endpoint

HANG = "<hang>"
DROP = "<drop>"
KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519")


class Echo(StrEnum):
    """When a typed line is repeated."""

    READ = "as it is read"
    EARLY = "as it arrives"
    NEVER = "never"


@dataclass
class ScriptedDevice:
    """Answers `replies[line]` (text, HANG or DROP; nothing for others) and counts what comes in.

    A reply may be a question: it ends without a newline and the next line is its answer, looked up as `? LINE`.
    """

    replies: Mapping[str, str] = field(default_factory=dict)
    echo: Echo = Echo.READ
    prompt: str = "box#"
    banner: str = ""
    password: str = "secret"
    key: asyncssh.SSHKey = KEY
    keyboard_interactive: bool = False
    ciphers: tuple[str, ...] = ()
    on_line: Callable[[str], None] | None = None
    lines: list[str] = field(default_factory=list)
    writes: int = 0
    connections: int = 0
    attempts: int = 0
    port: int = 0
    _acceptor: asyncssh.SSHAcceptor | None = None
    _tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._acceptor = await asyncssh.create_server(
            lambda: _Login(self),
            "127.0.0.1",
            0,
            server_host_keys=[self.key],
            line_editor=False,
            encryption_algs=self.ciphers,
        )
        self.port = self._acceptor.get_port()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._acceptor is not None
        self._acceptor.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._acceptor.wait_closed()

    def endpoint(self, pin: asyncssh.SSHKey | None = None, legacy: tuple[str, ...] = ()) -> Endpoint:
        """Where it listens, with this pin or its true one."""
        return Endpoint("127.0.0.1", self.port, (public(pin or self.key),), legacy)

    def begin(self, session: "_Shell") -> None:
        """Serve one shell."""
        self._tasks.append(asyncio.get_running_loop().create_task(self._serve(session)))

    async def _serve(self, session: "_Shell") -> None:
        session.send(self.banner + self.prompt + " ")
        asked = False
        while True:
            line = await session.next_line()
            self.lines.append(line)
            if self.on_line is not None:
                self.on_line(line)
            if self.echo is Echo.READ:
                session.send(f"{line}\r\n")
            reply = self.replies.get(f"? {line}" if asked else line, "")
            if reply == HANG:
                await asyncio.Event().wait()
            if reply == DROP:
                session.abort()
                return
            session.send(reply.replace("\n", "\r\n"))
            asked = bool(reply) and not reply.endswith("\n")
            if not asked:
                self.prompt = {"enable": "box#", "configure": "box(config)#", "end": "box#"}.get(line, self.prompt)
                session.send(self.prompt + " ")


class _Login(asyncssh.SSHServer):
    def __init__(self, device: ScriptedDevice) -> None:
        self._device = device
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._device.connections += 1
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return not self._device.keyboard_interactive

    def validate_password(self, username: str, password: str) -> bool:
        self._device.attempts += 1
        return password == self._device.password

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        self._device.attempts += 1
        return list(responses) == [self._device.password]

    def session_requested(self) -> asyncssh.SSHServerSession[str]:
        assert self._connection is not None
        return _Shell(self._device, self._connection)


class _Shell(asyncssh.SSHServerSession[str]):
    def __init__(self, device: ScriptedDevice, connection: asyncssh.SSHServerConnection) -> None:
        self._device = device
        self._connection = connection
        self._channel: asyncssh.SSHServerChannel[str] | None = None
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._rest = ""

    def connection_made(self, chan: asyncssh.SSHServerChannel[str]) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        self._device.begin(self)

    def data_received(self, data: str, datatype: int | None) -> None:
        self._device.writes += 1
        *lines, self._rest = (self._rest + data).split("\n")
        for line in lines:
            if self._device.echo is Echo.EARLY:
                self.send(f"{line}\r\n")
            self._typed.put_nowait(line)

    def send(self, text: str) -> None:
        """Print, unless the client has gone."""
        assert self._channel is not None
        if not self._channel.is_closing():
            self._channel.write(text)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    async def next_line(self) -> str:
        """What was typed next."""
        return await self._typed.get()


def public(key: asyncssh.SSHKey) -> str:
    """The public half as a line."""
    return key.export_public_key().decode().strip()
