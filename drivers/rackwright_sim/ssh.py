"""The SSH face of the simulated chassis: logins by password, shells with and without a terminal, and exec requests."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from rackwright_sim.cli import paged, split
from rackwright_sim.console import Console, Reply
from rackwright_sim.faults import Faults
from rackwright_sim.model import ChassisModel
from rackwright_sim.pager import page
from rackwright_sim.recorder import Recorder
from rackwright_sim.terminal import Interrupted, Terminal


@dataclass(slots=True)
class Device:
    """What the sessions of one chassis share. `max_sessions` connections are served, those beyond it are refused."""

    model: ChassisModel
    recorder: Recorder
    faults: Faults
    username: str
    password: str = field(repr=False)
    max_sessions: int = 4
    user_mode: bool = False
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    logins: int = 0

    def console(self) -> Console:
        """A console for the next login."""
        self.logins += 1
        name = f"ssh-{self.logins}"
        return Console(self.model, self.recorder, self.faults, name=name, user_mode=self.user_mode)


def host_key(path: Path | None) -> asyncssh.SSHKey:
    """The ed25519 key kept at `path`, made there if there is none; without a path a new one, kept nowhere."""
    if path is not None and path.exists():
        return asyncssh.read_private_key(path)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="rackwright-sim")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        key.write_private_key(path)
    return key


async def listen(device: Device, host: str, port: int, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
    """Serve the device there. OSError where the address is taken."""
    return await asyncssh.create_server(
        lambda: _Login(device), host, port, server_host_keys=[key], encoding="utf-8", line_editor=False
    )


class _Login(asyncssh.SSHServer):
    """One connection up to its authentication."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        counters = self._device.recorder.counters
        self._connection = conn
        if self._device.faults.strike_connection() or len(self._device.connections) >= self._device.max_sessions:
            counters.connections_refused += 1
            # The connection is not ready to be closed while it is being made.
            asyncio.get_running_loop().call_soon(conn.abort)
            return
        counters.connections += 1
        self._device.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._device.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        same_user = hmac.compare_digest(username.encode(), self._device.username.encode())
        same_password = hmac.compare_digest(password.encode(), self._device.password.encode())
        if not (same_user and same_password):
            self._device.recorder.counters.authentications_failed += 1
        return same_user and same_password

    def session_requested(self) -> asyncssh.SSHServerSession[str]:
        assert self._connection is not None
        return _Session(self._device, self._connection.abort)


class _Session(asyncssh.SSHServerSession[str]):
    """One shell or exec request: input goes to the terminal, a task takes its lines one after the other."""

    def __init__(self, device: Device, abort: Callable[[], None]) -> None:
        self._recorder = device.recorder
        self._console = device.console()
        self._abort = abort
        self._terminal = Terminal(self._echo)
        self._channel: asyncssh.SSHServerChannel[str] | None = None
        self._command: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._wrote = True
        self._unsent = ""
        self._height = 0

    def connection_made(self, chan: asyncssh.SSHServerChannel[str]) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        self._height = term_size[1]
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        self._height = height

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._command = command
        self._recorder.counters.round_trips += 1
        return True

    def session_started(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: str, datatype: int | None) -> None:
        if self._wrote and ("\n" in data or "\r" in data):
            self._recorder.counters.round_trips += 1
            self._wrote = False
        self._terminal.feed(data)

    def eof_received(self) -> bool:
        self._terminal.end()
        return True

    def break_received(self, msec: int) -> bool:
        self._terminal.feed("\x03")
        return True

    def signal_received(self, signal: str) -> None:
        if signal == "INT":
            self._terminal.feed("\x03")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        assert self._channel is not None
        alive = False
        try:
            alive = await (self._shell() if self._command is None else self._exec(self._command))
        finally:
            self._flush()
            if alive:
                self._channel.exit(0)
            else:
                self._abort()

    async def _shell(self) -> bool:
        """Until `exit` or the end of input; False where a fault took the connection."""
        cli = self._console.cli
        while not cli.closed:
            self._write(cli.prompt)
            try:
                line = await self._terminal.read_line(remember=not cli.asking)
            except Interrupted:
                cli.interrupt()
                continue
            if line is None:
                break
            if not await self._commands(line):
                return False
        return True

    async def _exec(self, command: str) -> bool:
        """All commands of an exec request; questions left open are answered from the input."""
        if not await self._commands(command):
            return False
        cli = self._console.cli
        while cli.asking:
            self._write(cli.prompt)
            try:
                answer = await self._terminal.read_line(remember=False)
            except Interrupted:
                answer = None
            if answer is None:
                cli.interrupt()
            elif not await self._commands(answer):
                return False
        return True

    async def _commands(self, line: str) -> bool:
        for part in split(line):
            if not await self._give(await self._console.run(part), self._height if paged(part) else 0):
                return False
            if self._console.cli.closed:
                break
        return True

    async def _give(self, reply: Reply, height: int) -> bool:
        if reply.drop:
            return False
        if reply.hang:
            await asyncio.Event().wait()
        await page(reply.text, height, self._write, self._terminal.read_key)
        return True

    def _write(self, text: str) -> None:
        """Output that a client may have waited for, unlike the echo of its own line."""
        self._wrote = True
        self._echo(text)

    def _echo(self, text: str) -> None:
        """What is printed before anything is waited for goes out in one packet: one for each piece costs both ends dear."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent += text

    def _flush(self) -> None:
        assert self._channel is not None
        text, self._unsent = self._unsent, ""
        if text and not self._channel.is_closing():
            self._channel.write(text)
