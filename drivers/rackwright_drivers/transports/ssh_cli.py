"""A line-oriented device shell over SSH: one connection, one terminal, kept and made anew when lost.

Vendors give it a `ShellDialect` and bursts of `Command`s; one burst is one write and, unless the device asks something,
one round trip. After anything doubtful (a time-out, a cancelled task, text that does not fit) the session is closed, so
that the reply to one line can never be read as the reply to another.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rackwright_drivers.contract.chassis import CommandRecord, Credentials
from rackwright_drivers.contract.errors import DriverError, TransientError
from rackwright_drivers.transports.pace import Pace
from rackwright_drivers.transports.shell import Command, OutOfStepError, Reply, ReplyReader, ShellDialect
from rackwright_drivers.transports.ssh_open import Endpoint, Opener
from rackwright_drivers.transports.ssh_session import Session

_HIDDEN = "********"


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of some lines sent in one piece: the replies in order, fewer than the lines where `error` says why.

    `sent` is False where nothing left: then nothing can have happened.
    """

    replies: tuple[Reply, ...]
    sent: bool
    error: DriverError | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect and log in, and for the device to answer one command."""

    connect: float = 20.0
    command: float = 60.0


class SshCli:
    """The session with one device. Not for concurrent use."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        dialect: ShellDialect,
        pace: Pace,
        record: Callable[[CommandRecord], None],
        timeouts: Timeouts | None = None,
    ) -> None:
        """Connects only when used. PermanentError where the endpoint has no usable host key or algorithm."""
        self._opener = Opener(endpoint, credentials)
        self._endpoint = endpoint
        self._secret = credentials.password
        self._dialect = dialect
        self._pace = pace
        self._record = record
        self._timeouts = timeouts or Timeouts()
        self._session: Session | None = None

    async def run(self, commands: Sequence[Command], permit: Callable[[], None] | None = None) -> Burst:
        """Send these lines in one write and wait for all replies; failures come back in the Burst.

        `permit` is for what changes the device: called last before anything is sent, it raises a DriverError to forbid
        it, and then the time-out of one command bounds the whole burst: who waits that long after us finds it at rest.
        """
        await self._pace.take(len(commands))
        try:
            session = await self._ready()
            if permit is not None:
                permit()
        except DriverError as error:
            return Burst((), sent=False, error=error)
        reader = ReplyReader(self._dialect, session.prompt.host, commands, session.echoes)
        failure = await self._exchange(session, reader, bounded=permit is not None)
        return Burst(tuple(reader.replies), sent=True, error=failure)

    async def aclose(self) -> None:
        """End the session. Safe to call twice."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _ready(self) -> Session:
        """The session at hand, or a new one where that is lost or has said something unasked."""
        if self._session is not None and not self._session.usable:
            await self.aclose()
        if self._session is None:
            try:
                async with asyncio.timeout(self._timeouts.connect):
                    self._session = await Session.open(self._opener, self._endpoint, self._dialect)
            except TimeoutError as error:
                raise TransientError(
                    f"{self._endpoint} gave no prompt within {self._timeouts.connect:g} seconds."
                ) from error
        return self._session

    async def _exchange(self, session: Session, reader: ReplyReader, bounded: bool) -> DriverError | None:
        """Send and read until all is answered or something fails; every line is recorded, whatever happens."""
        journal = _Journal(reader, self._record, self._hide)
        failure: DriverError | None = TransientError("Stopped while it waited for the device.")
        try:
            await self._converse(session, reader, journal, bounded)
            failure = None
        except TimeoutError:
            late = reader.commands[len(reader.replies)].line
            failure = TransientError(
                f"{self._endpoint} did not answer `{late}` within {self._timeouts.command:g} seconds."
            )
        except OutOfStepError as error:
            failure = TransientError(f"The session with {self._endpoint} fell out of step: {self._hide(str(error))}.")
        except DriverError as error:
            failure = error
        finally:
            journal.replies()
            if failure is not None:
                session.abort()
                journal.unanswered(failure)
        session.keep(reader)
        return failure

    async def _converse(self, session: Session, reader: ReplyReader, journal: "_Journal", bounded: bool) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeouts.command) as limit:
            session.write("".join(f"{command.line}\n" for command in reader.commands))
            while not reader.done:
                reader.feed(await session.read())
                if journal.replies() and not bounded:
                    limit.reschedule(loop.time() + self._timeouts.command)
                if (question := reader.question) is not None:
                    session.write(f"{reader.answer(question)}\n")

    def _hide(self, text: str) -> str:
        return text.replace(self._secret, _HIDDEN) if self._secret else text


class _Journal:
    """Records each line of one burst once: with its reply as soon as that is there, or with what kept it away."""

    def __init__(
        self, reader: ReplyReader, record: Callable[[CommandRecord], None], hide: Callable[[str], str]
    ) -> None:
        self._reader = reader
        self._record = record
        self._hide = hide
        self._recorded = 0
        self._since = time.monotonic()

    def replies(self) -> int:
        """Record the replies that are new; how many."""
        new = self._reader.replies[self._recorded :]
        for reply in new:
            self._write(reply.command, reply.transcript, reply.complaint)
        return len(new)

    def unanswered(self, error: DriverError) -> None:
        """Record the lines that were sent and have no reply."""
        for command in self._reader.commands[self._recorded :]:
            self._write(command, "", str(error))

    def _write(self, command: Command, output: str, error: str | None) -> None:
        now = time.monotonic()
        self._recorded += 1
        self._record(
            CommandRecord(
                self._hide(command.line),
                self._hide(output),
                now - self._since,
                command.action,
                self._hide(error) if error is not None else None,
            )
        )
        self._since = now
