"""`rackwright watch`: what is put into the folder, changed, spoilt or taken out counts from then on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rackwright.cli.local_run import JOURNAL, run_folder
from rackwright.cli.session import STATE_FOLDER
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, Ref
from rackwright.local.state import Record, StateFolder, StateLockedError
from rackwright_sim.driver import Simulated, registered
from rackwright_sim.model import ChassisModel

SECONDS = 30.0
REF = Ref(CHASSIS, "rack", "small")


def chassis(power: str = "Running") -> dict[str, Any]:
    """A Chassis that is looked at when a file says so, and hardly ever by itself."""
    return {
        "apiVersion": "rackwright.dev/v1alpha1",
        "kind": CHASSIS,
        "metadata": {"name": "small", "namespace": "rack"},
        "spec": {
            "hardware": {"type": "External", "external": {"driver": "Simulator", "parameters": {"model": "watched"}}},
            "credentialsRef": {"name": "login"},
            "limits": {"commandsPerSecond": 1000, "settleSeconds": 0},
            "protectedServers": ["32/0"],
            "defaultNIC": {"vlan": "Unmanaged"},
            "nodeSets": [{"name": "all", "remaining": {"namePrefix": "node"}, "template": {"powerState": power}}],
            "policy": {"mode": "Enforce", "destructive": "RequireApproval", "resyncSeconds": 3600},
        },
    }


def secret() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": "rack"},
        "stringData": {"username": "admin", "password": "admin"},
    }


class Watched:
    """A folder that is kept, and the chassis under it."""

    def __init__(self, folder: Path, simulated: Simulated) -> None:
        self.folder = folder
        self.simulated = simulated
        self.problems: list[tuple[str, ...]] = []

    def write(self, name: str, document: dict[str, Any]) -> None:
        with (self.folder / name).open("w") as file:
            YAML().dump(document, file)

    async def until(self, probe: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while True:
                if probe():
                    return
                await asyncio.sleep(0.02)

    def records(self) -> dict[Ref, Record]:
        return {record.ref: record for record in StateFolder(self.folder / STATE_FOLDER).records()}

    def reason(self, ref: Ref = REF) -> str:
        record = self.records().get(ref)
        conditions = record.status.get("conditions", ()) if record else ()
        return next((str(item["reason"]) for item in conditions if item["type"] == "Ready"), "")

    async def built(self) -> None:
        nodes = [Ref(COMPUTE_NODE, "rack", f"node-{card}") for card in range(3)]
        await self.until(
            lambda: (
                self.reason() == "InSync"
                and all(self.reason(node) == "HostNotReconciled" for node in nodes)
                and len(self.running()) == 4
            )
        )

    def running(self) -> set[str]:
        return set(self.simulated.model.saved().cards.running)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    """The daemon over a folder; at the end it is told to stop, and does."""
    with registered("watched", Simulated(ChassisModel.load("small"))) as simulated:
        it, stop = Watched(folder, simulated), asyncio.Event()
        keeping = asyncio.create_task(
            run_folder(folder, stop=stop, on_problems=lambda found: it.problems.append(tuple(found)), poll_seconds=0.02)
        )
        try:
            await it.until(lambda: bool(it.problems))  # told once that there are none: it is at work
            yield it
        finally:
            stop.set()
            await asyncio.wait_for(keeping, SECONDS)


async def test_a_folder_that_is_empty_at_first_is_kept_from_its_first_manifest_on(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.write("chassis.yaml", chassis())
        await it.until(lambda: it.reason() == "DeviceError")  # its Secret is not there yet
        it.write("secret.yaml", secret())
        await it.built()
        assert (tmp_path / STATE_FOLDER / JOURNAL).read_text().count('"journal":"apply"') == 3


async def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.write("secret.yaml", secret())
        it.write("chassis.yaml", chassis())
        await it.built()
        it.write("chassis.yaml", chassis("Stopped"))
        await it.until(lambda: it.running() == {"32/0"})


async def test_a_file_that_cannot_be_read_removes_nothing_and_is_told(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.write("secret.yaml", secret())
        it.write("chassis.yaml", chassis())
        await it.built()
        before = it.records()
        (tmp_path / "chassis.yaml").write_text("kind: [")
        await it.until(lambda: bool(it.problems[-1]))
        assert "chassis.yaml:1: not readable as YAML" in it.problems[-1][0]
        assert it.records() == before
        it.write("chassis.yaml", chassis())
        await it.until(lambda: it.problems[-1] == ())


async def test_with_a_chassis_goes_what_it_stamped_and_the_device_stays_as_it_is(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.write("secret.yaml", secret())
        it.write("chassis.yaml", chassis())
        await it.built()
        assert sum(ref.kind == COMPUTE_NODE for ref in it.records()) == 3
        (tmp_path / "chassis.yaml").unlink()
        await it.until(lambda: not it.records())
        assert len(it.running()) == 4


async def test_a_folder_has_one_keeper_and_is_free_after_it(tmp_path: Path) -> None:
    async with watched(tmp_path):
        with pytest.raises(StateLockedError, match="in use by another rackwright"):
            await run_folder(tmp_path, stop=asyncio.Event())
    async with watched(tmp_path):
        pass
