"""A simulated chassis that serves: its SSH and control faces over one model, for tests, demos and `rackwright sim`."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from rackwright_sim import ssh, store
from rackwright_sim.faults import Fault, Faults
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Counters, LogEntry, Recorder


class SimServer:
    """One chassis on the network, as an async context manager.

    `start` names a data file (`as-found`, `crowded`, `small`) or a path; `state` is where the chassis saves itself and
    resumes from; `host_key_path` keeps the host key across restarts. Ports of 0 are chosen by the system; they are in
    `port` and `control_port` once it serves. Everything listens on `host`, the control face on loopback only.
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
    ) -> None:
        state_path = None if state is None else Path(state)
        source = start if state_path is None else store.resume(start, state_path)
        self.model = ChassisModel.load(source, settle_seconds=settle_seconds, clock=clock)
        if state_path is not None:
            store.keep(self.model, state_path)
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

    async def __aenter__(self) -> Self:
        self._acceptor = await ssh.listen(self._device, self._host, self.port, self._key)
        self.port = self._acceptor.get_port()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
