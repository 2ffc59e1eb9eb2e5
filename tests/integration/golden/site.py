"""The golden rack's chassis over SSH, and a person with the real command line and a folder of manifests."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from rackwright.cli.demo.manifests import CHASSIS_FILE, Examples, text, write
from rackwright.cli.session import STATE_FOLDER
from rackwright.local.state import Record, StateFolder
from rackwright_sim.server import SimServer

T = TypeVar("T")
SECONDS = 300
ROUNDS = 6  # more than a build has consents one after the other


@dataclass
class Site:
    """A simulated chassis in a thread of its own, and the folder `rack` that is to be applied to it."""

    sim: SimServer
    folder: Path
    _loop: asyncio.AbstractEventLoop

    def of_sim(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something where the simulator runs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS)

    def show(self, what: str) -> str:
        """What the chassis prints to somebody who asks."""
        return self.of_sim(self.sim.operate(f"show {what}"))[0]

    def rackwright(self, *words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """The command line, as a process of its own."""
        argv = [sys.executable, "-m", "rackwright.cli.main", *map(str, words), "-f", str(folder or self.folder)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)

    def records(self, folder: Path | None = None) -> list[Record]:
        """All that is kept about the objects."""
        return list(StateFolder((folder or self.folder) / STATE_FOLDER).records())

    def statuses(self, folder: Path | None = None) -> dict[str, Mapping[str, Any]]:
        """The status of every object."""
        return {str(record.ref): record.status for record in self.records(folder)}

    def asking(self) -> list[str]:
        """Who asks for consent."""
        return [
            name
            for name, status in self.statuses().items()
            if condition(status, "AwaitingApproval")["status"] == "True"
        ]

    def copied(self, name: str) -> Path:
        """The manifests as they were at first, in a folder without any state."""
        folder = self.folder.parent / name
        _write(folder, self.sim, "RequireApproval")
        return folder


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """One condition of a status."""
    found: Mapping[str, Any] = next(item for item in status["conditions"] if item["type"] == kind)
    return found


@contextmanager
def site(folder: Path, start: str, destructive: str = "RequireApproval") -> Iterator[Site]:
    """The chassis as it starts, with the manifests in a folder beside it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    username, password = Examples.read().credentials
    try:
        sim = SimServer(start=start, username=username, password=password)
        here = Site(sim, folder / "rack", loop)
        here.of_sim(sim.__aenter__())
        try:
            _write(here.folder, sim, destructive)
            yield here
        finally:
            here.of_sim(sim.aclose())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _write(folder: Path, sim: SimServer, destructive: str) -> None:
    """The manifests of the demo, without its leisure."""
    folder.mkdir()
    examples = Examples.read()
    files = examples.rack(sim.port, sim.host_key)
    spec = examples.chassis["spec"]
    spec["limits"]["commandsPerSecond"] = 1000
    spec["policy"]["destructive"] = destructive
    for name, content in {**files, CHASSIS_FILE: text(examples.chassis)}.items():
        write(folder / name, content)


def build(here: Site) -> list[list[str]]:
    """Apply, look at who asks, approve, and again; who asked in each round."""
    rounds: list[list[str]] = []
    while len(rounds) < ROUNDS:
        done = here.rackwright("apply")
        asking = here.asking()
        assert done.returncode == (2 if asking else 0), done.stdout + done.stderr
        if not asking:
            return rounds
        rounds.append(asking)
        for name in asking:
            approved = here.rackwright("approve", name, "--yes")
            assert approved.returncode == 0, approved.stdout + approved.stderr
    raise AssertionError(f"still asking after {ROUNDS} rounds: {rounds}")


def planned(here: Site, folder: Path) -> Any:
    """What `rackwright plan` says of the one chassis, and its exit status."""
    done = here.rackwright("plan", "-o", "json", folder=folder)
    (look,) = orjson.loads(done.stdout)
    return done.returncode, look
