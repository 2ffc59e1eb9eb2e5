"""One terminal on one SSH connection, from login to the end: `ssh_cli` keeps it, and throws it away in doubt."""

import asyncio
import contextlib
import re
from typing import Self

import asyncssh

from rackwright_drivers.contract.errors import PermanentError, TransientError
from rackwright_drivers.transports.shell import Prompt, ReplyReader, ShellDialect, readable
from rackwright_drivers.transports.ssh_open import Endpoint, Opener

_TERMINAL = "vt100"
_TERMINAL_SIZE = (2000, 1000)  # wide: an echo that wraps is no longer the line that was sent
_CLOSE_SECONDS = 5.0
_PASSWORD = re.compile(r"(?i)password:\s*\Z")


class _Terminal(asyncssh.SSHClientSession[str]):
    """Keeps what arrives until it is read; None stands for the end."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[str | None] = asyncio.Queue()
        self.reason = "it closed the session"
        self.lost = False

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        self.arrived.put_nowait(data)

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.reason = str(exc)
        self._end()

    def _end(self) -> None:
        if not self.lost:
            self.lost = True
            self.arrived.put_nowait(None)


class Session:
    """A logged-in shell at its top prompt. `echoes` is None until the first reply tells."""

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        channel: asyncssh.SSHClientChannel[str],
        terminal: _Terminal,
        endpoint: Endpoint,
    ) -> None:
        """Made by `open`."""
        self._connection = connection
        self._channel = channel
        self._terminal = terminal
        self._endpoint = endpoint
        self._aborted = False
        self.prompt = Prompt("", "", "")
        self.echoes: bool | None = None

    @classmethod
    async def open(cls, opener: Opener, endpoint: Endpoint, dialect: ShellDialect) -> Self:
        """Connect, log in and reach the top privileged prompt. Raises TransientError and PermanentError."""
        connection = await opener.open()
        try:
            terminal = _Terminal()
            channel, _ = await connection.create_session(
                lambda: terminal, term_type=_TERMINAL, term_size=_TERMINAL_SIZE, encoding="utf-8", errors="replace"
            )
            session = cls(connection, channel, terminal, endpoint)
            await session._log_in(dialect)
        except (OSError, asyncssh.Error) as error:
            connection.abort()
            raise TransientError(f"{endpoint} gave no shell: {error}.") from error
        except BaseException:
            connection.abort()
            raise
        return session

    @property
    def usable(self) -> bool:
        """Whether the next burst may go here: alive, at the top, and with nothing said that nobody asked for."""
        return (
            not self._aborted and not self._terminal.lost and self._terminal.arrived.empty() and self.prompt.mode == ""
        )

    def write(self, text: str) -> None:
        """Send. TransientError where the session is lost."""
        try:
            self._channel.write(text)
        except OSError as error:
            raise self._lost() from error

    async def read(self) -> str:
        """What arrives next. TransientError where the session is lost."""
        text = await self._terminal.arrived.get()
        if text is None:
            self._terminal.arrived.put_nowait(None)
            raise self._lost()
        return text

    def keep(self, reader: ReplyReader) -> None:
        """Remember where a finished burst left the shell."""
        self.echoes = reader.echoes
        if reader.replies:
            self.prompt = reader.replies[-1].prompt

    def abort(self) -> None:
        """Cut the connection now: whatever is still under way must never be read."""
        self._aborted = True
        self._connection.abort()

    async def close(self) -> None:
        """End the session in an orderly way, within a few seconds."""
        self._connection.close()
        with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._connection.wait_closed()

    async def _log_in(self, dialect: ShellDialect) -> None:
        self.prompt = await self._prompt(dialect)
        if self.prompt.level == dialect.user_level:
            self.write(f"{dialect.enable}\n")
            self.prompt = await self._prompt(dialect)
            if self.prompt.level == dialect.user_level:
                raise PermanentError(
                    f"{self._endpoint} does not let this user `{dialect.enable}`: give it the right to."
                )

    async def _prompt(self, dialect: ShellDialect) -> Prompt:
        """Read up to a prompt that stands alone at the end: a line of a banner is followed by more."""
        last_line = re.compile(rf"(?:\A|\n){dialect.prompt_of(None).pattern} ?\Z")
        text = ""
        while True:
            text += await self.read()
            if found := last_line.search(readable(text)):
                return Prompt(found["host"], found["mode"] or "", found["level"])
            if _PASSWORD.search(text):
                raise PermanentError(
                    f"{self._endpoint} asks for a second password at `{dialect.enable}`: let the user do without."
                )

    def _lost(self) -> TransientError:
        return TransientError(f"The session with {self._endpoint} was lost: {self._terminal.reason}.")
