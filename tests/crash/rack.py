"""The rack of the crash tests: a folder of manifests with all consent that its build asks for, and its simulated chassis."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from rackwright.core.resource import Ref
from rackwright_sim.server import SimServer
from tests.crash.operator_process import Operator, Renames

DONE, FAILED, WAITS = 0, 1, 2  # exit statuses of `rackwright apply`
SAFETY = 5  # as many times longer than the chassis needs the operator waits
_MANIFESTS = Path(__file__).parent / "manifests"
_STATE = ".rackwright"
_PLANS = {"RequireApproval": 2, "Allow": 0}  # to be approved in turn: the slot's mode, then the disks' metadata


@dataclass(frozen=True)
class Rack:
    """A folder of manifests and the simulated chassis that they are about."""

    folder: Path
    server: SimServer

    def operator(self, command: str, *arguments: str, renames: Renames | None = None) -> Operator:
        """Start a command over the folder."""
        return Operator([command, "-f", self.folder, *arguments], self.folder / "output.txt", renames)

    async def apply(self) -> int:
        """One `rackwright apply` from its start to its end; its exit status."""
        return await self.operator("apply").ended()

    @property
    def state(self) -> Path:
        """Where the operator keeps statuses and journal."""
        return self.folder / _STATE

    @property
    def output(self) -> str:
        """What the operators printed, one after the other."""
        path = self.folder / "output.txt"
        return path.read_text("utf-8") if path.exists() else "nothing was printed"

    def records(self) -> Mapping[Ref, Mapping[str, Mapping[str, object]]]:
        """The state files by object. Raises ValueError where one is half written."""
        found = [orjson.loads(path.read_bytes()) for path in sorted((self.state / "objects").glob("*.json"))]
        return {Ref(*record["ref"]): record for record in found}

    def journal(self) -> Sequence[Mapping[str, object]]:
        """The lines of the journal. Raises ValueError where one is half written."""
        path = self.state / "journal.jsonl"
        return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def awaiting(self) -> Sequence[Ref]:
        """The objects that ask for consent."""
        return [ref for ref, record in self.records().items() if _is_true(record["status"], "AwaitingApproval")]


def _is_true(status: Mapping[str, object], kind: str) -> bool:
    conditions = status.get("conditions", ())
    assert isinstance(conditions, Sequence)
    return any(item["type"] == kind and item["status"] == "True" for item in conditions)


@dataclass(frozen=True)
class Template:
    """A folder of manifests, all consent in them, with a state of identities and nothing else; racks are copies of it."""

    folder: Path
    host_key: Path

    @asynccontextmanager
    async def rack(
        self, folder: Path, settle_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> AsyncIterator[Rack]:
        """A rack of its own in `folder`, with the chassis as found; what changes shows `settle_seconds` later."""
        async with SimServer(
            start="small", host_key_path=self.host_key, settle_seconds=settle_seconds, clock=clock
        ) as server:
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            manifest = folder / "chassis.yaml"
            text = re.sub(r"port: \d+", f"port: {server.port}", manifest.read_text("utf-8"))
            manifest.write_text(text.replace("settleSeconds: 0", f"settleSeconds: {SAFETY * settle_seconds}"), "utf-8")
            yield Rack(folder, server)


def prepare(folder: Path, destructive: str) -> Template:
    """Build such a rack once, approving as a person would whatever is asked for, and keep what that person wrote."""
    template = Template(folder / "manifests", folder / "host-key")
    asyncio.run(_prepare(template, destructive))
    return template


async def _prepare(template: Template, destructive: str) -> None:
    async with SimServer(start="small", host_key_path=template.host_key) as server:
        values = {"PORT": str(server.port), "HOST_KEY": server.host_key, "DESTRUCTIVE": destructive}
        template.folder.mkdir()
        for path in _MANIFESTS.iterdir():
            text = path.read_text("utf-8")
            for name, value in values.items():
                text = text.replace(name, value)
            (template.folder / path.name).write_text(text, "utf-8")
        rack = Rack(template.folder, server)
        assert await rack.operator("plan").ended() == WAITS, rack.output
        shutil.copytree(rack.state, identities := template.folder.with_name("identities"))
        for _ in range(_PLANS[destructive]):
            assert await rack.apply() == WAITS, rack.output
            for ref in rack.awaiting():
                assert await rack.operator("approve", "--yes", f"{ref.kind}/{ref.name}").ended() == DONE, rack.output
        assert await rack.apply() == DONE, rack.output
    shutil.rmtree(rack.state)
    identities.rename(rack.state)
    (template.folder / "output.txt").unlink()
