"""A file removed from a folder of manifests: `rackwright apply` lets go of what its object has, and only then forgets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rackwright.cli.folder import _apply
from rackwright.cli.main import cli
from rackwright.cli.session import FolderError, open_store
from rackwright.core.resource import CHASSIS, RELEASE, STORAGE_POOL, Ref, Resource
from rackwright_sim.server import SimServer
from tests.integration import rack
from tests.integration.harness import granted

NAMESPACE = "lab"
ROOT, RACK = Ref(STORAGE_POOL, NAMESPACE, "root"), Ref(CHASSIS, NAMESPACE, "rack")
DONE, WAITS = 0, 2
OFF = {**rack.NODE_SET, "template": {"powerState": "Stopped"}}


@dataclass(frozen=True)
class Home:
    """A folder, and the chassis that its files are about."""

    folder: Path
    sim: SimServer

    def put(self, made: dict[str, Any]) -> None:
        self._path(made["kind"]).write_text(json.dumps(made))

    def remove(self, kind: str) -> None:
        self._path(kind).unlink()

    def _path(self, kind: str) -> Path:
        return self.folder / f"{kind}.json"

    async def apply(self) -> int:
        return await _apply(self.folder, None, 0.0)

    def known(self, ref: Ref) -> Resource | None:
        return open_store(self.folder, None).get(ref)

    async def attached(self) -> int:
        """How many of our volumes are attached."""
        shown, _ = await self.sim.operate("show storage assign brief")
        return shown.count("rootpool-1")

    def pool(self, **spec: Any) -> None:
        self.put(rack.pool(NAMESPACE, deletionPolicy="Release", **spec))


@asynccontextmanager
async def built(folder: Path, **chassis: Any) -> AsyncIterator[Home]:
    """The small rack, as declared."""
    async with rack.simulator() as sim:
        home = Home(folder, sim)
        home.put(rack.secret(NAMESPACE))
        home.put(rack.chassis(NAMESPACE, sim, deletionPolicy="Release", policy=granted(), **chassis))
        home.pool()
        await home.apply()
        assert await home.attached() == 3
        known = home.known(ROOT)
        assert known is not None
        assert known.finalizers == (RELEASE,)
        yield home


async def test_what_a_removed_file_declared_is_let_go_of_and_then_forgotten(tmp_path: Path) -> None:
    async with built(tmp_path, nodeSets=[OFF]) as home:
        home.remove(STORAGE_POOL)
        await home.apply()
        assert await home.attached() == 0
        assert home.known(ROOT) is None
        home.remove(CHASSIS)
        await home.apply()
        with pytest.raises(FolderError, match="no manifest"):
            home.known(RACK)
        assert list((tmp_path / ".rackwright" / "objects").iterdir()) == []
        assert "rootpool-1" in (await home.sim.operate("show storage volume brief"))[0]


async def test_it_waits_for_consent_whole_as_it_was_and_a_file_that_is_back_ends_that(tmp_path: Path) -> None:
    async with built(tmp_path) as home:
        home.pool(policy={"destructive": "RequireApproval"})
        await home.apply()
        before = home.known(ROOT)
        home.remove(STORAGE_POOL)
        assert await home.apply() == WAITS
        waiting = home.known(ROOT)
        assert before is not None
        assert waiting is not None
        assert (waiting.uid, waiting.spec, waiting.deleting) == (before.uid, before.spec, True)
        assert await home.attached() == 3
        digest = waiting.status["plan"]["digest"]
        home.pool(policy={"destructive": "RequireApproval"}, approvals=[{"plan": digest}])
        await home.apply()
        back = home.known(ROOT)
        assert back is not None
        assert (back.uid, back.deleting) == (before.uid, False)
        assert await home.attached() == 3, "it is not deleted after all"
        home.remove(STORAGE_POOL)
        await home.apply()
        assert home.known(ROOT) is None
        assert await home.attached() == 0


async def test_a_file_that_is_back_with_retain_lets_go(tmp_path: Path) -> None:
    async with built(tmp_path) as home:
        home.pool(policy={"mode": "Plan"})
        await home.apply()
        home.remove(STORAGE_POOL)
        assert await home.apply() == WAITS
        home.put(rack.pool(NAMESPACE))
        await home.apply()
        known = home.known(ROOT)
        assert known is not None
        assert (known.deleting, known.finalizers) == (False, ())
        home.remove(STORAGE_POOL)
        await home.apply()
        assert home.known(ROOT) is None
        assert await home.attached() == 3


async def test_approve_shows_what_a_wipe_would_destroy_and_writes_the_consent(tmp_path: Path) -> None:
    async with built(tmp_path, nodeSets=[OFF]) as home:
        home.put(rack.pool(NAMESPACE, deletionPolicy="Wipe"))
        await home.apply()
        words = ["approve", "-f", str(tmp_path), "--yes", "StoragePool/root"]
        done = await asyncio.to_thread(CliRunner().invoke, cli, words)
        assert done.exit_code == 0, done.output
        assert "pool 2/rootpool-1 on JBOD2/6 (serial " in done.output
        assert "rootvol-0, rootvol-1, rootvol-2, rootvol-3" in done.output
        again = await asyncio.to_thread(CliRunner().invoke, cli, words)
        assert "Nothing of StoragePool/root waits for consent." in str(again.exception or again.output)
        await home.apply()
        home.remove(STORAGE_POOL)
        await home.apply()
        shown, _ = await home.sim.operate("show storage pool brief")
        assert "rootpool-1" not in shown
