"""The end of the operator's journal, whichever file it is in, and what of it a person wants to see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

BLOCK_BYTES = 64 * 1024
ONE_LOOK = timedelta(seconds=0.8)  # the reads of one look come close together; looks are a second apart at least
NAVIGATION = ("configure terminal", "server id ", "nic ", "interface te ", "exit", "end")


@dataclass(frozen=True)
class Sent:
    """One command that changed something, or a whole look. `time` is that of the day."""

    time: str
    command: str
    why: str


def gist(entries: Iterable[Mapping[str, object]]) -> tuple[Sent, ...]:
    """Entries without steps from mode to mode, and the reads of one look as one."""
    found: list[Sent] = []
    reads, read_at = 0, datetime.min.replace(tzinfo=UTC)
    for entry in entries:
        at, command, who = datetime.fromisoformat(str(entry["time"])), str(entry["command"]), str(entry["object"])
        time = f"{at:%H:%M:%S}"
        if entry["journal"] == "send":
            continue  # what became of it follows
        if entry["journal"] == "apply":
            reads = 0
            if not command.startswith(NAVIGATION):
                found.append(Sent(time, command, f"{who}: {entry['why']}"))
            continue
        if reads and at - read_at < ONE_LOOK:
            found.pop()
        else:
            reads = 0
        reads, read_at = reads + 1, at
        found.append(Sent(time, "a look at the chassis", f"{who}: {reads} commands"))
    return tuple(found)


def latest(path: Path, lines: int) -> tuple[Mapping[str, object], ...]:
    """The last entries in a file of JSON lines; whatever else is in it is passed over. Reads its end only."""
    if not path.exists():
        return ()
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - BLOCK_BYTES))
        block = file.read()
    entries = (entry for line in block.splitlines() if (entry := _entry(line)) is not None)
    return tuple(entries)[-lines:]


def _entry(line: bytes) -> Mapping[str, object] | None:
    if not line.startswith(b"{"):
        return None
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None  # cut by the block, or being written right now
    return entry if isinstance(entry, dict) and "journal" in entry else None
