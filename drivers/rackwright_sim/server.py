"""A simulated chassis that serves: its SSH and control faces over one model, for tests, demos and `rackwright sim`."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh
from aiohttp import web

from rackwright_sim import control, ssh, store
from rackwright_sim.console import Console
from rackwright_sim.faults import Fault, Faults
from rackwright_sim.faults import load as load_faults
from rackwright_sim.recorder import Counters, LogEntry, Recorder


class SimServer:
    """One chassis on the network, as an async context manager.

    `start` names a data file (`as-found`, `crowded`, `small`) or a path; `state` is where the chassis saves itself and
    resumes from; `host_key_path` keeps the host key across restarts; `serial` is for those who have several chassis.
    Ports of 0 are chosen by the system; they are in `port` and `control_port` once it serves. Everything listens on
    `host`, the control face on loopback only.
    """

    def __init__(
        self,
        *,
        start: str | Path = "as-found",
        state: str | Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        control_port: int = 0,
        username: str = "admin",
        password: str = "admin",  # noqa: S107  simulated hardware as it leaves the factory
        host_key_path: str | Path | None = None,
        max_sessions: int = 4,
        user_mode: bool = False,
        settle_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        faults: Iterable[Fault] = (),
        serial: str | None = None,
    ) -> None:
        state_path = None if state is None else Path(state)
        self.model = store.open_model(start, state_path, settle_seconds=settle_seconds, clock=clock)
        if serial is not None:
            self.model.about = self.model.about.model_copy(update={"serial": serial})
        self.faults = Faults(faults)
        self.recorder = Recorder()
        self.port = port
        self.control_port = control_port
        self._host = host
        self._key = ssh.host_key(None if host_key_path is None else Path(host_key_path))
        self._device = ssh.Device(
            self.model, self.recorder, self.faults, username, password, max_sessions=max_sessions, user_mode=user_mode
        )
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._control: web.AppRunner | None = None

    @property
    def host_key(self) -> str:
        """The public host key in OpenSSH form, one line."""
        return self._key.export_public_key().decode().strip()

    @property
    def counters(self) -> Counters:
        """What came in so far."""
        return self.recorder.counters

    @property
    def log(self) -> deque[LogEntry]:
        """The lines that came in, oldest first."""
        return self.recorder.log

    async def operate(self, *lines: str) -> tuple[str, str]:
        """Run lines as another operator would, past all faults and not counted; gives output and transcript."""
        console = Console(self.model, self.recorder, Faults(), name="control", counted=False)
        output, transcript = "", ""
        for line in lines:
            prompt = console.cli.prompt
            reply = await console.run(line)
            output += reply.text
            transcript += f"{prompt}{line}\n{reply.text}"
        return output, transcript

    async def __aenter__(self) -> Self:
        self._acceptor = await ssh.listen(self._device, self._host, self.port, self._key)
        self.port = self._acceptor.get_port()
        try:
            self._control, self.control_port = await control.serve(self, self.control_port)
        except OSError:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop listening and end every connection, as a chassis that loses power would. Safe to call twice."""
        if self._acceptor is not None:
            self._acceptor.close()
            connections = list(self._device.connections)
            for connection in connections:
                connection.abort()
            await asyncio.gather(*(connection.wait_closed() for connection in connections))
            await self._acceptor.wait_closed()
            self._acceptor = None
        if self._control is not None:
            await self._control.cleanup()
            self._control = None


async def run(
    *,
    announce: Callable[[SimServer], None],
    stop: asyncio.Event | None = None,
    start: str | Path = "as-found",
    state: str | Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    control_port: int = 0,
    username: str = "admin",
    password: str = "admin",  # noqa: S107  as above
    host_key_path: str | Path | None = None,
    max_sessions: int = 4,
    user_mode: bool = False,
    settle_seconds: float = 0.0,
    faults_file: str | Path | None = None,
    serial: str | None = None,
) -> None:
    """Serve until `stop` is set, or for ever; `announce` is called once, when both faces answer.

    PermanentError where a file is wrong; OSError where an address is taken.
    """
    server = SimServer(
        start=start,
        state=state,
        host=host,
        port=port,
        control_port=control_port,
        username=username,
        password=password,
        host_key_path=host_key_path,
        max_sessions=max_sessions,
        user_mode=user_mode,
        settle_seconds=settle_seconds,
        faults=() if faults_file is None else load_faults(faults_file),
        serial=serial,
    )
    async with server:
        announce(server)
        await (stop or asyncio.Event()).wait()
