"""What the tests of the simulator share: an SSH client of their own, and a reader of tables that no driver wrote."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncssh

from rackwright_drivers.contract.chassis import CommandRecord, Credentials, DriverContext, Limits
from rackwright_sim.console import Console
from rackwright_sim.faults import Fault, Faults
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Recorder
from rackwright_sim.server import SimServer

PROMPT = re.compile(r"(?:sm15k-01\S*[#>] |\(yes/no\): )$")
FAST = Limits(commands_per_second=1e9, settle_seconds=0, command_timeout_seconds=0.01)


def rows(table: str) -> list[list[str]]:
    """The cells of a table's rows, by runs of two blanks or more; asserts that the trailer counts them."""
    lines = table.splitlines()
    assert re.fullmatch(r"\* \d+ entries", lines[-1]), lines[-1]
    body = [line for line in lines[:-1] if " = " not in line][1:]
    assert len(body) == int(lines[-1].split()[1])
    return [re.split(r" {2,}", line) for line in body]


def context(records: list[CommandRecord] | None = None) -> DriverContext:
    """A driver's context without waiting."""
    kept = [] if records is None else records
    return DriverContext(Credentials("admin", "admin"), FAST, kept.append, lambda: None)


class Typist:
    """Types lines at a console, past all faults unless some are given, and keeps what came back."""

    def __init__(self, model: ChassisModel, *faults: Fault) -> None:
        self.recorder = Recorder()
        self._console = Console(model, self.recorder, Faults(faults), name="test")
        self.model = model

    async def __call__(self, *lines: str) -> str:
        """Output of these lines."""
        return "".join([(await self._console.run(line)).text for line in lines])

    async def transcript(self, *lines: str) -> str:
        """Prompts, lines and outputs, as a person sees them."""
        seen = ""
        for line in lines:
            seen += f"{self._console.cli.prompt}{line}\n"
            seen += (await self._console.run(line)).text
        return seen


class Shell:
    """A shell on the simulated chassis."""

    def __init__(self, process: asyncssh.SSHClientProcess[str]) -> None:
        self._process = process

    async def until_prompt(self, prompts: int = 1) -> str:
        """Everything up to this many prompts; EOFError where the connection ends first."""
        seen = ""
        while len(re.findall(r"(?:sm15k-01\S*[#>] |\(yes/no\): )", seen)) < prompts or not PROMPT.search(seen):
            piece = await self._process.stdout.read(65536)
            if not piece:
                raise EOFError(seen)
            seen += piece
        return seen

    async def rest(self) -> str:
        """Everything up to the end."""
        return await self._process.stdout.read()

    async def read(self) -> str:
        """What comes next."""
        return await self._process.stdout.read(65536)

    async def ask(self, line: str) -> str:
        """Type a line and read up to the next prompt."""
        self.type(f"{line}\n")
        return await self.until_prompt()

    def type(self, text: str) -> None:
        """Type without waiting."""
        self._process.stdin.write(text)

    def end(self) -> None:
        """No more input."""
        self._process.stdin.write_eof()


def options(sim: SimServer, password: str = "admin") -> asyncssh.SSHClientConnectionOptions:
    """Connection options with the host key pinned and nothing taken from the machine the test runs on."""
    key = asyncssh.import_public_key(sim.host_key)
    return asyncssh.SSHClientConnectionOptions(
        username="admin", password=password, known_hosts=([key], [], []), client_keys=None, config=None
    )


@asynccontextmanager
async def login(sim: SimServer, password: str = "admin") -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection."""
    async with asyncssh.connect("127.0.0.1", sim.port, options=options(sim, password)) as connection:
        yield connection


@asynccontextmanager
async def shell(sim: SimServer, term_type: str | None = None, size: tuple[int, int] = (0, 0)) -> AsyncIterator[Shell]:
    """A shell, at its first prompt unless the login is given up before."""
    async with login(sim) as connection:
        process = await connection.create_process(term_type=term_type, term_size=(*size, 0, 0))
        yield Shell(process)


def numbers(values: Sequence[str]) -> list[int]:
    """As integers."""
    return [int(value) for value in values]
