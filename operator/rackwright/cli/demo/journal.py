"""The end of the operator's journal, whichever file it is in, and what of it a person wants to see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

BLOCK_BYTES = 64 * 1024
NAVIGATION = ("configure terminal", "server id ", "nic ", "exit", "end")


@dataclass(frozen=True)
class Sent:
    """One command that changed something, or a whole look. `time` is that of the day."""

    time: str
    command: str
    why: str


def gist(entries: Iterable[Mapping[str, object]]) -> tuple[Sent, ...]:
    """Entries without steps from mode to mode, and each run of reads as one look."""
    found: list[Sent] = []
    reads = 0
    for entry in entries:
        time, command, object_ = str(entry["time"])[11:19], str(entry["command"]), str(entry["object"])
        if entry["journal"] != "apply":
            reads += 1
            if reads > 1:
                found.pop()
            found.append(Sent(time, f"a look at the chassis, {reads} commands", object_))
            continue
        reads = 0
        if not command.startswith(NAVIGATION):
            found.append(Sent(time, command, f"{object_}: {entry['why']}"))
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
