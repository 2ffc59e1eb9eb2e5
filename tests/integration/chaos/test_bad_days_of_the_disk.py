"""The operator's own disk full: a real file system of a few kilobytes, with state folder and journal of local mode on it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from structlog.testing import capture_logs

from rackwright.core.assembly import Assembly, assemble
from rackwright.core.journal import FileSink, Journal
from rackwright.core.leadership import Always
from rackwright.core.resource import CHASSIS
from rackwright.local.state import StateFolder
from rackwright.local.store import LocalStore
from rackwright_drivers.contract.power import Power
from rackwright_sim.commands import Kind
from rackwright_sim.server import SimServer
from tests.chaos.racks import small
from tests.chaos.scenes import START, changes, on_a_standing_rack
from tests.chaos.world import World, in_a_world

KIBIBYTES = 512
SECRET = {"username": "admin", "password": "admin"}
NO_ROOM = "No space left on device"


@dataclass
class Disk:
    """A small one."""

    path: Path

    def fill(self) -> None:
        """To the last byte."""
        with (self.path / "filler").open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(1024))
                except OSError:
                    break

    def free(self) -> None:
        """Somebody makes room."""
        (self.path / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A tmpfs of its own, where this machine lets us mount one."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={KIBIBYTES}k", "none", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system of a few kilobytes cannot be mounted here")
    try:
        yield Disk(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@dataclass
class Local:
    """Local mode over a folder, on the virtual clock."""

    sim: SimServer
    store: LocalStore
    made: Assembly

    @property
    def changes(self) -> list[str]:
        """Lines that change the chassis."""
        entries = (entry for entry in self.sim.log if entry.session.startswith("ssh"))
        return [entry.text for entry in entries if entry.kind in (Kind.CONFIGURATION, Kind.ANSWER)]

    @property
    def reasons(self) -> set[str]:
        """Why the Chassis is or is not ready."""
        status = next(iter(self.store.list(CHASSIS))).status
        return {item["reason"] for item in status.get("conditions", ()) if item["type"] == "Ready"}

    async def until(self, done: str) -> None:
        """Until the Chassis says so."""
        for _ in range(600):
            if done in self.reasons:
                return
            await asyncio.sleep(1)
        raise AssertionError(f"{self.reasons} and not {done}")


@asynccontextmanager
async def _local(folder: Path, state: Path) -> AsyncIterator[Local]:
    clock = asyncio.get_running_loop().time
    async with SimServer(start=START, clock=clock) as sim:
        chassis, *others = small(sim)
        chassis["spec"]["policy"]["destructive"] = "Allow"
        metadata = {"name": "sm15k-01", "namespace": "rack"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": SECRET}
        YAML(typ="safe").dump_all([chassis, *others, secret], folder / "rack.yaml")
        where = StateFolder(state).lock()
        sink = FileSink(state / "journal.jsonl")
        store = LocalStore(folder, where, writable=True)
        made = assemble(store, Journal(sink), Always())
        task = asyncio.create_task(made.engine.run())
        made.engine.look_at_all()
        try:
            yield Local(sim, store, made)
        finally:
            task.cancel()
            await asyncio.wait({task})
            await made.endpoints.aclose()
            sink.close()
            where.unlock()


def test_a_full_disk_stops_what_could_not_be_written_down(disk: Disk, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It says so in a sentence, touches nothing, and goes on by itself when there is room again."""
    folder = tmp_path_factory.mktemp("manifests")

    async def main() -> None:
        async with _local(folder, disk.path / "state") as here:
            await here.until("InSync")
            sent = len(here.changes)
            disk.fill()
            await here.sim.operate("power-off server 1/0 force no-confirm")
            with capture_logs() as logs:
                await asyncio.sleep(3600)
            assert len(here.changes) == sent
            assert any(NO_ROOM in str(entry.get("error")) for entry in logs)
            assert len(logs) < 400
            disk.free()
            await asyncio.sleep(400)
            assert here.sim.model.servers.power["1/0"] is Power.ON
            await here.until("InSync")

    in_a_world(main())


def test_nothing_is_sent_that_the_journal_does_not_take() -> None:
    """It looks, says in its status why it does nothing, and is not loud about it."""

    async def story(here: World) -> None:
        operator = here.operators[-1]
        sent = len(changes(here))
        operator.journal_is_full = True
        await here.by_hand("power-off server 1/0 force no-confirm")
        with capture_logs() as logs:
            await asyncio.sleep(3600)
        assert len(changes(here)) == sent
        said = here.condition("Ready")
        assert said["reason"] == "Unsafe"
        assert said["message"].startswith(f"The journal cannot be written ({NO_ROOM}), so nothing is sent to 127.0.0.1")
        assert len(logs) < 40
        operator.journal_is_full = False
        await here.until(lambda: here.power("1/0") is Power.ON, 400)

    on_a_standing_rack(story)
