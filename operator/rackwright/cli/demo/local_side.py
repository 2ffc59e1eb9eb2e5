"""A folder of manifests, kept by `rackwright watch`, and a person who works with the commands of local mode."""

import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from rackwright.cli.demo.journal import latest
from rackwright.cli.demo.manifests import write
from rackwright.cli.demo.processes import RACKWRIGHT, Child, run, start, typed
from rackwright.cli.demo.report import Object
from rackwright.cli.demo.tell import Teller
from rackwright.cli.local_run import JOURNAL
from rackwright.cli.session import state_of
from rackwright.core.resource import KINDS, Ref

SHOWN_LINES = 12
DIFFERS = 2  # exit status of `plan` where something is to be done


class LocalSide:
    """The side of local mode; `work` is the demo's folder."""

    def __init__(self, work: Path, tell: Teller) -> None:
        self.folder = work / "rack"
        self._log = work / "operator.log"
        self._tell = tell
        self.folder.mkdir(parents=True)
        self._state = state_of(self.folder, None)
        self._operator: Child | None = None

    async def open(self) -> None:
        """Start the operator over the folder, which is still empty."""
        self._operator = await start("The operator", [*RACKWRIGHT, "watch", "-f", self.folder], self._log)

    async def aclose(self) -> None:
        """End the operator."""
        if self._operator is not None:
            await self._operator.stop()

    def check(self) -> None:
        """DemoError where the operator has ended."""
        if self._operator is not None:
            self._operator.check()

    def log_tail(self) -> str:
        """The end of the operator's log."""
        return self._operator.tail() if self._operator is not None else ""

    async def declare(self, name: str, content: str) -> None:
        """Put a manifest into the folder."""
        self._tell.say(f"a manifest: {self.folder / name}")
        write(self.folder / name, content)

    async def objects(self) -> Mapping[Ref, Object]:
        """From the folder of state, as `rackwright get` does."""
        records = [item for item in self._state.records() if item.ref.kind in KINDS]
        return {item.ref: Object(item.ref, item.status, item.spec.get("server")) for item in records}

    async def show_objects(self) -> None:
        """`rackwright get`."""
        await self._show("get", most=SHOWN_LINES)

    async def show_plan(self, refs: Sequence[Ref]) -> None:
        """`rackwright plan`, which has them all."""
        await self._show("plan", codes=(0, DIFFERS))

    async def show_why(self, ref: Ref) -> None:
        """`rackwright why`."""
        await self._show("why", str(ref))

    async def approve(self, ref: Ref) -> str:
        """`rackwright approve`, which looks anew and writes the consent into the manifest."""
        said = await self._show("approve", str(ref), "--yes")
        return str(re.findall(r"sha256:[0-9a-f]+", said)[-1])

    async def planned(self) -> int:
        """What `rackwright plan` says, by its own look at the chassis."""
        output = await run([*RACKWRIGHT, "plan", "-o", "json", "-f", self.folder], (0, DIFFERS))
        looks = orjson.loads(output)
        return sum(len(stage) for look in looks for stage in (*look["stages"], look["blocked"]))

    async def versions(self) -> Mapping[str, str]:
        """Every file of the folder of state but the journal, which tells of looks too: time of writing and content."""
        found = {}
        for path in self._state.root.rglob("*"):
            if path.is_file() and not path.name.startswith(JOURNAL):
                found[path.name] = f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        return found

    def journal(self, lines: int) -> tuple[Mapping[str, object], ...]:
        """From the file beside the state."""
        return latest(self._state.root / JOURNAL, lines)

    def hints(self) -> tuple[str, ...]:
        """Commands of local mode."""
        folder = shlex.quote(str(self.folder))
        return (
            f"{typed()} get -f {folder}",
            f"{typed()} why -f {folder} cn/storage-0",
            f"{typed()} plan -f {folder}",
            f"{typed()} drift -f {folder}",
        )

    async def _show(self, command: str, *words: str, codes: tuple[int, ...] = (0,), most: int | None = None) -> str:
        line = [command, *words, "-f", str(self.folder)]
        self._tell.command(shlex.join(["rackwright", *line]))
        output = await run([*RACKWRIGHT, *line], codes)
        self._tell.output(output, most)
        return output
