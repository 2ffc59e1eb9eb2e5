"""What an undisturbed build sends and writes, kept in two files so that every point of it has a name before it is tried.

A change of the planner or of the driver changes them: `python -m tests.crash.dialogue` writes them anew, and
the difference shows what a build now does otherwise.
"""

import asyncio
import tempfile
from pathlib import Path

from tests.crash.operator_process import Renames
from tests.crash.rack import DONE, Template, prepare

LINES = Path(__file__).parent / "lines.txt"
WRITES = Path(__file__).parent / "writes.txt"


def lines() -> list[str]:
    """The lines that reach the chassis, in order."""
    return LINES.read_text("utf-8").splitlines()


def writes() -> list[str]:
    """The names of the state files that are written, in order."""
    return WRITES.read_text("utf-8").splitlines()


async def record(template: Template, folder: Path) -> tuple[list[str], list[str]]:
    """Lines and writes of an undisturbed build."""
    async with template.rack(folder) as rack:
        diary = folder / "diary.txt"
        assert await rack.operator("apply", renames=Renames(diary)).ended() == DONE, rack.output
        return [entry.text for entry in rack.server.log], diary.read_text("utf-8").splitlines()


def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        template = prepare(Path(folder), "RequireApproval")
        sent, written = asyncio.run(record(template, Path(folder) / "rack"))
    LINES.write_text("".join(f"{line}\n" for line in sent), "utf-8")
    WRITES.write_text("".join(f"{name}\n" for name in written), "utf-8")


if __name__ == "__main__":
    _write()
